"""Workers that die, hang or run out of memory, in earnest: what each is called, and that the others go on."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gridsearch.encoders.load import describe
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space
from gridsearch.study.study import Study
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Materials
from gridsearch.training.worker import Job
from runners.backends import processes
from runners.backends.processes import ProcessesRunner
from runners.materials import make_materials
from tests.runners.backends.test_contract import Heard
from tests.runners.driving import sweep
from tests.runners.faults import at_fault, hungry, seed_of
from tests.runners.waiting import state_of

pytestmark = pytest.mark.slow  # all start workers anew; test_contract.py tries one of each end of a worker


@pytest.fixture
def plan(project: Path, encoder_folder: Path) -> Plan:
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(encoder_folder), "epochs": 1})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


@pytest.fixture
def materials(plan: Plan) -> Materials:
    return make_materials(plan, set(plan.trials), lambda text: None)


@pytest.fixture(scope="module")
def one_worker() -> Iterator[ProcessesRunner]:
    """Return a runner that all share: of a worker that has died, the next one starts at once."""
    with ProcessesRunner(1, what=at_fault) as runner:
        yield runner


@pytest.fixture(scope="module")
def two_workers() -> Iterator[ProcessesRunner]:
    with ProcessesRunner(2, what=at_fault) as runner:
        yield runner


def jobs_of(plan: Plan, *faults: str, time_limit: float | None = None) -> list[Job]:
    """Return a job that goes wrong for each fault, and behind each of them one that does not."""
    trials = list(plan.trials.values())
    jobs = []
    for fault, trial in zip(faults, trials, strict=False):
        broken = replace(trial, id=fault, seed=seed_of(fault))
        jobs += [Job(broken, Execution(time_limit=time_limit)), Job(trial, Execution())]
    return jobs


def kinds(heard: Heard) -> dict[str, str]:
    return {trial_id: failure.kind for trial_id, failure in heard.failures.items()}


def test_each_death_has_its_kind_and_the_place_goes_on(
    plan: Plan, materials: Materials, one_worker: ProcessesRunner
) -> None:
    expected = {
        "killed": "killed",
        "crashed": "lost_worker",
        "exited": "lost_worker",
        "no memory for torch": "out_of_memory",
        "no memory for Python": "out_of_memory",
        "cannot be sent": "code_error",
        "device assert": "lost_worker",
    }
    heard = Heard()
    one_worker.run(jobs_of(plan, *expected), materials, heard)
    assert kinds(heard) == expected
    assert len(heard.outcomes) == len(expected), "and the trials between them finish"
    assert heard.failures["crashed"].message == "the worker died (SIGSEGV)"
    assert heard.failures["exited"].message == "the worker died (exit code 3)"
    trials = list(plan.trials)
    assert heard.workers[trials[3]] == heard.workers[trials[4]] == heard.workers[trials[5]], "no process was lost"
    assert heard.failures["device assert"].message == "RuntimeError: CUDA error: device-side assert triggered"
    assert heard.workers[trials[6]] != heard.workers["device assert"], "its device cannot be used by that process"


class Waiting(Heard):
    """A driver that is busy until the first worker is in this state of /proc."""

    def __init__(self, state: str) -> None:
        super().__init__()
        self._state = state

    def started(self, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        super().started(trial_id, worker, resources)
        if len(self.workers) == 2:
            process = int(next(iter(self.workers.values())).split(":")[1])
            while state_of(process) != self._state:
                time.sleep(0.05)


@pytest.mark.parametrize(
    ("fault", "state", "kind"), [("killed while sending", "Z", "killed"), ("stopped while sending", "T", "time_limit")]
)
def test_half_an_outcome_is_none(
    fault: str,
    state: str,
    kind: str,
    plan: Plan,
    materials: Materials,
    two_workers: ProcessesRunner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The driver reads what there is of a message and waits for the rest, which never comes."""
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.5)
    heard = Waiting(state)
    two_workers.run(jobs_of(plan, fault, time_limit=1.0), materials, heard)
    assert kinds(heard) == {fault: kind}
    assert len(heard.outcomes) == 1


@pytest.mark.parametrize(
    "hangs",
    [
        ("hangs in C", "stopped"),
        ("hangs in a lock", "hangs in Python"),
    ],
    ids=" and ".join,
)
def test_a_worker_that_never_comes_back_is_ended_at_its_limit(
    hangs: tuple[str, ...],
    plan: Plan,
    materials: Materials,
    one_worker: ProcessesRunner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.5)
    heard = Heard()
    one_worker.run(jobs_of(plan, *hangs, time_limit=0.5), materials, heard)
    assert kinds(heard) == dict.fromkeys(hangs, "time_limit")
    assert {failure.message for failure in heard.failures.values()} == {"not finished within 0.5s, its --time-limit"}
    assert len(heard.outcomes) == len(hangs)


def test_a_limit_that_is_kept_ends_nobody(
    plan: Plan, materials: Materials, one_worker: ProcessesRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No thread of an earlier trial ends the worker under a later one."""
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.0)
    heard = Heard()
    jobs = [Job(trial, Execution(time_limit=600.0)) for trial in plan.trials.values()]
    one_worker.run(jobs[:3], materials, heard)
    assert len(heard.outcomes) == 3
    assert len(set(heard.workers.values())) == 1


def test_what_does_not_fit_is_run_in_smaller_batches(plan: Plan, tmp_path: Path) -> None:
    """A process with no more memory than so much: whole and half batches fail, a quarter fits."""
    with_one = replace(plan, cells=plan.cells[:1])
    runner = ProcessesRunner(2, what=hungry)
    result = sweep(with_one, Study(tmp_path / "study"), runner)
    assert result.coverage.complete
    with Study(tmp_path / "study").open() as ledger:
        assert {ledger.execution(trial)["micro_batch_divisor"] for trial in with_one.trials} == {4}
        assert {tuple(ledger.failures(trial)) for trial in with_one.trials} == {("out_of_memory",) * 3}


def test_alone_is_alone_and_in_a_new_process(plan: Plan, materials: Materials, two_workers: ProcessesRunner) -> None:
    """A warm worker keeps the memory of its last trial, and the system ends workers before the driver."""
    heard = Heard()
    jobs = [Job(trial, Execution()) for trial in plan.trials.values()]

    class Looking(Heard):
        def epoch(self, trial_id: str, epoch: object) -> None:
            here = {worker: Path(f"/proc/{worker.split(':')[1]}") for worker in heard.workers.values()}
            assert not any(folder.exists() for folder in here.values())
            pid = self.workers[trial_id].split(":")[1]
            assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"

    two_workers.run(jobs[:2], materials, heard)
    two_workers.run(jobs[2:4], materials, alone := Looking(), alone=True)
    assert len(heard.outcomes) == len(alone.outcomes) == 2
    assert len(set(alone.workers.values())) == 1


def test_a_worker_killed_between_two_jobs_costs_none_of_them(
    plan: Plan, materials: Materials, one_worker: ProcessesRunner
) -> None:
    class Killing(Heard):
        def finished(self, trial_id: str, outcome: object) -> None:
            super().finished(trial_id, outcome)
            process = int(self.workers[trial_id].split(":")[1])
            os.kill(process, signal.SIGKILL)
            # It is gone when its last thread is: until then it can be handed a job, and loses it.
            while len(os.listdir(f"/proc/{process}/task")) > 1 or state_of(process) != "Z":
                time.sleep(0.01)

    heard = Killing()
    one_worker.run([Job(trial, Execution()) for trial in plan.trials.values()][:2], materials, heard)
    assert not heard.failures
    assert len(heard.outcomes) == 2
