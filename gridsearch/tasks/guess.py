"""The work behind ``gridsearch init``: your data files become a task file, whose every guess is told and checked."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError
from gridsearch.tasks.columns.kinds import (
    OF_NUMBERS,
    OF_SEVERAL,
    are_signs,
    separator_of,
    told_of_columns,
    told_of_scores,
    told_of_several,
)
from gridsearch.tasks.columns.labels import label_cautions, told_of_numbers
from gridsearch.tasks.columns.names import is_split
from gridsearch.tasks.judging.labelling import POSITIVE
from gridsearch.tasks.labelled_file import are_ids
from gridsearch.tasks.labels import Labels, sorted_labels
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.parts.part_file import Files, Stated, TaskFile
from gridsearch.tasks.roles import GUESS_ALL, NO_PAIR, Profile, Roles, Wanted, guess_roles, shorten
from gridsearch.tasks.tables.encoding import doubt, is_certain
from gridsearch.tasks.tables.folders import by_role, splits_in
from gridsearch.tasks.tables.layout import Layout
from gridsearch.tasks.tables.read import read_unknown
from gridsearch.tasks.tables.table import Columns
from gridsearch.tasks.tables.unpacked import read_bytes
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import parse_task_file, read_task
from gridsearch.whole_file import whole_file

FIRST_COMMENT = "Guessed from the data by `gridsearch init`; correct here what is wrong."
CAUTION = "caution"
DEV_SHARE = 0.1
BALANCED_RATIO = 1.5  # of the most frequent label to the rarest: below it, accuracy cannot be had by ignoring a label
COMMON_NAMES = ("train", "training", "data", "dataset", "all")
N_LABELS_SHOWN = 12
N_COLUMNS_DESCRIBED = 8  # of more, only the names are told
NO_LABEL = "-"  # of rows on which annotators did not agree, as in SNLI and OCNLI
IDS_TOLD = "ids = true: every text is whole numbers separated by spaces, so each number is a word of its own"
MAY_BE_NO_LABEL = frozenset({"-1", "-1.0", "?", "none", "null", "nil", "nan", "na", "n/a", "#n/a", "<na>", "nat"})
"""As programs spell a missing value, in lower case; -1 and ? are customs of data sets."""


def guess_task(
    files: Sequence[Path], name: str | None = None, wanted: Wanted = GUESS_ALL
) -> tuple[TaskFile, list[str]]:
    """Guess the task of one to three data files (train, dev, test); return it with sentences that tell every guess.

    What is ``wanted`` is not guessed. Sentences that begin with ``CAUTION`` are what a user has to know. One folder of
    several splits, as datasets saves them, stands for those of its splits that have these roles. Paths in the result
    are those given; ``write_toml`` makes them relative to the file that it writes.

    Raises:
        RequestError: no or too many files, a file without a regular table, a first row that may name the columns or
            not, no column that can be label or text, or none that is called as is wanted.
    """
    if not 1 <= len(files) <= 3:
        raise RequestError(f"init takes one to three data files (train, dev, test), but got {len(files)}")
    splits = splits_in(files[0]) if len(files) == 1 else {}
    found = by_role(splits, files[0]) if splits else dict(zip(("train", "dev", "test"), files, strict=False))
    train, table = found["train"], read_unknown(found["train"], header=wanted.header)
    layout, roles = table.layout, guess_roles(table, wanted)
    n_rows = len(roles.label.values)
    if wanted.drop_unlabelled and not roles.further_labels:
        roles = replace(roles, label=roles.label.without_empty())
    label = _LABELS[wanted.kind](roles, wanted)
    task = TaskFile(
        name=name or _name_of(train),
        kind=wanted.kind if wanted.kind != "class" else "pair" if roles.pair else "single",
        metric=wanted.metric or label.metric,
        files=Files(
            train=str(train),
            dev=str(found["dev"]) if "dev" in found else DEV_SHARE,
            test=str(found["test"]) if "test" in found else None,
            format=layout.format,
        ),
        columns=Columns(**_written(layout), **_keys(roles)),
        labels=Labels(ignore=label.ignored, drop_unlabelled=wanted.drop_unlabelled, separator=label.separator),
        ids=_are_all_ids(roles),
    )
    told = [*_sentences(train, layout, roles, n_rows), *label.told, *_not_used(roles)]
    told += [IDS_TOLD] if task.ids else []
    told += [f"{split} is not read" for split in splits.values() if split not in found.values()]
    cautions = [f"{CAUTION}: {text}" for text in (*label.cautions, *_cautions(roles))]
    reasons = [label.reason] if wanted.metric is None else []
    return task, [*told, *reasons, *_sentence_on_dev(task), *label.hints, *cautions]


@dataclass(frozen=True)
class _Label:
    """What is guessed and told of the label: why this metric, what the column holds, which rows have none."""

    metric: str
    reason: str
    told: Sequence[str]
    ignored: tuple[str, ...] = ()
    separator: str | None = None
    hints: Sequence[str] = ()
    cautions: Sequence[str] = ()


def _classes(roles: Roles, wanted: Wanted) -> _Label:
    label, ignored = roles.label, _ignored(roles.label)
    n_missing, values = label.counts[""], label.without_empty().counts
    counts = {value: count for value, count in values.items() if value not in ignored}
    shown = ", ".join(f"{shorten(name)} ({count})" for name, count in values.most_common(N_LABELS_SHOWN))
    more = f" and {len(values) - N_LABELS_SHOWN} more" if len(values) > N_LABELS_SHOWN else ""
    told = [f"label is {label.name} with {len(values)} values: {shown}{more}", *_about_label(roles)]
    told += [f"{n_missing} rows have no label"] if n_missing else []
    cautions = label_cautions(label.name, counts)
    return _Label(*_metric(list(counts.values())), told, ignored, hints=_hints(label), cautions=cautions)


def _several(roles: Roles, wanted: Wanted) -> _Label:
    if roles.further_labels:
        names, columns = [one.name for one in roles.labels], [one.values for one in roles.labels]
        return _Label(*OF_SEVERAL, [told_of_columns(names, columns)])
    cells = [value.strip() for value in roles.label.values]
    separator = wanted.separator or separator_of(cells, roles.label.name)
    told = [told_of_several(cells, roles.label.name, separator)]
    empty = "empty_is_none = true under [labels] says that a row without any label is no row without an answer"
    return _Label(*OF_SEVERAL, told, separator=separator, hints=[empty] if "" in cells else [])


def _numbers(roles: Roles, wanted: Wanted) -> _Label:
    return _Label(*OF_NUMBERS, [told_of_scores([value.strip() for value in roles.label.values], roles.label.name)])


_LABELS = {"class": _classes, "multilabel": _several, "score": _numbers}


def write_toml(task: TaskFile, path: Path, sentences: Sequence[str] = (), overwrite: bool = False) -> Task:
    """Write a task file with its guesses as comments, after reading it back with all its data; return what was read.

    Nothing is written where reading fails: the error tells what has to be changed.

    Raises:
        RequestError: the file exists already, or the data does not fit what was guessed.
    """
    read = write_text(toml_text(relative(task, path.parent), [FIRST_COMMENT, *sentences]), path, overwrite=overwrite)
    assert isinstance(read, Task), "it states no parts"
    return read


def write_text(text: str, path: Path, *, overwrite: bool) -> AnyTask:
    """Write the text of a task file, after reading it with all its data; return what was read. See `write_toml`."""
    if path.exists() and not overwrite:
        raise RequestError(
            f"init writes a new file, but {path} exists; give another name with -o, or replace it with --force"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    read = read_task(parse_task_file(text, path.name), path)
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
    return read


def toml_text(task: TaskFile, sentences: Sequence[str] = ()) -> str:
    """Return a task as the text of a TOML file: sentences as comments, then every key that is not its default."""
    return "\n".join([*map(comment, sentences), *toml_lines(task)]) + "\n"


def toml_lines(task: TaskFile, above: str = "") -> list[str]:
    """Return the lines of a task; the names of its sections begin with ``above``."""
    lines = [f"{key} = {toml_value(getattr(task, key))}" for key in ("name", "kind", "metric")]
    lines += ["ids = true"] if task.ids else []
    for title, section in (("files", task.files), ("columns", task.columns), ("labels", task.labels)):
        fields = type(section).model_fields
        told = {key: value for key, value in section.model_dump().items() if value != fields[key].default}
        if title == "columns" and task.columns.separator is not None:
            told = {"separator": task.columns.separator, "header": task.columns.header, **told}
        head = ["", f"[{above}{title}]"] if told else []
        lines += [*head, *(f"{key} = {toml_value(value)}" for key, value in told.items())]
    return lines


def comment(sentence: str) -> str:
    """Write a sentence as a comment, which ends where the line does."""
    return "# " + "".join(letter if letter.isprintable() else " " for letter in sentence)


def toml_value(value: object) -> str:
    """Write a string, number, truth value or list as TOML. JSON's escapes are TOML's, but for one character.

    >>> print(toml_value(["it's", 0.1, True]))
    ["it's", 0.1, true]
    """
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _written(layout: Layout) -> dict[str, Any]:
    """Return what of a layout a task file states: nothing on quotes where there is none."""
    quoting = "single" if layout.quoting and layout.quote == "'" else layout.quoting
    encoding = layout.encoding or "utf-8"
    return {"separator": layout.separator, "header": layout.header, "quoting": quoting, "encoding": encoding}


def _keys(roles: Roles) -> dict[str, Any]:
    return {"text": roles.text.key, "pair": roles.pair.key if roles.pair else None, "label": _label_keys(roles)}


def _label_keys(roles: Roles) -> int | str | tuple[int | str, ...]:
    return tuple(one.key for one in roles.labels) if roles.further_labels else roles.label.key


def _are_all_ids(roles: Roles) -> bool:
    return all(are_ids(text) for profile in (roles.text, roles.pair) if profile for text in profile.values)


def _name_of(train: Path) -> str:
    parent = train.absolute().parent.name
    return parent if train.stem.lower() in COMMON_NAMES and parent else train.stem


def relative(task: Stated, folder: Path) -> Stated:
    """Make the paths relative to the task file's folder, so that both can be moved together."""

    def seen_from_there(file: str) -> str:
        place = Path(file).parent.resolve() / Path(file).name  # a link keeps its own name, whose extension counts
        try:
            return Path(os.path.relpath(place, folder.resolve())).as_posix()
        except ValueError:  # another drive of a Windows machine
            return str(place)

    paths = {part: getattr(task.files, part) for part in ("train", "dev", "test")}
    changes = {part: seen_from_there(file) for part, file in paths.items() if isinstance(file, str)}
    return task.model_copy(update={"files": task.files.model_copy(update=changes)})


