"""Kept weights of several parts: one classifier for all of them, or one for each."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from gridsearch.encoders.classifier import Classifier, build_classifier, pack
from gridsearch.encoders.load import EncoderWeights
from gridsearch.errors import RequestError
from gridsearch.tasks.encode import encode_split, encode_task
from gridsearch.tasks.metrics import mean_of_probabilities
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.kept_weights import HALF_MADE, is_kept, open_kept, predict_logits, save_weights
from gridsearch.training.prepared import predict
from gridsearch.trial import ONE_MODEL
from tests.fixtures_core import MAX_LENGTH, reads, trial_of
from tests.liveness_cases import pairs_of

TRIAL = trial_of()
NAMES = {"mood": ("a", "b", "c"), "../pairs / 中文": ("yes", "no", "?"), "mood 2": ("0", "1", "2", "3")}
"""Parts and their labels."""


@pytest.fixture(scope="module")
def joint(task: Task) -> JointTask:
    """A single text, a pair, and single texts again with a label more."""
    pairs = pairs_of(task)
    tasks = (task, replace(pairs, test=pairs.dev), task)
    parts = {name: replace(one, label_names=NAMES[name]) for name, one in zip(NAMES, tasks, strict=True)}
    return JointTask("three", parts, Target((("mood", "f1_macro"),)), dict.fromkeys(parts, 1.0))


def model_of(encoder: EncoderWeights, n_labels: int, seed: int = 0, **knobs: Any) -> Classifier:
    """Build an untrained classifier, whose logits are nothing like those of one with another seed."""
    model = build_classifier(trial_of(**knobs).recipe, encoder, n_labels, seed)
    torch.nn.init.normal_(model.classifier.weight, generator=torch.Generator().manual_seed(seed))
    return model


def logits_of(model: Classifier, task: Task, tokenizer: Any) -> np.ndarray:
    encoded = encode_split(task.dev, tokenizer, MAX_LENGTH)
    return predict(model, encoded, int(tokenizer.pad_token_id), torch.device("cpu"), "fp32")


def test_parts_that_were_trained_together_are_columns_of_one_classifier(
    tmp_path: Path, encoder: EncoderWeights, joint: JointTask, tokenizer: Any
) -> None:
    model = model_of(encoder, 10)
    save_weights(tmp_path / "kept", TRIAL, {ONE_MODEL: save(model.state_dict())}, encoder, joint)
    kept = open_kept((tmp_path / "kept").rename(tmp_path / "elsewhere"))
    assert {name: part.label_names for name, part in kept.parts.items()} == NAMES
    assert [part.kind for part in kept.parts.values()] == ["single", "pair", "single"]
    assert sorted(path.name for path in kept.folder.iterdir()) == [
        "checksums.json",
        "classifier.safetensors",
        "encoder",
        "gridsearch.json",
    ]
    for (name, part), columns in zip(joint.parts.items(), (slice(0, 3), slice(3, 6), slice(6, 10)), strict=True):
        found = predict_logits(kept, part.dev, name)
        np.testing.assert_array_equal(found, logits_of(model, part, tokenizer)[:, columns])


@pytest.mark.slow  # 2 s
@pytest.mark.parametrize(
    "knobs",
    [
        {"parts.batches": "mixed", "checkpoints": 2},
        {"parts.loss_weights": "uncertainty", "cooccurrence": "embedding"},
        {"parts.training": "separate", "prediction_order": "both"},
    ],
    ids=lambda knobs: " ".join(knobs),
)
def test_a_kept_trial_predicts_what_it_predicted(
    tmp_path: Path, encoder: EncoderWeights, joint: JointTask, tokenizer: Any, knobs: dict[str, Any]
) -> None:
    trial = trial_of(**knobs, epochs=2)
    data = encode_task(joint, tokenizer, *reads(trial.recipe))
    outcome = finetune(trial, data, encoder, Execution(device="cpu", keep_weights=True))
    assert outcome.weights is not None
    save_weights(tmp_path / "kept", trial, outcome.weights, encoder, joint)
    kept = open_kept(tmp_path / "kept")
    for name, part in joint.parts.items():
        # Those of another part are among the rows that a batch had: a sum in another order is rounded otherwise.
        expected = outcome.parts[name].dev_logits
        np.testing.assert_allclose(predict_logits(kept, part.dev, name), expected, rtol=1e-5, atol=1e-5)
        if part.test is not None:
            found = predict_logits(kept, part.test, name)
            np.testing.assert_allclose(found, outcome.parts[name].test_logits, rtol=1e-5, atol=1e-5)


def test_the_mean_of_several_epochs_is_that_of_a_part_s_own_probabilities(
    tmp_path: Path, encoder: EncoderWeights, joint: JointTask, tokenizer: Any
) -> None:
    models = [model_of(encoder, 10, seed) for seed in (0, 1)]
    states: list[dict[str, Tensor]] = [model.state_dict() for model in models]
    save_weights(tmp_path / "kept", TRIAL, {ONE_MODEL: pack(states)}, encoder, joint)
    part = joint.parts["mood 2"]
    expected = mean_of_probabilities([logits_of(model, part, tokenizer)[:, 6:] for model in models])
    found = predict_logits(open_kept(tmp_path / "kept"), part.dev, "mood 2")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    # To take the mean over all labels first would weigh the epochs by what they say of other parts.
    over_all = mean_of_probabilities([logits_of(model, part, tokenizer) for model in models])[:, 6:]
    assert np.abs(over_all - expected).max() > 1e-2


def test_parts_that_were_trained_each_by_itself_are_kept_trials_in_folders_of_their_own(
    tmp_path: Path, encoder: EncoderWeights, joint: JointTask, tokenizer: Any
) -> None:
    models = {name: model_of(encoder, len(labels), seed) for seed, (name, labels) in enumerate(NAMES.items())}
    weights = {name: save(model.state_dict()) for name, model in models.items()}
    save_weights(tmp_path / "kept", TRIAL, weights, encoder, joint)
    kept = open_kept((tmp_path / "kept").rename(tmp_path / "elsewhere"))
    assert {name: part.label_names for name, part in kept.parts.items()} == NAMES
    assert sorted(path.name for path in kept.folder.iterdir()) == ["1", "2", "3", "checksums.json", "gridsearch.json"]
    for name, part in joint.parts.items():
        expected = logits_of(models[name], part, tokenizer)
        np.testing.assert_array_equal(predict_logits(kept, part.dev, name), expected)
        alone = open_kept(kept.parts[name].folder)
        np.testing.assert_array_equal(predict_logits(alone, part.dev), expected)
        assert is_kept(alone.folder, TRIAL.id)


@pytest.mark.parametrize("separate", [False, True])
def test_it_is_there_whole_or_not_at_all(
    tmp_path: Path, encoder: EncoderWeights, joint: JointTask, *, separate: bool
) -> None:
    folder, together = tmp_path / "kept", {ONE_MODEL: b"together"}
    apart = dict.fromkeys(NAMES, b"apart")
    wanted, before = (apart, together) if separate else (together, apart)
    save_weights(folder, TRIAL, before, encoder, joint)
    with pytest.raises(KeyError):
        save_weights(folder, TRIAL, {"mood": b"first"}, encoder, joint)  # as one that is killed after its first part
    half_made = tmp_path / f"kept{HALF_MADE}"
    assert half_made.is_dir()
    assert is_kept(half_made.rename(tmp_path / (TRIAL.id + HALF_MADE)), TRIAL.id)
    assert list(open_kept(folder).parts) == list(NAMES)
    save_weights(folder, TRIAL, wanted, encoder, joint)
    assert is_kept(folder, TRIAL.id)
    assert not is_kept(folder, "another")
    models = [path.read_bytes() for path in folder.rglob("classifier.safetensors")]
    assert models == list(wanted.values())
    assert json.loads((folder / "gridsearch.json").read_text(encoding="utf-8"))["kind"] == "multi"


def test_a_part_that_it_has_not(tmp_path: Path, encoder: EncoderWeights, joint: JointTask) -> None:
    save_weights(tmp_path / "kept", TRIAL, {ONE_MODEL: b""}, encoder, joint)
    for part in (("moot",), ()):
        with pytest.raises(RequestError, match=r"kept: unknown part '\w+'.*; known: mood, .*, mood 2$"):
            predict_logits(open_kept(tmp_path / "kept"), joint.parts["mood"].dev, *part)


def test_separate_parts_whose_weights_are_lost(tmp_path: Path, encoder: EncoderWeights, joint: JointTask) -> None:
    save_weights(tmp_path / "kept", TRIAL, dict.fromkeys(NAMES, b"torn"), encoder, joint)
    with pytest.raises(RequestError, match=r"the weights in .*kept/2 cannot be read"):
        predict_logits(open_kept(tmp_path / "kept"), joint.parts["mood"].dev, list(NAMES)[1])
