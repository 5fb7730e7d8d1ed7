"""A study that was finished half under other versions says so wherever somebody reads it."""

import sqlite3
from pathlib import Path

import pytest

from gridsearch.study.damage.seals import seal
from gridsearch.study.study import Study
from gridsearch.study.versions import caution_of, contents_of_results, versions_in
from runners.cli import main

OLD = {"gridsearch": "0.1.0", "python": "3.11.2", "versions": {"torch": "2.12.0", "numpy": "2.3", "ray": "2.50"}}
NEW = {"gridsearch": "0.1.0", "python": "3.12.1", "versions": {"torch": "2.13.0", "numpy": "2.3", "ray": "2.60"}}


def test_what_only_drives_is_not_counted() -> None:
    assert caution_of(versions_in([OLD])) == ""
    assert caution_of(versions_in([OLD, {**OLD, "versions": {**OLD["versions"], "ray": "2.60"}}])) == ""
    told = "results were computed under several versions (Python 3.11.2, 3.12.1; torch 2.12.0, 2.13.0)"
    assert caution_of(versions_in([OLD, NEW, OLD])).startswith(told)
    assert caution_of(versions_in([OLD, {}])) == "", "an old ledger may know nothing"


@pytest.mark.slow  # 3 s
def test_every_reader_is_told(project: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    words += ["--runner", "serial", "--set", "epochs=1"]
    assert main(words) == 0
    with Study(Path("study")).open() as ledger:
        (content,) = contents_of_results(ledger.connection)
    now = content["versions"]["torch"]
    assert "several versions" not in capsys.readouterr().out
    with sqlite3.connect("study/ledger.sqlite") as write:
        write.execute('UPDATE provenance SET content = replace(content, ?, \'"torch":"1.0.0"\')', (f'"torch":"{now}"',))
        for (attempt,) in write.execute("SELECT id FROM attempts").fetchall():
            seal(write, "attempts", attempt)
    assert main([*words, "--seeds", "0,1"]) == 0
    caution = f"caution: results were computed under several versions (torch 1.0.0, {now})"
    assert caution in capsys.readouterr().out, "before the rest is run"
    for command in ("verify", "status"):
        assert main([command, "study"]) == 0
        assert caution in capsys.readouterr().out
    page = " ".join(Path("study/page.md").read_text(encoding="utf-8").split())
    assert f"computed under several versions (torch `1.0.0`, `{now}`): cells may differ" in page
