"""Stage, a pretraining that trials share; what it tells while it runs, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gridsearch.canonical import fingerprint
from gridsearch.recipe.augmentation_knobs import Augmentation
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe, set_pretraining_knobs

STAGE_ID_VERSION = 1
"""Version of what the knobs mean. Part of every id: raised when the same pretraining would train differently."""


HOW_LONG = ("steps", "epochs", "checkpoint")
"""Knobs that are told of a stage by the steps that it takes."""
OF_AN_ENCODER, FROM_SCRATCH = ("take_layers",), ("family", "layers", "width", "heads")
"""Knobs of what a stage starts from, by its base: of each base, the other's do not act."""
MADE = "pretrained-"
"""How the identity of an encoder begins that a stage makes."""


@dataclass(frozen=True, order=True)
class Vocabulary:
    """What turns texts into tokens: an encoder's tokenizer, by the encoder's identity.

    An encoder from scratch takes it over; its ``family`` says whether there are segment ids, and is empty elsewhere.
    """

    encoder: str
    family: str = ""


@dataclass(frozen=True)
class Stage:
    """A pretraining up to one of its steps. Make one with :func:`make_stage`; its recipe is resolved.

    ``id`` is the identity of the encoder that it makes. ``run`` names the training: stages that differ in nothing but
    their checkpoint are steps of one run. ``base`` is the identity of the encoder that it starts from, or takes its
    vocabulary from; ``corpus`` the fingerprint of what it reads, and ``labels`` that of the labels in it, empty without
    any. ``last_step`` of ``total_steps`` makes the encoder. ``augmentation`` says which pairs its corpus has
    beside those of the task; the corpus's fingerprint tells them, too.
    """

    id: str
    run: str
    recipe: PretrainingRecipe
    seed: int
    precision: str
    base: str
    corpus: str
    last_step: int
    total_steps: int
    labels: str = ""
    augmentation: Augmentation | None = field(default=None, compare=False)

    @property
    def short_id(self) -> str:
        """The first digits of the id: what people see."""
        return short_id_of(self.id)

    @property
    def knobs(self) -> dict[str, Any]:
        """All knobs that act, by their names without the prefix, but for how long; of no step, shape and seed alone."""
        shape = OF_AN_ENCODER if self.recipe.base == "encoder" else FROM_SCRATCH
        others = {*OF_AN_ENCODER, *FROM_SCRATCH} - {*shape}
        values = {**self.recipe.model_dump(exclude={*HOW_LONG, *others}), "seed": self.seed}
        return values if self.total_steps else {name: values[name] for name in ("base", *shape, "seed")}

    @property
    def vocabulary(self) -> Vocabulary:
        """What turns texts into tokens."""
        return Vocabulary(self.base, "" if self.recipe.base == "encoder" else self.recipe.family)


def short_id_of(stage_id: str) -> str:
    """Return what people see of a stage's id."""
    return stage_id.removeprefix(MADE)[:8]


def make_stage(
    recipe: PretrainingRecipe,
    *,
    trial_seed: int,
    precision: str,
    base: str,
    corpus: str,
    n_rows: int,
    labels: str = "",
    augmentation: Augmentation | None = None,
) -> Stage:
    """Name a pretraining by its content. The recipe is resolved; ``n_rows``: of the corpus, in its form."""
    seed = trial_seed if recipe.seed == "trial" else recipe.seed
    total_steps = recipe.total_steps(n_rows)
    knobs = {name: value for name, value in set_pretraining_knobs(recipe).items() if name not in ("seed", "checkpoint")}
    content: dict[str, Any] = {
        "meaning": STAGE_ID_VERSION,
        "pretraining": knobs,
        "seed": seed,
        "base": base,
        "corpus": corpus,
        **({} if precision == "fp32" else {"precision": precision}),
        **({"labels": labels} if labels else {}),
    }
    run = fingerprint(content)
    last_step = total_steps if recipe.checkpoint == "last" else recipe.checkpoint
    # The last step's is named by the run alone: how long the run is stands in its knobs.
    made = run if last_step == total_steps else fingerprint({**content, "checkpoint": last_step})
    return Stage(MADE + made, run, recipe, seed, precision, base, corpus, last_step, total_steps, labels, augmentation)


@dataclass(frozen=True)
class LogPoint:
    """How far a pretraining is: ``loss`` is the mean since the point before, ``learning_rate`` that of the next step.

    ``epoch`` counts passes over the corpus; ``seconds`` are those of the training so far, in all attempts at it.
    ``hidden_share``: of all tokens so far that may be hidden, those that were; None in logs from before it was counted.
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    seconds: float
    hidden_share: float | None = None

    def as_trainer_logs(self) -> dict[str, float]:
        """Return it as transformers' Trainer writes it into ``log_history``."""
        return {"loss": self.loss, "learning_rate": self.learning_rate, "epoch": self.epoch, "step": self.step}


@dataclass(frozen=True)
class StageOutcome:
    """What a finished attempt at a stage returns.

    ``checksum`` is the SHA-256 of the encoder's weights as they lie in the cache. ``seconds`` are those of this
    attempt, ``run_seconds`` those of the whole training, wherever it was done. ``found``: somebody else had made it.
    ``zero_shot`` are the metrics on dev of what the encoder says by itself, where it was taught labels. ``files`` are
    the encoder's, where the driver may not share the worker's disk.
    """

    log: tuple[LogPoint, ...]
    checksum: str
    seconds: float
    run_seconds: float
    peak_bytes: int
    found: bool = False
    zero_shot: Mapping[str, float] | None = None
    files: Mapping[str, bytes] | None = field(default=None, repr=False)

    def with_files(self, files: Mapping[str, bytes]) -> "StageOutcome":
        """Return it with the encoder itself."""
        return replace(self, files=files)

    def as_found(self) -> "StageOutcome":
        """Return what one reports who had nothing to do."""
        return replace(self, found=True, seconds=0.0)
