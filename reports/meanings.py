"""What a key of a file means, and an example of it: both stand in the docstring of its field."""

import re

from pydantic.fields import FieldInfo

_EXAMPLE = re.compile(r"\s*``([^`]+)``\s*$")


def meaning_and_example(field: FieldInfo) -> tuple[str, str]:
    """Return what a key means, and an example of it."""
    return meaning_and_example_of(field.description or "")


def meaning_and_example_of(description: str) -> tuple[str, str]:
    """Take a description apart: what a key means, and an example of it, which ends the description."""
    text = " ".join(description.split())
    found = _EXAMPLE.search(text)
    return (text, "") if found is None else (text[: found.start()], found[1])
