"""Whether a first row names the columns: what speaks for it, what against it, and when it is asked."""

from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.header import looks_like_header
from gridsearch.tasks.tables.read import read_unknown
from runners.cli import EXIT_DONE, EXIT_WRONG_REQUEST, main

ROWS = [[f"text number {number} about words", "pos" if number % 2 else "neg"] for number in range(40)]
NUMBERED = [[text, str(number % 2)] for number, (text, _) in enumerate(ROWS)]


@pytest.mark.parametrize(
    ("first", "rows", "expected"),
    [
        (["text", "label"], ROWS, True),
        (["a name", "another"], ROWS, True),
        (["v1", "v2"], [[label, text] for text, label in ROWS], True),
        (["v1", "v2", "", "", ""], [[label, text, "", "", ""] for text, label in ROWS], True),
        (["text", ""], ROWS, True),
        (["", "label"], [["7", "x"]] * 4, True),
        (["x", "x"], ROWS, True),
        (["0", "1"], ROWS, True),
        (["0", "1"], NUMBERED, True),
        (["", "0", "1"], [[str(n), *row] for n, row in enumerate(NUMBERED)], True),
        (["text", "label"], [["text", "pos"], *ROWS], True),
        (["What is your opinion of what is written here?", "label"], ROWS, True),
        (["text number 7 about words", "neg"], ROWS, False),
        (["text number 7 about words", "0"], NUMBERED, False),
        (["some other good review of all", "neg"], ROWS, False),
        (["7", "some other text that is here"], [[str(n), text] for n, (text, _) in enumerate(ROWS)], False),
        (["text", "neg"], ROWS, True),
        (["something", "neg"], ROWS, None),
        (["text number 7 about words", "rare"], ROWS, None),
        (["What do you think of all of it?", "And what is the label of it?"], ROWS, None),
        (["b", "x"], [["a", "x"]] * 4, None),
    ],
)
def test_headers(first: list[str], rows: list[list[str]], expected: bool | None) -> None:
    assert looks_like_header(first, rows) is expected


def write(folder: Path, first: str) -> Path:
    (folder / "data.csv").write_text("\n".join([first, *map(",".join, ROWS), ""]))
    return folder / "data.csv"


def test_what_cannot_be_decided_is_asked_for_with_both_readings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "something,neg")
    with pytest.raises(RequestError, match=r"may name the columns, \('something', 'neg'\) above rows such as \('text"):
        read_unknown(path)
    words = ["init", str(path), "-o", str(tmp_path / "task.toml")]
    assert main(words) == EXIT_WRONG_REQUEST
    assert "or be a row itself; say which: --header yes or --header no" in capsys.readouterr().err
    assert not (tmp_path / "task.toml").exists()
    for said, n_rows in (("yes", 40), ("no", 41)):
        assert main([*words, "--header", said, "--force"]) == EXIT_DONE
        assert f"data.csv: {n_rows} rows, " in capsys.readouterr().out
        assert f"header = {str(said == 'yes').lower()}\n" in (tmp_path / "task.toml").read_text()
