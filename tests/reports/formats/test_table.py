import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.space.factor import RESERVED_COLUMNS
from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.formats import markdown
from reports.formats.table import Cell, Table, comparison_table, csv_text, terminal_table
from reports.importing.seed_columns import NAMES
from reports.importing.tables import read_table
from reports.study.read import read_study
from tests.reports.conftest import LABELS, SMALL_SPACE, Writer, outcome, small_plan


def lines(study: Study) -> list[str]:
    with study.open() as ledger:
        return comparison_table(read_study(ledger)).format().split("\n")


def test_every_kind_of_row(study: Study) -> None:
    writer = Writer(study, small_plan(has_test=False))
    writer.finish(1, outcome(0.8))
    writer.finish(2, outcome(0.5, not_learned="every dev row gets the same label"))
    writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("code_error", "x"), final=True), 3)
    assert lines(study) == [
        "| index   | bertadam   | frozen_layers   | result     |",
        "|---------|------------|-----------------|------------|",
        "| 1       | 0          | 0               | **0.8000** |",
        "| 2       | 0          | 6               | 0.5000 †   |",
        "| 3       | 1          | 0               | failed     |",
        "| 4       | 1          | 6               | pending    |",
    ]


def test_dev_beside_test_and_the_best_of_each_column(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.8, 0.7))
    writer.finish(2, outcome(0.7, 0.70001))
    assert lines(study)[:4] == [
        "| index   | bertadam   | frozen_layers   | dev        | result     |",
        "|---------|------------|-----------------|------------|------------|",
        "| 1       | 0          | 0               | **0.8000** | **0.7000** |",
        "| 2       | 0          | 6               | 0.7000     | **0.7000** |",
    ]


def test_replicates_give_sd_and_n(study: Study) -> None:
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\nseeds = [0, 1]\n", has_test=False))
    writer.finish(1, outcome(0.62))
    writer.finish(1, outcome(0.78), 1)
    writer.finish(2, outcome(0.62))
    assert lines(study)[:5] == [
        "| index   | bertadam   | frozen_layers   | result     | sd     | n   |",
        "|---------|------------|-----------------|------------|--------|-----|",
        "| 1       | 0          | 0               | **0.7000** | 0.1131 | 2   |",
        "| 2       | 0          | 6               | 0.6200     |        | 1   |",
        "| 3       | 1          | 0               | pending    |        | 0   |",
    ]


def test_a_column_of_train_where_any_trial_has_it(study: Study) -> None:
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\nseeds = [0, 1]\n"))
    writer.finish(1, outcome(0.62, 0.6, train=0.9))
    writer.finish(1, outcome(0.78, 0.7, train=1.0), 1)
    writer.finish(2, outcome(0.62, 0.6))
    writer.finish(3, outcome(0.5, 0.5, train=0.5))
    head, _, first, second, third, fourth = lines(study)
    assert [column.strip() for column in head.split("|")[3:6]] == ["frozen_layers", "train accuracy", "dev"]
    assert [row.split("|")[4].strip() for row in (first, second, third, fourth)] == ["0.9500", "", "0.5000", ""]
    with study.open() as ledger:
        rows = list(csv.DictReader(io.StringIO(csv_text(read_study(ledger)))))
    assert [row["train accuracy"] for row in rows] == ["0.95", "", "0.5", ""]


def test_labels_stay_as_they_are(study: Study) -> None:
    space = '[factors]\nlearning_rate = [1e-5, 0.001]\n[factors.weight_decay]\nlabel = "a|b"\nlevels = [0.0, 0.10]\n'
    Writer(study, small_plan(space, has_test=False))
    assert lines(study)[0] == "| index   | learning_rate   | a\\|b   | result   |"
    assert lines(study)[2] == "| 1       | 1e-05           | 0.0    | pending  |"


def test_terminal(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.8, 0.7, not_learned="constant"))
    with study.open() as ledger:
        assert terminal_table(ledger).split("\n") == [
            "result: accuracy on test at the chosen epoch",
            "index  bertadam  frozen_layers  dev      result",
            "-------------------------------------------------",
            "1      0         0              0.8000*  0.7000*†",
            "2      0         6                       pending",
            "3      1         0                       pending",
            "4      1         6                       pending",
            "* best of its column",
            "† did not learn: see the page",
        ]


HEADER_64 = (
    "index bertadam weight_decay reinit_pooler reinit_layers frozen_layers warmup_proportion dev result".split()  # noqa: SIM905
)


@pytest.mark.parametrize(("header", "fits"), [(HEADER_64, True), ([f"column{n}" for n in range(20)], False)])
def test_the_64_rows_fit_80_columns(header: list[str], *, fits: bool) -> None:
    row = (*(Cell("0") for _ in header[:-2]), Cell("0.9405", best=True), Cell("0.9405", best=True, marked=True))
    text = Table(tuple(header), (row,)).plain_text(80)
    assert (max(map(len, text.split("\n"))) <= 80) is fits
    assert text.count("0.9405") == 2


def test_chinese_labels_are_aligned_in_a_terminal() -> None:
    text = Table(("增强", "result"), ((Cell("无"), Cell("1")), (Cell("回译"), Cell("2")))).plain_text()
    assert text.split("\n") == ["增强  result", "------------", "无    1", "回译  2"]


def test_csv_holds_unrounded_numbers(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(1 / 3, 2 / 3))
    with study.open() as ledger:
        first, last = (row := list(csv.DictReader(io.StringIO(csv_text(read_study(ledger))))))[0], row[-1]
    trial = writer.plan.cells[0].trials[0].id
    assert first == {
        "index": "1",
        "bertadam": "0",
        "frozen_layers": "0",
        "dev": repr(1 / 3),
        "result": repr(2 / 3),
        "state": "finished",
        "not_learned": "",
        "chosen_epoch": "2",
        "train_seconds_per_epoch": "1.5",
        "trials": trial,
    }
    assert (last["result"], last["state"]) == ("", "pending")


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=4))
def test_any_label_survives_the_table(rows: list[tuple[str, str]]) -> None:
    cells = tuple((Cell(first), Cell(second), Cell("0.5", best=True)) for first, second in rows)
    text = Table(("a", "b", "result"), cells).format()
    # Not a fixture of pytest: hypothesis asks many times within one test.
    path = _temporary(text)
    table = read_table(path, "result")
    assert [(row.levels["a"], row.levels["b"]) for row in table.rows] == rows


@given(LABELS.filter(bool), LABELS)
def test_any_column_name_and_label_survive_bold_and_escapes(column: str, label: str) -> None:
    if column in ("x", *RESERVED_COLUMNS) or column.casefold() in NAMES:  # what tells runs apart is no level
        return
    text = Table((column, "x", "result"), ((Cell(label, best=True), Cell("1"), Cell("0.5")),)).format()
    table = read_table(_temporary(text), "result")
    assert table.columns == (column, "x", "result")
    if label and table.index_column == "":
        assert table.rows[0].levels[column] == label


_FOLDER: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def _one_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    _FOLDER.append(tmp_path_factory.mktemp("tables"))


def _temporary(text: str) -> Path:
    path = _FOLDER[-1] / "table.md"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_markdown_is_aligned() -> None:
    assert markdown.table(["a", "b"], [["1", "0.10"]]).split("\n")[2] == "| 1   | 0.10 |"
