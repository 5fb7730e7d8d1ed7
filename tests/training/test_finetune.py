"""The training loop: what it computes, that it computes it again, and what it leaves behind."""

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load as load_tensors
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor

from gridsearch.encoders.classifier import Classifier, build_classifier
from gridsearch.encoders.load import EncoderWeights
from gridsearch.errors import DivergedError, GridSearchError
from gridsearch.optimizers.schedule import linear
from gridsearch.optimizers.updates import Updates
from gridsearch.randomness import derived_seed, numpy_stream
from gridsearch.tasks.batches import collate, training_batches
from gridsearch.tasks.encode import EncodedSplit, EncodedTask, encode_task
from gridsearch.tasks.metrics import score
from gridsearch.tasks.target import target_of
from gridsearch.tasks.task import Split, Task
from gridsearch.threads import threads_of
from gridsearch.training import deadline
from gridsearch.training.deadline import TimeLimitError
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune, finetuning
from gridsearch.training.losses.classes import class_weights
from gridsearch.training.prepared import Prepared
from gridsearch.training.steps import Steps
from gridsearch.trial import ONE_MODEL, Epoch, Outcome
from tests.fixtures_core import (
    ON_CPU,
    STILL,
    dev_logits_of,
    encoder_in,
    losses_of,
    numbers_of,
    recipe_of,
    run_trial,
    slow,
    trial_of,
)

CPU = torch.device("cpu")
KEEPING = Execution(device="cpu", keep_weights=True)


def weights_of(outcome: Outcome) -> dict[str, Tensor]:
    assert outcome.weights is not None
    return load_tensors(outcome.weights[ONE_MODEL])


def initial_weights(encoder: EncoderWeights, seed: int = 0, **knobs: Any) -> dict[str, Tensor]:
    return build_classifier(recipe_of(**knobs), encoder, 3, seed).state_dict()


@pytest.fixture(scope="module")
def plain(encoder: EncoderWeights, data: EncodedTask) -> Outcome:
    """Return the outcome of the plainest trial, weights included: most tests compare with it."""
    return run_trial(encoder, data, execution=KEEPING)


# --- it learns, and it reports what it did


def test_it_learns(plain: Outcome) -> None:
    assert losses_of(plain)[-1] < losses_of(plain)[0] < 1.3
    assert losses_of(plain)[-1] < math.log(3)
    assert plain.not_learned == ""


def test_it_reports_every_epoch(plain: Outcome, data: EncodedTask) -> None:
    assert [epoch.number for epoch in plain.epochs] == [1, 2, 3]
    assert all(epoch.train_seconds > 0 and epoch.dev_seconds > 0 for epoch in plain.epochs)
    assert plain.seconds > sum(epoch.train_seconds for epoch in plain.epochs)
    assert plain.peak_bytes > 50_000_000
    part = plain.parts["task"]
    assert part.dev_logits.shape == (30, 3)
    assert part.dev_logits.dtype == np.float32
    assert data.dev.labels is not None
    assert part.dev == score(data.dev.labels, part.dev_logits)
    assert part.dev == plain.epochs[plain.chosen_epoch - 1].dev["task"]
    assert data.test is not None
    assert data.test.labels is not None
    assert part.test_logits is not None
    assert part.test == score(data.test.labels, part.test_logits)


@pytest.mark.slow  # 1.6 s; test_worker.py goes epoch by epoch
def test_epochs_are_told_as_they_pass(encoder: EncoderWeights, data: EncodedTask) -> None:
    told: list[Epoch] = []
    outcome = finetune(trial_of(), data, encoder, ON_CPU, told.append)
    assert tuple(told) == outcome.epochs


def test_without_a_test(encoder: EncoderWeights, data: EncodedTask) -> None:
    part = run_trial(encoder, replace(data, test=None), epochs=1).parts["task"]
    assert (part.test, part.test_logits) == (None, None)


def test_an_unlabelled_test_has_logits_and_no_score(encoder: EncoderWeights, data: EncodedTask, plain: Outcome) -> None:
    assert data.test is not None
    unlabelled = replace(data, test=replace(data.test, labels=None))
    part = run_trial(encoder, unlabelled).parts["task"]
    assert part.test is None
    np.testing.assert_array_equal(part.test_logits, plain.parts["task"].test_logits)


# --- the same trial has the same result


