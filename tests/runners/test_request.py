from pathlib import Path

import pytest

from gridsearch.tasks.tables.table import Columns
from gridsearch.tasks.task import Task
from runners.cli import Arguments, build_parser, main
from runners.request import read_asked


def test_lengths_that_cut_nothing_are_refused(project: Path, encoder_folder: Path, capsys) -> None:
    (project / "data.tsv").write_text("which one?\tthe text\n" + "".join(f"{n % 2}\ttext {n}\n" for n in range(16)))
    (project / "lengths.toml").write_text("[factors]\nmax_length = [32, 48]\n")
    assert main(["plan", "lengths.toml", "--task", "task.toml", "--model", str(encoder_folder)]) == 2
    error = capsys.readouterr().err
    assert "lengths: cell max_length = 32 and cell max_length = 48 compute the same: the longest text has" in error
    assert "and neither max_length cuts it" in error


def asked_by(command: str, *words: str) -> Arguments:
    return build_parser().parse_args([command, *words])


@pytest.mark.parametrize("command", ["plan", "sweep", "optimize"])
def test_the_task_is_the_one_asked_for_else_the_spaces_own(
    command: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path in a space is found beside its file, wherever the command runs; what is kept is found from anywhere."""
    path = project / "own.toml"
    path.write_text(f'task = "task.toml"\n{(project / "question.toml").read_text()}')
    other = (project / "task.toml").read_text().replace('"small"', '"other"')
    (tmp_path / "task.toml").write_text(other)
    (tmp_path / "data.tsv").write_text((project / "data.tsv").read_text())
    monkeypatch.chdir(tmp_path)
    own = read_asked(asked_by(command, str(path)))
    assert (own.task.name, own.words["task"]) == ("small", str(project / "task.toml"))
    overruled = read_asked(asked_by(command, str(path), "--task", "task.toml"))
    assert (overruled.task.name, overruled.words["task"]) == ("other", str(tmp_path / "task.toml"))


def test_a_built_in_task_that_a_space_names_is_no_file_beside_it(project: Path, docstring_pairs_task: Task) -> None:
    (project / "docstring-pairs").write_text("no task")
    (project / "own.toml").write_text(f'task = "docstring-pairs"\n{(project / "question.toml").read_text()}')
    asked = read_asked(asked_by("plan", "own.toml"))
    assert asked.task == docstring_pairs_task
    assert asked.words["task"] == "docstring-pairs"
    assert asked.words["columns"] == Columns(header=False, text=0, pair=1, label=2).model_dump()
    assert asked.study.folder == Path("studies/own-docstring-pairs-tiny")


def test_an_unknown_task_of_a_space_is_told(project: Path, capsys) -> None:
    (project / "own.toml").write_text(f'task = "docstring-pair"\n{(project / "question.toml").read_text()}')
    assert main(["plan", "own.toml"]) == 2
    assert "unknown task 'docstring-pair' (did you mean 'docstring-pairs'?)" in capsys.readouterr().err


@pytest.mark.slow  # 4 s
def test_a_study_keeps_its_own_task(project: Path, encoder_folder: Path, capsys) -> None:
    """Whatever the space names later: its trials are read again as they were, and no other rows are put beside them."""
    text = (project / "question.toml").read_text()
    (project / "question.toml").write_text(f'task = "task.toml"\n{text}')
    words = ["question.toml", "--model", str(encoder_folder), "--study", "study"]
    assert main(["sweep", *words, "--runner", "serial"]) == 0
    (project / "question.toml").write_text(f'task = "docstring-pairs"\n{text}')
    assert main(["rerun", "study", "--trial", "best"]) == 0
    capsys.readouterr()
    assert main(["sweep", *words, "--runner", "serial"]) == 2
    assert "study holds another study: " in capsys.readouterr().err
    assert main(["sweep", *words, "--task", "task.toml", "--runner", "serial"]) == 0
