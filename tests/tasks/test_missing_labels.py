"""A label that is missing is told with its row and the way out; labels are the same in files of several spellings."""

import json
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task, write_toml
from gridsearch.tasks.labels import Spellings
from gridsearch.tasks.roles import Wanted
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import load_task
from runners.cli import main
from runners.predicting.scored import label_places

HEAD = """name = "a"
kind = "single"
metric = "accuracy"
[columns]
text = "text"
label = "label"
"""
NAN = float("nan")


def rows(*labels: object) -> str:
    return "\n".join(json.dumps({"text": f"some words {n}", "label": label}) for n, label in enumerate(labels))


def load(folder: Path, labels: str = "", **files: str) -> Task:
    for name, content in files.items():
        (folder / f"{name}.jsonl").write_text(content)
    named = "".join(f'{name} = "{name}.jsonl"\n' for name in files)
    (folder / "task.toml").write_text(f"{HEAD}\n[files]\n{named}\n[labels]\n{labels}\n")
    task = load_task(folder / "task.toml")
    assert isinstance(task, Task)
    return task


WHOLE = rows("x", "y", "x", "y")
WAY_OUT = (
    r"; drop_unlabelled = true under \[labels\] leaves such rows out \(gridsearch init --drop-unlabelled writes it\)"
)


@pytest.mark.parametrize("missing", [None, NAN, "", " "])
@pytest.mark.parametrize("name", ["train", "dev"])
def test_a_missing_label_is_refused_with_its_row_and_the_way_out(tmp_path: Path, name: str, missing: object) -> None:
    files = {"train": WHOLE, "dev": WHOLE}
    with pytest.raises(RequestError, match=rf"every row needs a label; .*{name}.jsonl row 2 has none{WAY_OUT}"):
        load(tmp_path, **(files | {name: rows("x", missing, "y")}))
    several = rows("x", missing, "y", missing)
    with pytest.raises(RequestError, match=rf"row 2 has none \(2 of 4 rows have none\){WAY_OUT}"):
        load(tmp_path, **(files | {name: several}))
    task = load(tmp_path, "drop_unlabelled = true", **(files | {name: several}))
    assert len(getattr(task, name)) == 2
    assert f"2 of 4 rows of {name}.jsonl left out, having no label" in task.notes


def test_rows_of_test_are_never_left_out(tmp_path: Path) -> None:
    rule = "every row needs a label; .*test.jsonl row 3 has none; a test has labels in all of its rows, or in none"
    with pytest.raises(RequestError, match=rule):
        load(tmp_path, "drop_unlabelled = true", train=WHOLE, dev=WHOLE, test=rows("x", "y", None))
    for labels in (rows(None, NAN, ""), rows(-1, -1), rows(-1.0, -1.0)):
        task = load(tmp_path, "drop_unlabelled = true", train=WHOLE, dev=WHOLE, test=labels)
        assert task.test is not None
        assert (task.test.labels, len(task.test)) == (None, labels.count("text"))


def test_where_no_label_is_left(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match=r"dev.jsonl holds no rows but those whose label is to be ignored or missing"
    ):
        load(tmp_path, "drop_unlabelled = true", train=WHOLE, dev=rows(None, None))
    with pytest.raises(RequestError, match=r"drop_unlabelled: .*boolean"):
        load(tmp_path, "drop_unlabelled = 'yes'", train=WHOLE)


def test_a_missing_text_is_empty_counted_and_never_a_word(tmp_path: Path) -> None:
    lines = [json.dumps({"text": text, "label": "x"}) for text in ("a", NAN, None, "nan")] + ['{"label": "y"}', WHOLE]
    task = load(tmp_path, train="\n".join(lines))
    assert task.train.texts[:5] == ("a", "", "", "nan", "")
    assert "3 rows of train.jsonl have an empty text; they are kept" in task.notes


