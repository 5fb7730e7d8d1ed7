"""A plan in Python: its cells and trials as tables, and what the command prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from gridsearch.planning.plan import Plan
from gridsearch.space.factor import ROW

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Planned:
    """What a space comes to. Printed, it says what ``gridsearch plan`` does."""

    _plan: Plan
    _lines: Sequence[str]

    @cached_property
    def cells(self) -> "pd.DataFrame":
        """One row a cell: its index, the labels of its levels, its trials' ids, and the knobs that cannot act."""
        import pandas as pd

        from reports.frames.trials import CELL

        columns = {factor.name: factor.column for factor in self._plan.space.factors}
        return pd.DataFrame(
            {
                CELL: cell.index,
                **({ROW: cell.row} if cell.row else {}),
                **{columns[name]: label for name, label in cell.levels.items()},
                "trials": [trial.id for trial in cell.trials],
                "dead": dict(cell.dead),
            }
            for cell in self._plan.cells
        )

    @cached_property
    def trials(self) -> "pd.DataFrame":
        """One row a trial: its id, seed, fold, and every knob of its recipe."""
        import pandas as pd

        return pd.DataFrame(
            {"trial": trial.id, "seed": trial.seed, "fold": trial.fold, **trial.recipe.model_dump()}
            for trial in self._plan.trials.values()
        )

    def __str__(self) -> str:
        return "\n".join(self._lines)

    def __repr__(self) -> str:
        return f"<plan of {len(self._plan.cells)} cells and {len(self._plan.trials)} trials; print it to read it>"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"
