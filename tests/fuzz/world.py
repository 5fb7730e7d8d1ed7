"""What a case begins with: an encoder, tables, and studies that were run or imported, each made once."""

import contextlib
import io
import os
from pathlib import Path
from random import Random
from typing import Final

from gridsearch.tasks.task import Task
from runners.cli import main
from tests.fuzz import tables
from tests.runners.conftest import make_encoder

SPACE: Final = """
title = "A small question"
[recipe]
epochs = 1
learning_rate = 3e-3
batch_size = 16
max_length = 16
[factors]
bert_adam = [false, true]
frozen_layers = [0, 1]
[design]
seeds = [0, 1]
"""
TASK: Final = """
name = "small"
kind = "single"
metric = "accuracy"
[files]
train = "train.tsv"
dev = "dev.tsv"
[columns]
text = "text"
label = "label"
"""
TABLE: Final = (
    "| lr | seed | dev | result |\n|---|---|---|---|\n| 1 | 1 | 0.5 | 0.6 |\n| 2 | 1 | 0.6 | |\n"
    "| 3 | 2 | 0.4 | **0.7** |\n| 1 | 2 | 0.5 | 0.65 |\n"
)
NOTES: Final = "run 1 fgm 0.1 dev 0.5 0.6\nrun 2 pgd 0.1 dev 0.6\nrun 3 fgm 0.1 dev 0.4 0.7\n"
LOG: Final = "{'loss': 2.0, 'epoch': 1.0}\n{'loss': 1.0, 'epoch': 2.0}\n{'loss': nan, 'epoch': 3.0}\nstep 4 loss: 0.5\n"


def make(task: Task, folder: Path) -> None:
    """Fill a folder with all of it; cases read it from there and copy what they change."""
    (folder / "encoder").mkdir()
    make_encoder(task, folder / "encoder")
    random = Random(0)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for name, n_rows in (("train", 40), ("dev", 12)):
            lines = ("\t".join(map(str, row)) for row in tables.rows(random, n_rows=n_rows))
            Path(f"{name}.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        for name, text in (("space.toml", SPACE), ("task.toml", TASK), ("table.md", TABLE), ("train.log", LOG)):
            Path(name).write_text(text)
        Path("notes.md").write_text(NOTES)
        asked = ["space.toml", "--task", "task.toml", "--model", "encoder"]
        swept = ["--study", "studies/swept", "--runner", "serial", "--keep", "best"]
        for words in (
            ["sweep", *asked, *swept],
            ["import", "table.md", "--score", "dev", "--study", "studies/table"],
            ["import", "train.log", "--curve", "epoch", "--study", "studies/curve"],
        ):
            assert main(words) == 0, words
        for page in Path("studies").glob("*/page.*"):
            os.remove(page)
