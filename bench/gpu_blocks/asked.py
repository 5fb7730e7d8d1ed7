"""The order that a block is handed: where it works, how long it may take, and where it leaves what it finds."""

import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

Size = TypeVar("Size")


@dataclass
class Asked:
    """One block's surroundings. ``module`` has its ``answer``.

    ``scratch`` is shared by all blocks and thrown away; ``carried`` holds the data rows. ``answers`` is a file of JSON
    lines that all blocks append to, so that a killed block leaves what it has measured. ``ends_at`` is on the clock of
    ``time.monotonic``, which all processes of a machine share.
    """

    block: str
    module: str
    scratch: Path
    carried: Path
    answers: Path
    is_rehearsal: bool
    ends_at: float

    @cached_property
    def device(self) -> "torch.device":
        """Where it computes: on the first GPU, in a rehearsal on the CPU."""
        import torch

        return torch.device("cpu" if self.is_rehearsal else "cuda")

    def size(self, on_a_card: Size, rehearsed: Size) -> Size:
        """Choose how large something is."""
        return rehearsed if self.is_rehearsal else on_a_card

    def seconds_left(self) -> float:
        """Return for how long the block may go on."""
        return self.ends_at - time.monotonic()

    def tell(self, **found: object) -> None:
        """Leave what was found, at once. A name that is told twice has the later value."""
        self._append({"found": found})

    def add(self, table: str, **row: object) -> None:
        """Leave one row of a table."""
        self._append({"table": table, "row": row})

    def fail(self, error: str) -> None:
        """Leave why there are no further answers."""
        self._append({"error": error})

    def _append(self, line: dict[str, object]) -> None:
        with self.answers.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"block": self.block, **line}, ensure_ascii=False, default=str) + "\n")


def wait_for(device: "torch.device") -> float:
    """Let the device do all that it was asked; return the clock."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
