"""The states of frozen layers, computed once, train what the whole encoder trains, whatever ran before."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.layer_slices import bottom, can_be_sliced
from gridsearch.encoders.load import EncoderWeights, load
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.encode import EncodedSplit, EncodedTask, encode_task
from gridsearch.tasks.task import Task
from gridsearch.threads import threads_of
from gridsearch.training import frozen_states
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.frozen_states import n_bytes_kept, n_constant_layers, with_frozen_states
from gridsearch.training.materials import Materials, OnDemand
from gridsearch.training.used_vocabulary import used_vocabulary
from gridsearch.training.worker import Job, Worker
from gridsearch.trial import PART, Epoch, Outcome, Trial, make_trial
from tests.fixtures_core import WIDTH, by_family, numbers_of, slow, with_another_word
from tests.liveness_cases import pairs_of

PARTED = (
    "bert",
    "ernie",
    "roberta",
    "xlm-roberta",
    "electra",
    "distilbert",
    "nezha",
    "modernbert",
    "rembert",
    "convbert",
    "camembert",
    "eurobert",
    "roformer",
    "xlm-roberta-xl",
    "roberta-prelayernorm",
    "megatron-bert",
    "big_bird",
    "nomic_bert",
    "gte",
    "jina_embeddings_v3",
)
WHOLE = ("albert", "deberta-v2", "deberta", "mpnet")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Begin as a process does that has trained nothing yet, and leave nothing."""
    frozen_states.forget()
    yield
    frozen_states.forget()


def trial_of(encoder: EncoderWeights, **knobs: Any) -> Trial:
    recipe = Recipe(
        **({"epochs": 2, "batch_size": 8, "learning_rate": 1e-3, "max_length": 24, "frozen_layers": 2} | knobs)
    )
    return make_trial(recipe, seed=1, task="a task", encoder=encoder.identity)


