"""The cheap yardstick: TF-IDF and logistic regression on the same split as the trials; ridge regression of numbers.

It is measured before the first trial, so it may cost a minute or so, each part of a task by itself, however large the
data are. The bounds are in work and not in seconds: the same task has the same yardstick on every machine. A bound that
acts is told in the name.
"""

import random
import unicodedata
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gridsearch.errors import MetricError
from gridsearch.randomness import derived_seed
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks.judging.judge import mean_of, measured
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.splits import sample_rows
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import Metrics

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

TFIDF = "TF-IDF + logistic regression"
OF_KIND: Mapping[LabelKind, str] = {
    "class": TFIDF,
    "multilabel": "TF-IDF + a logistic regression for each label",
    "score": "TF-IDF + ridge regression",
}
"""What it is called, by what labels are."""
OF_SEVERAL_KINDS = "TF-IDF + a linear model of each part"
_N_SAMPLED = 1000
_N_FEATURES_MOST = 50_000
"""The most frequent ones: ten times as many took minutes on 45,000 titles, and scored no better."""

# What follows bounds it at about a minute of one core; beside each, what it bounds.
N_ROWS_MOST = 100_000  # of each split
N_CHARACTERS_MOST = 10_000_000  # of each split: 1 s a million to read words and word pairs
N_CELLS_MOST = 20_000_000  # rows x labels: memory, and the softmax of a step
N_CELLS_AT_ONCE = 2_000_000  # of those, while judging
N_LABELLED_CHARACTERS_MOST = 2_000_000_000  # characters x labels: what one step costs
N_COEFFICIENTS_MOST = 4_000_000  # features x labels: the solver keeps 25 such arrays
N_PRODUCTS_MOST = 4_000_000_000  # entries x labels x steps: 8 s a thousand million
N_STEPS_LEAST, N_STEPS_MOST = 10, 1000
N_LABELS_OF_TOLERANCE = 20
"""One coefficient's gradient shrinks as labels grow in number: with a thousand it is below 1e-3 before any step."""


_LEAST = np.exp(-700.0)
"""A probability that stands for none: its logarithm is a number."""


class Yardstick(NamedTuple):
    """The name says what it was bounded to; ``test`` is None where that has no labels."""

    name: str
    dev: dict[str, float]
    test: dict[str, float] | None


def tfidf_yardstick(task: AnyTask) -> Yardstick:
    """Fit on train, score dev and (where it is labelled) test: words and word pairs, or characters 1 to 3 for Chinese.

    A pair is what its texts' vectors have in common and in which they differ: their absolute difference, their product
    and their minimum, the same in either order. Where folds divide the rows, one is fitted for each: every row is
    judged by the one that did not see it, and test by the mean of their probabilities.

    Of a joint task it is done for each part by itself. Every metric is called by part, as "tnews f1_macro"; the target
    stands beside them under its own name, of test where all of its parts have labels there.
    """
    name = yardstick_name(task)
    if isinstance(task, Task):
        found = _measured(task)
        return Yardstick(_named(name, ", ".join(found.bounds)), found.dev, found.test)
    parts = {name: _measured(part) for name, part in task.parts.items()}
    bounds = (f"part {name}: {', '.join(part.bounds)}" for name, part in parts.items() if part.bounds)
    dev = _by_part({name: part.dev for name, part in parts.items()}, task.target)
    test = _by_part({name: part.test for name, part in parts.items() if part.test is not None}, task.target)
    return Yardstick(_named(name, "; ".join(bounds)), dev, test or None)


def yardstick_name(task: AnyTask) -> str:
    """Return what the yardstick of a task is called, without what it was bounded to."""
    kinds = {part.labels_are for part in task.parts.values()}
    return OF_KIND[kinds.pop()] if len(kinds) == 1 else OF_SEVERAL_KINDS


def _named(what: str, bounds: str) -> str:
    return what + (f" ({bounds})" if bounds else "")


def _by_part(results: Mapping[str, Metrics], target: Target) -> dict[str, float]:
    """Put the metrics of parts side by side, and the target where it can be told."""
    flat = {f"{part} {name}": value for part, metrics in results.items() for name, value in metrics.items()}
    return flat | ({target.name: target.of(results)} if all(part in results for part, _ in target.metrics) else {})


class _Measured(NamedTuple):
    """What a yardstick of one part scores, and what it was bounded to."""

    dev: dict[str, float]
    test: dict[str, float] | None
    bounds: list[str]


