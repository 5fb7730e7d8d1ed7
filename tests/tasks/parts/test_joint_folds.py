"""The parts of a task are divided each by itself, and the texts of all are there to pretrain on."""

from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.repetition import Division
from gridsearch.tasks.corpus import corpora_of, corpus_of
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.taskfile import load_task
from tests.tasks.parts.films import FILMS, genre_rows, write_films

DIVISION = Division(3, 5)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))


def films(folder: Path, toml: str = FILMS, **files: str) -> JointTask:
    task = load_task(write_films(folder, toml, **files))
    assert isinstance(task, JointTask)
    return task


def test_each_part_is_divided_as_if_it_were_alone(tmp_path: Path) -> None:
    task = films(tmp_path)
    divided = with_folds(task, DIVISION)
    assert isinstance(divided, JointTask)
    for name, part in task.parts.items():
        alone = with_folds(part, DIVISION)
        assert (divided.parts[name], divided.parts[name].folds) == (alone, alone.folds)
        assert len(alone.dev) == 0
    assert divided.division == DIVISION
    assert (divided.target, divided.weights) == (task.target, task.weights)
    assert divided.notes == (
        *task.notes,
        "part genre: all labelled rows are divided into 3 folds of 9 rows (fold_seed 5)",
        "part follows: all labelled rows are divided into 3 folds of 8 rows (fold_seed 5)",
    )


def test_a_label_that_is_too_rare_in_a_part_names_it(tmp_path: Path) -> None:
    train, dev = genre_rows(18) + "a western,western\n", genre_rows(9, 100) + "another,western\n"
    task = films(tmp_path, genre_train__csv=train, genre_dev__csv=dev)
    with pytest.raises(RequestError, match=r"^films, part genre: the rows of label 'western' are in 2 groups of rows"):
        with_folds(task, DIVISION)


def test_a_corpus_has_the_texts_of_all_parts(tmp_path: Path) -> None:
    """Single texts and pairs, the rows of dev and test where they are named, and the further files of any part."""
    more = '[parts.corpus]\nfiles = ["more.txt"]\n'
    task = films(tmp_path, FILMS + more, more__txt="one\ttwo\nthree\tfour\n")
    train = corpus_of(task, "train")
    assert (len(train.texts), len(train.pairs)) == (18, 18)
    everything = corpus_of(task, "all")
    assert (len(everything.texts), len(everything.pairs)) == (18 + 9 + 6, 24)
    genre = task.parts["genre"]
    assert genre.test is not None
    assert set(everything.texts) == {*genre.train.texts, *genre.dev.texts, *genre.test.texts}
    assert corpus_of(task, "files").pairs == (("one", "two"), ("three", "four"))
    assert {which: corpus_of(task, which).sizes for which in corpora_of(task)} == corpora_of(task)
    assert set(corpora_of(task)) == {"train", "all", "files", "train+files", "all+files"}


def test_a_corpus_of_a_fold_lacks_the_rows_that_judge_it(tmp_path: Path) -> None:
    divided = with_folds(films(tmp_path), DIVISION)
    assert corpus_of(divided.of_fold(1), "train").sizes == (18, 16)
    assert corpus_of(divided, "all").sizes == (33, 24)


def test_further_files_that_no_part_names(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"films names no further files, .* under \[parts.corpus\] of its TOML file"):
        corpus_of(films(tmp_path), "files")
    assert "files" not in corpora_of(films(tmp_path))
