"""Metrics of counted rows against scikit-learn's and scipy's on the resample itself, made row by row."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, softmax
from sklearn import metrics

from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks.judging.labelling import METRICS_OF, Labelling
from reports.statistics.paired.resampled import metric_of_counts

N_CASES = 20
"""Of each metric; with its three or four resamples, some 1,500 comparisons in all."""
Oracle = Callable[[np.ndarray, np.ndarray, Labelling], float | None]
"""The metric of rows; None where it is undefined."""


def f1(average: str) -> Oracle:
    def of(truth: np.ndarray, outputs: np.ndarray, about: Labelling) -> float:
        said = outputs > 0 if about.kind == "multilabel" else outputs.argmax(axis=1)
        own = {"pos_label": about.positive} if average == "binary" else {}
        return float(metrics.f1_score(truth, said, average=average, zero_division=0.0, **own))

    return of


def log_loss(truth: np.ndarray, outputs: np.ndarray, about: Labelling) -> float:
    if about.kind == "class":
        return float(metrics.log_loss(truth, softmax(outputs, axis=1), labels=range(outputs.shape[1])))
    chances = expit(outputs)
    return float(np.mean([metrics.log_loss(one, p, labels=[0, 1]) for one, p in zip(truth.T, chances.T, strict=True)]))


def of_two_kinds(metric: Callable[[np.ndarray, np.ndarray], float]) -> Oracle:
    """What ranks rows: of two classes, or the mean over labels that are there and not there."""

    def of(truth: np.ndarray, outputs: np.ndarray, about: Labelling) -> float | None:
        if about.kind == "class":
            pairs = [(truth == about.positive, outputs[:, about.positive] - outputs[:, 1 - about.positive])]
        else:
            pairs = list(zip(truth.T.astype(bool), outputs.T, strict=True))
        fewest = 1 if metric is metrics.average_precision_score else 2
        known = [metric(own, scores) for own, scores in pairs if own.any() and len(set(own)) >= fewest]
        return float(np.mean(known)) if known else None

    return of


def correlation(metric: Callable[[np.ndarray, np.ndarray], tuple[float, float]]) -> Oracle:
    def of(truth: np.ndarray, outputs: np.ndarray, about: Labelling) -> float | None:
        if len(set(truth)) < 2:
            return None
        return float(metric(truth, outputs[:, 0])[0]) if len(set(outputs[:, 0])) > 1 else 0.0

    return of


def by_class(metric: Callable[..., float], **options: object) -> Oracle:
    return lambda truth, outputs, about: float(metric(truth, outputs.argmax(axis=1), **options))


def of_numbers(metric: Callable[..., float]) -> Oracle:
    return lambda truth, outputs, about: float(metric(truth, outputs[:, 0]))


def kappa(truth: np.ndarray, outputs: np.ndarray, about: Labelling) -> float:
    said = outputs.argmax(axis=1)
    if len({*truth, *said}) < 2:
        return 0.0
    return float(metrics.cohen_kappa_score(truth, said, weights="quadratic", labels=range(outputs.shape[1])))


def balanced(truth: np.ndarray, outputs: np.ndarray, about: Labelling) -> float:
    said = outputs.argmax(axis=1)
    return float(np.mean([(said[truth == label] == label).mean() for label in set(truth)]))


ORACLES: dict[str, Oracle] = {
    "accuracy": by_class(metrics.accuracy_score),
    "balanced_accuracy": balanced,
    "f1_macro": f1("macro"),
    "f1_micro": f1("micro"),
    "f1_weighted": f1("weighted"),
    "f1_binary": f1("binary"),
    "auc": of_two_kinds(metrics.roc_auc_score),
    "average_precision": of_two_kinds(metrics.average_precision_score),
    "matthews": by_class(metrics.matthews_corrcoef),
    "quadratic_kappa": kappa,
    "log_loss": log_loss,
    "subset_accuracy": lambda truth, outputs, about: float(metrics.accuracy_score(truth, outputs > 0)),
    "pearson": correlation(stats.pearsonr),
    "spearman": correlation(stats.spearmanr),
    "rmse": of_numbers(metrics.root_mean_squared_error),
    "mae": of_numbers(metrics.mean_absolute_error),
}


def case(kind: LabelKind, number: int, *, two: bool) -> tuple[np.ndarray, np.ndarray, Labelling]:
    """A few rows with rounded outputs, so that many are ties."""
    draw = np.random.default_rng(number)
    n_rows, n_outputs = int(draw.integers(6, 30)), 2 if two else int(draw.integers(2, 6))
    if kind == "score":
        truth = np.round(draw.standard_normal(n_rows) * 10, number % 2)
        return truth, np.round(truth + 8 * draw.standard_normal(n_rows), 0)[:, None], Labelling("score", 1)
    outputs = np.round(2 * draw.standard_normal((n_rows, n_outputs)), 1)
    if kind == "multilabel":
        truth = (draw.random((n_rows, n_outputs)) < draw.random(n_outputs)).astype(np.int8)
        return truth, outputs, Labelling("multilabel", n_outputs)
    return draw.integers(n_outputs, size=n_rows), outputs, Labelling("class", n_outputs, number % 2, ordered=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize(("kind", "metric"), [(kind, name) for kind, names in METRICS_OF.items() for name in names])
def test_as_of_the_rows_drawn(kind: LabelKind, metric: str) -> None:
    for number in range(N_CASES):
        truth, outputs, about = case(kind, number, two=metric in ("auc", "average_precision", "f1_binary"))
        draw, n_rows = np.random.default_rng(number), len(truth)
        counts = np.stack([np.ones(n_rows), *draw.multinomial(n_rows, np.full(n_rows, 1 / n_rows), size=3)])
        found = metric_of_counts(metric, truth, outputs.astype(float), about)(counts)
        for value, row in zip(found, counts.astype(int), strict=True):
            drawn = np.repeat(np.arange(n_rows), row)
            expected = ORACLES[metric](truth[drawn], outputs[drawn].astype(float), about)
            if expected is None:
                assert np.isnan(value)
            else:
                assert value == pytest.approx(expected, abs=1e-9), (number, row)


@pytest.mark.parametrize("kind", ["class", "multilabel", "score"])
def test_a_metric_of_other_labels_is_none(kind: LabelKind) -> None:
    truth, outputs, about = case(kind, 0, two=True)
    others = {name for names in METRICS_OF.values() for name in names} - set(METRICS_OF[kind])
    for name in [*others, "rouge"]:
        with pytest.raises(ValueError, match="must be one of"):
            metric_of_counts(name, truth, outputs, about)
