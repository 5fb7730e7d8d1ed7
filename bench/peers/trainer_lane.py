"""Cells of a grid one after the other in one warm process, as fast as Trainer's options make it: one of several lanes.

    python -m bench.peers.trainer_lane --cells JSON --claims FOLDER --model FOLDER --data FOLDER --output_dir FOLDER ...

Each lane takes the next cell that no lane has taken, until none is left. The rows are tokenised once a lane.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import HfArgumentParser, TrainerCallback

from bench.peers.training import Arguments, make_trainer

TIMES = "times.jsonl"
"""What the lanes append to in the claims' folder: a line a cell, its times on the clock of ``time.time``."""


@dataclass
class LaneArguments(Arguments):
    """The arguments of a lane; ``cells`` is JSON, a list of pairs: a cell's number and its hyperparameters."""

    cells: str = "[]"
    claims: str = ""


class Clock(TrainerCallback):
    """When training began, and when its epoch's last step was done."""

    def __init__(self) -> None:
        self.begun = self.trained = 0.0

    def on_train_begin(self, *arguments: Any, **more: Any) -> None:
        """Note the first step's time."""
        self.begun = _now()

    def on_epoch_end(self, *arguments: Any, **more: Any) -> None:
        """Note the last step's time: dev is judged afterwards."""
        self.trained = _now()


def main() -> None:
    """Run what is left of the cells."""
    (arguments,) = HfArgumentParser(LaneArguments).parse_args_into_dataclasses()
    torch.set_num_threads(1)
    claims = Path(arguments.claims)
    trainer, clock = None, Clock()
    for number, cell in json.loads(arguments.cells):
        if not _is_mine(claims / f"cell-{number}"):
            continue
        begun = time.time()
        for name, value in cell.items():
            setattr(arguments, name, value)
        if trainer is None:
            trainer = make_trainer(
                arguments, padding=False, frozen_layers=lambda trial: arguments.frozen_layers, callbacks=[clock]
            )
        trainer.train()  # a model of its own for each cell: there is a model_init
        dev = [entry[f"eval_{arguments.metric}"] for entry in trainer.state.log_history if "eval_loss" in entry]
        line = {
            "cell": number,
            "lane": os.getpid(),
            "device": trainer.args.device.type,
            "is_frozen": bool(cell["frozen_layers"]),
            "begun": begun,
            "training": clock.begun,
            "trained": clock.trained,
            "ended": _now(),
            "dev": max(dev),
            "peak_bytes": torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None,
        }
        with (claims / TIMES).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _is_mine(claim: Path) -> bool:
    """Take a cell, unless another lane has."""
    try:
        os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.time()


if __name__ == "__main__":
    main()