def _metric(counts: Sequence[int]) -> tuple[str, str]:
    most, least = max(counts), min(counts)
    if most <= BALANCED_RATIO * least:
        return "accuracy", "metric accuracy: the labels are about equally frequent"
    return (
        "f1_macro",
        f"metric f1_macro: the labels are not equally frequent ({most} rows to {least}), and each counts alike",
    )


def _sentences(train: Path, layout: Layout, roles: Roles, n_rows: int) -> list[str]:
    sentences = [f"{train.name}: {n_rows} rows, {_layout(layout)}"]
    if layout.encoding and not is_certain(layout.encoding):
        sentences.append(str(doubt(read_bytes(train), layout.encoding)))
    for role, profile in (("text", roles.text), ("pair", roles.pair)):
        if profile:
            sentences.append(f"{role} is {profile.name}, for example {shorten(profile.values[0])!r}")
    sentences += _about_pair(roles)
    return sentences


def _not_used(roles: Roles) -> list[str]:
    """Say which columns are not used, and which of them look like labels beside the label."""
    are_few = len(roles.others) <= N_COLUMNS_DESCRIBED
    others = ", ".join(profile.gist() if are_few else profile.name for profile in roles.others)
    told = [f"not used: {others}"] if roles.others else []
    signs = [profile.name for profile in roles.others if are_signs(profile.values)]
    if signs and not roles.further_labels and are_signs(roles.label.values):
        also = f"{' and '.join(signs)} {'hold' if len(signs) > 1 else 'holds'} 0 and 1 as {roles.label.name} does"
        remedy = "--kind multilabel with a --label for each reads them as several labels a row"
        told.append(f"{also}: {remedy}")
    return told


