"""The rungs of a successive halving: who goes on, and that nothing which comes later changes it."""

import random
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsearch.planning.rungs import Halving, Rung, best_cells, make_rungs, read_halving, stand

SIZES = {"n_cells": st.integers(1, 300), "n_epochs": st.integers(1, 100), "eta": st.integers(2, 6)}
SCORES = st.lists(st.none() | st.sampled_from([0.1, 0.2, 0.3]) | st.floats(0, 1), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("n_cells", "n_epochs", "eta", "expected"),
    [
        (64, 9, 3, [(1, 64), (3, 21), (9, 7)]),
        (64, 10, 3, [(1, 64), (3, 21), (10, 7)]),
        (16, 4, 3, [(1, 16), (4, 5)]),
        (16, 4, 2, [(1, 16), (2, 8), (4, 4)]),
        (4, 27, 3, [(9, 4), (27, 1)]),  # few cells: the first rung can afford more epochs
        (64, 2, 3, [(2, 64)]),
        (2, 9, 3, [(9, 2)]),
    ],
)
def test_rungs_divide_epochs_from_the_last_down_and_cells_from_the_first_up(n_cells, n_epochs, eta, expected) -> None:
    assert [(rung.epochs, rung.n_cells) for rung in make_rungs(n_cells, n_epochs, eta)] == expected


@given(**SIZES, first=st.integers(1, 100))
def test_rungs_begin_with_all_cells_and_end_with_all_epochs(n_cells: int, n_epochs: int, eta: int, first: int) -> None:
    rungs = make_rungs(n_cells, n_epochs, eta, min(first, n_epochs))
    assert rungs[0].n_cells == n_cells
    assert rungs[-1].epochs == n_epochs
    assert rungs[0].epochs >= min(first, n_epochs)
    for rung, following in pairwise(rungs):
        assert rung.epochs == following.epochs // eta
        assert following.n_cells == rung.n_cells // eta >= 1
    halving = Halving(eta, rungs)
    assert read_halving(halving.to_json()) == halving


@given(scores=SCORES, data=st.data(), lower_is_better=st.booleans())
def test_the_best_go_on_the_earlier_of_equals_and_what_has_no_score_last(
    scores: list[float | None], data: st.DataObject, lower_is_better: bool
) -> None:
    n_best = data.draw(st.integers(1, len(scores)))
    chosen = best_cells(scores, n_best, lower_is_better=lower_is_better)
    assert len(chosen) == n_best
    assert list(chosen) == sorted(set(chosen)), "in the order of the table"
    for left in set(range(len(scores))) - set(chosen):
        for one in chosen:
            mine, other = scores[one], scores[left]
            if mine is None or mine == other:
                assert other == mine
                assert one < left
            elif other is not None:
                assert (mine < other) == lower_is_better


@settings(max_examples=60)
@given(
    n_cells=st.integers(2, 20),
    n_epochs=st.integers(2, 30),
    eta=st.integers(2, 4),
    n_seeds=st.integers(1, 3),
    seed=st.integers(0, 10**6),
)
def test_run_in_any_order_it_runs_what_it_said_and_no_choice_is_ever_taken_back(
    n_cells: int, n_epochs: int, eta: int, n_seeds: int, seed: int
) -> None:
    chance = random.Random(seed)
    cells = {one: [f"{one}.{n}" for n in range(n_seeds)] for one in range(1, n_cells + 1)}
    ends = {trial: [chance.choice([None, *range(9)]) for _ in range(n_epochs)] for one in cells for trial in cells[one]}
    halving = Halving(eta, make_rungs(n_cells, n_epochs, eta))
    curves: dict[str, list[float | None]] = {}
    over: set[str] = set()
    spent, members = Counter[str](), ()
    while lacking := (standing := stand(halving, cells, curves, over, lower_is_better=False)).lacking:
        assert standing.members[: len(members)] == members, "what was chosen stays chosen"
        members = standing.members
        assert set(lacking) <= {trial for one in members[-1] for trial in cells[one]}
        trial = chance.choice(sorted(lacking))
        spent[trial] += lacking[trial]
        curves[trial] = ends[trial][: lacking[trial]]
        if lacking[trial] == n_epochs:
            over.add(trial)
    assert [len(one) for one in standing.members] == [rung.n_cells for rung in halving.rungs]
    assert spent.total() == n_seeds * halving.cost
    assert over == {trial for one in standing.members[-1] for trial in cells[one]}


def test_what_failed_for_good_holds_nobody_up_and_goes_on_last() -> None:
    halving = Halving(2, (Rung(1, 4), Rung(2, 2)))
    cells = {1: ["a"], 2: ["b"], 3: ["c"], 4: ["d"]}
    curves = {"b": [0.1], "c": [None], "d": [0.3]}
    standing = stand(halving, cells, curves, {"a"}, lower_is_better=False)
    assert standing.members == ((1, 2, 3, 4), (2, 4))
    standing = stand(halving, cells, {"b": [0.1]}, {"a", "c", "d"}, lower_is_better=False)
    assert standing.members[1] == (1, 2)
    assert standing.lacking == {"b": 2}, "what is over is not run"


def test_a_cell_has_the_mean_of_all_its_seeds_or_none() -> None:
    halving = Halving(2, (Rung(1, 2), Rung(2, 1)))
    cells = {1: ["a", "b"], 2: ["c", "d"]}
    standing = stand(halving, cells, {"a": [0.9], "b": [None], "c": [0.1], "d": [0.2]}, set(), lower_is_better=False)
    assert standing.members[1] == (2,)
    assert standing.score(cells[2], 1) == pytest.approx(0.15)
    assert standing.score(cells[1], 1) is None
    assert standing.score(cells[2], 2) is None
