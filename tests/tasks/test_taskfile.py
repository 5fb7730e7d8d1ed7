from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gridsearch.canonical import fingerprint
from gridsearch.errors import RequestError
from gridsearch.tasks.judging.labelling import BY_CONTRAST, OF_CLASSES, POSITIVE
from gridsearch.tasks.parts.part_file import TaskFile
from gridsearch.tasks.splits import SAME_TEXTS
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import load_task, parse_task_file
from search_spaces import find_task
from tests.fixtures_core import slow

TOML = """name = "films"
kind = "single"
metric = "accuracy"
[files]
train = "train.csv"
dev = "dev.csv"
[columns]
text = "text"
label = "label"
"""
TRAIN = "text,label\ngood,yes\nbad,no\nfine,yes\n"
DEV = "text,label\nnice,yes\n"


def write(folder: Path, toml: str = TOML, **files: str) -> Path:
    for name, content in {"train": TRAIN, "dev": DEV, **files}.items():
        (folder / f"{name}.csv").write_bytes(content.encode())
    (folder / "films.toml").write_text(toml, encoding="utf-8")
    return folder / "films.toml"


def changed(old: str, new: str) -> str:
    assert old in TOML
    return TOML.replace(old, new)


def test_a_task_is_read(tmp_path: Path) -> None:
    task = load_task(write(tmp_path))
    assert (task.name, task.kind, task.metric, task.label_names) == ("films", "single", "accuracy", ("no", "yes"))
    assert task.train.texts == ("good", "bad", "fine")
    assert task.train.labels == (1, 0, 1)
    assert (task.dev.texts, task.dev.labels, task.test) == (("nice",), (1,), None)
    assert task.notes == ("no dev row has the label no",)


def test_pairs_and_a_labelled_test(tmp_path: Path) -> None:
    toml = changed('kind = "single"', 'kind = "pair"').replace("dev.csv", 'dev.csv"\ntest = "test.csv')
    toml = toml.replace('label = "label"', 'pair = "second"\nlabel = "label"')
    head = "text,second,label\n"
    task = load_task(write(tmp_path, toml, train=f"{head}a,b,0\nc,d,1\n", dev=f"{head}e,f,1\n", test=f"{head}g,,0\n"))
    assert task.train.pairs == ("b", "d")
    assert task.test is not None
    assert (task.test.pairs, task.test.labels) == (("",), (0,))


@pytest.mark.parametrize(
    "content", ["text\ngood\n", "id,text\n0,good\n", "text,label\ngood,\nbad,\n", "text,label\ngood,-1\nbad,-1\n"]
)
def test_an_unlabelled_test(tmp_path: Path, content: str) -> None:
    toml = changed("dev.csv", 'dev.csv"\ntest = "test.csv')
    task = load_task(write(tmp_path, toml, dev=TRAIN.replace("good", "great"), test=content.replace("good", "new")))
    assert task.test is not None
    assert task.test.labels is None
    assert task.test.texts[0] == "new"
    assert "test is unlabelled: it can be predicted, not judged" in task.notes


def test_positions_mean_the_names_of_train_where_there_is_a_header(tmp_path: Path) -> None:
    toml = changed('"text"', "0").replace('"label"', "1").replace("dev.csv", 'dev.csv"\ntest = "test.csv')
    task = load_task(write(tmp_path, toml, test="index,text\n0,new\n"))
    assert task.test is not None
    assert task.test.texts == ("new",)


def test_labels_by_name_and_by_position(tmp_path: Path) -> None:
    numbers = {"train": "text,label\na,1\nb,0\nc,1\n", "dev": "text,label\nd,1\n"}
    by_position = load_task(write(tmp_path, TOML + '[labels]\nnames = ["bad", "good"]\n', **numbers))
    assert (by_position.label_names, by_position.train.labels) == (("bad", "good"), (1, 0, 1))
    by_name = load_task(write(tmp_path, TOML + '[labels]\nnames = ["1", "0"]\n', **numbers))
    assert (by_name.label_names, by_name.train.labels) == (("1", "0"), (0, 1, 0))
    (tmp_path / "class.txt").write_bytes("差\r\n好\u2028\r\n".encode())
    from_file = load_task(write(tmp_path, TOML + '[labels]\nfile = "class.txt"\n', **numbers))
    assert from_file.label_names == ("差", "好")


