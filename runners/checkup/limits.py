"""The limits that container and shell set a process: time of cores, memory, threads, open files.

Control groups are read as the kernel documents them (Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst). A group
has no more than those that it lies in, so the tightest limit of all of them holds.
"""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")
NO_LIMIT = 2**60
"""Version 1 writes a number above this where there is no limit."""


def core_quota(root: Path = ROOT) -> float | None:
    """Return how many cores' time the container may take; None without a limit."""
    quotas = [
        quota / period
        for group in _groups("cpu", root)
        if (quota := _number(group / "cpu.max") or _number(group / "cpu.cfs_quota_us"))
        and (period := _number(group / "cpu.max", 1) or _number(group / "cpu.cfs_period_us"))
    ]
    return min(quotas, default=None)


def memory_limit(root: Path = ROOT) -> tuple[int, int] | None:
    """Return the bytes that the container may have, and those of them that are free; None without a limit."""
    limits = [
        (limit, max(0, limit - _used(group)))
        for group in _groups("memory", root)
        if (limit := _number(group / "memory.max") or _number(group / "memory.limit_in_bytes"))
    ]
    if not limits:
        return None
    return min(limit for limit, _ in limits), min(free for _, free in limits)


def thread_limit(root: Path = ROOT) -> int | None:
    """Return how many threads the container, or this user, may have at a time; None without a limit."""
    limits = [limit for group in _groups("pids", root) if (limit := _number(group / "pids.max"))]
    # The kernel does not hold root to its own limit.
    if os.geteuid() and (own := _hard_or_soft(resource.RLIMIT_NPROC, is_hard=False)) is not None:
        limits.append(own)
    return min(limits, default=None)


def open_file_limit() -> int | None:
    """Return how many files a process may open; the hard limit: Ray raises the soft one to it."""
    return _hard_or_soft(resource.RLIMIT_NOFILE, is_hard=True)


def address_space_limit() -> int | None:
    """Return the bytes of addresses that a process may have (``ulimit -v``); None without a limit."""
    return _hard_or_soft(resource.RLIMIT_AS, is_hard=False)


def _hard_or_soft(what: int, *, is_hard: bool) -> int | None:
    limit = resource.getrlimit(what)[is_hard]
    return None if limit == resource.RLIM_INFINITY else limit


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """Yield the folders of this process's group and of those that it lies in, innermost first.

    Inside a container the path may be the host's, and not be there: the container's own group is then the mount itself.
    """
    top = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        for mount in (top / controllers, top / controller) if controllers else (top, top / "unified"):
            inner = mount / path.lstrip("/")
            yield from (group for group in (inner, *inner.parents) if group.is_relative_to(mount) and group.is_dir())


def _used(group: Path) -> int:
    """Count the bytes that a group holds, without what the kernel would drop from its page cache first."""
    held = _number(group / "memory.current") or _number(group / "memory.usage_in_bytes") or 0
    try:
        facts = dict(line.split() for line in (group / "memory.stat").read_text(encoding="utf-8").splitlines())
    except OSError:
        return held
    return held - int(facts.get("total_inactive_file", facts.get("inactive_file", 0)))


def _number(file: Path, position: int = 0) -> int | None:
    """Read a number of a file; None where there is no file, no number, or one that means "no limit"."""
    try:
        number = int(file.read_text(encoding="utf-8").split()[position])
    except (OSError, ValueError, IndexError):
        return None
    return number if 0 < number < NO_LIMIT else None
