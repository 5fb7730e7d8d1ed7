"""What `init` tells of columns and labels: nothing is left out, read together or taken for a class without a word."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task
from gridsearch.tasks.roles import Wanted
from runners.cli import main

N_ROWS = 60
TEXTS = [f"the film number {number} was {'good, really' if number % 2 else 'bad'}" for number in range(N_ROWS)]
OTHERS = [f"another text about {number} things" for number in range(N_ROWS)]


def cycle(*values: object) -> list[str]:
    return [str(values[number % len(values)]) for number in range(N_ROWS)]


def write(folder: Path, **columns: Sequence[object]) -> Path:
    path = folder / "data.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def told_of(path: Path, **wanted: str) -> tuple[dict[str, object], list[str]]:
    task, sentences = guess_task([path], wanted=Wanted(**wanted))
    return {role: getattr(task.columns, role) for role in ("text", "pair", "label")}, sentences


def test_columns_that_are_not_used_are_named(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        review_id=[f"R{number}" for number in range(N_ROWS)],
        created_at=cycle("2021-01-02", "2021-01-03"),
        lang=cycle("en", "de", "zh-CN"),
        split=cycle("train", "train", "dev", "test"),
        source=cycle("web"),
        n_votes=[str(number // 2) for number in range(N_ROWS)],
        review=TEXTS,
        verdict=cycle("yes", "no", "so-so", "unsure"),
    )
    chosen, sentences = told_of(path)
    assert chosen == {"text": "review", "pair": None, "label": "verdict"}
    assert (
        "not used: 'review_id' (an id), 'created_at' (dates), 'lang' (languages: de, en, zh-CN), 'split' (says which "
        "rows are train, dev or test), 'source' (the same in each row), 'n_votes' (30 different values)"
    ) in sentences
    assert sentences[-1] == (
        "caution: 'split' says which rows are train, dev or test, but all rows are taken as training rows; give each "
        "split a file of its own: init TRAIN DEV TEST"
    )


def test_a_label_that_nothing_names_has_its_rivals_told(tmp_path: Path) -> None:
    path = write(tmp_path, text=TEXTS, place=cycle("a", "b", "c"), outcome=cycle("x", "y"))
    chosen, sentences = told_of(path)
    assert chosen["label"] == "outcome"
    few = "only its few values say that 'outcome' is the label; 'place' could be it too; --label COLUMN names another"
    assert few in sentences
    chosen, sentences = told_of(path, label="place")
    assert chosen["label"] == "place"
    assert not any("only its few values" in sentence for sentence in sentences)


def test_of_many_columns_only_the_names_are_told(tmp_path: Path) -> None:
    others = {f"field_{number}": cycle(*range(3 + number)) for number in range(12)}
    _, sentences = told_of(write(tmp_path, **others, body=TEXTS, outcome=cycle("x", "y")))
    assert f"not used: {', '.join(map(repr, others))}" in sentences
    assert any("'field_7' and 4 others could be it too" in sentence for sentence in sentences)


def test_a_table_of_one_column_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review\n" + "".join(f'"good, bad; {n % 3 * ","}"\n' for n in range(20)))
    with pytest.raises(
        RequestError, match=r"a.csv has one, for its first row, 'review', holds none of ',', a tab, .*;"
    ):
        guess_task([tmp_path / "a.csv"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("query", "product_title"),
        ("title", "query"),
        ("question1", "question2"),
        ("premise", "hypothesis"),
        ("sentence_A", "sentence_B"),
        ("q1", "q2"),
        ("text_a", "text_b"),
        ("claim", "evidence"),
        ("问题", "答案"),
        ("first passage", "second passage"),
        ("#1 String", "#2 String"),
    ],
)
def test_two_texts_side_by_side_are_a_pair_that_is_told(tmp_path: Path, one: str, other: str) -> None:
    path = write(tmp_path, **{one: [text * 20 for text in TEXTS], "label": cycle("x", "y"), other: OTHERS})
    chosen, sentences = told_of(path)
    assert chosen == {"text": one, "pair": other, "label": "label"}
    assert f"a pair: the two are read together in each row; --pair none reads {one!r} alone" in sentences
    chosen, sentences = told_of(path, pair="none")
    assert chosen["pair"] is None
    assert any(" texts too, which are not read; --pair COLUMN reads one of them beside " in told for told in sentences)


def test_a_second_text_that_is_not_read_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, headline=OTHERS, review=[text * 20 for text in TEXTS], stars=cycle(1, 2, 3, 4, 5))
    chosen, sentences = told_of(path)
    assert chosen == {"text": "review", "pair": None, "label": "stars"}
    assert (
        "'headline' holds texts too, which are not read; --pair COLUMN reads one of them beside 'review'" in sentences
    )
    assert told_of(path, pair="headline")[0] == {"text": "headline", "pair": "review", "label": "stars"}
    assert told_of(path, text="headline", pair="1")[0] == {"text": "headline", "pair": "review", "label": "stars"}


PREDICTED = "--kind score predicts the number"
NUMBERS = f"they are taken as classes without order, each wrong one as wrong as another; {PREDICTED}"
IN_A_CELL = "caution: the labels look like several in a cell, separated by"
SEVERAL = "combinations is taken as a label of its own; --kind multilabel reads each cell as several labels"


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (cycle(1, 2, 3, 4, 5), f"the labels are numbers (1 to 5): {NUMBERS}"),
        (cycle("1.0", "2.0", "10.0"), f"the labels are numbers (1.0 to 10.0): {NUMBERS}"),
        (
            cycle(0.5, 1, 2.25),
            "the labels are 3 numbers with fractions (0.5 to 2.25): each is taken as a class of its own; " + PREDICTED,
        ),
        (
            cycle("a", "b", "a|b"),
            "caution: the labels look like several in a cell, separated by '|', such as 'a|b': each of the 3 "
            + SEVERAL,
        ),
        (
            cycle("a", "b, c", "a, b", "c"),
            "caution: the labels look like several in a cell, separated by ',', such as 'b, c': each of the 4 "
            + SEVERAL,
        ),
        (
            cycle("体育；娱乐", "体育", "娱乐"),
            f"{IN_A_CELL} '；', such as '体育；娱乐': each of the 3 {SEVERAL}",
        ),
        (
            cycle('["a"]', '["a", "b"]'),
            """caution: the labels are lists, such as '["a", "b"]': each of the 2 """ + SEVERAL,
        ),
        (
            ["odd", *cycle("x", "y")[1:]],
            "caution: 1 label occurs once ('odd'): a row that is in train cannot judge; ignore under [labels] leaves "
            "out the rows of the labels it lists",
        ),
        (
            [f"author {number // 2}" for number in range(N_ROWS)],
            "caution: 30 labels in 60 rows are 2.0 rows each: if 'label' is not the label, --label COLUMN names "
            "another",
        ),
    ],
)
def test_labels_that_may_be_meant_otherwise_are_told(tmp_path: Path, labels: list[str], sentence: str) -> None:
    assert sentence in told_of(write(tmp_path, text=TEXTS, label=labels))[1]


@pytest.mark.parametrize(
    "labels",
    [
        cycle("0", "1"),
        cycle("Arts, culture", "Business, finance", "Sports"),
        cycle("yes", "no"),
        cycle("2,5", "3,0", "4,5"),
        cycle("sport/football", "sport/tennis"),
        cycle("-", "x", "y"),
    ],
)
def test_ordinary_labels_are_not(tmp_path: Path, labels: list[str]) -> None:
    sentences = told_of(write(tmp_path, text=TEXTS, label=labels))[1]
    assert not any(sentence.startswith(("caution", "the labels are")) for sentence in sentences)


def test_ids_and_free_texts_are_no_labels_unless_they_are_named(tmp_path: Path) -> None:
    tags = ["|".join("abcdefgh"[place] for place in range(8) if number >> place & 1) for number in range(1, N_ROWS + 1)]
    path = write(tmp_path, user_id=[str(number % 7) for number in range(N_ROWS)], text=TEXTS, tags=tags)
    with pytest.raises(RequestError) as caught:
        told_of(path)
    assert "looks like the label" in str(caught.value)
    assert "the labels look like several in a cell, separated by '|'" in str(caught.value)
    assert str(caught.value).endswith("name it: --label COLUMN, with its name or its position from 0")
    assert told_of(path, label="user_id")[0]["label"] == "user_id"


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"label": "stars"}, "has no column 'stars'; its columns: 'text', 'label'"),
        ({"pair": "9"}, "--pair: "),
        ({"text": "label", "label": "label"}, "--text, --pair and --label must name three different columns"),
    ],
)
def test_columns_that_are_not_there(tmp_path: Path, wanted: dict[str, str], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        told_of(write(tmp_path, text=TEXTS, label=cycle("x", "y")), **wanted)
    assert sentence in str(caught.value)


def test_the_command_names_columns_and_says_cautions_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, query=TEXTS, title=OTHERS, tags=cycle("a", "b", "a|b"), clicked=cycle("0", "1"))
    assert main(["init", "data.csv", "-o", "task.toml", "--label", "tags", "--pair", "none"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert max(map(len, told)) <= 80
    assert told[-5].startswith("caution: the labels look like several in a cell")
    assert 'kind = "single"' in (tmp_path / "task.toml").read_text(encoding="utf-8")