def test_the_same_trial_twice(encoder: EncoderWeights, data: EncodedTask, plain: Outcome) -> None:
    assert numbers_of(run_trial(encoder, data, execution=KEEPING)) == numbers_of(plain)


def test_another_seed_is_another_result(encoder: EncoderWeights, data: EncodedTask, plain: Outcome) -> None:
    assert losses_of(run_trial(encoder, data, seed=1, epochs=1)) != losses_of(plain)[:1]


@pytest.mark.slow  # two trials
def test_after_other_trials(encoder: EncoderWeights, data: EncodedTask, plain: Outcome) -> None:
    run_trial(encoder, data, bert_adam=True, reinit_layers=2, frozen_layers=1, precision="bf16", epochs=1)
    assert numbers_of(run_trial(encoder, data, execution=KEEPING)) == numbers_of(plain)


@pytest.fixture
def two_threads_outside() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads_outside")
def test_whatever_the_process_has_set(encoder: EncoderWeights, data: EncodedTask, plain: Outcome) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(99)
        np.random.seed(99)
        state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
        assert numbers_of(run_trial(encoder, data, execution=KEEPING)) == numbers_of(plain)
        assert torch.equal(torch.get_rng_state(), state)
        assert np.random.get_state()[1].tolist() == numpy_state  # type: ignore[index]
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads_outside")
def test_a_trial_given_up_leaves_the_process_as_it_was(encoder: EncoderWeights, data: EncodedTask) -> None:
    state = torch.get_rng_state()
    running = finetuning(trial_of(), data, encoder, ON_CPU)
    next(running)
    running.close()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == 2


@pytest.mark.slow  # 1.3 s
def test_the_first_epochs_do_not_depend_on_dev(encoder: EncoderWeights, data: EncodedTask, plain: Outcome) -> None:
    """Evaluation draws nothing: the training goes on as without it."""
    half = np.arange(data.dev.starts[10])
    assert data.dev.types is not None
    assert data.dev.labels is not None
    smaller = EncodedSplit(data.dev.ids[half], data.dev.types[half], data.dev.starts[:11], data.dev.labels[:10])
    assert losses_of(run_trial(encoder, replace(data, dev=smaller))) == losses_of(plain)


# --- against a loop written plainly


