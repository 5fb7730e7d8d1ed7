"""What may be a member of an ensemble: the runs that a study's results are made of, one for each cell and seed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gridsearch.study.ledger import Ledger
from reports.statistics.ensembles.results import JudgedRows, Member
from reports.statistics.paired.resampled import finite
from reports.study.pooled import Pool
from reports.study.view import CellRow, Pooled, Replicate, StudyRows

MOST_VALUES = 2**24
"""So many logits are read for a page, 128 MiB: those of 64 cells on 100,000 rows of two labels."""


@dataclass(frozen=True)
class Candidate:
    """A cell with one of its seeds; ``run`` is None where it is not finished, or lacks a fold."""

    cell: CellRow
    seed: int
    run: Replicate | Pooled | None

    @property
    def has_others(self) -> bool:
        """Whether the cell has other seeds."""
        return len({one.seed for one in self.cell.replicates}) > 1

    @property
    def name(self) -> str:
        """What it is called, in no language but that of programs: the cell's index, and the seed where it matters."""
        return f"{self.cell.index} seed {self.seed}" if self.has_others else str(self.cell.index)

    @property
    def replicates(self) -> list[Replicate]:
        """Its trials."""
        return [one for one in self.cell.replicates if one.seed == self.seed]

    @property
    def trials(self) -> tuple[str, ...]:
        """The ids of its trials."""
        return tuple(one.trial for one in self.replicates)

    @property
    def has_learned(self) -> bool:
        """Whether none of its trials is known not to have."""
        return not any(one.not_learned for one in self.replicates)


@dataclass(frozen=True)
class Members:
    """Members of a study with the rows that they are judged on, and the candidates that are none, by reason.

    ``candidates`` are those of the members, in their order. ``unfinished`` lack a fold, ``unkept`` their logits;
    ``beyond`` are behind the others on dev, where not all are read.
    """

    rows: JudgedRows
    members: tuple[Member, ...]
    candidates: tuple[Candidate, ...]
    not_learned: Sequence[Candidate] = ()
    unfinished: Sequence[Candidate] = ()
    unkept: Sequence[Candidate] = ()
    beyond: Sequence[Candidate] = ()


def read_members(
    ledger: Ledger, study: StudyRows, cells: Iterable[CellRow] | None = None, *, most_values: int | None = MOST_VALUES
) -> Members | None:
    """Read the logits of all runs, or of those of some ``cells``, whether they learned or not.

    None where there are no members: in a table, an older ledger without labels, a study that selects on a mean over
    parts, or by a function of the user's own, which no ledger holds. At most ``most_values`` logits are read, those of
    the runs that are best on dev.
    """
    judged = None if study.is_imported else study.about.sole
    labels = None if judged is None else ledger.labels("dev", judged.part)
    if judged is None or labels is None or judged.entry.own_metric is not None:
        return None
    found = list(_candidates(study.cells if cells is None else cells))
    whole = [one for one in found if one.run is not None]
    usable = [one for one in whole if cells is not None or one.has_learned]
    ranked = sorted(usable, key=lambda one: _dev(one) * (1 if study.lower_is_better else -1))
    n_values = len(labels) * len(judged.entry.label_names)
    beyond = [] if most_values is None else ranked[most_values // max(1, n_values) :]
    pool = Pool(ledger, study.about)
    read = {one.name: _member(pool, one, judged.part) for one in usable if one not in beyond}
    members = {name: member for name, member in read.items() if member is not None}
    return Members(
        JudgedRows(labels, judged.metric, ledger.folds(judged.part), judged.entry.labelling),
        tuple(members.values()),
        tuple(one for one in usable if one.name in members),
        not_learned=[one for one in whole if one not in usable],
        unfinished=[one for one in found if one.run is None and any(run.state == "finished" for run in one.replicates)],
        unkept=[one for one in usable if one.name in read and one.name not in members],
        beyond=beyond,
    )


def _candidates(cells: Iterable[CellRow]) -> Iterator[Candidate]:
    """Yield every cell with each of its seeds; cells that share their trials are one."""
    seen = set[tuple[str, ...]]()
    for cell in cells:
        runs = {run.seed: run for run in cell.runs}
        for seed in dict.fromkeys(one.seed for one in cell.replicates):
            candidate = Candidate(cell, seed, runs.get(seed))
            if candidate.trials not in seen:
                seen.add(candidate.trials)
                yield candidate


def _dev(one: Candidate) -> float:
    return 0.0 if one.run is None or one.run.dev is None else one.run.dev


def _member(pool: Pool, one: Candidate, part: str) -> Member | None:
    """Put the logits of its runs together; None where some are not kept."""
    judged, test = (pool.logits(one.trials, split, part) for split in ("dev", "test"))
    return None if judged is None else Member(one.name, finite(judged), None if test is None else finite(test))
