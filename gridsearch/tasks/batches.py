"""Batches: which rows are seen together, and their padded tensors."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from gridsearch.tasks.encode import EncodedSplit
from gridsearch.to_device import to_device

WINDOW_BATCHES = 50
"""Rows are sorted by length inside windows of this many batches: about a third fewer tokens than without."""
EVALUATION_ROWS, EVALUATION_TOKENS = 128, 128 * 128
"""A batch of evaluation has at most so many rows, and at most so many tokens with its padding: 32 rows of 512 tokens,
as a usual batch of training. More at a time are no quicker and take memory by the gigabyte.
"""


def training_batches(
    lengths: np.ndarray, batch_size: int, stream: np.random.Generator, sizes: Sequence[int] = ()
) -> list[np.ndarray]:
    """Return the row numbers of each batch of one epoch: every row once, rows of like length together.

    Rows are shuffled, sorted by length inside windows, cut into batches, and the batches are shuffled. Where they are
    the rows of several parts, of so many ``sizes`` one after the other, each batch has its share of every part: they
    are shuffled and sorted part by part.
    """
    sizes = sizes or [len(lengths)]
    ends = np.cumsum(sizes)
    part = np.searchsorted(ends, np.arange(len(lengths)), side="right")
    shuffled = [end - size + stream.permutation(size) for end, size in zip(ends, sizes, strict=True)]
    order = np.empty(len(lengths), dtype=np.intp)
    order[np.argsort(in_turn(sizes), kind="stable")] = np.concatenate(shuffled)
    window = WINDOW_BATCHES * batch_size
    windows = [order[start : start + window] for start in range(0, len(order), window)]
    by_length = np.concatenate([_by_length(rows, lengths, part[rows]) for rows in windows])
    batches = [by_length[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[i] for i in stream.permutation(len(batches))]


def in_turn(sizes: Sequence[int]) -> np.ndarray:
    """Return whose turn it is, so often as ``sizes`` say of each: spread evenly over the whole.

    >>> in_turn([4, 2]).tolist()
    [0, 1, 0, 0, 1, 0]
    """
    of_each = [(np.arange(size) + 0.5) / size for size in sizes]
    turns: np.ndarray = np.repeat(np.arange(len(sizes)), sizes)[np.argsort(np.concatenate(of_each), kind="stable")]
    return turns


def _by_length(rows: np.ndarray, lengths: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Sort rows by length, each among those of its part: places stay with their parts."""
    found = np.empty_like(rows)
    # A place is the part's own: the rows of a part, sorted, fill its places in turn.
    found[np.argsort(part, kind="stable")] = rows[np.lexsort((lengths[rows], part))]
    return found


def evaluation_batches(
    lengths: np.ndarray, n_rows: int = EVALUATION_ROWS, *, divisor: int = 1, width: int | None = None
) -> list[np.ndarray]:
    """Return the row numbers of each batch, shortest rows first, so that little is padded.

    They follow from the lengths alone, so that a trial computes the same wherever it runs; ``width``: all rows are
    padded to so many tokens. ``divisor`` makes batches of so many times fewer rows and tokens, for want of memory.
    """
    order = np.argsort(lengths, kind="stable")
    padded = lengths[order] if width is None else np.full(len(order), width)
    most_rows, most_tokens = math.ceil(n_rows / divisor), EVALUATION_TOKENS // divisor
    batches, start = [], 0
    while start < len(order):
        longest = padded[start : start + most_rows]
        # The longest of the first n rows is the n-th of them.
        n_fitting = int(np.searchsorted(longest * np.arange(1, len(longest) + 1), most_tokens, side="right"))
        batches.append(order[start : start + max(1, n_fitting)])
        start += len(batches[-1])
    return batches


def computed_in_batches(
    lengths: np.ndarray,
    compute: Callable[[np.ndarray], Tensor],
    *,
    divisor: int = 1,
    width: int | None = None,
    before_batch: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Compute something of every row, given the numbers of those of a batch: float32, in the order of the rows.

    The batches are those of :func:`evaluation_batches`; ``before_batch`` may raise.
    """
    parts: list[Tensor] = []
    batches = evaluation_batches(lengths, divisor=divisor, width=width)
    for rows in batches:
        before_batch()
        parts.append(compute(rows))
    by_length = torch.cat(parts).float().cpu().numpy()
    found = np.empty_like(by_length)
    found[np.concatenate(batches)] = by_length
    return found


def collate(
    split: EncodedSplit, rows: np.ndarray, pad_id: int, device: torch.device, width: int | None = None
) -> dict[str, Tensor]:
    """Pad rows to the longest of them, or to ``width`` tokens: int64 tensors of shape (rows, tokens).

    Their names are the encoder's arguments, and "sides" and "cooccurrence" for what is known of the tokens of a pair.
    Where the states of frozen layers are known there are they, the sides and the mask: "states" is float32 of shape
    (rows, tokens, hidden width).

    There is no mask where nothing is padded: to find that out from the mask, an encoder would wait for the device.
    """
    lengths = split.lengths_of(rows)
    columns = np.arange(lengths.max() if width is None else width)
    mask = columns < lengths[:, None]
    masks = {} if mask.all() else {"attention_mask": mask.astype(np.int64)}
    positions = np.where(mask, split.starts[rows][:, None] + columns, 0)
    if split.states is not None:
        inputs = {"states": np.where(mask[..., None], split.states[positions], 0), **masks}
        marked = {"sides": split.sides}
    else:
        inputs = {"input_ids": np.where(mask, split.ids[positions], pad_id).astype(np.int64), **masks}
        marked = {"token_type_ids": split.types, "sides": split.sides, "cooccurrence": split.shared}
    for name, marks in marked.items():
        if marks is not None:
            inputs[name] = np.where(mask, marks[positions], 0).astype(np.int64)
    return _tensors(inputs, device)


def _tensors(arrays: dict[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    return {name: to_device(torch.from_numpy(array), device) for name, array in arrays.items()}
