from dataclasses import replace

import numpy as np
import pytest

from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.tfidf_yardstick import TFIDF, _vectorised, tfidf_yardstick
from reports.language.say import retold, speaking
from tests.fixtures_core import LABELS


def chinese_task() -> Task:
    """Return texts without spaces: only characters tell the labels apart."""
    kinds = ("天气今天很好适合出门散步", "股票市场今天大幅下跌")
    stream = np.random.default_rng(0)
    texts = ["".join(stream.permutation(list(kinds[row % 2]))) for row in range(60)]
    labels = tuple(row % 2 for row in range(60))
    train, dev = Split(tuple(texts[:40]), labels[:40]), Split(tuple(texts[40:]), labels[40:])
    return Task("chinese", "single", "accuracy", ("weather", "market"), train, dev)


def pairs_task() -> Task:
    """Return pairs that agree or not: neither text alone says anything."""
    words = [f"word{number}" for number in range(6)]
    stream = np.random.default_rng(0)
    drawn = [(str(stream.choice(words)), str(stream.choice(words)), row % 2) for row in range(300)]
    rows = [(first, first if label else second, label) for first, second, label in drawn if label or first != second]
    firsts, seconds, labels = zip(*rows, strict=True)
    n = len(rows) // 2
    train, dev = Split(firsts[:n], labels[:n], seconds[:n]), Split(firsts[n:], labels[n:], seconds[n:])
    return Task("pairs", "pair", "accuracy", ("other", "same"), train, dev)


def test_it_beats_chance_on_real_text(docstrings_task: Task) -> None:
    name, dev, test = tfidf_yardstick(docstrings_task)
    assert name == "TF-IDF + logistic regression"
    assert test is not None
    assert dev["f1_macro"] > 0.5
    assert test["f1_macro"] > 0.5
    assert dev["log_loss"] < np.log(6)


def test_it_is_the_same_every_time(task: Task) -> None:
    assert tfidf_yardstick(task) == tfidf_yardstick(task)


def test_text_without_spaces_is_read_by_character() -> None:
    assert tfidf_yardstick(chinese_task()).dev["accuracy"] == 1.0


def test_a_pair_is_compared() -> None:
    assert tfidf_yardstick(pairs_task()).dev["accuracy"] > 0.95


@pytest.mark.parametrize("test", [None, Split(("sort the index",), None)])
def test_without_a_labelled_test(task: Task, test: Split | None) -> None:
    assert tfidf_yardstick(replace(task, test=test)).test is None


@pytest.mark.parametrize("position", [0, 3])
def test_a_label_that_train_lacks(task: Task, position: int) -> None:
    """Its rows are lost and nothing else is: the metrics still count it."""
    names = [*LABELS[:position], "unseen", *LABELS[position:]]
    train, dev = (
        Split(split.texts, tuple(label + (label >= position) for label in split.labels or ()))
        for split in (task.train, task.dev)
    )
    plain = tfidf_yardstick(replace(task, test=None)).dev
    wider = Task("wider", "single", "accuracy", tuple(names), train, dev)
    assert tfidf_yardstick(wider).dev["accuracy"] == plain["accuracy"]
    with_unseen = Split((*dev.texts, "an unseen text"), (*(dev.labels or ()), position))
    found = tfidf_yardstick(replace(wider, dev=with_unseen)).dev
    assert found["accuracy"] == pytest.approx(plain["accuracy"] * len(dev) / (len(dev) + 1))
    assert np.isfinite(found["log_loss"])


def test_macro_f1_of_a_label_that_dev_lacks_is_as_sklearn_has_it() -> None:
    """All rows right is 1, though a third label was trained."""
    train = Split(("apple apricot", "banana berry", "cherry cocoa") * 10, (0, 1, 2) * 10)
    dev = Split(("apple apricot x", "banana berry x") * 10, (0, 1) * 10)
    found = tfidf_yardstick(Task("absent", "single", "f1_macro", ("A", "B", "C"), train, dev)).dev
    assert found["accuracy"] == found["f1_macro"] == 1.0


def test_f1_binary_is_that_of_the_positive_label() -> None:
    """Texts that say nothing: every row gets the frequent label."""
    train, dev = (Split(("words",) * n, (0,) + (1,) * (n - 1)) for n in (40, 20))
    for positive, expected in ((0, 0.0), (1, 2 * 19 / 39)):
        task = Task("hate", "single", "f1_binary", ("hate", "none"), train, dev, positive=positive)
        assert tfidf_yardstick(task).dev["f1_binary"] == pytest.approx(expected)


