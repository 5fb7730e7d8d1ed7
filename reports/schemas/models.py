"""From pydantic's JSON schema of a model to one of what TOML can say, with meanings and examples for editors."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from reports.meanings import meaning_and_example_of

_OF_ONE = ("items", "additionalProperties")
_OF_MANY = ("properties", "$defs")
_NOTHING = {"type": "null"}


def models_schema(model: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of a model, and by name those of the models in it, which it refers to below ``#/$defs/``."""
    found = schema_for_toml(model.model_json_schema())
    inner = found.pop("$defs", {})
    return found, inner


def schema_for_toml(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what TOML has not (null) and what repeats a name (titles); tell meanings in Markdown, with examples."""
    found = {key: value for key, value in schema.items() if key != "title" and not (key == "default" and value is None)}
    for key in _OF_ONE:
        if isinstance(found.get(key), Mapping):
            found[key] = schema_for_toml(found[key])
    for key in _OF_MANY:
        if key in found:
            found[key] = {name: schema_for_toml(one) for name, one in found[key].items()}
    if "description" in found:
        found |= told(found["description"])
    branches = [schema_for_toml(one) for one in found.pop("anyOf", ()) if one != _NOTHING]
    if len(branches) == 1:
        return branches[0] | found
    return {"anyOf": branches} | found if branches else found


def told(description: str) -> dict[str, Any]:
    """Return what a key means, and the value that it has in the example which ends its description."""
    meaning, example = meaning_and_example_of(description)
    said: dict[str, Any] = {"description": re.sub("``", "`", meaning)}
    if example:
        ((_, value),) = tomllib.loads(example).items()
        said["examples"] = [value]
    return said
