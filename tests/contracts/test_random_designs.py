"""Contracts: ranges, and the cells that a random design draws from levels and ranges."""

import json
import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.space.ranges import Range
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study

RATE = "[factors.learning_rate]\nrange = { low = 1e-5, high = 1e-4, log = true }\n"
LEVELS = "[factors]\nreinit_layers = [0, 6, 3]\nbert_adam = [true, false]\nepochs = [3, 4]\n"


def random(n_cells: int, more: str = "") -> str:
    return f'[design]\nkind = "random"\ncells = {n_cells}\n{more}\n'


def labels(plan) -> list[tuple[str, ...]]:
    return [tuple(cell.levels.values()) for cell in plan.cells]


def ends_of(space: str) -> Range:
    range_ = parse_space(space, "test").factors[0].range
    assert range_ is not None
    return range_


def test_all_cells_of_levels_are_drawn_once(plan_of) -> None:
    drawn = labels(plan_of(LEVELS + random(12)))
    assert set(drawn) == set(labels(plan_of(LEVELS)))
    assert len(drawn) == 12
    assert drawn != labels(plan_of(LEVELS)), "the order is random"


def test_more_cells_begin_with_the_fewer_and_another_seed_draws_others(plan_of) -> None:
    several = labels(plan_of(LEVELS + random(8)))
    assert labels(plan_of(LEVELS + random(5))) == several[:5]
    assert labels(plan_of(LEVELS + random(8, "order_seed = 1"))) != several


def test_a_study_grows_by_more_random_cells(tmp_path: Path, plan_of) -> None:
    for n_cells, n_new in ((5, 5), (8, 3)):
        with Study(tmp_path).driven() as ledger:
            assert ledger.adopt(plan_of(RATE + LEVELS + random(n_cells)), {}) == n_new


def test_rules_apply_before_cells_are_counted(plan_of) -> None:
    rule = '[[rules]]\nskip = "bert_adam"\nwhy = "known"\n'
    plan = plan_of(LEVELS + random(6) + rule)
    assert len(plan.cells) == 6
    assert all(cell.levels["bert_adam"] == "0" for cell in plan.cells)
    assert all(cell.why == "known" for cell in plan.excluded)
    with pytest.raises(RequestError, match="7 cells is asked for, but the rules and levels leave 6"):
        plan_of(LEVELS + random(7) + rule)
    with pytest.raises(RequestError, match="the rules leave no cell to run"):
        plan_of(RATE + random(1) + '[[rules]]\nskip = "learning_rate > 0"\nwhy = "all of them"\n')


def test_a_range_is_drawn_evenly_on_its_scale(plan_of) -> None:
    rates = [cell.recipe.learning_rate for cell in plan_of(RATE + random(200)).cells]
    assert all(1e-5 <= rate <= 1e-4 for rate in rates)
    assert 80 < sum(rate < math.sqrt(1e-5 * 1e-4) for rate in rates) < 120
    assert all(float(f"{rate:.3g}") == rate for rate in rates), "labels are neat"


def test_the_knob_of_a_range_is_the_factors_and_a_whole_number_where_the_knob_takes_nothing_else(plan_of) -> None:
    text = "[factors.reinit_layers]\nrange = { low = 0, high = 4 }\n[factors.weight_decay]\n"
    plan = plan_of(text + "range = { low = 0, high = 0.3, step = 0.1 }\n" + random(20))
    assert len({cell.recipe for cell in plan.cells}) == 20, "5 whole numbers x 4 steps: all of them"
    assert {cell.levels["reinit_layers"] for cell in plan.cells} == {"0", "1", "2", "3", "4"}
    assert {cell.levels["weight_decay"] for cell in plan.cells} == {"0.0", "0.1", "0.2", "0.3"}


