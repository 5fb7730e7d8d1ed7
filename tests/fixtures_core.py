"""Small real encoders, a small real task, and short ways to run a trial: shared by the tests of the core.

The one line that ``tests/conftest.py`` needs: ``pytest_plugins = ["tests.fixtures_core"]``.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights, read_weights
from gridsearch.encoders.vocabulary import build_vocabulary
from gridsearch.planning.planner import trial_facts
from gridsearch.recipe.augmentation_knobs import augmentation_of
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.tasks.built_in import docstring_pairs, docstrings
from gridsearch.tasks.built_in.library_text import DISTRIBUTIONS
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Split, Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.trial import Outcome, PartOutcome, Trial, make_trial
from tests.made_once import folder_of_the_run, made_once

N_TOKENS, WIDTH, N_LAYERS, MAX_LENGTH = 800, 32, 4, 24
ON_CPU = Execution(device="cpu")
Once = Callable[[str, Callable[[Path], None]], Path]
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


QUICK_FAMILIES = ("bert", "roberta", "albert", "distilbert", "deberta-v2", "nezha", "modernbert")
"""`make test` tries these where all would take seconds: others have their layers, masks or positions as one of them."""


def by_family(families: Iterable[str] = FAMILIES) -> list[Any]:
    """Return families as the cases of a test, such that the quick ones are quick and the others slow."""
    return [family if family in QUICK_FAMILIES else slow(family) for family in families]


def some_quick(cases: Iterable[Any], *places: int) -> list[Any]:
    """Return the cases of a test, such that those at these places, from 0, are quick and the others slow."""
    several = enumerate(cases)
    return [one if place in places else slow(*(one if isinstance(one, tuple) else (one,))) for place, one in several]


def pages(few: int, many: int) -> pytest.MarkDecorator:
    """How many are simulated: few in the slow tests, and in the long ones as many as a bound needs."""
    sizes = [pytest.param(few, marks=pytest.mark.slow), pytest.param(many, marks=pytest.mark.long)]
    return pytest.mark.parametrize("n_pages", sizes)


def slow(*values: Any) -> Any:
    """Return a case of a test that is slow, where others of it are quick."""
    return pytest.param(*values, marks=pytest.mark.slow)


def recipe_of(**knobs: Any) -> Recipe:
    return Recipe(**(SMALL | knobs))


def reads(recipe: Recipe) -> tuple[Any, ...]:
    """Return what `encode_task` asks of a recipe, in its order."""
    return recipe.max_length, recipe.prediction_order, recipe.pair_swap, augmentation_of(recipe)


def trial_of(seed: int = 0, **knobs: Any) -> Trial:
    return make_trial(recipe_of(**knobs), seed=seed, task="a task", encoder="an encoder")


def run_trial(
    encoder: EncoderWeights, data: EncodedTask, *, execution: Execution = ON_CPU, seed: int = 0, **knobs: Any
) -> Outcome:
    return finetune(trial_of(seed, **knobs), data, encoder, execution)


def numbers_of(outcome: Outcome) -> list[Any]:
    """Return all that a trial computed, without what the clock and the memory say."""
    of_epochs = [
        (epoch.number, epoch.train_loss, {name: dict(dev) for name, dev in epoch.dev.items()})
        for epoch in outcome.epochs
    ]
    return [
        of_epochs,
        outcome.chosen_epoch,
        [numbers_of_part(part) for part in outcome.parts.values()],
        outcome.not_learned,
        outcome.weights,
    ]


def numbers_of_part(part: PartOutcome) -> list[Any]:
    """Return all that a trial computed of a part."""
    arrays = (part.dev_logits, part.test_logits, part.dev_rows)
    return [dict(part.dev), part.test, *(None if array is None else array.tobytes() for array in arrays)]


def with_another_word(data: EncodedTask) -> EncodedTask:
    """Write another word for one of the texts' words, such that the order of all words that occur stays as it is."""
    words = np.unique(np.concatenate([split.ids for split in data.splits.values()]))
    gaps = [(word, word + 1) for word, following in itertools.pairwise(words) if following > word + 1]
    brother, sister = max(gaps, key=lambda gap: np.count_nonzero(data.dev.ids == gap[0]))
    assert brother in data.dev.ids
    return data.with_splits(
        lambda _, split: replace(split, ids=np.where(split.ids == brother, sister, split.ids).astype(np.int32))
    )


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
    return list(DISTRIBUTIONS).index(name)


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
            if name.endswith("bias") or parameter.ndim == 1:
                parameter.add_(torch.linspace(-0.1, 0.1, parameter.numel()).view_as(parameter))
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
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return how to make a folder once for all workers: by its name and what fills it."""
    return partial(made_once, folder_of_the_run(tmp_path_factory))


@pytest.fixture(scope="session")
def docstrings_task(once: Once) -> Task:
    """Return the built-in task. It is read from thousands of source files once, and then from the cache of the run."""

    def fill_cache(folder: Path) -> None:
        docstrings.load()

    once("docstrings", fill_cache)
    return docstrings.load()


@pytest.fixture(scope="session")
def docstring_pairs_task(once: Once) -> Task:
    """Return the built-in task of pairs, read as ``docstrings_task`` is."""

    def fill_cache(folder: Path) -> None:
        docstring_pairs.load()

    once("docstring-pairs", fill_cache)
    return docstring_pairs.load()


@pytest.fixture(scope="session")
def vocabulary(docstrings_task: Task, once: Once) -> list[str]:
    def make(folder: Path) -> None:
        tokens = build_vocabulary(docstrings_task.train.texts, N_TOKENS)
        (folder / "vocabulary.json").write_text(json.dumps(tokens))

    tokens: list[str] = json.loads((once("vocabulary", make) / "vocabulary.json").read_text())
    return tokens


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
def bert_folder(vocabulary: list[str], once: Once) -> Path:
    """Return a checkpoint of a BERT of 4 layers, 32 wide; its word vectors are wide, so that it learns in 3 epochs."""

    def make(folder: Path) -> None:
        from transformers import BertModel

        with torch.random.fork_rng():
            torch.manual_seed(1)
            model = BertModel(bert_config(len(vocabulary), initializer_range=0.1))
            torch.nn.init.normal_(model.embeddings.word_embeddings.weight)
        model.config.initializer_range = 0.02
        save_encoder(model, folder, vocabulary)

    return once("bert", make)


@pytest.fixture(scope="session")
def encoder(bert_folder: Path) -> EncoderWeights:
    return encoder_in(bert_folder)


@pytest.fixture(scope="session")
def family_folders(vocabulary: list[str], once: Once) -> dict[str, Path]:
    """Return a checkpoint of every family: 3 layers, 32 wide, dropout 0.1, and a WordPiece tokenizer."""

    def make(top: Path) -> None:
        from transformers import AutoModel

        # Where positions are counted from the padding token, its id is that of published checkpoints: 1.
        padding_second = [vocabulary[1], vocabulary[0], *vocabulary[2:]]
        for number, (name, settings) in enumerate(family_settings().items()):
            tokens = padding_second if settings.get("pad_token_id") == 1 else vocabulary
            with torch.random.fork_rng():
                torch.manual_seed(20 + number)
                model = AutoModel.from_config(family_config(name, vocab_size=len(tokens), **settings))
            save_encoder(model, top / name, tokens, tokenizer_class="BertTokenizer")

    top = once("families", make)
    return {name: top / name for name in family_settings()}


def family_config(family: str, **settings: Any) -> Any:
    """Make a config of transformers, or of ours where it has none."""
    from transformers import AutoConfig

    from gridsearch.encoders.nezha import NezhaConfig

    return NezhaConfig(**settings) if family == "nezha" else AutoConfig.for_model(family, **settings)


def family_settings() -> dict[str, dict[str, Any]]:
    """Tell what makes each family small, and like its published checkpoints where its config class is not."""
    shape = {"hidden_size": WIDTH, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
    shape["max_position_embeddings"] = 64
    robertas = shape | {"type_vocab_size": 1, "pad_token_id": 1, "max_position_embeddings": 66}
    narrow = shape | {"embedding_size": 16}
    drops = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    ids = {f"{name}_token_id": 0 for name in ("pad", "bos", "eos", "cls", "sep", "mask")}
    deberta = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"]}
    deberta |= {"share_att_key": True, "norm_rel_ebd": "layer_norm", "position_buckets": 8, "conv_kernel_size": 3}
    return {
        "bert": shape,
        "ernie": shape | {"use_task_id": True},
        "roberta": robertas,
        "xlm-roberta": robertas,
        "electra": narrow,
        "albert": narrow | drops,
        "distilbert": {"dim": WIDTH, "n_layers": 3, "n_heads": 2, "hidden_dim": 48, "max_position_embeddings": 64},
        "deberta-v2": shape | deberta,
        "nezha": shape | {"max_relative_position": 4},
        "deberta": shape | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "max_relative_positions": 8},
        "camembert": robertas,
        # Every text is longer than what it sees at once in two of its layers.
        "modernbert": shape | ids | dict.fromkeys(FAMILIES["modernbert"].dropouts, 0.1) | {"local_attention": 4},
        "eurobert": shape | ids | {"num_attention_heads": 4, "num_key_value_heads": 2, "attention_dropout": 0.1},
        "roformer": narrow,
        "xlm-roberta-xl": robertas,
        "roberta-prelayernorm": robertas,
        "megatron-bert": shape,
        "mpnet": shape | {"pad_token_id": 1, "max_position_embeddings": 66},
        "convbert": narrow | {"pad_token_id": 0, "conv_kernel_size": 5},
        "big_bird": shape,
        "rembert": shape | drops | {"input_embedding_size": 16, "output_embedding_size": 24} | ids,
        "nomic_bert": shape | drops,
        "gte": shape | drops | {"pad_token_id": 0},
        "jina_embeddings_v3": shape | {"pad_token_id": 0},
    }


@pytest.fixture(scope="session")
def tokenizer(encoder: EncoderWeights) -> Any:
    return build_tokenizer(encoder.tokenizer)


@pytest.fixture(scope="session")
def data(task: Task, tokenizer: Any) -> EncodedTask:
    return encode_task(task, tokenizer, MAX_LENGTH)


@pytest.fixture(scope="session")
def facts(bert_folder: Path, task: Task) -> TrialFacts:
    return trial_facts(read_card("bert", bert_folder), task)
