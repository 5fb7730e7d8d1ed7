"""Ours beside transformers' own classifiers of some families: the same logits, and the same twenty steps.

Theirs are AutoModelForSequenceClassification with the numbers of ours, trained by torch's own AdamW in a loop that is
written out here; rows come in our order. There is no dropout, which would be drawn in another order.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.families import FAMILIES
from gridsearch.tasks.batches import collate
from gridsearch.tasks.encode import encode_task
from gridsearch.tasks.task import Task
from gridsearch.training.execution import threads_of
from gridsearch.training.prepared import steps_of
from gridsearch.trial import make_trial
from tests.fixtures_core import STILL, WIDTH, encoder_in, recipe_of, some_quick

CPU = torch.device("cpu")
N_STEPS, RATE = 20, 5e-4
CASES: Mapping[str, dict[str, Any]] = {
    "modernbert-cls": {"pooling": "cls", "head_activation": "gelu"},
    "modernbert-mean": {"pooling": "mean", "head_activation": "gelu"},
    "roformer": {"pooling": "cls", "head_activation": "gelu"},
    "mpnet": {"pooling": "cls", "head_activation": "tanh"},
    "xlm-roberta-xl": {"pooling": "cls", "head_activation": "tanh"},
}
"""What a family's own classifier is in our knobs: a hidden layer on one vector."""
HEADS: Mapping[str, dict[str, str]] = {
    "modernbert": {"hidden.linear": "head.dense", "classifier": "classifier"},
    "roformer": {"hidden.linear": "classifier.dense", "classifier": "classifier.out_proj"},
    "mpnet": {"hidden.linear": "classifier.dense", "classifier": "classifier.out_proj"},
    "xlm-roberta-xl": {"hidden.linear": "classifier.dense", "classifier": "classifier.out_proj"},
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads_of(1), torch.random.fork_rng():
        yield


def theirs_of(folder: Path, family: str, pooling: str, ours: nn.Module) -> Any:
    settings: dict[str, Any] = dict.fromkeys(FAMILIES[family].dropouts, 0.0) | {"num_labels": 3}
    if family == "modernbert":
        settings |= {"classifier_pooling": pooling, "classifier_bias": True}
    model = AutoModelForSequenceClassification.from_pretrained(folder, **settings)
    if family == "modernbert":
        model.head.norm = nn.Identity()  # the one thing in it that no knob of ours is
    for mine, name in HEADS[family].items():
        model.get_submodule(name).load_state_dict(ours.get_submodule(mine).state_dict())
    return model.train()


@pytest.mark.parametrize("case", some_quick(CASES, 1, 3))
def test_logits_and_twenty_steps(case: str, family_folders: dict[str, Path], task: Task) -> None:
    family = case.removesuffix("-cls").removesuffix("-mean")
    folder, encoder = family_folders[family], encoder_in(family_folders[family])
    data = encode_task(task, build_tokenizer(encoder.tokenizer), 24)
    knobs = {"head": "mlp", "head_width": WIDTH, "learning_rate": RATE, "schedule": "constant", "epochs": 2}
    recipe = recipe_of(**knobs, **STILL, **CASES[case], weight_decay=0.01, decay_exclude="none", adam_epsilon=1e-6)
    trial = make_trial(recipe, seed=0, task="a task", encoder=encoder.identity)
    ours = build_classifier(recipe, encoder, data.n_labels, trial.seed)
    with torch.no_grad():
        ours.get_parameter("classifier.weight").mul_(20)  # else texts of a random encoder are all alike to it
    theirs = theirs_of(folder, family, recipe.pooling, ours)
    labels = torch.from_numpy(np.asarray(data.train.labels))

    def of_rows(rows: np.ndarray) -> dict[str, Tensor]:
        return collate(data.train, rows, data.pad_id, CPU)

    def logits() -> tuple[Tensor, Tensor]:
        everything = np.arange(len(data.train.lengths))
        with torch.no_grad():
            return ours(of_rows(everything))[0], theirs(**of_rows(everything)).logits

    mine, expected = logits()
    torch.testing.assert_close(mine, expected, rtol=0.0, atol=1e-5)
    steps = steps_of(trial, data, ours, CPU)
    ours.train()
    taken = [rows for epoch in (1, 2) for [rows] in steps.objective.batches(epoch)][:N_STEPS]
    found = [float(steps.step([rows], 1 + number * 2 // len(taken))) for number, rows in enumerate(taken)]
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=RATE, weight_decay=0.01, eps=1e-6, foreach=False)
    losses = []
    for rows in taken:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(theirs(**of_rows(rows)).logits, labels[rows].long())
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert len(found) == N_STEPS
    np.testing.assert_allclose(found, losses, rtol=0.0, atol=1e-5)
    after, theirs_after = logits()
    torch.testing.assert_close(after, theirs_after, rtol=0.0, atol=1e-5)
    assert (after - mine).abs().max() > 0.01, "it moved"
