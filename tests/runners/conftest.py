"""A small encoder and a small task on disk: real text and a real BERT, trained in a second."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gridsearch.cache import cache_folder
from gridsearch.tasks.task import Task
from tests.fixtures_core import Once

SPACE = """
title = "A small question"
[recipe]
epochs = 2
learning_rate = 3e-3
batch_size = 16
max_length = 24
[factors]
bert_adam = [false, true]
frozen_layers = [0, 1]
warmup_proportion = [0.0, 0.2]
"""


def tokens() -> dict[str, str]:
    """Return what the environment says of a Ray's token."""
    return {name: value for name, value in os.environ.items() if name.startswith("RAY_AUTH")}


@pytest.fixture(scope="module", autouse=True)
def _no_token_is_left() -> Iterator[None]:
    """The token of a Ray is forgotten with it: the next Ray of this process would ask for what nobody knows."""
    before = tokens()
    yield
    assert tokens() == before


@pytest.fixture(scope="session")
def encoder_folder(once: Once, docstrings_task: Task) -> Path:
    return once("small bert", partial(make_encoder, docstrings_task))


def make_encoder(task: Task, folder: Path) -> None:
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizer

    words = BertWordPieceTokenizer()
    words.train_from_iterator(task.train.texts, vocab_size=1000, show_progress=False)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=words.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip
    BertTokenizer(vocab=words.get_vocab()).save_pretrained(folder)
    model = BertModel(config)
    config.architectures = ["BertModel"]
    config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")


@pytest.fixture
def project(tmp_path: Path, docstrings_task: Task, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a hostile name: a space, a task and its data, and nothing else.

    Its cache is empty, but for the rows of built-in tasks, which are read once a run.
    """
    folder = make_project(tmp_path, docstrings_task)
    of_the_run, cache = cache_folder(), tmp_path / "cache"
    cache.mkdir()
    (cache / "tasks").symlink_to(of_the_run / "tasks")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(cache))
    return folder


def make_project(top: Path, task: Task) -> Path:
    folder = top / 'a user\'s "folder" 中文'
    folder.mkdir()
    labels = task.train.labels
    assert labels is not None
    chosen = [
        (text, task.label_names[label]) for text, label in zip(task.train.texts, labels, strict=True) if label < 2
    ]
    rows = [f"{label}\t{text.replace(chr(34), '').replace(chr(9), ' ')}" for text, label in chosen]
    (folder / "data.tsv").write_text("which one?\tthe text\n" + "\n".join(rows[:96]) + "\n", encoding="utf-8")
    (folder / "question.toml").write_text(SPACE)
    (folder / "task.toml").write_text(
        'name = "small"\nkind = "single"\nmetric = "accuracy"\n[files]\ntrain = "data.tsv"\ndev = 0.25\n'
        '[columns]\ntext = "the text"\nlabel = "which one?"\n'
    )
    return folder
