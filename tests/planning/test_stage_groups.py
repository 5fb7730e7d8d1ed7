"""Which pretrainings cost the same a step, how many steps each has left, and which trials cost the same after them."""

from typing import Any

import pytest

from gridsearch.encoders.card import EncoderCard
from gridsearch.planning.cost_groups import groups_of
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.planning.stage_groups import stage_groups_of, works_of
from gridsearch.space.space import parse_space
from gridsearch.tasks.task import Task

CARD = EncoderCard("tiny", "an encoder", "bert", 4, has_pooler=True, max_tokens=512)
SCRATCH = '"pretraining.base" = "scratch", "pretraining.layers" = 2, "pretraining.width" = 32, "pretraining.heads" = 2'


def planned(task: Task, *levels: str, seeds: str = "[0]", more: str = "") -> Plan:
    """Plan a trial for each set of knobs, and one without a pretraining."""
    lines = ['none = { "pretraining.objective" = "none" }']
    for number, level in enumerate(levels):
        steps = "" if "pretraining.steps" in level else ', "pretraining.steps" = 100'
        lines.append(f'l{number} = {{ "pretraining.objective" = "mlm", {level}{steps} }}')
    text = "\n".join(["[factors.start.levels]", *lines, "[design]", f"seeds = {seeds}", 'kind = "full"', more])
    return make_plan(parse_space(text, "stages"), task, lambda name: CARD)


def stage_groups(plan: Plan, made: set[str] | None = None) -> list[Any]:
    return stage_groups_of(works_of(plan, plan.trials.keys(), made or set()), plan)


SAME_STEP = (
    '"pretraining.learning_rate" = 1e-3',
    '"pretraining.seed" = 3',
    '"pretraining.steps" = 7',
    '"pretraining.checkpoint" = 50',
    '"pretraining.warmup_proportion" = 0.1',
)
OTHER_STEP = (
    '"pretraining.batch_size" = 16',
    '"pretraining.rate" = 0.3',
    '"pretraining.max_length" = 32',
    '"pretraining.clip_norm" = 1.0',
    '"pretraining.lookahead_steps" = 5',
    '"pretraining.dropout" = 0.0',
    SCRATCH,
    SCRATCH.replace('"pretraining.width" = 32', '"pretraining.width" = 64'),
    'precision = "bf16"',
)


def test_a_step_costs_the_same_whatever_its_rate_seed_and_place(task: Task) -> None:
    plan = planned(task, '"pretraining.rate" = 0.15', *SAME_STEP)
    (group,) = stage_groups(plan)
    assert (len(group.works), group.settings) == (1 + len(SAME_STEP), {})


def test_what_makes_a_step_dearer_is_a_group_of_its_own(task: Task) -> None:
    groups = stage_groups(planned(task, '"pretraining.seed" = 0', *OTHER_STEP))
    assert [len(group.works) for group in groups] == [1] * (1 + len(OTHER_STEP))
    assert [group.settings["batch_size"] for group in groups[:2]] == ["96", "16"]
    assert groups[7].settings["base"] == "scratch"
    assert "learning_rate" not in groups[0].settings


def test_only_whether_it_is_on_counts(task: Task) -> None:
    same = ('"pretraining.clip_norm" = 1.0', '"pretraining.clip_norm" = 2.0')
    (group,) = stage_groups(planned(task, *same))
    assert len(group.works) == 2


def test_trials_are_told_apart_by_what_they_start_from_and_not_by_how_it_was_trained(task: Task) -> None:
    """A pretraining of the encoder changes its weights: its trials cost what they did without."""
    shapes = (SCRATCH, SCRATCH.replace('"pretraining.width" = 32', '"pretraining.width" = 64'))
    groups = groups_of(planned(task, *SAME_STEP, *shapes, f'{SCRATCH}, "pretraining.seed" = 2', seeds="[0, 1]"))
    assert [len(group.trials) for group in groups] == [2 * (1 + len(SAME_STEP)), 4, 2]
    assert {group.encoder for group in groups} == {CARD.identity}


CHECKPOINTS = tuple(f'"pretraining.steps" = 100, "pretraining.checkpoint" = {step}' for step in (100, 20, 50))


def test_checkpoints_of_a_run_count_their_steps_once(task: Task) -> None:
    plan = planned(task, *CHECKPOINTS, '"pretraining.steps" = 30')
    by_step = {stage.last_step: stage.id for stage in plan.stages.values()}
    works = works_of(plan, plan.trials.keys(), set())
    assert [(work.stage.last_step, work.n_steps) for work in works] == [(20, 20), (50, 30), (100, 50), (30, 30)]
    assert [work.after for work in works] == [None, by_step[20], by_step[50], None]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ({20}, [(50, 30, None), (100, 50, 50)]),
        ({50}, [(20, 20, None), (100, 50, None)]),
        ({100}, [(20, 20, None), (50, 30, 20)]),
        ({20, 50, 100}, []),
    ],
)
def test_what_is_made_costs_nothing(task: Task, made: set[int], expected: list[tuple[int, int, int | None]]) -> None:
    plan = planned(task, *CHECKPOINTS)
    by_step = {stage.last_step: stage.id for stage in plan.stages.values()}
    steps = {stage_id: step for step, stage_id in by_step.items()}
    works = works_of(plan, plan.trials.keys(), {by_step[step] for step in made})
    assert [(work.stage.last_step, work.n_steps, steps.get(work.after or "")) for work in works] == expected


def test_of_some_trials_only_what_they_wait_for_counts(task: Task) -> None:
    plan = planned(task, *CHECKPOINTS, '"pretraining.steps" = 30')
    (trial,) = [one for one in plan.trials.values() if one.stage and one.stage.last_step == 50]
    assert [work.stage.last_step for work in works_of(plan, {trial.id}, set())] == [20, 50]
    assert works_of(plan, {one.id for one in plan.trials.values() if one.stage is None}, set()) == []
    assert stage_groups_of([], plan) == []
