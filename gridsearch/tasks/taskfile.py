"""The TOML task: which files, columns, labels and metric; and the way from there to a Task whose rows are checked."""

import json
import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridsearch.errors import RequestError, one_of, validation_sentence
from gridsearch.tasks.built_in import docstring_pairs, docstrings
from gridsearch.tasks.inputs import read_further_texts
from gridsearch.tasks.labelled_file import LabelledFile, by_name, read_labelled_file
from gridsearch.tasks.labels import (
    Labels,
    label_positions,
    position_of_positive,
    positions_of,
    refuse_unfit_metric,
)
from gridsearch.tasks.splits import judge_duplicates, sample_rows, share_out
from gridsearch.tasks.tables import Columns, Format, Table, read_table, read_text, split_lines
from gridsearch.tasks.task import BY_CONTRAST, METRICS, OF_TWO_LABELS, Kind, Split, Task

DOCSTRINGS = docstrings.NAME
"""The task that is meant where none is named."""
WITHOUT_FILES: Mapping[str, Callable[[], Task]] = {
    docstrings.NAME: docstrings.load,
    docstring_pairs.NAME: docstring_pairs.load,
}
"""Tasks without a file, by name: their rows are read from the installed libraries."""

Model = TypeVar("Model", bound=BaseModel)


class Files(BaseModel):
    """Where the rows are, and which of them are used. Paths are relative to the task's folder or to the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: str
    dev: str | float | None = None
    test: str | None = None
    format: Format | None = None
    split_seed: int = 0
    train_rows: int | None = Field(default=None, ge=2)
    drop_duplicates: bool = False


class CorpusFiles(BaseModel):
    """Further texts that a pretraining may read. They are found as the data files are, and have no labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...] = Field(min_length=1)


class OutsideFiles(BaseModel):
    """Pairs that trials may add to their training rows, with a label that the recipe gives them (``outside_pairs``).

    They are found as the data files are; what is read of a label column is nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...] = Field(min_length=1)


class VocabularyFiles(BaseModel):
    """What is known of the vocabulary of encoders: how often each token occurred in what they were pretrained on.

    ``counts`` is a JSON object from token to count, and is found as the data files are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    counts: str


class TaskFile(BaseModel):
    """A task as its TOML file states it: nothing of its data has been read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    kind: Kind
    metric: str
    files: Files
    columns: Columns
    labels: Labels = Labels()
    corpus: CorpusFiles | None = None
    outside: OutsideFiles | None = None
    ids: bool = Field(default=False, strict=True)
    vocabulary: VocabularyFiles | None = None


def load_task(name_or_path: str | Path, data_dir: Path | None = None, train_rows: int | None = None) -> Task:
    """Read a task: by its name if it has no file (WITHOUT_FILES), else from a TOML file.

    Data files are found beside the TOML file, else below ``data_dir``, else below ``$GRIDSEARCH_DATA``.
    ``train_rows`` overrules the file's own: a stratified sample of the training rows, for quick studies.

    Raises:
        RequestError: anything that is wrong with the task or its data, in one sentence with file and row.
    """
    if load := WITHOUT_FILES.get(str(name_or_path)):
        return _judgeable(_sampled(load(), train_rows, 0))
    path = Path(name_or_path)
    file = parse_task_file(_read_toml(path), path.name)
    folders = [path.parent, *([data_dir] if data_dir else []), *_folder_of_environment()]
    n_rows = file.files.train_rows if train_rows is None else train_rows
    return _judgeable(_sampled(_assemble(file, folders), n_rows, file.files.split_seed))


def parse_task_file(text: str, name: str) -> TaskFile:
    """Check the text of a task file; ``name`` is what the file is called in messages."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{name} is not TOML: {error}") from None
    if raw.get("kind") == "multi":
        rule = "kind must be single or pair; several tasks that share one encoder (multi) cannot be read yet"
        raise RequestError(f"{name}: {rule}")
    sections: dict[str, type[BaseModel]] = {
        "files": Files,
        "columns": Columns,
        "labels": Labels,
        "corpus": CorpusFiles,
        "outside": OutsideFiles,
        "vocabulary": VocabularyFiles,
    }
    parsed = {key: _section(raw[key], model, f"{name}, [{key}]") for key, model in sections.items() if key in raw}
    file = _section({**raw, **parsed}, TaskFile, name)
    if file.metric not in METRICS:
        raise RequestError(f"{name}: {one_of('metric', file.metric, METRICS)}")
    _refuse_contradictions(file, name)
    return file


