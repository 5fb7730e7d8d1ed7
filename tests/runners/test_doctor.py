"""``gridsearch doctor`` on machines with real faults, and on what the system's files say of others."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.checkup.cards import Card
from runners.checkup.findings import findings
from runners.checkup.folders import examine, filesystem
from runners.checkup.limits import core_quota, memory_limit, thread_limit
from runners.checkup.machine_facts import Machine, machine_facts
from runners.checkup.packages import Torch
from runners.checkup.what_is_used import Used, what_is_used
from runners.cli import main
from runners.commands.doctor import page
from runners.machine import usable_cores
from tests.fixtures_core import slow
from tests.runners.missing_packages import site_without

ROOT = Path(__file__).parents[2]
ROOMY = {
    "memory_available_bytes": 10**12,
    "shared_memory_free_bytes": 10**12,
    "cores_quota": None,
    "open_file_limit": None,
    "thread_limit": None,
    "address_space_limit_bytes": None,
    "encoding": "utf-8",
    "environment": {},
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """This machine, without what may be wrong with it."""
    found = machine_facts(tmp_path_factory.mktemp("studies"))
    folders = {
        name: replace(folder, free_bytes=10**12, disk_bytes=10**12, filesystem="ext4", on_network=False)
        for name, folder in found.folders.items()
    }
    ray = replace(found.ray, folder="/tmp/ray", cluster="")
    return replace(found, folders=folders, ray=ray, cards=[], gpus_for_torch=[], driver_fault="", **ROOMY)


@pytest.fixture(scope="module")
def used() -> Used:
    found = what_is_used()
    assert found is not None
    return found


def sentences(machine: Machine, used: Used | None) -> list[str]:
    return [finding.sentence for finding in findings(machine, used)]


def doctor(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, list[dict[str, Any]]]:
    """Run it here; return its exit code and what it found."""
    code = main(["doctor", "--json", *map(str, words)])
    return code, json.loads(capsys.readouterr().out)["findings"]


def elsewhere(
    folder: Path, *words: str, prepare: Callable[[], None] | None = None, python: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, with other variables, or with limits that ``prepare`` sets."""
    return subprocess.run(
        [sys.executable, *python, "-m", "runners.cli", "doctor", *words],
        capture_output=True, text=True, check=False, cwd=folder, preexec_fn=prepare, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
    )  # fmt: skip


def test_a_healthy_machine(healthy: Machine, used: Used) -> None:
    assert findings(healthy, used) == []
    assert page(healthy, used, []).endswith("What would go wrong\n  Nothing found.")


def test_the_page_and_the_object_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a file").touch()
    study = tmp_path / "a file" / "studies"
    assert main(["doctor", "--study", str(study)]) == 1
    text = " ".join(capsys.readouterr().out.split())
    assert main(["doctor", "--json", "--study", str(study)]) == 1
    facts = json.loads(capsys.readouterr().out)
    machine = facts["machine"]
    stopping = [found["sentence"] for found in facts["findings"] if found["stops"]]
    assert stopping
    assert all(f"stops a sweep: {sentence}." in text for sentence in stopping)
    assert f"cores {machine['cores_allowed']} of {machine['cores']} may be used" in text
    assert f"studies {study} (--study)" in text
    assert f"of {machine['memory_bytes'] / 1e9:.1f} GB shared memory" in text
    assert f"workers {facts['used']['workers']}: " in text
    assert f"{machine['python']}, output" in text
    assert machine["cores_allowed"] == len(usable_cores())
    names = {package["name"] for package in machine["packages"]}
    assert {"torch", "transformers", "ray", "optuna"} <= names


def test_lines_fit_a_terminal(healthy: Machine, used: Used) -> None:
    worn = replace(healthy, memory_available_bytes=10**8, open_file_limit=1, shared_memory_free_bytes=0)
    on_gpus = replace(used, gpus=["NVIDIA H100 80GB HBM3"] * 8, workers=16, gpus_per_trial=0.5)
    for one in (used, None, on_gpus, replace(used, precision_of_wide_encoders="bf16")):
        for line in page(worn, one, findings(worn, one)).splitlines():
            assert len(line) <= 80 or max(map(len, line.split())) > 60