def without_states(monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> Outcome:
    with monkeypatch.context() as patch:
        patch.setattr(frozen_states, "BUDGET_BYTES", 0)
        return finetune(*arguments)


def logits(outcome: Outcome) -> np.ndarray:
    return outcome.parts[PART].dev_logits


def states_of(trial: Trial, data: EncodedTask, encoder: EncoderWeights) -> dict[str, np.ndarray]:
    """Prepare a trial as training does; return the states of each split that has them."""
    cut = used_vocabulary(data, encoder)
    model = build_classifier(trial.recipe, cut.encoder, data.n_labels, trial.seed)
    splits = with_frozen_states(trial, cut.data, model).splits
    return {name: split.states for name, split in splits.items() if split.states is not None}


def states_in_a_fresh_process(trial: Trial, data: EncodedTask, encoder: EncoderWeights) -> dict[str, np.ndarray]:
    kept = dict(frozen_states._kept)
    frozen_states.forget()
    found = states_of(trial, data, encoder)
    frozen_states.forget()
    frozen_states._kept.update(kept)
    return found


def same_bits(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(one[name].tobytes() == other[name].tobytes() for name in one)


def first_rows(split: EncodedSplit, n_rows: int) -> EncodedSplit:
    return split.take(np.arange(n_rows))


@pytest.mark.parametrize("family", by_family(PARTED))
def test_the_same_is_trained(
    family: str, family_folders: dict[str, Path], task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to rounding, with dropout on: the layers above draw the same numbers."""
    encoder = load(str(family_folders[family]), (), lambda sentence: None)
    data = encode_task(task, build_tokenizer(encoder.tokenizer), 24)
    for n_frozen in (1, 3):
        trial = trial_of(encoder, frozen_layers=n_frozen)
        expected = without_states(monkeypatch, trial, data, encoder)
        assert len(frozen_states._kept) == n_frozen // 3
        found = finetune(trial, data, encoder)
        assert len(frozen_states._kept) == 1 + n_frozen // 3
        np.testing.assert_allclose(logits(found), logits(expected), rtol=1e-3, atol=1e-5)
        assert [one.train_loss for one in found.epochs] == pytest.approx(
            [one.train_loss for one in expected.epochs], rel=1e-5
        )


@pytest.mark.parametrize("knobs", [{}, {"pooling": "segments"}, {"prediction_order": "both"}])
@pytest.mark.parametrize("n_frozen", [1, 4])
def test_pairs(
    knobs: dict[str, Any],
    n_frozen: int,
    encoder: EncoderWeights,
    task: Task,
    tokenizer: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trial = trial_of(encoder, frozen_layers=n_frozen, **knobs)
    data = encode_task(pairs_of(task), tokenizer, 24, trial.recipe.prediction_order)
    expected = without_states(monkeypatch, trial, data, encoder)
    assert not frozen_states._kept
    found = finetune(trial, data, encoder)
    assert [set(states) for states in frozen_states._kept.values()] == [set(data.splits)]
    np.testing.assert_allclose(logits(found), logits(expected), rtol=1e-3, atol=1e-5)
    assert [one.train_loss for one in found.epochs] == pytest.approx(
        [one.train_loss for one in expected.epochs], rel=1e-5
    )


@pytest.mark.slow  # 1.5 s
@pytest.mark.parametrize("knobs", [{"bert_adam": True, "weight_decay": 0.1}, {"r_drop": 1.0, "ema_decay": 0.9}])
def test_other_tricks_above_them(
    knobs: dict[str, Any], encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = trial_of(encoder, **knobs)
    expected = without_states(monkeypatch, trial, data, encoder)
    np.testing.assert_allclose(logits(finetune(trial, data, encoder)), logits(expected), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "knobs",
    [
        {"frozen_layers": 0},
        {"frozen_layers": "embeddings"},
        {"frozen_dropout": True},
        {"pooling": "cls_cat"},
        {"pooling": "first_last_avg_unmasked"},
        {"cooccurrence": "add_scalar"},
        {"cooccurrence": "embedding"},
        {"adversarial": "freelb"},
    ],
    ids=str,
)
def test_recipes_that_read_more(knobs: dict[str, Any], encoder: EncoderWeights) -> None:
    recipe = trial_of(encoder, **knobs).recipe
    model = build_classifier(recipe, encoder, 2, 0)
    assert n_constant_layers(recipe, model) == 0


@pytest.mark.parametrize("family", WHOLE)
def test_families_whose_layers_hang_together(family: str, family_folders: dict[str, Path], task: Task) -> None:
    encoder = load(str(family_folders[family]), (), lambda sentence: None)
    recipe = trial_of(encoder, frozen_layers=3).recipe
    model = build_classifier(recipe, encoder, 2, 0)
    assert not can_be_sliced(model.encoder)
    assert n_constant_layers(recipe, model) == 0


@pytest.mark.slow  # 1.9 s
@pytest.mark.parametrize("n_frozen", [1, 4])
def test_a_task_that_differs_by_one_word_has_its_own_results(
    n_frozen: int, encoder: EncoderWeights, data: EncodedTask
) -> None:
    """Both have the same ids once the words that do not occur are left out."""
    sisters, trial = with_another_word(data), trial_of(encoder, frozen_layers=n_frozen)
    cut, cut_of_sisters = used_vocabulary(data, encoder), used_vocabulary(sisters, encoder)
    assert np.array_equal(cut.data.dev.ids, cut_of_sisters.data.dev.ids), "what the test is about"
    expected = finetune(trial, sisters, encoder)
    frozen_states.forget()
    before = finetune(trial, data, encoder)
    after = finetune(trial, sisters, encoder)
    assert numbers_of(after) == numbers_of(expected)
    assert not np.array_equal(logits(after), logits(before))


def changed(encoder: EncoderWeights, name: str, by: float) -> EncoderWeights:
    """Move one parameter; the encoder's name stays, as if two of one name had been read."""
    return replace(encoder, state={**encoder.state, name: encoder.state[name] + np.float32(by)})


OF_THE_STATES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "depth": ({"frozen_layers": 3}, None, None),
    "precision": ({"precision": "bf16"}, None, None),
    "segments": ({"token_types": "zeros"}, None, None),
    "a word": ({}, None, with_another_word),
    "a layer": ({}, lambda it: changed(it, "encoder.layer.1.output.dense.bias", 0.01), None),
    "positions": ({}, lambda it: changed(it, "embeddings.position_embeddings.weight", 0.01), None),
    "an epsilon": ({}, lambda it: replace(it, config={**it.config, "layer_norm_eps": 0.1}), None),
    "rows": ({}, None, lambda it: replace(it, dev=first_rows(it.dev, 20))),
    "where rows end": (
        {},
        None,
        lambda it: it.with_splits(lambda _, one: replace(one, starts=one.starts + (np.arange(len(one) + 1) == 1))),
    ),
    "segment ids": (
        {},
        None,
        lambda it: it.with_splits(lambda _, one: replace(one, types=1 - one.types)),
    ),
}
NOT_OF_THE_STATES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "nothing": ({}, None, None),
    "optimizer": ({"learning_rate": 1e-4, "warmup_proportion": 0.5}, None, None),
    "dropout above": ({"encoder_dropout": 0.3}, None, None),
    "layers above": ({"reinit_layers": 2}, lambda it: changed(it, "encoder.layer.3.output.dense.bias", 0.01), None),
    "the pooler": ({"pooling": "pooler", "reinit_pooler": True}, None, None),
    "labels": ({}, None, lambda it: replace(it, train=replace(it.train, labels=it.train.labels[::-1].copy()))),
}


@pytest.fixture(scope="session")
def segmented(data: EncodedTask) -> EncodedTask:
    """Return the task with segment ids that say something."""
    return data.with_splits(lambda _, split: replace(split, types=(split.ids % 2).astype(np.int8)))


@pytest.mark.parametrize("name", OF_THE_STATES | NOT_OF_THE_STATES)
def test_states_are_shared_where_all_that_they_depend_on_is_the_same(
    name: str, encoder: EncoderWeights, segmented: EncodedTask
) -> None:
    data, (knobs, change_encoder, change_data) = segmented, (OF_THE_STATES | NOT_OF_THE_STATES)[name]
    other_encoder = change_encoder(encoder) if change_encoder else encoder
    other_data = change_data(data) if change_data else data
    with threads_of(1):
        first = states_of(trial_of(encoder), data, encoder)
        second = states_of(trial_of(encoder, **knobs), other_data, other_encoder)
        assert same_bits(second, states_in_a_fresh_process(trial_of(encoder, **knobs), other_data, other_encoder))
    assert same_bits(first, second) is (name in NOT_OF_THE_STATES)
    assert len(frozen_states._kept) == 1 + (name in OF_THE_STATES)


def test_other_threads_are_other_states(encoder: EncoderWeights, data: EncodedTask) -> None:
    """They add up in another order."""
    for threads in (1, 2):
        with threads_of(threads):
            states_of(trial_of(encoder), data, encoder)
    assert len(frozen_states._kept) == 2


ANY_CHANGE = st.sampled_from(sorted(OF_THE_STATES | NOT_OF_THE_STATES))


@pytest.mark.slow  # many trials, drawn at random
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ANY_CHANGE, max_size=3), min_size=2, max_size=5))
def test_what_is_found_is_what_would_be_computed(
    encoder: EncoderWeights, segmented: EncodedTask, trials: list[list[str]]
) -> None:
    """Equal key, equal states: over trials that differ in several of the things that states may depend on."""
    few = replace(segmented, train=first_rows(segmented.train, 8), dev=first_rows(segmented.dev, 24), test=None)
    with threads_of(1):
        for names in trials:
            knobs: dict[str, Any] = {}
            texts, weights = few, encoder
            for name in names:
                more, change_encoder, change_data = (OF_THE_STATES | NOT_OF_THE_STATES)[name]
                knobs |= more
                weights = change_encoder(weights) if change_encoder else weights
                texts = change_data(texts) if change_data else texts
            trial = trial_of(encoder, **knobs)
            assert same_bits(states_of(trial, texts, weights), states_in_a_fresh_process(trial, texts, weights))


