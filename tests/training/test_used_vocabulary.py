"""Leaving out the words that do not occur changes nothing that is trained, on any family."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gridsearch.encoders.checkpoint.anatomy import word_table
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.load import EncoderWeights, load
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Task
from gridsearch.threads import threads_of
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.prepared import steps_of
from gridsearch.training.used_vocabulary import UsedVocabulary, used_vocabulary
from gridsearch.trial import ONE_MODEL, make_trial

FAMILIES = ("bert", "ernie", "roberta", "xlm-roberta", "electra", "albert", "distilbert", "deberta-v2", "nezha")
RECIPES: dict[str, dict[str, Any]] = {
    "AdamW with decay": {"weight_decay": 0.1, "decay_exclude": "none", "clip_norm": 1.0},
    "BertAdam of old": {"optimizer": "original_bert_adam", "weight_decay": 0.1, "decay_exclude": "none"},
    "averages": {"weight_decay": 0.1, "decay_exclude": "none", "lookahead_steps": 2, "ema_decay": 0.9},
    "attack": {"adversarial": "fgm", "weight_decay": 0.1, "decay_exclude": "none"},
    "frozen": {"frozen_layers": "embeddings"},
}


def few_rows(data: EncodedTask) -> EncodedTask:
    """The task cut to its first rows, so that many words of the vocabulary do not occur."""

    def first(split: Any, n_rows: int) -> Any:
        end = split.starts[n_rows]
        parts = {name: getattr(split, name) for name in ("types", "shared")}
        cut = {name: None if part is None else part[:end] for name, part in parts.items()}
        return replace(
            split, ids=split.ids[:end], starts=split.starts[: n_rows + 1], labels=split.labels[:n_rows], **cut
        )

    return replace(data, train=first(data.train, 12), dev=first(data.dev, 4), test=None)


def trained(encoder: EncoderWeights, data: EncodedTask, **knobs: Any) -> tuple[list[float], Tensor]:
    """Take the steps of two epochs; return their losses, and the word vectors that would be evaluated."""
    recipe = Recipe(epochs=2, batch_size=4, learning_rate=1e-2, max_length=24, encoder_dropout=0.0, **knobs)
    trial = make_trial(recipe, seed=3, task="a task", encoder=encoder.identity)
    with threads_of(1), torch.random.fork_rng():
        model = build_classifier(recipe, encoder, data.n_labels, trial.seed)
        steps = steps_of(trial, data, model, torch.device("cpu"))
        losses = [steps.run_epoch(epoch) for epoch in (1, 2)]
        with steps.updates.evaluated_weights():
            return losses, model.word_embeddings.weight.detach().clone()


def cut_of(folder: Path, task: Task) -> tuple[EncoderWeights, EncodedTask, UsedVocabulary]:
    encoder = load(str(folder), (), lambda sentence: None)
    data = few_rows(encode_task(task, build_tokenizer(encoder.tokenizer), 24))
    return encoder, data, used_vocabulary(data, encoder)


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_that_is_trained_changes(family: str, family_folders: dict[str, Path], task: Task) -> None:
    encoder, data, cut = cut_of(family_folders[family], task)
    assert len(cut.ids) < len(encoder.state[word_table(encoder.config)]) * 2 / 3, (
        "the test needs words that do not occur"
    )
    assert cut.ids[cut.data.train.ids].tolist() == data.train.ids.tolist()
    assert cut.data.pad_id == data.pad_id == cut.ids[data.pad_id]
    whole, table = trained(encoder, data, **RECIPES["AdamW with decay"])
    losses, few = trained(cut.encoder, cut.data, **RECIPES["AdamW with decay"])
    assert losses == pytest.approx(whole, rel=1e-5)
    torch.testing.assert_close(cut.whole(few, encoder), table, rtol=1e-4, atol=1e-5)


@pytest.mark.slow  # 0.5 s
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_words_left_out_are_treated_as_training_treats_them(
    recipe: dict[str, Any], family_folders: dict[str, Path], task: Task
) -> None:
    encoder, data, cut = cut_of(family_folders["bert"], task)
    _, table = trained(encoder, data, **recipe)
    _, few = trained(cut.encoder, cut.data, **recipe)
    whole = cut.whole(few, encoder)
    absent = np.setdiff1d(np.arange(len(table)), cut.ids)
    torch.testing.assert_close(whole[absent], table[absent], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(whole, table, rtol=1e-4, atol=1e-5)
    decayed = not torch.equal(table[absent], torch.from_numpy(encoder.state[word_table(encoder.config)][absent]))
    assert decayed is ("weight_decay" in recipe), "decay is what the test is about"


def test_kept_weights_hold_every_word(encoder: EncoderWeights, data: EncodedTask) -> None:
    from safetensors.numpy import load as read

    few = few_rows(data)
    recipe = Recipe(epochs=1, batch_size=4, max_length=24)
    trial = make_trial(recipe, seed=0, task="a task", encoder=encoder.identity)
    outcome = finetune(trial, few, encoder, Execution(keep_weights=True))
    assert outcome.weights is not None
    table = read(outcome.weights[ONE_MODEL])[f"encoder.{word_table(encoder.config)}"]
    before = encoder.state[word_table(encoder.config)]
    ids = used_vocabulary(few, encoder).ids
    absent = np.setdiff1d(np.arange(len(before)), ids)
    assert table.shape == before.shape
    assert np.array_equal(table[absent], before[absent])
    assert not np.array_equal(table[ids], before[ids])
