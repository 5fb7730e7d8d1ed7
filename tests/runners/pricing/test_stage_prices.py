"""Pretrainings in a plan's price: measured, kept, predicted with; those that are made cost nothing."""

import json
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest

from gridsearch.cache import cache_folder
from gridsearch.encoders.load import describe
from gridsearch.encoders.pretraining.made import MODEL, RECORD, find, put
from gridsearch.planning.cost_groups import groups_of
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.planning.stage_groups import stage_groups_of, works_of
from gridsearch.space.space import load_space
from gridsearch.tasks.taskfile import load_task
from gridsearch.view import view_of
from runners.cli import build_parser
from runners.materials import make_materials
from runners.pricing.forecast import (
    PricedStages,
    circumstances_of,
    forecast_of,
    foreseen,
    known_forecast,
    known_prices,
    known_stage_prices,
    made_stages,
)
from runners.pricing.forecast_text import price_lines
from runners.pricing.price_cache import StagePrice, find_stage_price, save_price
from runners.pricing.stand_ins import with_stand_ins
from tests.runners.pricing.test_price_cache import HERE, PRICE, flat, price_all
from tests.runners.test_cli import question, run

SPACE = """
title = "What a pretraining costs"
[recipe]
epochs = 1
learning_rate = 3e-3
batch_size = 16
max_length = 24
"pretraining.batch_size" = 16
"pretraining.max_length" = 24
[factors.start.levels]
none = { "pretraining.objective" = "none" }
further = { "pretraining.objective" = "mlm", "pretraining.steps" = 12 }
scratch = { "pretraining.objective" = "mlm", "pretraining.steps" = 20, "pretraining.base" = "scratch", \
"pretraining.layers" = 1, "pretraining.width" = 16, "pretraining.heads" = 2 }
half = { "pretraining.objective" = "mlm", "pretraining.steps" = 20, "pretraining.base" = "scratch", \
"pretraining.layers" = 1, "pretraining.width" = 16, "pretraining.heads" = 2, "pretraining.checkpoint" = 10 }
[design]
on_dead = "collapse"
seeds = [0, 1]
"""
STAGE_PRICE = StagePrice(
    setup_seconds=1.0, step_seconds=0.5, low_step_seconds=0.4, high_step_seconds=0.6,
    n_visits=2, n_workers=2, start_seconds=4.0, measured=1_795_000_000.0, core_share=0.5,
)  # fmt: skip


@pytest.fixture
def plan(project: Path, encoder_folder: Path) -> Plan:
    """Plan trials of two seeds that start from the encoder, from it further trained, and from two checkpoints."""
    (project / "question.toml").write_text(SPACE)
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(encoder_folder)})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


def stages_priced(plan: Plan) -> PricedStages:
    groups = stage_groups_of(works_of(plan, plan.trials.keys(), made_stages(plan)), plan)
    return PricedStages(tuple(groups), tuple(STAGE_PRICE for _ in groups))


def make_up(stage_id: str) -> None:
    """Let something lie where a stage's encoder would."""
    put(stage_id, {MODEL: b"weights", RECORD: json.dumps({"checksum": sha256(b"weights").hexdigest()}).encode()})


def test_a_stage_price_comes_back_and_is_another_than_that_of_trials(plan: Plan) -> None:
    (further, scratch) = stages_priced(plan).groups
    circumstances = circumstances_of(plan, HERE)
    assert find_stage_price(further, circumstances, 2) is None
    save_price(STAGE_PRICE, further, circumstances)
    assert find_stage_price(further, circumstances, 1) == STAGE_PRICE
    assert find_stage_price(scratch, circumstances, 2) is None
    # The same texts are the same corpus, whichever task they are of; another machine or thread count is another price.
    assert find_stage_price(further, replace(circumstances, task="another"), 2) == STAGE_PRICE
    assert find_stage_price(further, replace(circumstances, threads=2), 2) is None
    assert known_prices(plan, groups_of(plan), HERE) == [None, None]