@given(st.data())
def test_more_room_never_makes_anything_worse(healthy: Machine, used: Used, data: st.DataObject) -> None:
    """But for memory itself: of more of it, Ray wants more in /dev/shm."""
    fields = ("shared_memory_free_bytes", "open_file_limit", "thread_limit", "address_space_limit_bytes", "cores_quota")
    drawn = [(name, sorted(data.draw(st.tuples(*[st.integers(1, 2000)] * 2)))) for name in fields]
    little, much = (replace(healthy, **{name: pair[which] for name, pair in drawn}) for which in (0, 1))
    few, many = findings(much, used), findings(little, used)
    assert len(few) <= len(many)
    assert sum(one.stops for one in few) <= sum(one.stops for one in many)
    assert [one.stops for one in many] == sorted((one.stops for one in many), reverse=True)
    assert all(": " in one.sentence and "\n" not in one.sentence for one in many), "each says what to do"


# Folders


def test_a_folder_below_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "file" / "cache"))
    code, found = doctor(capsys, "--study", tmp_path / "file")
    assert code == 1
    stopping = [one["sentence"] for one in found if one["stops"]]
    assert any(one.startswith("the folder of the studies, ") and "is a file" in one for one in stopping)
    assert any(one.startswith("the cache, ") and "set GRIDSEARCH_CACHE" in one for one in stopping)


def test_a_folder_that_the_system_refuses() -> None:
    assert not examine(Path("/proc/studies")).writable  # holds for root, too
    assert examine(Path("/proc/studies")).fault


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    assert examine(tmp_path / "not" / "yet there").writable
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert "a link to nothing" in examine(tmp_path / "link" / "studies").fault


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = tmp_path / "full"
    full.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", full], check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        code, found = doctor(capsys, "--study", full / "study")
    finally:
        subprocess.run(["umount", full], check=True)
    assert code == 1
    assert any(one["stops"] and "full" in one["sentence"].split("(")[-1] for one in found), found
    assert any("studies go to memory (tmpfs)" in one["sentence"] for one in found)


def test_little_room(healthy: Machine, used: Used) -> None:
    for free, stops in ((10**9, False), (10**7, True)):
        folders = healthy.folders | {"cache": replace(healthy.folders["cache"], free_bytes=free)}
        (found,) = findings(replace(healthy, folders=folders), used)
        assert found.stops == stops
        assert "free for the cache" in found.sentence


def test_a_network_disk(tmp_path: Path, healthy: Machine, used: Used) -> None:
    here = tmp_path / "my disk"
    here.mkdir()
    root = tmp_path / "root"
    point = str(here).replace(" ", r"\040")
    written = f"22 1 0:20 / / rw - ext4 /dev/vda rw\n23 22 0:21 / {point} rw shared:1 - nfs4 server:/home rw\n"
    files(root, {"proc/self/mountinfo": written})
    assert filesystem(here, root) == "nfs4"
    assert filesystem(tmp_path, root) == "ext4"
    assert filesystem(here, tmp_path) == "", "a system that does not tell"
    folders = healthy.folders | {"studies": examine(here / "studies", root)}
    (sentence,) = [one for one in sentences(replace(healthy, folders=folders), used) if "network" in one]
    assert "network disk (nfs4)" in sentence


# What a container and a shell allow


def files(root: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


V1 = "9:pids:/box\n5:memory:/box\n4:cpu,cpuacct:/box\n0::/\n"
QUOTAS = {
    "version 2": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
    "version 2, none": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
    "the outer one is tighter": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/cpu.max": "200000 100000",
            "sys/fs/cgroup/a/b/cpu.max": "300000 100000",
        },
        2.0,
    ),
    "a path of the host": ({"proc/self/cgroup": "0::/host/x\n", "sys/fs/cgroup/cpu.max": "50000 100000"}, 0.5),
    "version 1": (
        {
            "proc/self/cgroup": V1,
            "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us": "400000",
            "sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us": "100000",
        },
        4.0,
    ),
    "version 1, none, by its short name": (
        {
            "proc/self/cgroup": V1,
            "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000",
        },
        None,
    ),
    "no groups": ({}, None),
}


@pytest.mark.parametrize(("texts", "expected"), QUOTAS.values(), ids=QUOTAS.keys())
def test_the_cores_of_a_container(tmp_path: Path, texts: dict[str, str], expected: float | None) -> None:
    assert core_quota(files(tmp_path, texts)) == expected


