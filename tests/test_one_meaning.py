"""Equal ids are equal runs, and other ids other runs: neighbouring recipes are trained, to the end, and compared.

Neighbours differ in one knob. A recipe is trained as it is declared and as its id says: both give the same numbers. Two
ids that give the same numbers need a reason that lies in the data, and has a name here.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.files import read_card
from gridsearch.errors import RequestError
from gridsearch.planning.planner import facts_in_view, trial_facts
from gridsearch.recipe.augmentation_knobs import augmentation_of
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.recipe.poolings import READS
from gridsearch.recipe.recipe import Recipe, set_knobs
from gridsearch.recipe.resolve import acting, dead_knobs, in_numbers, resolve
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.tasks.augmentation.added import added_to
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Split, Task
from gridsearch.training.finetune import finetune
from gridsearch.trial import Outcome, make_trial
from tests.fixtures_core import ON_CPU, bert_config, encoder_in, numbers_of, reads, save_encoder, some_quick
from tests.test_liveness import LIVE

N_ROWS, N_LAYERS, LONGEST = 24, 3, 24
BASE: Mapping[str, Any] = {"epochs": 3, "batch_size": 8, "learning_rate": 5e-3, "max_length": LONGEST}
"""Three epochs of three steps."""

BOUNDARIES: Mapping[str, tuple[Any, ...]] = {
    "max_length": (12, 32),
    "reinit_layers": (0, 1, 2, 3),
    "frozen_layers": (0, "embeddings", 1, 3),
    "frozen_dropout": (False, True),
    "encoder_dropout": ("checkpoint", 0.0, 0.1, 0.3),
    "classifier_dropout": (0.0, 0.1, 0.3),
    "multi_sample_dropout": (1, 2, 3),
    "pooling_layers": ("all", 1, 2, 3),
    "head_width": (64, 128),
    "head_slots": (2, 3),
    "head_attention_dropout": (0.0, 0.2),
    "class_weights": (
        "none",
        "balanced",
        "log_counts",
        (1.0, 1.0, 1.0),
        (0.7, 0.91, 1.4),
        (1.0, 1.3, 2.0),
        (7.0, 10.0, 10.0),
    ),
    "label_smoothing": (0.0, 0.1),
    "r_drop": (0.0, 1.0),
    "adversarial_epsilon": (0.1, 0.3, 0.6, 0.9, 1.0, 5.0),
    "adversarial_alpha": (0.1, 0.3, 1.0),
    "adversarial_steps": (1, 2, 3),
    "adversarial_norm": ("published", "text", "normalized"),
    "adversarial_start": (1, 2, 3),
    "freelb_init": (0.0, 0.3),
    "epochs": (1, 2, 3),
    "batch_size": (1, 8, 9, 12, 23, 24, 25, 100),
    "gradient_accumulation": (1, 2, 3, 4, 24, 25),
    "clip_norm": ("none", 0.1),
    "warmup_proportion": (0.0, 0.05, 0.12, 0.2, 0.23, 0.3, 0.8, 0.9),
    "lookahead_steps": (0, 1, 2, 3, 4, 7, 8, 9),
    "lookahead_alpha": (0.5, 0.9, 1.0),
    "ema_decay": (0.0, 0.5),
    "swa_start": ("none", 0.0, 0.1, 0.12, 0.2, 0.5, 0.89, 0.9),
    "swa_every": (1, 2, 3, 4, 7, 8, 9),
    "swa_learning_rate": ("schedule", 5e-3, 1e-3),
    "patience": ("none", 1, 2, 5),
    "selection": ("best", "last"),
    "checkpoints": (1, 2, 3, 4),
}
"""Values at the ends of ranges, around rows, batches and depth, and some that round to one number of steps."""

VALUES: Mapping[str, tuple[Any, ...]] = {
    name: tuple(
        dict.fromkeys(
            [
                BASE.get(name, getattr(Recipe(), name)),
                *(value for _, value in LIVE[name] if not (isinstance(value, str) and value.endswith("%"))),
                *BOUNDARIES.get(name, ()),
            ]
        )
    )
    for name in LIVE
}

TOGETHER: tuple[tuple[str, ...], ...] = (
    ("adversarial", "adversarial_steps", "freelb_init"),
    ("adversarial", "adversarial_alpha", "adversarial_epsilon"),
    ("adversarial", "adversarial_norm", "frozen_layers"),
    ("swa_start", "swa_every", "swa_learning_rate"),
    ("swa_start", "swa_learning_rate", "warmup_proportion"),
    ("swa_start", "swa_learning_rate", "schedule"),
    ("swa_start", "swa_every", "lookahead_steps"),
    ("lookahead_steps", "lookahead_alpha", "epochs"),
    ("lookahead_steps", "lookahead_alpha", "swa_start"),
    ("optimizer", "warmup_proportion", "swa_start"),
    ("schedule", "warmup_proportion", "batch_size"),
    ("pooling", "pooling_layers", "frozen_layers"),
    ("batch_size", "gradient_accumulation", "class_weights"),
    ("frozen_layers", "frozen_dropout", "encoder_dropout"),
    ("frozen_layers", "weight_decay", "decay_exclude"),
    ("classifier_dropout", "encoder_dropout", "r_drop"),
    ("classifier_dropout", "multi_sample_dropout", "multi_sample_mode"),
    ("epochs", "patience", "selection"),
    ("epochs", "selection", "checkpoints"),
    ("checkpoints", "lookahead_steps", "swa_start"),
    ("head", "head_width", "head_activation"),
    ("head", "head_slots", "head_attention_dropout"),
    ("head", "head_attention_dropout", "classifier_dropout", "encoder_dropout", "r_drop"),
)
"""Knobs that are read together somewhere, and so have to meet."""


def draw(stream: random.Random) -> dict[str, Any]:
    """Draw the knobs of a recipe: those of one or two groups that belong together, and a few others."""
    values = dict(BASE)
    chosen = {name for group in stream.sample(TOGETHER, stream.choice([1, 1, 2])) for name in group}
    chosen |= set(stream.sample(sorted(VALUES), stream.choice([0, 1, 3])))
    for name in sorted(chosen):
        values[name] = stream.choice(VALUES[name])
    return values


def neighbours(stream: random.Random) -> Iterator[tuple[Recipe, Recipe]]:
    """Yield pairs of recipes that differ in one knob, which is mostly one of those that have been drawn."""
    while True:
        values = draw(stream)
        name = stream.choice(sorted(values.keys() - {"learning_rate"}) if stream.random() < 0.8 else sorted(VALUES))
        other = stream.choice([value for value in VALUES[name] if value != values.get(name)])
        yield Recipe(**values), Recipe(**values | {name: other})


@dataclass(frozen=True)
class Computed:
    """What a trial came to."""

    bits: str
    numbers: np.ndarray
    n_epochs: int
    chosen: int


class Toy:
    """A small BERT on a small task, computing recipes once."""

    def __init__(self, folder: Path, task: Task) -> None:
        self.encoder = encoder_in(folder)
        self.tokenizer = build_tokenizer(self.encoder.tokenizer)
        self.task, self.facts = task, trial_facts(read_card(str(folder), folder), task)
        self.data = cache(self._data)
        self.computed = cache(self._computed)

    def _data(self, max_length: int, *orders: Any) -> EncodedTask:
        return encode_task(self.task, self.tokenizer, max_length, *orders)

    def _computed(self, recipe: Recipe) -> Computed:
        trial = make_trial(recipe, seed=0, task="a task", encoder=self.encoder.identity)
        outcome = finetune(trial, self.data(*reads(recipe)), self.encoder, ON_CPU)
        losses = [epoch.train_loss for epoch in outcome.epochs]
        dev = [epoch.dev["task"]["log_loss"] for epoch in outcome.epochs]
        return Computed(bits_of(outcome), np.array(losses + dev), len(outcome.epochs), outcome.chosen_epoch)

    def facts_of(self, recipe: Recipe) -> TrialFacts:
        """Know what a plan knows: the rows that an epoch of the recipe reads."""
        asked = augmentation_of(recipe)
        return facts_in_view(recipe, self.facts, None if asked is None else added_to(self.task, asked))

    def is_refused(self, recipe: Recipe) -> bool:
        try:
            refuse_contradictions(recipe, self.facts_of(recipe))
        except RequestError:
            return True
        return False

    def acting(self, recipe: Recipe) -> Recipe:
        facts = self.facts_of(recipe)
        return acting(resolve(recipe, facts), facts)

    def check_spelling(self, recipe: Recipe) -> None:
        """Demand that a recipe gives the numbers of the one that its id is made of."""
        found = self.acting(recipe)
        if found == recipe:
            return
        changed = {name for name, value in found if value != getattr(recipe, name)}
        one, other = self.computed(recipe), self.computed(found)
        told = f"{set_knobs(recipe)}\nis resolved to\n{set_knobs(found)}"
        if changed & ROUNDED.keys():
            assert one.numbers == pytest.approx(other.numbers, rel=2e-2), told
        else:
            assert one.bits == other.bits, told

    def check_pair(self, one: Recipe, other: Recipe) -> None:
        """Demand other numbers from recipes with other ids."""
        one, other = self.acting(one), self.acting(other)
        if one == other or self.computed(one).bits != self.computed(other).bits:
            return
        changed = {name for name, value in one if value != getattr(other, name)}
        reasons = [reason for reason, holds in IN_THE_DATA.items() if holds(self, one, other, changed)]
        assert reasons, f"{set_knobs(one)}\nand\n{set_knobs(other)}\ncompute the same"


def bits_of(outcome: Outcome) -> str:
    """Return all numbers of an outcome, without the weights: a part that is multiplied by 0 has some, too."""
    return repr(numbers_of(replace(outcome, weights=None, not_learned="")))


ROUNDED: Mapping[str, str] = {
    "class_weights": "weights in the same ratios, or of steps of one row, give the same quotients but for rounding",
    "adversarial": "PGD's only step is scaled back into its ball",
    "adversarial_alpha": "FreeLB's only step is scaled back into its ball",
    "pooling": "a dynamic mix has one more gradient of 0 in the norm that is clipped; what frozen layers give is "
    "computed in other batches where all layers are read",
}
"""Knobs whose other spelling is computed by other operations, and why."""

IN_THE_DATA: Mapping[str, Callable[[Toy, Recipe, Recipe, set[str]], bool]] = {
    "no text is cut": lambda toy, one, other, changed: (
        changed == {"max_length"}
        and not READS[one.pooling].max_length
        and max(split.lengths.max() for split in toy.data(64).splits.values()) <= min(one.max_length, other.max_length)
    ),
    "patience does not run out": lambda toy, one, other, changed: (
        changed == {"patience"} and toy.computed(one).n_epochs == toy.computed(other).n_epochs
    ),
    "the best epoch is the last one": lambda toy, one, other, changed: (
        changed == {"selection"} and toy.computed(one).chosen == toy.computed(one).n_epochs
    ),
    "patience leaves fewer epochs than are averaged": lambda toy, one, other, changed: (
        changed == {"checkpoints"} and toy.computed(one).n_epochs <= min(one.checkpoints, other.checkpoints)
    ),
    "epochs that evaluate the same weights are averaged": lambda toy, one, other, changed: (
        changed == {"checkpoints"} and (one.lookahead_steps > 0 or one.swa_start != "none")
    ),
    "no perturbation leaves the smaller ball": lambda toy, one, other, changed: (
        changed == {"adversarial_epsilon"} and one.adversarial != "fgm"
    ),
    "no gradient is longer": lambda toy, one, other, changed: changed == {"clip_norm"},
}
"""Why two recipes may compute the same without being the same on every task."""


def toy_of(task: Task, kind: str, folder: Path) -> Toy:
    """Return 24 rows to train and 8 for dev, labels of unequal number; some words are in both texts of a pair."""

    def part(split: Split, rows: range) -> Split:
        texts = [split.texts[row] for row in rows]
        pairs = tuple(f"{texts[row - 1][:30]} {text[:20]}" for row, text in enumerate(texts))
        labels = tuple((split.labels or ())[row] for row in rows)
        return Split(tuple(texts), labels, pairs if kind == "pair" else None)

    train, dev = part(task.train, range(0, 96, 4)), part(task.dev, range(0, 30, 4))
    return Toy(folder, replace(task, kind=kind, train=train, dev=dev, test=None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    from transformers import BertModel

    with torch.random.fork_rng():
        torch.manual_seed(3)
        shape = {"hidden_size": 16, "num_hidden_layers": N_LAYERS, "intermediate_size": 16, "initializer_range": 0.1}
        model = BertModel(bert_config(len(vocabulary), **shape))
        torch.nn.init.normal_(model.embeddings.word_embeddings.weight)
    return save_encoder(model, tmp_path_factory.mktemp("toy") / "bert", vocabulary)


@pytest.fixture(scope="module")
def toys(task: Task, folder: Path) -> dict[str, Toy]:
    return {kind: toy_of(task, kind, folder) for kind in ("single", "pair")}


# --- without training: what is spelled one way stays so


@pytest.mark.slow  # many recipes, drawn at random
@pytest.mark.parametrize("kind", ["single", "pair"])
def test_a_recipe_is_resolved_once_and_for_all(toys: dict[str, Toy], kind: str) -> None:
    toy, stream = toys[kind], random.Random(kind)
    for recipe, _ in itertools.islice(neighbours(stream), 4000):
        if toy.is_refused(recipe):
            continue
        facts = toy.facts_of(recipe)
        resolved = resolve(recipe, facts)
        assert resolve(resolved, facts) == resolved, set_knobs(recipe)
        assert not toy.is_refused(resolved), set_knobs(recipe)
        found = acting(resolved, facts)
        assert dead_knobs(found, facts) == {}, set_knobs(recipe)
        assert not toy.is_refused(found), set_knobs(recipe)
        assert in_numbers(found, facts) == found


# --- pairs that somebody could take for two: trained as they are declared, and as their one id says

PGD: Mapping[str, Any] = {"adversarial": "pgd"}
FREELB: Mapping[str, Any] = {"adversarial": "freelb"}
OWN_RATE: Mapping[str, Any] = {"swa_start": 0.0, "swa_learning_rate": 1e-3}
ORIGINAL: Mapping[str, Any] = {"optimizer": "original_bert_adam"}
SAME: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...] = (
    # Steps and batches.
    ({"batch_size": 24}, {"batch_size": 1000}),
    ({"gradient_accumulation": 3}, {"gradient_accumulation": 4}),
    ({"gradient_accumulation": 3}, {"gradient_accumulation": 50}),
    ({"batch_size": 24}, {"batch_size": 32, "gradient_accumulation": 2}),
    ({"warmup_proportion": 0.12}, {"warmup_proportion": 0.2}),
    ({"warmup_proportion": 0.3, "schedule": "cosine"}, {"warmup_proportion": 0.25, "schedule": "cosine"}),
    ({"warmup_proportion": 0.8}, {"warmup_proportion": 0.8, "schedule": "cosine"}),
    ({"warmup_proportion": 0.9}, {"warmup_proportion": 0.9, "schedule": "constant"}),
    # Means of weights.
    ({"swa_start": 0.5}, {"swa_start": 0.45}),
    ({}, {"swa_start": 0.9}),
    ({}, {"swa_start": 0.0, "swa_every": 9}),
    ({"swa_start": 0.34, "swa_every": 4}, {"swa_start": 0.0, "swa_every": 7}),
    (OWN_RATE, {**OWN_RATE, "learning_rate": 1e-4}),
    (OWN_RATE, {**OWN_RATE, "warmup_proportion": 0.4}),
    (OWN_RATE, {**OWN_RATE, "schedule": "cosine"}),
    (OWN_RATE, {"swa_start": 0.0, "schedule": "constant", "learning_rate": 1e-3}),
    ({**OWN_RATE, **ORIGINAL}, {**OWN_RATE, **ORIGINAL, "warmup_proportion": 0.4, "learning_rate": 1e-4}),
    (
        {**OWN_RATE, "swa_start": 0.12, "warmup_proportion": 0.12},
        {**OWN_RATE, "swa_start": 0.12, "warmup_proportion": 0.4, "learning_rate": 1e-4},
    ),
    (
        {"schedule": "constant", "swa_start": 0.5},
        {"schedule": "constant", "swa_start": 0.5, "swa_learning_rate": BASE["learning_rate"]},
    ),
    ({}, {"lookahead_steps": 1, "lookahead_alpha": 1.0}),
    ({}, {"lookahead_steps": 3, "lookahead_alpha": 1.0}),
    ({"ema_decay": 0.5}, {"ema_decay": 0.5, "lookahead_steps": 2, "lookahead_alpha": 1.0}),
    (
        {"epochs": 1, "batch_size": 5, "lookahead_steps": 4, "lookahead_alpha": 1.0},
        {"epochs": 1, "batch_size": 5, "lookahead_steps": 2, "lookahead_alpha": 1.0},
    ),
    (
        {"swa_start": 0.0, "swa_every": 2},
        {"swa_start": 0.0, "swa_every": 2, "lookahead_steps": 9, "lookahead_alpha": 0.3},
    ),
    ({"lookahead_steps": 2}, {"lookahead_steps": 2, "swa_start": 0.0, "swa_every": 8}),
    (
        {"lookahead_steps": 4, "lookahead_alpha": 1.0, "swa_start": 0.0, "swa_every": 5},
        {"lookahead_steps": 5, "lookahead_alpha": 1.0},
    ),
    # Means of predictions.
    ({"checkpoints": 3}, {"checkpoints": 7}),
    ({"epochs": 1}, {"epochs": 1, "checkpoints": 2}),
    (
        {"selection": "last", "lookahead_steps": 6},
        {"selection": "last", "lookahead_steps": 6, "checkpoints": 2},
    ),
    # Attacks.
    ({**FREELB, "adversarial_steps": 1, "freelb_init": 0.5}, {**FREELB, "adversarial_steps": 1, "freelb_init": 0.5,
      "adversarial_alpha": 2.0, "adversarial_epsilon": 0.01}),
    ({"adversarial": "fgm", "adversarial_epsilon": 0.3}, {**PGD, "adversarial_steps": 1}),
    ({"adversarial": "fgm", "adversarial_epsilon": 0.2}, {**PGD, "adversarial_steps": 1, "adversarial_epsilon": 0.2}),
    ({**PGD, "adversarial_alpha": 0.1, "adversarial_epsilon": 0.3}, {**PGD, "adversarial_alpha": 0.1}),
    ({**FREELB, "adversarial_epsilon": 0.6}, {**FREELB, "adversarial_norm": "text"}),
    (
        {**FREELB, "adversarial_steps": 2, "adversarial_epsilon": 0.2, "adversarial_alpha": 0.2},
        {**FREELB, "adversarial_steps": 2, "adversarial_epsilon": 0.2, "adversarial_alpha": 0.7},
    ),
    # Pooling.
    ({"pooling": "cls"}, {"pooling": "cls_cat", "pooling_layers": 1}),
    ({"pooling": "mean"}, {"pooling": "mean_cat", "pooling_layers": 1}),
    ({"pooling": "cls", "weight_decay": 0.1}, {"pooling": "dynamic", "pooling_layers": 1, "weight_decay": 0.1}),
    ({"pooling": "cls_cat"}, {"pooling": "cls_cat", "pooling_layers": 3}),
    # Weights of labels, dropout, decay.
    ({"class_weights": "balanced"}, {"class_weights": (7.0, 10.0, 10.0)}),
    ({"class_weights": (1.0, 1.3, 2.0)}, {"class_weights": (0.7, 0.91, 1.4)}),
    ({"batch_size": 1, "epochs": 1}, {"batch_size": 1, "epochs": 1, "class_weights": "balanced"}),
    ({"encoder_dropout": 0.1}, {"encoder_dropout": "checkpoint"}),
    ({"frozen_layers": 3}, {"frozen_layers": 3, "encoder_dropout": 0.0, "frozen_dropout": True}),
    (
        {"frozen_layers": 3, "weight_decay": 0.1, "epochs": 1, "batch_size": 24},
        {"frozen_layers": 3, "weight_decay": 0.1, "epochs": 1, "batch_size": 24, "decay_exclude": "none"},
    ),
)  # fmt: skip
"""Neighbours of one meaning."""

OTHER: tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...] = (
    (ORIGINAL, {**ORIGINAL, "warmup_proportion": 0.05}),
    ({**ORIGINAL, "warmup_proportion": 0.25}, {**ORIGINAL, "warmup_proportion": 0.3}),
    (
        {**OWN_RATE, **ORIGINAL, "swa_start": 0.12},
        {**OWN_RATE, **ORIGINAL, "swa_start": 0.12, "warmup_proportion": 0.05},
    ),
    ({}, {"lookahead_steps": 2, "lookahead_alpha": 1.0}),
    ({"lookahead_steps": 2}, {"lookahead_steps": 2, "swa_start": 0.9}),
    ({"swa_start": 0.0, "swa_every": 7}, {"swa_start": 0.0, "swa_every": 7, "swa_learning_rate": 1e-3}),
    ({"pooling": "pooler"}, {"pooling": "cls_cat_poolers", "pooling_layers": 1}),
    ({"checkpoints": 3}, {"checkpoints": 3, "selection": "last"}),
    (
        {"selection": "last", "lookahead_steps": 5},
        {"selection": "last", "lookahead_steps": 5, "checkpoints": 3},
    ),
    (
        {"frozen_layers": 3, "frozen_dropout": True},
        {"frozen_layers": 3, "encoder_dropout": 0.0, "frozen_dropout": True},
    ),
    ({**PGD, "adversarial_steps": 1}, {**PGD, "adversarial_steps": 2}),
    ({"class_weights": (1.0, 1.0, 2.0)}, {"class_weights": (1.0, 1.0, 2.000001)}),
    ({"class_weights": "balanced"}, {"class_weights": "log_counts"}),
    (
        {"frozen_layers": 3, "weight_decay": 0.1, "epochs": 1, "batch_size": 12},
        {"frozen_layers": 3, "weight_decay": 0.1, "epochs": 1, "batch_size": 12, "decay_exclude": "none"},
    ),
)
"""Neighbours that are taken for one easily."""


@pytest.mark.parametrize(("one", "other"), some_quick(SAME, *range(0, len(SAME), 8)), ids=str)
def test_one_meaning_has_one_id(toys: dict[str, Toy], one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    toy, recipes = toys["single"], [Recipe(**{**BASE, **values}) for values in (one, other)]
    assert recipes[0] != recipes[1]
    assert toy.acting(recipes[0]) == toy.acting(recipes[1])
    for recipe in recipes:
        toy.check_spelling(recipe)


@pytest.mark.parametrize(("one", "other"), some_quick(OTHER, *range(0, len(OTHER), 4)), ids=str)
def test_two_meanings_have_two_ids(toys: dict[str, Toy], one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    toy, recipes = toys["single"], [Recipe(**{**BASE, **values}) for values in (one, other)]
    found = [toy.acting(recipe) for recipe in recipes]
    assert found[0] != found[1]
    assert [dead_knobs(resolve(recipe, toy.facts), toy.facts) for recipe in recipes][1].keys() <= {"frozen_dropout"}
    assert toy.computed(found[0]).bits != toy.computed(found[1]).bits


# --- and pairs that nobody thought of


def check_neighbours(toys: dict[str, Toy], seed: str, n_pairs: int) -> int:
    """Compare so many pairs of neighbours; return how many of them could be trained."""
    n_trained = 0
    for number in range(n_pairs):
        stream = random.Random(f"{seed} {number}")
        (one, other), toy = next(neighbours(stream)), toys[stream.choice(["single", "pair"])]
        if toy.is_refused(one) or toy.is_refused(other):
            continue
        toy.check_spelling(one)
        toy.check_spelling(other)
        toy.check_pair(one, other)
        n_trained += 1
    return n_trained


@pytest.mark.slow  # trials of many recipes, drawn at random
def test_neighbours(toys: dict[str, Toy]) -> None:
    assert check_neighbours(toys, "quick", 60) > 45


@pytest.mark.long  # whole trials: three minutes each
@pytest.mark.parametrize("seed", range(20))
def test_many_neighbours(toys: dict[str, Toy], seed: int) -> None:
    assert check_neighbours(toys, f"slow {seed}", 200) > 150
