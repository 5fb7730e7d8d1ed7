"""Tables as people write them, odd values among theirs, in every format that is read; then packed, at times."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import IllegalCharacterError
from pyarrow import feather, parquet

from tests.fuzz import odd, raw, trees

Rows: TypeAlias = list[list[Any]]
WORDS: Final = (
    "the",
    "tensor",
    "actor",
    "trial",
    "starts",
    "waits",
    "returns",
    "is",
    "not",
    "good",
    "bad",
    "中文",
    "row",
)
FORMATS: Final = ("csv", "tsv", "jsonl", "json", "xlsx", "parquet", "arrow", "txt", "folder")


def rows(random: Random, names: Sequence[str] = ("id", "text", "label"), n_rows: int = 24) -> Rows:
    """Return a header and rows that any reader takes."""
    body: Rows = []
    for number in range(n_rows):
        label = random.choice(("good", "bad"))
        words = " ".join(random.choices(WORDS, k=random.randint(2, 8)))
        known = {"id": number, "label": label}
        body.append([known.get(name, f"{words} {number}") for name in names])
    return [list(names), *body]


def mutated(random: Random, table: Rows) -> Rows:
    """Change values, rows, columns or names."""
    for _ in range(random.randint(0, 3)):
        row = random.choice(table)
        match random.randrange(6):
            case 0 | 1 if row:
                row[random.randrange(len(row))] = odd.value(random)
            case 2 if row:
                del row[random.randrange(len(row))]
            case 3:
                row.append(odd.value(random))
            case 4:
                table.insert(random.randint(0, len(table)), list(row))
            case 5:
                place, found = random.randrange(4), odd.value(random)
                table[:] = [
                    [found if at == place and random.random() < 0.5 else one for at, one in enumerate(row)]
                    for row in table
                ]
    return table


def write(random: Random, folder: Path, stem: str, table: Rows, formats: Sequence[str] = FORMATS) -> str:
    """Write a table, its bytes mutated at times; return the file's name."""
    form = random.choice(formats)
    if form == "folder":
        return _folder(random, folder / stem, table)
    content = _bytes(random, form, table)
    name = f"{stem}.{form}"
    if random.random() < 0.5:
        content = raw.mutated(random, content)
    if random.random() < 0.15:
        name, content = _packed(random, name, content)
        if random.random() < 0.5:
            content = raw.mutated(random, content, 1)
    if random.random() < 0.03:
        name = f"{stem}.{random.choice(FORMATS)}"
    (folder / name).write_bytes(content)
    return name


def _bytes(random: Random, form: str, table: Rows) -> bytes:
    match form:
        case "csv" | "tsv" | "txt":
            return _delimited(random, form, table)
        case "jsonl" | "json":
            return _json(random, form, table)
        case "xlsx":
            return _workbook(table)
    buffer = io.BytesIO()
    arrow = _arrow(table)
    if form == "parquet":
        parquet.write_table(arrow, buffer)
    else:
        feather.write_feather(arrow, buffer)
    return buffer.getvalue()


def _delimited(random: Random, form: str, table: Rows) -> bytes:
    texts = [[str(value) for value in row] for row in table]
    if form == "txt":
        return "".join(f"{' '.join(row)}\n" for row in texts).encode("utf-8", "replace")
    buffer = io.StringIO()
    separator = random.choice((",", ",", ";", "|")) if form == "csv" else "\t"
    quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC))
    csv.writer(buffer, delimiter=separator, quoting=quoting).writerows(texts)
    return buffer.getvalue().encode(random.choice(("utf-8", "utf-8", "utf-8-sig", "gb18030", "utf-16")), "replace")


def _json(random: Random, form: str, table: Rows) -> bytes:
    names, *body = table
    objects: Any = [dict(zip(map(str, names), row, strict=False)) for row in body]
    if random.random() < 0.3:
        objects = trees.mutated(random, objects)
    if form == "jsonl" and isinstance(objects, list):
        return "".join(f"{json.dumps(one, default=str, ensure_ascii=False)}\n" for one in objects).encode()
    if random.random() < 0.2:
        objects = {"version": 1, "data": objects}
    return json.dumps(objects, default=str).encode()


def _workbook(table: Rows) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for at, row in enumerate(table, start=1):
        for place, value in enumerate(row, start=1):
            try:
                sheet.cell(at, place).value = value if not isinstance(value, list | dict) else str(value)
            except (ValueError, IllegalCharacterError):  # a workbook has no such value
                sheet.cell(at, place).value = "#N/A"
    buffer = io.BytesIO()
    try:
        book.save(buffer)
    except (TypeError, ValueError):
        return b"PK\x03\x04"
    return buffer.getvalue()


def _arrow(table: Rows) -> pa.Table:
    names, *body = table
    columns = {}
    for place, name in enumerate(dict.fromkeys(map(str, names))):
        values = [row[place] if place < len(row) else None for row in body]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            columns[name] = pa.array([str(value) for value in values])
    return pa.table(columns)


def _packed(random: Random, name: str, content: bytes) -> tuple[str, bytes]:
    if (way := random.choice(("gz", "bz2", "xz", "zip"))) == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for member in random.choice(((name,), (name, "other.csv"), (f"../../{name}",), ("/etc/x.csv",), ())):
                archive.writestr(member, content)
        return f"{name}.zip", buffer.getvalue()
    return f"{name}.{way}", {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[way](content)


def _folder(random: Random, folder: Path, table: Rows) -> str:
    """Write a folder for each label, with a file for each text."""
    for number, row in enumerate(table[1:]):
        place = folder / ("pos" if number % 2 else "neg")
        place.mkdir(parents=True, exist_ok=True)
        content = " ".join(map(str, row)).encode("utf-8", "replace")
        (place / f"{number}.txt").write_bytes(raw.mutated(random, content) if random.random() < 0.1 else content)
    return folder.name
