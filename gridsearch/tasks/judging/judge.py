"""What a model says of rows, judged and put together as fits what the labels are."""

from collections.abc import Sequence

import numpy as np

from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks import metrics as classes
from gridsearch.tasks.judging import multilabel, scores
from gridsearch.tasks.judging.labelling import Labelling


def measured(truth: np.ndarray, outputs: np.ndarray, labelling: Labelling) -> dict[str, float]:
    """Compute every metric that fits the labels; what is undefined for these rows is left out.

    ``truth``: positions of classes, (rows,); 0 and 1, (rows, labels); or numbers, (rows,). ``outputs``: logits, (rows,
    labels); or numbers, (rows, 1). Raises ValueError where an output is not finite, MetricError where a metric of the
    user's own fails.
    """
    if labelling.kind == "multilabel":
        found = multilabel.score(truth, outputs)
    elif labelling.kind == "score":
        found = scores.score(truth, outputs)
    else:
        found = classes.score(truth, outputs, labelling.positive, ordered=labelling.ordered)
    if (own := labelling.own) is not None:
        said = probabilities(outputs, labelling.kind)
        found[own.name] = own.value(truth, said.reshape(len(truth)) if labelling.kind == "score" else said)
    return found


def is_defined(metric: str, truth: np.ndarray, labelling: Labelling) -> bool:
    """Tell whether rows define a metric, whatever a model says of them: a correlation needs numbers that differ."""
    some = np.random.default_rng(0).standard_normal((len(truth), labelling.n_outputs))
    return metric in measured(truth, some, labelling)


def mean_of(outputs: Sequence[np.ndarray], kind: LabelKind) -> np.ndarray:
    """Return outputs that say the mean of what several say: of probabilities, or of numbers. That of one is that one.

    Finite where all are.
    """
    if kind == "class":
        return classes.mean_of_probabilities(outputs)
    if len(outputs) == 1:
        return outputs[0]
    if kind == "score":
        return np.asarray(np.mean([one.astype(np.float64) for one in outputs], axis=0).astype(outputs[0].dtype))
    return _mean_of_sigmoids(outputs)


def probabilities(outputs: np.ndarray, kind: LabelKind) -> np.ndarray:
    """Return what outputs say in float64: probabilities of the classes, or of each label; or the numbers themselves."""
    if kind == "class":
        return classes.probabilities(outputs)
    if kind == "score":
        return outputs.astype(np.float64)
    from scipy.special import expit

    return np.asarray(expit(outputs.astype(np.float64)))


def _mean_of_sigmoids(outputs: Sequence[np.ndarray]) -> np.ndarray:
    """Return logits whose sigmoid is the mean of several's, from logarithms: a sure label is not rounded to 1."""
    from scipy.special import log_expit, logsumexp

    with np.errstate(invalid="ignore"):  # what is not finite is for the caller to look at
        logits = np.stack([one.astype(np.float64) for one in outputs])
        found = logsumexp(log_expit(logits), axis=0) - logsumexp(log_expit(-logits), axis=0)
    limit = np.finfo(outputs[0].dtype).max
    return np.asarray(np.clip(found, -limit, limit).astype(outputs[0].dtype))
