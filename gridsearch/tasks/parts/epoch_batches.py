"""The batches of an epoch of one or several parts: how many rows of each, in which batches, in which order."""

from collections.abc import Sequence

import numpy as np

from gridsearch.randomness import numpy_stream
from gridsearch.recipe.parts.quotas import quotas
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.batches import in_turn, training_batches
from gridsearch.tasks.encode import PartRows


def epoch_batches(
    recipe: Recipe, lengths: np.ndarray, parts: Sequence[PartRows], seed: int, epoch: int
) -> list[np.ndarray]:
    """Return the row numbers of each batch of an epoch, which counts from 1; ``lengths``: tokens of each row.

    Rows are drawn without putting back until none of their part is left, then anew: where a part gives fewer rows to an
    epoch than it has, the next epoch goes on with the others.
    """
    several = _in_orders(recipe, parts, seed, epoch)
    if len(several) > 1:
        wanted = quotas([len(rows) for rows in several], recipe.parts.sampling)
        several = [
            _drawn(rows, n_rows, seed, number, epoch)
            for number, (rows, n_rows) in enumerate(zip(several, wanted, strict=True))
        ]
    stream = numpy_stream(seed, "order", epoch)
    if len(several) == 1 or recipe.parts.batches == "mixed":
        rows = np.concatenate(several)
        sizes = [len(one) for one in several]
        return [rows[place] for place in training_batches(lengths[rows], recipe.batch_size, stream, sizes)]
    batches = [
        [rows[place] for place in training_batches(lengths[rows], recipe.batch_size, stream)] for rows in several
    ]
    sizes = [len(of_part) for of_part in batches]
    turns = in_turn(sizes) if recipe.parts.order == "alternating" else stream.permutation(_numbers(sizes))
    left = [iter(of_part) for of_part in batches]
    return [next(left[part]) for part in turns]


def _in_orders(recipe: Recipe, parts: Sequence[PartRows], seed: int, epoch: int) -> list[np.ndarray]:
    """Return the rows of each part: pairs in the order in which they stand, in one at random, or in both."""
    if recipe.pair_swap == "random":
        stream = numpy_stream(seed, "pair swap", epoch)
        return [one.rows + one.turned_after * stream.integers(0, 2, len(one.rows)) for one in parts]
    return [np.concatenate([one.rows, one.rows + one.turned_after]) if one.turned_after else one.rows for one in parts]


def _drawn(rows: np.ndarray, n_rows: int, seed: int, part: int, epoch: int) -> np.ndarray:
    """Return the rows of an epoch, of all permutations of a part's rows one after the other."""
    if n_rows == len(rows):
        return rows
    first, last = (epoch - 1) * n_rows, epoch * n_rows
    passes = range(first // len(rows), -(-last // len(rows)))
    permuted = np.concatenate([numpy_stream(seed, "sampling", part, number).permutation(rows) for number in passes])
    begin = first - passes.start * len(rows)
    return permuted[begin : begin + n_rows]


def _numbers(sizes: Sequence[int]) -> np.ndarray:
    return np.repeat(np.arange(len(sizes)), sizes)
