"""What a plan warns of: learning rates that are far from what is usual."""

import math
from typing import Any

import pytest

from gridsearch.encoders.load import describe
from gridsearch.optimizers.usual_rates import FINE_TUNING, PRETRAINING, USUAL, unusual_rate
from gridsearch.planning.planner import make_plan
from gridsearch.planning.rates import rate_warnings
from gridsearch.recipe.recipe import Recipe
from gridsearch.space.space import load_space, parse_space
from gridsearch.tasks.task import Task
from search_spaces import find_space, names_of_spaces


@pytest.fixture
def warned(docstrings_task: Task) -> Any:
    def warnings(text: str) -> list[str]:
        plan = make_plan(parse_space(text, "asked"), docstrings_task, lambda name: describe(name, ("a text",)))
        return rate_warnings(plan)

    return warnings


def test_defaults_and_published_rates_are_usual() -> None:
    for rate in (5e-6, 1e-5, 2e-5, 3e-5, 5e-5, 1e-4, 3e-4, Recipe().learning_rate):
        assert unusual_rate(FINE_TUNING, rate) is None
    for rate in (2e-5, 1e-4, 5e-4, 6e-4, 1e-3):
        assert unusual_rate(PRETRAINING, rate) is None
    assert all(unusual_rate(knob, end) is None for knob, ends in USUAL.items() for end in ends)


@pytest.mark.parametrize("knob", USUAL)
def test_no_rate_is_said_to_be_one_time_an_end(knob: str) -> None:
    """A range that ends where rates are usual may end in another last digit, as logarithms are rounded."""
    low, high = USUAL[knob]
    assert unusual_rate(knob, math.exp(math.log(high))) is None
    assert unusual_rate(knob, math.nextafter(high, 1.0)) is None
    assert unusual_rate(knob, math.nextafter(low, 0.0)) is None
    beyond = [unusual_rate(knob, rate) for step in range(200) for rate in (high * 1.002**step, low / 1.002**step)]
    assert "1.1" in {one.times for one in beyond if one is not None}
    assert "1" not in {one.times for one in beyond if one is not None}


def test_a_sentence_for_each_rate_beyond(warned: Any) -> None:
    usual = "what is usual when BERT-like encoders are fine-tuned by Adam (1e-06 to 0.001)"
    space = "[factors]\nlearning_rate = [5e-5, 1e-2, 4e-7, 2e-3]\nbert_adam = [false, true]\n"
    assert warned(space) == [
        f"learning_rate = 4e-07 is 1/2.5 of the lower end of {usual}",
        f"learning_rate = 0.002 is 2 times the upper end of {usual}",
        f"learning_rate = 0.01 is 10 times the upper end of {usual}",
    ]
    assert warned(space.replace("1e-2, 4e-7, 2e-3", "1e-4")) == []
    original = (
        '[recipe]\nlearning_rate = 0.01\noptimizer = "original_bert_adam"\n[factors]\nweight_decay = [0.0, 0.01]\n'
    )
    assert warned(original) == [f"learning_rate = 0.01 is 10 times the upper end of {usual}"]


@pytest.mark.parametrize(("frozen", "n_warnings"), [("100%", 0), ("50%", 1), ("embeddings", 1)])
def test_a_head_alone_may_have_a_large_rate(warned: Any, frozen: str, n_warnings: int) -> None:
    space = f"[recipe]\nlearning_rate = 0.01\nfrozen_layers = '{frozen}'\n[factors]\nweight_decay = [0.0, 0.01]\n"
    assert len(warned(space)) == n_warnings


def test_a_pretraining_has_a_range_of_its_own(warned: Any) -> None:
    space = (
        '[recipe]\n"pretraining.objective" = "mlm"\n"pretraining.steps" = 10\n"pretraining.base" = "scratch"\n'
        '"pretraining.layers" = 2\n"pretraining.width" = 16\n"pretraining.heads" = 2\n'
        '[factors]\n"pretraining.learning_rate" = [1.5e-3, 0.06]\n'
    )
    assert warned(space) == [
        "pretraining.learning_rate = 0.06 is 20 times the upper end of what is usual when BERT-like encoders are "
        "pretrained by Adam (2e-06 to 0.003)"
    ]
    frozen = space.replace("[recipe]", "[recipe]\nfrozen_layers = 2\nlearning_rate = 0.01")
    assert len(warned(frozen)) == 1, "its two layers are all that there are"


def test_a_range_names_the_first_ones(warned: Any) -> None:
    space = (
        "[factors.learning_rate]\nrange = { low = 2e-3, high = 1e-2, log = true }\n"
        "[design]\nkind = 'random'\ncells = 8\n"
    )
    *named, rest = warned(space)
    assert len(named) == 5
    assert rest == "learning_rate has 3 more values that are not usual"


@pytest.mark.parametrize("name", names_of_spaces())
def test_the_built_in_spaces_are_usual(name: str) -> None:
    """But for one that asks about such a rate."""
    space = load_space(find_space(name))
    for knob in USUAL:
        for rate in space.values_of(knob):
            assert unusual_rate(knob, rate) is None or name == "seed004"
