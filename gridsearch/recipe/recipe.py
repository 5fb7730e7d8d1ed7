"""Recipe: the single list of knobs.

Each knob tells its meaning, its source, the value that is as good as its absence, and when it cannot act.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridsearch.errors import RequestError, one_of, validation_sentence
from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.knob import NO_NEUTRAL, Knob
from gridsearch.recipe.shares import decimal, whole_steps

Share = Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])%$")]
LayerCount = Annotated[int, Field(ge=0)] | Share
Probability = Annotated[float, Field(ge=0, lt=1)]
Weight = Annotated[float, Field(gt=0)]


class Recipe(BaseModel):
    """Every knob of one fine-tune. Frozen; unknown knobs and wrong types are refused; nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    # The encoder and its input.
    encoder: Annotated[
        str,
        Field(min_length=1),
        Knob("a built-in encoder, a folder, or a Hugging Face name (not the name but its identity is hashed)"),
    ] = "tiny"
    max_length: Annotated[int, Field(ge=4, le=8192), Knob("longest input in tokens, special ones included")] = 128
    token_types: Annotated[
        Literal["segments", "zeros"],
        Knob(
            "segment ids of a pair: those of its two texts, or all 0",
            "arXiv:1810.04805, section 3",
            neutral="segments",
            cannot_act=why.no_segments,
        ),
    ] = "segments"
    cooccurrence: Annotated[
        Literal["none", "add_scalar", "embedding"],
        Knob(
            "mark tokens that the other text of a pair holds too: 1 added to every dimension of what the embeddings "
            "give, or a learned vector added before their LayerNorm",
            "seed 002 and its second round (GAIIC 2021, track 3)",
            neutral="none",
            cannot_act=why.no_pair,
        ),
    ] = "none"

    # What is changed before training.
    reinit_pooler: Annotated[
        bool,
        Knob(
            "draw the pooler anew: weights N(0, initializer_range), bias 0",
            "arXiv:2006.05987, section 5",
            neutral=False,
            cannot_act=why.pooler_unused,
            cost="none",
        ),
    ] = False
    reinit_layers: Annotated[
        LayerCount,
        Knob(
            "draw the top layers anew: their number, or a share of the depth",
            "arXiv:2006.05987, section 5",
            neutral=0,
            cost="none",
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
        bool, Knob("keep dropout on in the frozen part", neutral=False, cannot_act=why.nothing_frozen_drops)
    ] = False

    # Dropout.
    encoder_dropout: Annotated[
        Probability | Literal["checkpoint"],
        Knob(
            "dropout inside the encoder, hidden and attention; 'checkpoint' is what its config says",
            neutral="checkpoint",
            cannot_act=why.all_is_frozen,
            cost="on",
        ),
    ] = "checkpoint"
    classifier_dropout: Annotated[Probability, Knob("dropout before the classifier's last linear map", cost="on")] = 0.1
    multi_sample_dropout: Annotated[
        int,
        Field(ge=1, le=64),
        Knob(
            "dropout samples of the same features, whose losses are averaged; 1 is ordinary dropout",
            "arXiv:1905.09788",
            neutral=1,
            cannot_act=why.classifier_never_drops,
        ),
    ] = 1
    multi_sample_mode: Annotated[
        Literal["independent", "chained"],
        Knob(
            "each sample drops from the features, or from the sample before it (seed 002's code: the i-th of 8 samples "
            "at 0.2 keeps 0.8^i)",
            "arXiv:1905.09788; seed 002",
            neutral="independent",
            cannot_act=why.one_sample,
        ),
    ] = "independent"

    # From token states to logits.
    pooling: Annotated[
        Literal[
            "cls",
            "pooler",
            "mean",
            "first_last_avg",
            "max",
            "first_last_avg_unmasked",
            "cls_cat",
            "cls_cat_poolers",
            "mean_cat",
            "dynamic",
            "attention",
            "flatten",
        ],
        Knob("how token states become one vector: see encoders/pooling.py", "arXiv:1810.04805; arXiv:2103.15316"),
    ] = "cls"
    pooling_layers: Annotated[
        Annotated[int, Field(ge=1)] | Share | Literal["all"],
        Knob(
            "top layers that cls_cat, cls_cat_poolers, mean_cat and dynamic read: a number, a share, or all",
            "arXiv:1810.04805, section 5.3, for the last four",
            neutral="all",
            cannot_act=why.not_layered,
        ),
    ] = "all"
    head: Annotated[
        Literal["linear", "mlp"],
        Knob(
            "dropout and a linear map, or a hidden layer before them",
            "arXiv:1810.04805; seed 000 for the hidden layer",
            neutral="linear",
        ),
    ] = "linear"
    head_width: Annotated[
        int, Field(ge=1), Knob("units of the hidden layer", "seed 000", neutral=2048, cannot_act=why.no_hidden_layer)
    ] = 2048
    head_activation: Annotated[
        Literal["gelu", "relu", "tanh", "none"],
        Knob(
            "activation of the hidden layer; 'none' is seed 000's, two linear maps in a row",
            "arXiv:2003.10555's released head for gelu; seed 000",
            neutral="gelu",
            cannot_act=why.no_hidden_layer,
        ),
    ] = "gelu"

    # The loss.
    class_weights: Annotated[
        Literal["none", "balanced"] | tuple[Weight, ...],
        Knob(
            "weight of a row's loss by its own label, in label order, divided by the sum of the rows' weights; "
            "'balanced': rows / (labels x rows of the label), 0 for a label that train lacks",
            "torch.nn.CrossEntropyLoss; under label smoothing Keras's class_weight, which weighs a row's whole loss; "
            "King & Zeng 2001 for 'balanced'",
            neutral="none",
            cannot_act=why.equal_weights,
            cost="on",
        ),
    ] = "none"
    label_smoothing: Annotated[
        Probability,
        Knob(
            "share of the target that is spread evenly over all labels, the true one included",
            "arXiv:1512.00567, section 7; torch.nn.CrossEntropyLoss",
            neutral=0.0,
            cost="on",
        ),
    ] = 0.0
    focal_gamma: Annotated[
        float,
        Field(ge=0, le=10),
        Knob(
            "power of (1 - p of the true label) that scales each row's loss", "arXiv:1708.02002", neutral=0.0, cost="on"
        ),
    ] = 0.0
    r_drop: Annotated[
        float,
        Field(ge=0, le=100),
        Knob(
            "weight of the symmetric divergence between two forward passes of the same rows, a mean over rows",
            "arXiv:2106.14448",
            neutral=0.0,
            cannot_act=why.nothing_drops,
            cost="on",
        ),
    ] = 0.0

    # The attack: extra passes on perturbed word embeddings.
    adversarial: Annotated[
        Literal["none", "fgm", "pgd", "freelb"],
        Knob(
            "train on perturbed word embeddings as well: one step (FGM), several within a ball (PGD), or the mean of "
            "the gradients along the way (FreeLB)",
            "arXiv:1605.07725; arXiv:1706.06083; arXiv:1909.11764",
            neutral="none",
            cannot_act=why.attack_finds_nothing,
        ),
    ] = "none"
    adversarial_epsilon: Annotated[
        Weight,
        Knob(
            "norm of FGM's perturbation; radius of the ball that PGD and FreeLB stay in",
            "arXiv:1605.07725",
            neutral=1.0,
            cannot_act=why.no_ball,
            cost="none",
        ),
    ] = 1.0
    adversarial_alpha: Annotated[
        Weight,
        Knob(
            "length of one step of PGD and FreeLB",
            "arXiv:1706.06083",
            neutral=0.3,
            cannot_act=why.no_step,
            cost="none",
        ),
    ] = 0.3
    adversarial_steps: Annotated[
        int,
        Field(ge=1, le=50),
        Knob(
            "perturbed passes of PGD, which follow the clean one; passes of FreeLB, which has no other",
            "arXiv:1706.06083; arXiv:1909.11764",
            neutral=3,
            cannot_act=why.no_steps,
        ),
    ] = 3
    adversarial_norm: Annotated[
        Literal["published", "text", "normalized"],
        Knob(
            "what the norms are taken of: as published (FGM and PGD: one vector a word, the table as a whole; FreeLB: "
            "each text), each text's token vectors, or these in standard deviations of the training words",
            "arXiv:1605.07725, section 3, for 'normalized'",
            neutral="published",
            cannot_act=why.no_attack,
        ),
    ] = "published"
    adversarial_start: Annotated[
        int, Field(ge=1), Knob("first epoch with the attack", "seed 002", neutral=1, cannot_act=why.no_attack)
    ] = 1
    freelb_init: Annotated[
        float,
        Field(ge=0),
        Knob(
            "size of FreeLB's random start: uniform in +-1, times this, over the root of a text's numbers",
            "arXiv:1909.11764, algorithm 1",
            neutral=0.0,
            cannot_act=why.no_freelb,
            cost="on",
        ),
    ] = 0.0

    # The optimizer and its schedule.
    epochs: Annotated[int, Field(ge=1, le=1000), Knob("passes over the training rows")] = 3
    batch_size: Annotated[int, Field(ge=1), Knob("rows of one forward and backward pass")] = 32
    gradient_accumulation: Annotated[
        int,
        Field(ge=1),
        Knob("batches of batch_size rows that one optimizer step adds up", neutral=1, cannot_act=why.one_batch),
    ] = 1
    optimizer: Annotated[
        Literal["adamw", "original_bert_adam"],
        Knob(
            "AdamW, or BertAdam as first released for PyTorch: no bias correction, each tensor's gradient clipped to "
            "norm 1, decay inside the step, warm-up as a share and not a whole number of steps",
            "arXiv:1711.05101; pytorch-pretrained-bert, optimization.py",
            neutral="adamw",
        ),
    ] = "adamw"
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1),
        Knob("peak learning rate of every parameter", "arXiv:1810.04805, appendix A.3", cost="none"),
    ] = 5e-5
    layer_decay: Annotated[
        float,
        Field(gt=0, le=1),
        Knob(
            "factor of the learning rate from each layer to the one below: the head has all of it, the embeddings "
            "layer_decay^(layers + 1)",
            "arXiv:1801.06146, section 3.2; arXiv:2006.05987, section 5.2",
            neutral=1.0,
            cannot_act=why.only_the_head_trains,
            cost="on",
        ),
    ] = 1.0
    adam_epsilon: Annotated[
        float, Field(gt=0), Knob("added to the root of Adam's second moment", "arXiv:1412.6980", cost="none")
    ] = 1e-8
    bert_adam: Annotated[
        bool,
        Knob(
            "Adam without bias correction: early steps are up to 6.5 times as large",
            "arXiv:2006.05987, section 4; arXiv:1810.04805's released optimizer",
            neutral=False,
            cannot_act=why.never_corrected,
        ),
    ] = False
    weight_decay: Annotated[
        float,
        Field(ge=0, le=1),
        Knob("decoupled weight decay, multiplied by the learning rate", "arXiv:1711.05101", neutral=0.0, cost="on"),
    ] = 0.0
    decay_exclude: Annotated[
        Literal["bias_and_norm", "none"],
        Knob(
            "parameters that are not decayed: every bias and the weights of every LayerNorm, or none",
            "google-research/bert, optimization.py",
            neutral="bias_and_norm",
            cannot_act=why.nothing_decays,
        ),
    ] = "bias_and_norm"
    clip_norm: Annotated[
        Weight | Literal["none"],
        Knob("largest norm of all gradients together; longer ones are scaled down", neutral="none", cost="on"),
    ] = "none"
    schedule: Annotated[
        Literal["linear", "cosine", "constant"],
        Knob(
            "course of the learning rate after the warm-up: linear or half a cosine down to 0, or constant",
            "google-research/bert, optimization.py; arXiv:1608.03983",
            neutral="linear",
            cannot_act=why.one_scheduled_step,
            cost="none",
        ),
    ] = "linear"
    warmup_proportion: Annotated[
        float,
        Field(ge=0, lt=1),
        Knob(
            "share of all steps in which the learning rate rises linearly from 0",
            "google-research/bert, optimization.py",
            neutral=0.0,
            cannot_act=why.no_warmup_step,
            cost="none",
        ),
    ] = 0.0

    # Which weights are evaluated, and when training ends.
    lookahead_steps: Annotated[
        int,
        Field(ge=0),
        Knob(
            "steps between two moves of Lookahead's slow weights, which are the ones evaluated; 0 is no Lookahead",
            "arXiv:1907.08610",
            neutral=0,
            cannot_act=why.lookahead_changes_nothing,
        ),
    ] = 0
    lookahead_alpha: Annotated[
        float,
        Field(gt=0, le=1),
        Knob(
            "how far the slow weights move towards the fast ones",
            "arXiv:1907.08610",
            neutral=0.5,
            cannot_act=why.no_lookahead,
            cost="none",
        ),
    ] = 0.5
    ema_decay: Annotated[
        Probability,
        Knob(
            "evaluate a running mean of the weights that keeps this share of itself every step; it starts at the "
            "initial weights",
            "Polyak & Juditsky 1992; arXiv:1412.6980, section 7.2",
            neutral=0.0,
            cost="on",
        ),
    ] = 0.0
    swa_start: Annotated[
        Probability | Literal["none"],
        Knob(
            "evaluate the plain mean of the weights since this share of all steps; before it, the weights themselves",
            "arXiv:1803.05407",
            neutral="none",
            cannot_act=why.averages_alone_what_is_evaluated,
        ),
    ] = "none"
    swa_every: Annotated[
        int,
        Field(ge=1),
        Knob("steps between two weights that are averaged", "arXiv:1803.05407", neutral=1, cannot_act=why.no_average),
    ] = 1
    swa_learning_rate: Annotated[
        Annotated[float, Field(gt=0, le=1)] | Literal["schedule"],
        Knob(
            "constant learning rate while weights are averaged; 'schedule' goes on with the schedule",
            "arXiv:1803.05407",
            neutral="schedule",
            cannot_act=why.no_average,
            cost="none",
        ),
    ] = "schedule"
    patience: Annotated[
        Annotated[int, Field(ge=1)] | Literal["none"],
        Knob(
            "end after this many epochs in a row without a better dev metric; the schedule stays that of all epochs",
            "Prechelt 1998",
            neutral="none",
            cannot_act=why.never_runs_out,
            cost="none",
        ),
    ] = "none"
    selection: Annotated[
        Literal["best", "last"],
        Knob(
            "the epoch that is reported: best on dev (ties to the earlier), or the last",
            neutral="best",
            cannot_act=why.one_epoch,
            cost="none",
        ),
    ] = "best"

    # Arithmetic.
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
        return whole_steps(self.warmup_proportion, self.total_steps(n_train_rows))

    def swa_first_step(self, n_train_rows: int) -> int | None:
        """Optimizer steps before weights are averaged, rounded down; None when they never are."""
        return None if self.swa_start == "none" else whole_steps(self.swa_start, self.total_steps(n_train_rows))

    def steps_averaged(self, n_train_rows: int) -> range:
        """Updates after which the weights are averaged, counted from 1; empty when they never are."""
        first_step = self.swa_first_step(n_train_rows)
        if first_step is None:
            return range(0)
        return range(first_step + self.swa_every, self.total_steps(n_train_rows) + 1, self.swa_every)

    def steps_scheduled(self, n_train_rows: int) -> int:
        """Optimizer steps whose learning rate the schedule says: those before an average with a rate of its own."""
        first_step = None if self.swa_learning_rate == "schedule" else self.swa_first_step(n_train_rows)
        return self.total_steps(n_train_rows) if first_step is None else first_step

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
            raise RequestError(f"{where}: {one_of('knob', name, list(Recipe.model_fields))}")
    try:
        # Lists are how TOML spells a tuple.
        return Recipe.model_validate(
            {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        )
    except ValidationError as error:
        raise RequestError(f"{where}: {validation_sentence(error)}") from None


def set_knobs(recipe: Recipe) -> dict[str, Any]:
    """Return the knobs that are not neutral: what a trial id is made of. The encoder enters by its identity instead."""
    return {
        name: getattr(recipe, name)
        for name, knob in knobs().items()
        if name != "encoder" and (knob.neutral is NO_NEUTRAL or getattr(recipe, name) != knob.neutral)
    }
