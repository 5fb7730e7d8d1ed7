"""Who can reach a run from outside: the Ray that is started for it is heard on this machine alone, and by its token."""

import contextlib
import ipaddress
import os
import subprocess
import sys
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from gridsearch.encoders.load import describe
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.execution import Execution
from gridsearch.training.worker import Job
from gridsearch.trial import Outcome
from runners.backends.processes import ProcessesRunner
from runners.backends.ray_alone import known_to_us_alone
from runners.backends.ray_tune import RayRunner
from runners.contract import Runner
from runners.materials import make_materials
from tests.runners.backends.test_contract import Heard
from tests.runners.conftest import tokens

ASKING = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1]).get_all_node_info()"


def listening() -> list[tuple[str, str, int]]:
    """Return process, address and port of every open socket of the internet that waits for others."""
    own = psutil.Process()
    found: list[tuple[str, str, int]] = []
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended since, and its sockets with it
            found += [
                (process.name(), socket.laddr.ip, socket.laddr.port)
                for socket in process.net_connections("inet")
                if not socket.raddr and socket.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)
            ]
    return found


def is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


class Looking(Heard):
    """Looks at the sockets while workers are at work."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, int]] = []
        self.n_children = 0

    def finished(self, trial_id: str, outcome: Any) -> None:
        super().finished(trial_id, outcome)
        self.seen += listening()
        self.n_children = max(self.n_children, len(psutil.Process().children(recursive=True)))


def looked(runner: Runner, encoder_folder: Path) -> Looking:
    task = load_task(Path("task.toml"))
    space = load_space(Path("question.toml")).with_fixed({"encoder": str(encoder_folder)})
    plan = make_plan(space, task, partial(describe, corpus=task.corpus))
    trials = list(plan.trials.values())[:2]
    looking = Looking()
    runner.run(
        [Job(trial, Execution()) for trial in trials], make_materials(plan, {t.id for t in trials}, str), looking
    )
    assert all(isinstance(outcome, Outcome) for outcome in looking.outcomes.values())
    assert len(looking.outcomes) == 2
    return looking


@pytest.mark.slow  # workers start
def test_processes_open_no_port(project: Path, encoder_folder: Path) -> None:
    before = set(listening())
    with ProcessesRunner(2) as runner:
        looking = looked(runner, encoder_folder)
    assert looking.n_children >= 2
    assert set(looking.seen) <= before


def asked_for_nodes(address: str, **environment: str) -> bool:
    """Say whether Ray's head answers a process with such an environment."""
    others = dict(os.environ.items() - tokens().items())
    command = [sys.executable, "-c", ASKING, address]
    asking = subprocess.run(command, env=others | environment, capture_output=True, text=True, timeout=120, check=False)
    assert asking.returncode == 0 or "AuthenticationError" in asking.stderr or "token" in asking.stderr, asking.stderr
    return asking.returncode == 0


@pytest.mark.slow  # Ray starts, and three more processes that load it
def test_a_ray_of_its_own_is_heard_here_alone_and_by_its_token(
    project: Path, encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    for name in tokens():
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with RayRunner(2, gpus_per_trial=0.0) as runner:
        seen = {*looked(runner, encoder_folder).seen, *listening()}
        assert [one for one in seen if not is_loopback(one[1])] == []
        address = ray.get_runtime_context().gcs_address
        token = os.environ["RAY_AUTH_TOKEN"]
        answers = [
            asked_for_nodes(address, RAY_AUTH_MODE="disabled"),
            asked_for_nodes(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="f" * 64),
            asked_for_nodes(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token),
        ]
        (agent,) = {port for name, _, port in seen if "RuntimeEnv" in name}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{agent}/get_or_create_runtime_env", data=b"", timeout=10)
    assert {"gcs_server", "raylet"} < {name for name, _, _ in seen}
    assert not any(port == 8265 or "dashboard" in name.lower() for name, _, port in seen)
    assert answers == [False, False, True]
    assert not (tmp_path / ".ray").exists(), "what others could read"
    assert not tokens(), "a cluster has a token of its own"


@pytest.mark.parametrize(
    ("given", "within"),
    [
        ({}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": None}),
        ({"RAY_AUTH_TOKEN": "a" * 32}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 32}),
        ({"RAY_AUTH_TOKEN_PATH": "file"}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": "file"}),
        ({"RAY_AUTH_MODE": "disabled"}, {"RAY_AUTH_MODE": "disabled", "RAY_AUTH_TOKEN": None}),
    ],
)
def test_what_the_environment_says_of_the_token_holds(
    given: dict[str, str], within: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in tokens():
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    made = set()
    for _ in range(2):
        with known_to_us_alone():
            found = tokens()
            assert found == {name: found.get(name) if value is None else value for name, value in within.items()}
            assert all(found.values())
            made.add(found.get("RAY_AUTH_TOKEN"))
        assert tokens() == given
    assert len(made) == (2 if None in within.values() else 1), "a new one each time"
