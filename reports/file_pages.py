"""Every key of a task file and of a space file: ``python -m reports.file_pages DOCS`` writes them into their pages.

What stands in a page above a mark is written by hand, and stays.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gridsearch.space.design import Design
from gridsearch.space.factor import LongForm
from gridsearch.space.ranges import RangeForm
from gridsearch.space.space import RuleForm, SpaceFile
from gridsearch.tasks.parts.joint_file import JointSections, PartFile, TargetSection
from gridsearch.tasks.parts.part_file import SECTIONS, TaskFile
from reports.formats.markdown import Section, bullets, code, escape, paragraphs, wrap
from reports.knob_page import values_text
from reports.meanings import meaning_and_example

MARK = "<!-- Below this line `make docs` writes what the code declares. -->"


@dataclass(frozen=True)
class Keys:
    """The keys of one section, under a title with a sentence below it; without those that stand elsewhere already."""

    title: str
    text: str
    model: type[BaseModel]
    without: tuple[str, ...] = ()

    @property
    def fields(self) -> Mapping[str, FieldInfo]:
        """The keys that are told here."""
        return {name: field for name, field in self.model.model_fields.items() if name not in self.without}


def _first_paragraph(model: type[BaseModel]) -> str:
    return re.sub("`+", "`", " ".join((model.__doc__ or "").partition("\n\n")[0].split()))


TASK_KEYS: Final = (
    Keys("The file", "What stands at the top, before any section.", TaskFile),
    *(Keys(f"`[{name}]`", _first_paragraph(model), model) for name, model in SECTIONS.items()),
    Keys("A file of several parts", "It has no others beside its parts; [an example](parts.md).", JointSections),
    Keys("`[target]`, of several parts", "One of these two.", TargetSection),
    Keys(
        "`[[parts]]`",
        "A part has all keys of a single task, its sections as `[parts.files]`, `[parts.columns]` and so on; and:",
        PartFile,
        tuple(TaskFile.model_fields),
    ),
)
SPACE_KEYS: Final = (
    Keys("The file", "Only the factors must be there.", SpaceFile),
    Keys(
        "`[factors.NAME]`", "The long form of a factor; `NAME = [VALUES]` under `[factors]` is the short one.", LongForm
    ),
    Keys("`range = { ... }`", "In place of levels.", RangeForm),
    Keys("`[design]`", "Which cells are run, and how often.", Design),
    Keys("`[[rules]]`", "Each has both.", RuleForm),
)
PAGES: Final = {"tasks.md": TASK_KEYS, "spaces.md": SPACE_KEYS}


def keys_text(keys: tuple[Keys, ...]) -> str:
    """Return what stands below the mark of a page."""
    sections = {name for one in keys for name in re.findall(r"^`\[+(\w+)", one.title)}
    return paragraphs([MARK, *(_section(one, sections) for one in keys)]) + "\n"


def with_keys(page: str, keys: tuple[Keys, ...]) -> str:
    """Return a page with what stands below its mark written anew."""
    by_hand, _, _ = page.partition(MARK)
    return f"{by_hand.rstrip()}\n\n{keys_text(keys)}"


def _section(keys: Keys, sections: Set[str]) -> str:
    return Section(keys.title, (wrap(keys.text), bullets(_items(keys, sections))), level=3).format()


def _items(keys: Keys, sections: Set[str]) -> Iterator[str]:
    schema = keys.model.model_json_schema()
    for name, field in keys.fields.items():
        meaning, example = meaning_and_example(field)
        told = _in_markdown(meaning) + (f" For example {code(example)}." if example else "")
        kind = (
            "a section" if name in sections and not keys.title.startswith("`") else _values(schema["properties"][name])
        )
        yield f"{code(name)} ({kind}; {_default(field)}): {told}"


def _values(schema: Mapping[str, Any]) -> str:
    # What the key means is told behind it.
    alone = {key: value for key, value in schema.items() if key != "description"}
    branches = [one for one in alone.get("anyOf", [alone]) if one.get("type") != "null"]
    values = list(dict.fromkeys(values_text(one) for one in branches))
    return " or ".join(escape(one) for one in values if not (one == "a whole number" and "a number" in values))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    if field.default in (None, PydanticUndefined, "", [], {}, ()) or isinstance(field.default, BaseModel):
        return "optional"
    return f"default {code(json.dumps(field.default))}"


def _in_markdown(meaning: str) -> str:
    """Escape what is no code."""
    pieces = re.split(r"``([^`]+)``", meaning)
    return "".join(code(piece) if number % 2 else escape(piece) for number, piece in enumerate(pieces))


if __name__ == "__main__":
    for name, keys in PAGES.items():
        path = Path(sys.argv[1]) / name
        path.write_text(with_keys(path.read_text(encoding="utf-8"), keys), encoding="utf-8")
