"""Several parts in one file: each is read as the single task it would be, and what is wrong names file and part."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import toml_value
from gridsearch.tasks.judging.labelling import OF_CLASSES
from gridsearch.tasks.parts.joint_file import JointFile
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import load_task, parse_task_file
from search_spaces import find_task
from tests.tasks.parts.films import FILMS, FOLLOWS, GENRE, GENRES, HEAD, genre_rows, pair_rows, write_films


def joint(path: Path, **asked: Any) -> JointTask:
    task = load_task(path, **asked)
    assert isinstance(task, JointTask)
    return task


def changed(old: str, new: str, toml: str = FILMS) -> str:
    assert old in toml
    return toml.replace(old, new)


def alone(part: str) -> str:
    """Write a part as the task that it is by itself."""
    lines = (line.replace("[parts.", "[") for line in part.splitlines() if not line.startswith("weight"))
    return "\n".join(line for line in lines if line != "[[parts]]")


def test_parts_are_read_in_their_order(tmp_path: Path) -> None:
    task = joint(write_films(tmp_path))
    assert (task.name, task.kind, list(task.parts)) == ("films", "multi", ["genre", "follows"])
    assert task.weights == {"genre": 1.0, "follows": 2.5}
    assert task.target.metrics == (("genre", "f1_macro"), ("follows", "accuracy"))
    genre, follows = task.parts.values()
    assert (genre.name, genre.kind, genre.label_names, genre.n_rows) == (
        "genre",
        "single",
        GENRES,
        {"train": 18, "dev": 9, "test": 6},
    )
    assert (follows.kind, follows.label_names) == ("pair", ("no", "yes"))
    assert follows.n_rows == {"train": 18, "dev": 6, "test": 0}
    assert genre.test is not None
    assert genre.test.labels is None


def test_each_part_is_the_task_that_it_is_by_itself(tmp_path: Path) -> None:
    parts = joint(write_films(tmp_path)).parts
    for name, toml in (("genre", GENRE), ("follows", FOLLOWS)):
        single = load_task(write_films(tmp_path, alone(toml)))
        assert (single, single.notes) == (parts[name], parts[name].notes)


texts = st.text(st.characters(codec="utf-8", exclude_characters=",\"'\\", min_codepoint=33), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(texts, st.sampled_from(GENRES)), min_size=6, max_size=30),
    dev=st.sampled_from(['"genre_dev.csv"', "0.3"]),
    metric=st.sampled_from(["accuracy", "f1_macro", "log_loss"]),
    more=st.sampled_from(["", "weight = 3\n", "weight = 0.5\n"]),
    target=st.sampled_from(["", '[target]\npart = "genre"\n', '[target]\nmean = ["genre"]\n']),
    train_rows=st.sampled_from([None, 4]),
)
def test_one_part_is_the_single_task(
    tmp_path: Path,
    rows: list[tuple[str, str]],
    dev: str,
    metric: str,
    more: str,
    target: str,
    train_rows: int | None,
) -> None:
    """Equal in all that it is, or refused in the same words: its weight and a target of its own change nothing."""
    table = "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)
    part = changed('"genre_dev.csv"', dev, changed('"f1_macro"', f'"{metric}"', GENRE))
    single = alone(part).replace('"genre"', '"films"')
    with_more = HEAD + target + part.replace("[parts.files]", f"{more}[parts.files]", 1)
    found = []
    for toml in (single, with_more):
        path = write_films(tmp_path, toml, genre_train__csv=table)
        try:
            task = load_task(path, train_rows=train_rows)
        except RequestError as error:
            found.append(str(error).removeprefix("films.toml, [[parts]] genre: ").removeprefix("films: "))
        else:
            assert isinstance(task, Task)
            found.append([task.fingerprint, *(getattr(task, field.name) for field in fields(task))])
    assert found[0] == found[1]


def test_the_target_is_the_mean_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    one = joint(write_films(tmp_path, FILMS + '[target]\npart = "follows"\n'))
    assert (one.target.name, one.target.metrics) == ("follows accuracy", (("follows", "accuracy"),))
    mean = joint(write_films(tmp_path, FILMS + '[target]\nmean = ["follows", "genre"]\n'))
    assert mean.target.name == "mean accuracy and f1_macro"
    plain = joint(write_films(tmp_path))
    assert plain.target.of({"genre": {"f1_macro": 0.2}, "follows": {"accuracy": 0.6}}) == pytest.approx(0.4)
    assert len({task.fingerprint for task in (plain, one, mean)}) == 3


def test_kind_need_not_be_said(tmp_path: Path) -> None:
    assert joint(write_films(tmp_path, changed('kind = "multi"\n', ""))) == joint(write_films(tmp_path))


def test_notes_name_their_part(tmp_path: Path) -> None:
    twice = genre_rows(18) + "film 0 left us laughing,comedy\nFilm 0 left us laughing,comedy\n"
    told = joint(write_films(tmp_path, genre_train__csv=twice)).notes
    assert told == (
        "part genre: duplicates among 20 training rows: 2 repeated; drop_duplicates = true under [files] leaves them "
        "out",
        "part genre: texts that differ only in case, accents, width or spacing count as the same",
        "part genre: test is unlabelled: it can be predicted, not judged",
        "part follows: dev is 0.25 of the training rows, stratified (split_seed 0): 6 rows, leaving 18",
    )


def test_duplicates_are_dropped_part_by_part(tmp_path: Path) -> None:
    dropping = changed('test = "genre_test.csv"', "drop_duplicates = true")
    both = genre_rows(18) + genre_rows(9, 100).removeprefix("text,label\n")
    pairs = pair_rows(24) + pair_rows(4)
    task = joint(write_films(tmp_path, dropping, genre_train__csv=both, follows__tsv=pairs))
    assert len(task.parts["genre"].train) == 18
    assert task.notes[0] == "part genre: 9 of 27 training rows left out as duplicates (9 also in dev)"
    assert task.notes[2].startswith("part follows: duplicates among 28 training rows: 4 repeated; ")
    assert task.n_rows["train"] + task.n_rows["dev"] == 18 + 9 + 28


def test_texts_that_judge_one_part_and_train_another_are_told(tmp_path: Path) -> None:
    pairs = pair_rows(24) + "FILM 100 left us weeping\tfilm 200 left us screaming\t0\n"
    told = joint(
        write_films(tmp_path, changed("dev = 0.25", 'dev = "judge.tsv"'), follows__tsv=pairs, judge__tsv=pair_rows(2))
    )
    assert told.notes[-1] == "texts that judge genre and stand in the training rows of follows too: 2"


def test_train_rows_are_those_of_each_part(tmp_path: Path) -> None:
    path = write_films(tmp_path, follows__tsv=pair_rows(8))
    task = joint(path, train_rows=7)
    assert {name: len(part.train) for name, part in task.parts.items()} == {"genre": 7, "follows": 6}
    assert len(task.parts["genre"].dev) == 9
    assert "part genre: 7 of 18 training rows are used (train_rows = 7, stratified)" in task.notes
    with pytest.raises(
        RequestError,
        match=r"^films.toml, \[\[parts\]\] genre: train_rows must be at least the number of labels, 3; it is 2$",
    ):
        load_task(path, train_rows=2)


def test_a_part_of_a_hundred_labels_beside_one_of_two(tmp_path: Path) -> None:
    def rows(text: str) -> str:
        return "text,label\n" + "".join(f"{text} {number},label {number % 100:02}\n" for number in range(300))

    path = write_films(tmp_path, genre_train__csv=rows("some"), genre_dev__csv=rows("other"))
    assert [len(part.label_names) for part in joint(path).parts.values()] == [100, 2]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "follows"', 'name = "genre"', r"films.toml: two of its parts have the name 'genre'"),
        *(
            ('name = "genre"', f"name = {toml_value(name)}", r"number 1: the name of a part is letters and digits")
            for name in ("", "a b", " ", "a/b", "a\\b", "..", ".a", "a.", "a\tb", "a\u3000b", "a:b", "mean", "-", 3)
        ),
        ('name = "genre"\n', "", r"films.toml, \[\[parts\]\] number 1: name must be given, but only kind, metric"),
        (GENRE + FOLLOWS, "", r"films.toml: several tasks .* but there is no \[\[parts\]\]"),
        (GENRE + FOLLOWS, "parts = []", r"films.toml: several tasks .* but there is no \[\[parts\]\]"),
        (GENRE + FOLLOWS, "[parts]\na = 1", r"films.toml: several tasks .* but there is no \[\[parts\]\]"),
        (GENRE + FOLLOWS, "parts = [1]", "films.toml: parts: input should be a valid dictionary"),
        (HEAD, HEAD + 'metric = "auc"\n', r"films.toml: metric belongs to a part, so it is written metric below"),
        (GENRE, '[files]\ntrain = "x"\n' + GENRE, r"files belongs to a part, so it is written \[parts.files\]"),
        ('kind = "multi"', 'kind = "pair"', "films.toml: kind: input should be 'multi', but got 'pair'"),
        ('name = "films"\n', "", "films.toml: name must be given, but only kind, parts is"),
        (HEAD, HEAD + "folds = 3\n", "films.toml: unknown key 'folds'; known: name, kind, parts, target"),
        ("weight = 2.5", "weight = 0", r"\[\[parts\]\] follows: weight: input should be greater than 0, but got 0"),
        ("weight = 2.5", "weight = inf", r"\[\[parts\]\] follows: weight: input should be a finite number"),
        ("weight = 2.5", "weight = true", r"\[\[parts\]\] follows: weight: input should be a valid number"),
        ("weight = 2.5", "wieght = 2.5", r"follows: unknown key 'wieght' \(did you mean 'weight'\?\)"),
        ('"accuracy"', '"acuracy"', r"films.toml, \[\[parts\]\] follows: unknown metric 'acuracy' \(did you mean 'acc"),
        ("pair = 1\n", "", r"films.toml, \[\[parts\]\] follows: pair under \[columns\] belongs to kind 'pair'"),
        ("dev = 0.25", "dev = 1.5", r"films.toml, \[\[parts\]\] follows: dev must be a file or a share"),
        ('label = "label"', "", r"films.toml, \[\[parts\]\] genre, \[columns\]: label must be given"),
        ('"genre_dev.csv"', '"none.csv"', r"films.toml, \[\[parts\]\] genre: data file 'none.csv' is not there"),
        ('names = ["no", "yes"]', 'names = ["no"]', r"\[\[parts\]\] follows: names under \[labels\] must be two"),
    ],
)  # fmt: skip
def test_errors_of_the_task_file(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        load_task(write_films(tmp_path, changed(old, new)))


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ('part = "genres"', r"unknown part 'genres' \(did you mean 'genre'\?\); known: genre, follows"),
        ('mean = ["genre", "plot"]', "unknown part 'plot'; known: genre, follows"),
        ('mean = ["genre", "genre"]', "mean names each part once, but is genre, genre"),
        ("mean = []", "mean: tuple should have at least 1 item"),
        ('mean = ["genre"]\npart = "genre"', "it names one part, or several as mean, but has both"),
        ("", r'it names one part \(part = "NAME"\) or several \(mean = \["NAME", "NAME"\]\)'),
        ('parts = "genre"', r"unknown key 'parts' \(did you mean 'part'\?\)"),
        ("part = 1", "part: input should be a valid string, but got 1"),
    ],
)
def test_a_target_that_is_none(tmp_path: Path, target: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=rf"^films.toml, \[target\]: {sentence}"):
        load_task(write_films(tmp_path, f"{FILMS}[target]\n{target}\n"))


def test_the_target_of_one_part_is_that_part(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"^films.toml, \[target\]: unknown part 'follows'; known: genre$"):
        load_task(write_films(tmp_path, f'{HEAD}{GENRE}[target]\npart = "follows"\n'))


def test_a_mean_of_two_directions_is_refused_where_it_is_the_target(tmp_path: Path) -> None:
    toml = changed('"accuracy"', '"log_loss"')
    why = "a mean of f1_macro and log_loss says nothing: less is better of one alone"
    with pytest.raises(RequestError, match=rf"^films.toml: without \[target\] the mean over all parts counts: {why}$"):
        load_task(write_films(tmp_path, toml))
    with pytest.raises(RequestError, match=rf"^films.toml, \[target\]: {why}$"):
        load_task(write_films(tmp_path, toml + '[target]\nmean = ["genre", "follows"]\n'))
    one = joint(write_films(tmp_path, toml + '[target]\npart = "follows"\n'))
    assert one.target.lower_is_better


def test_ids_are_of_all_parts_or_of_none(tmp_path: Path) -> None:
    numbers = "text,label\n" + "".join(f"{number} 7,{GENRES[number % 3]}\n" for number in range(9))
    files = dict.fromkeys(("genre_train__csv", "genre_dev__csv", "genre_test__csv"), numbers)
    toml = changed('metric = "f1_macro"\n', 'metric = "f1_macro"\nids = true\n')
    with pytest.raises(RequestError, match=r"^films: ids must be true of all parts or of none"):
        load_task(write_films(tmp_path, toml, **files))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"genre_train__csv": genre_rows(1)}, r"training rows must have two labels or more; .* has only 'comedy'"),
        ({"genre_train__csv": "text,label\na,x\nb,x\n"}, r"training rows must have two labels or more; .* only 'x'"),
        ({"genre_dev__csv": "text,label\na,comedies\n"}, r".*genre_dev.csv row 2: unknown label 'comedies'"),
        ({"genre_train__csv": "text,label\n"}, r".*genre_train.csv holds no rows"),
        (
            {"genre_train__csv": "text,label\na,x\nb,\nc,y\n"},
            r"every row needs a label; .*_train.csv row 3 has none",
        ),
    ],
)
def test_errors_of_a_parts_data_name_it(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    with pytest.raises(RequestError, match=rf"^films.toml, \[\[parts\]\] genre: {sentence}"):
        load_task(write_films(tmp_path, **files))


def test_a_metric_that_a_parts_dev_cannot_judge_names_it(tmp_path: Path) -> None:
    rule = "metric matthews needs rows of two labels in dev, but all of its rows have 'comedy'"
    with pytest.raises(RequestError, match=rf"^films.toml, \[\[parts\]\] genre: {rule}$"):
        load_task(write_films(tmp_path, changed('"f1_macro"', '"matthews"'), genre_dev__csv=genre_rows(1)))


def test_every_metric_may_be_a_parts(tmp_path: Path) -> None:
    for metric in OF_CLASSES:
        file = parse_task_file(changed('"accuracy"', f'"{metric}"') + '[target]\npart = "genre"\n', "films.toml")
        assert isinstance(file, JointFile)
        assert [part.metric for part in file.parts.values()] == ["f1_macro", metric]


@pytest.mark.slow  # 14 s
def test_tianchi(shared_data: Path) -> None:
    task = joint(find_task("tianchi"), data_dir=shared_data)
    assert task.target.name == "mean f1_macro"
    assert {name: (part.kind, len(part.label_names), part.n_rows) for name, part in task.parts.items()} == {
        "ocnli": ("pair", 3, {"train": 11491, "dev": 2873, "test": 1500}),
        "ocemotion": ("single", 7, {"train": 28610, "dev": 7063, "test": 1500}),
        "tnews": ("single", 15, {"train": 46535, "dev": 12672, "test": 1500}),
    }
    assert task.parts["ocnli"].train.texts[0].startswith("中国人民")
    left_out = "4152 of 50687 training rows left out as duplicates (2312 also in dev, 544 also in test, 2882 repeated)"
    assert f"part tnews: {left_out}" in task.notes
    assert all(part.test is not None and part.test.labels is None for part in task.parts.values())
    assert not set(task.parts["tnews"].train.texts) & set(task.parts["tnews"].dev.texts)
