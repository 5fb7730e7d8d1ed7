"""From the facts to what would go wrong: each finding is one sentence, with what to do."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runners.backends.ray_folder import bytes_too_many
from runners.checkup.cards import runs_on
from runners.checkup.folders import IN_MEMORY
from runners.checkup.machine_facts import Machine
from runners.checkup.packages import PROCESSORS
from runners.checkup.what_is_used import Used
from runners.sizes import spell_size

LEAST_DISK_BYTES, LITTLE_DISK_BYTES = 10**8, 2 * 10**9
WORKER_BYTES = 10**9
"""What a worker with a small encoder takes: 0.3 GB as soon as torch is loaded."""
STORE_SHARE, STORE_BYTES = 0.3, 10**10
"""Ray's object store: its share of the available memory, and how much of that it wants at most in /dev/shm."""
FULL_SHARE = 0.95
"""Ray writes no objects to a disk that is fuller."""

WAYS_OUT = {
    "studies": "name another folder with --study",
    "cache": "set GRIDSEARCH_CACHE to a folder that can be written",
    "temporary": "set TMPDIR to a folder that can be written",
    "ray": "set RAY_TMPDIR to a folder that can be written",
}
CALLED = {
    "studies": "the folder of the studies",
    "cache": "the cache",
    "temporary": "the temporary folder",
    "ray": "Ray's folder",
}

WITHOUT = {"ray": "trials run in processes of this machine alone", "optuna": "gridsearch optimize cannot run"}
"""Packages that a sweep does without, and what then is otherwise."""


@dataclass(frozen=True)
class Finding:
    """Something that would go wrong; ``stops``: a sweep with the defaults fails of it."""

    stops: bool
    sentence: str


def findings(machine: Machine, used: Used | None) -> list[Finding]:
    """Say what would go wrong, what stops a sweep first."""
    n_workers = used.workers if used else machine.cores_allowed
    with_ray = used is None or used.runner == "ray"
    found = [
        *_packages(machine),
        *_folders(machine),
        *(_limits_of_ray(machine, n_workers) if with_ray else []),
        *_limits(machine),
        *_gpus(machine),
        *_cores_and_memory(machine, n_workers * (used.threads_per_trial if used else 1), n_workers),
        *(_ray(machine) if with_ray else []),
        *_environment(machine),
    ]
    return sorted(found, key=lambda finding: not finding.stops)


def _packages(machine: Machine) -> Iterator[Finding]:
    if not machine.packages:
        yield Finding(False, "gridsearch is not installed, so versions were not compared: pip install . in its folder")
    for package in machine.packages:
        wanted = f"pip install --upgrade '{package.name}{package.needs}'"
        if not package.version:
            so = f", so {WITHOUT[package.name]}" if package.name in WITHOUT else ""
            yield Finding(not so, f"the package {package.name} is missing{so}: {wanted}")
        elif not package.suits:
            needs = f"gridsearch needs {package.needs}"
            yield Finding(True, f"{package.name} is {package.version}, but {needs}: {wanted}")
    if machine.torch.fault and all(package.version for package in machine.packages if package.name == "torch"):
        yield Finding(True, f"torch cannot be imported ({machine.torch.fault}): install the build for this machine")


def _folders(machine: Machine) -> Iterator[Finding]:
    for name, folder in machine.folders.items():
        if not folder.writable:
            yield Finding(True, f"{CALLED[name]}, {folder.path}, cannot be written ({folder.fault}): {WAYS_OUT[name]}")
        elif folder.free_bytes < LITTLE_DISK_BYTES:
            room = f"only {spell_size(folder.free_bytes)} are free for {CALLED[name]}, {folder.path}"
            way_out = WAYS_OUT[name].replace("that can be written", "with more room")
            yield Finding(folder.free_bytes < LEAST_DISK_BYTES, f"{room}: make room, or {way_out}")
        elif name == "ray" and folder.free_bytes < (1 - FULL_SHARE) * folder.disk_bytes:
            full = f"the disk of {folder.path} is more than {FULL_SHARE:.0%} full"
            yield Finding(False, f"{full}, and Ray writes no objects there: make room, or set RAY_TMPDIR")
    studies = machine.folders["studies"]
    if studies.on_network:
        what = f"studies go to a network disk ({studies.filesystem}), where SQLite's locks may be slow or do nothing"
        yield Finding(
            False, f"{what}: drive a study from one machine only, or name a folder on a local disk with --study"
        )
    if studies.filesystem in IN_MEMORY:
        what = f"studies go to memory ({studies.filesystem}) and are lost with it"
        yield Finding(False, f"{what}: name a folder on a disk with --study")


def _limits_of_ray(machine: Machine, n_workers: int) -> Iterator[Finding]:
    # Measured with Ray 2.60: its busiest process had 55 files open with 2 workers, 85 with 12; all of them together
    # 205 threads with 2, 438 with 12. One thread a trial.
    files, threads = 50 + 3 * n_workers, 160 + 24 * n_workers
    if machine.open_file_limit is not None and machine.open_file_limit < files:
        has = f"a process may open {machine.open_file_limit} files, but Ray needs about {files}"
        yield Finding(True, f"{has} with {n_workers} workers: raise the hard limit (ulimit -Hn)")
    if machine.thread_limit is not None and machine.thread_limit < threads:
        has = f"{machine.thread_limit} threads are allowed, but Ray starts about {threads}"
        yield Finding(
            True, f"{has} with {n_workers} workers: raise the limit (ulimit -u, docker's --pids-limit), or take fewer"
        )


