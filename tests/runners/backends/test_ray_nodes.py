"""Whole sweeps on two nodes of a cluster: all of it gets done, a node is lost, and nodes that share no disk."""

import contextlib
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from gridsearch.cache import cache_folder
from gridsearch.encoders.load import describe
from gridsearch.encoders.pretraining.made import find
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space
from gridsearch.study.study import Study
from gridsearch.tasks.taskfile import load_task
from gridsearch.trial import Epoch
from runners.backends.ray_tune import RayRunner
from runners.backends.serial import SerialRunner
from runners.cli import main
from runners.recorder import Recorder, StageRecorder
from tests.made_once import folder_of_the_run
from tests.runners.driving import sweep
from tests.runners.staging import attempts, numbers, plan_of_space, rows, space_of
from tests.runners.waiting import wait_until

pytestmark = pytest.mark.slow  # a cluster of three nodes to start

STUDY = Study(Path("study"))
NAME_OF_NODE = "NAME_OF_NODE"
NAMES = ("one", "two")
ON_FROM_THE_ENCODER = "".join(
    line
    for line in space_of('"pretraining.steps" = [0, 6]', seeds="[0, 1, 2, 3]").splitlines(keepends=True)
    if not any(knob in line for knob in (".base", ".layers", ".width", ".heads"))
)
"""Half of the trials start from the encoder, and half from what one stage makes of it."""


class Places:
    """Notes at which node each trial and stage begins, by the environment of the process that says it runs it."""

    def __init__(self, patch: pytest.MonkeyPatch, begun: Callable[[int], object] = lambda pid: None) -> None:
        self.trials: dict[str, list[str]] = defaultdict(list)
        self.stages: dict[str, list[str]] = defaultdict(list)
        self.missing: list[str] = []
        for recorder, places in ((Recorder, self.trials), (StageRecorder, self.stages)):
            patch.setattr(recorder, "started", self._noting(recorder.started, places, begun))

    def _noting(self, tell: Any, places: dict[str, list[str]], begun: Callable[[int], object]) -> Any:
        def started(recorder: Any, id_: str, worker: str, resources: Mapping[str, object]) -> None:
            tell(recorder, id_, worker, resources)
            if worker != "unknown":
                pid = int(worker.rpartition(":")[2])
                places[id_].append(psutil.Process(pid).environ()[NAME_OF_NODE])
                begun(pid)

        return started

    def nodes(self) -> set[str]:
        return {node for places in (self.trials, self.stages) for nodes in places.values() for node in nodes}


@pytest.fixture
def plan(project: Path, encoder_folder: Path) -> Plan:
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(encoder_folder)})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


@pytest.fixture
def nodes(cluster: Any) -> dict[str, Any]:
    return {name: cluster.add_node(num_cpus=1, env_vars={NAME_OF_NODE: name}) for name in NAMES}


def run_on(address: str) -> RayRunner:
    return RayRunner(2, gpus_per_trial=0.0, address=address)


