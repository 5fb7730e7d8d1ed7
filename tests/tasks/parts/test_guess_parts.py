"""``gridsearch init --part``: the files of several parts become one task file."""

from pathlib import Path

import pytest

from gridsearch.tasks.parts.joint_file import JointFile
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import load_task, parse_task_file
from runners.cli import main
from tests.tasks.parts.films import write_films


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_films(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


GENRE = ("--part", "genre", "genre_train.csv", "genre_dev.csv", "genre_test.csv")
FOLLOWS = ("--part", "follows", "follows.tsv")


def test_several_parts_are_guessed_written_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *GENRE, *FOLLOWS, "-o", "tasks/mine.toml"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert "part genre: label is 'label' with 3 values: comedy (6), drama (6), horror (6)" in told
    assert "part follows: pair is column 1, for example 'another 0 seen'" in told
    assert "part genre: test is unlabelled: it can be predicted, not judged" in told
    assert told[-4:] == [
        "tasks/mine.toml, part genre: 18 train and 9 dev rows, 3 labels",
        "tasks/mine.toml, part follows: 22 train and 2 dev rows, 2 labels",
        "target: mean accuracy, the mean over the parts ([target] in the file may say otherwise)",
        "look it over, then: gridsearch plan finetune64 --task tasks/mine.toml",
    ]
    text = (folder / "tasks" / "mine.toml").read_text(encoding="utf-8")
    file = parse_task_file(text, "mine.toml")
    assert isinstance(file, JointFile)
    assert [part.kind for part in file.parts.values()] == ["single", "pair"]
    assert file.parts["genre"].files.train == "../genre_train.csv"
    assert "# label is 'label' with 3 values: comedy (6), drama (6), horror (6)\n" in text
    read = load_task("tasks/mine.toml")
    assert isinstance(read, JointTask)
    assert (read.name, list(read.parts)) == ("mine", ["genre", "follows"])


def test_each_part_is_guessed_as_a_task_of_its_own(folder: Path) -> None:
    assert main(["init", *GENRE, *FOLLOWS, "-o", "joint.toml"]) == 0
    assert main(["init", *GENRE[2:], "-o", "genre.toml"]) == 0
    assert load_task("joint.toml").parts["genre"] == load_task("genre.toml")


def test_one_part_is_a_single_task(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *GENRE, "-o", "one.toml", "--name", "mine"]) == 0
    assert "one.toml: 18 train and 9 dev rows, 3 labels" in capsys.readouterr().out.splitlines()
    read = load_task("one.toml")
    assert isinstance(read, Task)
    assert read.name == "mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "init takes one to three data files (train, dev, test), but got 0"),
        (("follows.tsv", *GENRE), "with --part all files stand behind the name of one, as in --part NAME FILE; "),
        (("--part", "genre"), "part genre: init takes one to three data files (train, dev, test), but got 0"),
        (("--part", "genre", "none.csv"), "part genre: a data file must exist; there is none at none.csv"),
        ((*GENRE, "follows.tsv"), "part genre: init takes one to three data files (train, dev, test), but got 4"),
        ((*GENRE, *GENRE), "two parts have the name 'genre'; all files of a part stand behind one --part"),
        (("--part", "a/b", "follows.tsv"), "new.toml, [[parts]] number 1: the name of a part is letters and digits"),
        (("--part", "x", "follows.tsv", "genre_dev.csv"), "new.toml, [[parts]] x: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    before = set(folder.rglob("*"))
    assert main(["init", "-o", "new.toml", *words]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"gridsearch init: {sentence}")
    assert set(folder.rglob("*")) == before


def test_an_existing_file_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "films.toml").read_text(encoding="utf-8")
    assert main(["init", *GENRE, *FOLLOWS, "-o", "films.toml"]) == 2
    assert "init writes a new file, but films.toml exists" in capsys.readouterr().err
    assert (folder / "films.toml").read_text(encoding="utf-8") == before
    assert main(["init", *GENRE, *FOLLOWS, "-o", "films.toml", "--force"]) == 0
    assert (folder / "films.toml").read_text(encoding="utf-8") != before


@pytest.mark.slow  # 14 s
def test_tianchis_files(shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "tianchi_multitask"
    words = ["--part", "ocnli", str(data / "OCNLI_dev.csv")]
    words += ["--part", "ocemotion", *(str(data / f"OCEMOTION_{name}.csv") for name in ("train", "dev", "a"))]
    assert main(["init", *words, "-o", str(tmp_path / "tianchi.toml")]) == 0
    ocnli, ocemotion = load_task(tmp_path / "tianchi.toml").parts.values()
    assert (ocnli.kind, ocnli.label_names, len(ocnli.train) + len(ocnli.dev)) == ("pair", ("0", "1", "2"), 14364)
    assert (ocemotion.kind, len(ocemotion.label_names), ocemotion.metric) == ("single", 7, "f1_macro")
    assert ocemotion.test is not None
    assert (len(ocemotion.test), ocemotion.test.labels) == (1500, None)
