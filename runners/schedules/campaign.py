"""A campaign: the jobs that follow from what Optuna proposes, and what it is told when they end."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean

from gridsearch.planning.plan import ExcludedCell, Plan, PlannedCell
from gridsearch.planning.planner import Planner
from gridsearch.study.objectives import BY_SEED, METRIC, SECONDS
from gridsearch.tasks.target import Target
from gridsearch.training.worker import Job
from gridsearch.trial import Epoch, Failure, Outcome, Trial, retry_after
from reports.study.view import StudyRows
from runners.schedules.proposals import Proposal, Proposer
from runners.schedules.schedule import Session
from runners.schedules.search_settings import Search

MOST_IN_VAIN = 1000
"""A search gives up when so many proposals in a row needed no run: rules left them out, or the ledger answered."""


@dataclass(frozen=True)
class Result:
    """What is optimised: the metric on dev at the chosen epoch, and the seconds of the trial."""

    dev: float
    seconds: float


@dataclass(eq=False)
class OpenCell:
    """A proposed cell that has not come to its end; ``n_reported`` epochs or seeds have been told to the pruner."""

    cell: PlannedCell
    proposal: Proposal
    n_reported: int = field(default=0)


class Campaign:
    """Feeds a runner and listens to it (:class:`runners.contract.Listener`), passing what it hears to the recorder.

    The seeds of a cell run one after the other, so that a pruner can spare the later ones; several cells run at once.
    """

    def __init__(
        self,
        plan: Plan,
        planner: Planner,
        session: Session,
        proposer: Proposer,
        search: Search,
        sources: Callable[[], Mapping[str, object]],
        names: dict[str, str],
        known: StudyRows,
    ) -> None:
        self.plan = plan
        self.stopped = ""
        self._planner, self._session, self._proposer = planner, session, proposer
        self._ledger, self._recorder = session.ledger, session.recorder
        self._search, self._sources, self._names = search, sources, names
        self._deadline = None if search.hours is None else time.monotonic() + 3600 * search.hours
        self._trials = dict(plan.trials)
        self._ended: dict[str, Result | str] = {}
        self._under_way: set[str] = set()
        self._queue: deque[Job] = deque()
        self._alone: deque[Job] = deque()
        self._open: list[OpenCell] = []
        self._begin(known)

    def jobs(self) -> Iterator[Job | None]:
        """Yield what is to run next; None while the next proposal has to wait for a result."""
        while True:
            if self._queue:
                yield self._queue.popleft()
            elif self._may_propose() and self._propose():
                continue
            elif self._under_way.difference(job.id for job in self._alone):
                yield None
            else:
                return

    def jobs_alone(self) -> Iterator[Job]:
        """Yield the trials that ran out of memory beside others."""
        while self._alone:
            yield self._alone.popleft()

    @property
    def has_jobs_alone(self) -> bool:
        """Whether any trial waits to run alone."""
        return bool(self._alone)

    # What is heard

    def started(self, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        """Lease the trial."""
        self._recorder.started(trial_id, worker, resources)

    def epoch(self, trial_id: str, epoch: Epoch) -> None:
        """Add an epoch, and report it to the pruner where it compares epochs: those of a cell's first trial."""
        self._recorder.epoch(trial_id, epoch)
        if (scout := self._scout(trial_id)) is not None and epoch.number > scout.n_reported:
            scout.n_reported = epoch.number
            if epoch.is_finite:
                scout.proposal.trial.report(self._target.of(epoch.dev), epoch.number)

    def prune_wanted(self, trial_id: str) -> bool:
        """Ask the pruner; after the last epoch there is nothing left to spare."""
        scout = self._scout(trial_id)
        if scout is None or scout.n_reported >= scout.cell.recipe.epochs:
            return False
        return scout.proposal.trial.should_prune()

    def pruned(self, trial_id: str) -> None:
        """Close the attempt, and spare the cell's other seeds."""
        self._recorder.pruned(trial_id)
        self._end(trial_id, "pruned")

    def finished(self, trial_id: str, outcome: Outcome) -> None:
        """Keep the outcome, and go on with the cell."""
        self._recorder.finished(trial_id, outcome)
        self._end(trial_id, Result(self._target.of(outcome.dev), outcome.seconds))

    def failed(self, trial_id: str, failure: Failure) -> None:
        """Close the attempt; try again what its kind allows."""
        self._recorder.failed(trial_id, failure)
        if retry_after(self._ledger.failures(trial_id)) is None:
            self._end(trial_id, "failed")
        else:
            self._enqueue(self._trials[trial_id])

    def left_out(self, trial_id: str) -> None:
        """Go on with the cell without it."""
        self._recorder.left_out(trial_id)
        self._end(trial_id, "skipped")

    def stop_wanted(self) -> bool:
        """Whether the first trials all failed with the same error."""
        return self._recorder.stop_wanted()

    # What is proposed

    @property
    def _target(self) -> Target:
        return self.plan.task.target

    def _begin(self, known: StudyRows) -> None:
        """Take over what the ledger knows, and open the cells that an earlier run left unfinished."""
        for one in (replicate for row in known.cells for replicate in row.replicates):
            if one.dev is not None and one.seconds is not None:
                self._ended[one.trial] = Result(one.dev, one.seconds)
            elif one.state in ("pruned", "failed", "skipped"):
                self._ended[one.trial] = one.state
        for cell in self.plan.cells:
            self._name(cell)
            if any(trial.id not in self._ended for trial in cell.trials):
                levels = [factor.level(cell.levels[factor.name]) for factor in self.plan.space.factors]
                self._start_cell(cell, self._proposer.reopen(tuple(levels)))

    def _may_propose(self) -> bool:
        if self.stopped or (self._deadline is not None and time.monotonic() >= self._deadline):
            return False
        n_repetitions = len(self.plan.space.design.repetitions)
        return self._search.n_trials is None or len(self._trials) + n_repetitions <= self._search.n_trials

    def _propose(self) -> bool:
        """Open a cell that has something to run; False, and the reason in ``stopped``, when none can be found."""
        for _ in range(MOST_IN_VAIN):
            proposal = self._proposer.propose()
            if proposal is None:
                self.stopped = "every cell of the space is done"
                return False
            proposed = self.plan.space.cell(proposal.levels)
            cell = self._planner.planned_or_left_out(proposed, len(self.plan.cells) + 1)
            if isinstance(cell, ExcludedCell):
                self._ledger.exclude(cell)
                self._proposer.answer(proposal, None)
                continue
            cells = (*self.plan.cells, cell)
            self.plan = replace(self.plan, cells=cells, texts=self._planner.texts_of(cells))
            self._trials |= {trial.id: trial for trial in cell.trials}
            self._name(cell)
            self._ledger.append(self.plan, self._sources())
            self._recorder.progress.propose(trial for trial in cell.trials if trial.id not in self._ended)
            if self._start_cell(cell, proposal):
                return True
        self.stopped = f"{MOST_IN_VAIN} proposals in a row needed no run: rules leave them out, or they are known"
        return False

    def _name(self, cell: PlannedCell) -> None:
        for trial in cell.trials:
            self._names.setdefault(trial.id, cell.name_of(trial))

    # From proposal to answer

    def _start_cell(self, cell: PlannedCell, proposal: Proposal) -> bool:
        """Open a cell; return whether anything of it is left to run."""
        opened = OpenCell(cell, proposal)
        self._open.append(opened)
        self._go_on(opened)
        return opened in self._open

    def _go_on(self, opened: OpenCell) -> None:
        """Queue the next seed of a cell, or answer the proposal when there is none."""
        if self._search.pruner == BY_SEED and self._seeds_are_worse(opened):
            self._spare(opened.cell)
        waiting = next((trial for trial in opened.cell.trials if trial.id not in self._ended), None)
        if waiting is None:
            self._open.remove(opened)
            self._answer(opened)
        elif waiting.id not in self._under_way:
            self._enqueue(waiting)

    def _seeds_are_worse(self, opened: OpenCell) -> bool:
        """Report the seeds that are finished, in their order, and ask the pruner."""
        for number, trial in enumerate(opened.cell.trials, start=1):
            result = self._ended.get(trial.id)
            if number > opened.n_reported and isinstance(result, Result):
                opened.n_reported = number
                opened.proposal.trial.report(result.dev, number)
        return opened.n_reported > 0 and opened.proposal.trial.should_prune()

    def _spare(self, cell: PlannedCell) -> None:
        """Record the seeds of a cell that need not run as pruned before their first epoch."""
        for trial in cell.trials:
            if trial.id not in self._ended and trial.id not in self._under_way:
                self._recorder.started(trial.id, "none", {})
                self._recorder.pruned(trial.id)
                self._ended[trial.id] = "pruned"

    def _answer(self, opened: OpenCell) -> None:
        ends = [self._ended[trial.id] for trial in opened.cell.trials]
        results = [end for end in ends if isinstance(end, Result)]
        if not {"failed", "skipped"}.isdisjoint(end for end in ends if isinstance(end, str)):
            self._proposer.answer(opened.proposal, None)
        elif results:
            means = {METRIC: fmean(one.dev for one in results), SECONDS: fmean(one.seconds for one in results)}
            self._proposer.answer(opened.proposal, [means[name] for name in self._search.objectives])
        else:
            self._proposer.prune(opened.proposal)

    def _end(self, trial_id: str, how: Result | str) -> None:
        """Note the end of a trial, and go on with every cell that it belongs to."""
        self._ended[trial_id] = how
        self._under_way.discard(trial_id)
        for opened in [one for one in self._open if any(trial.id == trial_id for trial in one.cell.trials)]:
            if how == "pruned":
                self._spare(opened.cell)
            self._go_on(opened)

    def _scout(self, trial_id: str) -> OpenCell | None:
        """Return the cell that this trial decides about, epoch by epoch: one whose first trial it is."""
        if self._search.pruner in ("none", BY_SEED):
            return None
        return next((one for one in self._open if one.cell.trials[0].id == trial_id), None)

    def _enqueue(self, trial: Trial) -> None:
        self._under_way.add(trial.id)
        retry = self._session.retry(trial.id)
        (self._alone if retry.alone else self._queue).append(self._session.job(trial, retry))