def test_seconds_of_a_pretraining_follow_from_its_steps() -> None:
    assert (STAGE_PRICE.low(10), STAGE_PRICE.seconds(10), STAGE_PRICE.high(10)) == (5.0, 6.0, 7.0)


def test_hours_follow_from_who_waits_for_what(plan: Plan) -> None:
    """Eight trials of 2 s: two at once, two after 12 steps, two after 10, two after 10 more; half a second a step."""
    groups = groups_of(plan)
    assert [len(group.trials) for group in groups] == [4, 4]
    found = forecast_of(plan, groups, [PRICE] * 2, HERE, stages_priced(plan))
    assert found.stage_seconds == 7.0 + 6.0 + 6.0
    assert found.held_seconds == 2 * 4.0 + 8 * 2.0 + 19.0
    # The run from scratch is the longest way, but for the trials between: nothing is shorter, and serial is longer.
    assert 4 + 6 + 6 + 2 <= found.wall_seconds <= 4 + 8 * 2 + 19
    alone = forecast_of(plan, groups, [PRICE] * 2, replace(HERE, n_workers=1), stages_priced(plan))
    assert alone.wall_seconds == 4 + 8 * 2 + 19
    assert found.low < found.wall_seconds < found.high
    without = forecast_of(plan, groups, [PRICE] * 2, HERE)
    assert (without.stage_seconds, without.wall_seconds) == (0, 4 + 8)
    assert without.wall_seconds_of_trials == without.wall_seconds


def test_what_the_ledger_keeps_is_of_trials_and_pretrainings_stand_by_themselves(plan: Plan) -> None:
    found = forecast_of(plan, groups_of(plan), [PRICE] * 2, HERE, stages_priced(plan))
    kept = json.loads(json.dumps(found.to_json()))
    assert kept["core_seconds"] == 2 * 4.0 + 8 * 2.0
    assert sum(kept["pretraining"].values()) == 19.0
    assert kept["pretraining"].keys() == plan.stages.keys()
    assert sum(len(group["trials"]) for group in kept["groups"]) == kept["trials"] == 8
    of_stages_alone = replace(found, wall_seconds_of_trials=9.0).to_json()
    assert of_stages_alone["wall_seconds"] == 9.0


def test_from_the_first_trial_on(plan: Plan) -> None:
    """The page knows when the first trial began, and not what came before it."""
    (trial,) = [one for one in plan.trials.values() if one.stage and one.stage.last_step == 12 and one.seed == 0]
    (group,) = [replace(one, trials=(trial,)) for one in groups_of(plan) if trial in one.trials]
    (work,) = works_of(plan, {trial.id}, set())
    stages = PricedStages(tuple(stage_groups_of([work], plan)), (STAGE_PRICE,))
    found = forecast_of(plan, [group], [PRICE], HERE, stages)
    assert (found.wall_seconds, found.wall_seconds_of_trials) == (4 + 7 + 2, 4 + 2)


def test_pretrainings_that_are_made_cost_nothing(plan: Plan) -> None:
    groups = groups_of(plan)
    scratch = [stage for stage in plan.stages.values() if stage.recipe.base == "scratch"]
    half, whole = sorted(scratch, key=lambda stage: stage.last_step)
    make_up(half.id)
    assert made_stages(plan) == {half.id}
    assert forecast_of(plan, groups, [PRICE] * 2, HERE, stages_priced(plan)).stage_seconds == 7.0 + 6.0
    make_up(whole.id)
    found = forecast_of(plan, groups, [PRICE] * 2, HERE, stages_priced(plan))
    assert found.stage_seconds == 7.0
    assert len(found.to_json()["pretraining"]) == 1


def test_nothing_is_foreseen_where_the_price_of_a_pretraining_lacks(plan: Plan) -> None:
    price_all(plan)
    sweep = build_parser().parse_args(["sweep", "space", "--workers", "2"])
    assert foreseen(plan, set(plan.trials), sweep) == {}
    without = {trial.id for trial in plan.trials.values() if trial.stage is None}
    assert foreseen(plan, without, sweep)["predicted"]["pretraining"] == {}
    for group in stages_priced(plan).groups:
        save_price(STAGE_PRICE, group, circumstances_of(plan, HERE))
    assert len(foreseen(plan, set(plan.trials), sweep)["predicted"]["pretraining"]) == 3
    assert known_forecast(plan, groups_of(plan), stages_priced(plan).groups, HERE) is not None


