"""Rows of the ledger's tables: what is written into them, and what is read out of them."""

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gridsearch.canonical import canonical_json
from gridsearch.planning.plan import PlannedCell
from gridsearch.recipe.augmentation_knobs import augmentation_of
from gridsearch.recipe.knob import NO_NEUTRAL
from gridsearch.recipe.recipe import Recipe, knobs, parse_recipe
from gridsearch.repetition import Division
from gridsearch.space.factor import ROW
from gridsearch.stage import Stage
from gridsearch.study.stages import insert_stages
from gridsearch.study.stored_logits import array_bytes, bytes_array
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.target import Target
from gridsearch.trial import Epoch, Trial

if TYPE_CHECKING:
    import numpy


def labels_of(task: AnyTask) -> Iterator[tuple[str, str, bytes]]:
    """Yield (split, part, .npy bytes) of what the rows hold that outcomes are about."""
    import numpy as np

    for part, one in task.parts.items():
        for name, split in (("dev", one.judged), ("test", one.test)):
            truth = None if split is None else one.truth(split)
            if truth is not None:
                yield name, part, array_bytes(truth.astype(np.int32) if one.labels_are == "class" else truth)


def folds_of(task: AnyTask) -> Iterator[tuple[str, bytes]]:
    """Yield (part, .npy bytes) of the fold of each row, where rows are divided."""
    import numpy as np

    for part, one in task.parts.items():
        if one.folds is not None:
            yield part, array_bytes(np.array(one.folds.of_rows, dtype=np.int8))


def same_folds(known: "Mapping[str, numpy.ndarray | None]", task: AnyTask) -> bool:
    """Tell whether a ledger has the same fold for each row, part by part."""
    asked = {part: bytes_array(data) for part, data in folds_of(task)}
    return known.keys() == asked.keys() and all((known[part] == asked[part]).all() for part in asked)


def dev_after(train_loss: float | None, dev: str, selected: Target) -> float | None:
    """Return the target of an epoch as it is kept; None where its numbers were not finite."""
    try:
        value = selected.of(json.loads(dev))
    except KeyError:
        return None
    return value if train_loss is not None and math.isfinite(value) else None


def spell_levels(levels: Mapping[str, str], row: str = "") -> str:
    """Keep the factors' order, which canonical JSON would sort away; a list's name of the row goes before them."""
    return json.dumps(({ROW: row} if row else {}) | dict(levels), ensure_ascii=False)


def read_recipe(text: str, trial_id: str) -> Recipe:
    """Read the recipe of a trial. Knobs that are younger than it are neutral in it: its id was made without them."""
    neutral = {name: knob.neutral for name, knob in knobs().items() if knob.neutral is not NO_NEUTRAL}
    return parse_recipe(neutral | json.loads(text), f"the recipe of trial {trial_id[:8]}")


def read_trial(row: sqlite3.Row, stage: Stage | None, division: Mapping[str, Any] | None) -> Trial:
    """Read a trial, given the stage that makes its encoder and the division of its study's rows, as it is kept."""
    recipe = read_recipe(row["recipe"], row["id"])
    divided = None if division is None else Division(**division)
    if stage is not None and recipe.pretraining.reads_added_pairs:
        stage = replace(stage, augmentation=augmentation_of(recipe))
    return Trial(row["id"], recipe, row["seed"], row["fold"], row["task"], row["encoder"], stage, divided)


def insert_cells(write: sqlite3.Connection, cells: Iterable[PlannedCell]) -> None:
    """Write cells with their trials, and the stages that these start from."""
    for cell in cells:
        insert_stages(write, [trial.stage for trial in cell.trials if trial.stage is not None])
        write.executemany(
            "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(t.id, canonical_json(t.recipe.model_dump()), t.seed, t.fold, t.task, t.encoder) for t in cell.trials],
        )
        recipe, dead = canonical_json(cell.recipe.model_dump()), canonical_json(cell.dead)
        levels = spell_levels(cell.levels, cell.row)
        write.execute("INSERT INTO cells VALUES (?, ?, ?, ?)", (cell.index, levels, recipe, dead))
        write.executemany(
            "INSERT INTO cell_trials VALUES (?, ?, ?)",
            [(cell.index, replicate, trial.id) for replicate, trial in enumerate(cell.trials)],
        )


def insert_epochs(write: sqlite3.Connection, attempt: int, epochs: Iterable[Epoch]) -> None:
    """Write epochs of an attempt, but those that are there."""
    write.executemany(
        "INSERT INTO epochs VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                attempt,
                epoch.number,
                epoch.train_loss if math.isfinite(epoch.train_loss) else None,
                epoch.train_seconds,
                epoch.dev_seconds,
                canonical_json(epoch.dev),
            )
            for epoch in epochs
        ],
    )
