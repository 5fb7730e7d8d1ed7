"""Batches: which rows are seen together, and their padded tensors."""

import numpy as np
import torch
from torch import Tensor

from gridsearch.tasks.encode import EncodedSplit

WINDOW_BATCHES = 50
"""Rows are sorted by length inside windows of this many batches: about a third fewer tokens than without."""


def training_batches(lengths: np.ndarray, batch_size: int, stream: np.random.Generator) -> list[np.ndarray]:
    """Return the row numbers of each batch of one epoch: every row once, rows of like length together.

    Rows are shuffled, sorted by length inside windows, cut into batches, and the batches are shuffled.
    """
    order = stream.permutation(len(lengths))
    window = WINDOW_BATCHES * batch_size
    windows = [order[start : start + window] for start in range(0, len(order), window)]
    by_length = np.concatenate([rows[np.argsort(lengths[rows], kind="stable")] for rows in windows])
    batches = [by_length[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[i] for i in stream.permutation(len(batches))]


def evaluation_batches(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Return the row numbers of each batch, shortest rows first, so that little is padded."""
    order = np.argsort(lengths, kind="stable")
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def collate(
    split: EncodedSplit, rows: np.ndarray, pad_id: int, device: torch.device, width: int | None = None
) -> dict[str, Tensor]:
    """Pad rows to the longest of them, or to ``width`` tokens: int64 tensors of shape (rows, tokens).

    Their names are the encoder's arguments, and "cooccurrence" for the marks of a pair. Where the states of frozen
    layers are known there are they and the mask: "states" is float32 of shape (rows, tokens, hidden width).
    """
    lengths = split.lengths_of(rows)
    columns = np.arange(lengths.max() if width is None else width)
    mask = columns < lengths[:, None]
    positions = np.where(mask, split.starts[rows][:, None] + columns, 0)
    if split.states is not None:
        states = np.where(mask[..., None], split.states[positions], 0)
        return _tensors({"states": states, "attention_mask": mask.astype(np.int64)}, device)
    inputs = {
        "input_ids": np.where(mask, split.ids[positions], pad_id).astype(np.int64),
        "attention_mask": mask.astype(np.int64),
    }
    for name, marks in (("token_type_ids", split.types), ("cooccurrence", split.shared)):
        if marks is not None:
            inputs[name] = np.where(mask, marks[positions], 0).astype(np.int64)
    return _tensors(inputs, device)


def _tensors(arrays: dict[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array).to(device, non_blocking=True) for name, array in arrays.items()}
