import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.importing.imported import Published, store
from reports.importing.notes import Layout, compiled, named_pattern, named_patterns, read_notes
from reports.page import write_reports

COLUMNS = (
    "attack=(fgm|pgd)",
    r"epsilon=(?:fgm |epsilon=)([\d.]+)",
    "co_occurrence=co-ocurrence",
    "multi_sample=mutil-sample",
    "pooled=cls cat",
)


def notes(folder: Path, text: str, *columns: str, response: str = "result", rows: str = r"run \d+") -> Published:
    path = folder / "notes.md"
    path.write_text(text, encoding="utf-8")
    name, _, result = response.partition("=")
    layout = Layout(
        compiled("--rows", rows), named_patterns("--column", columns), name, compiled("", result) if result else None
    )
    return read_notes(path, layout)


def results(found: Published) -> dict[str, float]:
    return {row.index: row.value for row in found.rows}


def test_the_lines_of_the_seed(seeds: Path) -> None:
    layout = Layout(compiled("--rows", r"kfold-\d+"), named_patterns("--column", COLUMNS))
    found = read_notes(seeds / "002_nezha_kfold.md", layout)
    assert (found.title, found.factors) == (
        "experience result",
        ("attack", "epsilon", "co_occurrence", "multi_sample", "pooled"),
    )
    by_name = {row.index: row for row in found.rows}
    assert len(by_name) == 17
    assert [row.index for row in found.without] == ["kfold-16", "kfold-18"]
    assert by_name["kfold-0"].text == "0。96 我觉得可以直接pass"
    assert by_name["kfold-1"].value == 0.906249, "and not what stands on the line below it"
    assert list(by_name["kfold-4"].levels.values()) == ["pgd", "0.5", "no", "yes", "no"]
    assert list(by_name["kfold-11"].levels.values()) == ["fgm", "0.2", "yes", "yes", "yes"]
    assert (by_name["kfold-17"].value, by_name["kfold-17"].text) == (0.901, "0。901")


def test_its_page(seeds: Path, study: Study) -> None:
    layout = Layout(compiled("--rows", r"kfold-\d+"), named_patterns("--column", COLUMNS))
    store(read_notes(seeds / "002_nezha_kfold.md", layout), study)
    page, rows, _ = (path.read_text() for path in write_reports(study, None, ["md", "csv"]))
    prose = " ".join(page.split())
    assert "**17 observations of 5 factors, imported from notes**" in prose
    assert "17 of 19 rows have a number in result; without one: rows kfold-16, kfold-18." in prose
    assert "With a remark behind the number, which alone counts: 1 of 17 results (row kfold-0)." in prose
    assert rows.splitlines()[1] == "kfold-0,fgm,0.1,no,no,no,0。96 我觉得可以直接pass"


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("run 1 fgm 0.1 0.9", 0.9),
        ("run 1 fgm 0.1 seed = 7 0.9 fine", 0.9),
        ("run 1 fgm 0.1 得分0.9", 0.9),
        ("run 1 fgm 0.1 result=0.9", 0.9),
        ("run 1 fgm 0.1 result = 0.9", 0.9),
        ("run 1 fgm 0.1 checkpoint-30000 v7 **0.9**", 0.9),
        ("run 1 fgm 0.1", None),
        ("run 1 fgm 0.1 checkpoint-30000 v7", None),
        ("run 1 fgm 0.1 seed = 7", None),
        ("run 1 0.9 fgm 0.1", None),
        ("run 1", None),
    ],
)
def test_the_result_is_the_last_number_unless_that_is_a_setting(
    tmp_path: Path, line: str, result: float | None
) -> None:
    found = notes(tmp_path, f"run 0 fgm 0.3 0.5\n{line}\n", r"epsilon=fgm ([\d.]+)")
    assert results(found) == {"run 0": 0.5} | ({} if result is None else {"run 1": result})
    assert [row.index for row in found.without] == ([] if result is not None else ["run 1"])