def _measured(task: Task) -> _Measured:
    folds = range(1 if task.folds is None else task.folds.division.n_folds)
    runs = [_run(task.of_fold(fold)) for fold in folds]
    truths = [task.truth(run.judged["dev"]) for run in runs]
    truth = np.concatenate([one for one in truths if one is not None])
    bounds = next((run.bounds for run in runs if run.bounds), [])
    dev, is_judged = _scored(task, truth, np.concatenate([run.logits["dev"] for run in runs]))
    test = None
    if "test" in runs[0].judged:
        on_test = task.truth(runs[0].judged["test"])
        assert on_test is not None, "it judges where there are labels"
        said = _mean_of([run.logits["test"] for run in runs], task.labels_are)
        test, on_test_too = _scored(task, on_test, said)
        is_judged = is_judged and on_test_too
    return _Measured(dev, test, bounds if is_judged else [*bounds, f"{task.metric} failed on it"])


def _scored(task: Task, truth: np.ndarray, outputs: np.ndarray) -> tuple[dict[str, float], bool]:
    """Return the metrics, and whether all could be told: no study fails for a function that fails on a reference."""
    try:
        return measured(truth, outputs, task.labelling), True
    except MetricError:
        return measured(truth, outputs, replace(task.labelling, own=None)), False


def _mean_of(logits: Sequence[np.ndarray], kind: LabelKind) -> np.ndarray:
    """Return the logarithms of mean probabilities of classes, which stay what they are of one; else see `mean_of`."""
    if kind != "class" or len(logits) == 1:
        return mean_of(logits, kind)
    return np.asarray(np.log(np.maximum(np.mean([np.exp(one) for one in logits], axis=0), _LEAST)))


class _Run(NamedTuple):
    """The rows that it judged, by split, and their logits; what it was bounded to."""

    judged: dict[str, Split]
    logits: dict[str, np.ndarray]
    bounds: list[str]


def _run(task: Task) -> _Run:
    """Fit on train, and judge the other splits that have labels."""
    splits = {"train": task.train, "dev": task.dev}
    if task.test is not None and task.test.labels is not None:
        splits["test"] = task.test
    used = {name: _bounded(task, split, name) for name, split in splits.items()}
    train, truth = used["train"], task.truth(used.pop("train"))
    assert truth is not None, "training rows have labels"
    vectorizer, features = _vectorised(train, len(task.label_names))
    fit = {"class": _fitted, "multilabel": _fitted_to_each, "score": _fitted_to_numbers}[task.labels_are]
    model = fit(features, truth, len(task.label_names))
    bounds = [f"fitted on {len(train)} of {len(task.train)} rows of train"] if len(train) < len(task.train) else []
    bounds += [
        f"judged on {len(split)} of {len(splits[name])} rows of {name}"
        for name, split in used.items()
        if len(split) < len(splits[name])
    ]
    bounds += [f"stopped after {model.stopped_after} steps"] if model.stopped_after else []
    logits = {name: _logits(model, vectorizer, split, len(task.label_names)) for name, split in used.items()}
    return _Run(used, logits, bounds)