def _about_pair(roles: Roles) -> list[str]:
    """Say what becomes of two texts that stand side by side, and how the other choice is made."""
    if roles.pair is not None:
        return [f"a pair: the two are read together in each row; --pair {NO_PAIR} reads {roles.text.name} alone"]
    beside = [profile for profile in roles.others if profile.could_be_text]
    names = " and ".join(profile.name for profile in beside)
    if not beside:
        return []
    holds = f"{names} holds" if len(beside) == 1 else f"{names} hold"
    return [f"{holds} texts too, which are not read; --pair COLUMN reads one of them beside {roles.text.name}"]


def _about_label(roles: Roles) -> list[str]:
    """Say what speaks for another label, and what becomes of numbers."""
    rivals = [profile.name for profile in roles.others if profile.could_be_label and not profile.is_no_label]
    if len(rivals) > N_COLUMNS_DESCRIBED:
        rivals = [*rivals[:N_COLUMNS_DESCRIBED], f"{len(rivals) - N_COLUMNS_DESCRIBED} others"]
    told = []
    if not roles.by_name and (rivals or roles.label.plain_name):
        also = f"; {' and '.join(rivals)} could be it too" if rivals else ""
        few = f"only its few values say that {roles.label.name} is the label"
        told.append(f"{few}{also}; --label COLUMN names another")
    numbers = told_of_numbers([value for value in roles.label.counts if value not in _ignored(roles.label)])
    return [*told, *([numbers] if numbers else [])]


