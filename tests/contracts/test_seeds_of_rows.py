"""Contracts: a row of a list may name seeds of its own."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.planning.halving import halved
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study

FACTORS = "[factors]\nbert_adam = [true, false]\nepochs = [3, 4]\n"
SEEDS = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=4, unique=True)


def listed(*rows: str, seeds: str = "[2021]") -> str:
    return f'{FACTORS}[design]\nkind = "list"\nseeds = {seeds}\nrows = [{", ".join(rows)}]\n'


PLAIN, OTHER = '{ row = "plain" }', '{ row = "other", epochs = 4, seed = 42 }'


def grow(folder: Path, plan) -> int:
    with Study(folder).driven() as ledger:
        return ledger.adopt(plan, {})


def test_a_row_has_its_own_seeds_and_the_others_those_of_all(plan_of) -> None:
    plan = plan_of(listed(PLAIN, OTHER, '{ row = "many", seeds = [7, 2021] }', seeds="[2021, 1]"))
    assert [[trial.seed for trial in cell.trials] for cell in plan.cells] == [[2021, 1], [42], [7, 2021]]
    assert plan.cells[0].trials[0] == plan.cells[2].trials[1]
    assert len(plan.trials) == 4
    assert plan.n_repetitions == 2


def test_the_id_is_that_of_the_same_seed_named_for_all(plan_of) -> None:
    (own,) = plan_of(listed('{ row = "a", seed = 42 }')).trials
    assert [own] == list(plan_of(listed('{ row = "b" }', seeds="[42]")).trials)


def test_rows_of_one_recipe_and_two_seeds_share_nothing(plan_of) -> None:
    plan = plan_of(listed(PLAIN, '{ row = "again", seed = 42 }', '{ row = "copy" }'))
    assert [[cell.row for cell in group] for group in plan.same_rows] == [["plain", "copy"]]
    assert len(plan.trials) == 2


@given(of_all=SEEDS, own=SEEDS, n_folds=st.integers(2, 5))
def test_each_seed_of_a_row_runs_with_every_fold(of_all: list[int], own: list[int], n_folds: int) -> None:
    text = listed(PLAIN, f'{{ row = "own", seeds = {own} }}', seeds=f"{of_all}\nfolds = {n_folds}")
    for cell, seeds in zip(parse_space(text, "test").cells(), (of_all, own), strict=True):
        assert [(one.seed, one.fold) for one in cell.repetitions] == [(s, f) for s in seeds for f in range(n_folds)]


def test_seeds_of_the_command_line_are_those_of_the_rows_that_name_none() -> None:
    cells = parse_space(listed(PLAIN, OTHER), "test").with_design(seeds=[5, 6]).cells()
    assert [[one.seed for one in cell.repetitions] for cell in cells] == [[5, 6], [42]]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ('{ row = "a", seed = 1, seeds = [2] }', "row 'a': it has seed and seeds; name its seeds once"),
        ('{ row = "a", seed = -1 }', "row 'a': seeds: input should be greater than or equal to 0"),
        ('{ row = "a", seed = true }', "row 'a': seeds: input should be a valid integer"),
        ('{ row = "a", seed = "42" }', "row 'a': seeds: input should be a valid integer"),
        ('{ row = "a", seeds = 3 }', "row 'a': seeds: input should be a valid list"),
        ('{ row = "a", seeds = [] }', "row 'a': seeds: list should have at least 1 item"),
        ('{ row = "a", seeds = [3, 3] }', "row 'a': seeds must differ, but are [3, 3]"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(row: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_space(listed(PLAIN, row), "test")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["seed", "seeds"])
def test_a_seed_is_no_factor(name: str) -> None:
    with pytest.raises(RequestError, match=r"a seed is no factor: .*; write seeds = \[0, 1\] under \[design\]"):
        parse_space(f"[factors.{name}.levels]\na = {{ epochs = 1 }}\nb = {{ epochs = 2 }}\n", "test")


def test_a_row_grows_by_seeds(tmp_path: Path, plan_of) -> None:
    assert grow(tmp_path / "study", plan_of(listed(PLAIN, OTHER))) == 2
    assert grow(tmp_path / "study", plan_of(listed(PLAIN, OTHER.replace("seed = 42", "seeds = [42, 43]")))) == 1
    with Study(tmp_path / "study").open() as ledger:
        assert ledger.trials_manifest().design.rows[1] == {"row": "other", "epochs": 4, "seeds": [42, 43]}


def test_a_row_whose_seed_is_another_is_named_and_one_that_grew_is_not(tmp_path: Path, plan_of) -> None:
    third = '{ row = "third", bert_adam = true, seed = 42 }'
    grow(tmp_path / "study", plan_of(listed(PLAIN, OTHER, third)))
    grown = OTHER.replace("seed = 42", "seeds = [42, 43]")
    for changed in (
        third.replace("42", "43"),
        third.replace(", seed = 42", ""),
        third.replace("seed = 42", "epochs = 4"),
    ):
        with pytest.raises(RequestError, match="row 'third' is no longer listed as it was"):
            grow(tmp_path / "study", plan_of(listed(PLAIN, grown, changed)))


def test_halving_needs_rows_of_equally_many_runs(plan_of) -> None:
    text = listed(PLAIN, '{ row = "own", bert_adam = true, seed = 42 }', seeds="[0, 1]")
    with pytest.raises(RequestError, match="rows of this list have more seeds than others"):
        halved(plan_of(text), 2)
