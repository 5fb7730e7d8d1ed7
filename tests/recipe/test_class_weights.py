"""Class weights that have a name have one spelling, whatever the rows are."""

import math
from fractions import Fraction
from typing import Any

import pytest

from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.resolve import dead_knobs, resolve
from gridsearch.recipe.trial_facts import TrialFacts


def facts_of(*counts: int) -> TrialFacts:
    return TrialFacts(
        "bert", 2, has_pooler=True, max_tokens=64, n_train_rows=sum(counts), label_counts=counts, dropout=0.1
    )


@pytest.mark.parametrize(
    ("counts", "asked", "spelled"),
    [
        ((30, 70), "log_counts", "log_counts"),
        ((0, 30, 70), "log_counts", "log_counts"),
        ((30, 70), (math.log(1 / 0.3), math.log(1 / 0.7)), "log_counts"),
        ((40, 20, 10, 10), (2.0, 4.0, 6.0, 6.0), "log_counts"),
        ((40, 20, 10, 10), (2.0, 4.0, 8.0, 8.0), "balanced"),
        ((10, 0, 10, 20), "log_counts", "balanced"),
        ((10, 0, 10, 20), (4.0, 9.0, 4.0, 2.0), "balanced"),
        ((30, 70), (2.0, 1.0), (1.0, 0.5)),
    ],
)
def test_weights_in_the_ratios_of_a_name_have_it(counts: tuple[int, ...], asked: Any, spelled: Any) -> None:
    facts = facts_of(*counts)
    resolved = resolve(Recipe(class_weights=asked), facts)
    assert resolved.class_weights == spelled
    assert resolve(resolved, facts) == resolved
    assert dead_knobs(resolved, facts) == {}


@pytest.mark.parametrize("asked", ["balanced", "log_counts"])
@pytest.mark.parametrize("counts", [(20, 20), (0, 20, 20), (20, 0)])
def test_they_weigh_nothing_where_labels_are_equally_frequent(counts: tuple[int, ...], asked: Any) -> None:
    recipe = resolve(Recipe(class_weights=asked), facts_of(*counts))
    assert recipe.class_weights == asked
    assert dead_knobs(recipe, facts_of(*counts)).keys() == {"class_weights"}


def test_ratios_that_were_written_down_are_those_of_fractions() -> None:
    weights = tuple(float(Fraction(10, count)) for count in (7, 10, 13))
    assert resolve(Recipe(class_weights=weights), facts_of(7, 10, 13)).class_weights == "balanced"