def test_the_memory_and_threads_of_a_container(tmp_path: Path) -> None:
    two = files(
        tmp_path / "2",
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": str(4 * 10**9),
            "sys/fs/cgroup/memory.current": str(3 * 10**9),
            "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {10**9}\n",
            "sys/fs/cgroup/pids.max": "100",
        },
    )
    assert memory_limit(two) == (4 * 10**9, 2 * 10**9)
    assert thread_limit(two) == 100
    one = {
        "proc/self/cgroup": V1,
        "sys/fs/cgroup/memory/box/memory.limit_in_bytes": str(2 * 10**9),
        "sys/fs/cgroup/memory/box/memory.usage_in_bytes": str(10**9),
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",  # none, as version 1 spells it
    }
    assert memory_limit(files(tmp_path / "1", one)) == (2 * 10**9, 10**9)
    assert memory_limit(tmp_path / "none") is None


def test_a_small_container_on_a_large_machine(tmp_path: Path, used: Used) -> None:
    root = files(
        tmp_path,
        {
            "proc/meminfo": "MemTotal: 1000000 kB\nMemAvailable: 900000 kB\n",
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "150000 100000",
            "sys/fs/cgroup/memory.max": str(5 * 10**8),
            "sys/fs/cgroup/pids.max": "100",
        },
    )
    machine, four = machine_facts(tmp_path, root), replace(used, workers=4, gpus=[])
    assert (machine.memory_bytes, machine.memory_available_bytes) == (1_024_000_000, 5 * 10**8)
    found = sentences(replace(machine, gpus_for_torch=[]), four)
    assert any("4 workers would share the time of 1.5 cores" in one and "give --workers 1" in one for one in found)
    assert any("4 workers would share 500.0 MB of memory" in one for one in found)
    assert any(one.startswith("100 threads are allowed, but Ray starts about 256") for one in found)


@pytest.mark.slow  # 5 s
def test_few_open_files(tmp_path: Path) -> None:
    done = elsewhere(tmp_path, prepare=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
    assert done.returncode == 1, done.stderr
    assert "stops a sweep: a process may open 40 files" in done.stdout


# Ray


def test_a_session_file_of_a_ray_that_is_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, healthy: Machine, used: Used
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    root = files(
        tmp_path, {"ray/ray_current_cluster": "10.0.0.1:6379", "proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 9 kB\n"}
    )
    ray = machine_facts(tmp_path, root).ray
    assert (ray.cluster, ray.runs_here) == ("10.0.0.1:6379", False)
    (found,) = findings(replace(healthy, ray=replace(ray, folder="/tmp/ray")), used)
    assert not found.stops
    assert f"{tmp_path}/ray/ray_current_cluster names a Ray at 10.0.0.1:6379" in found.sentence
    ray = machine_facts(tmp_path, files(root, {"proc/77/comm": "raylet\n"})).ray
    assert sentences(replace(healthy, ray=replace(ray, folder="/tmp/ray")), used) == []


def test_a_folder_too_long_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / ("x" * 100)))
    _, found = doctor(capsys, "--study", tmp_path)
    assert not any("too long for its sockets" in one["sentence"] for one in found), "a link leads to it"
    monkeypatch.setattr("runners.backends.ray_folder._SHORT", ("/nowhere",))
    code, found = doctor(capsys, "--study", tmp_path)
    assert code == 1
    assert any(one["stops"] and "too long for its sockets" in one["sentence"] for one in found)


def test_variables_that_mislead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("GRIDSEARCH_DATA", str(tmp_path / "nowhere"))
    _, found = doctor(capsys, "--study", tmp_path)
    told = " ".join(one["sentence"] for one in found if not one["stops"])
    assert "use that one with --address 10.0.0.1:6379" in told
    assert "HF_HUB_OFFLINE is set" in told
    assert f"GRIDSEARCH_DATA names {tmp_path / 'nowhere'}" in told


@pytest.mark.slow  # 4 s
def test_a_terminal_without_utf8(tmp_path: Path) -> None:
    variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    (tmp_path / "库").mkdir()
    done = elsewhere(tmp_path / "库", **variables)
    assert "Traceback" not in done.stderr
    assert "what that cannot spell is printed as numbers: set PYTHONUTF8=1" in " ".join(done.stdout.split())
    assert r"\udce5\udcba\udc93/studies" in " ".join(done.stdout.split()), "the three bytes of a folder's name"


# Packages