def _cautions(roles: Roles) -> list[str]:
    """Say what the task may not be meant for."""
    told = []
    for profile in roles.others:
        if is_split(list(profile.counts)):
            rule = "all rows are taken as training rows; give each split a file of its own: init TRAIN DEV TEST"
            told.append(f"{profile.name} says which rows are train, dev or test, but {rule}")
    return told


def _layout(layout: Layout) -> str:
    by_name = ["columns by name"] if layout.separator is None else []
    return ", ".join([*by_name, *layout.told().values()])


def _sentence_on_dev(task: TaskFile) -> list[str]:
    """Say which file dev is; of a share, whoever reads the task says how many rows it is."""
    if isinstance(task.files.dev, float):
        return []
    return ["there is no dev" if task.files.dev is None else f"dev is {Path(task.files.dev).name}"]


def _hints(label: Profile) -> list[str]:
    """Tell which value is taken for no label, which others may stand for none, and which of two is the positive one."""
    ignored = [f"{label.counts[value]} rows with the label {value!r} are left out" for value in _ignored(label)]
    found = [value for value in label.counts if value.lower() in MAY_BE_NO_LABEL]
    remedy = "if that means none, list it as ignore under [labels]"
    told = [f"{label.counts[value]} rows have the label {value!r}: {remedy}" for value in found]
    names = sorted_labels(value for value in label.counts if value not in _ignored(label))
    if len(names) == 2:
        other = "the other one has to be named as positive under [labels]"
        told.append(
            f"of the two labels {shorten(names[POSITIVE])!r} is the positive one, should metric be f1_binary; {other}"
        )
    return ignored + told


def _ignored(label: Profile) -> tuple[str, ...]:
    return (NO_LABEL,) if NO_LABEL in label.counts and len(label.counts) > 2 else ()
