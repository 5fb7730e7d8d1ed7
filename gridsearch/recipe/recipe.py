"""Recipe: every knob of one fine-tune.

Each knob tells its meaning, its source, the value that is as good as its absence, when it cannot act, and what it
touches. They stand in groups, a file each.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import ValidationError

from gridsearch.errors import RequestError, one_of, validation_sentence
from gridsearch.recipe.attack_knobs import AttackKnobs
from gridsearch.recipe.augmentation_knobs import AugmentationKnobs
from gridsearch.recipe.encoder_knobs import EncoderKnobs
from gridsearch.recipe.evaluation_knobs import EvaluationKnobs
from gridsearch.recipe.head_knobs import HeadKnobs
from gridsearch.recipe.knob import NO_NEUTRAL, Knob
from gridsearch.recipe.loss_knobs import LossKnobs
from gridsearch.recipe.optimizer_knobs import OptimizerKnobs
from gridsearch.recipe.parts.knobs import PartsKnobs, PartsRecipe, parts_of
from gridsearch.recipe.parts.quotas import quotas
from gridsearch.recipe.prefixes import PREFIXES
from gridsearch.recipe.pretraining.knobs import PretrainingKnobs, PretrainingRecipe, pretraining_of
from gridsearch.recipe.shares import decimal, whole_steps
from gridsearch.recipe.trial_facts import Rows, TrialFacts
from gridsearch.recipe.vocabulary.knobs import VocabularyKnobs, VocabularyRecipe, vocabulary_of


# Pydantic puts the fields of the last base first.
class Recipe(
    EvaluationKnobs,
    OptimizerKnobs,
    AttackKnobs,
    LossKnobs,
    HeadKnobs,
    AugmentationKnobs,
    PartsKnobs,
    PretrainingKnobs,
    VocabularyKnobs,
    EncoderKnobs,
):
    """Every knob of one fine-tune. Frozen; unknown knobs and wrong types are refused; nothing is coerced."""

    # Arithmetic.
    precision: Annotated[
        Literal["fp32", "bf16"],
        Knob(
            "arithmetic of the forward and backward pass (bf16: autocast)",
            neutral="fp32",
            frozen_states="enters",
        ),
    ] = "fp32"

    @staticmethod
    def knobs() -> Mapping[str, Knob]:
        """Every knob's declaration: for those who have a recipe and may not import this module."""
        return knobs()

    @property
    def pretraining(self) -> PretrainingRecipe:
        """What the encoder learns before the trial."""
        return pretraining_of(self)

    @property
    def vocabulary(self) -> VocabularyRecipe:
        """How ids become the encoder's tokens."""
        return vocabulary_of(self)

    @property
    def parts(self) -> PartsRecipe:
        """How several parts are learned together."""
        return parts_of(self)

    def pretraining_steps(self, facts: TrialFacts) -> int:
        """Optimizer steps of the pretraining, on the corpus that it reads."""
        pretraining = self.pretraining
        return pretraining.total_steps(pretraining.n_rows(*facts.corpora.get(pretraining.corpus, (0, 0))))

    def rows_in_view(self, n_rows: int) -> int:
        """Rows that an epoch reads of so many training rows."""
        return 2 * n_rows if self.pair_swap == "both" else n_rows

    def rows_together(self, rows: Rows) -> tuple[int, ...]:
        """Training rows of an epoch that may come together in a batch: one number for each such kind of batch.

        Of parts that are trained separately these are those of the largest: what acts on any acts on it.
        """
        if isinstance(rows, int):
            return (rows,)
        if self.parts.training == "separate":
            return (max(rows),)
        sampled = quotas(rows, self.parts.sampling)
        return (sum(sampled),) if self.parts.batches == "mixed" else sampled

    def batches_per_epoch(self, rows: Rows) -> int:
        """Batches of one pass over the training rows."""
        return sum(math.ceil(n_rows / self.batch_size) for n_rows in self.rows_together(rows))

    def steps_per_epoch(self, rows: Rows) -> int:
        """Optimizer steps of one pass over the training rows."""
        return math.ceil(self.batches_per_epoch(rows) / self.gradient_accumulation)

    def total_steps(self, rows: Rows) -> int:
        """Optimizer steps of the whole schedule: fixed by the recipe, never by how a run goes."""
        return self.epochs * self.steps_per_epoch(rows)

    def warmup_steps(self, rows: Rows) -> int:
        """Optimizer steps of the warm-up, rounded down."""
        return whole_steps(self.warmup_proportion, self.total_steps(rows))

    def swa_first_step(self, rows: Rows) -> int | None:
        """Optimizer steps before weights are averaged, rounded down; None when they never are."""
        return None if self.swa_start == "none" else whole_steps(self.swa_start, self.total_steps(rows))

    def steps_averaged(self, rows: Rows) -> range:
        """Updates after which the weights are averaged, counted from 1; empty when they never are."""
        first_step = self.swa_first_step(rows)
        if first_step is None:
            return range(0)
        return range(first_step + self.swa_every, self.total_steps(rows) + 1, self.swa_every)

    def steps_scheduled(self, rows: Rows) -> int:
        """Optimizer steps whose learning rate the schedule says: those before an average with a rate of its own."""
        first_step = None if self.swa_learning_rate == "schedule" else self.swa_first_step(rows)
        return self.total_steps(rows) if first_step is None else first_step

    def reach_of_attack(self) -> float:
        """Return the largest norm that an attack's steps add up to: no larger ball ever holds one back."""
        length = decimal(self.adversarial_alpha)
        if self.adversarial == "pgd":
            return float(self.adversarial_steps * length)
        if self.adversarial == "freelb":  # the last step's perturbation is never used
            return float(decimal(self.freelb_init) + (self.adversarial_steps - 1) * length)
        return 0.0


@cache
def knobs() -> Mapping[str, Knob]:
    """Every knob's declaration, in the order of Recipe."""
    return {
        name: next(item for item in field.metadata if isinstance(item, Knob))
        for name, field in Recipe.model_fields.items()
    }


def parse_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """Build a Recipe from plain values; a RequestError says ``where`` the wrong one stands, and the nearest known."""
    for name in values:
        if name not in Recipe.model_fields:
            raise RequestError(
                f"{where}: {one_of('knob', name, list(Recipe.model_fields))}; `gridsearch knobs` lists them"
            )
    try:
        # Lists are how TOML spells a tuple.
        return Recipe.model_validate(
            {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        )
    except ValidationError as error:
        raise RequestError(f"{where}: {validation_sentence(error)}") from None


def set_knobs(recipe: Recipe) -> dict[str, Any]:
    """Return the knobs that are not neutral, without the encoder, which is known by its identity."""
    return {
        name: getattr(recipe, name)
        for name, knob in knobs().items()
        if name != "encoder" and (knob.neutral is NO_NEUTRAL or getattr(recipe, name) != knob.neutral)
    }


def finetuning_knobs(recipe: Recipe) -> dict[str, Any]:
    """Return what a trial id is made of: the knobs that are set, but those of the encoder that it starts from."""
    return {name: value for name, value in set_knobs(recipe).items() if not name.startswith(PREFIXES)}
