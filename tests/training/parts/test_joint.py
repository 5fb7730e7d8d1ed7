"""Parts trained together and apart: against plain loops, against single tasks, and bit for bit where it is the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.batches import collate
from gridsearch.tasks.encode import EncodedTask, encode_task, joined
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.prepared import prepare
from gridsearch.trial import PART, Outcome
from tests.fixtures_core import ON_CPU, STILL, encoder_in, numbers_of_part, slow
from tests.training.parts.joint import joint_of, joint_task, trial_of_joint

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def bert(family_folders: dict[str, Path]) -> EncoderWeights:
    return encoder_in(family_folders["bert"])


@pytest.fixture(scope="module")
def joint(task: Task) -> JointTask:
    return joint_task(task)


@pytest.fixture(scope="module")
def encoded(bert: EncoderWeights) -> Callable[..., EncodedTask]:
    tokenizer = build_tokenizer(bert.tokenizer)
    return lambda task, *orders: encode_task(task, tokenizer, 24, *orders)


def run(bert: EncoderWeights, data: EncodedTask, *, execution: Execution = ON_CPU, **knobs: Any) -> Outcome:
    return finetune(trial_of_joint(**knobs), data, bert, execution)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        *map(
            slow, ({"pair_swap": "both"}, {"prediction_order": "both"}, {"r_drop": 1.0}, {"cooccurrence": "embedding"})
        ),
    ],
    ids=str,
)
def test_a_part_trained_separately_is_the_single_task(
    bert: EncoderWeights, joint: JointTask, encoded: Callable[..., EncodedTask], knobs: dict[str, Any]
) -> None:
    """Bit for bit, epoch by epoch: its rows, their order, its head and its dropout are those of the task alone."""
    orders = (knobs.get("prediction_order", "as_is"), knobs.get("pair_swap", "off"))
    together = run(bert, encoded(joint, *orders), parts_training="separate", selection="last", **knobs)
    for name, part in joint.parts.items():
        alone = run(bert, encoded(part, *orders), selection="last", **knobs)
        assert numbers_of_part(together.parts[name]) == numbers_of_part(alone.parts[PART])
        assert [epoch.dev[name] for epoch in together.epochs] == [epoch.dev[PART] for epoch in alone.epochs]


def test_one_part_alone_is_the_single_task(
    bert: EncoderWeights, joint: JointTask, encoded: Callable[..., EncodedTask]
) -> None:
    """Bit for bit, whatever it is called: the loop of several parts, with one of them."""
    task = encoded(joint.parts["topics"])
    one = joined({"topics": task}, {"topics": 1.0}, Target((("topics", "f1_macro"),)))
    assert one.train.part_of_row is not None
    outcomes = [run(bert, data, execution=Execution(device="cpu", keep_weights=True)) for data in (one, task)]
    first, second = (outcome.parts[name] for outcome, name in zip(outcomes, ("topics", PART), strict=True))
    assert numbers_of_part(first) == numbers_of_part(second)
    assert outcomes[0].weights == outcomes[1].weights
    assert [epoch.train_loss for epoch in outcomes[0].epochs] == [epoch.train_loss for epoch in outcomes[1].epochs]


@pytest.mark.parametrize("batches", ["one", "mixed"])
@pytest.mark.parametrize("weights", ["equal", "given"])
def test_a_step_minimises_the_sum_of_the_parts_mean_losses(
    bert: EncoderWeights, joint: JointTask, encoded: Callable[..., EncodedTask], batches: str, weights: str
) -> None:
    """Against plain torch: each part's logits are its own columns of the one row of logits."""
    trial = trial_of_joint(parts_batches=batches, parts_loss_weights=weights, gradient_accumulation=4, **STILL)
    steps = prepare(trial, encoded(joint), bert, ON_CPU)
    objective, data = steps.steps.objective, steps.data
    objective.model.train()
    for step in objective.batches(1):
        rows = np.concatenate(step)
        wanted = torch.zeros(())
        for number, (columns, weight) in enumerate([(slice(0, 2), 1.0), (slice(2, 5), 2.0)]):
            own = rows[data.train.part_of_row[rows] == number]
            if len(own):
                logits = objective.model(collate(data.train, own, data.pad_id, CPU))[0, :, columns]
                loss = cross_entropy(logits, torch.from_numpy(data.train.labels[own]))
                wanted = wanted + (weight if weights == "given" else 1.0) * loss
        assert float(objective.backward(step, 1)) == pytest.approx(float(wanted.detach()), rel=1e-5)


