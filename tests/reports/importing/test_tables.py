import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.importing.imported import store
from reports.importing.markdown_tables import markdown_tables, title_of
from reports.importing.tables import read_table
from reports.page import terminal_table, write_reports
from reports.sections.results import best_sentence
from reports.study.read import read_study
from reports.study.view import RowWithout
from tests.reports.conftest import LABELS, Writer, outcome, small_plan
from tests.reports.pages import import_table

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


@pytest.mark.slow  # 1.2 s
def test_the_seed_is_rebuilt_cell_for_cell(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study)
    page, table, numbers, _ = write_reports(study, None, ["md", "csv", "json"])
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
        "seeds": {},
        "scores": {},
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
        assert best_sentence(read_study(ledger)) == ""
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
        ("lr,f1\n1,0.5\n2,0.8 0.9\n", "a.csv", None, "row 2: f1 must be a number, .* but is '0.8 0.9'"),
        ("lr,f1\n1,nan\n", "a.csv", None, "no row of the table has a number in column 'f1'"),
        ("lr,f1\n1,1e999\n", "a.csv", None, "row 1: f1 must be a number, .* but is '1e999'"),
        ("lr,f1\n1,1_0\n", "a.csv", None, "must be a number"),
        ("lr,f1\n1\n", "a.csv", None, "row 1 must have 2 cells as the header, but has 1"),
        ("|lr|f1|\n|-|-|\n|1|2|3|\n", "a.md", None, "row 1 must have 2 cells as the header, but has 3"),
        ("lr,lr,f1\n1,2,3\n", "a.csv", None, "columns need names that differ, but are 'lr', 'lr', 'f1'"),
        ("lr,f1\n", "a.csv", None, "no row of the table has a number in column 'f1'"),
        ("| - | |\n|---|---|\n| 1 | 2 |\n", "a.md", None, "columns need names that differ, but are '-', ''"),
        ("index,f1\n1,2\n", "a.csv", None, "needs a column to compare"),
        ('lr,f1\n"1,2\n', "a.csv", None, "is not a CSV file"),
    ],
)
def test_refusals(tmp_path: Path, study: Study, text: str, name: str, response: str | None, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        import_table(write(tmp_path, text, name), response, study)
    assert not study.folder.exists()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["t.csv", "t.md", "t.tab"])
def test_every_kind_of_line_end(tmp_path: Path, name: str, end: str) -> None:
    rows = {"t.csv": 'lr,result\n"1\n2",0.5\n\n3,0.6\n', "t.md": "|lr|result|\n|-|-|\n|1|0.5|\n|3|0.6|\n"}
    text = rows.get(name, "lr\tresult\n1\t0.5\n3\t0.6\n").replace("\n", end)
    (tmp_path / name).write_bytes(text.encode())
    found = read_table(tmp_path / name, None)
    assert [(row.levels["lr"], row.text) for row in found.rows] == [
        ("1\n2" if ".csv" in name else "1", "0.5"),
        ("3", "0.6"),
    ]


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        read_table(tmp_path / "none.md", None)
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequestError, match=r"is not utf-8: byte 0 \(row 1\) cannot be decoded; save it as UTF-8"):
        read_table(tmp_path / "bytes.md", None)


def test_an_existing_study_is_refused(tmp_path: Path, study: Study) -> None:
    Writer(study, small_plan())
    with pytest.raises(RequestError, match="holds one already"):
        import_table(write(tmp_path, TABLE), "score", study)
    with study.open() as ledger:
        assert ledger.trials_manifest().design.kind == "full"


def test_our_own_pages_can_be_read_back(study: Study) -> None:
    writer = Writer(study, small_plan(has_test=False))
    for cell in (1, 2, 3, 4):
        writer.finish(cell, outcome(0.8 + cell / 100, not_learned="constant" if cell == 2 else ""))
    table = read_table(write_reports(study, None, ["md"])[0], None)
    assert [row.text for row in table.rows] == ["0.8100", "0.8200", "0.8300", "0.8400"]
    assert table.factors == ("bertadam", "frozen_layers")


def test_what_was_measured_too_stands_between_factors_and_result(seeds: Path, study: Study) -> None:
    table = read_table(seeds / "001_oppo_pair_match.md", "online score", ["train set", "valid set"])
    assert (table.title, table.factors) == ("oppo pair match", ("实验",))
    # The second table of the notes has dashes for a header, and continues the first.
    assert [row.index for row in table.rows] == [str(number) for number in range(1, 13)]
    store(table, study)
    page, rows, numbers, html, _ = (
        path.read_text() for path in write_reports(study, None, ["md", "csv", "json", "html"])
    )
    assert "| index   | 实验 " in page
    assert rows.splitlines()[0] == "index,实验,train set,valid set,online score"
    assert rows.splitlines()[1] == "1,Train_epoch=1 finetune_epoch=1,,0.8?,0.78?"
    prose = " ".join(page.split())
    assert "Marked as uncertain by their author, and taken as they are: 1 of 12 results (row 1)." in prose
    assert "With a remark behind the number, which alone counts: 1 of 12 results (row 10)." in prose
    assert "Measured too, and no factors: `train set`, `valid set`. Nothing is chosen or tested by them." in prose
    first, *_, tenth, _, _ = json.loads(numbers)["observations"]
    assert first["scores"] == {"train set": {"value": None, "text": ""}, "valid set": {"value": 0.8, "text": "0.8?"}}
    assert (tenth["value"], tenth["text"]) == (0.884897, "0.884897;提升0.00001")
    assert '<td class="number" data-value="0.8">0.8?</td>' in html
    again = read_table(study.page_path, "online score", ["train set", "valid set"])
    assert (again.rows, again.columns) == (table.rows, ("index", *table.columns))