def small_tasks(data: EncodedTask) -> list[EncodedTask]:
    """Three tasks whose ids are alike after the cut, or nearly: one, one with another word, one without test rows."""
    one = replace(data, train=first_rows(data.train, 16), dev=first_rows(data.dev, 24), test=first_rows(data.dev, 9))
    return [one, with_another_word(one), replace(with_another_word(with_another_word(one)), test=None)]


KNOBS: list[dict[str, Any]] = [
    {"frozen_layers": 1},
    {"frozen_layers": 2, "encoder_dropout": 0.3},
    {"frozen_layers": 2, "reinit_layers": 1},
    {"frozen_layers": 4},
    {"frozen_layers": 2, "precision": "bf16"},
    {"frozen_layers": 0},
]


@pytest.mark.slow  # 11 s
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    share=st.sampled_from([0.3, 0.9, 1.0, 1.7, 2.5, 100.0]),
    sequence=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, len(KNOBS) - 1), st.booleans()), min_size=3, max_size=6
    ),
)
def test_a_trial_is_what_it_is_in_a_fresh_worker_whatever_ran_before(
    encoder: EncoderWeights, data: EncodedTask, share: float, sequence: list[tuple[int, int, bool]]
) -> None:
    """Of three tasks, six recipes and two encoders of one name, within budgets from too small to more than enough."""
    tasks, encoders = small_tasks(data), [encoder, changed(encoder, "encoder.layer.0.output.dense.bias", 0.05)]
    budget = int(share * sum(len(split.ids) for split in tasks[0].splits.values()) * WIDTH * 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frozen_states, "BUDGET_BYTES", budget)
        frozen_states.forget()
        found = []
        for task, knobs, is_other in sequence:
            trial = trial_of(encoder, epochs=1, **KNOBS[knobs])
            found.append(numbers_of(finetune(trial, tasks[task], encoders[is_other])))
            assert n_bytes_kept() <= budget
        for (task, knobs, is_other), numbers in zip(sequence, found, strict=True):
            frozen_states.forget()
            trial = trial_of(encoder, epochs=1, **KNOBS[knobs])
            assert numbers_of(finetune(trial, tasks[task], encoders[is_other])) == numbers


