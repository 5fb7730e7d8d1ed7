"""Arrow files and streams as a table: Feather too, and what Hugging Face datasets keeps on disk."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.table import Table
from gridsearch.tasks.tables.unpacked import Unpacked
from gridsearch.tasks.tables.values import is_missing, typed_table

if TYPE_CHECKING:
    import pyarrow

Classes = Mapping[str, Sequence[str]]


def read_arrow(path: Path, files: Sequence[Unpacked], features: object = None) -> Table:
    """Read Arrow files or streams that together are one table, which messages call ``path``.

    A label that datasets keeps as the number of a class (``ClassLabel``) is called by its name; -1, which stands for
    none there, is missing. What datasets calls the features stands in the files, or is given.

    Raises:
        RequestError: a file that is none, or is cut off, or has other columns than the first.
    """
    frames = [_frame(file) for file in files]
    return table_of_frames(path, frames, _classes(_features_within(frames[0]) or features))


def table_of_frames(path: Path, frames: Sequence["pyarrow.Table"], classes: Classes | None = None) -> Table:
    """Put frames below each other. RequestError where their columns are not called the same, in the same order."""
    names = frames[0].column_names
    for frame in frames:
        if frame.column_names != names:
            rule = "the files of one table have the same columns"
            raise RequestError(f"{path}: {rule}, but here {', '.join(names)} and {', '.join(frame.column_names)}")
    columns = []
    for place, name in enumerate(names):
        try:
            values = [value for frame in frames for value in frame.column(place).to_pylist()]
        except (ValueError, OverflowError) as error:  # a date, say, of a year that Python has not
            raise RequestError(f"{path}: column {name!r} cannot be read ({first_line(error)})") from None
        columns.append([_class(value, classes[name]) for value in values] if classes and name in classes else values)
    n_rows = sum(frame.num_rows for frame in frames)
    return typed_table(path, names, columns, range(1, n_rows + 1))


def _frame(file: Unpacked) -> "pyarrow.Table":
    import pyarrow
    from pyarrow import ipc

    try:
        opened = ipc.open_file if file.raw.startswith(b"ARROW1") else ipc.open_stream
        frame = opened(pyarrow.BufferReader(file.raw)).read_all()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise RequestError(f"{file.path} is not an Arrow file, or is cut off ({first_line(error)})") from None
    return whole(frame, file.path)


def whole(frame: "pyarrow.Table", path: Path) -> "pyarrow.Table":
    """Return a frame of which every value can be read; of one that cannot, reading it may end the process.

    Raises RequestError for a frame that is damaged, or holds texts in another encoding than UTF-8.
    """
    import pyarrow

    try:
        frame.validate(full=True)
        frame.column_names  # noqa: B018 - decodes them
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise RequestError(f"{path} is damaged: its values cannot be read ({first_line(error)})") from None
    return frame


def _features_within(frame: "pyarrow.Table") -> object:
    """Return what datasets writes into its files about their columns; None where it has not."""
    try:
        return json.loads(frame.schema.metadata[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        return None


def _classes(features: object) -> Classes:
    """Return the names of the classes of each column that has some."""
    if not isinstance(features, dict):
        return {}
    columns = {name: one for name, one in features.items() if isinstance(one, dict)}
    classes = {name: one.get("names") for name, one in columns.items() if one.get("_type") == "ClassLabel"}
    return {name: names for name, names in classes.items() if isinstance(names, list)}


def _class(value: Any, names: Sequence[str]) -> Any:
    if is_missing(value) or value == -1:
        return None
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else value
