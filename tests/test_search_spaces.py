from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.space import parse_space
from gridsearch.tasks.taskfile import parse_task_file
from search_spaces import find_space, find_task, names_of_spaces, names_of_tasks


def test_built_in_tasks_are_found_and_valid() -> None:
    assert names_of_tasks() == ["docstrings", "afqmc", "rte", "sst2", "thucnews10"]
    for name in names_of_tasks()[1:]:
        assert parse_task_file(find_task(name).read_text(encoding="utf-8"), name).name == name
    assert str(find_task("docstrings")) == "docstrings"


def test_built_in_spaces_are_found_and_valid() -> None:
    for name in names_of_spaces():
        assert parse_space(find_space(name).read_text(encoding="utf-8"), name).factors


def test_a_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.touch()
    monkeypatch.chdir(tmp_path)
    assert find_task(str(path)) == find_space(str(path)) == path
    assert find_task("mine.toml") == Path("mine.toml")


def test_unknown_names() -> None:
    with pytest.raises(
        RequestError, match=r"unknown task 'sst3' \(did you mean 'sst2'\?\); known: docstrings, afqmc, "
    ):
        find_task("sst3")
    with pytest.raises(RequestError, match=r"unknown space 'finetune46' .*or the path of a TOML file"):
        find_space("finetune46")


@pytest.mark.parametrize("name", ["none.toml", "folder/none"])
def test_paths_without_a_file(name: str) -> None:
    with pytest.raises(RequestError, match=f"there is no task file '{name}'; built-in names: docstrings, afqmc"):
        find_task(name)
