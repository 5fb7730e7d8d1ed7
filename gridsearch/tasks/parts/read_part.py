"""From what a TOML file states of a part to a Task whose rows are checked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.tasks.inputs import read_further_texts
from gridsearch.tasks.judging.codes import CLASSES, Codes, code_numbers, code_several
from gridsearch.tasks.judging.judge import is_defined
from gridsearch.tasks.judging.labelling import BY_CONTRAST, SCORE
from gridsearch.tasks.labelled_file import LabelledFile, by_name, read_labelled_file
from gridsearch.tasks.labels import (
    LEAVE_OUT,
    NO_PART_OF_TEST,
    LabelColumn,
    Labels,
    label_positions,
    position_of_positive,
    positions_of,
    refuse_unfit_metric,
)
from gridsearch.tasks.parts.part_file import CorpusFiles, OutsideFiles, TaskFile
from gridsearch.tasks.splits import judge_duplicates, sample_rows, share_out
from gridsearch.tasks.tables.folders import holds_table
from gridsearch.tasks.tables.read import read_other, read_table
from gridsearch.tasks.tables.table import Columns, Table
from gridsearch.tasks.tables.text import read_text, split_lines
from gridsearch.tasks.task import Split, Task


def read_part(file: TaskFile, folders: Sequence[Path], train_rows: int | None) -> Task:
    """Read the files of a part, found in the first of these folders that has them. ``train_rows`` overrules its own.

    Raises:
        RequestError: what is wrong with the data, in one sentence with file and row.
    """
    n_rows = file.files.train_rows if train_rows is None else train_rows
    return sampled(_assemble(file, folders), n_rows, file.files.split_seed)


def judgeable(task: Task, where: str) -> Task:
    """Refuse what only shows after duplicates are dropped and dev is split off: a label is left alone in its split.

    ``where`` is what messages call the task.
    """
    if task.labels_are != "class":
        _refuse_what_does_not_differ(task, where)
        return task
    if sum(count > 0 for count in task.label_counts) < 2:
        n_left = len(task.train)
        raise RequestError(f"{where}: train needs rows of two labels, but {n_left} rows of fewer are left in it")
    if task.metric in BY_CONTRAST:
        wanted = "both labels" if len(task.label_names) == 2 else "two labels"
        for name, held in task.labels_held.items():
            if len(held) < 2:
                rule = f"metric {task.metric} needs rows of {wanted} in {name}"
                raise RequestError(f"{where}: {rule}, but all of its rows have {task.label_names[held[0]]!r}")
    return task


def _refuse_what_does_not_differ(task: Task, where: str) -> None:
    """Refuse training rows that have all the same labels, or the same number; and such that cannot judge."""
    several = task.labels_are == "multilabel"
    what, alike = ("labels", "the same labels") if several else ("scores", "the same score")
    if len(set(task.train.labels or ())) < 2:
        rule = f"{where}: train needs rows of different {what}"
        raise RequestError(f"{rule}, but all {len(task.train)} rows that are left in it have {alike}")
    for name, split in (("dev", task.judged), ("test", task.test)):
        truth = None if split is None else task.truth(split)
        if truth is not None and len(truth) and not is_defined(task.metric, truth, task.labelling):
            rule = f"{where}: metric {task.metric} needs rows of different {what} in {name}"
            raise RequestError(f"{rule}, but of its {len(truth)} rows it is undefined")


def sampled(task: Task, n_rows: int | None, seed: int) -> Task:
    """Return the task with a stratified sample of its training rows, which a note tells; without a number, with all."""
    if n_rows is None:
        return task
    train = sample_rows(task.train, n_rows, seed, task.strata)
    note = f"{len(train)} of {len(task.train)} training rows are used (train_rows = {n_rows}, stratified)"
    return replace(task, train=train, notes=(*task.notes, note))


def find_file(file: str, folders: Sequence[Path]) -> Path:
    """Return the first of ``folder / file`` that exists; raise RequestError naming every place that was looked in."""
    places = [folder / Path(file).expanduser() for folder in folders]
    for place in places:
        if place.is_file() or holds_table(place):
            return place
    looked = ", ".join(dict.fromkeys(map(str, places)))
    raise RequestError(
        f"data file {file!r} is not there; looked for {looked}; name its folder with --data-dir or GRIDSEARCH_DATA"
    )


def _assemble(file: TaskFile, folders: Sequence[Path]) -> Task:
    """Read the files, match the labels, judge the duplicates, and split off dev where it is a share."""
    tables, columns = _read_tables(file, folders)
    several = file.labels_are == "multilabel"
    files = {
        name: read_labelled_file(
            table, columns, file.kind_of_rows, file.labels, name == "test", ids=file.ids, several=several
        )
        for name, table in tables.items()
    }
    names, codes, splits = _with_labels(files, file, columns, _given_names(file.labels, folders))
    if file.labels_are == "class":
        refuse_unfit_metric(file.metric, names)
    positive = position_of_positive(file.labels.positive, names)
    train, notes = judge_duplicates(splits.pop("train"), splits, file.files.drop_duplicates)
    if isinstance(file.files.dev, float):
        strata = codes.strata(train.labels or ())
        train, splits["dev"] = share_out(train, file.files.dev, file.files.split_seed, strata)
        share = f"{file.files.dev:g} of the training rows, stratified (split_seed {file.files.split_seed})"
        notes.append(f"dev is {share}: {len(splits['dev'])} rows, leaving {len(train)}")
    dev = splits.get("dev", train.without_rows())
    task = Task(
        file.name,
        file.kind_of_rows,
        file.metric,
        names,
        train,
        dev,
        splits.get("test"),
        positive=positive,
        codes=codes,
        label_separator=file.labels.separator,
        empty_is_none=file.labels.empty_is_none,
    )
    notes = [note for one in files.values() for note in one.notes] + notes + _notes_on_labels(task)
    corpus, on_corpus = _read_further(file.corpus, file, columns, folders, tables["train"])
    outside, on_outside = _read_outside(file, columns, folders, tables["train"])
    counts = _read_counts(file, folders)
    task = replace(task, corpus_files=corpus, outside=outside, ids=file.ids, token_counts=counts)
    told = [*on_corpus, *on_outside]
    told += [f"each text is ids: {len(task.id_counts)} different numbers"] if task.ids else []
    if n_outside := sum(map(len, task.outside)):
        told.append(f"{n_outside} outside pairs can be added to the training rows (outside_pairs)")
    return replace(task, notes=(*notes, *told))


def _read_tables(file: TaskFile, folders: Sequence[Path]) -> tuple[dict[str, Table], Columns]:
    """Read train as the task says that it is written, and the others beside it; return them, and columns by name.

    A row that is empty in every column is none in train and dev. In test it is one that has to be predicted.
    """
    train = read_table(find_file(file.files.train, folders), file.columns, file.files.format)
    columns = by_name(file.columns, train)
    tables = {"train": train.without_empty_rows()}
    if isinstance(file.files.dev, str):
        dev = read_other(find_file(file.files.dev, folders), columns, file.files.format, train)
        tables["dev"] = dev.without_empty_rows()
    if file.files.test is not None:
        tables["test"] = read_other(find_file(file.files.test, folders), columns, file.files.format, train)
    return tables, columns


def _read_further(
    section: CorpusFiles | OutsideFiles | None, file: TaskFile, columns: Columns, folders: Sequence[Path], train: Table
) -> tuple[tuple[Split, ...], list[str]]:
    """Return the texts of each file, and what is to be said of how they are written."""
    paths = [find_file(path, folders) for path in (section.files if section else ())]
    read = [
        read_further_texts(path, columns, file.kind_of_rows, file.files.format, train, ids=file.ids) for path in paths
    ]
    return tuple(split for split, _ in read), [note for _, notes in read for note in notes]


def _read_outside(
    file: TaskFile, columns: Columns, folders: Sequence[Path], train: Table
) -> tuple[tuple[Split, ...], list[str]]:
    splits, notes = _read_further(file.outside, file, columns, folders, train)
    for name, split in zip(file.outside.files if file.outside else (), splits, strict=True):
        if split.pairs is None:
            raise RequestError(f"files under [outside] hold two texts a row, which {name} does not tell apart")
    return splits, notes


def _read_counts(file: TaskFile, folders: Sequence[Path]) -> dict[str, int]:
    if file.vocabulary is None:
        return {}
    path = find_file(file.vocabulary.counts, folders)
    try:
        counts = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{path} is not JSON: {error}") from None
    rule = "counts under [vocabulary] must be a JSON object from tokens to how often they occur"
    if not isinstance(counts, dict) or not counts:
        raise RequestError(f"{rule}; {path} is none")
    for token, count in counts.items():
        if type(count) is not int or count < 0:
            raise RequestError(f"{rule}; in {path} that of {token!r} is {count!r}")
    return counts


def _given_names(labels: Labels, folders: Sequence[Path]) -> tuple[str, ...] | None:
    if labels.file is None:
        return labels.names
    lines = split_lines(read_text(find_file(labels.file, folders)))
    return tuple(line.strip() for line in lines if line.strip())


def _with_labels(
    files: Mapping[str, LabelledFile], file: TaskFile, columns: Columns, given: tuple[str, ...] | None
) -> tuple[tuple[str, ...], Codes, dict[str, Split]]:
    """Return the labels' names, what codes stand for, and every split with its labels; an unlabelled test has none."""
    cells = {name: one.labels for name, one in files.items()}
    labels: Mapping[str, tuple[int, ...] | None]
    if file.labels_are == "multilabel":
        of_columns = tuple(map(str, columns.label)) if isinstance(columns.label, tuple) else ()
        names, codes, labels = code_several(cells, file.labels, given, of_columns)
    elif file.labels_are == "score":
        names, (codes, labels) = (SCORE,), code_numbers(cells)
    else:
        names, labels = _classes(cells, given)
        codes = CLASSES
    return names, codes, {name: replace(one.split, labels=labels[name]) for name, one in files.items()}


