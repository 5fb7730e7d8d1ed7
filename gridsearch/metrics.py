"""Metrics of a classifier, from its logits."""

import numpy as np

LOWER_IS_BETTER = frozenset({"log_loss"})


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax over labels of logits of shape (rows, labels), in float64."""
    from scipy.special import softmax

    return np.asarray(softmax(logits.astype(np.float64), axis=1))


def score(labels: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """Compute every metric that fits the number of labels. Logits that are no numbers count as equal evidence."""
    from sklearn import metrics

    n_labels = logits.shape[1]
    logits = np.nan_to_num(logits.astype(np.float64), nan=0.0, posinf=1e6, neginf=-1e6)
    chances = probabilities(logits)
    predicted = chances.argmax(axis=1)
    classes = np.arange(n_labels)
    one_class = len(set(labels.tolist()) | set(predicted.tolist())) == 1
    found = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "f1_macro": metrics.f1_score(labels, predicted, labels=classes, average="macro", zero_division=0),
        "f1_micro": metrics.f1_score(labels, predicted, labels=classes, average="micro", zero_division=0),
        "f1_weighted": metrics.f1_score(labels, predicted, labels=classes, average="weighted", zero_division=0),
        "matthews": 0.0 if one_class else metrics.matthews_corrcoef(labels, predicted),
        "log_loss": metrics.log_loss(labels, chances, labels=classes),
    }
    if n_labels == 2:
        found["f1_binary"] = metrics.f1_score(labels, predicted, zero_division=0)
        if len(set(labels.tolist())) == 2:
            # By the logits' difference: probabilities of sure predictions are rounded to ties.
            found["auc"] = metrics.roc_auc_score(labels, logits[:, 1] - logits[:, 0])
    return {name: float(value) for name, value in found.items()}


def is_better(metric: str, value: float, than: float | None) -> bool:
    """Tell whether a value beats another one; a tie does not, and neither does what is no number."""
    if np.isnan(value):
        return False
    if than is None or np.isnan(than):
        return True
    return value < than if metric in LOWER_IS_BETTER else value > than