def verified(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    return main(["verify", str(STUDY.folder)]), capsys.readouterr().out


def test_both_nodes_work_on_a_sweep(
    plan: Plan,
    cluster: Any,
    nodes: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patch:
        places = Places(patch)
        assert sweep(plan, STUDY, run_on(cluster.address)).coverage.complete
    assert places.nodes() == set(nodes)
    assert verified(capsys) == (0, "complete: 8 planned, 8 finished, 0 failed, 0 pending\n")
    assert rows("SELECT state, count(*) FROM attempts GROUP BY state") == [("finished", 8)]
    sweep(plan, Study(Path("alone")), SerialRunner())
    assert numbers() == numbers("alone"), "the same bits as on one machine"


def test_a_trial_whose_node_is_lost_is_run_again_on_the_other(
    plan: Plan,
    cluster: Any,
    nodes: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = Places(monkeypatch)
    hear, lost = Recorder.epoch, []

    def epoch(recorder: Recorder, trial_id: str, epoch: Epoch) -> None:
        hear(recorder, trial_id, epoch)
        # After the first of two epochs; the next begins when this has returned.
        if not lost and epoch.number == 1:
            lost.append(trial_id)
            cluster.remove_node(nodes[places.trials[trial_id][-1]], allow_graceful=False)

    monkeypatch.setattr(Recorder, "epoch", epoch)
    assert sweep(plan, STUDY, run_on(cluster.address)).coverage.complete
    first, *_, last = places.trials[lost[0]]
    assert first != last
    assert verified(capsys)[0] == 0
    assert rows("SELECT trial, failure_kind FROM attempts WHERE state = 'failed'") == [(lost[0], "lost_worker")]
    assert rows("SELECT count(*), count(DISTINCT trial) FROM attempts WHERE state = 'finished'") == [(8, 8)]


APART = """
mount -t tmpfs none "$1" && mkdir -p "$HOME" && cd "$HOME" && shift && exec "$@"
"""


@contextlib.contextmanager
def node_apart(address: str, name: str, hidden: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a node that has an empty disk of its own where the driver has ``hidden``, and its home and cache there."""
    home = hidden / f"home of {name}"
    environment = {"HOME": home, "XDG_CACHE_HOME": home / "xdg", "GRIDSEARCH_CACHE": home / "cache", NAME_OF_NODE: name}
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--address", address, "--num-cpus", "1", "--block"]
    with subprocess.Popen(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", APART, "sh", str(hidden), *start],
        env=os.environ | {key: str(value) for key, value in environment.items()},
    ) as node:
        try:
            yield node
        finally:
            node.terminate()


def can_unshare() -> bool:
    trying = ["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "none", "/mnt"]
    with contextlib.suppress(OSError):
        return subprocess.run(trying, capture_output=True, check=False).returncode == 0
    return False


@pytest.mark.skipif(not can_unshare(), reason="this user may not mount in a namespace of their own")
def test_nodes_without_the_drivers_disk_are_sent_all_they_read(
    project: Path,
    encoder_folder: Path,
    cluster: Any,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from ray._raylet import GcsClient

    hidden = folder_of_the_run(tmp_path_factory)
    assert all(path.resolve().is_relative_to(hidden) for path in (project, encoder_folder, cache_folder()))
    plan = plan_of_space(encoder_folder, ON_FROM_THE_ENCODER)
    (stage,) = {trial.stage.id for trial in plan.trials.values() if trial.stage is not None}
    seen: list[tuple[str, bool, bool]] = []

    def look(pid: int) -> None:
        """See with the eyes of a worker: its own root, and what it takes for the cache."""
        environment, root = psutil.Process(pid).environ(), Path(f"/proc/{pid}/root")
        own = [Path(environment[name]) for name in ("HOME", "GRIDSEARCH_CACHE")]
        assert all(path.is_relative_to(hidden) for path in own)
        there = [root / path.relative_to("/") for path in (project, encoder_folder, own[1] / "encoders" / stage)]
        seen.append((environment[NAME_OF_NODE], any(path.exists() for path in there[:2]), there[2].exists()))

    with contextlib.ExitStack() as started:
        places = Places(started.enter_context(monkeypatch.context()), look)
        head = GcsClient(address=cluster.address)
        for n_others, name in enumerate(NAMES, start=1):
            node = started.enter_context(node_apart(cluster.address, name, hidden))
            # One after the other: where two start at once on one machine, Ray gives both a socket of the same name.
            wait_until(lambda n=n_others: len(head.get_all_node_info()) > n, node)
        assert find(stage) is None
        assert sweep(plan, STUDY, run_on(cluster.address)).coverage.complete
    assert verified(capsys)[0] == 0
    assert [state for _, state, *_ in attempts()] == ["finished"]
    ((made_at,),) = places.stages.values()
    staged = {id_ for id_, trial in plan.trials.items() if trial.stage is not None}
    (other,) = set(NAMES) - {made_at}
    assert other in {node for id_ in staged for node in places.trials[id_]}, "where it was not made"
    assert not any(sees_the_drivers for _, sees_the_drivers, _ in seen)
    assert not any(has_made for node, _, has_made in seen if node == other), "it came with the job, not from a disk"
    made = find(stage)
    assert made is not None, "what the node made has come back to the driver"
    sweep(plan, Study(Path("alone")), SerialRunner())
    assert numbers() == numbers("alone")
