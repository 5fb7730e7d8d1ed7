import csv
import json
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.study import Study
from reports.importing import import_table, read_table
from reports.page import best_line, terminal_table, write_reports
from tests.reports.conftest import Writer, small_plan

TABLE = """# A title

| other | x |
| --- | --- |
| 1 | 2 |

Index | lr   | trick|  score
:-- | :-: | --- | --: 
1 | 1e-5 | a\\|b | 0.50 |
2 | 1e-4 |  | **0.939** |
3 | 1e-4 | * | 7

after
"""  # noqa: W291


def write(folder: Path, text: str, name: str = "results.md") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_seed_and_its_reference_are_the_same_64_rows(seeds: Path, reference: Path) -> None:
    from_markdown = read_table(seeds / "003_finetune64.md", None)
    from_csv = read_table(reference / "seed64.csv", "result")
    assert len(from_markdown.rows) == 64
    assert from_markdown.rows == from_csv.rows
    assert from_markdown.columns == from_csv.columns
    with (reference / "seed64.csv").open(encoding="utf-8") as file:
        plain = list(csv.DictReader(file))
    assert [{"index": row.index, **row.levels, "result": row.text} for row in from_markdown.rows] == plain


def test_the_seed_is_rebuilt_cell_for_cell(seeds: Path, study: Study) -> None:
    assert import_table(seeds / "003_finetune64.md", None, study) == 64
    page, table, numbers = write_reports(study, None, ["md", "csv", "json"])
    assert read_table(page, "result").rows == read_table(seeds / "003_finetune64.md", None).rows
    assert read_table(table, "result").rows == read_table(seeds / "003_finetune64.md", None).rows
    bold = [line for line in page.read_text().split("\n") if "**0" in line]
    assert len(bold) == 1
    assert bold[0].split() == "| 50 | 1 | 1 | 0 | 0 | 0 | 0.1 | **0.9405** |".split()  # noqa: SIM905
    assert " 0.939 " in page.read_text()
    assert json.loads(numbers.read_text())["observations"][49] == {
        "index": "50",
        "levels": {
            "bertadam": "1",
            "weight_decay": "1",
            "reinit_pooler": "0",
            "reinit_layers": "0",
            "frozen_layers": "0",
            "warmup_proportion": "0.1",
        },
        "value": 0.9405,
        "text": "0.9405",
    }


def test_a_factor_that_could_not_act_tells_the_noise(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study, ["reinit_pooler"])
    effects = json.loads(write_reports(study, None, ["json"])[0].read_text())["effects"]
    assert effects["plan"]["inert"] == ["reinit_pooler"]
    assert (effects["plan"]["error"]["df"], round(effects["sd"], 4)) == (32, 0.0010)


def test_a_column_that_is_not_there_cannot_be_inert(seeds: Path, study: Study) -> None:
    with pytest.raises(RequestError, match="did you mean 'reinit_pooler'"):
        import_table(seeds / "003_finetune64.md", None, study, ["reinit_poler"])
    assert not study.ledger_path.exists()


def test_the_seed_fits_a_terminal(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study)
    with study.open() as ledger:
        text = terminal_table(ledger)
        assert best_line(ledger) == ""
    assert max(map(len, text.split("\n"))) <= 80
    assert "0.9405*" in text


def test_the_first_table_with_the_column_is_read(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, TABLE), "score")
    assert (table.title, table.source, table.index_column) == ("A title", "results.md", "Index")
    assert table.columns == ("Index", "lr", "trick", "score")
    assert [(row.index, dict(row.levels), row.text, row.value) for row in table.rows] == [
        ("1", {"lr": "1e-5", "trick": "a|b"}, "0.50", 0.5),
        ("2", {"lr": "1e-4", "trick": ""}, "0.939", 0.939),
        ("3", {"lr": "1e-4", "trick": "*"}, "7", 7.0),
    ]
    assert read_table(write(tmp_path, TABLE), None).response == "x"


def test_without_an_index_rows_are_counted(tmp_path: Path, study: Study) -> None:
    path = write(tmp_path, "lr,loss\n1e-5,0.5\n1e-4,0.25\n", "t.csv")
    import_table(path, None, study)
    page = write_reports(study, None, ["md"])[0].read_text()
    assert "| 2       | 1e-4 | **0.25** |" in page
    assert "lower is taken to be better" in page


def test_tab_separated_and_windows_files(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes("\ufefflr\tresult\r\n1e-5\t0.5\r\n".encode())
    assert [(dict(row.levels), row.text) for row in read_table(path, "result").rows] == [({"lr": "1e-5"}, "0.5")]


@pytest.mark.parametrize(
    ("text", "name", "response", "sentence"),
    [
        ("no table here", "a.md", None, "there is no table in .*a.md"),
        ("", "a.csv", None, "there is no table in .*a.csv: it is empty"),
        (
            TABLE,
            "a.md",
            "scor",
            "unknown column 'scor' .did you mean 'score'..; known: other, x, Index, lr, trick, score",
        ),
        ("lr,f1\n1,2\n", "a.csv", "acc", "unknown column 'acc'; known: lr, f1"),
        ("lr,f1\n1,0.5\n2,0.8?\n", "a.csv", None, "row 2: f1 must be a number, but is '0.8[?]'"),
        ("lr,f1\n1,nan\n", "a.csv", None, "row 1: f1 must be a number, but is 'nan'"),
        ("lr,f1\n1,1e999\n", "a.csv", None, "row 1: f1 must be a number, but is '1e999'"),
        ("lr,f1\n1,1_0\n", "a.csv", None, "must be a number"),
        ("lr,f1\n1\n", "a.csv", None, "row 1 must have 2 cells as the header, but has 1"),
        ("|lr|f1|\n|-|-|\n|1|2|3|\n", "a.md", None, "row 1 must have 2 cells as the header, but has 3"),
        ("lr,lr,f1\n1,2,3\n", "a.csv", None, "columns need names that differ, but are 'lr', 'lr', 'f1'"),
        ("lr,f1\n", "a.csv", None, "has no rows"),
        ("index,f1\n1,2\n", "a.csv", None, "needs a column to compare"),
        ('lr,f1\n"1,2\n', "a.csv", None, "is not a CSV file"),
    ],
)
def test_refusals(tmp_path: Path, study: Study, text: str, name: str, response: str | None, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        import_table(write(tmp_path, text, name), response, study)
    assert not study.folder.exists()


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        read_table(tmp_path / "none.md", None)
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequestError, match="must be text in UTF-8"):
        read_table(tmp_path / "bytes.md", None)


def test_an_existing_study_is_refused(tmp_path: Path, study: Study) -> None:
    Writer(study, small_plan())
    with pytest.raises(RequestError, match="holds one already"):
        import_table(write(tmp_path, TABLE), "score", study)
    with study.open() as ledger:
        assert ledger.facts()["kind"] == "trials"


def test_our_own_pages_can_be_read_back(study: Study) -> None:
    from tests.reports.conftest import outcome

    writer = Writer(study, small_plan(has_test=False))
    for cell in (1, 2, 3, 4):
        writer.finish(cell, outcome(0.8 + cell / 100, collapsed="constant" if cell == 2 else ""))
    table = read_table(write_reports(study, None, ["md"])[0], None)
    assert [row.text for row in table.rows] == ["0.8100", "0.8200", "0.8300", "0.8400"]
    assert table.factors == ("bertadam", "frozen_layers")
