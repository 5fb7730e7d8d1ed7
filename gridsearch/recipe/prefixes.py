"""Knobs that a recipe calls ``GROUP.NAME``, which TOML may write as a table."""

from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import create_model

from gridsearch.recipe.knob_group import KnobGroup

PRETRAINING, VOCABULARY, PARTS = "pretraining.", "vocabulary.", "parts."
PREFIXES = (PRETRAINING, VOCABULARY)
"""How the names of knobs begin that say what a trial starts from. Its id leaves them out: what they make has an id."""


def prefixed(group: type[KnobGroup], prefix: str, name: str) -> type[KnobGroup]:
    """Make the group that a recipe has: the same knobs, each by its name in spaces."""
    hints, fields = get_type_hints(group, include_extras=True), group.model_fields
    named: dict[str, Any] = {prefix + inner: (hints[inner], field.default) for inner, field in fields.items()}
    return create_model(name, __base__=KnobGroup, __module__=group.__module__, **named)


def with_prefixes(
    values: Mapping[str, Any], keep: Callable[[Mapping[str, Any]], bool] = lambda table: False
) -> dict[str, Any]:
    """Take knobs out of a table ``pretraining``: that is how TOML reads ``pretraining.rate`` without quotes.

    ``keep`` says of such a table whether it is something else by that name.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if f"{name}." in (*PREFIXES, PARTS) and isinstance(value, Mapping) and not keep(value):
            found |= {f"{name}.{inner}": one for inner, one in value.items()}
        else:
            found[name] = value
    return found
