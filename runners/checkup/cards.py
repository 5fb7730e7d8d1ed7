"""The GPUs that the driver knows of, asked without a context on any; and whether a build of torch runs on them."""

import csv
import shutil
import subprocess
from dataclasses import dataclass

_ASKED = "name,memory.total,memory.free,compute_cap,driver_version"
_SECONDS = 30
"""A driver that sleeps takes some to wake."""


@dataclass(frozen=True)
class Card:
    """One GPU. Memory is None where the driver does not tell (it is the processor's own)."""

    name: str
    memory_bytes: int | None
    memory_free_bytes: int | None
    compute_capability: str
    driver: str


def cards() -> tuple[list[Card], str]:
    """List NVIDIA's GPUs, hidden ones included; and what is wrong with the driver, or nothing."""
    if shutil.which("nvidia-smi") is None:
        return [], ""
    command = ["nvidia-smi", f"--query-gpu={_ASKED}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], str(error)
    if done.returncode:
        return [], " ".join((done.stdout + done.stderr).split())
    rows = csv.reader(done.stdout.splitlines(), skipinitialspace=True)
    return [
        Card(row[0], _mebibytes(row[1]), _mebibytes(row[2]), row[3], row[4])
        for row in rows
        if len(row) == len(_ASKED.split(","))
    ], ""


def _mebibytes(text: str) -> int | None:
    return int(text) * 2**20 if text.isdigit() else None


def runs_on(capability: str, architectures: list[str]) -> bool:
    """Whether torch was built for a GPU: with machine code of its major version, or code that the driver translates.

    >>> runs_on("8.6", ["sm_80", "sm_90"]), runs_on("12.0", ["sm_80", "sm_90"]), runs_on("12.0", ["compute_90"])
    (True, False, True)

    What the driver does not tell is no fault.
    """
    if not capability.replace(".", "", 1).isdigit():
        return True
    major, minor = (int(part) for part in capability.split("."))
    for architecture in architectures:
        kind, _, digits = architecture.partition("_")
        if not digits.isdigit():  # sm_90a: for that one alone, and never the only one
            continue
        its_major, its_minor = int(digits[:-1]), int(digits[-1])
        if kind == "sm" and its_major == major and its_minor <= minor:
            return True
        if kind == "compute" and (its_major, its_minor) <= (major, minor):
            return True
    return False
