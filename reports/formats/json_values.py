"""Values as JSON has them."""

import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any


def json_value(value: Any) -> Any:
    """Return a value as JSON spells it: records as objects, paths as texts, what is not finite as null.

    >>> json_value({1: (float("nan"), Path("a"))})
    {'1': [None, 'a']}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: json_value(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): json_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(one) for one in value]
    if isinstance(value, Set):
        return sorted(json_value(one) for one in value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return str(value)  # of a StrEnum, its value
    return str(value) if isinstance(value, Path) else value