def plain_loop(model: Classifier, data: EncodedTask, n_epochs: int) -> list[float]:
    """Train with torch's own AdamW and loss and transformers' schedule; return the mean loss of each epoch."""
    from transformers import get_linear_schedule_with_warmup

    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=5e-3, weight_decay=0.1, eps=1e-6)
    schedule = get_linear_schedule_with_warmup(optimizer, 5, 4 * n_epochs)
    labels = torch.from_numpy(data.train.labels)
    steps = itertools.count()
    means = []
    for epoch in range(1, n_epochs + 1):
        losses = []
        for rows in training_batches(data.train.lengths, 24, numpy_stream(0, "order", epoch)):
            torch.manual_seed(derived_seed(0, "dropout", next(steps)))
            logits = model(collate(data.train, rows, data.pad_id, CPU))[0]
            loss = torch.nn.functional.cross_entropy(logits, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        assert len(losses) == 4
        means.append(float(np.mean(losses)))
    return means


@pytest.mark.parametrize("more", [slow(STILL), {}, slow({"classifier_dropout": 0.4, "frozen_layers": 1})])
def test_against_a_plain_loop(encoder: EncoderWeights, data: EncodedTask, more: dict[str, Any]) -> None:
    """20 steps in our order of the rows, with our random numbers for dropout; nothing is evaluated in between."""
    knobs: dict[str, Any] = {"epochs": 5, "batch_size": 24, "warmup_proportion": 0.25, "weight_decay": 0.1, **more}
    knobs |= {"decay_exclude": "none", "clip_norm": 1.0, "adam_epsilon": 1e-6, "selection": "last"}
    outcome = run_trial(encoder, data, execution=KEEPING, **knobs)
    model = build_classifier(recipe_of(**knobs), encoder, 3, seed=0).train()
    with threads_of(1), torch.random.fork_rng():
        means = plain_loop(model, data, n_epochs=5)
    np.testing.assert_allclose(losses_of(outcome), means, rtol=1e-5)
    for name, tensor in weights_of(outcome).items():
        torch.testing.assert_close(tensor, model.state_dict()[name], rtol=1e-3, atol=1e-5)


# --- which epoch, and where test is scored


def judged_by(data: EncodedTask, metric: str) -> EncodedTask:
    return replace(data, target=target_of(metric))


@pytest.mark.parametrize("metric", [slow("accuracy"), slow("f1_macro"), "log_loss"])
@pytest.mark.parametrize("learning_rate", [2e-3, slow(1e-2)])
def test_the_best_epoch_is_chosen(
    encoder: EncoderWeights, data: EncodedTask, metric: str, learning_rate: float
) -> None:
    outcome = run_trial(encoder, judged_by(data, metric), epochs=4, learning_rate=learning_rate)
    values = [epoch.dev["task"][metric] for epoch in outcome.epochs]
    best = min(values) if metric == "log_loss" else max(values)
    assert outcome.chosen_epoch == values.index(best) + 1
    assert outcome.parts["task"].dev[metric] == best


@pytest.mark.slow  # 1.4 s; test_the_last_epoch_when_asked is quick
def test_a_tie_goes_to_the_earlier_epoch(encoder: EncoderWeights, data: EncodedTask) -> None:
    outcome = run_trial(encoder, judged_by(data, "accuracy"), learning_rate=1e-12)
    assert len({epoch.dev["task"]["accuracy"] for epoch in outcome.epochs}) == 1
    assert outcome.chosen_epoch == 1


def test_the_last_epoch_when_asked(encoder: EncoderWeights, data: EncodedTask) -> None:
    outcome = run_trial(encoder, judged_by(data, "accuracy"), learning_rate=1e-12, selection="last")
    assert outcome.chosen_epoch == 3


def logits_row_by_row(model: Classifier, split: EncodedSplit) -> np.ndarray:
    model.eval()
    with torch.no_grad():
        return np.concatenate([model(collate(split, np.array([row]), 0, CPU))[0].numpy() for row in range(len(split))])


@pytest.mark.slow  # 2 s; test_the_last_epoch_when_asked is quick
def test_the_outcome_is_of_the_chosen_epoch(encoder: EncoderWeights, data: EncodedTask) -> None:
    """Best and last differ here; weights, dev and test are then all of the best epoch."""
    # Growing wrong is sure when dev's labels are turned round: the best epoch is then an early one.
    assert data.dev.labels is not None
    turned = replace(judged_by(data, "log_loss"), dev=replace(data.dev, labels=(data.dev.labels + 1) % 3))
    outcome = run_trial(encoder, turned, execution=KEEPING, epochs=4)
    assert outcome.chosen_epoch < 4
    model = build_classifier(recipe_of(), encoder, 3, seed=0)
    model.load_state_dict(weights_of(outcome))
    assert data.test is not None
    for split, logits in (
        (data.dev, outcome.parts["task"].dev_logits),
        (data.test, outcome.parts["task"].test_logits),
    ):
        np.testing.assert_allclose(logits_row_by_row(model, split), logits, rtol=1e-4, atol=1e-5)


@pytest.mark.slow  # 1.7 s; tests/optimizers/test_schedule.py has every schedule
def test_the_schedule_is_that_of_the_recipe(encoder: EncoderWeights, data: EncodedTask) -> None:
    """The first epoch of three is not the first epoch of one: the rate falls over all steps."""
    assert losses_of(run_trial(encoder, data, epochs=1)) != losses_of(run_trial(encoder, data, epochs=3))[:1]


@pytest.mark.slow  # 7 s
@pytest.mark.parametrize("patience", [1, 2])
def test_patience_ends_a_run_and_leaves_its_schedule(encoder: EncoderWeights, data: EncodedTask, patience: int) -> None:
    """With dev's labels turned round the run grows worse as it learns."""
    assert data.dev.labels is not None
    turned = replace(judged_by(data, "log_loss"), dev=replace(data.dev, labels=(data.dev.labels + 1) % 3))
    whole, ended = run_trial(encoder, turned, epochs=6), run_trial(encoder, turned, epochs=6, patience=patience)
    assert whole.chosen_epoch + patience < 6
    assert len(ended.epochs) == ended.chosen_epoch + patience
    assert losses_of(ended) == losses_of(whole)[: len(ended.epochs)]
    assert numbers_of(ended)[1:] == numbers_of(whole)[1:]


@pytest.mark.slow  # 3 s
def test_patience_starts_again_with_every_better_epoch(encoder: EncoderWeights, data: EncodedTask) -> None:
    outcome = run_trial(encoder, data, epochs=8, patience=2, learning_rate=2e-3)
    values = [epoch.dev["task"]["f1_macro"] for epoch in outcome.epochs]
    best_so_far = [max(values[: number + 1]) for number in range(len(values))]
    waited = [number - best_so_far.index(best) for number, best in enumerate(best_so_far)]
    assert all(epochs < 2 for epochs in waited[:-1])
    assert len(outcome.epochs) == 8 or waited[-1] == 2


# --- what is evaluated, and what is attacked


@pytest.mark.slow  # 3 s; tests/optimizers/test_averaging.py is quick
@pytest.mark.parametrize("knobs", [slow({"ema_decay": 0.9}), {"swa_start": 0.4}], ids=str)
def test_an_average_changes_what_is_evaluated_and_nothing_else(
    encoder: EncoderWeights, data: EncodedTask, plain: Outcome, knobs: dict[str, Any]
) -> None:
    averaged = run_trial(encoder, data, **knobs)
    assert losses_of(averaged) == losses_of(plain)
    assert (dev_logits_of(averaged) != dev_logits_of(plain)).any()


@pytest.mark.slow  # 3 s
def test_a_mean_that_has_not_begun_is_not_evaluated(encoder: EncoderWeights, data: EncodedTask) -> None:
    whole, averaged = run_trial(encoder, data), run_trial(encoder, data, swa_start=0.7)
    assert [e.dev for e in averaged.epochs[:2]] == [e.dev for e in whole.epochs[:2]]
    assert averaged.epochs[2].dev != whole.epochs[2].dev


@pytest.mark.slow  # tests/training/test_kept_weights.py has it of every head
def test_the_kept_weights_are_those_evaluated(encoder: EncoderWeights, data: EncodedTask) -> None:
    outcome = run_trial(encoder, data, execution=KEEPING, ema_decay=0.9, lookahead_steps=5)
    model = build_classifier(recipe_of(), encoder, 3, seed=0)
    model.load_state_dict(weights_of(outcome))
    np.testing.assert_allclose(logits_row_by_row(model, data.dev), dev_logits_of(outcome), rtol=1e-4, atol=1e-5)


@pytest.mark.slow  # 3 s
def test_an_attack_starts_with_its_epoch(encoder: EncoderWeights, data: EncodedTask, plain: Outcome) -> None:
    """Losses are those of the clean text, so the first step under attack has the loss of one without."""
    from_second = losses_of(run_trial(encoder, data, adversarial="fgm", adversarial_start=2))
    assert from_second[0] == losses_of(plain)[0]
    assert from_second[1] != losses_of(plain)[1]


# --- what trains


def test_frozen_parameters_stay_and_all_others_move(encoder: EncoderWeights, data: EncodedTask) -> None:
    knobs: dict[str, Any] = {"frozen_layers": 2, "weight_decay": 0.1, "selection": "last", "epochs": 1}
    before = initial_weights(encoder, **knobs)
    after = weights_of(run_trial(encoder, data, execution=KEEPING, **knobs))
    stayed = {name for name in before if torch.equal(before[name], after[name])}
    frozen = ("encoder.embeddings.", "encoder.encoder.layer.0.", "encoder.encoder.layer.1.", "encoder.pooler.")
    unmoved_by_nature = {name for name in before if name.startswith(frozen)}
    assert stayed == unmoved_by_nature


def test_an_unread_pooler_does_not_decay(encoder: EncoderWeights, data: EncodedTask) -> None:
    before = initial_weights(encoder)
    after = weights_of(run_trial(encoder, data, execution=KEEPING, weight_decay=0.5, bert_adam=True, epochs=1))
    assert torch.equal(before["encoder.pooler.dense.weight"], after["encoder.pooler.dense.weight"])


def test_weight_decay_shrinks_what_decays(encoder: EncoderWeights, data: EncodedTask) -> None:
    """With a learning rate of 1e-3 and decay 1, a word that no text holds falls by the rate of each step."""
    knobs: dict[str, Any] = {"weight_decay": 1.0, "learning_rate": 1e-3, "epochs": 1, "selection": "last"}
    before = initial_weights(encoder)["encoder.embeddings.word_embeddings.weight"]
    after = weights_of(run_trial(encoder, data, execution=KEEPING, **knobs))[
        "encoder.embeddings.word_embeddings.weight"
    ]
    unused = sorted(set(range(before.shape[0])) - set(data.train.ids.tolist()) - {data.pad_id})
    assert unused
    factor = math.prod(1 - 1e-3 * linear(step, 0, 12) for step in range(12))
    torch.testing.assert_close(after[unused], before[unused] * factor, rtol=1e-5, atol=1e-7)


def test_a_warmup_starts_with_a_step_of_no_rate(encoder: EncoderWeights, data: EncodedTask) -> None:
    """One step in all but a warm-up of half of two steps: the second has the whole rate, the first none."""
    knobs: dict[str, Any] = {"epochs": 1, "batch_size": 48, "warmup_proportion": 0.5, "selection": "last", **STILL}
    before = initial_weights(encoder, **knobs)["classifier.bias"]
    after = weights_of(run_trial(encoder, data, execution=KEEPING, **knobs))["classifier.bias"]
    assert 0 < (after - before).abs().max() <= 5e-3 * 1.01


# --- batches, accumulation, micro-batches


def close(one: Outcome, other: Outcome, rtol: float = 1e-4) -> None:
    np.testing.assert_allclose(losses_of(one), losses_of(other), rtol=1e-5)
    np.testing.assert_allclose(dev_logits_of(one), dev_logits_of(other), rtol=rtol, atol=1e-4)


@pytest.mark.slow  # 1.2 s; tests/optimizers/test_course.py has all combinations
@pytest.mark.parametrize("weights", ["none", (1.0, 5.0, 0.2)])
def test_two_batches_accumulated_are_one_of_twice_the_size(
    encoder: EncoderWeights, data: EncodedTask, weights: Any
) -> None:
    """One step an epoch, so that both see the same rows; 96 is no multiple of 40, so that a mean of means differs."""
    knobs: dict[str, Any] = {"class_weights": weights, "learning_rate": 1e-3, **STILL}
    whole = run_trial(encoder, data, batch_size=96, **knobs)
    close(run_trial(encoder, data, batch_size=40, gradient_accumulation=3, **knobs), whole)
    close(run_trial(encoder, data, batch_size=40, gradient_accumulation=50, **knobs), whole)


@pytest.mark.slow  # 1.4 s; tests/optimizers/test_course.py counts steps
def test_accumulation_changes_the_number_of_steps(encoder: EncoderWeights, data: EncodedTask) -> None:
    """12 batches of 8 are 5 steps of 3 batches at most; the schedule ends with the last of them."""
    recipe = recipe_of(gradient_accumulation=5)
    assert recipe.steps_per_epoch(96) == 3
    outcome = run_trial(encoder, data, gradient_accumulation=5, learning_rate=1e-2)
    assert losses_of(outcome)[-1] < losses_of(outcome)[0]


@pytest.mark.slow  # 6 s; that no row is left out is quick
@pytest.mark.parametrize("divisor", [2, slow(3), slow(100)])
def test_micro_batches_give_the_same_update(encoder: EncoderWeights, data: EncodedTask, divisor: int) -> None:
    knobs: dict[str, Any] = {
        "class_weights": "balanced",
        "learning_rate": 1e-3,
        "gradient_accumulation": 2,
        "clip_norm": 0.5,
        **STILL,
    }
    divided = run_trial(encoder, data, execution=replace(ON_CPU, micro_batch_divisor=divisor), **knobs)
    close(divided, run_trial(encoder, data, **knobs))


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"multi_sample_dropout": 3, "gradient_accumulation": 2},
        {"r_drop": 1.0},
        slow({"adversarial": "fgm"}),
        slow({"adversarial": "freelb", "freelb_init": 0.5}),
    ],
    ids=lambda knobs: " ".join(knobs) or "plain",
)
def test_micro_batches_drop_what_the_batch_would(
    encoder: EncoderWeights, data: EncodedTask, knobs: dict[str, Any]
) -> None:
    """Tried again in smaller batches a trial has the same noise, not only the same expectation."""
    knobs = {"learning_rate": 1e-3, "epochs": 1, "pooling": "mean", **knobs}
    whole = run_trial(encoder, data, **knobs)
    close(run_trial(encoder, data, execution=replace(ON_CPU, micro_batch_divisor=3), **knobs), whole)
    other = run_trial(encoder, data, seed=1, **knobs)
    assert abs(losses_of(other)[0] - losses_of(whole)[0]) > 1e-4, "noise that would show"


