"""What the labels of a task are: one of several classes a row, any number of labels a row, or a number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gridsearch.errors import RequestError, one_of
from gridsearch.recipe.trial_facts import LabelKind

if TYPE_CHECKING:
    from gridsearch.tasks.judging.own_metric import OwnMetric

OF_CLASSES: Final = (
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "f1_micro",
    "f1_weighted",
    "f1_binary",
    "auc",
    "average_precision",
    "matthews",
    "quadratic_kappa",
    "log_loss",
)
OF_SEVERAL_LABELS: Final = (
    "f1_macro",
    "f1_micro",
    "f1_weighted",
    "subset_accuracy",
    "auc",
    "average_precision",
    "log_loss",
)
OF_NUMBERS: Final = ("pearson", "spearman", "rmse", "mae")
METRICS_OF: Mapping[LabelKind, tuple[str, ...]] = {
    "class": OF_CLASSES,
    "multilabel": OF_SEVERAL_LABELS,
    "score": OF_NUMBERS,
}
"""The metrics by what labels are."""
METRICS: Final = tuple(dict.fromkeys((*OF_CLASSES, *OF_SEVERAL_LABELS, *OF_NUMBERS)))
OF_TWO_LABELS: Final = ("f1_binary", "auc", "average_precision")
"""Metrics of one class against the other: undefined for three."""
BY_CONTRAST: Final = (*OF_TWO_LABELS, "matthews", "quadratic_kappa")
"""Metrics that rows of one class cannot judge: undefined, 0 whatever is predicted, or perfect for a constant."""
OF_ORDERED: Final = ("quadratic_kappa",)
"""Metrics for which the classes have an order, that of their names: others do not compute them."""
LOWER_IS_BETTER: Final = frozenset({"log_loss", "rmse", "mae"})
SCORE: Final = "score"
"""What the number is called that rows have instead of labels."""
POSITIVE: Final = 1
"""Position of the positive one of two classes, where the task names none."""
WHAT: Mapping[LabelKind, str] = {
    "class": "one class a row",
    "multilabel": "several labels a row",
    "score": "a number a row",
}
"""What labels are, in words."""


@dataclass(frozen=True)
class Labelling:
    """What the labels of a part are. ``n_outputs``: what a model says of a row, a number for each label, or the one.

    Of two classes, ``positive`` is the position of the one that f1_binary and average_precision are of. ``ordered``:
    the classes have an order. ``own`` is a metric of the user's own, told beside the others.
    """

    kind: LabelKind
    n_outputs: int
    positive: int = POSITIVE
    ordered: bool = False
    own: "OwnMetric | None" = None


TWO_CLASSES: Final = Labelling("class", 2)
"""The commonest labels; metrics of more classes than two are computed alike."""


def labelling_of(
    kind: LabelKind, n_outputs: int, metric: str, positive: int = POSITIVE, own: "OwnMetric | None" = None
) -> Labelling:
    """Return what the labels are of a part that is judged by a metric, which may be the user's ``own``."""
    return Labelling(kind, n_outputs, positive, ordered=metric in OF_ORDERED, own=own)


def refuse_unknown_metric(metric: str, kind: LabelKind) -> None:
    """Raise RequestError for a metric that is none, or none of such labels."""
    if metric in METRICS and metric not in METRICS_OF[kind]:
        of = next(other for other, names in METRICS_OF.items() if metric in names)
        rule = f"metric {metric} judges {WHAT[of]}, and the task has {WHAT[kind]}"
        raise RequestError(f"{rule}: take one of {', '.join(METRICS_OF[kind])}")
    if metric not in METRICS:
        raise RequestError(one_of("metric", metric, METRICS_OF[kind]))