def test_labels_are_sorted_as_numbers_where_all_are(tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"t{row},{label}\n" for row, label in enumerate([10, 9, 100, 9, 10, 100]))
    assert load_task(write(tmp_path, train=rows, dev="text,label\nx,9\n")).label_names == ("9", "10", "100")


def test_rows_whose_label_is_to_be_ignored(tmp_path: Path) -> None:
    task = load_task(
        write(tmp_path, TOML + '[labels]\nignore = ["-"]\n', train=TRAIN + "odd,-\n", dev=DEV + "odd,no\n")
    )
    assert task.train.texts == ("good", "bad", "fine")
    assert task.notes == ("1 rows of train.csv left out, their label being -",)


def test_a_label_without_rows_is_told(tmp_path: Path) -> None:
    task = load_task(write(tmp_path, TOML + '[labels]\nnames = ["yes", "no", "both"]\n', dev=DEV + "poor,no\n"))
    assert task.label_counts == (2, 1, 0)
    assert task.notes == ("no train row has the label both", "no dev row has the label both")


def test_empty_texts_are_kept_and_told(tmp_path: Path) -> None:
    task = load_task(write(tmp_path, train=TRAIN + '" ",no\n', dev="text,label\nnice,yes\npoor,no\n"))
    assert len(task.train) == 4
    assert task.notes == ("1 rows of train.csv have an empty text; they are kept",)


def test_dev_as_a_share_and_dropped_duplicates(tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"t{row},{row % 2}\n" for row in range(20)) + "t0,0\n"
    toml = changed('dev = "dev.csv"', "dev = 0.2\nsplit_seed = 3\ndrop_duplicates = true")
    task = load_task(write(tmp_path, toml, train=rows))
    assert (len(task.train), len(task.dev)) == (16, 4)
    assert task.notes == (
        "1 of 21 training rows left out as duplicates (1 repeated)",
        SAME_TEXTS,
        "dev is 0.2 of the training rows, stratified (split_seed 3): 4 rows, leaving 16",
    )


def test_train_rows(tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"t{row},{row % 2}\n" for row in range(20))
    path = write(tmp_path, changed("[columns]", "train_rows = 6\n[columns]"), train=rows, dev="text,label\nx,0\ny,1\n")
    task = load_task(path)
    assert task.label_counts == (3, 3)
    assert task.notes == ("6 of 20 training rows are used (train_rows = 6, stratified)",)
    assert load_task(path, train_rows=4).label_counts == (2, 2)
    assert load_task(path, train_rows=4).fingerprint != task.fingerprint == load_task(path).fingerprint
    with pytest.raises(RequestError, match="train_rows must be at least the number of labels, 2; it is 0"):
        load_task(path, train_rows=0)


