"""The driver: runs what the ledger lacks, by any runner, and is the only one who writes the ledger."""

import contextlib
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gridsearch.errors import GridSearchError, NotBegunError, StudyLockedError, first_line
from gridsearch.plan.plan import Plan
from gridsearch.study.lease import HEARTBEAT_SECONDS
from gridsearch.study.ledger import Ledger
from gridsearch.study.ledger_size import n_logits
from gridsearch.study.stored_logits import AUTO
from gridsearch.study.study import Study
from gridsearch.study.survey import Coverage
from gridsearch.tasks.task import Task
from gridsearch.tasks.tfidf_yardstick import TFIDF, tfidf_yardstick
from gridsearch.training.execution import Execution
from runners.contract import Runner
from runners.keeper import Keeper
from runners.materials import make_materials
from runners.progress import Progress
from runners.recorder import Recorder
from runners.schedules.rounds import _run_rounds


@dataclass(frozen=True)
class SweepResult:
    """How a sweep ended. ``stopped`` says why it ended before everything was tried, or is empty."""

    coverage: Coverage
    stopped: str


def sweep(
    plan: Plan,
    study: Study,
    runner: Runner,
    *,
    sources: Mapping[str, object],
    provenance: Callable[[], Mapping[str, object]],
    progress: Progress,
    threads: int = 1,
    keep: str = "none",
    keep_logits: str = AUTO,
    retry_failed: bool = False,
    time_limit: float | None = None,
) -> SweepResult:
    """Run every trial of the plan that the study lacks. Running it again is resuming it.

    ``sources`` says how task and model were named, for the commands on the page; ``provenance`` is asked once, after
    the runner has started. Raises RequestError, before anything is written, when the plan is not this study's growth.
    """
    wanted = _not_yet_finished(plan, study, sources)
    # Whatever can be wrong with an encoder or a cluster shows before the study is made or touched.
    materials = make_materials(plan, wanted, progress.say)
    with contextlib.ExitStack() as opened:
        if wanted:
            opened.enter_context(runner)
        ledger = opened.enter_context(study.driven(progress.say))
        opened.enter_context(heartbeat(ledger, progress.say))
        ledger.adopt(plan, sources)
        ledger.release("its driver died")
        if retry_failed:
            ledger.reopen_failed()
        stopped = ""
        if ledger.pending():
            measure_yardstick(ledger, plan.task, progress.say)
            opened.enter_context(terminated_as_interrupted())
            ledger.keep_logits(keep_logits, n_logits(plan))
            keeper = Keeper(study, ledger, plan, keep)
            recorder = Recorder(ledger, ledger.provenance(provenance()), keeper, materials, progress)
            execution = Execution(threads, keep_weights=keep != "none", time_limit=time_limit)
            stopped = _run_rounds(plan, ledger, runner, materials, recorder, execution)
        return SweepResult(ledger.coverage(), stopped)


def _not_yet_finished(plan: Plan, study: Study, sources: Mapping[str, object]) -> set[str]:
    """Return the plan's trials that may have to run; RequestError when the study is about something else."""
    if not study.ledger_path.is_file():
        return set(plan.trials)
    try:
        with study.open() as ledger:
            ledger.refuse_another_study(plan, sources)
            return plan.trials.keys() - {trial_id for trial_id, _ in ledger.dev_scores()}
    except NotBegunError:
        return set(plan.trials)


def measure_yardstick(ledger: Ledger, task: Task, say: Callable[[str], None]) -> None:
    """Measure the cheap reference on the task, unless the ledger has it."""
    known = ledger.connection.execute("SELECT 1 FROM yardsticks WHERE name LIKE ?", (f"{TFIDF}%",)).fetchone()
    if known is None:
        say(f"measuring {TFIDF} on the same split")
        ledger.set_yardstick(*tfidf_yardstick(task))


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Close the ledger on SIGTERM as on Ctrl-C; set after the runner's start, because Ray sets a handler of its own."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def heartbeat(ledger: Ledger, say: Callable[[str], None]) -> Iterator[None]:
    """Renew the driver's lease from a thread, with a connection of its own.

    A beat that fails is tried again at the next one: a full disk may get room, a lost one come back.
    """
    stop = threading.Event()

    def beat() -> None:
        is_failing = False
        while not stop.wait(HEARTBEAT_SECONDS):
            try:
                with ledger.beside() as own:
                    own.heartbeat()
            except StudyLockedError:
                return  # the driver's next write says so, and ends it
            except (GridSearchError, sqlite3.Error, OSError) as error:
                if not is_failing:
                    say(f"the heartbeat cannot write the ledger, and goes on trying: {first_line(error)}")
                is_failing = True
            else:
                if is_failing:
                    say("the heartbeat writes the ledger again")
                is_failing = False

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