def test_a_single_character_word_counts(task: Task) -> None:
    """sklearn's own pattern drops words of one character."""
    rows = Split(("x a", "x b") * 20, (0, 1) * 20)
    found = tfidf_yardstick(replace(task, label_names=("a", "b"), train=rows, dev=rows, test=None))
    assert found.dev["accuracy"] == pytest.approx(1.0)


def test_texts_without_words_are_read_by_character() -> None:
    split = Split(("!!!", "???", "!!?", "??!") * 5, (0, 1, 0, 1) * 5)
    dev = tfidf_yardstick(Task("t", "single", "accuracy", ("a", "b"), split, split)).dev
    assert dev["accuracy"] == 1.0


# What is too large.


def many_labels(n_labels: int, n_rows: int, n_dev: int = 100) -> Task:
    """Each label has a word of its own, among others that say nothing."""
    stream = np.random.default_rng(0)

    def split(n: int) -> Split:
        labels = [row % n_labels for row in range(n)]
        noise = stream.integers(0, 50, (n, 6))
        texts = [" ".join([*(f"word{word}" for word in noise[row]), f"own{labels[row]}"]) for row in range(n)]
        return Split(tuple(texts), tuple(labels))

    names = tuple(f"label {number}" for number in range(n_labels))
    return Task("many", "single", "accuracy", names, split(n_rows), split(n_dev))


@pytest.mark.parametrize(
    ("bound", "value", "name"),
    [
        ("N_ROWS_MOST", 80, "(fitted on 80 of 300 rows of train, judged on 80 of 100 rows of dev)"),
        ("N_CELLS_MOST", 480, "(fitted on 160 of 300 rows of train)"),
        ("N_CHARACTERS_MOST", 8000, "(fitted on 178 of 300 rows of train)"),
        ("N_LABELLED_CHARACTERS_MOST", 24000, "(fitted on 178 of 300 rows of train)"),
        ("N_PRODUCTS_MOST", 1, "(stopped after 10 steps)"),
        ("N_COEFFICIENTS_MOST", 30, ""),
    ],
)
def test_every_bound_acts_and_is_told(bound: str, value: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task = many_labels(3, 300)
    monkeypatch.setattr(f"gridsearch.tasks.tfidf_yardstick.{bound}", value)
    monkeypatch.setattr(
        "gridsearch.tasks.tfidf_yardstick.N_LABELS_OF_TOLERANCE", 0.01 if bound == "N_PRODUCTS_MOST" else 20
    )
    found = tfidf_yardstick(task)
    assert found.name == f"TF-IDF + logistic regression {name}".rstrip()
    assert found.dev["accuracy"] > 0.9
    assert found == tfidf_yardstick(task)


def test_the_features_are_bounded_by_the_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridsearch.tasks.tfidf_yardstick.N_COEFFICIENTS_MOST", 600)
    assert _vectorised(many_labels(20, 100).train, 20)[1].shape[1] == 30
    monkeypatch.setattr("gridsearch.tasks.tfidf_yardstick.N_COEFFICIENTS_MOST", 32)
    assert _vectorised(pairs_task().train, 2)[1].shape[1] == 5 * 3


def test_more_labels_than_rows_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridsearch.tasks.tfidf_yardstick.N_ROWS_MOST", 30)
    found = tfidf_yardstick(many_labels(60, 300))
    assert "fitted on 32 of 300 rows of train" in found.name
    assert 0 < found.dev["accuracy"] < 0.7


@pytest.mark.slow  # 400 labels
def test_many_labels_are_learned() -> None:
    """The solver's tolerance holds for one coefficient: where labels are many, it was reached before the first step."""
    assert tfidf_yardstick(many_labels(400, 2400)).dev["accuracy"] > 0.8


def test_judging_in_portions_changes_nothing(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tfidf_yardstick(task)
    monkeypatch.setattr("gridsearch.tasks.tfidf_yardstick.N_CELLS_AT_ONCE", 20)
    assert tfidf_yardstick(task).dev == pytest.approx(whole.dev, rel=1e-12)


def test_the_bounds_are_told_in_chinese() -> None:
    name = f"{TFIDF} (fitted on 8 of 9 rows of train, judged on 8 of 9 rows of dev, stopped after 10 steps)"
    with speaking("zh"):
        assert (
            retold(name) == "TF-IDF + 逻辑回归（用训练集 9 条中的 8 条拟合，用验证集 9 条中的 8 条评分，10 步后停止）"
        )
