"""Folders that are one table: what Hugging Face datasets saves to disk, and Parquet in several part files."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.arrow import read_arrow
from gridsearch.tasks.tables.parquet import read_parquet
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.unpacked import unpack

_SPLITS, _STATE, _INFO = "dataset_dict.json", "state.json", "dataset_info.json"
"""The files by which datasets knows a folder of several splits (DatasetDict), that of one (Dataset), its features."""
ROLES = {"train": ("train", "training"), "dev": ("validation", "valid", "val", "dev"), "test": ("test",)}
"""What data sets call the splits that have these roles."""


def holds_table(folder: Path) -> bool:
    """Tell whether a folder holds what datasets or Parquet files are; reading it tells whether it is one table."""
    return any((folder / name).is_file() for name in (_SPLITS, _STATE)) or bool(_part_files(folder))


def splits_in(folder: Path) -> dict[str, Path]:
    """Return the folders of the splits that datasets saved together, by name; none where this is no such folder."""
    return (
        {name: folder / name for name in _json(folder / _SPLITS, "splits", list)}
        if (folder / _SPLITS).is_file()
        else {}
    )


def by_role(splits: dict[str, Path], folder: Path) -> dict[str, Path]:
    """Return those of the splits in a folder that are train, dev and test, by these names. RequestError without train.

    >>> by_role({"train": Path("a/train"), "validation": Path("a/validation"), "extra": Path("a/extra")}, Path("a"))
    {'train': PosixPath('a/train'), 'dev': PosixPath('a/validation')}
    """
    roles = {role: next((splits[name] for name in names if name in splits), None) for role, names in ROLES.items()}
    found = {role: split for role, split in roles.items() if split is not None}
    if "train" not in found:
        raise RequestError(f"{folder} has no split called train, but {', '.join(splits)}: name the folders of yours")
    return found


def read_folder(folder: Path) -> Table:
    """Read the one table that a folder is.

    Raises:
        RequestError: it is none, or several, or lacks a file, or its part files do not have the same columns.
    """
    if splits := splits_in(folder):
        rule = f"{folder} holds several splits, {', '.join(splits)}"
        raise RequestError(f"{rule}: name the folder of one, such as {next(iter(splits.values()))}")
    if (folder / _STATE).is_file():
        if (folder / "indices.arrow").is_file():
            raise RequestError(f"{folder} was saved by an old version of datasets: load it, and save it anew")
        files = _json(folder / _STATE, "_data_files", list)
        names = [one["filename"] for one in files if isinstance(one, dict) and isinstance(one.get("filename"), str)]
        if not names or any(Path(name).name != name for name in names):
            raise RequestError(f"{folder / _STATE} is not what datasets writes: it must name files beside it")
        features = _json(folder / _INFO, "features", dict) if (folder / _INFO).is_file() else None
        return read_arrow(folder, [unpack(folder / name) for name in names], features)
    parts = _part_files(folder)
    if not parts:
        rule = "a folder is read where datasets saved it to disk, or where it holds the Parquet files of one table"
        raise RequestError(f"{rule}; {folder} is neither: name a file")
    _refuse_several_splits(folder, parts)
    table = read_parquet(folder, [unpack(file) for file in parts])
    others = [file for file in folder.iterdir() if file not in parts and not file.name.startswith((".", "_"))]
    if not others:
        return table
    read = f"{parts[0].name} is" if len(parts) == 1 else f"its {len(parts)} Parquet files are"
    left = "the other file is" if len(others) == 1 else f"its {len(others)} other files are"
    return replace(table, notes=(f"of the folder {folder.name}, {read} read; {left} not",))


def _refuse_several_splits(folder: Path, files: Sequence[Path]) -> None:
    """Part files of train and of test lie side by side in folders of the hub: these are not one table."""
    called = [re.match("|".join(name for names in ROLES.values() for name in names), file.name) for file in files]
    if len(names := dict.fromkeys(found[0] if found else "others" for found in called)) > 1:
        raise RequestError(
            f"{folder} holds files of several splits, {', '.join(names)}: name one file, or move them apart"
        )


def _part_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.parquet") if not file.name.startswith(("_", ".")))


def _json(path: Path, key: str, kind: type) -> Any:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestError(f"{path} is not what datasets writes: it must hold {key!r} ({first_line(error)})") from None
    if not isinstance(value, kind):
        raise RequestError(f"{path} is not what datasets writes: {key!r} must be a {kind.__name__}, but is {value!r}")
    return value