def test_data_is_looked_for_beside_the_task_then_in_the_data_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRIDSEARCH_DATA", raising=False)
    tasks, data, other = (tmp_path / name for name in ("tasks", 'a "b=0" 数据', "other"))
    for folder in (tasks, data, other):
        folder.mkdir()
    path = tasks / "films.toml"
    write(data).rename(path)
    assert len(load_task(path, data).train) == 3
    monkeypatch.setenv("GRIDSEARCH_DATA", str(data))
    assert len(load_task(path, other).train) == 3
    monkeypatch.setenv("GRIDSEARCH_DATA", str(tmp_path))
    with pytest.raises(RequestError) as caught:
        load_task(path, other)
    assert str(caught.value) == (
        f"data file 'train.csv' is not there; looked for {tasks / 'train.csv'}, {other / 'train.csv'}, "
        f"{tmp_path / 'train.csv'}; name its folder with --data-dir or GRIDSEARCH_DATA"
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "films"', "name = films", "films.toml is not TOML"),
        ('name = "films"\n', "", "films.toml: name must be given, but only kind, metric, files, columns is"),
        ('name = "films"', 'nam = "films"', r"films.toml: unknown key 'nam' \(did you mean 'name'\?\)"),
        ('kind = "single"', 'kind = "multi"', r"films.toml: several tasks .*\(multi\) .* there is no \[\[parts\]\]"),
        (
            'kind = "single"',
            'kind = "triple"',
            "films.toml: kind: input should be 'single', 'pair', 'multilabel' or 'score', but got 'triple'",
        ),
        ('kind = "single"', 'kind = "pair"', "pair under .* belongs to kind 'pair' .*; kind is 'pair', pair is None"),
        ('label = "label"', 'label = "label"\npair = "b"', "kind is 'single', pair is 'b'"),
        ('label = "label"', 'label = "text"', "label must be a column of its own, but 'text' holds a text too"),
        ('label = "label"', 'labels = "label"', r"films.toml, \[columns\]: unknown key 'labels'"),
        ("accuracy", "f1_marco", r"unknown metric 'f1_marco' \(did you mean 'f1_macro'\?\); known: accuracy"),
        ('"dev.csv"', "1.5", "dev must be a file or a share between 0 and 1, but is 1.5"),
        ("[columns]", 'format = "xls"\n[columns]', r"films.toml, \[files\]: format: input should be 'tsv'"),
        ("[columns]", "train_rows = 1\n[columns]", "train_rows: input should be greater than or equal to 2, but got 1"),
        ("[files]", 'columns = "text"\n[files]', r"films.toml is not TOML"),
        ("[columns]", "[labels]\nnames = ['a']\nfile = 'b'\n[columns]", "takes names or file, but has both"),
    ],
)
def test_errors_of_the_task_file(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        load_task(write(tmp_path, changed(old, new)))


def test_a_section_must_be_a_table() -> None:
    with pytest.raises(RequestError, match=r"a.toml, \[files\] must be a table of keys, but is 'train.csv'"):
        parse_task_file('files = "train.csv"', "a.toml")


def test_no_such_task_file(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match=r"a task is 'docstrings', .* or a TOML file; there is no file '.*none.toml'"
    ):
        load_task(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("labels", "files", "sentence"),
    [
        ("", {"dev": "text,label\na,yes\nb,noo\n"}, r"dev.csv row 3: unknown label 'noo' \(did you mean 'no'\?\)"),
        ("", {"dev": "text,label\na,\nb,no\n"}, r"every row needs a label; .*dev.csv row 2 has none"),
        ("", {"train": TRAIN + "a,\n"}, r"every row needs a label; .*train.csv row 5 has none"),
        ("", {"train": "text,label\na,yes\nb,yes\n"}, r"two labels or more; .*train.csv has only 'yes'"),
        ("", {"dev": "text,label\n"}, r"dev.csv holds no rows"),
        ("", {"dev": "text\na\n"}, r"dev.csv has no label column 'label'; its columns: 'text'"),
        ("", {"train": "body,label\na,yes\n"}, r"train.csv has no text column 'text'; its columns: 'body', 'label'"),
        ("", {"train": "text,label\n,yes\n,no\na,no\n"}, r"must hold texts, but that of .* is empty in 2 of 3 rows"),
        (
            "",
            {"train": "text,label\n" + "".join(f"a{row},{row}\n" for row in range(30))},
            r"a label column repeats its values, but that of .*train.csv has 30 different ones in 30 rows, such as '0'",
        ),
        ("names = ['yes']", {}, "names under .* must be two or more that differ; they are 'yes'"),
        ("names = ['yes', 'no', 'no']", {}, "must be two or more that differ; they are 'yes', 'no', 'no'"),
        (
            "names = ['yes', 'nope']",
            {},
            r"train.csv row 3: unknown label 'no' \(did you mean 'nope'\?\); known: yes, nope",
        ),
        ("names = ['a', 'b']", {"train": "text,label\nx,0\ny,2\n"}, "row 3: unknown label '2'; known: 0, 1"),
        ("ignore = ['yes', 'no']", {}, "train.csv holds no rows but those whose label is to be ignored"),
        ("file = 'none.txt'", {}, "data file 'none.txt' is not there"),
    ],
)
def test_errors_of_the_data(tmp_path: Path, labels: str, files: dict[str, str], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        load_task(write(tmp_path, f"{TOML}[labels]\n{labels}\n", **files))


@pytest.mark.parametrize("metric", ["auc", "f1_binary"])
def test_a_metric_for_two_labels_is_refused_for_three(tmp_path: Path, metric: str) -> None:
    path = write(tmp_path, changed("accuracy", metric), train=TRAIN + "so so,maybe\n")
    with pytest.raises(
        RequestError, match=rf"metric {metric} needs exactly two labels, but there are 3: maybe, no, yes"
    ):
        load_task(path)


BOTH = "text,label\nnice,yes\npoor,no\n"


def test_the_positive_label_is_the_second_unless_named(tmp_path: Path) -> None:
    plain = load_task(write(tmp_path, changed("accuracy", "f1_binary"), dev=BOTH))
    assert (plain.positive_label, plain.metric_text) == ("yes", "f1_binary of 'yes'")
    named = load_task(write(tmp_path, changed("accuracy", "f1_binary") + '[labels]\npositive = "no"\n', dev=BOTH))
    assert (named.positive_label, named.metric_text) == ("no", "f1_binary of 'no'")
    same = load_task(write(tmp_path, changed("accuracy", "f1_binary") + '[labels]\npositive = "yes"\n', dev=BOTH))
    assert same.fingerprint == plain.fingerprint != named.fingerprint
    assert replace(named, positive=POSITIVE).fingerprint == plain.fingerprint
    by_position = '[labels]\nnames = ["none", "hate"]\npositive = "none"\n'
    rows = "text,label\na,0\nb,1\n"
    assert load_task(write(tmp_path, changed("accuracy", "auc") + by_position, train=rows, dev=rows)).positive == 0


def test_fingerprints_of_tasks_that_name_no_positive_label_stay() -> None:
    """What a task without the key has always had: ledgers keep it."""
    rows = Split(("a", "b"), (0, 1))
    task = Task("t", "single", "f1_binary", ("no", "yes"), rows, rows)
    told = ["single", "f1_binary", ("no", "yes"), [[rows.texts, None, rows.labels]] * 2]
    assert task.fingerprint == fingerprint(told)


@pytest.mark.parametrize(
    ("metric", "positive", "sentence"),
    [
        ("f1_binary", '"ja"', "positive under .labels.: unknown label 'ja'; known: no, yes"),
        ("f1_binary", '"ye"', r"unknown label 'ye' \(did you mean 'yes'\?\)"),
        ("f1_binary", '""', "unknown label ''"),
        ("f1_binary", "1", "films.toml, .labels.: positive: input should be a valid string, but got 1"),
        (
            "accuracy",
            '"yes"',
            "belongs to metric f1_binary, auc or average_precision; metric is accuracy, which treats all labels alike",
        ),
        ("matthews", '"yes"', "belongs to metric f1_binary, auc or average_precision; metric is matthews"),
    ],
)
def test_a_positive_label_that_cannot_be(tmp_path: Path, metric: str, positive: str, sentence: str) -> None:
    toml = changed('"accuracy"', f'"{metric}"') + f"[labels]\npositive = {positive}\n"
    with pytest.raises(RequestError, match=sentence):
        load_task(write(tmp_path, toml, dev=BOTH))


def test_a_positive_label_of_three_is_refused(tmp_path: Path) -> None:
    toml = changed("accuracy", "f1_binary") + '[labels]\npositive = "yes"\n'
    with pytest.raises(RequestError, match="f1_binary needs exactly two labels, but there are 3"):
        load_task(write(tmp_path, toml, train=TRAIN + "so so,maybe\n", dev=BOTH))


@pytest.mark.parametrize("metric", BY_CONTRAST)
@pytest.mark.parametrize("n_rows", [None, 2])
def test_a_metric_that_dev_or_test_cannot_judge_is_refused(tmp_path: Path, metric: str, n_rows: int | None) -> None:
    """Of one label alone auc is undefined, and Matthews' correlation is 0 whatever is predicted."""
    toml = changed("accuracy", metric)
    with pytest.raises(
        RequestError, match=f"metric {metric} needs rows of both labels in dev, but all of its rows have 'yes'"
    ):
        load_task(write(tmp_path, toml), train_rows=n_rows)
    with_test = toml.replace("[columns]", 'test = "test.csv"\n[columns]')
    with pytest.raises(
        RequestError, match=f"metric {metric} needs rows of both labels in test, but all of its rows have 'no'"
    ):
        load_task(write(tmp_path, with_test, dev=BOTH, test="text,label\npoor,no\n"), train_rows=n_rows)
    assert load_task(write(tmp_path, with_test, dev=BOTH, test="text,label\npoor,\n")).metric == metric  # unlabelled
    share = toml.replace('"dev.csv"', "0.2")
    rows = "text,label\na,no\n" + "".join(f"t{row},yes\n" for row in range(20))  # a single "no" stays in train
    with pytest.raises(RequestError, match=f"metric {metric} needs rows of both labels in dev"):
        load_task(write(tmp_path, share, train=rows), train_rows=n_rows)


def test_a_correlation_needs_two_of_three_labels(tmp_path: Path) -> None:
    train = TRAIN + "so so,maybe\n"
    with pytest.raises(RequestError, match="matthews needs rows of two labels in dev, but all of its rows have 'yes'"):
        load_task(write(tmp_path, changed("accuracy", "matthews"), train=train))
    assert load_task(write(tmp_path, changed("accuracy", "matthews"), train=train, dev=BOTH)).metric == "matthews"


@pytest.mark.parametrize("metric", sorted({*OF_CLASSES} - {*BY_CONTRAST}))
def test_metrics_that_differ_between_models_on_one_label_are_taken(tmp_path: Path, metric: str) -> None:
    """They say how often that label is given; the plan and the page tell which label dev lacks."""
    assert load_task(write(tmp_path, changed("accuracy", metric))).notes == ("no dev row has the label no",)


def test_a_label_that_test_lacks_is_told(tmp_path: Path) -> None:
    toml = changed("[columns]", 'test = "test.csv"\n[columns]')
    assert load_task(write(tmp_path, toml, dev=BOTH, test="text,label\nawful,no\n")).notes == (
        "no test row has the label yes",
    )


def test_labels_are_counted_in_one_pass() -> None:
    """A pass a label is a thousand passes over a million rows."""

    class Watched(tuple[int, ...]):
        n_passes = 0

        def __iter__(self) -> Iterator[int]:
            Watched.n_passes += 1
            return super().__iter__()

        def count(self, value: object) -> int:
            Watched.n_passes += 1
            return super().count(value)

    rows = Split(("a",) * 6, Watched((2, 0, 2, 1, 2, 0)))
    task = Task("t", "single", "accuracy", ("x", "y", "z", "none"), rows, rows)
    assert task.label_counts == task.label_counts == (2, 1, 3, 0)
    assert Watched.n_passes == 1


def test_a_task_file_cannot_be_changed() -> None:
    file = parse_task_file(TOML, "films.toml")
    assert isinstance(file, TaskFile)
    with pytest.raises(ValueError, match="frozen"):
        file.name = "other"  # type: ignore[misc]


def test_docstrings_are_a_task_too() -> None:
    assert load_task("docstrings", train_rows=60).label_counts == (10,) * 6


# --- further texts, of which only a pretraining hears

CORPUS = '[corpus]\nfiles = ["more.txt", "unlabelled.csv"]\n'


def test_further_texts_are_found_as_data_files_are_and_change_no_outcome(tmp_path: Path) -> None:
    own, further = tmp_path / "own", tmp_path / "further"
    own.mkdir()
    further.mkdir()
    plain = load_task(write(own))
    path = write(own, TOML + CORPUS, unlabelled="label,text\n?,some\n")
    (further / "more.txt").write_text("one\ntwo\n")
    task = load_task(path, further)
    assert [(split.texts, split.labels, split.pairs) for split in task.corpus_files] == [
        (("one", "two"), None, None),
        (("some",), None, None),
    ]
    assert load_task(path, further, train_rows=2).corpus_files == task.corpus_files
    assert (plain.corpus_files, plain, plain.fingerprint, plain.notes) == ((), task, task.fingerprint, task.notes)


def test_further_files_are_read_with_the_names_of_train(tmp_path: Path) -> None:
    toml = changed('"text"', "0").replace('"label"', "1") + '[corpus]\nfiles = ["more.csv"]\n'
    task = load_task(write(tmp_path, toml, more="index,text\n0,new\n"))
    assert task.corpus_files[0].texts == ("new",)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("[corpus]\n", r"films.toml, \[corpus\]: files must be given, but only nothing is"),
        ("[corpus]\nfiles = []\n", r"films.toml, \[corpus\]: files: tuple should have at least 1 item"),
        ('[corpus]\nfiles = "more.txt"\n', r"films.toml, \[corpus\]: files: input should be a valid tuple"),
        ('[corpus]\nfile = ["more.txt"]\n', r"unknown key 'file' \(did you mean 'files'\?\)"),
        ('[corpus]\nfiles = ["none.txt"]\n', r"data file 'none.txt' is not there; looked for .*none.txt; name its"),
        ('[corpus]\nfiles = ["dev.csv", "empty.csv"]\n', r"empty.csv holds no rows"),
    ],
)
def test_further_files_that_are_wrong(tmp_path: Path, section: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        load_task(write(tmp_path, TOML + section, empty=""))


# --- pairs from outside, which trials may add to their training rows

PAIRS = TOML.replace('"single"', '"pair"').replace('text = "text"', 'text = "text"\npair = "second"')
OUTSIDE = '[outside]\nfiles = ["more.csv", "lines.tsv"]\n'
HEAD = "text,second,label\n"


def write_pairs(folder: Path, toml: str, more: str = f"{HEAD}new,fresh,?\n") -> Path:
    (folder / "lines.tsv").write_text("text\tsecond\none\ttwo\nthree\tfour\n")
    return write(folder, toml, train=f"{HEAD}a,b,0\nc,d,1\n", dev=f"{HEAD}e,f,1\ng,h,0\n", more=more)


def test_outside_pairs_are_read_without_labels_and_are_no_part_of_the_rows(tmp_path: Path) -> None:
    plain, task = (load_task(write_pairs(tmp_path, toml)) for toml in (PAIRS, PAIRS + OUTSIDE))
    assert task.outside == (Split(("new",), None, ("fresh",)), Split(("one", "three"), None, ("two", "four")))
    assert (plain.outside, plain, plain.fingerprint) == ((), task, task.fingerprint)
    written = "lines.tsv is written otherwise than train.csv: separator '\\t'"
    assert task.notes == (*plain.notes, written, "3 outside pairs can be added to the training rows (outside_pairs)")


def test_outside_pairs_of_ids_are_counted_among_the_ids(tmp_path: Path) -> None:
    rows = f"{HEAD}1,2,0\n3 1,4,1\n"
    write(tmp_path, "ids = true\n" + PAIRS + '[outside]\nfiles = ["more.csv"]\n', train=rows, dev=rows)
    (tmp_path / "more.csv").write_text(f"{HEAD}7 8,7,\n")
    task = load_task(tmp_path / "films.toml")
    assert (task.id_counts["7"], task.id_counts["1"]) == (2, 4)
    (tmp_path / "more.csv").write_text(f"{HEAD}seven,7,\n")
    with pytest.raises(RequestError, match=r"more.csv row 2: with ids = true every text is whole numbers"):
        load_task(tmp_path / "films.toml")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (
            TOML + OUTSIDE,
            r"films.toml: \[outside\] names files of pairs; it belongs to kind 'pair'.*; kind is 'single'",
        ),
        (PAIRS + "[outside]\n", r"films.toml, \[outside\]: files must be given, but only nothing is"),
        (PAIRS + "[outside]\nfiles = []\n", r"films.toml, \[outside\]: files: tuple should have at least 1 item"),
        (PAIRS + '[outside]\nfiles = ["none.csv"]\n', r"data file 'none.csv' is not there; looked for .*none.csv"),
        (PAIRS + '[outside]\nfiles = ["films.toml"]\n', r"films.toml"),
        (PAIRS + '[outside]\nfiles = ["one.txt"]\n', r"files under \[outside\] hold two texts a row, .*one.txt"),
    ],
)
def test_outside_files_that_are_wrong(tmp_path: Path, toml: str, message: str) -> None:
    (tmp_path / "one.txt").write_text("a text a line\n")
    with pytest.raises(RequestError, match=message):
        load_task(write_pairs(tmp_path, toml))


