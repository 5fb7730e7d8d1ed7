"""Optuna on one box: it proposes cells, the driver runs them as a sweep would, and tells it what came of them."""

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Protocol

from gridsearch.encoders.card import EncoderCard
from gridsearch.errors import NotBegunError, RequestError
from gridsearch.planning.plan import ExcludedCell, Plan, PlannedCell
from gridsearch.planning.planner import Planner, refuse_dead
from gridsearch.space.draws import draws
from gridsearch.space.factor import ROW
from gridsearch.space.space import Space
from gridsearch.study.ledger import Ledger
from gridsearch.study.ledger_size import n_logits
from gridsearch.study.manifest import SearchEntry
from gridsearch.study.ranking import best_so_far
from gridsearch.study.study import Study
from gridsearch.tasks.lengths import TaskLengths
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.training.materials import Materials
from reports.study.optuna_export import empty_study, fill
from reports.study.read import read_study
from runners.materials import materials_on_demand
from runners.progress.outlook import read_outlook
from runners.schedules.campaign import Campaign
from runners.schedules.proposals import Proposer, make_pruner, make_sampler
from runners.schedules.schedule import Batch, Session
from runners.schedules.search_settings import Search

N_CHECKED = 1000
"""So many cells are resolved before anything runs; a space that has no more is checked as a whole."""


class Searched(Protocol):
    """What a search is about: a space, a task, and how encoders are described and all of it was named."""

    @property
    def space(self) -> Space:
        """What may be varied."""

    @property
    def task(self) -> AnyTask:
        """The data."""

    def describe(self, encoder: str) -> EncoderCard:
        """Tell what an encoder is."""

    def lengths(self, card: EncoderCard) -> TaskLengths:
        """Count the tokens of the task's texts."""

    def sources(self, cards: Mapping[str, EncoderCard]) -> Mapping[str, object]:
        """Say how everything was named, to be repeated from the ledger."""


class OptunaSearch:
    """What Optuna proposes until the budget is spent (a :class:`runners.schedules.schedule.Schedule`).

    ``names`` is filled with what people call each trial; ``texts`` says how much is read of the task's. Raises
    RequestError, before anything is written, for a space without a cell to run and for another study.
    """

    name = "search"
    may_run = True

    def __init__(self, asked: Searched, study: Study, search: Search, names: dict[str, str]) -> None:
        space = asked.space
        self._asked, self._search, self._names = asked, search, names
        self._planner = Planner(space, asked.task, cache(asked.describe), asked.lengths)
        checked = check(space, self._planner)
        self.texts = self._planner.texts_of(checked)
        self._n_epochs = max(cell.recipe.epochs for cell in checked)
        self._pruner = make_pruner(search.pruner, self._n_epochs, len(space.design.repetitions), len(search.objectives))
        self._sampler = make_sampler(search.sampler, space.design.order_seed, self._n_known(study))
        self._plan: Plan
        self._campaign: Campaign | None = None

    @property
    def task(self) -> AnyTask:
        """The task that is searched on."""
        return self._asked.task

    @property
    def stopped(self) -> str:
        """Why the search ended before its budget was spent; empty where it did not."""
        return "" if self._campaign is None else self._campaign.stopped

    def materials(self, say: Callable[[str], None]) -> Materials:
        """Make what is read on demand: a search does not know its cells. Encoders that it may propose are read now."""
        materials = materials_on_demand(self.task, self._planner.starts, say)
        for identity in self._planner.starts:
            materials.encoders[identity]
        return materials

    def adopt(self, ledger: Ledger) -> bool:
        """Write the cells that are there already; what is proposed follows one by one."""
        plan = known_plan(self._asked.space, self._planner, ledger)
        before = ledger.trials_manifest().search if ledger.is_begun else None
        self._plan = replace(plan, optimised=_facts(self._search, self._asked.space, before, len(plan.cells)))
        ledger.refuse_another_study(self._plan, self._sources())
        if _is_spent(self._plan, ledger, self._search):
            return False
        ledger.adopt(self._plan, self._sources())
        return True

    def is_done(self, ledger: Ledger) -> bool:
        """Whether the budget is spent, or nothing can be proposed any more. Hours are over when nothing pends."""
        plan = self._plan if self._campaign is None else self._campaign.plan
        return bool(self.stopped) or _is_spent(plan, ledger, self._search)

    def n_logits(self) -> int:
        """Count those of the budget; by hours alone nobody knows how many trials there will be."""
        return n_logits(self._plan, self._search.n_trials or min(N_CHECKED, _most_trials(self._asked.space)))

    def batches(self, session: Session) -> Iterator[Batch]:
        """Yield what the campaign feeds, and what it holds back because it wants to run alone."""
        campaign = self._campaign = self._begun(session)
        yield Batch(campaign.jobs(), campaign)
        while campaign.has_jobs_alone:
            yield Batch(campaign.jobs_alone(), campaign, alone=True)
            yield Batch(campaign.jobs(), campaign)

    def _begun(self, session: Session) -> Campaign:
        ledger, search, space, target = session.ledger, self._search, self._asked.space, self.task.target
        known = read_study(ledger)
        optuna_study = empty_study(
            search.objectives,
            target.name,
            lower_is_better=target.lower_is_better,
            sampler=self._sampler,
            pruner=self._pruner,
        )
        fill(optuna_study, known, search.objectives, search.pruner)
        proposer = Proposer(optuna_study, space.factors, space.design.order_seed)
        campaign = Campaign(self._plan, self._planner, session, proposer, search, self._sources, self._names, known)
        outlook = read_outlook(ledger, ledger.survey(), time.time())
        if search.n_trials is not None:
            outlook = outlook.proposing(min(search.n_trials, _most_trials(space)), self._n_epochs)
        until = math.inf if search.hours is None else 3600 * search.hours
        session.recorder.progress.begin(outlook, best_so_far(ledger, target), until)
        return campaign

    def _sources(self) -> Mapping[str, object]:
        return self._asked.sources(self._planner.cards)

    def _n_known(self, study: Study) -> int:
        """Count the cells of the study; RequestError when it is about something else."""
        if not study.ledger_path.is_file():
            return 0
        try:
            with study.open() as ledger:
                plan = known_plan(self._asked.space, self._planner, ledger)
                ledger.refuse_another_study(plan, self._sources())
                return len(plan.cells)
        except NotBegunError:
            return 0


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


def known_plan(space: Space, planner: Planner, ledger: Ledger) -> Plan:
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
    return planner.plan_of(cells, excluded)


def _facts(search: Search, space: Space, before: SearchEntry | None, n_known: int) -> dict[str, object]:
    """Return what the page says of a search; ``known`` counts the cells that were there before the first one."""
    return {
        "sampler": search.sampler,
        "pruner": search.pruner,
        "objectives": search.objectives,
        "trials": search.n_trials,
        "hours": search.hours,
        "seed": space.design.order_seed,
        "known": before.known if before else n_known,
    }


def _most_trials(space: Space) -> int:
    """Count the trials that a space has without rules."""
    count = space.n_combinations
    return sys.maxsize if count is None else count * len(space.design.repetitions)


def _is_spent(plan: Plan, ledger: Ledger, search: Search) -> bool:
    """Whether there is nothing to run and nothing to propose: the study then stays what it is."""
    if plan.trials.keys() - ledger.trial_ids() or ledger.coverage().pending:
        return False
    if search.n_trials is not None and len(plan.trials) + len(plan.space.design.repetitions) > search.n_trials:
        return True
    return len(plan.cells) + len(plan.excluded) == plan.space.n_combinations