def test_the_longest_unused_make_room(
    encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    compute = frozen_states._compute

    def noted(recipe: Recipe, *arguments: Any) -> np.ndarray:
        made.append(int(recipe.frozen_layers))
        return compute(recipe, *arguments)

    monkeypatch.setattr(frozen_states, "_compute", noted)
    states = states_of(trial_of(encoder, frozen_layers=1), data, encoder)
    size = sum(array.nbytes for array in states.values())
    assert n_bytes_kept() == size
    monkeypatch.setattr(frozen_states, "BUDGET_BYTES", int(2.5 * size))
    for depth in (2, 1, 3, 1, 3, 2):
        states_of(trial_of(encoder, frozen_layers=depth), data, encoder)
        assert n_bytes_kept() <= frozen_states.BUDGET_BYTES
    assert made == [depth for depth in (1, 2, 3, 2) for _ in ("train", "dev", "test")], "2 went first, and came again"


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        slow("train", ["train"]),
        ("train dev", ["train", "dev"]),
        slow("train dev test", ["train", "dev", "test"]),
        slow("dev", ["dev"]),
        slow("", []),
    ],
)
def test_splits_that_do_not_fit_go_without(
    budget: str, expected: list[str], encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They train and predict the same, up to rounding."""
    trial = trial_of(encoder)
    whole = without_states(monkeypatch, trial, data, encoder)
    n_bytes = sum(len(data.splits[name].ids) for name in budget.split()) * WIDTH * 4
    monkeypatch.setattr(frozen_states, "BUDGET_BYTES", n_bytes)
    assert list(states_of(trial, data, encoder)) == expected
    found = finetune(trial, data, encoder)
    assert n_bytes_kept() <= n_bytes
    for kind in ("dev_logits", "test_logits"):
        one, other = (getattr(outcome.parts[PART], kind) for outcome in (found, whole))
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_a_trial_cannot_write_what_others_read(encoder: EncoderWeights, data: EncodedTask) -> None:
    states = states_of(trial_of(encoder), data, encoder)["train"]
    with pytest.raises(ValueError, match="read-only"):
        states[0] = 0.0


def test_no_disk_is_touched(
    encoder: EncoderWeights, data: EncodedTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache folder that cannot be used fails no trial."""
    (tmp_path / "a file").write_text("no folder")
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "a file"))
    assert finetune(trial_of(encoder), data, encoder).chosen_epoch
    assert n_bytes_kept() > 0


def test_where_memory_is_short_nothing_is_held_for_later(
    encoder: EncoderWeights, data: EncodedTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a trial fails as any other does, is tried again, and then has all the memory; it never gets other bits."""
    worker = Worker(Materials(OnDemand(lambda identity: encoder), OnDemand(lambda view: data)))

    def run(depth: int) -> Any:
        worker.begin(Job(trial_of(encoder, epochs=1, frozen_layers=depth), Execution(device="cpu")))
        while isinstance(event := worker.advance(), Epoch):
            pass
        return event

    expected = numbers_of(run(1))
    run(2)
    held = n_bytes_kept()

    def short(*arguments: Any) -> np.ndarray:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(frozen_states, "_compute", short)
        assert run(3).kind == "out_of_memory"
    assert held > 0 == n_bytes_kept()
    assert numbers_of(run(1)) == expected


def test_the_parts_share_the_weights(encoder: EncoderWeights) -> None:
    model = build_classifier(trial_of(encoder).recipe, encoder, 2, 0)
    names = set(model.state_dict())
    model.begin_above(2)
    lower = bottom(model.encoder, 2)
    assert set(model.state_dict()) == names
    (upper,) = model._upper
    ids = {id(p) for p in model.encoder.parameters()}
    below, above = ({id(p) for p in part.parameters()} for part in (lower, upper))
    assert below | above == ids
    assert not below & above
    assert torch.is_grad_enabled()