def load_built_in(name: str, shared_data: Path) -> Task:
    return load_task(find_task(name), shared_data)


@pytest.mark.slow  # 4 s
def test_thucnews10(shared_data: Path) -> None:
    task = load_built_in("thucnews10", shared_data)
    assert task.label_names[::9] == ("finance", "entertainment")
    assert Counter(task.dev.labels) == Counter((task.test or task.dev).labels) == dict.fromkeys(range(10), 1000)
    assert len(task.train) == 44814
    assert task.notes == (
        "186 of 45000 training rows left out as duplicates (82 also in dev, 70 also in test, 102 repeated)",
        "9 dev rows stand in test too; they are kept",
        "3 training texts carry two labels or more; their rows are kept",
        SAME_TEXTS,
    )


@pytest.mark.slow  # 3 s
def test_thucnews10_with_its_duplicates(shared_data: Path, tmp_path: Path) -> None:
    toml = find_task("thucnews10").read_text(encoding="utf-8").replace("drop_duplicates = true", "")
    (tmp_path / "with.toml").write_text(toml, encoding="utf-8")
    task = load_task(tmp_path / "with.toml", shared_data)
    assert task.label_counts == (4480, 4508, 4529, 4424, 4477, 4515, 4486, 4472, 4530, 4579)
    assert sum("\ufffd" in text for text in task.train.texts) > 0


