"""Tables as Python has them become Arrow files: pandas, polars, Hugging Face datasets, Arrow itself, plain lists."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from gridsearch.errors import RequestError, first_line
from gridsearch.tasks.tables.folders import ROLES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

AnyTable: TypeAlias = "pd.DataFrame | pyarrow.Table | Sequence[Mapping[str, object]] | Sequence[Sequence[object]] | Any"
FORMS = "a DataFrame, a Dataset, an Arrow table, a dict of columns, or a list of dicts or of (text, label) tuples"
_OF_TUPLES: Mapping[int, tuple[str, ...]] = {2: ("text", "label"), 3: ("text", "pair", "label")}


def is_table(value: object) -> bool:
    """Tell whether a value is a table in one of the forms that are read."""
    if isinstance(value, (str, bytes, Mapping)):
        return _is_of_columns(value)
    return isinstance(value, (list, tuple)) or any(
        hasattr(value, name) for name in ("__arrow_c_stream__", "to_arrow", "with_format")
    )


def splits_of(value: object) -> dict[str, object] | None:
    """Return the splits of a mapping of such, by role: train, dev, test (names as datasets are split by); else None.

    Raises RequestError for a mapping of tables without one that is called train.
    """
    if not isinstance(value, Mapping) or not value or _is_of_columns(value) or not all(map(is_table, value.values())):
        return None
    roles = {role: next((name for name in names if name in value), None) for role, names in ROLES.items()}
    if roles["train"] is None:
        raise RequestError(f"there is no table called train, but {', '.join(map(str, value))}")
    return {role: value[name] for role, name in roles.items() if name is not None}


def _is_of_columns(value: object) -> bool:
    """Tell whether a value is a mapping of lists, each of which has a plain value a row."""

    def is_column(one: Any) -> bool:
        is_list = isinstance(one, (list, tuple)) or (hasattr(one, "tolist") and getattr(one, "ndim", 0) == 1)
        return is_list and len(one) > 0 and not any(isinstance(cell, (Mapping, list, tuple)) for cell in one)

    return isinstance(value, Mapping) and len(value) > 0 and all(map(is_column, value.values()))


def arrow_bytes(value: object, what: str) -> bytes:
    """Return a table as the bytes of an Arrow file; ``what`` it is is told in messages.

    Columns keep their names and types, and what datasets calls the classes of a label. Raises RequestError for what is
    no table, or has a column of values that are not alike.
    """
    import pyarrow
    from pyarrow import ipc

    try:
        table = _arrow(value)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise RequestError(f"{what} cannot be read as a table: {first_line(error)}") from None
    if table is None:
        raise RequestError(f"{what} must be {FORMS}, but is {type(value).__name__}")
    if not table.num_rows:
        raise RequestError(f"{what} has no rows")
    buffer = io.BytesIO()
    with ipc.new_file(buffer, table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as file:
        file.write_table(table)
    return buffer.getvalue()


def _arrow(value: Any) -> "pyarrow.Table | None":
    import pandas as pd
    import pyarrow

    if isinstance(value, pyarrow.Table):
        return value
    if isinstance(value, pd.DataFrame):
        named = value.rename(columns=str)
        return pyarrow.Table.from_pandas(named, preserve_index=False).replace_schema_metadata(None)
    if hasattr(value, "with_format") and hasattr(value, "features"):  # datasets, which may select rows by an index
        table = value.with_format("arrow")[:]
        return table.replace_schema_metadata(value.features.arrow_schema.metadata)
    if hasattr(value, "__arrow_c_stream__"):
        return pyarrow.table(value)
    if hasattr(value, "to_arrow"):
        return value.to_arrow()
    if isinstance(value, Mapping):
        return pyarrow.table({str(name): list(column) for name, column in value.items()})
    if isinstance(value, (list, tuple)):
        return _of_rows(list(value)) if value else pyarrow.table({})
    return None


def _of_rows(rows: list[Any]) -> "pyarrow.Table | None":
    import pyarrow

    if all(isinstance(row, Mapping) for row in rows):
        names = dict.fromkeys(name for row in rows for name in row)
        return pyarrow.table({str(name): [row.get(name) for row in rows] for name in names})
    lengths = {len(row) for row in rows if isinstance(row, (list, tuple))}
    if len(lengths) != 1 or not all(isinstance(row, (list, tuple)) for row in rows):
        return None
    columns = _OF_TUPLES.get(lengths.pop())
    values = map(list, zip(*rows, strict=True))
    return None if columns is None else pyarrow.table(dict(zip(columns, values, strict=True)))
