"""A task of several parts on the command line: what a plan says of it, what is kept of its columns, what is refused."""

from argparse import Namespace
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.repetition import Division
from gridsearch.study.study import Study
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import load_task
from runners.cli import build_parser, main
from runners.planned.task_text import task_texts
from runners.request import divided, read_asked, reload_task
from tests.tasks.parts.films import FILMS, GENRE, HEAD, write_films

ASK = ("plan", "question.toml", "--task", "films.toml")
SWEEP = ("sweep", "question.toml", "--task", "films.toml", "--runner", "serial")


@pytest.fixture
def films(project: Path) -> Path:
    write_films(project)
    return project


def asked(*words: str) -> Namespace:
    return build_parser().parse_args([*ASK, *words])


def test_columns_are_kept_by_part(films: Path) -> None:
    found = read_asked(asked())
    assert isinstance(found.task, JointTask)
    columns = found.words["columns"]
    assert isinstance(columns, dict)
    assert {name: (one["text"], one["pair"], one["label"]) for name, one in columns.items()} == {
        "genre": ("text", None, "label"),
        "follows": (0, 1, 2),
    }
    assert found.study.folder == Path("studies") / "question-films-tiny"


def test_those_of_one_part_are_those_of_a_single_task(films: Path) -> None:
    write_films(films, HEAD + GENRE)
    found = read_asked(asked())
    assert isinstance(found.task, Task)
    columns = found.words["columns"]
    assert isinstance(columns, dict)
    assert columns["label"] == "label"


def test_what_a_plan_says_of_each_part(films: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ASK, "--model", str(encoder_folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    told = " ".join(" ".join(lines).split())
    for sentence in (
        "task films: 2 parts that share one encoder; target mean f1_macro and accuracy of genre, follows genre,",
        "genre, single texts: 18 train, 9 dev, 6 test (unlabelled) rows; 3 labels (in this order: comedy, drama,",
        "horror); metric f1_macro; weight 1 follows, pairs: 18 train, 6 dev rows; 2 labels (in this order: no, yes);",
        "metric accuracy; weight 2.5 part genre: test is unlabelled: it can be predicted, not judged part follows: dev",
    ):
        assert sentence in told


def test_weights_are_told_where_they_differ_from_one(films: Path) -> None:
    assert "weight" not in " ".join(task_texts(load_task(write_films(films, FILMS.replace("weight = 2.5\n", "")))))


def test_folds_are_told_by_part(films: Path) -> None:
    texts = list(task_texts(divided(load_task("films.toml"), Division(3))))
    assert "27 (in 3 folds), 6 test (unlabelled) rows" in texts[1]
    assert "24 (in 3 folds) rows" in texts[2]


def test_a_part_without_dev_rows_is_refused_where_no_folds_judge_it(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_films(films, FILMS.replace("dev = 0.25\n", ""))
    assert main([*ASK]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told == (
        "gridsearch plan: films, part follows has no dev rows, by which runs are judged; give dev a file or a share "
        "under [parts.files], or divide the rows: --folds 5"
    )
    assert read_asked(asked("--folds", "3")).task.division == Division(3)


@pytest.mark.slow  # 1.5 s
@pytest.mark.parametrize("folds", [(), ("--folds", "2")])
def test_a_study_finds_its_parts_again(films: Path, encoder_folder: Path, folds: tuple[str, ...]) -> None:
    words = ["--model", str(encoder_folder), "--set", "epochs=1", "--study", "studied", *folds]
    (films / "one.toml").write_text("[recipe]\nmax_length = 24\n[factors]\nfrozen_layers = [0, 1]\n")
    assert main([SWEEP[0], "one.toml", *SWEEP[2:], *words]) == 0
    with Study(Path("studied")).open() as ledger:
        manifest = ledger.trials_manifest()
        ((dev,),) = ledger.connection.execute("SELECT dev FROM yardsticks")
    task = reload_task(manifest)
    assert (task.fingerprint, list(task.parts)) == (manifest.task.fingerprint, ["genre", "follows"])
    assert "genre f1_macro" in dev
    assert "mean f1_macro and accuracy" in dev
    rows = (films / "follows.tsv").read_text(encoding="utf-8")
    (films / "follows.tsv").write_text(rows.replace("title 0", "a title"), encoding="utf-8")
    with pytest.raises(RequestError, match=r"the rows of task .*films.toml are no longer those"):
        reload_task(manifest)