@pytest.mark.parametrize(
    ("name", "train", "dev", "n_test"),
    [
        slow("sst2", (29780, 37569), {0: 428, 1: 444}, 1821),
        ("rte", (1249, 1241), {0: 146, 1: 131}, 3000),
        slow("afqmc", (23761, 10573), {0: 2978, 1: 1338}, 3861),
    ],
)
def test_built_in_tasks(shared_data: Path, name: str, train: tuple[int, int], dev: dict[int, int], n_test: int) -> None:
    task = load_built_in(name, shared_data)
    assert task.label_counts == train
    assert Counter(task.dev.labels) == dev
    assert task.test is not None
    assert (len(task.test), task.test.labels) == (n_test, None)
    assert (task.train.pairs is None) == (task.kind == "single")


def test_what_is_left_has_to_be_a_task(tmp_path: Path) -> None:
    rows = "".join(f"text {n}\t{int(n == 0)}\n" for n in range(40))
    (tmp_path / "data.tsv").write_text("text\tlabel\n" + rows)
    head = 'name = "t"\nkind = "single"\n[columns]\ntext = "text"\nlabel = "label"\n'
    files = 'metric = "auc"\n[files]\ntrain = "data.tsv"\ndev = 0.1\n[col'
    (tmp_path / "auc.toml").write_text(head.replace("[col", files))
    with pytest.raises(RequestError, match="metric auc needs rows of both labels in dev"):
        load_task(tmp_path / "auc.toml")
    files = 'metric = "accuracy"\n[files]\ntrain = "data.tsv"\ndev = "data.tsv"\ndrop_duplicates = true\n[col'
    (tmp_path / "none.toml").write_text(head.replace("[col", files))
    with pytest.raises(RequestError, match="train needs rows of two labels, but 0 rows of fewer are left"):
        load_task(tmp_path / "none.toml")