def test_trials_are_measured_with_what_is_there(plan: Plan) -> None:
    """No pretraining is needed for it, and none of the weights are read that only one would make."""
    groups = groups_of(plan)
    several, materials = with_stand_ins(groups, make_materials(plan, set(plan.trials), lambda text: None))
    assert [len({trial.encoder for trial in trials}) for trials in several] == [1, 1]
    assert [[trial.id for trial in trials] for trials in several] == [[t.id for t in one.trials] for one in groups]
    for group, trials in zip(groups, several, strict=True):
        for own, trial in zip(group.trials, trials, strict=True):
            assert view_of(own) == view_of(trial)
            config = materials.encoder_of(trial).config
            is_scratch = own.stage is not None and own.stage.recipe.base == "scratch"
            assert (config["hidden_size"], config["num_hidden_layers"]) == ((16, 1) if is_scratch else (32, 2))
    assert not any(find(stage) for stage in plan.stages)


def test_the_price_tells_the_pretrainings(plan: Plan) -> None:
    lines = price_lines(forecast_of(plan, groups_of(plan), [PRICE] * 2, HERE, stages_priced(plan)))
    printed = flat(" ".join(lines))
    assert "44% of these hours are 3 pretrainings; a trial waits for its own alone:" in printed
    shape = "family = bert, layers = 1, width = 16, heads = 2"
    assert f"2 x 10 steps of 0.5 s, 6 s each: base = scratch, {shape}" in printed
    assert "1 x 12 steps of 0.5 s, 7 s each: base = encoder measured" in printed
    assert all(len(line) <= 80 for line in "\n".join(lines[:-1]).splitlines())


def test_a_plan_says_what_is_not_measured(plan: Plan, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = question(encoder_folder, "--workers", "2")
    assert "not measured yet on this machine" in run("plan", *asked, capsys=capsys)
    price_all(plan)
    printed = flat(run("plan", *asked, capsys=capsys))
    assert "2 of 4 groups of trials and pretrainings have been measured on this machine" in printed
    for stage_id in plan.stages:
        make_up(stage_id)
    printed = flat(run("plan", *asked, capsys=capsys))
    assert "3 made already" in printed
    assert "of these hours" not in printed
    assert "about 15.0 s by 2 workers" in printed  # 4 to start; then four of 2 and four of 3 in some order


@pytest.mark.slow  # starts two workers, twice; the parts are tested above
def test_measured_and_swept(plan: Plan, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real workers measure trials and pretrainings, and make none; the sweep then keeps what was predicted of both."""
    printed = run("plan", *question(encoder_folder, "--measure", "--workers", "2"), capsys=capsys)
    assert "measuring 2 kinds of trials and 2 of pretrainings, 2 at a time" in printed
    assert "are 3 pretrainings" in flat(printed)
    assert not (cache_folder() / "pretraining").exists()
    assert made_stages(plan) == set()
    prices = known_stage_prices(plan, stages_priced(plan).groups, HERE)
    for price in prices:
        assert price is not None
        assert 0 < price.low_step_seconds <= price.step_seconds <= price.high_step_seconds
        assert (price.n_visits, price.n_workers) == (2, 2)
    run("sweep", *question(encoder_folder, "--runner", "processes", "--workers", "2"))
    assert made_stages(plan) == plan.stages.keys()
    run("report", "study", "--format", "json")
    kept = json.loads(Path("study/page.json").read_text())["provenance"][0]["predicted"]
    assert kept["pretraining"].keys() == plan.stages.keys()
    capsys.readouterr()
    assert "of these hours" not in run("plan", *question(encoder_folder, "--workers", "2"), capsys=capsys)
