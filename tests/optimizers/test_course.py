"""Which weights a trial goes through and evaluates, of every combination of the knobs that decide on it.

The optimizer, its rates, and what follows the weights move a few numbers instead of an encoder: a trial takes
milliseconds, so that all combinations can be compared with all, and not only neighbours. Equal ids are equal courses,
and equal courses have equal ids.
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gridsearch.errors import RequestError
from gridsearch.optimizers.settings import settings_of
from gridsearch.optimizers.updates import Updates
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.recipe.recipe import Recipe, set_knobs
from gridsearch.recipe.resolve import acting, resolve
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.tasks.encode import PartRows
from gridsearch.training.objective import batches_of_steps

RATES: Mapping[str, tuple[Any, ...]] = {
    "learning_rate": (1e-2, 3e-3),
    "optimizer": ("adamw", "original_bert_adam"),
    "schedule": ("linear", "cosine", "constant"),
    "warmup_proportion": (0.0, 0.05, 0.12, 0.2, 0.6, 0.8),
    "swa_start": ("none", 0.0, 0.12, 0.15, 0.8, 0.9),
    "swa_learning_rate": ("schedule", 1e-2, 5e-3),
}
AVERAGES: Mapping[str, tuple[Any, ...]] = {
    "lookahead_steps": (0, 1, 2, 3, 4, 5, 7, 9),
    "lookahead_alpha": (0.5, 1.0),
    "swa_start": ("none", 0.0, 0.12, 0.3, 0.6, 0.9),
    "swa_every": (1, 2, 4, 5, 7, 9),
    "swa_learning_rate": ("schedule", 1e-2),
    "ema_decay": (0.0, 0.5),
}
BATCHES: Mapping[str, tuple[Any, ...]] = {
    "batch_size": (1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 100),
    "gradient_accumulation": (1, 2, 3, 4, 5, 6, 12, 13),
    "warmup_proportion": (0.0, 0.1, 0.5),
    "bert_adam": (False, True),
}
# The slow ones are the same combinations in more steps.
SHAPES = (
    # Of two steps at one rate the mean is half of the second: what a linear schedule gives. So there is no such rate.
    pytest.param(RATES, {"epochs": 3, "batch_size": 4}, id="rates of 9 steps", marks=pytest.mark.slow),
    pytest.param(RATES, {"epochs": 3, "batch_size": 12}, id="rates of 3 steps", marks=pytest.mark.slow),
    pytest.param(RATES | {"swa_learning_rate": ("schedule", 4e-3)}, {"epochs": 2, "batch_size": 12}, id="of 2 steps"),
    pytest.param(RATES, {"epochs": 1, "batch_size": 12}, id="rates of 1 step", marks=pytest.mark.slow),
    pytest.param(AVERAGES, {"epochs": 3, "batch_size": 4}, id="averages of 9 steps", marks=pytest.mark.slow),
    pytest.param(AVERAGES, {"epochs": 1, "batch_size": 2}, id="averages of 6 steps"),
    pytest.param(BATCHES, {"epochs": 2}, id="batches", marks=pytest.mark.slow),
)
N_ROWS = 12
FACTS = TrialFacts("bert", 3, has_pooler=True, max_tokens=512, n_train_rows=N_ROWS, label_counts=(7, 5), dropout=0.1)


def course(recipe: Recipe) -> bytes:
    """Return the losses and the weights that are evaluated after each epoch."""
    model = nn.Linear(3, 2, dtype=torch.float64)
    texts = torch.from_numpy(np.random.default_rng(1).normal(size=(N_ROWS, 3)))
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.linspace(-1, 1 + number, parameter.numel()).view_as(parameter))
    decaying = recipe.model_copy(update={"weight_decay": 0.1, "decay_exclude": "none", "layer_decay": 1.0})
    updates = Updates(settings_of(decaying, N_ROWS), model, {})
    found = []
    for epoch in range(1, recipe.epochs + 1):
        for batches in batches_of_steps(recipe, np.arange(N_ROWS), [PartRows(np.arange(N_ROWS))], 0, epoch):
            updates.forget_gradients()
            for number, rows in enumerate(batches):
                loss = model(texts[rows]).pow(4).sum() * (1 + number)
                loss.backward()
                found.append(loss.item())
            updates.take()
        with updates.evaluated_weights():
            found += [number for parameter in model.parameters() for number in parameter.flatten().tolist()]
    return np.array(found).tobytes()


def recipes(values: Mapping[str, tuple[Any, ...]], fixed: Mapping[str, Any]) -> Iterator[Recipe]:
    """Yield all combinations that contradict nothing; settings of what is off are left out."""
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        recipe = Recipe(**{**fixed, **chosen})
        if chosen.get("lookahead_steps") == 0 and recipe.lookahead_alpha != 0.5:
            continue
        if recipe.swa_start == "none" and (recipe.swa_every, recipe.swa_learning_rate) != (1, "schedule"):
            continue
        try:
            refuse_contradictions(recipe, FACTS)
        except RequestError:
            continue
        yield recipe


@pytest.mark.parametrize(("values", "fixed"), SHAPES)
def test_equal_ids_are_equal_courses(values: Mapping[str, tuple[Any, ...]], fixed: Mapping[str, Any]) -> None:
    of_id: dict[Recipe, tuple[bytes, Recipe]] = {}
    of_course: dict[bytes, tuple[Recipe, Recipe]] = {}
    for recipe in recipes(values, fixed):
        name, found = acting(resolve(recipe, FACTS), FACTS), course(recipe)
        expected, first = of_id.setdefault(name, (found, recipe))
        assert found == expected, f"{told(first)} and {told(recipe)} have one id, {told(name)}"
        known, first = of_course.setdefault(found, (name, recipe))
        assert name == known, f"{told(first)} and {told(recipe)} do the same: {told(known)} and {told(name)}"
    assert len(of_id) > 5


def told(recipe: Recipe) -> dict[str, Any]:
    return {name: value for name, value in set_knobs(recipe).items() if value != getattr(Recipe(), name)}
