"""Contract: the order in which trials run. Interrupted and resumed, a study keeps the order that it began with."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.planning.order import balanced_order
from gridsearch.randomness import numpy_stream


def one_by_one(levels: Sequence[Sequence[str]], seed: int) -> list[int]:
    """The definition, word by word: the first of the shuffle whose levels have been seen least often."""
    left = [int(place) for place in numpy_stream(seed, "order of trials").permutation(len(levels))]
    seen: Counter[tuple[int, str]] = Counter()
    order = []
    while left:
        chosen = min(left, key=lambda place: sum(seen[pair] for pair in enumerate(levels[place])))
        seen.update(enumerate(levels[chosen]))
        left.remove(chosen)
        order.append(chosen)
    return order


def test_golden_order() -> None:
    """As version 0.1 has it."""
    levels = [[bert_adam, rate, seed] for bert_adam in "01" for rate in ("1e-5", "2e-5", "3e-5") for seed in "01"]
    assert balanced_order(range(12), levels, 0) == [3, 10, 0, 7, 2, 11, 4, 9, 6, 5, 8, 1]
    assert balanced_order(range(12), levels, 7) == [10, 1, 8, 3, 11, 0, 4, 9, 6, 5, 7, 2]
    assert balanced_order([], [], 0) == []
    assert balanced_order(["one"], [["a", "b"]], 0) == ["one"]


@given(
    counts=st.lists(st.sampled_from([1, 2, 3, 5, 40, 1000]), min_size=1, max_size=6),
    n_items=st.integers(1, 60),
    seed=st.integers(0, 3),
)
def test_it_is_the_order_of_its_definition(counts: list[int], n_items: int, seed: int) -> None:
    """Whatever is chosen of a space: with copies, missing levels, factors of one level or of a range's many."""
    draw = np.random.default_rng([seed, n_items, *counts])
    levels = [[str(draw.integers(count)) for count in counts] for _ in range(n_items)]
    assert balanced_order(range(n_items), levels, seed) == one_by_one(levels, seed)


@pytest.mark.parametrize("most_values", [1, 8, 256])
def test_how_factors_are_put_together_changes_nothing(most_values: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridsearch.planning.order.MOST_VALUES", most_values)
    levels = [[*format(number, "07b"), str(number % 3)] for number in range(128)]
    assert balanced_order(range(128), levels, 5) == one_by_one(levels, 5)


def test_the_levels_of_a_full_factorial_are_as_even_as_can_be_at_any_time() -> None:
    levels = [[a, b, *format(number, "05b")] for a in "abc" for b in "abcd" for number in range(32)]
    seen = [Counter[str]() for _ in levels[0]]
    for n_picked, place in enumerate(balanced_order(range(len(levels)), levels, 1), start=1):
        for count, level in zip(seen, levels[place], strict=True):
            count[level] += 1
        if n_picked <= len(levels) // 2:
            assert max(max(c.values()) - min(c.values() if len(c) > 1 else [0]) for c in seen) <= 2
