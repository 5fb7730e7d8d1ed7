"""Contracts: many cells to one trial, dead knobs, seeds below cells, random order, growth of a study."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from gridsearch.encoders.card import EncoderCard
from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.recipe.poolings import READS
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.lengths import Lengths, TaskLengths
from gridsearch.trial import Failure

SMALL = Path(__file__).with_name("small.toml").read_text()
DEAD = """
[recipe]
pooling = "mean"
[factors]
reinit_pooler = [false, true]
bert_adam = [false, true]
[design]
seeds = [0, 1]
"""


def test_a_dead_knob_is_refused_with_the_reason(plan_of) -> None:
    with pytest.raises(RequestError, match="reinit_pooler cannot act: pooling = 'mean' never uses the pooler"):
        plan_of(DEAD)


def test_collapse_shares_one_trial_among_cells(plan_of) -> None:
    plan = plan_of(DEAD + 'on_dead = "collapse"\n')
    assert len(plan.cells) == 4
    assert len(plan.trials) == 4  # 2 of bert_adam x 2 seeds
    assert plan.cells[0].trials == plan.cells[2].trials
    assert plan.cells[0].trials != plan.cells[1].trials


def test_replicate_runs_dead_levels_with_seeds_of_their_own(plan_of) -> None:
    plan = plan_of(DEAD + 'on_dead = "replicate"\n')
    assert len(plan.trials) == 8
    off, on = plan.cells[0], plan.cells[2]
    assert [trial.recipe for trial in off.trials] == [trial.recipe for trial in on.trials]
    assert [trial.seed for trial in off.trials] == [0, 1]
    assert not {trial.seed for trial in on.trials} & {0, 1}
    # Two dead cells share their seeds: seeds stay blocks.
    assert [trial.seed for trial in on.trials] == [trial.seed for trial in plan.cells[3].trials]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[recipe]\nreinit_pooler = true\n[factors]\nbert_adam = [false, true]\n", "cannot act in any cell"),
        (
            '[recipe]\n"pretraining.objective" = "mlm"\n"pretraining.form" = "pairs"\n'
            '[factors]\n"pretraining.steps" = [0, 9]\n',
            "pretraining.form is set, but cannot act in any cell: the corpus holds single texts only",
        ),
        ('[factors]\ndecay_exclude = ["bias_and_norm", "none"]\n', "weight_decay = 0 leaves nothing to exclude"),
        ("[recipe]\nepochs = 1\n[factors]\nwarmup_proportion = [0.0, 0.01]\n", "less than one step"),
        ('[recipe]\nepochs = 1\n[factors]\nselection = ["best", "last"]\n', "leaves one epoch"),
        ('[factors.w.levels]\na = { class_weights = "none" }\nb = { class_weights = [2, 2] }\n', "only their ratios"),
        ("[factors]\nfrozen_dropout = [false, true]\n", "no frozen part"),
        ("[factors]\nfrozen_layers = [0, 7]\nreinit_layers = [0, 6]\n", "may not exceed the encoder's 12"),
        ("[factors]\nreinit_layers = [0, 13]\n", "may not exceed the encoder's 12"),
        ("[factors]\nclass_weights = [[1, 2, 3]]\n", "a weight for each of the 2 labels, but has 3"),
        ("[recipe]\nmax_length = 600\n[factors]\nbert_adam = [false, true]\n", "512 positions"),
        ('[factors]\nbert_adam = [false, true]\n[[rules]]\nskip = "true"\nwhy = "x"\n', "leave no cell"),
    ],
)
def test_what_cannot_act_or_contradicts_itself_is_refused(plan_of, text: str, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        plan_of(text)
    assert reason in str(caught.value)


def test_a_rule_goes_before_a_contradiction(plan_of) -> None:
    text = "[factors]\nfrozen_layers = [0, 7]\nreinit_layers = [0, 6]\n"
    plan = plan_of(text + '[[rules]]\nskip = "frozen_layers + 0 > 0"\nwhy = "x"\n'.replace(" + 0", ""))
    assert len(plan.cells) == 2


@pytest.mark.parametrize(
    "factors",
    [
        "class_weights = [[1, 1.5], [2, 3]]",
        'encoder_dropout = ["checkpoint", 0.1]',
        'reinit_layers = [6, "50%"]\nreinit_pooler = [true]',
    ],
)
def test_levels_that_come_to_the_same_are_refused(plan_of, factors: str) -> None:
    with pytest.raises(RequestError, match="are the same recipe"):
        plan_of(f'[factors]\n{factors}\n[design]\non_dead = "replicate"\n')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[factors]\nclass_weights = [[1, 1.5], [2, 3]]\n", "only the ratios of class weights matter"),
        ('[factors]\nreinit_layers = [6, "50%"]\n', "are the same recipe"),
        ("[factors]\nwarmup_proportion = [0.1, 0.11]\n", "the warm-up has "),
        ("[factors]\nbatch_size = [5000, 6000]\n", "no batch is larger than the "),
        ("[recipe]\nadversarial = 'pgd'\n[factors]\nadversarial_epsilon = [0.9, 2.0]\n", "reach no further than 0.9"),
        (
            "[factors.attack.levels]\na = { adversarial = 'fgm', adversarial_epsilon = 0.3 }\n"
            "b = { adversarial = 'pgd', adversarial_steps = 1 }\n",
            "PGD of one step is FGM",
        ),
        (
            "[recipe]\nswa_start = 0.0\nswa_learning_rate = 1e-4\n[factors]\nlearning_rate = [1e-5, 5e-5]\n",
            "weights are averaged from the first step on, with a learning rate of their own",
        ),
    ],
)
def test_levels_of_one_meaning_are_refused_with_the_reason(plan_of, text: str, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        plan_of(text)
    assert "are the same recipe" in str(caught.value)
    assert reason in str(caught.value)


def test_cells_of_one_meaning_share_a_trial_where_a_knob_may_be_dead(plan_of) -> None:
    text = '[factors]\npooling = ["cls", "cls_cat"]\npooling_layers = [1]\n[design]\non_dead = "collapse"\n'
    plan = plan_of(text)
    assert [set(cell.dead) for cell in plan.cells] == [{"pooling_layers"}, set()]
    assert len(plan.trials) == 1


def test_rules_see_values_as_they_were_written(plan_of) -> None:
    """Not in the spelling that ids are made of: 0.11 of the steps is as many as 0.1 may be."""
    rule = '[[rules]]\nskip = "warmup_proportion == 0.11"\nwhy = "x"\n'
    assert len(plan_of(f"[factors]\nwarmup_proportion = [0.0, 0.11]\n{rule}").cells) == 1


def test_a_short_warmup_of_the_original_bert_adam_is_no_dead_knob(plan_of) -> None:
    text = '[recipe]\noptimizer = "original_bert_adam"\nepochs = 1\n[factors]\nwarmup_proportion = [0.0, 0.01]\n'
    plan = plan_of(text)
    assert [cell.dead for cell in plan.cells] == [{}, {}]
    assert len(plan.trials) == 2


LENGTHS = "[factors]\nmax_length = [16, 64, 128]\nbert_adam = [false, true]\n"


def plan_with_longest(task, card, text: str, n_tokens: int, asked: list[str] | None = None) -> Plan:
    """Plan for texts of four tokens, but for one."""

    def lengths(card: EncoderCard) -> TaskLengths:
        (asked if asked is not None else []).append(card.name)
        return TaskLengths({"task": {"train": Lengths({4: 319}, 638, 0), "dev": Lengths({n_tokens: 1}, 1, 0)}}, "")

    return make_plan(parse_space(text, "small"), task, lambda encoder: card, lengths)


@pytest.mark.parametrize("n_tokens", [16, 40, 64])
def test_lengths_that_cut_nothing_are_refused(task, card, n_tokens: int) -> None:
    with pytest.raises(RequestError) as caught:
        plan_with_longest(task, card, LENGTHS, n_tokens)
    first = 16 if n_tokens == 16 else 64
    assert f"cell max_length = {first}, bert_adam = 0 and cell max_length = " in str(caught.value)
    assert f"the longest text has {n_tokens} tokens, and neither max_length cuts it" in str(caught.value)


def test_a_length_that_cuts_and_one_that_does_not_are_two(task, card) -> None:
    assert len(plan_with_longest(task, card, LENGTHS, 65).cells) == 6


def test_lengths_matter_to_poolings_that_read_as_many_positions(task, card) -> None:
    for pooling in [name for name, reads in READS.items() if reads.max_length]:
        assert plan_with_longest(task, card, f'[recipe]\npooling = "{pooling}"\n{LENGTHS}', 8).cells


def test_texts_are_counted_once_for_an_encoder(task, card) -> None:
    asked: list[str] = []
    plan_with_longest(task, card, LENGTHS, 500, asked)
    assert asked == ["tiny"]


def test_dropout_of_what_is_frozen_is_dead(plan_of) -> None:
    text = '[recipe]\nfrozen_layers = "100%"\n[factors]\nencoder_dropout = ["checkpoint", 0.5]\n'
    with pytest.raises(RequestError, match="the whole encoder is frozen"):
        plan_of(text)


def test_distinct_cells_that_come_to_the_same_still_share_a_trial(plan_of) -> None:
    plan = plan_of(DEAD + 'on_dead = "collapse"\nseed_policy = "distinct"\n')
    assert plan.cells[0].trials == plan.cells[2].trials != plan.cells[1].trials


def test_seeds_are_blocks_by_default_and_distinct_on_demand(plan_of) -> None:
    shared = plan_of(SMALL + "[design]\nseeds = [3, 4]\n")
    assert {tuple(trial.seed for trial in cell.trials) for cell in shared.cells} == {(3, 4)}
    distinct = plan_of(SMALL + '[design]\nseeds = [3, 4]\nseed_policy = "distinct"\n')
    seeds = [trial.seed for cell in distinct.cells for trial in cell.trials]
    assert len(set(seeds)) == 8


def test_running_order_is_seeded_complete_and_balanced_at_every_moment(plan_of) -> None:
    plan = plan_of(
        SMALL.replace("[false, true]", "[false, true]\nreinit_layers = [0, 6]") + "[design]\nseeds = [0, 1]\n"
    )
    order = plan.in_running_order(set(plan.trials))
    assert order == plan.in_running_order(set(plan.trials))
    assert {trial.id for trial in order} == set(plan.trials)
    assert [trial.id for trial in order] != list(plan.trials)
    for n_run in range(1, len(order) + 1):
        for knob in ("bert_adam", "reinit_layers", "warmup_proportion"):
            n_off = sum(not getattr(trial.recipe, knob) for trial in order[:n_run])
            assert abs(2 * n_off - n_run) <= 2, (n_run, knob)


def grow(tmp_path: Path, plan) -> int:
    with Study(tmp_path / "study").driven() as ledger:
        return ledger.adopt(plan, {})


def test_one_more_level_adds_only_its_cells(tmp_path: Path, plan_of) -> None:
    assert grow(tmp_path, plan_of(SMALL)) == 4
    assert grow(tmp_path, plan_of(SMALL)) == 0
    assert grow(tmp_path, plan_of(SMALL.replace("[0.0, 0.1]", "[0.0, 0.1, 0.2]"))) == 2


def test_a_new_axis_with_a_baseline_level_keeps_the_old_cells(tmp_path: Path, plan_of) -> None:
    old = plan_of(SMALL)
    grow(tmp_path, old)
    new = plan_of(SMALL + "reinit_layers = [0, 6]\n")
    assert grow(tmp_path, new) == 4
    assert set(old.trials) < set(new.trials)


def test_one_more_seed_is_growth(tmp_path: Path, plan_of) -> None:
    grow(tmp_path, plan_of(SMALL))
    assert grow(tmp_path, plan_of(SMALL + "[design]\nseeds = [0, 1]\n")) == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("epochs = 2", "epochs = 3"), "epochs was 2, now it is 3"),
        (("[0.0, 0.1]", "[0.0, 0.2]"), "factor warmup_proportion no longer has level 0.1"),
        (("[false, true]", "[false]"), "factor bert_adam no longer has level 1"),
        (('pooling = "pooler"\n', ""), "pooling was pooler, now it is not set"),
    ],
)
def test_anything_else_is_another_study(tmp_path: Path, plan_of, change: tuple[str, str], sentence: str) -> None:
    grow(tmp_path, plan_of(SMALL))
    before = held(tmp_path)
    with pytest.raises(RequestError) as caught:
        grow(tmp_path, plan_of(SMALL.replace(*change)))
    assert "holds another study" in str(caught.value)
    assert sentence in str(caught.value)
    assert held(tmp_path) == before


def held(tmp_path: Path) -> list[str]:
    """All that the ledger holds, but for which driver had it last."""
    with contextlib.closing(sqlite3.connect(tmp_path / "study" / "ledger.sqlite")) as connection:
        return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "driver"')]


def test_another_task_is_another_study(tmp_path: Path, plan_of, task, card) -> None:
    from dataclasses import replace

    grow(tmp_path, plan_of(SMALL))
    other = make_plan(parse_space(SMALL, "small"), replace(task, name="other", metric="f1_macro"), lambda name: card)
    with pytest.raises(RequestError, match="the task was small, now it is other"):
        grow(tmp_path, other)


def test_a_failed_trial_keeps_its_place_when_the_study_grows(tmp_path: Path, plan_of) -> None:
    plan = plan_of(SMALL)
    with Study(tmp_path / "study").driven() as ledger:
        ledger.adopt(plan, {})
        first = next(iter(plan.trials))
        attempt = ledger.start(first, ledger.provenance({}), "here", {})
        ledger.fail(attempt, Failure("code_error", "it broke"), final=True)
    grow(tmp_path, plan_of(SMALL + "reinit_layers = [0, 6]\n"))
    with Study(tmp_path / "study").open() as ledger:
        assert ledger.coverage().failed == 1
        assert first not in ledger.pending()
