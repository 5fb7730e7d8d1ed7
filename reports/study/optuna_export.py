"""A study as Optuna sees it: its cells are trials there, seeds are averaged. The ledger stays the truth."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from gridsearch.study.objectives import BY_SEED, METRIC, SECONDS
from gridsearch.study.study import Study
from reports.study.view import CellRow, StudyRows

if TYPE_CHECKING:
    import optuna


def distribution(labels: Sequence[str], range_: Mapping[str, Any] | None) -> "optuna.distributions.BaseDistribution":
    """Return the values that Optuna may propose for a factor: its labels, or numbers of its range."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if range_ is None:
        return CategoricalDistribution(list(labels))
    low, high, log, step = range_["low"], range_["high"], range_["log"], range_["step"]
    if range_["is_integer"]:
        return IntDistribution(low, high, log=log, step=step)
    return FloatDistribution(low, high, log=log, step=step)


def parameter(label: str, range_: Mapping[str, Any] | None) -> str | float:
    """Return what Optuna calls a level: its label, or the number that it spells."""
    if range_ is None:
        return label
    return int(label) if range_["is_integer"] else float(label)


def directions(objectives: Iterable[str], *, lower_is_better: bool) -> "list[Literal['minimize', 'maximize']]":
    """Say for each objective whether more is better, as Optuna spells it."""
    fewer = {SECONDS} | ({METRIC} if lower_is_better else set())
    return ["minimize" if name in fewer else "maximize" for name in objectives]


def empty_study(
    objectives: Sequence[str],
    metric: str,
    *,
    lower_is_better: bool,
    sampler: "optuna.samplers.BaseSampler | None" = None,
    pruner: "optuna.pruners.BasePruner | None" = None,
    storage: "optuna.storages.BaseStorage | None" = None,
    name: str = "gridsearch",
) -> "optuna.Study":
    """Make a study, in memory unless a storage is given. Hyperband sorts trials into brackets by the name, too."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        directions=directions(objectives, lower_is_better=lower_is_better),
        sampler=sampler,
        pruner=pruner,
        study_name=name,
        storage=storage,
    )
    with warnings.catch_warnings(category=optuna.exceptions.ExperimentalWarning, action="ignore"):
        study.set_metric_names([metric if name == METRIC else name for name in objectives])
    return study


def fill(target: "optuna.Study", study: StudyRows, objectives: Sequence[str], pruner: str = "none") -> None:
    """Tell Optuna every cell that has come to an end; of a published table, every row."""
    import optuna

    distributions = {
        factor.name: distribution(tuple(factor.levels), factor.range) for factor in study.factors
    }  # fmt: skip

    def add(state: str, levels: Mapping[str, str], values: Sequence[float] | None, **more: Any) -> None:
        params = {factor.name: parameter(levels[factor.name], factor.range) for factor in study.factors}
        target.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState[state], values=values, params=params, distributions=distributions, **more
            )
        )

    for row in study.observations:
        add("COMPLETE", row.levels, [row.value], user_attrs={"index": row.index})
    for cell in study.cells:
        if state := state_of(cell):
            add(
                state,
                cell.levels,
                values_of(cell, objectives) if state == "COMPLETE" else None,
                intermediate_values=steps_of(cell, pruner) if len(objectives) == 1 else None,
                user_attrs={"index": cell.index, "trials": list(cell.trials)},
            )


def study_view(study: StudyRows, storage: "optuna.storages.BaseStorage") -> "optuna.Study":
    """Copy a study into a storage of Optuna's: one that was optimised with its objectives, others with the metric."""
    search = None if study.is_imported else study.about.search
    objectives = [METRIC] if search is None else search.objectives
    view = empty_study(
        objectives,
        study.metric,
        lower_is_better=study.lower_is_better,
        storage=storage,
        name=Study(study.folder).name,
    )
    fill(view, study, objectives)
    return view


def state_of(cell: CellRow) -> str:
    """Return how a cell ended, in Optuna's words; empty while it has not. Seeds that pruning saved are no loss."""
    states = {replicate.state for replicate in cell.replicates}
    if states <= {"finished", "pruned"}:
        return "COMPLETE" if "finished" in states else "PRUNED"
    return "FAIL" if states <= {"finished", "pruned", "failed", "skipped"} else ""


def values_of(cell: CellRow, objectives: Iterable[str]) -> list[float]:
    """Average each objective over the finished seeds."""
    known = {METRIC: [one.dev for one in cell.finished], SECONDS: [one.seconds for one in cell.finished]}
    return [fmean(value for value in known[name] if value is not None) for name in objectives]


def steps_of(cell: CellRow, pruner: str) -> dict[int, float]:
    """Return what a pruner compares cells by: the results of the seeds, or those of the first seed after each epoch."""
    values: Iterable[float | None] = cell.replicates[0].dev_by_epoch
    if pruner == BY_SEED:
        values = (replicate.dev for replicate in cell.replicates)
    return {step: value for step, value in enumerate(values, start=1) if value is not None}
