"""The states of frozen layers, computed once: without dropout they are the same in every step, epoch and trial.

The process that trains keeps it in its memory, within a budget, for the trials that come after. Only one that would
compute it from the same layers and the same tokens finds it: what ran before changes a trial's seconds and none of its
bits.
"""

import hashlib
import mmap
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from gridsearch.encoders.classifier import Classifier
from gridsearch.encoders.inputs import mask_of
from gridsearch.encoders.layer_slices import bottom, can_be_sliced
from gridsearch.encoders.unknown.found import family_of
from gridsearch.recipe.recipe import Recipe, knobs
from gridsearch.tasks.batches import collate, evaluation_batches
from gridsearch.tasks.encode import EncodedSplit, EncodedTask
from gridsearch.training.objective import autocast
from gridsearch.trial import Trial

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BUDGET_BYTES = 2**30
"""For the states of one trial, and for all that a process keeps together. It is a constant because states change the
rounding: by what is free in memory, a trial would get other bits on a busy machine."""

States = Mapping[str, np.ndarray]
"""Of each split by its name: float32 of shape (tokens, hidden width)."""

_kept: OrderedDict[bytes, States] = OrderedDict()
"""By all that they depend on, the longest unused first."""


def with_frozen_states(trial: Trial, data: EncodedTask, model: Classifier) -> EncodedTask:
    """Return the task with the states that the frozen layers give, and let the model begin above them.

    Returns the task as it is where nothing is frozen, or where the recipe reads more of the encoder than these states;
    a split goes without where its states and those of the splits before it are more than the budget. A model on another
    device than the CPU has no use for them.
    """
    recipe, n_layers = trial.recipe, n_constant_layers(trial.recipe, model)
    splits = _within_budget(data, model.pooling.hidden_width) if n_layers else {}
    if not splits:
        return data
    lower = bottom(model.encoder, n_layers)
    key = _key(recipe, lower, splits, data.pad_id)
    if key not in _kept:
        _make_room(sum(_n_bytes(split, model.pooling.hidden_width) for split in splits.values()))
        _kept[key] = {name: _compute(recipe, lower, split, data.pad_id, model) for name, split in splits.items()}
    _kept.move_to_end(key)
    model.begin_above(n_layers)
    return data.with_splits(lambda name, split: replace(split, states=_kept[key].get(name)))


def forget() -> None:
    """Give up what is kept for later trials."""
    _kept.clear()


def n_bytes_kept() -> int:
    """Return how much memory is held for later trials."""
    return sum(array.nbytes for states in _kept.values() for array in states.values())


def n_constant_layers(recipe: Recipe, model: Classifier) -> int:
    """Count the bottom layers whose states never change, and are read by the next layer alone; 0 if any is not so."""
    reads = model.pooling.reads
    if recipe.frozen_layers == "embeddings" or reads.below_the_top or reads.padding or not can_be_sliced(model.encoder):
        return 0
    moves = [name for name, knob in knobs().items() if knob.frozen_states == "moves"]
    if any(getattr(recipe, name) != knobs()[name].neutral for name in moves):
        return 0
    return int(recipe.frozen_layers)


def _within_budget(data: EncodedTask, width: int) -> dict[str, EncodedSplit]:
    """Choose splits as long as they fit: train and dev, read in every epoch, before test, which is read once."""
    chosen, left = {}, BUDGET_BYTES
    for name, split in data.splits.items():
        if _n_bytes(split, width) <= left:
            chosen[name] = split
            left -= _n_bytes(split, width)
    return chosen


def _n_bytes(split: EncodedSplit, width: int) -> int:
    return len(split.ids) * width * np.dtype(np.float32).itemsize


def _make_room(n_bytes: int) -> None:
    """Forget what was not used for longest, until so much more keeps to the budget."""
    while _kept and n_bytes + n_bytes_kept() > BUDGET_BYTES:
        _kept.popitem(last=False)


def _key(recipe: Recipe, lower: "PreTrainedModel", splits: Mapping[str, EncodedSplit], pad_id: int) -> bytes:
    """Hash what the states are computed from: the very weights of these layers and the very tokens, not their names.

    The ids are those of the words that occur, and mean nothing without the table that they point into: it is among the
    weights. Dropout is left out, because it is off. The number of threads changes the order of sums.
    """
    config = lower.config.to_dict()
    of_dropout = family_of(lower).dropouts
    settings = {name: value for name, value in config.items() if name not in of_dropout}
    entering = {name: getattr(recipe, name) for name, knob in knobs().items() if knob.frozen_states == "enters"}
    means = [entering, torch.get_num_threads(), pad_id]
    digest = hashlib.sha256(repr([sorted(settings.items()), means]).encode())

    def add(name: str, array: np.ndarray) -> None:
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array).data)

    for name, tensor in (*lower.named_parameters(), *lower.named_buffers()):
        add(name, tensor.detach().numpy())
    for name, split in splits.items():
        for part, tokens in (("ids", split.ids), ("starts", split.starts), ("types", split.types)):
            if tokens is not None:
                add(f"{name} {part}", tokens)
    return digest.digest()


def _compute(
    recipe: Recipe, lower: "PreTrainedModel", split: EncodedSplit, pad_id: int, model: Classifier
) -> np.ndarray:
    """Compute the states of a split, always in the same batches: whichever trial asks gets the same bits."""
    device = torch.device("cpu")
    states = _in_memory_of_its_own((len(split.ids), model.pooling.hidden_width))
    lower.eval()
    for rows in evaluation_batches(split.lengths):
        batch = collate(split, rows, pad_id, device)
        with torch.inference_mode(), autocast(recipe.precision, device):
            found = lower(**model.inputs(batch)).last_hidden_state[mask_of(batch).bool()]
        states[split.tokens_of(rows)] = found.float().numpy()
    states.setflags(write=False)
    return states


def _in_memory_of_its_own(shape: tuple[int, int]) -> np.ndarray:
    """Return an array whose memory goes back to the system with it: the heap of a worker keeps what it is given back,
    and arrays of many sizes that come and go would make it grow to twice the budget.
    """
    n_numbers = shape[0] * shape[1]
    memory = mmap.mmap(-1, max(1, 4 * n_numbers), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(memory, dtype=np.float32, count=n_numbers).reshape(shape)
