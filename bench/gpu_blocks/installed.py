"""The machine: the card, the driver, the libraries; and whether the core finds all that it needs."""

import os
import platform
import shutil
import subprocess
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from bench.gpu_blocks.asked import Asked

LIBRARIES = (
    "torch",
    "transformers",
    "accelerate",
    "numpy",
    "pandas",
    "scikit-learn",
    "pydantic",
    "triton",
    "ray",
    "optuna",
)
CORE = (
    "gridsearch.training.worker",
    "gridsearch.study.ledger",
    "runners.cli",
    "runners.commands.sweep",
    "runners.backends.processes",
    "reports.page",
)
CARD = "name,driver_version,memory.total,clocks.sm,clocks.max.sm,power.limit,compute_mode,mig.mode.current"


def answer(asked: Asked) -> None:
    """Look, import, and ask for the card. Raises ImportError for what the core lacks."""
    asked.tell(
        python=platform.python_version(),
        system=platform.platform(),
        cores=len(os.sched_getaffinity(0)),
        versions={name: _version(name) for name in LIBRARIES},
        nvidia_smi=_ask_driver(),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
    )
    begun = time.perf_counter()
    import torch

    asked.tell(import_torch_s=time.perf_counter() - begun, torch_sees_a_gpu=torch.cuda.is_available())
    lacking = {name: error for name in CORE if (error := _lacks(name))}
    asked.tell(import_all_s=time.perf_counter() - begun, lacking=lacking)
    from runners.machine import gpu_ids, gpu_names
    from runners.provenance import describe_run

    asked.tell(run=describe_run(["python", "-m", "bench.gpu"], "processes"))

    asked.tell(gpus_of_the_runners=gpu_names(), gpu_ids=gpu_ids(), cuda=torch.version.cuda)
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        found = torch.cuda.get_device_properties(0)
        asked.tell(
            card=found.name,
            multiprocessors=found.multi_processor_count,
            capability=f"{found.major}.{found.minor}",
            free_gib=free / 2**30,
            total_gib=total / 2**30,
            bf16=torch.cuda.is_bf16_supported(),
        )
        if not gpu_names():
            raise RuntimeError("torch sees a card, and the runners do not: sweeps would train on the CPU")
    if lacking:
        raise ImportError("; ".join(lacking.values()))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _lacks(module: str) -> str:
    try:
        import_module(module)
    except Exception as error:  # a library of another version can raise anything
        return f"{module}: {type(error).__name__}: {error}"
    return ""


def _ask_driver() -> str | None:
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", f"--query-gpu={CARD}", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()
