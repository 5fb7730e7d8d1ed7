"""How many rows of each part an epoch has, and in which batches they come."""

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.recipe.parts.quotas import TEMPERATURES, quotas
from gridsearch.tasks.encode import PartRows
from gridsearch.tasks.parts.epoch_batches import epoch_batches
from tests.fixtures_core import recipe_of

SIZES = (600, 90, 10)
SAMPLINGS = [*TEMPERATURES, 3.0]


def rows_of_parts(sizes: tuple[int, ...] = SIZES) -> list[PartRows]:
    ends = np.cumsum(sizes)
    return [PartRows(np.arange(end - size, end)) for end, size in zip(ends, sizes, strict=True)]


def parts_of(rows: np.ndarray, sizes: tuple[int, ...] = SIZES) -> list[int]:
    return np.bincount(np.searchsorted(np.cumsum(sizes), rows, side="right"), minlength=len(sizes)).tolist()


def batches(epoch: int = 1, seed: int = 0, **knobs: Any) -> list[np.ndarray]:
    recipe = recipe_of(**{f"parts.{name}": value for name, value in knobs.items()})
    lengths = np.random.default_rng(0).integers(3, 30, sum(SIZES))
    return epoch_batches(recipe, lengths, rows_of_parts(), seed, epoch)


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=6), st.floats(1, 20))
def test_shares_are_as_declared_to_within_a_row(sizes: list[int], temperature: float) -> None:
    found, weights = quotas(sizes, temperature), [size ** (1 / temperature) for size in sizes]
    assert sum(found) == sum(sizes)
    assert min(found) >= 1
    lifted = sum(1 for weight in weights if sum(sizes) * weight / sum(weights) < 1)
    for n_rows, weight in zip(found, weights, strict=True):
        assert abs(n_rows - sum(sizes) * weight / sum(weights)) <= 1 + lifted


@pytest.mark.parametrize("mixed", ["one", "mixed"])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_an_epoch_has_the_declared_shares(sampling: str | float, mixed: str) -> None:
    found = parts_of(np.concatenate(batches(sampling=sampling, batches=mixed)))
    temperature = TEMPERATURES.get(sampling, sampling) if isinstance(sampling, str) else sampling
    shares = np.array(SIZES, dtype=float) ** (1 / temperature)
    assert np.abs(np.array(found) / sum(found) - shares / shares.sum()).max() < 0.01


@pytest.mark.parametrize("mixed", ["one", "mixed"])
def test_in_proportion_every_row_comes_once(mixed: str) -> None:
    assert sorted(np.concatenate(batches(batches=mixed)).tolist()) == list(range(sum(SIZES)))


@pytest.mark.parametrize("sampling", ["equal", 3.0])
def test_over_epochs_all_rows_of_a_part_come_equally_often(sampling: str | float) -> None:
    counts: Counter[int] = Counter()
    for epoch in range(1, 8):
        counts.update(np.concatenate(batches(epoch, sampling=sampling)).tolist())
        for part in rows_of_parts():
            of_rows = [counts[row] for row in part.rows.tolist()]
            assert max(of_rows) - min(of_rows) <= 1


def test_a_batch_is_of_one_part_or_of_all() -> None:
    assert all(np.count_nonzero(parts_of(rows)) == 1 for rows in batches())
    ideal = 8 * np.array(SIZES) / sum(SIZES)
    for rows in batches(batches="mixed"):
        assert np.abs(np.array(parts_of(rows)) - ideal * len(rows) / 8).max() < 1


def test_alternating_parts_take_turns_evenly() -> None:
    turns = [int(np.argmax(parts_of(rows))) for rows in batches(order="alternating")]
    for part in range(3):
        places = [place for place, turn in enumerate(turns) if turn == part]
        gaps = [after - before for before, after in pairwise(places)]
        assert max(gaps, default=0) - min(gaps, default=0) <= 2
    assert [int(np.argmax(parts_of(rows))) for rows in batches()] != turns


def test_the_order_is_the_seeds_and_the_epochs_own() -> None:
    def told(**of: Any) -> list[list[int]]:
        return [rows.tolist() for rows in batches(**of)]

    assert told() == told()
    assert told() != told(epoch=2)
    assert told() != told(seed=1)
