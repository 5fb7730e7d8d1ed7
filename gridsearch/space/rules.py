"""Rule expressions: a small safe grammar over knobs and level labels, such as ``frozen_layers > 0 and not bert_adam``.

Python's own parser reads the text; only the nodes below are understood, and nothing is ever evaluated by Python.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

from gridsearch.errors import RequestError, one_of

Scope = Mapping[str, Any]
Predicate = Callable[[Scope], Any]
MOST_NESTED: Final = 100
"""A rule that is nested deeper was written by no one, and Python could not follow it."""


def _equal(first: Any, second: Any) -> bool:
    # Elsewhere 1 == True; and a truth compared with a text is a typing error, not a rule that never holds.
    if isinstance(first, bool) != isinstance(second, bool):
        raise TypeError(f"{first!r} and {second!r} (a level's label is a text, such as '1')")
    return bool(first == second)


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: _equal,
    ast.NotEq: lambda first, second: not _equal(first, second),
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, several: value in several,
    ast.NotIn: lambda value, several: value not in several,
}


def parse_rule(text: str, names: list[str]) -> Callable[[Scope], bool]:
    """Compile a rule; the result takes a mapping from names (knobs, and ``factor.NAME``) to values.

    Raises RequestError for what is no rule and for an unknown name.

    >>> parse_rule("reinit_layers > 0 and factor.attack == 'fgm'", ["reinit_layers", "factor.attack"])(
    ...     {"reinit_layers": 6, "factor.attack": "fgm"}
    ... )
    True
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # Python's own advice on how one writes Python
            tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise RequestError(f"rule {text!r} cannot be read: {error.msg} at character {error.offset}") from None
    except (RecursionError, MemoryError, ValueError):
        raise RequestError(f"rule {text[:40]!r}... cannot be read: it is nested too deeply") from None
    if _depth(tree) > MOST_NESTED:
        raise RequestError(f"rule {text[:40]!r}... cannot be read: it is nested more than {MOST_NESTED} deep")
    predicate = _compile(tree, text, names)

    def holds(scope: Scope) -> bool:
        try:
            result = predicate(scope)
        except TypeError as error:
            raise RequestError(f"rule {text!r} compares values of different kinds: {error}") from None
        if not isinstance(result, bool):
            raise RequestError(f"rule {text!r} must be true or false, but is {result!r}")
        return result

    return holds


def _depth(tree: ast.AST) -> int:
    """Count how deep a rule is nested, without nesting anything."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _compile(node: ast.expr, text: str, names: list[str]) -> Predicate:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return lambda scope: value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            parts = [_compile(item, text, names) for item in items]
            return lambda scope: [part(scope) for part in parts]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return lambda scope: -number
        case ast.Name(id="true" | "false" as word):
            return lambda scope: word == "true"
        case ast.Name() | ast.Attribute(value=ast.Name()):
            return _name(ast.unparse(node), names)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _compile(operand, text, names)
            return lambda scope: not inner(scope)
        case ast.BoolOp(op=word, values=items):
            parts = [_compile(item, text, names) for item in items]
            every = isinstance(word, ast.And)
            return lambda scope: (all if every else any)(part(scope) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=rights) if all(type(op) in _COMPARISONS for op in ops):
            sides = [_compile(side, text, names) for side in [left, *rights]]
            tests = [_COMPARISONS[type(op)] for op in ops]
            return lambda scope: all(
                test(a(scope), b(scope)) for test, a, b in zip(tests, sides[:-1], sides[1:], strict=True)
            )
    raise RequestError(
        f"rule {text!r}: {ast.unparse(node)!r} is not part of a rule; "
        "known: knobs, factor.NAME, numbers, 'texts', true, false, lists, == != < <= > >= in, and or not"
    )


def _name(name: str, names: list[str]) -> Predicate:
    if name not in names:
        raise RequestError(f"a rule names an {one_of('knob or factor', name, names)}")
    return lambda scope: scope[name]
