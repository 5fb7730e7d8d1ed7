"""Where a pretraining got: a file in the machine's cache, so that an attempt that is killed is not lost."""

import contextlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gridsearch.cache import cache_folder
from gridsearch.errors import safe_name
from gridsearch.whole_file import whole_file


@dataclass(frozen=True)
class RunState:
    """All that the steps to come depend on, and the log so far.

    ``weights`` by the model's names, ``updates`` as the optimizer and the averages tell it, ``progress`` in numbers and
    a tensor, ``log`` by the fields of each point.
    """

    weights: dict[str, Tensor]
    updates: dict[str, Any]
    progress: dict[str, Any]
    log: list[dict[str, Any]]

    @property
    def n_taken(self) -> int:
        """Steps that were taken."""
        return int(self.updates["n_taken"])


def state_file(run: str) -> Path:
    """Return where the state of a run lies."""
    return cache_folder() / "pretraining" / f"{safe_name(run)}.pt"


def save_state(run: str, state: RunState) -> None:
    """Write a state in place of the one before. A disk that is full costs the run its safety, and nothing else."""
    place = state_file(run)
    with contextlib.suppress(OSError, RuntimeError):  # torch's writer tells of a full disk by the latter
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(place) as draft:
            torch.save(vars(state), draft)


def load_state(run: str) -> RunState | None:
    """Read a state; None where there is none, or one that cannot be read: then the run begins anew."""
    place = state_file(run)
    for leftover in place.parent.glob(f"{place.name}.*.part"):  # of attempts that were killed
        with contextlib.suppress(OSError):
            leftover.unlink()
    if not place.is_file():
        return None
    try:
        # torch writes checksums of what it puts into the archive, and does not look at them when it reads.
        with zipfile.ZipFile(place) as archive:
            if archive.testzip() is not None:
                raise zipfile.BadZipFile
        return RunState(**torch.load(place, map_location="cpu", weights_only=True))
    except Exception:  # a damaged file can fail in any of three libraries
        forget_state(run)
        return None


def forget_state(run: str) -> None:
    """Remove the state of a run that has come to its end."""
    with contextlib.suppress(OSError):
        state_file(run).unlink()