def find_file(file: str, folders: Sequence[Path]) -> Path:
    """Return the first of ``folder / file`` that exists; raise RequestError naming every place that was looked in."""
    places = [folder / Path(file).expanduser() for folder in folders]
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(dict.fromkeys(map(str, places)))
    raise RequestError(
        f"data file {file!r} is not there; looked for {looked}; name its folder with --data-dir or GRIDSEARCH_DATA"
    )


def _read_toml(path: Path) -> str:
    if not path.is_file():
        known = ", ".join(map(repr, WITHOUT_FILES))
        raise RequestError(f"a task is {known} or a TOML file; there is no file {str(path)!r}")
    return read_text(path)


def _folder_of_environment() -> list[Path]:
    chosen = os.environ.get("GRIDSEARCH_DATA")
    return [Path(chosen)] if chosen else []


def _section(raw: object, model: type[Model], where: str) -> Model:
    if not isinstance(raw, dict):
        raise RequestError(f"{where} must be a table of keys, but is {raw!r}")
    for key in raw:
        if key not in model.model_fields:
            raise RequestError(f"{where}: {one_of('key', key, list(model.model_fields))}")
    for key, field in model.model_fields.items():
        if field.is_required() and key not in raw:
            raise RequestError(f"{where}: {key} must be given, but only {', '.join(raw) or 'nothing'} is")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise RequestError(f"{where}: {validation_sentence(error)}") from None


def _refuse_contradictions(file: TaskFile, name: str) -> None:
    if (file.kind == "pair") != (file.columns.pair is not None):
        rule = "pair under [columns] belongs to kind 'pair' and to no other"
        raise RequestError(f"{name}: {rule}; kind is {file.kind!r}, pair is {file.columns.pair!r}")
    if file.columns.label in (file.columns.text, file.columns.pair):
        raise RequestError(f"{name}: label must be a column of its own, but {file.columns.label!r} holds a text too")
    if isinstance(file.files.dev, float) and not 0 < file.files.dev < 1:
        raise RequestError(f"{name}: dev must be a file or a share between 0 and 1, but is {file.files.dev}")
    if file.vocabulary is not None and not file.ids:
        raise RequestError(f"{name}: [vocabulary] says how ids become tokens; it belongs to ids = true and to no other")
    if file.outside is not None and file.kind != "pair":
        rule = "[outside] names files of pairs; it belongs to kind 'pair' and to no other"
        raise RequestError(f"{name}: {rule}; kind is {file.kind!r}")
    if file.labels.names is not None and file.labels.file is not None:
        raise RequestError(f"{name}: [labels] takes names or file, but has both")
    if file.labels.positive is not None and file.metric not in OF_TWO_LABELS:
        rule = f"positive under [labels] belongs to metric {' or '.join(OF_TWO_LABELS)}"
        raise RequestError(f"{name}: {rule}; metric is {file.metric}, which treats all labels alike")


def _assemble(file: TaskFile, folders: Sequence[Path]) -> Task:
    """Read the files, match the labels, judge the duplicates, and split off dev where it is a share."""
    tables = _read_tables(file, folders)
    columns = by_name(file.columns, tables["train"])
    files = {
        name: read_labelled_file(
            table, columns, file.kind, file.labels.ignore, may_lack_labels=name == "test", ids=file.ids
        )
        for name, table in tables.items()
    }
    names, splits = _with_labels(files, _given_names(file.labels, folders))
    refuse_unfit_metric(file.metric, names)
    positive = position_of_positive(file.labels.positive, names)
    train, notes = judge_duplicates(splits.pop("train"), splits, file.files.drop_duplicates)
    if isinstance(file.files.dev, float):
        train, splits["dev"] = share_out(train, file.files.dev, file.files.split_seed)
        share = f"{file.files.dev:g} of the training rows, stratified (split_seed {file.files.split_seed})"
        notes.append(f"dev is {share}: {len(splits['dev'])} rows, leaving {len(train)}")
    dev = splits.get("dev", train.without_rows())
    task = Task(file.name, file.kind, file.metric, names, train, dev, splits.get("test"), positive=positive)
    notes = [note for one in files.values() for note in one.notes] + notes + _notes_on_labels(task)
    task = replace(
        task,
        corpus_files=_read_further(file.corpus, file, columns, folders),
        outside=_read_outside(file, columns, folders),
        ids=file.ids,
        token_counts=_read_counts(file, folders),
    )
    told = [f"each text is ids: {len(task.id_counts)} different numbers"] if task.ids else []
    if n_outside := sum(map(len, task.outside)):
        told.append(f"{n_outside} outside pairs can be added to the training rows (outside_pairs)")
    return replace(task, notes=(*notes, *told))


