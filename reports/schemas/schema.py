"""The JSON Schema (draft 2020-12) of a space file or a task file, by what it is called."""

from importlib import import_module
from typing import Any, Final

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
KINDS: Final = ("space", "task")


def schema_of(kind: str) -> dict[str, Any]:
    """Return the schema of a kind of file, one of KINDS.

    What gridsearch takes, it takes; and some more: what is wrong because of several keys together, or of the data.
    """
    # A schema is made from the models that read the file; those of the other kind take their time to load.
    made: dict[str, Any] = import_module(f"reports.schemas.{kind}_schema").schema()
    return {"$schema": DRAFT, "title": f"A {kind} file of gridsearch", **made}
