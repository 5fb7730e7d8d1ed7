"""The JSON Schema of a space file: its keys from the models that read them, its knobs from the recipe."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from gridsearch.recipe.knob import Knob
from gridsearch.recipe.prefixes import PARTS, PREFIXES
from gridsearch.recipe.recipe import Recipe, knobs
from gridsearch.space.design import Design
from gridsearch.space.factor import RESERVED_COLUMNS, ROW, SEED, SEEDS, LongForm
from gridsearch.space.ranges import RangeForm
from gridsearch.space.space import RuleForm, SpaceFile
from reports.schemas.models import models_schema, schema_for_toml

Schema = dict[str, Any]

_NUMERIC: Final = ("number", "integer")


def schema() -> Schema:
    """Return it, without its head; knobs are at ``#/$defs/Recipe/properties``."""
    top, _ = models_schema(SpaceFile)
    keys = top["properties"]
    for key in ("task", "model"):
        keys[key] |= {"minLength": 1}
    keys["recipe"] |= _ref("Recipe")
    keys["factors"] |= _ref("Factors")
    keys["design"] |= _ref("Design")
    keys["rules"]["items"] = _ref("Rule")
    long_form, _ = models_schema(LongForm)
    parts = long_form["properties"]
    return top | {
        "additionalProperties": False,
        "$defs": {
            "Recipe": _recipe(),
            "Factors": _factors(parts["levels"]["description"]),
            "NamedLevels": {
                "description": "Named levels, each of which sets one knob or several.",
                "type": "object",
                "minProperties": 1,
                "additionalProperties": _ref("Recipe") | {"minProperties": 1},
            },
            "NamedFactor": _long_form(_ref("NamedLevels")),
            "Label": parts["label"] | {"minLength": 1, "not": {"enum": list(RESERVED_COLUMNS)}},
            "Baseline": parts["baseline"] | {"type": ["string", "number", "boolean", "array"]},
            "Range": models_schema(RangeForm)[0] | {"description": parts["range"]["description"]},
            "Design": _design(),
            "Rule": _rule(),
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _knob_ref(name: str) -> Schema:
    return _ref(f"Recipe/properties/{name}")


def _in_groups() -> dict[str, list[str]]:
    """Return the knobs that TOML may also write in a table, by the name of that table, without it."""
    return {
        prefix.rstrip("."): [name.removeprefix(prefix) for name in knobs() if name.startswith(prefix)]
        for prefix in (*PREFIXES, PARTS)
    }


@cache
def _values() -> Mapping[str, Schema]:
    found: Mapping[str, Schema] = Recipe.model_json_schema()["properties"]
    return found


def _recipe() -> Schema:
    """Knobs by name, and those with a dot also in tables, which is how TOML reads a dotted key."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{name: _meaning(knob) | schema_for_toml(_values()[name]) for name, knob in knobs().items()},
            **{
                group: {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {inner: _knob_ref(f"{group}.{inner}") for inner in names},
                }
                for group, names in _in_groups().items()
            },
        },
    }


def _meaning(knob: Knob) -> Schema:
    source = f" Source: {knob.source}." if knob.source else ""
    return {"description": f"{knob.meaning[:1].upper()}{knob.meaning[1:]}.{source}"}


def _factors(meaning_of_levels: str) -> Schema:
    """Factors: those that are called after a knob may list its values; all may have named levels."""
    groups = _in_groups()
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"not": {"enum": [ROW, SEED, SEEDS]}},
        "properties": {
            **{name: _factor(name, knob, meaning_of_levels) for name, knob in knobs().items()},
            **{group: _group_of_factors(group, names) for group, names in groups.items()},
        },
        "additionalProperties": _ref("NamedFactor"),
    }


def _group_of_factors(group: str, names: list[str]) -> Schema:
    factors = {inner: _ref(f"Factors/properties/{group}.{inner}") for inner in names}
    table = {"type": "object", "properties": factors, "additionalProperties": _ref("NamedFactor")}
    return {"anyOf": [table, _ref("NamedFactor")]}


def _factor(name: str, knob: Knob, meaning_of_levels: str) -> Schema:
    """A factor called after a knob: a list of its values, or the long form."""
    values = {"type": "array", "items": _knob_ref(name), "minItems": 1, "uniqueItems": True}
    levels = {"description": meaning_of_levels, "anyOf": [values, _ref("NamedLevels")]}
    ends = {"low": _knob_ref(name), "high": _knob_ref(name)}
    range_ = _ref("Range") | {"properties": ends} if _takes_numbers(name) else None
    return _meaning(knob) | {"anyOf": [values, _long_form(levels, range_)]}


def _takes_numbers(name: str) -> bool:
    schema = _values()[name]
    return any(one.get("type") in _NUMERIC for one in schema.get("anyOf", [schema]))


def _long_form(levels: Schema, range_: Schema | None = None) -> Schema:
    either = {"levels": levels} | ({} if range_ is None else {"range": range_})
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {**either, "label": _ref("Label"), "baseline": _ref("Baseline")},
        **({"required": ["levels"]} if range_ is None else {"oneOf": [{"required": [key]} for key in either]}),
    }


def _design() -> Schema:
    found, _ = models_schema(Design)
    seeds: Mapping[str, Any] = found["properties"]["seeds"] | {"uniqueItems": True}
    found["properties"]["seeds"] = dict(seeds)
    own = {key: value for key, value in seeds.items() if key not in ("description", "examples", "default")}
    found["properties"]["rows"]["items"] = {
        "description": "A name, and levels by the names of their factors, where they are not the baseline.",
        "type": "object",
        "required": [ROW],
        "properties": {
            ROW: {"description": "What the row is called.", "type": "string", "pattern": r"\S"},
            SEED: {"description": "The seed of this row alone.", **own["items"]},
            SEEDS: {"description": "The seeds of this row alone.", **own},
        },
    }
    return found


def _rule() -> Schema:
    found, _ = models_schema(RuleForm)
    for key in found["properties"].values():
        key["minLength"] = 1
    return found | {"additionalProperties": False}
