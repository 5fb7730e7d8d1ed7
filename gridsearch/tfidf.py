"""The cheap yardstick: TF-IDF and logistic regression on the same split as the trials."""

import unicodedata

from gridsearch.metrics import score
from gridsearch.tasks.task import Split, Task

TFIDF = "TF-IDF + logistic regression"
_N_SAMPLED = 1000
_N_FEATURES_MOST = 50_000
"""The most frequent ones: ten times as many took minutes on 45,000 titles, and scored no better."""


def tfidf_yardstick(task: Task) -> tuple[dict[str, float], dict[str, float] | None]:
    """Fit on train, score dev and (where it is labelled) test: words and word pairs, or characters 1 to 3 for Chinese.

    A pair is both texts' vectors, their product and their absolute difference.
    """
    import numpy as np
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    by_character = {"analyzer": "char", "token_pattern": None, "ngram_range": (1, 3)}
    by_word = {"token_pattern": r"(?u)\b\w+\b", "ngram_range": (1, 2)}
    features_of = by_character if _is_unspaced(task) else by_word
    vectorizer = TfidfVectorizer(sublinear_tf=True, max_features=_N_FEATURES_MOST, **features_of)
    try:
        vectorizer.fit(task.corpus)
    except ValueError:  # no text has a word in it: emoji, punctuation
        vectorizer.set_params(**by_character).fit(task.corpus)

    def features(split: Split) -> sparse.csr_matrix:
        first = vectorizer.transform(split.texts)
        if split.pairs is None:
            return first
        second = vectorizer.transform(split.pairs)
        return sparse.hstack([first, second, first.multiply(second), abs(first - second)]).tocsr()

    model = LogisticRegression(C=10.0, max_iter=1000, tol=1e-3)
    model.fit(features(task.train), task.train.labels)

    def metrics(split: Split) -> dict[str, float]:
        labels = np.asarray(split.labels)
        logits = np.full((len(split), len(task.label_names)), -np.inf)
        # A label that train lacks has no column; the log of a probability is a logit.
        logits[:, model.classes_] = model.predict_log_proba(features(split))
        return score(labels, np.maximum(logits, -700.0), task.positive)

    test = metrics(task.test) if task.test is not None and task.test.labels is not None else None
    return metrics(task.dev), test


def _is_unspaced(task: Task) -> bool:
    """Tell whether the texts are mostly in a script without spaces between words."""
    sample = "".join(task.train.texts[:_N_SAMPLED])
    letters = [letter for letter in sample if letter.isalpha()]
    wide = sum(unicodedata.east_asian_width(letter) == "W" for letter in letters)
    return wide > len(letters) / 2