SOME = "lr,seed,f1\n1e-5,1,0.5\n1e-4,2,\n1e-3,3,out of memory\n1e-2,4,0.7\n"


def test_rows_without_a_result_are_named_and_keep_their_place(tmp_path: Path, study: Study) -> None:
    table = read_table(write(tmp_path, SOME, "t.csv"), None)
    assert [row.index for row in table.rows] == ["1", "4"]
    assert table.without == (RowWithout("2", "1e-4", ""), RowWithout("3", "1e-3", "out of memory"))
    store(table, study)
    page = " ".join(write_reports(study, None, ["md"])[0].read_text().split())
    assert "2 of 4 rows have a number in f1; without one: rows 2 (1e-4), 3 (1e-3, out of memory)." in page
    with study.open() as ledger:
        assert [row["text"] for row in ledger.manifest().without] == ["", "out of memory"]


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (["sed"], "--score: unknown column 'sed' .did you mean 'seed'..; known: lr, seed"),
        (["f1"], "--score: unknown column 'f1'"),
        (["seed", "seed"], "--score names column 'seed' twice"),
        (["lr", "seed"], "needs a column to compare"),
    ],
)
def test_scores_that_are_none(tmp_path: Path, scores: list[str], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_table(write(tmp_path, SOME, "t.csv"), "f1", scores)


def test_a_score_must_be_as_clear_as_a_result(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"row 1: dev must be a number, .* but is '0,5'"):
        read_table(write(tmp_path, "lr;x\n\n|lr|dev|f1|\n|-|-|-|\n|1|0,5|0.5|\n"), "f1", ["dev"])


def test_a_table_is_chosen_by_its_number(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE + "\n| lr | score |\n|---|---|\n| 9 | 8 |\n")
    assert read_table(path, "score", number=3).rows[0].value == 8
    with pytest.raises(RequestError, match=r"--table must be between 1 and 3, the tables of .*, but is 4"):
        read_table(path, "score", number=4)
    with pytest.raises(RequestError, match="unknown column 'score'; known: other, x"):
        read_table(path, "score", number=1)
    with pytest.raises(RequestError, match=r"t\.csv is a single one"):
        read_table(write(tmp_path, SOME, "t.csv"), "f1", number=1)


def test_only_a_header_of_dashes_continues_a_table() -> None:
    first, rest = "| a | b |\n|---|---|\n| 1 | 2 |\n", "|---|---|\n| 3 | 4 |\n"
    assert markdown_tables(f"{first}\n| - | |\n{rest}") == [[["a", "b"], ["1", "2"], ["3", "4"]]]
    assert len(markdown_tables(f"{first}\n| | |\n{rest}")) == 2
    assert len(markdown_tables(f"{first}\n| - | c |\n{rest}")) == 2
    assert len(markdown_tables(f"{first}\n| - | - | |\n|---|---|---|\n| 3 | 4 | 5 |\n")) == 2
    assert markdown_tables(f"| - | |\n{rest}") == [[["-", ""], ["3", "4"]]]


def test_rows_without_any_text_are_no_rows() -> None:
    assert markdown_tables("| a | b |\n|---|---|\n| 1 | 2 |\n|  |  |\n") == [[["a", "b"], ["1", "2"]]]


def test_the_title_is_the_first_heading_of_the_highest_level() -> None:
    assert title_of("### Notes\n\n# *Results*\n\n# More\n") == "Results"
    assert title_of("#\n\nno heading") == ""


def test_our_own_page_in_chinese_can_be_read_back(study: Study) -> None:
    writer = Writer(study, small_plan(has_test=False))
    writer.finish(1, outcome(0.8))
    with study.open() as ledger:
        trial = next(iter(ledger.dev_results()))
        ledger.set_scores("leaderboard", {trial: 0.75})
    page = write_reports(study, None, ["md"], "zh")[0]
    table = read_table(page, None, ["leaderboard"])
    assert (table.index_column, table.response, table.rows[0].scores) == ("编号", "结果", {"leaderboard": "0.75"})


NUMBERS = st.floats(0, 1).map(lambda number: f"{number:.4f}")
RESULTS = st.tuples(NUMBERS, st.sampled_from(["", "?", " ?", "；再试", " (sd 0.1)", " ± 0.02"])).map("".join)


@pytest.mark.slow  # many tables, drawn at random
@settings(max_examples=30)
@given(st.lists(st.tuples(LABELS, st.one_of(st.just(""), RESULTS), RESULTS), min_size=1, max_size=5))
def test_a_page_is_read_back_as_it_was_imported(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    with TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        study, source = Study(Path(folder, "study")), Path(folder, "table.csv")
        with source.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("label", "dev", "f1"), *rows])
        table = read_table(source, "f1", ["dev"])
        store(table, study)
        page, plain, _ = write_reports(study, None, ["md", "csv"])
        assert read_table(page, "f1", ["dev"]).rows == table.rows == read_table(plain, "f1", ["dev"]).rows
