"""What has to be known of an encoder is said where its weights are used, and not where its vocabulary is."""

from dataclasses import replace

import pytest

from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from tests.reports.conftest import describe, small_task

SPACE = """
[recipe]
"pretraining.objective" = "mlm"
"pretraining.steps" = 3
"pretraining.base" = "{base}"
[factors]
bert_adam = [false, true]
"""


@pytest.mark.parametrize(("base", "is_told"), [("encoder", True), ("scratch", False)])
def test_notes_are_of_weights(base: str, is_told: bool) -> None:
    space = parse_space(SPACE.format(base=base), "small")
    plan = make_plan(space, small_task(), lambda name: replace(describe(name), notes=("It is a toy.",)))
    assert bool(plan.encoder_notes) == is_told