def test_init_leaves_them_out_where_it_is_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_text(rows(*["x", "y", NAN, "x"] * 10))
    asked = ["init", str(tmp_path / "a.jsonl"), "-o", str(tmp_path / "a.toml")]
    assert main(asked) == 2
    assert "a.jsonl row 3 has none (10 of 40 rows have none)" in capsys.readouterr().err
    assert not (tmp_path / "a.toml").exists()
    assert main([*asked, "--drop-unlabelled"]) == 0
    told = capsys.readouterr().out
    assert "label is 'label' with 2 values: x (20), y (10)" in told
    assert "10 of 40 rows of a.jsonl left out, having no label" in told
    assert "drop_unlabelled = true" in (tmp_path / "a.toml").read_text()
    assert main([*asked[:1], "--part", "one", asked[1], *asked[2:], "--force", "--drop-unlabelled"]) == 0


def test_init_names_the_column_that_would_be_the_label(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"some words {n}", "mood": ("x", "y", None)[n % 3]}) for n in range(30)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    rule = "looks like the label: 'mood' would, but 10 of its 30 rows are empty; --drop-unlabelled leaves these"
    with pytest.raises(RequestError, match=rule):
        guess_task([tmp_path / "a.jsonl"])
    guessed, sentences = guess_task([tmp_path / "a.jsonl"], wanted=Wanted(drop_unlabelled=True))
    task = write_toml(guessed, tmp_path / "a.toml", sentences)
    assert (guessed.columns.label, task.label_names) == ("mood", ("x", "y"))


@pytest.mark.parametrize(
    "spelled",
    ["nan", "NaN", "null", "NULL", "None", "none", "NA", "N/A", "#N/A", "<NA>", "?", "-1", "NaT", "nil"],
)
def test_a_word_for_nothing_is_a_label_and_told(tmp_path: Path, spelled: str) -> None:
    (tmp_path / "a.csv").write_text(
        "text,label\n" + "".join(f"words {n},{['x', 'y', spelled][n % 3]}\n" for n in range(30))
    )
    guessed, sentences = guess_task([tmp_path / "a.csv"])
    hint = f"10 rows have the label {spelled!r}: if that means none, list it as ignore under [labels]"
    assert hint in sentences
    assert spelled in write_toml(guessed, tmp_path / "a.toml", sentences).label_names


# --- labels in several spellings


@pytest.mark.parametrize(
    ("train", "dev", "names"),
    [
        ((0, 1, 0, 1), (0.0, 1.0), ("0", "1")),
        ((0.0, 1.0, 0.0, 1.0), (0, 1), ("0.0", "1.0")),
        ((0.0, 1.0, None, 1.0), (0.0, 1.0), ("0", "1")),
        (("True", "False", "True", "False"), (False, True), ("False", "True")),
    ],
)
def test_labels_of_the_same_value_are_the_same(
    tmp_path: Path, train: tuple[object, ...], dev: tuple[object, ...], names: tuple[str, ...]
) -> None:
    task = load(tmp_path, "drop_unlabelled = true", train=rows(*train), dev=rows(*dev))
    assert (task.label_names, task.dev.labels) == (names, (0, 1))


def test_given_names_are_matched_by_value_before_they_are_by_position(tmp_path: Path) -> None:
    for names, labels in (('["1", "0"]', (0, 1)), ('["1.0", "0.0"]', (0, 1)), ('["no", "yes"]', (1.0, 0.0))):
        assert load(tmp_path, f"names = {names}", train=rows(*labels, *labels)).train.labels == (1, 0, 1, 0)


def test_a_label_itself_comes_before_another_of_its_value() -> None:
    spellings = Spellings({"1": 0, "1.0": 1, "a": 2})
    assert [spellings.position(label) for label in ("1", "1.0", "1.00", "A")] == [0, 1, 0, None]
    assert label_places(["1.0", "2.0", "", "x"], ["1", "2"]).tolist() == [0, 1, -1, -1]
    assert label_places(["1.0", "0.0"], ["no", "yes"]).tolist() == [1, 0]
