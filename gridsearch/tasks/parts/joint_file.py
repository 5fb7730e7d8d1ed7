"""Several parts as a TOML file states them: each under [[parts]], and under [target] what a study selects on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gridsearch.errors import RequestError, about, one_of
from gridsearch.tasks.parts.part_file import TaskFile, parse_part, section
from gridsearch.tasks.target import Target

MULTI = "multi"
NOT_A_NAME = ("mean",)
"""Results are called by part and metric, such as "tnews f1_macro", and "mean f1_macro" is that of several parts."""
_NAME = re.compile(r"[^\W_]([\w.-]*[^\W_])?")


class PartFile(TaskFile):
    """A part as [[parts]] states it: a task with the weight of its loss, where a recipe asks for given ones."""

    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False, strict=True)
    """What its loss counts, where a recipe asks for given weights (``parts.loss_weights``). ``weight = 2.0``"""


class TargetSection(BaseModel):
    """What a study selects on: the metric of a part, or the mean over some of each one's metric."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    part: str | None = None
    """The one part whose metric counts. ``part = "genre"``"""
    mean: tuple[str, ...] | None = Field(default=None, min_length=1)
    """The parts over whose metrics the mean is taken; without ``[target]``, all. ``mean = ["genre", "follows"]``"""


class JointSections(BaseModel):
    """What may stand in the file beside the parts."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(min_length=1)
    """What the task is called, in tables and in the names of folders. ``name = "films"``"""
    kind: Literal["multi"] = "multi"
    """May be left out: ``[[parts]]`` says it. ``kind = "multi"``"""
    parts: tuple[dict[str, Any], ...]
    """The parts, a table for each."""
    target: Any = None
    """What a study selects on: by default the mean over all parts of each one's metric."""


@dataclass(frozen=True)
class JointFile:
    """Parts by name, in the order in which they stand, and the target. Nothing of their data has been read."""

    name: str
    parts: Mapping[str, PartFile]
    target: Target


AnyTaskFile = TaskFile | JointFile
"""A task file: a single task, or one of several parts."""


def place_of(name: str, part: object) -> str:
    """Return what messages call a part of the file of this name."""
    return f"{name}, [[parts]] {part}"


def parse_joint(raw: Mapping[str, object], name: str) -> JointFile:
    """Check what a file states of several parts; ``name`` is what the file is called in messages.

    Raises:
        RequestError: no part, two of one name, what belongs to a part beside them, or a target that is none.
    """
    if not isinstance(raw.get("parts"), list) or not raw["parts"]:
        rule = "several tasks that share one encoder (multi) stand under [[parts]], a table for each"
        raise RequestError(f"{name}: {rule}, but there is no [[parts]]")
    _refuse_what_parts_have(raw, name)
    sections = section(raw, JointSections, name)
    parts: dict[str, PartFile] = {}
    for number, table in enumerate(sections.parts, start=1):
        part = parse_part(table, PartFile, _place(table, number, name))
        if part.name in parts:
            raise RequestError(f"{name}: two of its parts have the name {part.name!r}")
        parts[part.name] = part
    return JointFile(sections.name, parts, _target(sections.target, parts, name))


def _refuse_what_parts_have(raw: Mapping[str, object], name: str) -> None:
    for key, value in raw.items():
        if key in PartFile.model_fields and key not in JointSections.model_fields:
            spelled = f"[parts.{key}]" if isinstance(value, dict) else f"{key} below [[parts]]"
            raise RequestError(f"{name}: {key} belongs to a part, so it is written {spelled}, not beside the parts")


def _place(table: Mapping[str, object], number: int, name: str) -> str:
    """Return where a part stands, by its name; by its number where that is missing, or is none.

    Tables call a part's results "PART METRIC", and folders are named after parts: RequestError for what breaks these.
    """
    part, by_number = table.get("name"), place_of(name, f"number {number}")
    if part is None:
        return by_number
    if not isinstance(part, str) or not _NAME.fullmatch(part) or part in NOT_A_NAME:
        rule = "the name of a part is letters and digits (with _ - . between them), and not mean"
        raise RequestError(f"{by_number}: {rule}; this one is {part!r}")
    return place_of(name, part)


def _target(raw: object, parts: Mapping[str, TaskFile], name: str) -> Target:
    """Return what is selected on: by default the mean over all parts of each one's metric."""
    if raw is None:
        where, named = f"{name}: without [target] the mean over all parts counts", tuple(parts)
    else:
        where = f"{name}, [target]"
        named = _parts_in(section(raw, TargetSection, where), where)
    for part in named:
        if part not in parts:
            raise RequestError(f"{where}: {one_of('part', part, list(parts))}")
    if len(set(named)) < len(named):
        raise RequestError(f"{where}: mean names each part once, but is {', '.join(named)}")
    with about(where):
        return Target(tuple((part, parts[part].metric) for part in named))


def _parts_in(target: TargetSection, where: str) -> tuple[str, ...]:
    if target.part is not None and target.mean is not None:
        raise RequestError(f"{where}: it names one part, or several as mean, but has both")
    named = target.mean if target.part is None else (target.part,)
    if named is None:
        raise RequestError(f'{where}: it names one part (part = "NAME") or several (mean = ["NAME", "NAME"])')
    return named
