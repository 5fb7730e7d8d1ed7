"""What every runner promises, tested on each of them; the serial one is the oracle."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsearch.encoders.load import EncoderWeights, describe
from gridsearch.errors import GridSearchError, RequestError
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space
from gridsearch.stage import LogPoint, StageOutcome
from gridsearch.study.study import Study
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import load_task
from gridsearch.training import frozen_states
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.materials import Materials, OnDemand
from gridsearch.training.worker import Job
from gridsearch.trial import Epoch, Failure, Outcome
from gridsearch.view import view_of
from runners.backends import processes, ray_tune
from runners.backends.processes import ProcessesRunner
from runners.backends.ray_alone import known_to_us_alone
from runners.backends.ray_tune import RayRunner, _trainable
from runners.backends.serial import SerialRunner
from runners.contract import KILLED, Runner
from runners.materials import make_materials, materials_on_demand
from runners.pretrain_here import pretrain_here
from runners.recorder import Recorder
from tests.fixtures_core import some_quick, with_another_word
from tests.runners.conftest import make_project
from tests.runners.driving import sweep

RUNNERS = {
    "serial": SerialRunner,
    "ray": lambda: RayRunner(2, gpus_per_trial=0.0),
    "processes": lambda: ProcessesRunner(2),
}
RAY_SLOWLY = ["serial", pytest.param("ray", marks=pytest.mark.slow), "processes"]
"""Each run of Ray starts workers anew, which takes a quarter of a minute: `make test` looks at a few of them."""


@pytest.fixture(scope="module")
def one_ray() -> Iterator[None]:
    """Start Ray once, with two GPUs that are declared and not there; a runner uses the Ray that it finds."""
    import ray

    with known_to_us_alone():  # Ray would leave in the environment that it asks for a token
        ray.init(address="local", num_cpus=4, num_gpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


class Heard:
    """A listener that remembers."""

    def __init__(self, stop_after: int = 10**9, prune: frozenset[str] = frozenset()) -> None:
        self.events: list[tuple[str, str]] = []
        self.outcomes: dict[str, Any] = {}
        self.failures: dict[str, Failure] = {}
        self.workers: dict[str, str] = {}
        self.resources: dict[str, Mapping[str, object]] = {}
        self.processes: set[int] = set()
        self._stop_after, self._prune = stop_after, prune

    def started(self, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        self.events.append((trial_id, "started"))
        self.workers[trial_id], self.resources[trial_id] = worker, resources
        self.processes.add(os.getpid())

    def epoch(self, trial_id: str, epoch: Epoch) -> None:
        self.events.append((trial_id, f"epoch {epoch.number}"))

    def logged(self, stage_id: str, point: LogPoint) -> None:
        self.events.append((stage_id, f"step {point.step}"))

    def prune_wanted(self, trial_id: str) -> bool:
        return trial_id in self._prune

    def pruned(self, trial_id: str) -> None:
        self.events.append((trial_id, "pruned"))

    def finished(self, trial_id: str, outcome: Outcome | StageOutcome) -> None:
        self.events.append((trial_id, "finished"))
        self.outcomes[trial_id] = outcome

    def failed(self, trial_id: str, failure: Failure) -> None:
        self.events.append((trial_id, "failed"))
        self.failures[trial_id] = failure

    def stop_wanted(self) -> bool:
        return len(self.outcomes) + len(self.failures) >= self._stop_after


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory, docstrings_task: Task, encoder_folder: Path) -> Plan:
    project = make_project(tmp_path_factory.mktemp("contract"), docstrings_task)
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(encoder_folder)})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


@pytest.fixture(scope="module")
def materials(plan: Plan) -> Materials:
    return make_materials(plan, set(plan.trials), lambda text: None)


ORDERS: Mapping[str, Callable[[list[Job]], list[Job]]] = {
    "serial": lambda jobs: jobs,
    "ray": lambda jobs: jobs[::-1],
    "processes": lambda jobs: jobs[2:] + jobs[:2],
}


@pytest.fixture(scope="module")
def runner_of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Runner]]:
    """Return the runner of a name, made once and then used again and again: workers take seconds to start."""
    with contextlib.ExitStack() as stack:

        @cache
        def started(name: str) -> Runner:
            if name == "ray":
                request.getfixturevalue("one_ray")
            return stack.enter_context(RUNNERS[name]())

        yield started


@pytest.fixture(scope="module")
def swept(plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]) -> Callable[[str], Heard]:
    """Return what a runner tells of all trials, each in an order of its own."""

    @cache
    def sweep(name: str) -> Heard:
        heard = Heard()
        runner_of(name).run(ORDERS[name](jobs_of(plan)), materials, heard)
        return heard

    return sweep


def jobs_of(plan: Plan) -> list[Job]:
    return [Job(trial, Execution()) for trial in plan.trials.values()]


def numbers(outcome: Outcome) -> tuple[object, ...]:
    """All of an outcome that is no time and no memory."""
    part = outcome.parts["task"]
    losses = [(epoch.number, epoch.train_loss, json.dumps(epoch.dev, sort_keys=True)) for epoch in outcome.epochs]
    return losses, outcome.chosen_epoch, dict(part.dev), part.dev_logits.tobytes(), outcome.not_learned


@pytest.mark.parametrize("name", RUNNERS)
def test_every_job_runs_once_and_is_told_in_order(name: str, plan: Plan, swept: Callable[[str], Heard]) -> None:
    heard = swept(name)
    for trial_id in plan.trials:
        assert [what for trial, what in heard.events if trial == trial_id] == [
            "started", "epoch 1", "epoch 2", "finished",
        ]  # fmt: skip
    assert heard.processes == {os.getpid()}, "the listener is called in the driver's process"


@pytest.mark.parametrize("name", RAY_SLOWLY[:2])  # the processes runner tells as the serial one does
def test_what_the_listener_raises_is_raised_as_it_was(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    """A full disk, or a lease that is lost: the command says which, and no more trials are begun."""

    class Full(Heard):
        def finished(self, trial_id: str, outcome: Outcome | StageOutcome) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left on device") as raised:
        runner_of(name).run(jobs_of(plan)[:3], materials, Full())
    assert raised.value.errno == errno.ENOSPC


def test_runners_agree_to_the_last_bit_in_any_order_and_on_used_workers(
    plan: Plan, materials: Materials, swept: Callable[[str], Heard]
) -> None:
    heard = {name: swept(name) for name in RUNNERS} | {"serial again": Heard()}
    jobs = jobs_of(plan)
    with SerialRunner() as runner:
        runner.run(jobs[3:] + jobs[:3], materials, heard["serial again"])
    expected = {trial_id: numbers(outcome) for trial_id, outcome in heard["serial"].outcomes.items()}
    for other in ("ray", "processes", "serial again"):
        assert {trial_id: numbers(outcome) for trial_id, outcome in heard[other].outcomes.items()} == expected
    assert len({str(numbers) for numbers in expected.values()}) == len(plan.trials), "eight different cells"
    for name in ("ray", "processes"):
        assert len(set(heard[name].workers.values())) == 2, "two warm workers ran all eight trials"


@pytest.mark.parametrize("name", RAY_SLOWLY)
def test_a_worker_that_has_read_another_task_knows_nothing_of_it(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    """The other task differs by one word, and has the same ids once words that do not occur are left out."""
    job = next(job for job in jobs_of(plan) if job.work.recipe.frozen_layers)
    other = replace(materials, data=OnDemand(lambda view: with_another_word(materials.data[view])))
    frozen_states.forget()
    expected = finetune(job.work, other.data_of(job.work), materials.encoder_of(job.work))
    before, after = Heard(), Heard()
    runner_of(name).run([job], materials, before)
    runner_of(name).run([job], other, after)
    assert name == "ray" or before.workers == after.workers, "the same worker has read both"
    (first,), (second,) = before.outcomes.values(), after.outcomes.values()
    assert numbers(second) == numbers(expected) != numbers(first)


@pytest.mark.parametrize("name", some_quick(RUNNERS, 0))
def test_a_failure_is_told_and_the_worker_goes_on(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    jobs = jobs_of(plan)[:3]
    broken = replace(jobs[1].work, encoder="unknown")
    jobs[1] = Job(broken, Execution())
    heard = Heard()
    runner_of(name).run(jobs, materials, heard, alone=True)
    assert set(heard.failures) == {broken.id}
    assert heard.failures[broken.id].kind == "code_error"
    assert "KeyError" in heard.failures[broken.id].message
    assert len(heard.outcomes) == len(jobs) - 1
    assert len(set(heard.workers.values())) == 1


@pytest.mark.parametrize("name", some_quick(RUNNERS, 0))
def test_nothing_more_begins_when_a_stop_is_wanted(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    heard = Heard(stop_after=2)
    runner_of(name).run(jobs_of(plan), materials, heard)
    assert 2 <= len(heard.outcomes) < len(plan.trials)


@pytest.mark.parametrize("name", some_quick(RUNNERS, 0))
def test_a_runner_runs_several_times(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner], swept: Callable[[str], Heard]
) -> None:
    first, again = swept(name), Heard()
    jobs = jobs_of(plan)[:2]
    runner_of(name).run(jobs, materials, again, alone=True)
    assert {id_: numbers(outcome) for id_, outcome in again.outcomes.items()} == {
        job.id: numbers(first.outcomes[job.id]) for job in jobs
    }
    started = [what for _, what in again.events]
    assert started == ["started", "epoch 1", "epoch 2", "finished"] * 2, "one after the other"


@pytest.mark.usefixtures("one_ray")
@pytest.mark.slow  # two more workers of Ray; that shares are counted is tested in test_prices
def test_shares_of_a_gpu(plan: Plan, materials: Materials) -> None:
    import ray

    heard = Heard()
    with RayRunner(gpus_per_trial=0.5) as runner:
        runner.run(jobs_of(plan), materials, heard)
    assert ray.is_initialized(), "a Ray that was there before is left running"
    assert len(heard.outcomes) == len(plan.trials)
    for resources in heard.resources.values():
        assert resources["gpus"] == 0.5
        assert len(resources["gpu_ids"]) == 1
    assert {resources["gpu_ids"][0] for resources in heard.resources.values()} == {"0", "1"}


@pytest.mark.usefixtures("one_ray")
def test_more_of_a_gpu_than_there_is_is_refused() -> None:
    with (
        pytest.raises(RequestError, match="--gpus-per-trial 3 needs a GPU, but Ray sees 2"),
        RayRunner(gpus_per_trial=3),
    ):
        pass


class Killer(Heard):
    """Kills the worker of the first trial that starts."""

    def started(self, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        super().started(trial_id, worker, resources)
        if len(self.workers) == 1:
            os.kill(int(worker.split(":")[1]), signal.SIGKILL)


@pytest.mark.parametrize("name", RAY_SLOWLY[1:])
def test_a_worker_killed_by_the_system_is_told_so(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    heard = Killer()
    runner_of(name).run(jobs_of(plan)[:3], materials, heard)
    assert [failure.kind for failure in heard.failures.values()] == ["killed"]
    assert [failure.message for failure in heard.failures.values()] == [KILLED]
    assert len(heard.outcomes) == 2


@pytest.mark.slow  # workers are started anew, three times; tests/runners/test_driver.py has the ladder
@pytest.mark.parametrize("name", RAY_SLOWLY[1:])
def test_a_killed_trial_is_tried_alone_and_then_in_smaller_batches(
    name: str, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in earnest, twice; the others are not kept waiting, and the ledger says how it was done at last."""
    plan = replace(plan, cells=plan.cells[:3])
    victim = plan.in_running_order(plan.trials)[0].id
    begin, n_killed = Recorder.started, 0

    def started(self: Recorder, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        nonlocal n_killed
        begin(self, trial_id, worker, resources)
        if trial_id == victim and n_killed < 2:
            n_killed += 1
            os.kill(int(worker.split(":")[1]), signal.SIGKILL)

    monkeypatch.setattr(Recorder, "started", started)
    result = sweep(plan, Study(tmp_path / "study"), RUNNERS[name]())
    assert str(result.coverage) == "complete: 3 planned, 3 finished, 0 failed, 0 pending"
    with Study(tmp_path / "study").open() as ledger:
        rows = ledger.connection.execute("SELECT * FROM attempts ORDER BY id").fetchall()
        assert ledger.execution(victim)["micro_batch_divisor"] == 2
    assert [row["failure_kind"] for row in rows if row["trial"] == victim] == ["killed", "killed", None]
    assert [row["trial"] for row in rows][-2:] == [victim, victim]


@pytest.mark.parametrize("name", RAY_SLOWLY)
def test_a_time_limit_ends_the_slow_one_and_the_others_finish(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    slow, *others = jobs_of(plan)[:3]
    recipe = slow.work.recipe.model_copy(update={"epochs": 10**6})
    endless = Job(replace(slow.work, id="endless", recipe=recipe), Execution(time_limit=1.0))
    heard = Heard()
    runner_of(name).run([endless, *others], materials, heard)
    assert heard.failures == {"endless": Failure("time_limit", "not finished within 1s, its --time-limit")}
    assert set(heard.outcomes) == {job.id for job in others}


class Hanging:
    """Data that a worker never comes back from reading; not even another thread of it runs meanwhile."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("import ctypes; ctypes.PyDLL(None).sleep(1000)",)


@pytest.mark.parametrize("name", RAY_SLOWLY[1:])
def test_a_worker_that_hangs_is_ended_at_its_limit(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_tune, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.5)
    first, *others = jobs_of(plan)[:3]
    trial = replace(first.work, id="hung", recipe=first.work.recipe.model_copy(update={"max_length": 23}))
    hanging: Any = Hanging()
    with_hanging = replace(
        materials, data=OnDemand(lambda piece: hanging if piece == view_of(trial).tokens else materials.data[piece])
    )
    heard = Heard()
    runner_of(name).run([Job(trial, Execution(time_limit=0.5)), *others], with_hanging, heard)
    assert heard.failures == {"hung": Failure("time_limit", "not finished within 0.5s, its --time-limit")}
    assert set(heard.outcomes) == {job.id for job in others}


RAYS_WORDS = {
    "killed": """Failure # 1 (occurred at 2026-11-28_03-00-00)
The actor died unexpectedly before finishing this task.
	class_name: TrialActor
	pid: 8061
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker \
unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) the process was killed \
by the OOM killer due to high memory usage, (2) ray stop --force was called, or (3) the worker crashed""",
    "out_of_memory": """Failure # 1 (occurred at 2026-11-28_03-00-00)
1 worker(s) were killed due to the node running low on memory. Memory on the node (IP: 192.0.2.2, ID: 66a8) was 4.27GB \
used / 23.54GB limit (0.181406)
OOM kill reason: Memory usage 4547895296B exceeded threshold of 252765136B (1.0% of 25276514304B limit)""",
    "lost_worker": """Failure # 1 (occurred at 2026-11-28_03-00-00)
The actor died unexpectedly before finishing this task.
	class_name: TrialActor
The actor died because its node has died. Node Id: 0123456789abcdef""",
}
"""What Ray 2.60 writes when a worker dies of SIGKILL (or of any signal, without a word), when its memory monitor ends
one, and when a node is lost; shortened."""


@pytest.mark.parametrize("kind", RAYS_WORDS)
def test_rays_words_are_read(kind: str) -> None:
    failure = ray_tune.lost(RAYS_WORDS[kind].replace("\\\n", ""))
    assert failure.kind == kind
    assert not any(character.isdigit() for character in failure.message), "trials that die alike say the same"
    if kind == "lost_worker":
        assert failure.message == "The actor died because its node has died"


@pytest.mark.parametrize("name", some_quick(RUNNERS, 0))
def test_a_trial_ends_after_the_epoch_that_is_its_last_one_wanted(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner], swept: Callable[[str], Heard]
) -> None:
    jobs = jobs_of(plan)[:3]
    pruned, *others = (job.id for job in jobs)
    heard = Heard(prune=frozenset([pruned]))
    runner_of(name).run(jobs, materials, heard)
    assert [what for trial, what in heard.events if trial == pruned] == ["started", "epoch 1", "pruned"]
    assert set(heard.outcomes) == set(others)
    whole = swept("serial").outcomes
    assert all(numbers(heard.outcomes[trial]) == numbers(whole[trial]) for trial in others)


class Taking:
    """Feeds, and what they see whenever a job is taken: how many run then, and what has ended."""

    def __init__(self, heard: Heard, jobs: list[Job]) -> None:
        self._heard, self._jobs = heard, jobs
        self.running: list[int] = []
        self.ended: list[set[str]] = []

    def one_by_one(self) -> Iterator[Job | None]:
        """Name each job when those before it have ended, and none until then."""
        for number, job in enumerate(self._jobs):
            while len(self._ended_now()) < number:
                yield None
            yield self._take(job)

    def then_none(self) -> Iterator[Job | None]:
        """Name all jobs, and then say for ever that there is none for now."""
        for job in self._jobs:
            yield self._take(job)
        while True:
            yield None

    def _take(self, job: Job) -> Job:
        self.ended.append(self._ended_now())
        self.running.append(len(self.ended) - len(self.ended[-1]))
        return job

    def _ended_now(self) -> set[str]:
        return set(self._heard.outcomes) | set(self._heard.failures)


@pytest.mark.parametrize("name", RAY_SLOWLY)
def test_a_job_may_wait_for_another_to_end_and_its_encoder_be_made_then(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    """As that of a pretraining: there is none before another job has ended, and perhaps never."""
    before, waiting, after = jobs_of(plan)[:3]
    without = Job(replace(waiting.work, id="without", encoder="never made"), Execution())
    waiting = Job(replace(waiting.work, encoder="made later"), Execution())
    encoder = materials.encoder_of(before.work)
    heard = Heard()

    def made(identity: str) -> EncoderWeights:
        assert identity == before.work.encoder or before.id in heard.outcomes
        if identity == "never made":
            raise GridSearchError("its pretraining has failed")
        return encoder

    lazy = Materials(OnDemand(made), OnDemand(lambda piece: materials.data[view_of(before.work).tokens]))
    jobs = [before, without, waiting, after]
    taking = Taking(heard, jobs)
    runner_of(name).run(taking.one_by_one(), lazy, heard)
    ids = [job.id for job in jobs]
    assert taking.ended == [set(ids[:number]) for number in range(len(ids))]
    assert {trial_id: (failure.kind, failure.message) for trial_id, failure in heard.failures.items()} == {
        "without": ("bad_data", "GridSearchError: its pretraining has failed")
    }
    assert set(heard.outcomes) == set(ids) - {"without"}
    whole = finetune(waiting.work, lazy.data_of(waiting.work), encoder)
    assert numbers(heard.outcomes[waiting.id]) == numbers(whole)


@pytest.mark.parametrize("name", RAY_SLOWLY)
def test_a_stage_runs_as_trials_do_and_its_trial_after_it(
    name: str,
    plan: Plan,
    encoder_folder: Path,
    runner_of: Callable[[str], Runner],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A stage of its own for each runner: what one has made is there for all.
    knobs = {"objective": "mlm_label", "steps": 3, "batch_size": 8, "max_length": 16}
    knobs["seed"] = list(RUNNERS).index(name)
    space = plan.space.with_fixed({f"pretraining.{knob}": value for knob, value in knobs.items()})
    pretrained = make_plan(space, plan.task, partial(describe, corpus=plan.task.corpus))
    trial = next(iter(pretrained.trials.values()))
    stage = trial.stage
    assert stage is not None
    materials = materials_on_demand(plan.task, pretrained.cards, lambda text: None)
    heard = Heard()
    jobs = [Job(stage, Execution()), Job(trial, Execution())]
    runner_of(name).run(Taking(heard, jobs).one_by_one(), materials, heard)
    told = [what for job, what in heard.events if job == stage.id]
    assert told == ["started", "step 1", "step 2", "step 3", "finished"]
    assert heard.events[-1] == (trial.id, "finished")
    made = heard.outcomes[stage.id]
    assert isinstance(made, StageOutcome)
    assert not made.found
    whole = finetune(trial, materials.data_of(trial), materials.encoder_of(trial))
    assert numbers(heard.outcomes[trial.id]) == numbers(whole)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    again = pretrain_here(stage, materials, Execution(), lambda point: None)
    assert (made.checksum, [point.loss for point in made.log]) == (again.checksum, [point.loss for point in again.log])
    assert made.zero_shot
    assert made.zero_shot == again.zero_shot


@pytest.mark.parametrize(
    ("name", "places"), [("serial", 1), ("processes", 2), pytest.param("ray", 2, marks=pytest.mark.slow)]
)
def test_a_job_is_taken_when_there_is_a_place_for_it_and_with_none_left_to_run_it_ends(
    name: str, places: int, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    jobs = jobs_of(plan)[:5]
    heard, nothing = Heard(), Heard()
    taking = Taking(heard, jobs)
    runner_of(name).run(taking.then_none(), materials, heard)
    assert len(heard.outcomes) == len(jobs)
    assert max(taking.running) == places
    runner_of(name).run(Taking(nothing, []).then_none(), materials, nothing)
    assert nothing.events == []


@pytest.mark.parametrize("name", RAY_SLOWLY)
def test_no_job_is_taken_when_a_stop_is_wanted(
    name: str, plan: Plan, materials: Materials, runner_of: Callable[[str], Runner]
) -> None:
    """Also where the end that makes it wanted is what the next job has waited for."""
    heard = Heard(stop_after=1)
    taking = Taking(heard, jobs_of(plan)[:2])
    runner_of(name).run(taking.one_by_one(), materials, heard)
    assert len(taking.ended) == len(heard.outcomes) == 1


@pytest.mark.slow  # new workers for each count of cores
def test_each_process_has_its_cores_and_what_they_read_is_shared(plan: Plan, materials: Materials) -> None:
    heard = Heard()
    with ProcessesRunner(2) as runner:
        runner.run(jobs_of(plan)[:4], materials, heard)
        shared = [
            Path(f"/proc/{worker.split(':')[1]}/maps").read_text().count("/memfd:gridsearch")
            for worker in set(heard.workers.values())
        ]
        cores = {worker: os.sched_getaffinity(int(worker.split(":")[1])) for worker in heard.workers.values()}
    assert shared == [2, 2], "the encoder and the encoded task, mapped by both"
    for trial_id, worker in heard.workers.items():
        assert set(heard.resources[trial_id]["cores"]) == cores[worker]
    if len(os.sched_getaffinity(0)) > 1:
        assert set.intersection(*cores.values()) == set()
    assert not any(Path(f"/proc/{worker.split(':')[1]}").exists() for worker in cores), "leaving ends them"


WITHOUT_THE_DRIVER = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("runners", "reports", "search_spaces"):
            raise ImportError(f"{name} is not on this node")
sys.meta_path.insert(0, Refuse())
from ray import cloudpickle
with open(sys.argv[1], "rb") as file:
    print(cloudpickle.load(file).__name__)
"""


@pytest.mark.slow  # a new process imports all that a node does
def test_a_node_needs_the_package_gridsearch_only(tmp_path: Path) -> None:
    from ray import cloudpickle

    path = tmp_path / "trainable.pickle"
    path.write_bytes(cloudpickle.dumps(_trainable()))
    command = [sys.executable, "-c", WITHOUT_THE_DRIVER, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "TrialActor", done.stderr


def test_a_read_only_materials_is_enough(plan: Plan) -> None:
    """The object store hands out arrays that cannot be written; a trial must not need to."""
    materials = make_materials(plan, set(plan.trials), lambda text: None)
    job, *_ = jobs_of(plan)
    for array in materials.encoder_of(job.work).state.values():
        assert isinstance(array, np.ndarray)
        array.setflags(write=False)
    heard = Heard()
    with SerialRunner() as runner:
        runner.run([job], materials, heard)
    assert len(heard.outcomes) == 1
