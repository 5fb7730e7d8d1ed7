"""What ``sweep`` and ``optimize`` tell programs when they have ended."""

from collections.abc import Mapping
from typing import Any

from gridsearch.study.study import Study
from reports.study.read import read_study
from runners.driver import Driven
from runners.programs.facts import best_facts, skip_facts


def driven_facts(study: Study, driven: Driven) -> Mapping[str, Any]:
    """Return how a driver ended, what came of it, and where its page is."""
    with study.open() as ledger:
        rows, skipped = read_study(ledger), skip_facts(ledger)
    return {
        "study": study.folder,
        "complete": driven.coverage.complete,
        "coverage": driven.coverage.to_json(),
        "stopped": driven.stopped or None,
        "stop_asked": driven.was_asked,
        "metric": rows.metric,
        "best": best_facts(rows),
        "skipped": skipped,
        "files": [study.page_path.with_suffix(suffix) for suffix in (".html", ".md")],
    }