@pytest.mark.slow  # 1.9 s
def test_smaller_batches_hold_for_evaluation_too(
    encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def watched(split: EncodedSplit, rows: np.ndarray, *more: Any) -> dict[str, torch.Tensor]:
        seen.append(len(rows))
        return collate(split, rows, *more)

    monkeypatch.setattr("gridsearch.training.prepared.collate", watched)
    knobs: dict[str, Any] = {"epochs": 1, "learning_rate": 1e-3}
    whole = run_trial(encoder, data, **knobs)
    assert max(seen) == len(data.dev)
    seen.clear()
    close(run_trial(encoder, data, execution=replace(ON_CPU, micro_batch_divisor=8), **knobs), whole)
    assert max(seen) == 16 < len(data.dev)


def test_a_time_limit_is_looked_at_between_steps_and_in_evaluation(
    encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that goes on by a second each time it is read: the limit comes at every moment of the trial."""
    n_epochs = []
    # 96 rows are 12 steps of an epoch, and dev and test a batch each: the clock is read so often, and once before.
    for limit in (1.0, 13.0, 20.0, 27.0):
        clock = SimpleNamespace(monotonic=map(float, itertools.count()).__next__)
        monkeypatch.setattr(deadline, "time", clock)
        heard: list[Epoch] = []
        limited = replace(ON_CPU, time_limit=limit)
        with pytest.raises(TimeLimitError, match=f"not finished within {limit:.0f}s, its --time-limit"):
            finetune(trial_of(epochs=2, batch_size=8), data, encoder, limited, heard.append)
        n_epochs.append(len(heard))
    assert n_epochs == [0, 0, 1, 2]


@pytest.mark.parametrize("batch_size", [5, 19, 95])
def test_a_last_batch_of_one_row(encoder: EncoderWeights, data: EncodedTask, batch_size: int) -> None:
    assert len(data.train) % batch_size == 1
    outcome = run_trial(encoder, data, batch_size=batch_size, epochs=1)
    assert math.isfinite(losses_of(outcome)[0])


def test_a_batch_larger_than_the_data(encoder: EncoderWeights, data: EncodedTask) -> None:
    assert losses_of(run_trial(encoder, data, batch_size=1000, epochs=1, **STILL)) == losses_of(
        run_trial(encoder, data, batch_size=96, epochs=1, **STILL)
    )


def test_long_rows_are_cut(encoder: EncoderWeights, task: Task, tokenizer: Any) -> None:
    long = replace(task, train=Split((*task.train.texts[:-1], "sort the index " * 200), task.train.labels))
    data = encode_task(long, tokenizer, 12)
    assert data.train.lengths.max() == 12
    assert math.isfinite(losses_of(run_trial(encoder, data, epochs=1))[0])


def pair_task(task: Task) -> Task:
    def paired(split: Split) -> Split:
        return replace(split, pairs=split.texts[1:] + split.texts[:1])

    return replace(task, kind="pair", train=paired(task.train), dev=paired(task.dev), test=None)


def test_pairs_are_told_apart_by_their_segments(encoder: EncoderWeights, task: Task, tokenizer: Any) -> None:
    data = encode_task(pair_task(task), tokenizer, 24)
    assert data.train.types is not None
    blind = replace(data, train=replace(data.train, types=np.zeros_like(data.train.types)))
    assert losses_of(run_trial(encoder, data, epochs=1)) != losses_of(run_trial(encoder, blind, epochs=1))


# --- class weights


def first_loss(encoder: EncoderWeights, data: EncodedTask, **knobs: Any) -> float:
    """Return the loss of the only step of an epoch: that of the untrained model over all rows."""
    return losses_of(run_trial(encoder, data, epochs=1, **(STILL | knobs)))[0]


@pytest.mark.parametrize(("batch_size", "accumulation"), [(96, 1), (20, 5)])
def test_weighted_losses_are_torchs(
    encoder: EncoderWeights, data: EncodedTask, batch_size: int, accumulation: int
) -> None:
    weights = (1.0, 5.0, 0.2)
    model = build_classifier(recipe_of(), encoder, 3, seed=0).eval()
    with torch.no_grad():
        logits = model(collate(data.train, np.arange(96), data.pad_id, CPU))[0]
    expected = torch.nn.CrossEntropyLoss(torch.tensor(weights))(logits, torch.from_numpy(data.train.labels))
    found = first_loss(encoder, data, class_weights=weights, batch_size=batch_size, gradient_accumulation=accumulation)
    assert found == pytest.approx(float(expected), rel=1e-5)
    assert found != pytest.approx(first_loss(encoder, data, batch_size=96), rel=1e-3)


@pytest.mark.slow  # 1.3 s
def test_only_the_ratios_of_the_weights_matter(encoder: EncoderWeights, data: EncodedTask) -> None:
    knobs: dict[str, Any] = {"learning_rate": 1e-3, **STILL}
    close(
        run_trial(encoder, data, class_weights=(1.0, 5.0, 0.25), **knobs),
        run_trial(encoder, data, class_weights=(10.0, 50.0, 2.5), **knobs),
    )


def test_balanced_is_sklearns() -> None:
    labels = np.array([0] * 5 + [1] * 3 + [2] * 1)
    weights = class_weights("balanced", labels, 3, CPU)
    assert weights is not None
    np.testing.assert_allclose(weights, compute_class_weight("balanced", classes=np.arange(3), y=labels), rtol=1e-6)


def test_balanced_with_a_label_that_train_lacks() -> None:
    weights = class_weights("balanced", np.array([0, 0, 1]), 3, CPU)
    assert weights is not None
    assert weights[1] / weights[0] == pytest.approx(2.0)
    assert weights[2] == 0


# --- other knobs of a step


@pytest.mark.slow  # 1.8 s
def test_a_short_clip_norm_slows_plain_steps_down(encoder: EncoderWeights, data: EncodedTask) -> None:
    """Adam divides the scale away, unless its epsilon is large: then steps are proportional to the gradient."""
    knobs: dict[str, Any] = {"adam_epsilon": 1e3, "learning_rate": 1.0, "epochs": 1, "selection": "last", **STILL}

    def moved(**more: Any) -> float:
        before = initial_weights(encoder)["classifier.weight"]
        after = weights_of(run_trial(encoder, data, execution=KEEPING, **knobs, **more))["classifier.weight"]
        return float((after - before).norm())

    assert moved(clip_norm=0.01) < 0.1 * moved()
    assert moved(clip_norm=1e6) == moved()


@pytest.mark.slow  # 2 s
def test_bf16_runs_and_is_not_fp32(encoder: EncoderWeights, data: EncodedTask, plain: Outcome) -> None:
    outcome = run_trial(encoder, data, execution=KEEPING, precision="bf16")
    assert losses_of(outcome) != losses_of(plain)
    np.testing.assert_allclose(losses_of(outcome), losses_of(plain), rtol=0.05)
    assert dev_logits_of(outcome).dtype == np.float32
    assert {tensor.dtype for tensor in weights_of(outcome).values()} == {torch.float32}


@pytest.mark.parametrize("family", ["electra", "distilbert"])
def test_other_families_train(family_folders: dict[str, Path], data: EncodedTask, family: str) -> None:
    knobs: dict[str, Any] = {"reinit_layers": 1, "frozen_layers": 1, "epochs": 1, "bert_adam": True}
    weights = encoder_in(family_folders[family])
    assert numbers_of(run_trial(weights, data, **knobs)) == numbers_of(run_trial(weights, data, **knobs))


def test_the_kept_weights_are_all_of_the_model(plain: Outcome, encoder: EncoderWeights) -> None:
    assert set(weights_of(plain)) == set(initial_weights(encoder))


def test_no_weights_unless_asked(encoder: EncoderWeights, data: EncodedTask) -> None:
    assert run_trial(encoder, data, epochs=1).weights is None


# --- runs that came to nothing


def broken_encoder(encoder: EncoderWeights, value: float) -> EncoderWeights:
    """Return weights as a diverged pretraining leaves them."""
    name = "encoder.layer.0.output.dense.weight"
    state = {**encoder.state, name: np.full_like(encoder.state[name], value)}
    return replace(encoder, state=state)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_encoder_that_is_not_finite_is_refused(encoder: EncoderWeights, data: EncodedTask, value: float) -> None:
    with pytest.raises(GridSearchError, match="the encoder's weights are not all finite"):
        run_trial(broken_encoder(encoder, value), data, epochs=4)


def test_a_learning_rate_that_is_far_too_large_is_flagged(encoder: EncoderWeights, data: EncodedTask) -> None:
    outcome = run_trial(encoder, data, learning_rate=1.0, bert_adam=True, epochs=2)
    assert outcome.not_learned != ""


def test_a_constant_prediction_is_flagged(encoder: EncoderWeights, data: EncodedTask) -> None:
    outcome = run_trial(encoder, data, class_weights=(1e6, 1.0, 1.0))
    assert set(dev_logits_of(outcome).argmax(axis=1)) == {0}
    assert outcome.not_learned == "every dev row gets the same label"


# --- numbers that are not finite


def break_at(patch: pytest.MonkeyPatch, place: str, epoch: int, value: float) -> None:
    """Let a number be no finite one from an epoch on: the loss, one weight that dev may not read, or one output."""
    begun: list[int] = []
    models: list[Any] = []
    run_epoch, evaluated, predict = Steps.run_epoch, Updates.evaluated_weights, Prepared.predict

    def breaking_epoch(steps: Steps, number: int, *more: Any) -> float:
        begun.append(number)
        models[:] = [steps.objective.model]
        loss = run_epoch(steps, number, *more)
        if number == epoch and place == "trained":
            models[0].word_embeddings.weight.data[-1, 0] = value
        return value if place == "loss" and number == epoch else loss

    @contextlib.contextmanager
    def breaking_average(updates: Updates) -> Iterator[None]:
        with evaluated(updates):
            if place == "averaged" and len(begun) == epoch:
                models[0].word_embeddings.weight.data[-1, 0] = value
            yield

    def breaking_predict(prepared: Prepared, split: EncodedSplit, *more: Any) -> np.ndarray:
        logits = predict(prepared, split, *more)
        if len(begun) >= epoch and place == ("test" if len(split) == 7 else "dev"):
            logits[0, 0] = value
        return logits

    patch.setattr(Steps, "run_epoch", breaking_epoch)
    patch.setattr(Updates, "evaluated_weights", breaking_average)
    patch.setattr(Prepared, "predict", breaking_predict)


AVERAGES: list[dict[str, Any]] = [{}, {"ema_decay": 0.5}, {"swa_start": 0.0}, {"lookahead_steps": 2}]


@pytest.mark.slow  # 7 s; tests/runners/test_diverging.py has it of a whole study
@given(
    place=st.sampled_from(["loss", "trained", "averaged", "dev", "test"]),
    epoch=st.integers(1, 3),
    value=st.sampled_from([math.nan, math.inf, -math.inf]),
    selection=st.sampled_from(["best", "last"]),
    average=st.sampled_from(AVERAGES),
)
@settings(max_examples=25, deadline=None)
def test_no_epoch_counts_whose_numbers_are_not_finite(
    encoder: EncoderWeights,
    data: EncodedTask,
    place: str,
    epoch: int,
    value: float,
    selection: str,
    average: dict[str, Any],
) -> None:
    """Wherever the number comes from: only epochs before it are chosen, and they are those of a run without it."""
    small = replace(data, dev=data.dev.take(np.arange(20)), test=data.dev.take(np.arange(7)))
    trial = trial_of(selection=selection, batch_size=48, **average)
    seen: list[Epoch] = []
    with pytest.MonkeyPatch.context() as patch:
        break_at(patch, place, epoch, value)
        result: Outcome | DivergedError
        try:
            result = finetune(trial, small, encoder, ON_CPU, seen.append)
        except DivergedError as error:
            result = error
    if place == "test":  # it is predicted once, after the last epoch
        assert isinstance(result, DivergedError)
        assert "outputs on test are not finite" in str(result)
        return
    assert [one.is_finite for one in seen] == [True] * (epoch - 1) + [False]
    if epoch == 1 or selection == "last":
        assert isinstance(result, DivergedError)
        assert str(result).startswith(f"in epoch {epoch} of 3 the ")
        return
    assert isinstance(result, Outcome)
    assert result.diverged_in == epoch
    values = [one.dev["task"]["f1_macro"] for one in seen[:-1]]
    assert values.index(max(values)) + 1 == result.chosen_epoch
    assert np.isfinite(dev_logits_of(result)).all()
    assert result.parts["task"].test is not None


def test_epochs_before_the_one_that_breaks_are_as_without_it(
    encoder: EncoderWeights, data: EncodedTask, plain: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at(monkeypatch, "trained", 2, math.nan)
    outcome = run_trial(encoder, data, execution=KEEPING)
    assert (plain.diverged_in, outcome.diverged_in, outcome.chosen_epoch) == (None, 2, 1)
    assert outcome.epochs[0].dev == plain.epochs[0].dev
    assert all(tensor.isfinite().all() for tensor in weights_of(outcome).values())