def _bounded(task: Task, split: Split, name: str) -> Split:
    """Return so many of the rows that their work is bounded; of train, of each label its share."""
    n_labels = len(task.label_names)
    n_characters = max(1, sum(map(len, split.texts)) + sum(map(len, split.pairs or ())))
    n_characters_most = min(N_CHARACTERS_MOST, N_LABELLED_CHARACTERS_MOST // n_labels)
    n_most = min(N_ROWS_MOST, N_CELLS_MOST // n_labels, len(split) * n_characters_most // n_characters)
    if len(split) <= n_most:
        return split
    strata = task.codes.strata(split.labels or ())
    if name == "train" and len(set(strata)) <= n_most:
        return sample_rows(split, n_most, 0, strata)
    chosen = set(random.Random(derived_seed(0, "tfidf", name)).sample(range(len(split)), max(n_most, 1)))
    if name == "train":  # more labels than rows: whatever they are, it takes two to fit
        labels = split.labels or ()
        chosen |= {0, next(row for row, label in enumerate(labels) if label != labels[0])}
    return split.take(sorted(chosen))


def _vectorised(train: Split, n_labels: int) -> "tuple[TfidfVectorizer, csr_matrix]":
    from sklearn.feature_extraction.text import TfidfVectorizer

    by_character = {"analyzer": "char", "token_pattern": None, "ngram_range": (1, 3)}
    by_word = {"token_pattern": r"(?u)\b\w+\b", "ngram_range": (1, 2)}
    n_blocks = 1 if train.pairs is None else 3
    n_features = min(_N_FEATURES_MOST, max(1, N_COEFFICIENTS_MOST // (n_labels * n_blocks)))
    features_of = by_character if _is_unspaced(train) else by_word
    vectorizer = TfidfVectorizer(sublinear_tf=True, max_features=n_features, **features_of)
    corpus = (*train.texts, *(train.pairs or ()))
    try:
        vectors = vectorizer.fit_transform(corpus)
    except ValueError:  # no text has a word in it: emoji, punctuation
        vectors = vectorizer.set_params(**by_character).fit_transform(corpus)
    return vectorizer, _compared(vectors[: len(train)], None if train.pairs is None else vectors[len(train) :])


def _compared(first: "csr_matrix", second: "csr_matrix | None") -> "csr_matrix":
    from scipy import sparse

    if second is None:
        return first
    return sparse.hstack([abs(first - second), first.multiply(second), first.minimum(second)]).tocsr()


class _Fitted(NamedTuple):
    """From features to outputs, (rows, labels); and how many steps it was stopped after, 0 where it came to an end."""

    outputs: "Callable[[csr_matrix], np.ndarray]"
    stopped_after: int = 0


def _fitted(features: "csr_matrix", truth: np.ndarray, n_labels: int) -> _Fitted:
    """Fit the classes: the outputs are the logarithms of their probabilities."""
    model, is_stopped = _logistic(features, truth, n_labels)

    def outputs(of: "csr_matrix") -> np.ndarray:
        logits = np.full((of.shape[0], n_labels), np.log(_LEAST))
        # A label that train lacks has no column; the log of a probability is a logit.
        logits[:, model.classes_] = np.maximum(model.predict_log_proba(of), np.log(_LEAST))
        return logits

    return _Fitted(outputs, int(model.n_iter_.max()) if is_stopped else 0)


def _fitted_to_each(features: "csr_matrix", truth: np.ndarray, n_labels: int) -> _Fitted:
    """Fit each label by itself: the outputs are logits. One that every row has, or none, is told to every row."""
    alike = [bool(own.all()) if own.all() or not own.any() else None for own in truth.T]
    fits = [
        None if same is not None else _logistic(features, own, n_labels)
        for own, same in zip(truth.T, alike, strict=True)
    ]
    sure = -np.log(_LEAST)

    def outputs(of: "csr_matrix") -> np.ndarray:
        return np.stack(
            [
                np.full(of.shape[0], sure if same else -sure) if fit is None else fit[0].decision_function(of)
                for fit, same in zip(fits, alike, strict=True)
            ],
            axis=1,
        )

    return _Fitted(outputs, max((int(fit[0].n_iter_.max()) for fit in fits if fit is not None and fit[1]), default=0))


def _fitted_to_numbers(features: "csr_matrix", truth: np.ndarray, n_labels: int) -> _Fitted:
    """Fit the numbers by ridge regression."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1.0, solver="sparse_cg", tol=1e-4).fit(features, truth)
    return _Fitted(lambda of: np.asarray(model.predict(of)).reshape(-1, 1))


def _logistic(features: "csr_matrix", labels: np.ndarray, n_labels: int) -> "tuple[LogisticRegression, bool]":
    """Fit; tell whether it was stopped before it was done."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    n_products = max(1, features.nnz * n_labels)
    n_steps = min(N_STEPS_MOST, max(N_STEPS_LEAST, N_PRODUCTS_MOST // n_products))
    tolerance = 1e-3 * min(1.0, N_LABELS_OF_TOLERANCE / n_labels)
    model = LogisticRegression(C=10.0, max_iter=n_steps, tol=tolerance)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model.fit(features, labels)
    return model, any(issubclass(warning.category, ConvergenceWarning) for warning in found)


def _logits(model: _Fitted, vectorizer: "TfidfVectorizer", split: Split, n_labels: int) -> np.ndarray:
    """Return what is said of each row, (rows, labels)."""
    logits = np.zeros((len(split), n_labels))
    n_at_once = max(1, N_CELLS_AT_ONCE // n_labels)
    for start in range(0, len(split), n_at_once):
        part = split.take(range(start, min(start + n_at_once, len(split))))
        second = None if part.pairs is None else vectorizer.transform(part.pairs)
        logits[start : start + n_at_once] = model.outputs(_compared(vectorizer.transform(part.texts), second))
    return logits


def _is_unspaced(train: Split) -> bool:
    """Tell whether the texts are mostly in a script without spaces between words."""
    sample = "".join(train.texts[:_N_SAMPLED])
    letters = [letter for letter in sample if letter.isalpha()]
    wide = sum(unicodedata.east_asian_width(letter) == "W" for letter in letters)
    return wide > len(letters) / 2
