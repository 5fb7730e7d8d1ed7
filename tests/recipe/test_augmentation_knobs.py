"""Knobs of added pairs: where they cannot act, and what cannot go together."""

from dataclasses import replace
from typing import Any

import pytest

from gridsearch.errors import RequestError
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.recipe.resolve import acting, dead_knobs
from gridsearch.recipe.trial_facts import TrialFacts
from tests.fixtures_core import recipe_of

PAIRS = TrialFacts(
    "bert", 12, has_pooler=True, max_tokens=512, n_train_rows=1000, label_counts=(400, 600), is_pair=True
)
SINGLE, THREE = replace(PAIRS, is_pair=False), replace(PAIRS, label_counts=(400, 300, 300))
CLOSED = {"closure": "both", "closure_cap": 5, "closure_ratio": "kept"}


@pytest.mark.parametrize(
    ("knobs", "facts", "dead"),
    [
        (CLOSED, PAIRS, {}),
        ({"closure": "positives"}, PAIRS, {}),
        (CLOSED, SINGLE, dict.fromkeys(CLOSED, "a task of single texts has no second text")),
        (
            CLOSED,
            THREE,
            dict.fromkeys(CLOSED, "pairs follow from others where one of two labels joins texts, and the task has 3"),
        ),
        ({"closure_cap": 5}, PAIRS, {"closure_cap": "closure = 'off' adds no pairs"}),
        ({"closure_ratio": "kept"}, SINGLE, {"closure_ratio": "closure = 'off' adds no pairs"}),
        ({"outside_pairs": "positive"}, replace(PAIRS, n_outside_pairs=1), {}),
        ({"outside_pairs": "positive"}, PAIRS, {"outside_pairs": "the task names no files under [outside]"}),
        (
            {"outside_pairs": "negative"},
            SINGLE,
            {"outside_pairs": "a task of single texts has no second text"},
        ),
        (
            {"outside_pairs": "negative"},
            replace(THREE, n_outside_pairs=1),
            {"outside_pairs": "outside pairs are added as positive or negative, and the task has 3 labels"},
        ),
    ],
)
def test_where_no_pairs_are_added(knobs: dict[str, Any], facts: TrialFacts, dead: dict[str, str]) -> None:
    recipe = recipe_of(**knobs)
    assert dead_knobs(recipe, facts) == dead
    assert acting(recipe, facts) == recipe_of(**{name: value for name, value in knobs.items() if name not in dead})


def test_a_share_of_two_kinds_is_not_kept_by_adding_one() -> None:
    with pytest.raises(RequestError, match="but closure = 'positives' adds no others; choose closure = 'both', or"):
        refuse_contradictions(recipe_of(closure="positives", closure_ratio="kept"), PAIRS)
    for knobs in (CLOSED, {"closure": "positives"}, {"closure_ratio": "kept"}):
        refuse_contradictions(recipe_of(**knobs), PAIRS)


@pytest.mark.parametrize("cap", [1, 2.0, "10"])
def test_a_cap_of_no_two_texts(cap: Any) -> None:
    with pytest.raises(ValueError, match="closure_cap"):
        recipe_of(closure_cap=cap)