@pytest.mark.parametrize(
    ("range_", "sentence"),
    [
        ("{ low = 1e-4, high = 1e-5 }", "a range goes from low to high, but low = 0.0001 and high = 1e-05"),
        ("{ low = 0.0, high = 1e-4, log = true }", "learning_rate: input should be greater than 0"),
        ("{ low = 1e-5 }", "range: high: field required"),
        ("{ low = 1e-5, high = 1e-4, log = 1 }", "log: input should be a valid boolean"),
        ("{ low = 1e-5, high = 1e-4, steps = 2 }", "steps: extra inputs are not permitted"),
        ("{ low = 1e-5, high = 1e-4, log = true, step = 1e-5 }", "has equal steps or is logarithmic, not both"),
        ("{ low = 1e-5, high = 1e-4, step = 4e-5 }", "steps must lead from low to high, but 4e-05 does not"),
        ("{ low = 1e-5, high = 1e-4, step = 0.0 }", "steps must lead from low to high"),
        ("[1e-5, 1e-4]", "a range is written { low = 1e-5, high = 1e-4 }, but is [1e-05, 0.0001]"),
        ("{ low = 1e-5, high = 1e-4 }\nlevels = [1e-5]", "a factor has levels or a range, not both"),
        ("{ low = 1e-5, high = 1e-4 }\nbaseline = 1e-3", "the baseline must lie in the range 1e-05 to 0.0001"),
    ],
)
def test_what_is_wrong_with_a_range_is_told_in_one_sentence(range_: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_space(f"[factors.learning_rate]\nrange = {range_}\n", "test")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("factor", "sentence"),
    [
        ("[factors.rate]\nrange = { low = 1, high = 2 }", "unknown knob 'rate'"),
        ("[factors.epochs]\nrange = { low = 1, high = 3.5 }", "epochs: input should be a valid integer"),
        ("[factors.epochs]\nrange = { low = 1, high = 3, step = 0.5 }", "a range of whole numbers needs whole numbers"),
        ("[factors.pooling]\nrange = { low = 1, high = 3 }", "pooling: input should be 'cls'"),
        ("[recipe]\nepochs = 3\n[factors.epochs]\nrange = { low = 1, high = 3 }", "epochs is varied by factor epochs"),
    ],
)
def test_a_knob_must_take_what_its_range_holds(factor: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_space(f"{factor}\n", "test")
    assert sentence in str(caught.value)


def test_the_baseline_of_a_range_is_the_default_or_its_nearest_value() -> None:
    assert parse_space(RATE, "test").factors[0].baseline == "5e-05", "the default"
    assert parse_space(RATE + "baseline = 3e-5\n", "test").factors[0].baseline == "3e-05"
    assert parse_space(RATE.replace("1e-5", "6e-5"), "test").factors[0].baseline == "6e-05", "the nearest"


def test_the_ledger_keeps_the_range_and_the_levels_that_its_cells_have(tmp_path: Path, plan_of) -> None:
    plan = plan_of(RATE + random(3))
    with Study(tmp_path).driven() as ledger:
        ledger.adopt(plan, {})
        (factor,) = ledger.trials_manifest().factors
    assert factor.range == {"low": 1e-5, "high": 1e-4, "log": True, "step": None, "is_integer": False}
    found = sorted(cell.recipe.learning_rate for cell in plan.cells)
    assert factor.levels == {json.dumps(rate): {"learning_rate": rate} for rate in found}


@pytest.mark.slow  # many designs, drawn at random
@given(st.integers(1, 50), st.integers(1, 50), st.booleans())
def test_every_whole_number_of_a_range_has_a_share(low: int, width: int, log: bool) -> None:
    text = f"[factors.epochs]\nrange = {{ low = {low}, high = {low + width}, log = {str(log).lower()} }}\n"
    range_ = ends_of(text)
    found = Counter(range_.at(step / 5000) for step in range(5000))
    assert sorted(found) == list(range(low, low + width + 1)) == range_.values()
    assert log or max(found.values()) - min(found.values()) <= 2


@given(st.floats(0, 1), st.sampled_from(["", ", log = true", ", step = 2e-5"]))
def test_a_value_of_a_range_comes_back_by_its_label(share: float, more: str) -> None:
    factor = parse_space(f"[factors.learning_rate]\nrange = {{ low = 1e-5, high = 9e-5{more} }}\n", "test").factors[0]
    assert factor.range is not None
    level = factor.level_of(factor.range.at(share))
    assert factor.level(level.label) == level
    with pytest.raises(RequestError, match=r"factor learning_rate has no level 9\.1e-05"):
        factor.level("9.1e-05")