def _judgeable(task: Task) -> Task:
    """Refuse what only shows after duplicates are dropped and dev is split off: a label is left alone in its split."""
    if sum(count > 0 for count in task.label_counts) < 2:
        n_left = len(task.train)
        raise RequestError(f"{task.name}: train needs rows of two labels, but {n_left} rows of fewer are left in it")
    if task.metric in BY_CONTRAST:
        wanted = "both labels" if len(task.label_names) == 2 else "two labels"
        for name, held in task.labels_held.items():
            if len(held) < 2:
                rule = f"metric {task.metric} needs rows of {wanted} in {name}"
                raise RequestError(f"{task.name}: {rule}, but all of its rows have {task.label_names[held[0]]!r}")
    return task


def _read_tables(file: TaskFile, folders: Sequence[Path]) -> dict[str, Table]:
    paths = {"train": file.files.train, "dev": file.files.dev, "test": file.files.test}
    found = {name: find_file(path, folders) for name, path in paths.items() if isinstance(path, str)}
    return {name: read_table(path, file.columns, file.files.format) for name, path in found.items()}


def _read_further(
    section: CorpusFiles | OutsideFiles | None, file: TaskFile, columns: Columns, folders: Sequence[Path]
) -> tuple[Split, ...]:
    paths = [find_file(path, folders) for path in (section.files if section else ())]
    return tuple(read_further_texts(path, columns, file.kind, file.files.format, ids=file.ids) for path in paths)


def _read_outside(file: TaskFile, columns: Columns, folders: Sequence[Path]) -> tuple[Split, ...]:
    splits = _read_further(file.outside, file, columns, folders)
    for name, split in zip(file.outside.files if file.outside else (), splits, strict=True):
        if split.pairs is None:
            raise RequestError(f"files under [outside] hold two texts a row, which {name} does not tell apart")
    return splits


def _read_counts(file: TaskFile, folders: Sequence[Path]) -> dict[str, int]:
    if file.vocabulary is None:
        return {}
    path = find_file(file.vocabulary.counts, folders)
    try:
        counts = json.loads(read_text(path))
    except ValueError as error:
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
    files: Mapping[str, LabelledFile], given: tuple[str, ...] | None
) -> tuple[tuple[str, ...], dict[str, Split]]:
    """Return the labels' names, and every split with its labels as positions; an unlabelled test has none."""
    train = files["train"].labels
    if train is None:  # reading it has been refused
        raise ValueError("training rows have labels")
    names, known = label_positions(train, given)
    splits = {}
    for name, one in files.items():
        unlabelled = one.labels is None or (name == "test" and one.labels.is_unlabelled)
        labels = None if one.labels is None or unlabelled else positions_of(one.labels, known)
        splits[name] = replace(one.split, labels=labels)
    return names, splits


def _notes_on_labels(task: Task) -> list[str]:
    """Tell which labels a split lacks, and whether the test can judge."""
    notes = ["test is unlabelled: it can be predicted, not judged"] if task.test and task.test.labels is None else []
    held_in_train = tuple(position for position, count in enumerate(task.label_counts) if count)
    for split, held in {"train": held_in_train, **task.labels_held}.items():
        if absent := [name for position, name in enumerate(task.label_names) if position not in set(held)]:
            notes.append(f"no {split} row has the label {', '.join(absent)}")
    return notes


def _sampled(task: Task, n_rows: int | None, seed: int) -> Task:
    if n_rows is None:
        return task
    train = sample_rows(task.train, n_rows, seed)
    note = f"{len(train)} of {len(task.train)} training rows are used (train_rows = {n_rows}, stratified)"
    return replace(task, train=train, notes=(*task.notes, note))
