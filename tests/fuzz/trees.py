"""Mutation of what TOML and JSON hold: values of other types, keys that are lost, renamed, moved or there twice."""

import copy
import datetime
import json
from collections.abc import Iterator
from random import Random
from typing import Any, TypeAlias

from tests.fuzz import odd

Place: TypeAlias = tuple[Any, Any]
"""A table or list, and the key or index of one of its values."""


def mutated(random: Random, tree: Any, n_most: int = 3) -> Any:
    """Return a tree with one to ``n_most`` of its values changed."""
    tree = {"": copy.deepcopy(tree)}
    for _ in range(random.randint(1, n_most)):
        if not (places := list(_places(tree))):
            break
        random.choice((_replace, _replace, _drop, _rename, _nest, _swap, _repeat))(random, places)
    return tree.get("", {})


def _places(tree: Any) -> Iterator[Place]:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from _places(value)


def _replace(random: Random, places: list[Place]) -> None:
    holder, key = random.choice(places)
    holder[key] = odd.value(random)


def _drop(random: Random, places: list[Place]) -> None:
    holder, key = random.choice(places)
    del holder[key]


def _rename(random: Random, places: list[Place]) -> None:
    holder, key = random.choice(places)
    if isinstance(holder, dict) and key != "":
        names = [name for where, name in places if isinstance(where, dict)]
        holder[random.choice([*names, *odd.TEXTS])] = holder.pop(key)


def _nest(random: Random, places: list[Place]) -> None:
    holder, key = random.choice(places)
    holder[key] = odd.nested(random, holder[key])


def _swap(random: Random, places: list[Place]) -> None:
    (holder, key), (other, its) = random.choice(places), random.choice(places)
    holder[key], other[its] = copy.deepcopy(other[its]), copy.deepcopy(holder[key])


def _repeat(random: Random, places: list[Place]) -> None:
    holder, key = random.choice(places)
    n = random.choice((2, 3, 100))
    if isinstance(holder, list):
        holder[key:key] = [copy.deepcopy(holder[key])] * n
    elif isinstance(holder[key], list):
        holder[key] = holder[key] * n


def toml(tree: Any) -> str:
    """Write a tree as TOML, each of its values on a line; what TOML cannot hold is written as a text."""
    if not isinstance(tree, dict):
        return _inline(tree)
    return "".join(f"{_text(str(key))} = {_inline(value)}\n" for key, value in tree.items())


def _inline(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | datetime.date() | datetime.time():
            return value.isoformat() if not isinstance(value, int) else str(value)
        case float():
            return repr(value)
        case list():
            return f"[{', '.join(map(_inline, value))}]"
        case dict():
            return f"{{{', '.join(f'{_text(str(key))} = {_inline(one)}' for key, one in value.items())}}}"
    return _text(str(value))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
