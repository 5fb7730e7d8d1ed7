import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.importing.imported import Published, store
from reports.importing.logs import read_log
from reports.page import write_reports

POINTS = [(0.5, 2.0), (1.0, 1.5), (1.5, 1.25)]


def log(folder: Path, text: str, name: str = "train.log", response: str | None = None) -> Published:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_log(path, "epoch", response)


def points(found: Published) -> list[tuple[float, float]]:
    return [(float(row.index), row.value) for row in found.rows]


def test_the_log_of_the_seed(seeds: Path) -> None:
    found = read_log(seeds / "000_mlm_finetune.md", "epoch", None, ["learning_rate"])
    assert (len(found.rows), points(found)[0], points(found)[-1]) == (95, (1.02, 3.3609), (178.94, 0.104))
    assert (found.columns, found.factors, found.index_column) == (("epoch", "learning_rate", "loss"), (), "epoch")
    assert found.rows[0].scores == {"learning_rate": "4.989775051124745e-05"}


def entry(place: float, value: float) -> dict[str, float]:
    return {"loss": value, "epoch": place}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("printed.log", "\n".join(str(entry(*point)) for point in POINTS)),
        ("texts.log", "\n".join(str({name: str(value) for name, value in entry(*point).items()}) for point in POINTS)),
        ("bar.log", "".join(f"\r 7%|# | 7/99 [00:01<00:12] {entry(*point)}\n" for point in POINTS)),
        ("lines.jsonl", "\n".join(json.dumps(entry(*point)) for point in POINTS)),
        ("array.json", json.dumps([entry(*point) for point in POINTS], indent=1)),
        ("trainer_state.json", json.dumps({"epoch": 2, "log_history": [entry(*point) for point in POINTS]}, indent=2)),
        ("log.csv", "epoch,loss,eval_loss\n0.5,2.0,\n1.0,1.5,\n1.0,,9\n1.5,1.25,\n"),
        ("log.tsv", "loss\tepoch\n2.0\t0.5\n1.5\t1.0\n1.25\t1.5\n"),
        (
            "noise.log",
            "Loading\n{'eval_loss': 9.0, 'epoch': 1}\n{}\n{'a'}\n{epoch}\n{'loss': \n"
            + "\n".join(str(entry(*point)) for point in POINTS)
            + "\n{'train_loss': 1.5, 'epoch': 2.0}\n{'loss': True, 'epoch': 2.0}\n{'loss': '-', 'epoch': 2.0}\n",
        ),
    ],
)
def test_forms(tmp_path: Path, name: str, text: str) -> None:
    assert points(log(tmp_path, text, name)) == POINTS


def test_nothing_is_evaluated(tmp_path: Path) -> None:
    deep = "{'loss': " + "[" * 100_000 + "}"
    wrong = f"{{'loss': __import__('pathlib').Path({str(tmp_path / 'made')!r}).touch(), 'epoch': 1.0}}"
    text = "\n".join([deep, wrong, *(str(entry(*point)) for point in POINTS), "{'loss': 9" + "9" * 5000 + "}"])
    assert points(log(tmp_path, text)) == POINTS
    assert not (tmp_path / "made").exists()


def test_what_diverged_is_left_out_and_named(tmp_path: Path, study: Study) -> None:
    lines = (
        "{'loss': 2.0, 'epoch': 1}\n{'loss': 1.0, 'epoch': 2}\n{'loss': nan, 'epoch': 3}\n{'loss': inf, 'epoch': 4}\n"
    )
    found = log(tmp_path, lines + '{"loss": NaN, "epoch": 5}\n')
    assert points(found) == [(1.0, 2.0), (2.0, 1.0)]
    assert [(row.index, row.text) for row in found.without] == [("3", "nan"), ("4", "inf"), ("5", "nan")]
    store(found, study)
    page = " ".join(write_reports(study, None, ["md"])[0].read_text().split())
    assert "Left out, because the value is not finite: epoch 3 (nan), 4 (inf), 5 (nan)." in page


def test_a_resumed_training_replaces_what_it_logs_again(tmp_path: Path, study: Study) -> None:
    places = [1, 2, 3, 4, 2.5, 3, 4, 5]
    found = log(tmp_path, "\n".join(str(entry(place, 10 - i)) for i, place in enumerate(places)))
    assert points(found) == [(1, 10), (2, 9), (2.5, 6), (3, 5), (4, 4), (5, 3)]
    store(found, study)
    page = " ".join(write_reports(study, None, ["md"])[0].read_text().split())
    assert "The log goes back (from 4 to 2.5): what was logged again took the place" in page


def test_several_points_of_one_place_stay(tmp_path: Path) -> None:
    assert points(log(tmp_path, "\n".join(str(entry(0.01 * (i // 2), i)) for i in range(4)))) == [
        (0.0, 0),
        (0.0, 1),
        (0.01, 2),
        (0.01, 3),
    ]


ONE = str(entry(1.0, 0.5))


@pytest.mark.parametrize(
    ("text", "name", "response", "sentence"),
    [
        ("", "a.log", None, r"there is no log in .*a.log: an entry is a line such as \{'loss': 0.5, 'epoch': 1.0\}"),
        ("hello\n{x}\n", "a.log", None, "there is no log in"),
        ("[1, 2]", "a.json", None, "there is no log in"),
        ('{"log_history": 7}', "a.json", None, "unknown name in the log 'epoch'; known: log_history"),
        (ONE, "a.log", None, "a curve needs two entries with finite epoch and loss, but has 1"),
        (f"{ONE}\n{ONE}".replace("0.5", "nan"), "a.log", None, "needs two entries .* but has 0"),
        (ONE, "a.log", "los", "unknown name in the log 'los' .did you mean 'loss'..; known: loss, epoch"),
        (ONE.replace("epoch", "step"), "a.log", None, "unknown name in the log 'epoch'; known: loss, step"),
        (ONE, "a.log", "epoch", "columns need names that differ, but are 'epoch', 'epoch'"),
        ("epoch,loss\n", "a.csv", None, "there is no log in"),
        ("", "a.csv", None, "there is no table in .*a.csv: it is empty"),
    ],
)
def test_refusals(tmp_path: Path, text: str, name: str, response: str | None, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        log(tmp_path, text, name, response)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"\x80\x00\xff")
    with pytest.raises(RequestError, match=r"is no text, and of a kind that is not known here: tables are read as CSV"):
        read_log(tmp_path / "a.log", "epoch", None)


def test_a_score_that_is_no_number(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"{ONE[:-1]}, 'rate': '1/2'}}\n" * 2)
    with pytest.raises(RequestError, match=r"epoch 1.0: rate must be a number, .* but is '1/2'"):
        read_log(tmp_path / "a.log", "epoch", None, ["rate"])


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(allow_nan=False, allow_infinity=False)), min_size=2, max_size=20),
    st.sampled_from(["python", "json"]),
)
def test_what_is_logged_is_read(logged: list[tuple[float, float]], spelled: str) -> None:
    logged.sort()
    spell = str if spelled == "python" else json.dumps
    path = _FOLDER[0] / "train.log"
    path.write_text("\n".join(spell(entry(*point)) for point in logged))
    assert points(read_log(path, "epoch", None)) == logged


_FOLDER: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    _FOLDER[:] = [tmp_path_factory.mktemp("logs")]