@pytest.mark.parametrize(("missing", "is_told"), [slow(("pydantic",), False), (("torch",), True)])
def test_missing_packages(missing: tuple[str, ...], is_told: bool, tmp_path: Path) -> None:
    site = site_without(missing, tmp_path / "site")
    done = elsewhere(tmp_path, "--json", python=("-S",), PYTHONPATH=f"{ROOT}{os.pathsep}{site}")
    assert done.returncode == 1, done.stderr
    facts = json.loads(done.stdout)
    for name in missing:
        assert any(one["stops"] and f"the package {name} is missing" in one["sentence"] for one in facts["findings"])
    assert (facts["used"] is not None) == is_told


@pytest.mark.slow  # 5 s
def test_ray_and_optuna_may_be_missing(tmp_path: Path) -> None:
    site = site_without(("ray", "optuna"), tmp_path / "site")
    done = elsewhere(tmp_path, "--json", python=("-S",), PYTHONPATH=f"{ROOT}{os.pathsep}{site}")
    facts = json.loads(done.stdout)
    assert facts["used"]["runner"] == "processes"
    told = {one["sentence"].partition(":")[0]: one["stops"] for one in facts["findings"]}
    assert told["the package ray is missing, so trials run in processes of this machine alone"] is False
    assert told["the package optuna is missing, so gridsearch optimize cannot run"] is False
    assert not any("Ray's folder" in one["sentence"] for one in facts["findings"])


def test_an_old_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, healthy: Machine, used: Used) -> None:
    files(tmp_path, {"ray-2.40.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: ray\nVersion: 2.40.0\n"})
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = findings(replace(healthy, packages=machine_facts(tmp_path).packages), used)
    assert found.stops
    assert found.sentence == "ray is 2.40.0, but gridsearch needs >=2.50: pip install --upgrade 'ray>=2.50'"


# GPUs

CARD = Card("NVIDIA H100 80GB HBM3", 80 * 10**9, 79 * 10**9, "9.0", "550.54.15")


def test_what_the_driver_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in prints what nvidia-smi does: two cards, one of which shares the processor's memory."""
    script = tmp_path / "nvidia-smi"
    lines = "NVIDIA H100 80GB HBM3, 81559, 81000, 9.0, 550.54.15\nNVIDIA GB10, [N/A], [N/A], 12.1, 580.95.05\n"
    script.write_text(f"#!/bin/sh\ncat <<END\n{lines}END\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    first, second = machine_facts(tmp_path).cards
    assert (first.name, first.memory_bytes, first.compute_capability) == (CARD.name, 81559 * 2**20, "9.0")
    assert (second.memory_bytes, second.driver) == (None, "580.95.05")
    script.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    broken = machine_facts(tmp_path)
    assert (broken.cards, broken.driver_fault) == ([], "NVIDIA-SMI has failed")


def test_a_gpu_that_is_not_used(healthy: Machine, used: Used) -> None:
    seen = replace(healthy, cards=[CARD])
    cuda = Torch("CUDA 12.8", ["sm_90"], "")
    cases = {
        "this torch is built for none": replace(seen, torch=Torch("processors alone", [], "")),
        "CUDA_VISIBLE_DEVICES is ''": replace(seen, torch=cuda, environment={"CUDA_VISIBLE_DEVICES": ""}),
        "update its driver (550.54.15)": replace(seen, torch=cuda),
    }
    for words, machine in cases.items():
        (found,) = findings(machine, used)
        assert not found.stops
        assert words in found.sentence


def test_a_gpu_that_torch_was_not_built_for(healthy: Machine, used: Used) -> None:
    usable = replace(healthy, cards=[CARD], gpus_for_torch=[CARD.name], torch=Torch("CUDA 12.8", ["sm_90"], ""))
    assert findings(usable, used) == []
    (found,) = findings(replace(usable, torch=Torch("CUDA 12.8", ["sm_70", "sm_80"], "")), used)
    assert found.stops
    assert "torch was not built for GPU 0" in found.sentence
    (found,) = findings(replace(usable, cards=[replace(CARD, memory_free_bytes=10**9)]), used)
    assert not found.stops
    assert "has only 1.0 GB of 80.0 GB free" in found.sentence


def test_the_object_holds_every_fact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json", "--study", str(tmp_path)])
    assert json.loads(capsys.readouterr().out)["machine"].keys() == asdict(machine_facts(tmp_path)).keys()
