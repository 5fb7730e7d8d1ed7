"""Published rows, in the shape in which the ledger keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gridsearch.errors import RequestError, one_of
from gridsearch.study.manifest import CurveManifest, FactorEntry, PublishedRows, TableManifest
from gridsearch.study.study import Study
from reports.study.view import Observation, RowWithout

RESPONSE = "result"
"""What a page calls the column with the results."""


@dataclass(frozen=True)
class Published:
    """Rows as they were published. ``columns`` are all of them in order; ``index_column`` is empty without one.

    ``scores`` are columns that measured the rows too, ``seeds`` those that tell which run of its recipe a row is.
    ``without`` are the rows without a result. The points of a log have ``curve`` as their index, and no factors; it
    ``went_back`` from the first to the second of each two.
    """

    title: str
    source: str
    form: Literal["table", "notes", "log"]
    columns: tuple[str, ...]
    index_column: str
    response: str
    scores: tuple[str, ...]
    rows: tuple[Observation, ...]
    without: tuple[RowWithout, ...] = ()
    seeds: tuple[str, ...] = ()
    curve: str = ""
    went_back: tuple[tuple[str, str], ...] = ()

    @property
    def factors(self) -> tuple[str, ...]:
        """The columns whose levels are compared."""
        others = {self.index_column, self.response, *self.scores, *self.seeds}
        return tuple(name for name in self.columns if name not in others)


def store(published: Published, study: Study, inert: Sequence[str] = ()) -> None:
    """Make a new study of what was published; raises RequestError, and then writes nothing.

    ``inert`` names factors that could not act.
    """
    for name in inert:
        if name in published.seeds:
            raise RequestError(
                f"--inert: column {name!r} is taken as the seed of each row, so that rows that differ in nothing else "
                "are replicates already; with --seed none it is a factor"
            )
        if name not in published.factors:
            raise RequestError(f"--inert: {one_of('column to compare', name, published.factors)}")
    if study.ledger_path.exists():
        raise RequestError(f"an import needs a new study, but {study.folder} holds one already")
    with study.driven() as ledger:
        rows = [(row.levels, row.value) for row in published.rows]
        ledger.import_observations(_manifest(published, inert), rows)


def _manifest(published: Published, inert: Sequence[str]) -> TableManifest:
    """Say what the ledger keeps beside the rows, in the shape that a study of trials has."""
    labels = {name: dict.fromkeys(row.levels[name] for row in published.rows) for name in published.factors}
    about = TableManifest(
        title=published.title,
        source=published.source,
        form=published.form,
        columns=published.columns,
        index_column=published.index_column,
        response=published.response,
        factors=tuple(
            FactorEntry(name, name, next(iter(labels[name])), {label: {} for label in labels[name]})
            for name in published.factors
        ),
        rows=PublishedRows(
            index=[row.index for row in published.rows],
            response=[row.text for row in published.rows],
            scores=[dict(row.scores) for row in published.rows],
            seeds=[dict(row.seeds) for row in published.rows],
        ),
        scores=published.scores,
        inert=inert,
        seeds=published.seeds,
        without=[{"index": row.index, "label": row.label, "text": row.text} for row in published.without],
    )
    if not published.curve:
        return about
    return CurveManifest(**vars(about), curve=published.curve, went_back=published.went_back)
