"""Which process, on which kernel: what a killed one left behind can be told from what another one uses."""

import os
import socket
from pathlib import Path


def this_machine() -> str:
    """Name the running kernel: whoever shares it shares its locks. Empty where it has no name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def this_process() -> str:
    """Name this process, for whoever reads what it leaves behind."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def mark() -> str:
    """Return what names this process in a file's name: where its number is one of a process, and that number."""
    return f"{_namespace()}-{os.getpid()}"


def is_dead(maker: str) -> bool:
    """Whether the process of a mark has ended for sure; of one of another machine or container nothing is known."""
    namespace, _, number = maker.partition("-")
    if not this_machine() or namespace != _namespace() or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)  # asks, and sends nothing
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False


def _namespace() -> str:
    """Name the kernel and the namespace within which a process has its number: containers have some of their own."""
    try:
        processes = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        processes = ""
    return f"{this_machine()[:8]}{processes}"
