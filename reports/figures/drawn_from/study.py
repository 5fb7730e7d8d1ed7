"""From the rows of a study to what its figures are drawn from."""

import math
from collections.abc import Iterator, Mapping, Sequence

from reports.figures.figure import Curve, GridCell, GridFactor, Response, Role, TimedCell
from reports.language.say import enumerated, say
from reports.study.choice import training_seconds
from reports.study.view import CellRow, Replicate, StudyRows


def response_on(study: StudyRows, split: str, *, of_single_runs: bool = False) -> Response:
    """Name the study's metric on a split; a published one, whose split is not known, by its column.

    ``of_single_runs``: where folds divide the rows it is that of single folds, and not of all rows together.
    """
    label = study.metric if study.is_imported else say("{metric} on {split}", metric=study.metric, split=say(split))
    if study.seen_after is not None:
        label += say(" after {n} of {total} epochs", n=study.seen_after[0], total=study.seen_after[1])
    if study.is_folded and (of_single_runs or study.seen_after is not None):
        label += say(" of single folds")
    return Response(label, study.lower_is_better)


def grid_factors(study: StudyRows) -> tuple[GridFactor, ...]:
    """List the factors in declared order. Names are those of the levels' keys: :func:`grid_cells` has them too."""
    return tuple(GridFactor(factor.column, tuple(factor.levels)) for factor in study.factors)


def grid_cells(study: StudyRows, best: int | None = None) -> tuple[GridCell, ...]:
    """Gather the results of all cells, or of a published table's rows.

    ``best`` is the index of the cell, or the position of the row, that the page says came out best; without, it is the
    first of the ranking, or what has the best value of a table.
    """
    columns = {factor.name: factor.column for factor in study.factors}
    if study.is_imported:
        return _published_cells(study, columns, best)
    best = next((cell.index for cell in study.ranking), None) if best is None else best
    baseline = study.baseline
    return tuple(
        GridCell(
            str(cell.index),
            {columns[name]: level for name, level in cell.levels.items()},
            cell.result.mean,
            cell.index == best,
            cell is baseline,
            bool(cell.not_learned),
        )
        for cell in study.cells
    )


def _published_cells(study: StudyRows, columns: Mapping[str, str], best: int | None) -> tuple[GridCell, ...]:
    highest: float | None = None
    for row in study.observations:
        highest = row.value if study.beats(row.value, highest) else highest
    baseline = {factor.name: factor.baseline for factor in study.factors}
    return tuple(
        GridCell(
            row.index,
            {columns[name]: level for name, level in row.levels.items() if name in columns},
            row.value,
            row.value == highest if best is None else place == best,
            baseline.items() <= row.levels.items(),
        )
        for place, row in enumerate(study.observations, start=1)
    )


def timed_cells(study: StudyRows) -> tuple[TimedCell, ...]:
    """Measure the cells' training time and dev result: which recipe to take is chosen on dev.

    Only trials that ran on the same terms as most can be compared; cells without any are left out.
    """
    seconds, baseline = training_seconds(study), study.baseline
    return tuple(
        TimedCell(str(cell.index), seconds[cell.index], cell.dev.mean, cell is baseline, bool(cell.not_learned))
        for cell in study.cells
        if cell.index in seconds and cell.dev.mean is not None
    )


def dev_run_sd(study: StudyRows) -> float | None:
    """Pool the standard deviations of the cells' replicates on dev; None when no cell that is sound has two."""
    spreads = [cell.dev for cell in study.cells if not cell.not_learned]
    squares = [(spread.sd**2 * (spread.n - 1), spread.n - 1) for spread in spreads if spread.sd is not None]
    df = sum(part for _, part in squares)
    return math.sqrt(math.fsum(square for square, _ in squares) / df) if df else None


def study_curves(study: StudyRows, epochs: Mapping[str, Sequence[float | None]]) -> tuple[Curve, ...]:
    """Gather the curves of the best, the baseline and the worst cell, and of all runs that did not learn.

    ``epochs`` has, for each trial, the metric on dev after every epoch.
    """
    ranking = study.ranking
    roles: dict[int, list[Role]] = {}
    named = ((Role.BEST, ranking[:1]), (Role.WORST, ranking[1:][-1:]), (Role.BASELINE, [study.baseline]))
    for role, cells in named:
        for cell in cells:
            if cell is not None:
                roles.setdefault(cell.index, []).append(role)
    ordered = sorted(study.cells, key=lambda cell: list(roles).index(cell.index) if cell.index in roles else len(roles))
    return tuple(
        Curve(
            _run_name(study, cell, replicate),
            tuple(roles.get(cell.index, [Role.NOT_LEARNED])),
            tuple(epochs[replicate.trial]),
            replicate.chosen_epoch,
            bool(replicate.not_learned),
        )
        for cell in ordered
        for replicate in _shown(cell, cell.index in roles, epochs)
    )


def _shown(cell: CellRow, has_role: bool, epochs: Mapping[str, Sequence[float | None]]) -> Iterator[Replicate]:
    for replicate in cell.finished:
        if replicate.trial in epochs and (has_role or replicate.not_learned):
            yield replicate


def _run_name(study: StudyRows, cell: CellRow, replicate: Replicate) -> str:
    parts = [say("cell {name}", name=cell.index)]
    if len({one.seed for one in cell.replicates}) > 1:
        parts.append(say("seed {n}", n=replicate.seed))
    if len({one.fold for one in cell.replicates}) > 1:
        parts.append(say("fold {n}", n=replicate.fold))
    return enumerated(parts)
