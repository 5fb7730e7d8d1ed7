"""A machine as a sweep meets it: told by the system itself, and nothing by the network."""

import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gridsearch.cache import cache_folder
from runners.backends.ray_folder import ray_folder, short_place
from runners.checkup.cards import Card, cards
from runners.checkup.folders import Folder, examine
from runners.checkup.limits import address_space_limit, core_quota, memory_limit, open_file_limit, thread_limit
from runners.checkup.packages import Package, Torch, packages, torch_build
from runners.machine import gpu_names, processor, processor_flags, usable_cores

VARIABLES = (
    *("CUDA_VISIBLE_DEVICES", "GRIDSEARCH_CACHE", "GRIDSEARCH_DATA", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE"),
    *("OMP_NUM_THREADS", "RAY_ADDRESS", "RAY_TMPDIR", "TMPDIR", "TRANSFORMERS_OFFLINE"),
)
INSTRUCTIONS = ("amx_bf16", "avx512_bf16")


@dataclass(frozen=True)
class Ray:
    """Where Ray keeps its sessions, the cluster that its session file names, and whether a Ray runs on this machine.

    ``short_place`` is where a link may lead to a folder whose path is too long for sockets; empty: nowhere.
    """

    folder: str
    session_file: str
    cluster: str
    runs_here: bool
    short_place: str


@dataclass(frozen=True)
class Machine:
    """All that was found. None: there is no such limit. ``cores_quota``: cores' time that a container may take."""

    system: str
    python: str
    encoding: str
    processor: str
    instructions: list[str]
    cores: int
    cores_allowed: int
    cores_quota: float | None
    memory_bytes: int
    memory_limit_bytes: int | None
    memory_available_bytes: int
    shared_memory_bytes: int
    shared_memory_free_bytes: int
    address_space_limit_bytes: int | None
    open_file_limit: int | None
    thread_limit: int | None
    folders: dict[str, Folder]
    cards: list[Card]
    driver_fault: str
    gpus_for_torch: list[str]
    torch: Torch
    packages: list[Package]
    ray: Ray
    models: list[str]
    environment: dict[str, str]


def machine_facts(studies: Path, root: Path = Path("/")) -> Machine:
    """Look around; ``studies`` is the folder that studies go to, ``root`` where the system's own files are."""
    known_cards, driver_fault = cards()
    torch = torch_build()
    ray = _ray(root)
    memory, available = _memory(root)
    limit = memory_limit(root)
    shared = shutil.disk_usage("/dev/shm") if os.path.isdir("/dev/shm") else None
    places = {
        "studies": studies,
        "cache": cache_folder(),
        "temporary": _temporary(),
        "ray": Path(ray.folder),
    }
    return Machine(
        system=platform.platform(),
        python=platform.python_version(),
        encoding=sys.stdout.encoding or sys.getdefaultencoding(),
        processor=processor(),
        instructions=sorted(processor_flags() & set(INSTRUCTIONS)),
        cores=os.cpu_count() or 1,
        cores_allowed=len(usable_cores()),
        cores_quota=core_quota(root),
        memory_bytes=memory,
        memory_limit_bytes=limit and limit[0],
        memory_available_bytes=min(available, limit[1]) if limit else available,
        shared_memory_bytes=shared.total if shared else 0,
        shared_memory_free_bytes=shared.free if shared else 0,
        address_space_limit_bytes=address_space_limit(),
        open_file_limit=open_file_limit(),
        thread_limit=thread_limit(root),
        folders={name: examine(place, root) for name, place in places.items()},
        cards=known_cards,
        driver_fault=driver_fault,
        gpus_for_torch=[] if torch.fault else list(gpu_names()),
        torch=torch,
        packages=packages(),
        ray=ray,
        models=_stored_models(),
        environment={name: os.environ[name] for name in VARIABLES if name in os.environ},
    )


def _temporary() -> Path:
    """Return the folder that Python takes for what is temporary; where it finds none, the one that it should be."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Path(os.environ.get("TMPDIR") or "/tmp")


def _memory(root: Path) -> tuple[int, int]:
    """Return the bytes that the machine has, and those that can be had without swapping."""
    lines = (root / "proc/meminfo").read_text(encoding="utf-8").splitlines()
    facts = {name: int(rest.split()[0]) * 1024 for name, rest in (line.split(":", 1) for line in lines)}
    return facts["MemTotal"], facts["MemAvailable"]


def _ray(root: Path) -> Ray:
    """Find Ray's folder by its own rule, which is not imported: Ray may be what is missing."""
    folder = ray_folder()
    file = folder / "ray_current_cluster"
    try:
        cluster = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        cluster = ""
    runs_here = any(map(_is_of_ray, (root / "proc").glob("[0-9]*/comm")))
    return Ray(str(folder), str(file), cluster, runs_here, short_place())


def _is_of_ray(name: Path) -> bool:
    try:
        return name.read_text(encoding="utf-8", errors="replace").strip() in ("raylet", "gcs_server")
    except OSError:  # it has ended since
        return False


def _stored_models() -> list[str]:
    """Name the models that the cache of Hugging Face holds."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
    except ImportError:
        return []
    try:
        stored = [folder.name for folder in Path(HF_HUB_CACHE).glob("models--*") if any(folder.glob("snapshots/*"))]
    except OSError:
        return []
    return sorted(name.removeprefix("models--").replace("--", "/") for name in stored)
