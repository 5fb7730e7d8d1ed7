"""Optuna on one box: it proposes cells, the driver runs them as a sweep would, and tells it what came of them."""

import contextlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from gridsearch.encoders.card import EncoderCard
from gridsearch.errors import NotBegunError, RequestError
from gridsearch.plan.plan import ExcludedCell, Plan, PlannedCell
from gridsearch.plan.planner import Planner, refuse_dead
from gridsearch.space.draws import draws
from gridsearch.space.factor import ROW
from gridsearch.space.space import Space
from gridsearch.study.ledger import Ledger
from gridsearch.study.ledger_size import n_logits
from gridsearch.study.ranking import best_so_far
from gridsearch.study.stored_logits import AUTO
from gridsearch.study.study import Study
from gridsearch.study.survey import Coverage
from gridsearch.tasks.metrics import LOWER_IS_BETTER
from gridsearch.tasks.task import Task
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Materials
from reports.study.optuna_export import empty_study, fill
from reports.study.read import read_study
from runners.contract import Runner
from runners.driver import heartbeat, measure_yardstick, terminated_as_interrupted
from runners.keeper import Keeper
from runners.materials import materials_on_demand
from runners.progress import Progress
from runners.recorder import Recorder
from runners.schedules.campaign import Campaign
from runners.schedules.proposals import Proposer, make_pruner, make_sampler
from runners.schedules.search_settings import Search

N_CHECKED = 1000
"""So many cells are resolved before anything runs; a space that has no more is checked as a whole."""


@dataclass(frozen=True)
class SearchResult:
    """How a search ended. ``stopped`` says why it did before its budget was spent, or is empty."""

    coverage: Coverage
    stopped: str


def optimise(
    space: Space,
    task: Task,
    describe: Callable[[str], EncoderCard],
    study: Study,
    runner: Runner,
    search: Search,
    *,
    sources: Callable[[Mapping[str, EncoderCard]], Mapping[str, object]],
    provenance: Callable[[], Mapping[str, object]],
    progress: Progress,
    names: dict[str, str],
    threads: int = 1,
    keep: str = "none",
    keep_logits: str = AUTO,
    retry_failed: bool = False,
    time_limit: float | None = None,
) -> SearchResult:
    """Run what Optuna proposes until the budget is spent. Running it again goes on from the ledger.

    ``sources``, ``provenance`` and the others are those of a sweep; ``names`` is filled with what people call each
    trial. Raises RequestError, before anything is written, for a space without a cell to run and for another study.
    """
    planner = Planner(space, task, describe)
    n_epochs = max(cell.recipe.epochs for cell in check(space, planner))
    pruner = make_pruner(search.pruner, n_epochs, len(space.design.seeds), len(search.objectives))
    sampler = make_sampler(search.sampler, space.design.order_seed, _n_known(space, task, planner, study, sources))
    materials = materials_on_demand(task, planner.cards, progress.say)
    for card in planner.cards.values():
        materials.encoders[card.identity]  # a file that cannot be read shows before the study is made or touched
    with contextlib.ExitStack() as opened:
        opened.enter_context(runner)
        ledger = opened.enter_context(study.driven(progress.say))
        opened.enter_context(heartbeat(ledger, progress.say))
        ledger.release("its driver died")
        if retry_failed:
            ledger.reopen_failed()
        plan = known_plan(space, task, planner, ledger)
        plan = replace(plan, optimised=_facts(search, space, ledger.facts().get("optimised"), len(plan.cells)))
        ledger.refuse_another_study(plan, sources(planner.cards))
        if _is_spent(plan, ledger, search):
            return SearchResult(ledger.coverage(), "")
        ledger.adopt(plan, sources(planner.cards))
        # By hours alone nobody knows how many trials there will be.
        n_expected = search.n_trials or min(N_CHECKED, _most_trials(space))
        ledger.keep_logits(keep_logits, n_logits(plan, n_expected))
        measure_yardstick(ledger, task, progress.say)
        opened.enter_context(terminated_as_interrupted())
        known = read_study(ledger)
        optuna_study = empty_study(
            search.objectives,
            task.metric,
            lower_is_better=task.metric in LOWER_IS_BETTER,
            sampler=sampler,
            pruner=pruner,
        )
        fill(optuna_study, known, search.objectives, search.pruner)
        keeper = Keeper(study, ledger, plan, keep)
        recorder = Recorder(ledger, ledger.provenance(provenance()), keeper, materials, progress)
        campaign = Campaign(
            plan,
            planner,
            ledger,
            recorder,
            Proposer(optuna_study, space.factors, space.design.order_seed),
            search,
            execution=Execution(threads, keep_weights=keep != "none", time_limit=time_limit),
            sources=lambda: sources(planner.cards),
            names=names,
            known=known,
        )
        n_planned = len(plan.trials) if search.n_trials is None else min(search.n_trials, _most_trials(space))
        progress.begin(replace(ledger.coverage(), planned=n_planned), best_so_far(ledger, task.metric))
        stopped = _run(campaign, runner, materials, ledger, recorder)
        return SearchResult(ledger.coverage(), stopped)


