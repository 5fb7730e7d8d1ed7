from dataclasses import replace

import numpy as np
import pytest

from gridsearch import tfidf
from gridsearch.tasks.task import Split, Task
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
    dev, test = tfidf.tfidf_yardstick(docstrings_task)
    assert test is not None
    assert dev["f1_macro"] > 0.5
    assert test["f1_macro"] > 0.5
    assert dev["log_loss"] < np.log(6)


def test_it_is_the_same_every_time(task: Task) -> None:
    assert tfidf.tfidf_yardstick(task) == tfidf.tfidf_yardstick(task)


def test_text_without_spaces_is_read_by_character() -> None:
    assert tfidf.tfidf_yardstick(chinese_task())[0]["accuracy"] == 1.0


def test_a_pair_is_compared() -> None:
    assert tfidf.tfidf_yardstick(pairs_task())[0]["accuracy"] > 0.95


@pytest.mark.parametrize("test", [None, Split(("sort the index",), None)])
def test_without_a_labelled_test(task: Task, test: Split | None) -> None:
    assert tfidf.tfidf_yardstick(replace(task, test=test))[1] is None


@pytest.mark.parametrize("position", [0, 3])
def test_a_label_that_train_lacks(task: Task, position: int) -> None:
    """Its rows are lost and nothing else is: the metrics still count it."""
    names = [*LABELS[:position], "unseen", *LABELS[position:]]
    train, dev = (
        Split(split.texts, tuple(label + (label >= position) for label in split.labels or ()))
        for split in (task.train, task.dev)
    )
    plain = tfidf.tfidf_yardstick(replace(task, test=None))[0]
    wider = Task("wider", "single", "accuracy", tuple(names), train, dev)
    assert tfidf.tfidf_yardstick(wider)[0]["accuracy"] == plain["accuracy"]
    with_unseen = Split((*dev.texts, "an unseen text"), (*(dev.labels or ()), position))
    found = tfidf.tfidf_yardstick(replace(wider, dev=with_unseen))[0]
    assert found["accuracy"] == pytest.approx(plain["accuracy"] * len(dev) / (len(dev) + 1))
    assert np.isfinite(found["log_loss"])


def test_macro_f1_of_a_label_that_dev_lacks_is_as_sklearn_has_it() -> None:
    """All rows right is 1, though a third label was trained."""
    train = Split(("apple apricot", "banana berry", "cherry cocoa") * 10, (0, 1, 2) * 10)
    dev = Split(("apple apricot x", "banana berry x") * 10, (0, 1) * 10)
    found, _ = tfidf.tfidf_yardstick(Task("absent", "single", "f1_macro", ("A", "B", "C"), train, dev))
    assert found["accuracy"] == found["f1_macro"] == 1.0


def test_f1_binary_is_that_of_the_positive_label() -> None:
    """Texts that say nothing: every row gets the frequent label."""
    train, dev = (Split(("words",) * n, (0,) + (1,) * (n - 1)) for n in (40, 20))
    for positive, expected in ((0, 0.0), (1, 2 * 19 / 39)):
        task = Task("hate", "single", "f1_binary", ("hate", "none"), train, dev, positive=positive)
        assert tfidf.tfidf_yardstick(task)[0]["f1_binary"] == pytest.approx(expected)


def test_a_single_character_word_counts(task: Task) -> None:
    """sklearn's own pattern drops words of one character."""
    rows = Split(("x a", "x b") * 20, (0, 1) * 20)
    assert tfidf.tfidf_yardstick(replace(task, label_names=("a", "b"), train=rows, dev=rows, test=None))[0][
        "accuracy"
    ] == pytest.approx(1.0)


def test_texts_without_words_are_read_by_character() -> None:
    split = Split(("!!!", "???", "!!?", "??!") * 5, (0, 1, 0, 1) * 5)
    dev, _ = tfidf.tfidf_yardstick(Task("t", "single", "accuracy", ("a", "b"), split, split))
    assert dev["accuracy"] == 1.0
