"""The driver: runs what a schedule asks for, by any runner, and is the only one who writes the ledger."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gridsearch.cache import cache_folder
from gridsearch.errors import GridSearchError, StudyLockedError, first_line
from gridsearch.study.lease import HEARTBEAT_SECONDS
from gridsearch.study.ledger import Ledger
from gridsearch.study.stored_logits import AUTO
from gridsearch.study.study import Study
from gridsearch.study.survey import Coverage
from gridsearch.study.versions import caution_about
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.tfidf_yardstick import tfidf_yardstick, yardstick_name
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Materials
from gridsearch.whole_file import clear_drafts
from runners.attending.listening import Ear
from runners.background import repeated
from runners.contract import Runner
from runners.endings.codes import EXIT_DONE, EXIT_INCOMPLETE
from runners.endings.interrupts import interruptible
from runners.keeper import Keeper, clear_half_made
from runners.progress.live import Progress
from runners.recorder import Recorder, StageRecorder
from runners.schedules.schedule import Schedule, Session
from runners.schedules.stages_first import StagesFirst
from runners.tracking.follower import followed
from runners.tracking.sent import Sent
from runners.tracking.tracker import Tracker


@dataclass(frozen=True)
class Settings:
    """How trials are executed, and what is kept of them: the same for every schedule.

    ``threads``: of each trial. ``keep``: whose weights; ``keep_logits``: in which form. ``retry_failed``: whether what
    failed for good starts anew. ``time_limit``: seconds that a trial may take. A pretraining saves where it is after so
    many ``save_seconds``. ``train_metric``: whether the training rows are measured, too.
    """

    threads: int = 1
    keep: str = "none"
    keep_logits: str = AUTO
    retry_failed: bool = False
    time_limit: float | None = None
    save_seconds: float = 60.0
    train_metric: bool = False

    def execution(self) -> Execution:
        """Return how a trial is executed at its first try."""
        return Execution(
            self.threads,
            keep_weights=self.keep != "none",
            time_limit=self.time_limit,
            save_seconds=self.save_seconds,
            train_metric=self.train_metric,
        )


ASKED = "{who} asked for it; the same command goes on from here"
"""Why a driver ends in order before everything was tried."""


@dataclass(frozen=True)
class Driven:
    """How it ended. ``stopped`` says why it ended before everything was tried, or is empty.

    ``was_asked``: it ended because somebody asked for it, and the same command goes on.
    """

    coverage: Coverage
    stopped: str
    was_asked: bool = False

    def __str__(self) -> str:
        return f"stopped: {self.stopped}\n{self.coverage}" if self.stopped else str(self.coverage)

    @property
    def exit_code(self) -> int:
        """Of the command: a search that was asked to stop has finished what it proposed, and is not done."""
        return EXIT_DONE if self.coverage.complete and not self.was_asked else EXIT_INCOMPLETE


def drive(
    schedule: Schedule,
    study: Study,
    runner: Runner,
    settings: Settings,
    *,
    provenance: Callable[[], Mapping[str, object]],
    progress: Progress,
    tracker: Tracker | None = None,
) -> Driven:
    """Run what a schedule asks for and the study lacks. Running it again is resuming it.

    ``provenance`` is asked once, after the runner has started; ``tracker`` is told of trials as they go. Raises
    RequestError before anything is written.
    """
    with contextlib.ExitStack() as opened:
        hold = opened.enter_context(study.held(progress.say))

        def prepare(what: str) -> None:
            progress.say(what)
            hold.tell(what)

        for folder in (study.folder, cache_folder()):
            clear_drafts(folder.rglob("*"))
        # Whatever can be wrong with a cluster or an encoder shows before the ledger is made, the quicker first.
        if schedule.may_run:
            prepare(f"starting the runner {runner.name}")
            opened.enter_context(runner)
        opened.enter_context(interruptible())  # once more: Ray has set a handler of its own
        materials = schedule.materials(prepare)
        ledger = opened.enter_context(hold.ledger())
        ear = Ear(hold, progress.say)
        opened.enter_context(heartbeat(ledger, progress.say, ear.listen))
        ledger.release("its driver died")
        clear_half_made(study, ledger)
        ledger.attended.forget_stop()
        if settings.retry_failed:
            ledger.reopen_failed()
        has_work = schedule.adopt(ledger)
        if tracker is not None:
            progress.say(f"tracked by {tracker.name}: {tracker.place}")
            sent = Sent(study.tracked_path(tracker.name), tracker.place)
            opened.enter_context(followed(ledger, tracker, sent, progress.say))
        if not has_work:
            return Driven(ledger.coverage(), "")
        ledger.keep_logits(settings.keep_logits, schedule.n_logits())
        measure_yardstick(ledger, schedule.task, prepare)
        keeper, circumstances = Keeper(study, ledger, schedule.task, settings.keep), provenance()
        start = ledger.provenance(circumstances)
        if caution := caution_about(ledger.connection, circumstances):
            progress.say(f"caution: {caution}")
        recorder = Recorder(ledger, start, keeper, materials, progress, ear.stop_asked)
        stages = StageRecorder(ledger, start, progress)
        hold.tell("waiting for the first worker")
        stopped = _run(schedule, runner, materials, Session(ledger, recorder, settings.execution()), stages)
        if ear.wish is not None and not recorder.why_stopped and not schedule.is_done(ledger):
            ledger.attended.note_stop(ear.wish)
            return Driven(ledger.coverage(), ASKED.format(who=ear.wish.who), was_asked=True)
        return Driven(ledger.coverage(), stopped)


def _run(
    schedule: Schedule, runner: Runner, materials: Materials, session: Session, stage_recorder: StageRecorder
) -> str:
    """Run until nothing is left; whatever ends it, no live line and no lease is left behind."""
    ledger, recorder = session.ledger, session.recorder
    try:
        for batch in schedule.batches(session):
            if recorder.stop_wanted():  # since the last batch, or while all was prepared
                return ""
            staged = StagesFirst(batch, session, stage_recorder)
            runner.run(staged.jobs(), materials, staged, alone=batch.alone)
            staged.close()
            if why := recorder.why_stopped:
                ledger.release(f"the {schedule.name} was stopped")
                # The error lies in what all trials share, so the next start tries these again.
                ledger.reopen_failed()
                return why
        return schedule.stopped
    except KeyboardInterrupt:
        ledger.release("interrupted")
        raise
    finally:
        recorder.progress.close()


def measure_yardstick(ledger: Ledger, task: AnyTask, say: Callable[[str], None]) -> None:
    """Measure the cheap reference on the task, unless the ledger has it."""
    name = yardstick_name(task)
    known = ledger.connection.execute("SELECT 1 FROM yardsticks WHERE name LIKE ?", (f"{name}%",)).fetchone()
    if known is None:
        say(f"measuring {name} on the same split")
        ledger.set_yardstick(*tfidf_yardstick(task))


@contextlib.contextmanager
def heartbeat(
    ledger: Ledger, say: Callable[[str], None], listen: Callable[[Ledger], object] = lambda own: None
) -> Iterator[None]:
    """Renew the driver's lease from a thread, with a connection of its own, which ``listen`` is given as often.

    A beat that fails is tried again at the next one: a full disk may get room, a lost one come back.
    """
    is_failing = False

    def beat() -> float | None:
        nonlocal is_failing
        try:
            with ledger.beside() as own:
                own.heartbeat()
                listen(own)
        except StudyLockedError:
            return None  # the driver's next write says so, and ends it
        except (GridSearchError, sqlite3.Error, OSError) as error:
            if not is_failing:
                say(f"the heartbeat cannot write the ledger, and goes on trying: {first_line(error)}")
            is_failing = True
        else:
            if is_failing:
                say("the heartbeat writes the ledger again")
            is_failing = False
        return HEARTBEAT_SECONDS

    with repeated("heartbeat", beat, HEARTBEAT_SECONDS):
        yield