def check(space: Space, planner: Planner) -> list[PlannedCell]:
    """Resolve cells before anything runs, as a plan would: all of them, or a thousand drawn at random.

    Raises RequestError for a knob that cannot act, a contradiction, and rules that leave nothing.
    """
    cells: list[PlannedCell] = []
    for levels in islice(draws(space.factors, space.design.order_seed), N_CHECKED):
        cell = space.cell(levels)
        resolved = planner.resolved(cell)
        if not isinstance(resolved, ExcludedCell):
            cells.append(planner.planned(cell, resolved, len(cells) + 1))
    if not cells:
        raise RequestError(f"{space.name}: the rules leave no cell to run")
    refuse_dead(cells, space)
    return cells


def known_plan(space: Space, task: Task, planner: Planner, ledger: Ledger) -> Plan:
    """Plan the cells of a ledger again, in their order; a factor that is new to them has its baseline level."""
    cells: list[PlannedCell] = []
    excluded: list[ExcludedCell] = []
    for labels in ledger.cells():
        row = labels.pop(ROW, "")
        try:
            levels = [factor.level(labels.get(factor.name, factor.baseline)) for factor in space.factors]
        except RequestError as error:
            raise RequestError(
                f"{ledger.path.parent} holds another study: {error}; give this one a --study of its own"
            ) from None
        cell = planner.planned_or_left_out(space.cell(levels, row), len(cells) + 1)
        if isinstance(cell, ExcludedCell):
            excluded.append(cell)
        else:
            cells.append(cell)
    return Plan(space, task, planner.cards, tuple(cells), tuple(excluded))


def _n_known(
    space: Space,
    task: Task,
    planner: Planner,
    study: Study,
    sources: Callable[[Mapping[str, EncoderCard]], Mapping[str, object]],
) -> int:
    """Count the cells of the study; RequestError when it is about something else."""
    if not study.ledger_path.is_file():
        return 0
    try:
        with study.open() as ledger:
            plan = known_plan(space, task, planner, ledger)
            ledger.refuse_another_study(plan, sources(planner.cards))
            return len(plan.cells)
    except NotBegunError:
        return 0


def _facts(search: Search, space: Space, before: Mapping[str, Any] | None, n_known: int) -> dict[str, object]:
    """Return what the page says of a search; ``known`` counts the cells that were there before the first one."""
    return {
        "sampler": search.sampler,
        "pruner": search.pruner,
        "objectives": search.objectives,
        "trials": search.n_trials,
        "hours": search.hours,
        "seed": space.design.order_seed,
        "known": before["known"] if before else n_known,
    }


def _most_trials(space: Space) -> int:
    """Count the trials that a space has without rules."""
    count = space.n_combinations
    return sys.maxsize if count is None else count * len(space.design.seeds)


def _is_spent(plan: Plan, ledger: Ledger, search: Search) -> bool:
    """Whether there is nothing to run and nothing to propose: the study then stays what it is."""
    if plan.trials.keys() - ledger.trial_ids() or ledger.coverage().pending:
        return False
    if search.n_trials is not None and len(plan.trials) + len(plan.space.design.seeds) > search.n_trials:
        return True
    return len(plan.cells) + len(plan.excluded) == plan.space.n_combinations


def _run(campaign: Campaign, runner: Runner, materials: Materials, ledger: Ledger, recorder: Recorder) -> str:
    """Run until nothing is left; whatever ends it, no live line and no lease is left behind."""
    try:
        runner.run(campaign.jobs(), materials, campaign)
        while campaign.has_jobs_alone and not recorder.stop_wanted():
            runner.run(campaign.jobs_alone(), materials, campaign, alone=True)
            runner.run(campaign.jobs(), materials, campaign)
        if recorder.stop_wanted():
            ledger.release("the search was stopped")
            # The error lies in what all trials share, so the next start tries these again.
            ledger.reopen_failed()
            return recorder.why_stopped
        return campaign.stopped
    except KeyboardInterrupt:
        ledger.release("interrupted")
        raise
    finally:
        recorder.progress.close()
