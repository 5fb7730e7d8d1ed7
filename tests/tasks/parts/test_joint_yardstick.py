"""The cheap yardstick of several parts: each by itself, side by side."""

from dataclasses import replace
from pathlib import Path

import pytest

from gridsearch.repetition import Division
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.target import Target
from gridsearch.tasks.taskfile import load_task
from gridsearch.tasks.tfidf_yardstick import TFIDF, tfidf_yardstick
from reports.language.say import retold, speaking
from tests.tasks.parts.films import write_films


@pytest.fixture
def films(tmp_path: Path) -> JointTask:
    task = load_task(write_films(tmp_path))
    assert isinstance(task, JointTask)
    return task


@pytest.mark.parametrize("n_folds", [None, 3])
def test_each_part_has_the_yardstick_that_it_has_alone(
    films: JointTask, n_folds: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    task = films if n_folds is None else with_folds(films, Division(n_folds))
    name, dev, test = tfidf_yardstick(task)
    alone = {part: tfidf_yardstick(one).dev for part, one in task.parts.items()}
    flat = {f"{part} {metric}": value for part, metrics in alone.items() for metric, value in metrics.items()}
    assert dev == flat | {"mean f1_macro and accuracy": task.target.of(alone)}
    assert dev["genre f1_macro"] == 1.0
    assert (name, test) == (TFIDF, None)


def labelled_test(task: JointTask, *names: str) -> JointTask:
    return replace(
        task, parts={name: replace(part, test=part.dev if name in names else None) for name, part in task.parts.items()}
    )


def test_the_target_is_told_of_test_where_all_of_its_parts_have_labels_there(films: JointTask) -> None:
    mean = films.target.name
    both, one = labelled_test(films, "genre", "follows"), labelled_test(films, "genre")
    assert (tfidf_yardstick(both).test or {}).keys() == tfidf_yardstick(both).dev.keys()
    of_one = tfidf_yardstick(one).test or {}
    assert of_one["genre f1_macro"] == 1.0
    assert not any(name.startswith("follows") for name in of_one)
    assert mean not in of_one
    selected = replace(one, target=Target((("genre", "f1_macro"),)))
    assert (tfidf_yardstick(selected).test or {})["genre f1_macro"] == 1.0


def test_bounds_are_told_by_part(films: JointTask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridsearch.tasks.tfidf_yardstick.N_CELLS_MOST", 20)
    name = tfidf_yardstick(films).name
    assert name == (
        f"{TFIDF} (part genre: fitted on 6 of 18 rows of train, judged on 6 of 9 rows of dev; "
        "part follows: fitted on 10 of 18 rows of train)"
    )
    with speaking("zh"):
        assert retold(name) == (
            "TF-IDF + 逻辑回归（genre：用训练集 18 条中的 6 条拟合，用验证集 9 条中的 6 条评分；"
            "follows：用训练集 18 条中的 10 条拟合）"
        )


def test_notes_of_parts_are_told_in_chinese(films: JointTask) -> None:
    with speaking("zh"):
        told = [retold(note) for note in films.notes]
        across = retold("texts that judge genre and stand in the training rows of follows too: 2")
    assert told == [
        "genre：测试集没有标签：可以预测，不能评分",
        "follows：验证集是训练数据的 0.25，分层抽取（split_seed 0）：6 条，剩余 18 条",
    ]
    assert across == "2 段用于给 genre 评分的文本也出现在 follows 的训练数据中"
