"""What several commands tell programs."""

from collections.abc import Mapping
from typing import Any

from gridsearch.study.ledger import Ledger
from reports.study.view import CellRow, StudyRows


def skip_facts(ledger: Ledger) -> list[Mapping[str, Any]]:
    """Return the cells that are left out on purpose."""
    return [{"cell": skip.position, "levels": skip.levels, "why": skip.why} for skip in ledger.attended.skips()]


def best_facts(rows: StudyRows) -> Mapping[str, Any] | None:
    """Return the cell that is best on dev; None before any has finished."""
    return cell_facts(rows.ranking[0]) if rows.ranking else None


def cell_facts(cell: CellRow) -> Mapping[str, Any]:
    """Return a row of the table: means over its finished trials."""
    return {
        "cell": cell.index,
        "row": cell.row or None,
        "levels": cell.levels,
        "dev": cell.dev.mean,
        "result": cell.result.mean,
        "n": cell.dev.n,
        "trials": cell.trials,
    }
