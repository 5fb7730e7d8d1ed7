"""The workload of every system: the same cells on the same rows, from the same encoder."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gridsearch.encoders.files import minilm_folder
from gridsearch.encoders.tiny.tiny import build
from gridsearch.encoders.tiny.weights import TinyRecipe
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.splits import sample_rows
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import load_task
from runners.machine import multiplies_bf16
from search_spaces import find_task

N_DEV_ROWS_MOST = 2000
CELL_COUNTS = (1, 2, 4, 8, 16)
PRECISION = "bf16" if multiplies_bf16() else "fp32"
"""Of every system: a processor without products of bfloat16 takes many times as long in it."""
SMALL128 = TinyRecipe(
    hidden_width=128,
    n_heads=2,
    intermediate_width=512,
    n_positions=64,
    n_tokens_most=6000,
    n_texts_most=45_000,
    embedding_std=0.02,
    n_steps_most=0,
)

NAMES = {"warmup_proportion": "warm", "weight_decay": "decay", "bert_adam": "bertadam", "frozen_layers": "frozen"}
"""Knobs of the grid to what they are called in a table; the slowest-varying first."""


@dataclass(frozen=True)
class Setting:
    """An encoder with its task: the name of one, how many of its training rows, and what suits the encoder."""

    task: str
    n_rows: int
    max_length: int
    learning_rate: float
    n_frozen: int  # half of its layers


SETTINGS = {
    "minilm": Setting("sst2", 4000, max_length=64, learning_rate=1e-4, n_frozen=3),
    "small128": Setting("thucnews10", 8000, max_length=44, learning_rate=5e-4, n_frozen=6),
}


@dataclass(frozen=True)
class Workload:
    """A task, an encoder, a recipe and a grid, all of whose files lie in ``folder``.

    ``grid`` maps knobs to levels, the slowest-varying first; its cells are numbered from 1.
    """

    folder: Path
    encoder: Path
    task: str
    metric: str
    n_train_rows: int
    n_dev_rows: int
    recipe: Recipe
    grid: Mapping[str, tuple[Any, ...]]

    @property
    def trainers_grid(self) -> dict[str, list[Any]]:
        """The grid in the words of the Hugging Face Trainer, which counts the steps of a warm-up."""
        levels = {name: list(values) for name, values in self.grid.items()}
        shares = levels.pop("warmup_proportion")
        steps = [
            self.recipe.model_copy(update={"warmup_proportion": one}).warmup_steps(self.n_train_rows) for one in shares
        ]
        return {"warmup_steps": steps, **levels}

    @cached_property
    def trainers_cells(self) -> list[dict[str, Any]]:
        """The cells in the same words, in the order of their numbers."""
        grid = self.trainers_grid
        return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]

    @property
    def cell_names(self) -> dict[int, str]:
        """The cells by number, named by the knobs that are on."""
        switches = itertools.product(
            *([(NAMES[name], bool(one)) for one in levels] for name, levels in self.grid.items())
        )
        return {
            number: " ".join(name for name, is_on in switch if is_on) or "plain"
            for number, switch in enumerate(switches, start=1)
        }

    @property
    def space_text(self) -> str:
        """The same question as a space."""
        recipe = self.recipe
        fixed = ("epochs", "learning_rate", "batch_size", "max_length", "pooling", "clip_norm", "precision")
        return "\n".join(
            [
                "[recipe]",
                *(f"{name} = {json.dumps(getattr(recipe, name))}" for name in fixed),
                "[factors]",
                *(f"{name} = {json.dumps(levels)}" for name, levels in self.grid.items()),
            ]
        )


def make_workload(
    name: str, task: str, folder: Path, data_dir: Path | None, n_rows: int, n_epochs: int, n_cells: int
) -> Workload:
    """Write the rows and the encoder of one setting into a folder. Raises RequestError where either is missing."""
    setting = SETTINGS[name]
    whole = load_task(find_task(task), data_dir)
    train = sample_rows(whole.train, n_rows, seed=0)
    dev = sample_rows(whole.dev, min(n_rows, N_DEV_ROWS_MOST), seed=0)
    write_task(folder, task, whole, train, dev)
    if name == "minilm":
        encoder = minilm_folder()
    else:
        encoder = folder / "encoder"
        encoder.mkdir()
        build(whole.corpus, SMALL128, encoder, lambda sentence: None)
    recipe = Recipe(
        epochs=n_epochs,
        learning_rate=setting.learning_rate,
        batch_size=32,
        max_length=setting.max_length,
        pooling="pooler",
        clip_norm=1.0,
        precision=PRECISION,
    )
    workload = Workload(
        folder, encoder, task, whole.metric, len(train), len(dev), recipe, grid_of(n_cells, setting.n_frozen)
    )
    (folder / "space.toml").write_text(workload.space_text, encoding="utf-8")
    return workload


def write_task(folder: Path, name: str, whole: Task, train: Split, dev: Split) -> None:
    """Write these rows of a task and the TOML that reads them: what ours and the peers are given."""
    for part, split in (("train", train), ("dev", dev)):
        _write_rows(folder / f"{part}.jsonl", split, whole.label_names)
    labels = json.dumps(whole.label_names, ensure_ascii=False)
    (folder / "task.toml").write_text(
        f'name = "{name}"\nkind = "single"\nmetric = "{whole.metric}"\n'
        '[files]\ntrain = "train.jsonl"\ndev = "dev.jsonl"\n'
        f'[columns]\ntext = "text"\nlabel = "label"\n[labels]\nnames = {labels}\n',
        encoding="utf-8",
    )


def grid_of(n_cells: int, n_frozen: int) -> dict[str, tuple[Any, ...]]:
    """Return the factors, of which the slowest-varying are held at their first level where fewer cells are wanted."""
    factors: dict[str, tuple[Any, ...]] = {
        "warmup_proportion": (0.0, 0.1),
        "weight_decay": (0.0, 0.01),
        "bert_adam": (False, True),
        "frozen_layers": (0, n_frozen),
    }
    n_varied = CELL_COUNTS.index(n_cells)
    n_held = len(factors) - n_varied
    return {name: levels[:1] if number < n_held else levels for number, (name, levels) in enumerate(factors.items())}


def _write_rows(path: Path, split: Split, label_names: tuple[str, ...]) -> None:
    assert split.labels is not None
    with path.open("w", encoding="utf-8") as file:
        for text, label in zip(split.texts, split.labels, strict=True):
            file.write(json.dumps({"text": text, "label": label_names[label]}, ensure_ascii=False) + "\n")
