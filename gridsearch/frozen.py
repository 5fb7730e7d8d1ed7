"""What frozen layers give, computed once: without dropout it is the same in every step, every epoch and every trial.

The states of all texts lie in a folder of the cache, mapped into memory: the first trial that freezes these layers
makes it, and all others on the machine read it, whatever else their recipes are.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import transformers

from gridsearch.canonical import fingerprint
from gridsearch.encoders.classifier import Classifier
from gridsearch.encoders.parts import bottom, can_be_parted
from gridsearch.places import cache_folder
from gridsearch.recipe import Recipe
from gridsearch.steps import autocast
from gridsearch.tasks.batches import collate, evaluation_batches
from gridsearch.tasks.encode import EncodedTask
from gridsearch.trial import Trial

BUDGET_BYTES = 8 * 2**30
"""All folders together take no more than this: those unused for longest go. States that alone exceed it are kept."""
ROWS = 128
VERSION = 2
"""Of the code that computes the states: raise it whenever the same inputs would give others."""


def with_frozen_states(trial: Trial, data: EncodedTask, model: Classifier) -> EncodedTask:
    """Return the task with the states that the frozen layers give, and let the model begin above them.

    Returns the task as it is where nothing is frozen, where the recipe reads more of the encoder than these states, or
    where they would not fit. A model on another device than the CPU has no use for them.
    """
    n_layers = n_constant_layers(trial.recipe, model)
    if not n_layers or _n_bytes(data, model) > BUDGET_BYTES:
        return data
    folder = cache_folder() / "frozen" / _key(trial, data)
    with _locked(folder):
        if not folder.is_dir():
            _make(folder, trial.recipe, n_layers, data, model)
        os.utime(folder)
        states = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in data.splits}
    _evict(folder)
    model.begin_above(n_layers)
    return data.with_splits(lambda name, split: replace(split, states=states[name]))


def n_constant_layers(recipe: Recipe, model: Classifier) -> int:
    """Count the bottom layers whose states never change, and are read by the next layer alone; 0 if any is not so."""
    if recipe.frozen_layers == "embeddings" or recipe.frozen_dropout:
        return 0
    reads_more = model.pooling.needs_all_layers or model.pooling.reads_padding or recipe.cooccurrence != "none"
    if reads_more or recipe.adversarial != "none" or not can_be_parted(model.encoder):
        return 0
    return int(recipe.frozen_layers)


def _n_bytes(data: EncodedTask, model: Classifier) -> int:
    return sum(len(split.ids) for split in data.splits.values()) * model.pooling.hidden_width * 4


def _key(trial: Trial, data: EncodedTask) -> str:
    """Name all that the states depend on, to the last bit: the number of threads is a part of it."""
    recipe, texts = trial.recipe, hashlib.sha256()
    for split in data.splits.values():
        for array in (split.ids, split.starts, split.types):
            texts.update(b"none" if array is None else array.tobytes())
    means = [recipe.token_types, recipe.frozen_layers, recipe.precision]
    circumstances = [torch.get_num_threads(), torch.__version__, transformers.__version__]
    return fingerprint([VERSION, trial.encoder, texts.hexdigest(), *means, *circumstances])


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Of several processes that ask at once one makes the states, and the others wait."""
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        yield


def _make(folder: Path, recipe: Recipe, n_layers: int, data: EncodedTask, model: Classifier) -> None:
    """Write the states of every split, always in the same batches: whichever trial asks gets the same bits."""
    model.eval()
    lower = bottom(model.encoder, n_layers)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="draft-", ignore_cleanup_errors=True) as top:
        draft = Path(top, "states")
        draft.mkdir()
        for name, split in data.splits.items():
            shape = (len(split.ids), model.pooling.hidden_width)
            states = np.lib.format.open_memmap(draft / f"{name}.npy", mode="w+", dtype=np.float32, shape=shape)
            for rows in evaluation_batches(split.lengths, ROWS):
                batch = collate(split, rows, data.pad_id, torch.device("cpu"))
                with torch.inference_mode(), autocast(recipe.precision, torch.device("cpu")):
                    found = lower(**model.inputs(batch)).last_hidden_state[batch["attention_mask"].bool()]
                states[split.tokens_of(rows)] = found.float().numpy()
            states.flush()
        draft.rename(folder)


def _evict(used: Path) -> None:
    """Delete what was not used for longest until the rest keeps to the budget; who reads it still can, to the end."""
    folders = [one for one in used.parent.iterdir() if one.is_dir() and not one.name.startswith("draft-")]
    total = 0
    for folder in sorted(folders, key=_last_use, reverse=True):
        total += _size(folder)
        if total > BUDGET_BYTES and folder != used:
            shutil.rmtree(folder, ignore_errors=True)


def _last_use(folder: Path) -> float:
    with contextlib.suppress(FileNotFoundError):  # another process may have evicted it just now
        return folder.stat().st_mtime
    return 0.0


def _size(folder: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0
