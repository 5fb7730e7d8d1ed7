"""Workbooks as openpyxl writes them."""

import builtins
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task, write_toml
from gridsearch.tasks.tables.read import read_other, read_table
from gridsearch.tasks.tables.table import Columns
from gridsearch.tasks.task import Task

NAMED = Columns(text="text", label="label")


def saved(path: Path, fill: Callable[[Any], None]) -> Path:
    book = openpyxl.Workbook()
    fill(book)
    book.save(path)
    return path


def test_cells_are_what_excel_shows_of_them(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet.append([None, "text", "label", "number", "day", "moment", "truth", None])
        sheet.append([None, "007", 7, 0.5, date(2024, 1, 5), datetime(2024, 1, 5, 10, 30), True, None])
        sheet.append([None] * 8)
        sheet.append([None, "#N/A", 12345678, 1e20, datetime(2024, 2, 6), datetime(2024, 2, 6), False, None])
        sheet["D9"] = None

    table = read_table(saved(tmp_path / "a.xlsx", fill), NAMED)
    assert table.names == ("text", "label", "number", "day", "moment", "truth")
    assert table.rows == (2, 3, 4)
    assert list(zip(*table.values, strict=True)) == [
        ("007", "7", "0.5", "2024-01-05", "2024-01-05 10:30:00", "true"),
        ("",) * 6,
        ("", "12345678", "1e+20", "2024-02-06", "2024-02-06 00:00:00", "false"),
    ]


@pytest.mark.parametrize("header", [True, False])
def test_a_workbook_is_guessed_and_read(tmp_path: Path, header: bool) -> None:
    def fill(book: Any) -> None:
        for row in [["review", "stars"]] * header + [[f"some words {number}", number % 2] for number in range(40)]:
            book.active.append(row)
        book.create_sheet("empty")
        book.create_sheet("hidden").append(["lists of choices"])
        book["hidden"].sheet_state = "hidden"

    guessed, sentences = guess_task([saved(tmp_path / "a.xlsx", fill)])
    task = write_toml(guessed, tmp_path / "a.toml", sentences)
    assert isinstance(task, Task)
    assert (guessed.columns.header, len(task.train) + len(task.dev), task.label_names) == (header, 40, ("0", "1"))


def test_a_title_and_a_sheet_of_notes_are_no_table(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.active.append(["Exported by Ann", "in March"])
        sheet = book.create_sheet("reviews")
        sheet["B2"] = "Reviews of March"
        sheet.merge_cells("B2:D2")
        for row in [
            ["id", "text", "label"],
            *([number, f"some words {number}", "ab"[number % 2]] for number in range(9)),
        ]:
            sheet.append([None, *row])

    path = saved(tmp_path / "a.xlsx", fill)
    guessed, sentences = guess_task([path])
    task = write_toml(guessed, tmp_path / "a.toml", sentences)
    assert (guessed.columns.text, guessed.columns.label, len(task.train) + len(task.dev)) == ("text", "label", 9)
    assert "a.xlsx: the sheet 'reviews' is read, and not 'Sheet'" in task.notes
    assert "a.xlsx: what stands above the table is left out: 'Reviews of March'" in task.notes
    assert read_other(path, NAMED).rows == tuple(range(4, 13))


def test_which_sheet_is_meant_is_not_guessed(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        for sheet in (book.active, book.create_sheet("dev")):
            sheet.append(["text", "label"])
            sheet.append(["some words", "a"])

    with pytest.raises(RequestError, match=r"one sheet holds a table; of .* 2 of its sheets do: Sheet, dev; save"):
        guess_task([saved(tmp_path / "a.xlsx", fill)])
    with pytest.raises(RequestError, match=r"of .*b.xlsx none of its sheets does; save"):
        guess_task([saved(tmp_path / "b.xlsx", lambda book: None)])


def test_a_damaged_workbook(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("text,label\na,b\n")
    with pytest.raises(RequestError, match=r"a.xlsx is no Excel workbook, or a damaged one \(.*\): save its table"):
        guess_task([tmp_path / "a.xlsx"])


def test_without_the_package_the_way_to_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.xlsx", lambda book: book.active.append(["text", "label"]))
    imported = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "python_calamine":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RequestError, match=r"is an Excel workbook, which .*: pip install 'gridsearch\[excel\]'"):
        read_table(path, NAMED)