def _classes(
    cells: Mapping[str, LabelColumn | None], given: tuple[str, ...] | None
) -> tuple[tuple[str, ...], dict[str, tuple[int, ...] | None]]:
    """Return the names of classes, and the position of each row's in each split."""
    train = cells["train"]
    if train is None:  # reading it has been refused
        raise ValueError("training rows have labels")
    names, known = label_positions(train, given)
    positions: dict[str, tuple[int, ...] | None] = {}
    for name, column in cells.items():
        unlabelled = column is None or (name == "test" and column.is_unlabelled)
        remedy = NO_PART_OF_TEST if name == "test" else LEAVE_OUT
        positions[name] = None if column is None or unlabelled else positions_of(column, known, remedy)
    return names, positions


def _notes_on_labels(task: Task) -> list[str]:
    """Tell which labels a split lacks, and whether the test can judge."""
    notes = ["test is unlabelled: it can be predicted, not judged"] if task.test and task.test.labels is None else []
    if task.labels_are == "score":
        return notes
    held_in_train = tuple(position for position, count in enumerate(task.label_counts) if count)
    for split, held in {"train": held_in_train, **task.labels_held}.items():
        if absent := [name for position, name in enumerate(task.label_names) if position not in set(held)]:
            notes.append(f"no {split} row has the label {', '.join(absent)}")
    return notes
