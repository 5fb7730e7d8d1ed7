"""Rounds: run what the ledger lacks of a plan until nothing is lacking, retries included; a halving rung by rung."""

import time
from collections.abc import Callable, Iterator, Mapping, Set

from gridsearch.errors import NotBegunError, RequestError
from gridsearch.planning.plan import Plan
from gridsearch.study.ledger import Ledger
from gridsearch.study.ledger_size import n_logits
from gridsearch.study.ranking import best_so_far
from gridsearch.study.study import Study
from gridsearch.study.survey import Survey
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.training.materials import Materials
from runners.materials import make_materials
from runners.progress.outlook import read_outlook
from runners.progress.words import rung_text
from runners.schedules.schedule import Batch, Session


class Rounds:
    """Every trial of a plan that a study lacks (a :class:`runners.schedules.schedule.Schedule`).

    ``sources`` says how task and model were named, for the commands on the page. ``only``: no other trials are run now.
    Raises RequestError, before anything is written, when the plan is not this study's growth.
    """

    name = "sweep"

    def __init__(self, plan: Plan, study: Study, sources: Mapping[str, object], only: Set[str] | None = None) -> None:
        self._plan, self._sources = plan, sources
        self._only = set(plan.trials) if only is None else only
        self._wanted = _due(plan, study, sources) & self._only
        self.stopped = ""

    @property
    def task(self) -> AnyTask:
        """The task of the plan."""
        return self._plan.task

    @property
    def may_run(self) -> bool:
        """Whether any trial is not finished yet."""
        return bool(self._wanted)

    def materials(self, say: Callable[[str], None]) -> Materials:
        """Make what the unfinished trials read."""
        return make_materials(self._plan, self._wanted, say)

    def adopt(self, ledger: Ledger) -> bool:
        """Write the plan."""
        ledger.adopt(self._plan, self._sources)
        return not self.is_done(ledger)

    def is_done(self, ledger: Ledger) -> bool:
        """Whether nothing is pending."""
        return not ledger.pending() & self._wanted

    def n_logits(self) -> int:
        """Count the numbers of all trials' logits."""
        return n_logits(self._plan)

    def batches(self, session: Session) -> Iterator[Batch]:
        """Yield all that is pending, again and again; a retry that wants to be alone waits until the others are done.

        What is pending of a halving is that of one rung; when it is done, the ledger names what the next one lacks.
        """
        ledger, recorder, n_begun = session.ledger, session.recorder, 0
        while pending := (survey := ledger.survey()).pending & self._wanted:
            if (standing := survey.standing) is not None:
                recorder.end_after({} if standing.is_last else standing.lacking)
            if n_begun < (n_rungs := 1 if standing is None else len(standing.members)):
                n_begun = n_rungs
                self._show(session, survey)
            retries = {trial_id: session.retry(trial_id) for trial_id in pending}
            together = {trial_id for trial_id in pending if not retries[trial_id].alone}
            batch = self._plan.in_running_order(together or pending)
            jobs = [session.job(trial, retries[trial.id]) for trial in batch]
            yield Batch(jobs, recorder, alone=not together)
            if not recorder.close_round():
                self.stopped = f"the runner began none of {len(jobs)} trials"
                return

    def _show(self, session: Session, survey: Survey) -> None:
        """Begin to show how far it is: of all, or of one rung."""
        ledger, progress = session.ledger, session.recorder.progress
        outlook = read_outlook(ledger, survey, time.time(), self._only)
        progress.close()
        if survey.standing is not None:
            progress.say(rung_text(survey.standing))
        elif outlook.n_done:
            progress.say(f"{outlook.n_done} of {outlook.n_planned} trials are finished already")
        progress.begin(outlook, best_so_far(ledger, self.task.target))


def trials_of_folds(plan: Plan, folds: list[int] | None) -> set[str]:
    """Return the ids of the plan's trials that are of these folds; of all where None is given.

    Raises RequestError for folds that there are none of.
    """
    if folds is None:
        return set(plan.trials)
    n_folds = plan.space.design.folds
    if n_folds is None:
        raise RequestError("--only-folds needs folds: --folds 5, or folds = 5 under [design]")
    if plan.halving is not None:
        raise RequestError("--only-folds and --halving cannot go together: a rung compares cells over all folds")
    if wrong := sorted(set(folds) - set(range(n_folds))):
        raise RequestError(f"--only-folds: there are folds 0 to {n_folds - 1}, but {wrong[0]} is asked for")
    return {trial.id for trial in plan.trials.values() if trial.fold in folds}


def _due(plan: Plan, study: Study, sources: Mapping[str, object]) -> set[str]:
    """Return the plan's trials that are neither finished nor left out; RequestError for another study."""
    if not study.ledger_path.is_file():
        return set(plan.trials)
    try:
        with study.open() as ledger:
            ledger.refuse_another_study(plan, sources)
            states = ledger.survey().states
            return {trial for trial in plan.trials if states.get(trial) not in ("finished", "skipped")}
    except NotBegunError:
        return set(plan.trials)
