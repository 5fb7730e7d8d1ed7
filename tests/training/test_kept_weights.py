"""Kept weights: saved, moved, opened anywhere, they predict what the trial predicted."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pooling import POOLINGS
from gridsearch.errors import RequestError
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Split, Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.kept_weights import open_kept, predict_logits, save_weights
from gridsearch.training.prepared import predict
from gridsearch.trial import ONE_MODEL, PART, Outcome
from tests.fixtures_core import LABELS, MAX_LENGTH, dev_logits_of, encoder_in, slow, trial_of

KEEPING = Execution(device="cpu", keep_weights=True)


def keep(folder: Path, encoder: EncoderWeights, data: EncodedTask, task: Task, **knobs: Any) -> Outcome:
    trial = trial_of(**({"epochs": 2} | knobs))
    outcome = finetune(trial, data, encoder, KEEPING)
    assert outcome.weights is not None
    save_weights(folder, trial, outcome.weights, encoder, task)
    return outcome


@pytest.fixture(scope="module")
def pairs(task: Task) -> Task:
    def paired(split: Split) -> Split:
        return Split(split.texts, split.labels, split.texts[1:] + split.texts[:1])

    return Task("pairs", "pair", "accuracy", LABELS, paired(task.train), paired(task.dev))


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        slow({"pooling": "pooler", "reinit_pooler": True}),
        slow({"pooling": "first_last_avg", "precision": "bf16"}),
        {"class_weights": (1.0, 2.0, 3.0), "frozen_layers": 2, "reinit_layers": 1, "encoder_dropout": 0.3},
        {"pooling": "cls_cat_poolers", "head": "mlp", "head_width": 16, "ema_decay": 0.5},
        slow({"pooling": "flatten", "lookahead_steps": 3}),
        {"head": "label_attention", "head_slots": 3, "multi_sample_dropout": 2, "ema_decay": 0.5},
        slow({"pooling": "first_last_avg_unmasked", "multi_sample_dropout": 3}),
        slow({"pooling": "attention", "adversarial": "fgm", "frozen_dropout": False}),
        slow({"pooling": "dynamic", "pooling_layers": 2}),
    ],
)
def test_a_kept_trial_predicts_what_it_predicted(
    tmp_path: Path, encoder: EncoderWeights, data: EncodedTask, task: Task, knobs: dict[str, Any]
) -> None:
    outcome = keep(tmp_path / "kept", encoder, data, task, **knobs)
    kept = open_kept((tmp_path / "kept").rename(tmp_path / "elsewhere"))
    np.testing.assert_array_equal(predict_logits(kept, task.dev), dev_logits_of(outcome))
    assert task.test is not None
    np.testing.assert_array_equal(predict_logits(kept, task.test), outcome.parts["task"].test_logits)


@pytest.mark.parametrize("head", ["linear", slow("mlp"), slow("label_attention")])
@pytest.mark.parametrize("pooling", list(POOLINGS))
def test_every_model_is_kept_whole(
    tmp_path: Path, encoder: EncoderWeights, pairs: Task, tokenizer: Any, pooling: str, head: str
) -> None:
    """Untrained, with one part of each kind that a recipe can add."""
    trial = trial_of(pooling=pooling, head=head, head_width=16, cooccurrence="embedding", token_types="zeros")
    model = build_classifier(trial.recipe, encoder, len(LABELS), trial.seed)
    save_weights(tmp_path / "kept", trial, {ONE_MODEL: save(model.state_dict())}, encoder, pairs)
    encoded = encode_task(pairs, tokenizer, MAX_LENGTH)
    expected = predict(model, encoded.dev, encoded.pad_id, torch.device("cpu"), "fp32")
    np.testing.assert_array_equal(predict_logits(open_kept(tmp_path / "kept"), pairs.dev), expected)


@pytest.mark.parametrize(
    "knobs", [{"cooccurrence": "add_scalar"}, slow({"cooccurrence": "embedding"}), {"head": "mlp"}]
)
def test_pairs_that_share_words(
    tmp_path: Path, encoder: EncoderWeights, pairs: Task, tokenizer: Any, knobs: dict[str, Any]
) -> None:
    encoded = encode_task(pairs, tokenizer, MAX_LENGTH)
    assert encoded.dev.shared is not None
    assert encoded.dev.shared.any()
    outcome = keep(tmp_path / "kept", encoder, encoded, pairs, **knobs)
    np.testing.assert_array_equal(predict_logits(open_kept(tmp_path / "kept"), pairs.dev), dev_logits_of(outcome))


@pytest.mark.parametrize("pooling", ["mean", "segments"])
@pytest.mark.parametrize("max_length", [slow(9), MAX_LENGTH])
def test_pairs_in_both_orders(
    tmp_path: Path, encoder: EncoderWeights, pairs: Task, tokenizer: Any, pooling: str, max_length: int
) -> None:
    """However they are cut: the other order may hold a word that is not in the first."""
    encoded = encode_task(pairs, tokenizer, max_length, "both")
    knobs = {"prediction_order": "both", "pooling": pooling, "max_length": max_length}
    outcome = keep(tmp_path / "kept", encoder, encoded, pairs, **knobs)
    logits = predict_logits(open_kept(tmp_path / "kept"), pairs.dev)
    np.testing.assert_array_equal(logits, dev_logits_of(outcome))
    turned = Split(pairs.dev.pairs or (), None, pairs.dev.texts)
    np.testing.assert_array_equal(predict_logits(open_kept(tmp_path / "kept"), turned), logits)


@pytest.mark.parametrize("family", ["electra", "distilbert"])
def test_other_families(
    tmp_path: Path, family_folders: dict[str, Path], data: EncodedTask, task: Task, family: str
) -> None:
    outcome = keep(tmp_path / "kept", encoder_in(family_folders[family]), data, task)
    np.testing.assert_array_equal(predict_logits(open_kept(tmp_path / "kept"), task.dev), dev_logits_of(outcome))


def test_a_pair_task(tmp_path: Path, encoder: EncoderWeights, pairs: Task, tokenizer: Any) -> None:
    outcome = keep(tmp_path / "kept", encoder, encode_task(pairs, tokenizer, MAX_LENGTH), pairs)
    np.testing.assert_array_equal(predict_logits(open_kept(tmp_path / "kept"), pairs.dev), dev_logits_of(outcome))


FRESH = """
import json, sys
from pathlib import Path
import numpy as np
from gridsearch.tasks.task import Split
from gridsearch.training.kept_weights import open_kept, predict_logits
logits = predict_logits(open_kept(Path(sys.argv[1])), Split(tuple(json.load(sys.stdin)), None))
sys.stdout.buffer.write(logits.tobytes())
"""


@pytest.mark.slow  # starts a process that imports torch
def test_in_a_fresh_process(tmp_path: Path, encoder: EncoderWeights, data: EncodedTask, task: Task) -> None:
    outcome = keep(tmp_path / "kept", encoder, data, task)
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path / "kept")],
        input=json.dumps(task.dev.texts).encode(),
        capture_output=True,
        timeout=300,
        check=True,
    )
    assert done.stdout == dev_logits_of(outcome).tobytes()


def test_one_text_is_predicted_as_among_others(
    tmp_path: Path, encoder: EncoderWeights, data: EncodedTask, task: Task
) -> None:
    outcome = keep(tmp_path / "kept", encoder, data, task)
    logits = predict_logits(open_kept(tmp_path / "kept"), Split(task.dev.texts[7:8], None))
    np.testing.assert_allclose(logits, dev_logits_of(outcome)[7:8], rtol=1e-4, atol=1e-5)


def test_predicting_leaves_the_threads_and_the_random_state(
    tmp_path: Path, encoder: EncoderWeights, data: EncodedTask, task: Task
) -> None:
    keep(tmp_path / "kept", encoder, data, task, epochs=1)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    predict_logits(open_kept(tmp_path / "kept"), task.dev)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_what_the_folder_says(tmp_path: Path, encoder: EncoderWeights, data: EncodedTask, task: Task) -> None:
    keep(tmp_path / "kept", encoder, data, task, class_weights=(1.0, 2.0, 3.0))
    kept = open_kept(tmp_path / "kept")
    assert kept.recipe == trial_of(epochs=2, class_weights=(1.0, 2.0, 3.0)).recipe
    assert (kept.encoder, list(kept.parts)) == ("an encoder", [PART])
    assert (kept.parts[PART].kind, kept.parts[PART].label_names) == ("single", LABELS)
    trial = trial_of(epochs=2, class_weights=(1.0, 2.0, 3.0))
    assert json.loads((tmp_path / "kept" / "gridsearch.json").read_text()) == {
        "trial": trial.id,
        "seed": 0,
        "recipe": json.loads(trial.recipe.model_dump_json()),
        "encoder": "an encoder",
        "kind": "single",
        "label_names": list(LABELS),
    }


def test_names_in_any_script(tmp_path: Path, encoder: EncoderWeights, task: Task) -> None:
    named = replace(task, label_names=("好", 'a "quoted" one', "c"))
    save_weights(tmp_path / "a 'folder' é", trial_of(), {ONE_MODEL: b""}, encoder, named)
    assert open_kept(tmp_path / "a 'folder' é").parts[PART].label_names == named.label_names


def test_keeping_again_replaces_all_of_it(tmp_path: Path, encoder: EncoderWeights, task: Task) -> None:
    folder = tmp_path / "kept"
    (tmp_path / "kept.part").mkdir()
    (tmp_path / "kept.part" / "left over by a killed writer").touch()
    for weights in (b"old", b"new"):
        save_weights(folder, trial_of(), {ONE_MODEL: weights}, encoder, task)
        (folder / "stray").touch()
    save_weights(folder, trial_of(), {ONE_MODEL: b"new"}, encoder, task)
    assert (folder / "classifier.safetensors").read_bytes() == b"new"
    names = ["checksums.json", "classifier.safetensors", "encoder", "gridsearch.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    "card",
    [
        None,
        "",
        "{",
        "{}",
        '{"recipe": {"epochs": 0}}',
        '{"recipe": {}, "encoder": "x", "kind": "single"}',
        "[]",
    ],
)
def test_a_folder_that_holds_no_trial(tmp_path: Path, card: str | None) -> None:
    if card is not None:
        (tmp_path / "gridsearch.json").write_text(card)
    with pytest.raises(RequestError, match="holds no kept trial"):
        open_kept(tmp_path)


def test_a_kept_trial_without_its_weights(tmp_path: Path, encoder: EncoderWeights, task: Task) -> None:
    save_weights(tmp_path / "kept", trial_of(), {ONE_MODEL: b"torn"}, encoder, task)
    with pytest.raises(RequestError):
        predict_logits(open_kept(tmp_path / "kept"), task.dev)