@pytest.mark.slow  # 1.1 s
@pytest.mark.parametrize("loss_weights", ["equal", "uncertainty", "dynamic_priority"])
def test_micro_batches_change_no_more_than_rounding(
    bert: EncoderWeights, joint: JointTask, encoded: Callable[..., EncodedTask], loss_weights: str
) -> None:
    knobs = {"parts_batches": "mixed", "parts_loss_weights": loss_weights, "epochs": 1, "r_drop": 1.0, **STILL}
    knobs |= {"classifier_dropout": 0.1}
    data = encoded(joint)
    whole, cut = (
        run(bert, data, execution=Execution(device="cpu", micro_batch_divisor=divisor), **knobs) for divisor in (1, 4)
    )
    assert whole.epochs[0].train_loss == pytest.approx(cut.epochs[0].train_loss, rel=1e-4)
    for name in joint.parts:
        np.testing.assert_allclose(whole.parts[name].dev_logits, cut.parts[name].dev_logits, atol=1e-3)


def test_an_outcome_is_per_part(bert: EncoderWeights, joint: JointTask, encoded: Callable[..., EncodedTask]) -> None:
    outcome = run(bert, encoded(joint))
    pairs, topics = outcome.parts["pairs"], outcome.parts["topics"]
    assert (pairs.dev_logits.shape, topics.dev_logits.shape) == ((8, 2), (10, 3))
    assert (pairs.test_logits, topics.test) == (None, None)
    assert topics.test_logits is not None
    assert topics.test_logits.shape == (5, 3)
    best = max(outcome.epochs, key=lambda epoch: (joint.target.of(epoch.dev), -epoch.number))
    assert outcome.chosen_epoch == best.number
    assert {name: part.dev for name, part in outcome.parts.items()} == best.dev


def test_rows_of_single_texts_are_read_alike_in_all_splits(
    joint: JointTask, encoded: Callable[..., EncodedTask]
) -> None:
    """The pairs have no test: the single texts of test are marked as those of train and dev are, all the same."""
    data = encoded(joint)
    for name in ("train", "dev", "test"):
        split = data.splits[name]
        assert split.shared is not None
        own = data.parts[1].rows_of(split)
        assert not split.shared[split.tokens_of(own)].any()


def test_parts_of_very_different_sizes_and_a_part_of_a_row_for_each_label(
    bert: EncoderWeights, joint: JointTask, encoded: Callable[..., EncodedTask]
) -> None:
    topics = joint.parts["topics"]
    few = replace(topics, train=topics.train.take(range(2)))
    several = joint_of({"topics": topics, "few": few})
    for knobs in ({}, {"parts_batches": "mixed"}, {"parts_sampling": "equal"}, {"parts_training": "separate"}):
        outcome = run(bert, encoded(several), epochs=1, **knobs)
        assert np.isfinite(outcome.epochs[0].train_loss)
        assert outcome.parts["few"].dev_logits.shape == (10, 3)


def test_folds_are_those_of_the_parts(joint: JointTask, encoded: Callable[..., EncodedTask]) -> None:
    """Every row of every part is judged once, by its number within the part."""
    data = encoded(joint)
    folds = np.concatenate([np.arange(len(part.train)) % 3 for part in joint.parts.values()]).astype(np.int8)
    seen: dict[str, list[int]] = {name: [] for name in joint.parts}
    for fold in range(3):
        own = data.of_fold(folds, fold)
        assert own.dev_rows is not None
        for part, task in zip(own.parts, joint.parts.values(), strict=True):
            rows = own.dev_rows[part.rows_of(own.dev)]
            assert part.labels_of(own.dev).tolist() == [task.train.labels[row] for row in rows]
            seen[part.name] += rows.tolist()
    assert {name: sorted(rows) for name, rows in seen.items()} == {
        name: list(range(len(part.train))) for name, part in joint.parts.items()
    }


def test_a_trial_learned_where_any_part_of_its_target_did(
    bert: EncoderWeights, joint: JointTask, encoded: Callable[..., EncodedTask]
) -> None:
    outcome = run(bert, encoded(joint), epochs=1, learning_rate=1e-12)
    assert outcome.not_learned == "" or outcome.not_learned.startswith("pairs: ")
    ruined = run(bert, encoded(joint), epochs=1, learning_rate=0.5)
    assert ruined.not_learned == "pairs: every dev row gets the same label; topics: every dev row gets the same label"
