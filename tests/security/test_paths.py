"""What a stranger's study or archive names stays in its folder."""

import contextlib
import json
import shutil
import sqlite3
import zipfile
from pathlib import Path

import pytest

from gridsearch.encoders.pretraining.made import folder_of
from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from gridsearch.training.kept_weights import open_kept
from gridsearch.training.run_state import state_file
from tests.fuzz.watched import wrong_of

OUTSIDE = ("../x", "/etc", "..", "a/b", "", ".", "a\0b", "x" * 300, "a\nb", "..\\x")


@pytest.mark.parametrize("name", OUTSIDE)
def test_ids_are_no_paths(name: str) -> None:
    for place in (Study(Path("study")).weights_of, folder_of, state_file):
        with pytest.raises(RequestError, match="is no name of an encoder or a trial"):
            place(name)


def test_a_trial_whose_id_leads_elsewhere_removes_nothing(begun: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(begun / "studies/swept", "study")
    Path("precious").mkdir()
    Path("precious/file").write_text("x")
    with contextlib.closing(sqlite3.connect("study/ledger.sqlite")) as connection, connection as write:
        write.execute("PRAGMA foreign_keys = OFF")
        (known,) = write.execute("SELECT min(id) FROM trials").fetchone()
        for table, column in (("trials", "id"), ("cell_trials", "trial"), ("attempts", "trial")):
            write.execute(f"UPDATE {table} SET {column} = '../../precious' WHERE {column} = ?", (known,))
    for words in (["predict", "study", f"{begun}/dev.tsv"], ["predict", "study", f"{begun}/dev.tsv", "--trial", "../"]):
        assert not wrong_of(words)
    assert Path("precious/file").read_text() == "x"


def test_a_card_of_kept_weights_names_no_folder_elsewhere(begun: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(begun / "studies/swept", "study")
    (card,) = Path("study").glob("weights/*/gridsearch.json")
    (card.parent / "checksums.json").unlink()  # whoever means harm has written them, too
    shutil.copytree(card.parent, "elsewhere")
    said = json.loads(card.read_text(encoding="utf-8"))
    part = {"name": "task", "kind": said["kind"], "label_names": said["label_names"]}
    for folder in ("../../../elsewhere", str(Path("elsewhere").resolve()), ".."):
        card.write_text(json.dumps(said | {"parts": [part | {"folder": folder}]}), encoding="utf-8")
        assert not wrong_of(["predict", "study", f"{begun}/dev.tsv"])
        with pytest.raises(RequestError, match=r"holds no kept trial: gridsearch\.json"):
            open_kept(card.parent)


def test_members_of_archives_are_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    rows = "".join(f"words of row {number},{'good' if number % 2 else 'bad'}\n" for number in range(30))
    for name in ("../out.csv", "/out.csv", "a/../../out.csv", "..\\out.csv"):
        with zipfile.ZipFile("x.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo(name), f"text,label\n{rows}")
        assert not wrong_of(["init", "x.zip", "-o", "task.toml", "--force"])
    assert {path.name for path in tmp_path.rglob("*")} <= {"here", "x.zip", "task.toml"}
    assert not Path("/out.csv").exists()


def test_a_task_may_name_any_file_and_reads_it_as_a_table(begun: Path, tmp_path: Path, monkeypatch) -> None:
    """The task file is the user's own: docs/security.md says so."""
    monkeypatch.chdir(tmp_path)
    task = (begun / "task.toml").read_text().replace("train.tsv", "../../../../../../etc/passwd")
    Path("task.toml").write_text(task)
    assert not wrong_of(["plan", f"{begun}/space.toml", "--task", "task.toml", "--model", f"{begun}/encoder"])