def test_a_pattern_says_where_the_result_stands(tmp_path: Path) -> None:
    text = "run 1 f1 0.8 fgm, 3 epochs\nrun 2 f1 0.9? fgm, 3 epochs\nrun 3 fgm, 3 epochs\n"
    found = notes(tmp_path, text, "attack=fgm", response=r"f1=f1 (\S+)")
    assert [(row.index, row.text) for row in found.rows] == [("run 1", "0.8"), ("run 2", "0.9?")]
    assert (found.response, [row.index for row in found.without]) == ("f1", ["run 3"])


def test_levels(tmp_path: Path) -> None:
    text = "run 1 fgm 0.1 0.5\nrun 2 pgd eps=0.2 0.6\nrun 3 0.7\nno row\n"
    found = notes(tmp_path, text, r"epsilon=fgm ([\d.]+)|eps=([\d.]+)", "pgd=pgd", rows=r"run (\d+)")
    assert [(row.index, *row.levels.values()) for row in found.rows] == [
        ("1", "0.1", "no"),
        ("2", "0.2", "yes"),
        ("3", "-", "no"),
    ]


def test_scores_are_found_by_patterns_too(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("run 1 a dev 0.7 0.5\nrun 2 b 0.6\n")
    scores = dict([named_pattern("--score", r"dev=dev (\S+)")])
    layout = Layout(compiled("--rows", r"run \d"), named_patterns("--column", ["arm=[ab] "]), scores=scores)
    store(read_notes(path, layout), study)
    rows = json.loads(write_reports(study, None, ["json"])[0].read_text())["observations"]
    assert [row["scores"]["dev"]["value"] for row in rows] == [0.7, None]


@pytest.mark.parametrize(
    ("text", "columns", "response", "sentence"),
    [
        ("", ["a=x"], "result", r"--rows 'run \\\\d\+' occurs in no line"),
        ("run 1 x", ["a=x"], "result", "ends in a result; --response NAME=REGEX says where it stands"),
        ("run 1 x 0.5", [], "result", "notes need a column to compare: --column NAME=REGEX"),
        ("run 1 x 0.5", ["a=x", "a=y"], "result", "--column names column 'a' twice"),
        ("run 1 x 0.5", ["result=x"], "result", "columns need names that differ, but are 'row', 'result', 'result'"),
        ("run 1 x 0.5", ["row=x"], "result", "columns need names that differ"),
        ("run 1 x 0.5", ["a=("], "result", "--column a: '.' is no regular expression: missing .*, unterminated"),
        ("run 1 x 0.5", ["a"], "result", "--column takes NAME=REGEX here, but got 'a'"),
        ("run 1 x 0.5", ["=x"], "result", "--column takes NAME=REGEX here, but got '=x'"),
        ("run 1 x 90%", ["a=x"], "result", "notes.md: run 1: result must be a number, .* but is '90%'"),
        ("run 1 x 2021-03-01", ["a=x"], "result", "but is '2021-03-01'"),
    ],
)
def test_refusals(tmp_path: Path, text: str, columns: list[str], response: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        notes(tmp_path, text, *columns, response=response)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequestError, match=r"is not utf-8: byte 0 \(row 1\) cannot be decoded; save it as UTF-8"):
        read_notes(tmp_path / "notes.md", Layout(compiled("--rows", "run"), named_patterns("--column", ["a=x"])))


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.floats(0, 1)), min_size=1, max_size=9))
def test_what_is_written_is_read(rows: list[tuple[int, bool, float]]) -> None:
    """Not a fixture of pytest: hypothesis asks many times within one test."""
    lines = [f"run {i} layers-{n}{' fgm' if on else ''} seed = 3 {value!r}" for i, (n, on, value) in enumerate(rows)]
    path = _temporary("\n".join(["# Notes, 12 of them", *lines]))
    layout = Layout(compiled("--rows", r"run (\d+)"), named_patterns("--column", [r"layers=layers-(\d)", "attack=fgm"]))
    found = read_notes(path, layout)
    assert [(row.levels["layers"], row.levels["attack"], row.value) for row in found.rows] == [
        (str(n), "yes" if on else "no", value) for n, on, value in rows
    ]


_FOLDER: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    _FOLDER[:] = [tmp_path_factory.mktemp("notes")]


def _temporary(text: str) -> Path:
    path = _FOLDER[0] / "notes.md"
    path.write_text(text, encoding="utf-8")
    return path