def _limits(machine: Machine) -> Iterator[Finding]:
    if machine.address_space_limit_bytes is not None:
        has = f"a process may have {spell_size(machine.address_space_limit_bytes)} of addresses (ulimit -v)"
        yield Finding(
            False, f"{has}, and Ray and torch reserve far more than they use: lift it with ulimit -v unlimited"
        )


def _gpus(machine: Machine) -> Iterator[Finding]:
    if machine.driver_fault and not machine.gpus_for_torch:
        yield Finding(
            False, f"nvidia-smi names no GPU ({machine.driver_fault}), so trials run on cores: see to its driver"
        )
    if machine.cards and not machine.gpus_for_torch and not machine.torch.fault:
        yield Finding(
            False, f"trials run on cores though there is a GPU ({machine.cards[0].name}): {_why_none(machine)}"
        )
    for number, card in enumerate(machine.cards):
        if card.name not in machine.gpus_for_torch:
            continue
        if not runs_on(card.compute_capability, machine.torch.architectures):
            needs = f"compute capability {card.compute_capability}"
            yield Finding(
                True, f"torch was not built for GPU {number}, {card.name} ({needs}): install a build that was"
            )
        if card.memory_bytes and card.memory_free_bytes is not None and card.memory_free_bytes < card.memory_bytes / 2:
            free = f"{spell_size(card.memory_free_bytes)} of {spell_size(card.memory_bytes)}"
            yield Finding(False, f"GPU {number}, {card.name}, has only {free} free: end what else runs there")


def _why_none(machine: Machine) -> str:
    visible = machine.environment.get("CUDA_VISIBLE_DEVICES")
    if machine.torch.built_for == PROCESSORS:
        return "this torch is built for none, install the build for CUDA"
    if visible is not None:
        return f"CUDA_VISIBLE_DEVICES is {visible!r}, unset it to use them"
    return f"torch ({machine.torch.built_for}) cannot use it, update its driver ({machine.cards[0].driver})"


def _cores_and_memory(machine: Machine, n_threads: int, n_workers: int) -> Iterator[Finding]:
    if machine.cores_quota is not None and machine.cores_quota < n_threads and not machine.gpus_for_torch:
        share = (
            f"{n_workers} workers would share the time of {machine.cores_quota:g} cores, all that this container has"
        )
        yield Finding(False, f"{share}: give --workers {max(1, int(machine.cores_quota))}")
    if machine.memory_available_bytes < n_workers * WORKER_BYTES:
        share = f"{n_workers} workers would share {spell_size(machine.memory_available_bytes)} of memory"
        fewer = max(1, machine.memory_available_bytes // WORKER_BYTES)
        way_out = f"give --workers {fewer}" if fewer < n_workers else "free some"
        yield Finding(False, f"{share}, and each takes {spell_size(WORKER_BYTES)} or more: {way_out}")


def _ray(machine: Machine) -> Iterator[Finding]:
    if (excess := bytes_too_many(Path(machine.ray.folder))) > 0 and not machine.ray.short_place:
        too_long = f"Ray's folder, {machine.ray.folder}, is {excess} bytes too long for its sockets"
        yield Finding(True, f"{too_long}, and no link to it can be made in /tmp: set RAY_TMPDIR to a shorter one")
    store = min(STORE_SHARE * machine.memory_available_bytes, STORE_BYTES)
    if machine.shared_memory_free_bytes < store:
        has = f"/dev/shm has {spell_size(machine.shared_memory_free_bytes)} free and Ray wants {spell_size(int(store))}"
        yield Finding(False, f"{has}, so it keeps what workers share on a disk: give the container a --shm-size")
    if machine.ray.cluster and not machine.ray.runs_here:
        stale = f"{machine.ray.session_file} names a Ray at {machine.ray.cluster}, and none runs on this machine"
        yield Finding(False, f"{stale}: gridsearch starts its own, remove the file for the sake of other programs")
    if address := machine.environment.get("RAY_ADDRESS"):
        yield Finding(
            False, f"RAY_ADDRESS is set, but a sweep starts its own Ray: use that one with --address {address}"
        )


def _environment(machine: Machine) -> Iterator[Finding]:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if machine.environment.get(name, "").upper() in ("1", "ON", "YES", "TRUE"):
            held = ", ".join(machine.models) or "none"
            yield Finding(
                False, f"{name} is set, so only models that are stored can be used ({held}): unset it for more"
            )
    if (data := machine.environment.get("GRIDSEARCH_DATA")) and not Path(data).is_dir():
        yield Finding(False, f"GRIDSEARCH_DATA names {data}, where there is no folder: set it to the one of your data")
    if codecs.lookup(machine.encoding).name != "utf-8":
        output = f"output is written as {machine.encoding}, so what that cannot spell is printed as numbers"
        yield Finding(False, f"{output}: set PYTHONUTF8=1, or LC_ALL=C.UTF-8")
