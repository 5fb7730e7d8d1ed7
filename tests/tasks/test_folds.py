"""Every row is judged once, and no run trains on a text of the groups that judge it."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.repetition import Division
from gridsearch.tasks import folds
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.reading import readings_of
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import load_task
from gridsearch.tasks.tfidf_yardstick import tfidf_yardstick
from search_spaces import find_task

words = st.integers(0, 60).map(lambda number: f"text {number}")
rows = st.lists(st.tuples(words, words, st.integers(0, 1)), min_size=6, max_size=60)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "folds"


def pairs_task(train: Iterable[tuple[str, str, int]], dev: Iterable[tuple[str, str, int]] = ()) -> Task:
    def split(several: Iterable[tuple[str, str, int]]) -> Split:
        texts, pairs, labels = zip(*several, strict=True) if (several := list(several)) else ((), (), ())
        return Split(texts, labels, pairs)

    return Task("a task", "pair", "accuracy", ("no", "yes"), split(train), split(dev))


def single_task(n_rows: int, *, n_labels: int = 2) -> Task:
    texts, labels = (f"text {row}" for row in range(n_rows)), (row % n_labels for row in range(n_rows))
    train = Split(tuple(texts), tuple(labels))
    return Task("a task", "single", "accuracy", tuple("abcdefgh"[:n_labels]), train, train.without_rows())


def groups_of(split: Split) -> list[set[int]]:
    """Put rows together that share a text, over and over again: slow, and plainly right."""
    groups = [({text for text in row if text}, {number}) for number, row in enumerate(readings_of(split))]
    merged = True
    while merged:
        merged = False
        for one in groups:
            for other in groups:
                if one is not other and one[0] & other[0]:
                    one[0].update(other[0])
                    one[1].update(other[1])
                    groups.remove(other)
                    merged = True
                    break
            if merged:
                break
    return [numbers for _, numbers in groups]


def assert_divided(task: Task) -> None:
    assert task.folds is not None
    judged, folds_of_text = Counter[int](), dict[str, int]()
    for row, fold in zip(readings_of(task.train), task.folds.of_rows, strict=True):
        for text in filter(None, row):
            assert folds_of_text.setdefault(text, fold) == fold, "a text on both sides"
    for fold in range(task.folds.division.n_folds):
        seen, numbers = task.of_fold(fold), range(len(task.train))
        mine = [row for row in numbers if task.folds.of_rows[row] == fold]
        judged.update(mine)
        assert seen.dev == task.train.take(mine)
        assert seen.train == task.train.take(sorted({*numbers} - {*mine}))
        assert set(seen.dev.labels or ()) == set(task.train.labels or ())
    assert judged == Counter(range(len(task.train))), "every row is judged exactly once"


@pytest.mark.slow  # many tasks, drawn at random
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, rows, st.integers(2, 4), st.integers(0, 3))
def test_no_text_and_no_group_is_on_both_sides(
    train: list[tuple[str, str, int]], dev: list[tuple[str, str, int]], n_folds: int, seed: int
) -> None:
    task = pairs_task(train, dev)
    try:
        divided = with_folds(task, Division(n_folds, seed))
    except RequestError:
        held = {
            label: sum(any(divided_rows[row][2] == label for row in group) for group in groups)
            for divided_rows in [train + dev]
            for groups in [groups_of(pairs_task(train + dev).train)]
            for label in (0, 1)
        }
        # A label may be refused that has groups enough, where large ones leave a fold without it; never one that has
        # none of any other's rows in its groups and groups to spare.
        assert min(held.values()) < 3 * n_folds
        return
    assert_divided(divided)
    assert divided.folds is not None
    for group in groups_of(divided.train):
        assert len({divided.folds.of_rows[row] for row in group}) == 1, "a group in two folds"


def test_rows_are_those_of_train_and_then_of_dev() -> None:
    train = [(f"a {row}", f"b {row}", row % 2) for row in range(20)]
    dev = [(f"c {row}", f"d {row}", row % 2) for row in range(10)]
    divided = with_folds(pairs_task(train, dev), Division(5))
    assert list(zip(divided.train.texts, divided.train.pairs or (), divided.train.labels or (), strict=True)) == [
        *train,
        *dev,
    ]
    assert len(divided.dev) == 0
    assert divided.judged is divided.train
    assert divided.folds is not None
    assert divided.folds.sizes == (6, 6, 6, 6, 6)
    assert divided.notes[-1] == "all labelled rows are divided into 5 folds of 6 rows (fold_seed 0)"
    assert divided.fingerprint == with_folds(pairs_task(train + dev), Division(3)).fingerprint, "no dev, the same rows"


def test_each_fold_has_its_share_of_each_label() -> None:
    task = single_task(100, n_labels=4)
    divided = with_folds(task, Division(5))
    for fold in range(5):
        assert Counter(divided.of_fold(fold).dev.labels or ()) == {0: 5, 1: 5, 2: 5, 3: 5}


def test_another_seed_divides_otherwise() -> None:
    one, same, other = (with_folds(single_task(60), Division(3, seed)).folds for seed in (0, 0, 1))
    assert one == same != other


def test_planted_pairs_and_planted_groups_stay_together() -> None:
    """One pair in both files, in the other order and another spelling; and a chain over ten rows of both files."""
    train = [(f"a {row}", f"b {row}", row % 2) for row in range(40)]
    dev = [(f"c {row}", f"d {row}", row % 2) for row in range(20)] + [("B 7 ", "Ａ 7", 1)]
    chain = [(f"link {row}", f"link {row + 1}", row % 2) for row in range(10)]
    divided = with_folds(pairs_task([*train, *chain[:5]], [*dev, *chain[5:]]), Division(4))
    assert divided.folds is not None
    assert_divided(divided)
    assert divided.folds.of_rows[7] == divided.folds.of_rows[45 + 20]
    assert len({*divided.folds.of_rows[40:45], *divided.folds.of_rows[-5:]}) == 1
    assert divided.notes[-1] == "rows with a text in common are in one fold: up to 10 of them"


def test_equal_single_texts_stay_together() -> None:
    texts = tuple(f"text {number // 3}" for number in range(90))
    task = replace(single_task(90), train=Split(texts, tuple(number % 2 for number in range(90))))
    divided = with_folds(task, Division(3))
    assert divided.folds is not None
    assert all(len({*divided.folds.of_rows[start : start + 3]}) == 1 for start in range(0, 90, 3))


def test_a_label_with_fewer_groups_than_folds_is_refused() -> None:
    train = [(f"a {row}", f"b {row}", 0) for row in range(30)] + [("x", "y", 1), ("y", "z", 1), ("p", "q", 1)]
    with pytest.raises(RequestError) as refused:
        with_folds(pairs_task(train), Division(3))
    assert str(refused.value) == (
        "a task: the rows of label 'yes' are in 2 groups of rows that have a text in common, and each of 3 folds needs "
        "one; ask for fewer folds, or leave the label out (ignore under [labels])"
    )
    assert_divided(with_folds(pairs_task(train), Division(2)))


def test_rows_that_all_hang_together_are_refused() -> None:
    with pytest.raises(RequestError, match="are in 1 group of rows that have a text in common, and each of 2 folds"):
        with_folds(pairs_task([("a", f"b {row}", row % 2) for row in range(30)]), Division(2))


@pytest.mark.slow  # divides 34,000 pairs
@pytest.mark.parametrize(("name", "n_rows"), [("oppo", 10_000), ("afqmc", 38_650)])
def test_real_pairs(shared_data: Path, name: str, n_rows: int) -> None:
    divided = with_folds(load_task(find_task(name), shared_data), Division(5))
    assert divided.folds is not None
    assert sum(divided.folds.sizes) == n_rows
    assert max(divided.folds.sizes) < 1.01 * min(divided.folds.sizes)
    assert_divided(divided)


def test_a_task_file_without_dev_can_be_divided(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(20)))
    text = '[files]\ntrain = "rows.csv"\n[columns]\ntext = "text"\nlabel = "label"\n'
    (tmp_path / "task.toml").write_text(f'name = "t"\nkind = "single"\nmetric = "accuracy"\n{text}')
    task = load_task(tmp_path / "task.toml")
    assert len(task.dev) == 0
    assert_divided(with_folds(task, Division(5)))


def test_what_was_divided_before_is_found(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = with_folds(single_task(60), Division(3))
    monkeypatch.setattr(folds, "_divided", lambda *_: pytest.fail("divided again"))
    assert with_folds(single_task(60), Division(3)).folds == first.folds


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-9],
        lambda text: json.dumps({**json.loads(text), "folds": [0] * 60}),
        lambda text: "[]",
        lambda text: '{"folds": 3, "fingerprint": ""}',
    ],
)
def test_damaged_folds_are_divided_again(own_cache: Path, damage: object) -> None:
    first = with_folds(single_task(60), Division(3))
    (file,) = own_cache.glob("*.json")
    assert callable(damage)
    file.write_text(damage(file.read_text()))
    assert with_folds(single_task(60), Division(3)).folds == first.folds


def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(own_cache: Path) -> None:
    own_cache.parent.write_text("a file where a folder would be")
    assert_divided(with_folds(single_task(60), Division(3)))


def test_the_yardstick_judges_every_row_by_the_fold_that_did_not_see_it() -> None:
    """A text that tells its label only by itself: whoever trains on it knows it, and no one else does."""
    stream = np.random.default_rng(0)
    words = [f"word{number}" for number in range(400)]
    labels = stream.integers(0, 2, 400)
    twice = Split(tuple(words * 2), tuple(labels.tolist() * 2))
    task = Task("a task", "single", "accuracy", ("a", "b"), twice, twice.without_rows())
    assert tfidf_yardstick(with_folds(task, Division(4))).dev["accuracy"] < 0.6
    told = Split(tuple(f"is{label} {word}" for word, label in zip(words, labels, strict=True)), tuple(labels.tolist()))
    task = replace(task, train=told, test=told)
    found = tfidf_yardstick(with_folds(task, Division(4)))
    assert found.dev["accuracy"] > 0.95
    assert found.test is not None
    assert found.test["accuracy"] > 0.95
