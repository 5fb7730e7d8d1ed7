"""Trial, the unit of execution; Outcome and Failure, what an attempt at it returns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, get_args

from gridsearch.canonical import fingerprint
from gridsearch.recipe.recipe import Recipe, finetuning_knobs
from gridsearch.repetition import Division, Repetition
from gridsearch.stage import Stage

if TYPE_CHECKING:
    import numpy

TRIAL_ID_VERSION = 3
"""Version of what the knobs mean. Part of every trial id: raised when the same recipe would train differently."""

PART = "task"
"""The name of the one part of a single task."""

ONE_MODEL = ""
"""The name of the classifier of a trial that trains one: of a single task, or of all parts together."""

Metrics = Mapping[str, float]
"""Metric name to value."""


@dataclass(frozen=True)
class Trial:
    """A cell x seed x fold on one task and one encoder. Make one with :func:`make_trial`; its recipe is resolved.

    ``stage`` is the pretraining that makes its encoder, None for an encoder that is there. ``division`` says what the
    fold is one of; None where the rows are not divided, and the task's own dev rows judge.
    """

    id: str
    recipe: Recipe
    seed: int
    fold: int
    task: str
    encoder: str
    stage: Stage | None = None
    division: Division | None = None

    @property
    def repetition(self) -> Repetition:
        """Which run of its cell this is."""
        return Repetition(self.seed, self.fold)

    @property
    def short_id(self) -> str:
        """The first digits of the id: what people see."""
        return self.id[:8]


def make_trial(
    recipe: Recipe,
    *,
    seed: int,
    fold: int = 0,
    task: str,
    encoder: str,
    stage: Stage | None = None,
    division: Division | None = None,
    added: str = "",
) -> Trial:
    """Name a trial by its content. ``task`` is a task's fingerprint, ``encoder`` an encoder's identity.

    A ``stage`` makes another one of that encoder, which the trial starts from. ``added`` is the fingerprint of the
    pairs that its recipe adds to the training rows; empty where it adds none.
    """
    encoder = encoder if stage is None else stage.id
    content = {
        "meaning": TRIAL_ID_VERSION,
        "recipe": finetuning_knobs(recipe),
        "seed": seed,
        "fold": fold if division is None else {"fold": fold, **asdict(division)},
        "task": task,
        "encoder": encoder,
        **({"added": added} if added else {}),
    }
    return Trial(fingerprint(content), recipe, seed, fold, task, encoder, stage, division)


@dataclass(frozen=True)
class Epoch:
    """One pass over the training rows. ``dev`` holds the metrics of each part; a single task is the one part "task".

    ``train_loss`` is the mean over steps; of parts that are trained separately, the mean over them.

    It is empty when the training loss, a weight or an output on dev is not a finite number: then there is no result.
    """

    number: int
    train_loss: float
    train_seconds: float
    dev_seconds: float
    dev: Mapping[str, Metrics]

    @property
    def is_finite(self) -> bool:
        """Whether it has a result."""
        return bool(self.dev)


@dataclass(frozen=True)
class PartOutcome:
    """Results of one part at the chosen epoch. Logits are float32 arrays of (rows, labels).

    ``dev_rows`` are the numbers of the rows that the dev logits are of, among all that are divided into folds; None
    where they are the task's own dev rows. ``train`` are the metrics on the training rows, where they are asked for.
    """

    dev: Metrics
    dev_logits: "numpy.ndarray"
    test: Metrics | None = None
    test_logits: "numpy.ndarray | None" = None
    dev_rows: "numpy.ndarray | None" = None
    train: Metrics | None = None


@dataclass(frozen=True)
class Outcome:
    """What a finished attempt returns. ``not_learned`` says why the run did not learn, and is empty when it did.

    ``weights`` are those of each classifier: of the one, ``ONE_MODEL``, or of one for each part, by its name.
    """

    epochs: tuple[Epoch, ...]
    chosen_epoch: int
    parts: Mapping[str, PartOutcome]
    seconds: float
    peak_bytes: int
    not_learned: str = ""
    weights: Mapping[str, bytes] | None = None

    @property
    def dev(self) -> Mapping[str, Metrics]:
        """Metrics on dev of each part."""
        return {name: part.dev for name, part in self.parts.items()}

    @property
    def diverged_in(self) -> int | None:
        """The epoch, the last, in which numbers were no longer finite; the chosen one is before it."""
        return next((epoch.number for epoch in self.epochs if not epoch.is_finite), None)


FailureKind = Literal[
    "out_of_memory",
    "killed",
    "lost_worker",
    "lost_driver",
    "full_disk",
    "time_limit",
    "diverged",
    "bad_data",
    "code_error",
    "no_encoder",
    "lost_encoder",
]
"""``full_disk``: of the machine of the worker. ``no_encoder``: the pretraining of a trial failed for good.

``lost_encoder``: what a pretraining made is gone.
"""
FAILURE_KINDS: tuple[FailureKind, ...] = get_args(FailureKind)


@dataclass(frozen=True)
class Failure:
    """What a failed attempt returns. ``message`` is one line; ``traceback`` may be empty."""

    kind: FailureKind
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class Retry:
    """How a failed trial is tried again."""

    alone: bool = False
    micro_batch_divisor: int = 1


NO_FAULT: tuple[FailureKind, ...] = ("lost_driver", "full_disk")
"""Kinds that do not count against a trial."""
MOST_LOST, MOST_SHORT_OF_MEMORY = 2, 3
"""A trial may so often lose its worker, and so often fail for want of memory, before it has failed for good."""


def retry_after(failures: Sequence[FailureKind]) -> Retry | None:
    """Say how a trial with these failed attempts is tried again, or None when it has failed for good.

    A lost worker is replaced, at most twice, and so is an encoder that is lost; a lost driver, or a disk that was full
    and ended the driver, is no fault of the trial; out of memory is tried alone, then with half and a quarter of the
    micro-batch at the same effective batch; anything else would fail again. A killed worker may have run out of memory,
    or was killed for no fault of its own: alone, it has the chance of either.

    >>> retry_after(["killed"])
    Retry(alone=True, micro_batch_divisor=1)
    >>> retry_after(["killed", "lost_worker", "out_of_memory", "killed"])
    Retry(alone=True, micro_batch_divisor=4)
    >>> retry_after(["killed", "lost_worker", "out_of_memory", "killed", "lost_worker", "killed"]) is None
    True
    """
    own = Counter(kind for kind in failures if kind not in NO_FAULT)
    n_lost, n_short = (
        own.pop("lost_worker", 0) + own.pop("lost_encoder", 0),
        own.pop("out_of_memory", 0) + own.pop("killed", 0),
    )
    if own or n_lost > MOST_LOST or n_short > MOST_SHORT_OF_MEMORY:
        return None
    return Retry(alone=n_short > 0, micro_batch_divisor=2 ** max(0, n_short - 1))
