"""This machine: its processor, the cores that this process may use, and its GPUs."""

import os
import platform
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")
ON_A_GPU = ("/dev/nvidiactl", "/dev/kfd")
"""Where neither of these is there, no library has to be asked for a GPU."""

WORKERS_MEMORY = {
    "GLIBC_TUNABLES": ":".join(
        f"glibc.malloc.{name}"
        for name in ("hugetlb=1", "arena_max=1", f"mmap_threshold={2**30}", f"trim_threshold={2**32}")
    )
}
"""What workers are started with, unless the user has set it: memory that a step gives back is kept for the next one.

Otherwise it is asked of the system again and again, page by page: a tenth of a small encoder's training, in workers of
Ray. C libraries other than glibc ignore it.
"""


def processor() -> str:
    """Name the processor as the system does."""
    try:
        lines = CPU_FACTS.read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def processor_flags() -> set[str]:
    """Return what the processor can do, by the words of the system."""
    return set(CPU_FACTS.read_text(encoding="utf-8").split()) if CPU_FACTS.is_file() else set()


def multiplies_bf16() -> bool:
    """Whether the processor multiplies matrices of bfloat16 by itself: with AMX."""
    return "amx_bf16" in processor_flags()


def usable_cores() -> list[int]:
    """Number the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def gpu_names() -> tuple[str, ...]:
    """Name the GPUs that trials can use."""
    if not any(Path(file).exists() for file in ON_A_GPU):
        return ()
    import torch

    if not torch.cuda.is_available():
        return ()
    return tuple(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))


def gpu_ids() -> list[str]:
    """List the same GPUs by what CUDA_VISIBLE_DEVICES calls them."""
    n_gpus, visible = len(gpu_names()), os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[:n_gpus] if visible else [str(number) for number in range(n_gpus)]
