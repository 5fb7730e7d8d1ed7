"""The report: all that the blocks found, as one JSON and as markdown."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


def read_lines(answers: Path, block: str) -> list[dict[str, Any]]:
    """Read what a block has left; a line that was cut off when it was killed is none."""
    lines: list[dict[str, Any]] = []
    for line in answers.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            lines.append(json.loads(line))
    return [line for line in lines if line["block"] == block]


@dataclass(frozen=True)
class Answered:
    """A block and what became of it. ``status`` is "answered", "out of time", or why it failed."""

    block: str
    question: str
    status: str
    seconds: float
    answers: Path

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """What it has left, in its order."""
        return read_lines(self.answers, self.block)

    @property
    def found(self) -> dict[str, Any]:
        """What it told, by name."""
        return {name: value for line in self.lines for name, value in line.get("found", {}).items()}

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows that it added, by the name of their table."""
        tables: dict[str, list[dict[str, Any]]] = {}
        for line in self.lines:
            if "table" in line:
                tables.setdefault(line["table"], []).append(line["row"])
        return tables

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "question": self.question,
            "status": self.status,
            "seconds": round(self.seconds, 1),
            **rounded(self.found),
            **rounded(self.tables),
        }


def rounded(value: Any) -> Any:
    """Keep 5 digits of every number: the JSON has to fit on a page, and no measurement has more.

    >>> rounded({"ms": [0.123456789, 3]})
    {'ms': [0.12346, 3]}
    """
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return value


def write_report(answered: Sequence[Answered], folder: Path, *, is_rehearsal: bool) -> str:
    """Write report.json and report.md; return the JSON in one line."""
    report = {
        "rehearsal": is_rehearsal,
        "seconds": round(sum(one.seconds for one in answered), 1),
        "blocks": {one.block: one.as_json() for one in answered},
    }
    text = json.dumps(report, ensure_ascii=False)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    (folder / "report.md").write_text(_markdown(answered, is_rehearsal=is_rehearsal), encoding="utf-8")
    return text


def _markdown(answered: Sequence[Answered], *, is_rehearsal: bool) -> str:
    parts = ["# On a CPU, tiny: a rehearsal" if is_rehearsal else "# On a GPU"]
    overview = [{"block": one.block, "s": round(one.seconds, 1), "status": one.status} for one in answered]
    parts.append(_table(overview))
    for one in answered:
        parts.append(f"## {one.block}: {one.question}?")
        if one.found:
            parts.append(_table([{"what": name, "found": value} for name, value in one.found.items()]))
        for name, rows in one.tables.items():
            parts.append(f"{name}:\n\n{_table(rows)}")
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([_spelled(row.get(name)) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _spelled(value: object) -> str:
    """Spell a value for a cell of a table.

    >>> _spelled(0.123456), _spelled(None), _spelled({"a": 1.0}), _spelled("a|b")
    ('0.1235', '', 'a: 1', 'a/b')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_spelled(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_spelled, value))
    return str(value).replace("|", "/").replace("\n", " ")
