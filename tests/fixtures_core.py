"""Small real encoders, a small real task, and short ways to run a trial: shared by the tests of the core.

The one line that ``tests/conftest.py`` needs: ``pytest_plugins = ["tests.fixtures_core"]``.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights, build_tokenizer, read_weights
from gridsearch.encoders.vocabulary import build_vocabulary
from gridsearch.facts import Facts
from gridsearch.finetune import Execution, finetune
from gridsearch.plan import facts_of
from gridsearch.recipe import Recipe
from gridsearch.tasks import docstrings
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import Outcome, Trial, make_trial

N_TOKENS, WIDTH, N_LAYERS, MAX_LENGTH = 800, 32, 4, 24
ON_CPU = Execution(device="cpu")
LABELS = ("torch", "optuna", "pandas")

SMALL: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 8,
    "learning_rate": 5e-3,
    "max_length": MAX_LENGTH,
    "pooling": "mean",
}
"""Knobs that make a 32-wide BERT move on a few dozen rows."""

STILL: dict[str, Any] = {"encoder_dropout": 0.0, "classifier_dropout": 0.0}
"""No dropout: what is computed in another order is equal but for rounding."""


def recipe_of(**knobs: Any) -> Recipe:
    return Recipe(**(SMALL | knobs))


def trial_of(seed: int = 0, **knobs: Any) -> Trial:
    return make_trial(recipe_of(**knobs), seed=seed, task="a task", encoder="an encoder")


def run_trial(
    encoder: EncoderWeights, data: EncodedTask, *, execution: Execution = ON_CPU, seed: int = 0, **knobs: Any
) -> Outcome:
    return finetune(trial_of(seed, **knobs), data, encoder, execution)


def numbers_of(outcome: Outcome) -> list[Any]:
    """Return all that a trial computed, without what the clock and the memory say."""
    part = outcome.parts["task"]
    return [
        [(epoch.number, epoch.train_loss, dict(epoch.dev["task"])) for epoch in outcome.epochs],
        outcome.chosen_epoch,
        dict(part.dev),
        part.dev_logits.tobytes(),
        part.test,
        None if part.test_logits is None else part.test_logits.tobytes(),
        outcome.collapsed,
        outcome.weights,
    ]


def losses_of(outcome: Outcome) -> list[float]:
    return [epoch.train_loss for epoch in outcome.epochs]


def dev_logits_of(outcome: Outcome) -> np.ndarray:
    return outcome.parts["task"].dev_logits


def rows_of(split: Split, label_names: Sequence[str], n_per_label: Sequence[int]) -> Split:
    """Take the first rows of some labels of the docstrings task, in the order in which they stand."""
    wanted = {docstrings_label(name): position for position, name in enumerate(label_names)}
    left = list(n_per_label)
    texts, labels = [], []
    for text, label in zip(split.texts, split.labels or (), strict=True):
        if label in wanted and left[wanted[label]] > 0:
            left[wanted[label]] -= 1
            texts.append(text)
            labels.append(wanted[label])
    return Split(tuple(texts), tuple(labels))


def docstrings_label(name: str) -> int:
    return list(docstrings.DISTRIBUTIONS).index(name)


def write_tokenizer(folder: Path, vocabulary: Sequence[str], **settings: Any) -> None:
    """Write a WordPiece tokenizer as published checkpoints have it; the config names its class."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    content = {"do_lower_case": True, "model_max_length": 64} | settings
    (folder / "tokenizer_config.json").write_text(json.dumps(content), encoding="utf-8")


def bert_config(n_tokens: int, **settings: Any) -> Any:
    from transformers import BertConfig

    defaults = {
        "vocab_size": n_tokens,
        "hidden_size": WIDTH,
        "num_hidden_layers": N_LAYERS,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "max_position_embeddings": 64,
    }
    return BertConfig(**(defaults | settings))


def save_encoder(model: Any, folder: Path, vocabulary: Sequence[str], **settings: Any) -> Path:
    """Write a checkpoint folder; biases and norms are moved off 0 and 1, where drawing them anew would not show."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "LayerNorm" in name or "layer_norm" in name:
                parameter.add_(torch.linspace(-0.1, 0.1, parameter.numel()))
    model.save_pretrained(folder)
    write_tokenizer(folder, vocabulary, **settings)
    return folder


def encoder_in(folder: Path) -> EncoderWeights:
    return read_weights(folder, read_card(str(folder), folder).identity)


@pytest.fixture(scope="session", autouse=True)
def _quiet_checkpoints() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()


@pytest.fixture(scope="session")
def docstrings_task() -> Task:
    return docstrings.load()


@pytest.fixture(scope="session")
def vocabulary(docstrings_task: Task) -> list[str]:
    return build_vocabulary(docstrings_task.train.texts, N_TOKENS)


@pytest.fixture(scope="session")
def task(docstrings_task: Task) -> Task:
    """Return three unequal labels of the docstrings task: 96 rows to train, 30 for dev, 30 for the test."""
    return Task(
        name="small",
        kind="single",
        metric="f1_macro",
        label_names=LABELS,
        train=rows_of(docstrings_task.train, LABELS, (40, 32, 24)),
        dev=rows_of(docstrings_task.dev, LABELS, (10, 10, 10)),
        test=rows_of(docstrings_task.test, LABELS, (10, 10, 10)) if docstrings_task.test else None,
    )


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    """Return a checkpoint of a BERT of 4 layers, 32 wide; its word vectors are wide, so that it learns in 3 epochs."""
    from transformers import BertModel

    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = BertModel(bert_config(len(vocabulary), initializer_range=0.1))
        torch.nn.init.normal_(model.embeddings.word_embeddings.weight)
    model.config.initializer_range = 0.02
    return save_encoder(model, tmp_path_factory.mktemp("encoders") / "bert", vocabulary)


@pytest.fixture(scope="session")
def encoder(bert_folder: Path) -> EncoderWeights:
    return encoder_in(bert_folder)


@pytest.fixture(scope="session")
def family_folders(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> dict[str, Path]:
    """Return checkpoints of the families whose module names differ from BERT's."""
    from transformers import DistilBertConfig, DistilBertModel, ElectraConfig, ElectraModel

    top = tmp_path_factory.mktemp("families")
    shape = {"vocab_size": len(vocabulary), "max_position_embeddings": 64}
    electra = ElectraConfig(
        **shape,
        embedding_size=16,
        hidden_size=WIDTH,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=48,
    )
    distilbert = DistilBertConfig(**shape, dim=WIDTH, n_layers=3, n_heads=2, hidden_dim=48)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        models = {"electra": ElectraModel(electra), "distilbert": DistilBertModel(distilbert)}
    return {name: save_encoder(model, top / name, vocabulary) for name, model in models.items()}


@pytest.fixture(scope="session")
def tokenizer(encoder: EncoderWeights) -> Any:
    return build_tokenizer(encoder.tokenizer)


@pytest.fixture(scope="session")
def data(task: Task, tokenizer: Any) -> EncodedTask:
    return encode_task(task, tokenizer, MAX_LENGTH)


@pytest.fixture(scope="session")
def facts(bert_folder: Path, task: Task) -> Facts:
    return facts_of(read_card("bert", bert_folder), task)
