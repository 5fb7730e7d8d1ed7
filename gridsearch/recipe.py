"""Recipe: the single list of knobs.

Each knob tells its meaning, its source, the value that is as good as its absence, and when it cannot act.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridsearch.errors import RequestError, one_of, validation_sentence
from gridsearch.facts import Facts

Reason = str | None
"""Why a knob cannot act, or None when it can."""

ALWAYS: Final = object()
"""The neutral value of knobs without one: such a knob is part of every trial id (a learning rate, a batch size)."""


@dataclass(frozen=True)
class Knob:
    """What a field of Recipe declares about itself besides its type, range and default.

    ``neutral`` is the value under which the knob might as well not exist; it never changes once published, because
    trial ids leave neutral knobs out. ``cannot_act`` is asked only for a value that is not neutral.
    """

    meaning: str
    source: str = ""
    neutral: object = ALWAYS
    cannot_act: Callable[["Recipe", Facts], Reason] | None = None


def _pooler_unused(recipe: "Recipe", facts: Facts) -> Reason:
    if not facts.has_pooler:
        return f"a {facts.family} encoder has no pooler"
    if recipe.pooling != "pooler":
        return f"pooling = {recipe.pooling!r} never uses the pooler"
    return None


def _nothing_decays(recipe: "Recipe", facts: Facts) -> Reason:
    return "weight_decay = 0 leaves nothing to exclude" if recipe.weight_decay == 0 else None


def _all_is_frozen(recipe: "Recipe", facts: Facts) -> Reason:
    if recipe.frozen_layers == facts.n_layers and not recipe.frozen_dropout:
        return "the whole encoder is frozen, and runs without dropout"
    return None


def _nothing_frozen_drops(recipe: "Recipe", facts: Facts) -> Reason:
    if recipe.frozen_layers == 0:
        return "frozen_layers = 0 leaves no frozen part"
    dropout = facts.dropout if recipe.encoder_dropout == "checkpoint" else recipe.encoder_dropout
    return "an encoder dropout of 0 leaves nothing to drop" if dropout == 0 else None


def _no_warmup_step(recipe: "Recipe", facts: Facts) -> Reason:
    n_steps = recipe.total_steps(facts.n_train_rows)
    if recipe.warmup_steps(facts.n_train_rows) == 0:
        return f"{recipe.warmup_proportion} of {n_steps} steps is less than one step"
    return None


def _one_batch(recipe: "Recipe", facts: Facts) -> Reason:
    return "an epoch is one batch" if facts.n_train_rows <= recipe.batch_size else None


def _one_epoch(recipe: "Recipe", facts: Facts) -> Reason:
    return "epochs = 1 leaves one epoch to select" if recipe.epochs == 1 else None


def _equal_weights(recipe: "Recipe", facts: Facts) -> Reason:
    weights: tuple[float, ...] = ()
    if recipe.class_weights == "balanced":
        weights = facts.label_counts
    elif isinstance(recipe.class_weights, tuple):
        weights = recipe.class_weights
    return "equal class weights weigh nothing: only their ratios matter" if len(set(weights)) == 1 else None


Share = Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])%$")]
LayerCount = Annotated[int, Field(ge=0)] | Share
Probability = Annotated[float, Field(ge=0, lt=1)]
Weight = Annotated[float, Field(gt=0)]


class Recipe(BaseModel):
    """Every knob of one fine-tune. Frozen; unknown knobs and wrong types are refused; nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    encoder: Annotated[
        str,
        Field(min_length=1),
        Knob("a built-in encoder, a folder, or a Hugging Face name (not the name but its identity is hashed)"),
    ] = "tiny"
    epochs: Annotated[int, Field(ge=1, le=1000), Knob("passes over the training rows")] = 3
    learning_rate: Annotated[
        float, Field(gt=0, le=1), Knob("peak learning rate of every parameter", "arXiv:1810.04805, appendix A.3")
    ] = 5e-5
    batch_size: Annotated[int, Field(ge=1), Knob("rows of one forward and backward pass")] = 32
    gradient_accumulation: Annotated[
        int,
        Field(ge=1),
        Knob("batches of batch_size rows that one optimizer step adds up", neutral=1, cannot_act=_one_batch),
    ] = 1
    max_length: Annotated[int, Field(ge=4, le=8192), Knob("longest input in tokens, special ones included")] = 128
    adam_epsilon: Annotated[
        float, Field(gt=0), Knob("added to the root of Adam's second moment", "arXiv:1412.6980")
    ] = 1e-8
    bert_adam: Annotated[
        bool,
        Knob(
            "Adam without bias correction: early steps are up to 6.5 times as large",
            "arXiv:2006.05987, section 4; arXiv:1810.04805's released optimizer",
            neutral=False,
        ),
    ] = False
    weight_decay: Annotated[
        float,
        Field(ge=0, le=1),
        Knob("decoupled weight decay, multiplied by the learning rate", "arXiv:1711.05101", neutral=0.0),
    ] = 0.0
    decay_exclude: Annotated[
        Literal["bias_and_norm", "none"],
        Knob(
            "parameters that are not decayed: every bias and the weights of every LayerNorm, or none",
            "google-research/bert, optimization.py",
            neutral="bias_and_norm",
            cannot_act=_nothing_decays,
        ),
    ] = "bias_and_norm"
    reinit_pooler: Annotated[
        bool,
        Knob(
            "draw the pooler anew: weights N(0, initializer_range), bias 0",
            "arXiv:2006.05987, section 5",
            neutral=False,
            cannot_act=_pooler_unused,
        ),
    ] = False
    reinit_layers: Annotated[
        LayerCount,
        Knob(
            "draw the top layers anew: their number, or a share of the depth", "arXiv:2006.05987, section 5", neutral=0
        ),
    ] = 0
    frozen_layers: Annotated[
        LayerCount | Literal["embeddings"],
        Knob(
            "never train the embeddings and this many bottom layers (a number, a share, or 'embeddings' alone)",
            "arXiv:1911.03090",
            neutral=0,
        ),
    ] = 0
    frozen_dropout: Annotated[
        bool, Knob("keep dropout on in the frozen part", neutral=False, cannot_act=_nothing_frozen_drops)
    ] = False
    warmup_proportion: Annotated[
        float,
        Field(ge=0, lt=1),
        Knob(
            "share of all steps in which the learning rate rises linearly from 0, before it falls linearly to 0",
            "google-research/bert, optimization.py",
            neutral=0.0,
            cannot_act=_no_warmup_step,
        ),
    ] = 0.0
    class_weights: Annotated[
        Literal["none", "balanced"] | tuple[Weight, ...],
        Knob(
            "weight of each label in the loss, in label order; 'balanced': rows / (labels x rows of the label)",
            "torch.nn.CrossEntropyLoss; King & Zeng 2001 for 'balanced'",
            neutral="none",
            cannot_act=_equal_weights,
        ),
    ] = "none"
    encoder_dropout: Annotated[
        Probability | Literal["checkpoint"],
        Knob(
            "dropout inside the encoder, hidden and attention; 'checkpoint' is what its config says",
            neutral="checkpoint",
            cannot_act=_all_is_frozen,
        ),
    ] = "checkpoint"
    classifier_dropout: Annotated[Probability, Knob("dropout between the pooled text and the classifier")] = 0.1
    clip_norm: Annotated[
        Weight | Literal["none"],
        Knob("largest norm of all gradients together; longer ones are scaled down", neutral="none"),
    ] = "none"
    pooling: Annotated[
        Literal["cls", "pooler", "mean", "first_last_avg"],
        Knob("how token states become one vector: see encoders/pooling.py", "arXiv:1810.04805; arXiv:2103.15316"),
    ] = "cls"
    selection: Annotated[
        Literal["best", "last"],
        Knob(
            "the epoch that is reported: best on dev (ties to the earlier), or the last",
            neutral="best",
            cannot_act=_one_epoch,
        ),
    ] = "best"
    precision: Annotated[
        Literal["fp32", "bf16"], Knob("arithmetic of the forward and backward pass (bf16: autocast)", neutral="fp32")
    ] = "fp32"

    def steps_per_epoch(self, n_train_rows: int) -> int:
        """Optimizer steps of one pass over the training rows."""
        return math.ceil(math.ceil(n_train_rows / self.batch_size) / self.gradient_accumulation)

    def total_steps(self, n_train_rows: int) -> int:
        """Optimizer steps of the whole schedule: fixed by the recipe, never by how a run goes."""
        return self.epochs * self.steps_per_epoch(n_train_rows)

    def warmup_steps(self, n_train_rows: int) -> int:
        """Optimizer steps of the warm-up, rounded down."""
        return int(self.warmup_proportion * self.total_steps(n_train_rows))


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
            raise RequestError(f"{where}: {one_of('knob', name, list(Recipe.model_fields))}")
    try:
        # Lists are how TOML spells a tuple.
        return Recipe.model_validate(
            {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        )
    except ValidationError as error:
        raise RequestError(f"{where}: {validation_sentence(error)}") from None


def resolve(recipe: Recipe, facts: Facts) -> Recipe:
    """Give values of one meaning one spelling: shares of the depth, ratios of weights, the checkpoint's own dropout."""
    values: dict[str, Any] = {}
    for name in ("reinit_layers", "frozen_layers"):
        value = getattr(recipe, name)
        if isinstance(value, str) and value.endswith("%"):
            values[name] = facts.n_layers * int(value[:-1]) // 100
    if recipe.encoder_dropout == facts.dropout:
        values["encoder_dropout"] = "checkpoint"
    if isinstance(recipe.class_weights, tuple):
        values["class_weights"] = tuple(weight / recipe.class_weights[0] for weight in recipe.class_weights)
    return recipe.model_copy(update=values)


def refuse_contradictions(recipe: Recipe, facts: Facts) -> None:
    """Raise RequestError when the knobs of a resolved recipe cannot go together on this encoder and task."""
    reinit, frozen = int(recipe.reinit_layers), recipe.frozen_layers
    n_frozen = 0 if frozen == "embeddings" else int(frozen)
    if reinit + n_frozen > facts.n_layers:
        raise RequestError(
            f"frozen and re-initialised layers may not exceed the encoder's {facts.n_layers}, "
            f"but frozen_layers = {n_frozen} and reinit_layers = {reinit}"
        )
    if recipe.max_length > facts.max_tokens:
        raise RequestError(
            f"max_length may not exceed the encoder's {facts.max_tokens} positions, but is {recipe.max_length}"
        )
    if recipe.pooling == "pooler" and not facts.has_pooler:
        raise RequestError(
            f"pooling = 'pooler' needs a pooler, but a {facts.family} encoder has none; choose cls or mean"
        )
    if isinstance(recipe.class_weights, tuple) and len(recipe.class_weights) != facts.n_labels:
        raise RequestError(
            f"class_weights needs a weight for each of the {facts.n_labels} labels, but has {len(recipe.class_weights)}"
        )


def set_knobs(recipe: Recipe) -> dict[str, Any]:
    """Return the knobs that are not neutral: what a trial id is made of. The encoder enters by its identity instead."""
    return {
        name: getattr(recipe, name)
        for name, knob in knobs().items()
        if name != "encoder" and (knob.neutral is ALWAYS or getattr(recipe, name) != knob.neutral)
    }


def dead_knobs(recipe: Recipe, facts: Facts) -> dict[str, str]:
    """Return the knobs that are set but cannot act in this (resolved) recipe, each with the reason."""
    reasons = {}
    for name in set_knobs(recipe):
        cannot_act = knobs()[name].cannot_act
        if cannot_act is not None and (reason := cannot_act(recipe, facts)):
            reasons[name] = reason
    return reasons


def without(recipe: Recipe, dead: Mapping[str, str]) -> Recipe:
    """Return the recipe with the given knobs at their neutral values."""
    return recipe.model_copy(update={name: knobs()[name].neutral for name in dead})
