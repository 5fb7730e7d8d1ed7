"""A space: the factors put on trial, their levels, the rules and the design, read from one TOML file."""

import itertools
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridsearch.errors import RequestError, one_of, validation_sentence
from gridsearch.recipe import Recipe, knobs, parse_recipe
from gridsearch.rules import Scope, parse_rule

RESERVED_COLUMNS = ("index", "result", "dev", "sd", "n", "trial", "state")
"""What the comparison table calls its other columns."""


class Design(BaseModel):
    """Which cells of the space are run, with which seeds, and what becomes of knobs that cannot act."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["full"] = "full"
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], Field(min_length=1)] = [0]
    seed_policy: Literal["shared", "distinct"] = "shared"
    on_dead: Literal["refuse", "collapse", "replicate"] = "refuse"
    order_seed: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True)
class Level:
    """One answer to a factor's question: its label in the table, and the knobs it sets."""

    label: str
    knobs: Mapping[str, Any]


@dataclass(frozen=True)
class Factor:
    """A question put on trial. ``column`` heads it in tables; ``baseline`` is the label of its neutral level."""

    name: str
    column: str
    levels: tuple[Level, ...]
    baseline: str

    @property
    def knobs(self) -> frozenset[str]:
        """Every knob that some level sets."""
        return frozenset(name for level in self.levels for name in level.knobs)


@dataclass(frozen=True)
class Rule:
    """Cells that are left out before anything runs, and why."""

    skip: str
    why: str
    holds: Callable[[Scope], bool]


@dataclass(frozen=True)
class Cell:
    """One combination of levels (factor name to label), with the recipe that it declares."""

    levels: Mapping[str, str]
    recipe: Recipe


@dataclass(frozen=True)
class Space:
    """Factors + rules + design, with the part of the recipe that all cells share (``fixed``)."""

    name: str
    title: str
    text: str
    fixed: Mapping[str, Any]
    factors: tuple[Factor, ...]
    rules: tuple[Rule, ...]
    design: Design

    def cells(self) -> Iterator[Cell]:
        """All combinations in table order: the first factor declared varies slowest."""
        for levels in itertools.product(*(factor.levels for factor in self.factors)):
            values = dict(self.fixed)
            for level in levels:
                values |= level.knobs
            labels = {factor.name: level.label for factor, level in zip(self.factors, levels, strict=True)}
            yield Cell(labels, parse_recipe(values, f"{self.name}, cell {labels}"))

    def rule_against(self, recipe: Recipe, levels: Mapping[str, str]) -> Rule | None:
        """Return the first rule that leaves this (resolved) cell out."""
        scope = recipe.model_dump() | {f"factor.{name}": label for name, label in levels.items()}
        return next((rule for rule in self.rules if rule.holds(scope)), None)

    def with_fixed(self, values: Mapping[str, Any]) -> "Space":
        """Return the space with other values for knobs that no factor varies."""
        for name in values:
            if name not in Recipe.model_fields:
                raise RequestError(one_of("knob", name, list(Recipe.model_fields)))
            _refuse_fixed_factor_knob(name, self.factors)
        parse_recipe(values, "--set")
        return replace(self, fixed={**self.fixed, **values})

    def with_seeds(self, seeds: list[int]) -> "Space":
        """Return the space with other seeds."""
        return replace(self, design=_checked_design(self.design.model_dump() | {"seeds": seeds}, self.name))


def load_space(path: Path) -> Space:
    """Read a space file. Raises RequestError with one sentence for whatever is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"the space file {path} cannot be read: {error}") from None
    return parse_space(text, path.stem)


def parse_space(text: str, name: str) -> Space:
    """Read the text of a space file; ``name`` is what the space is called in messages and folders."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{name} is not TOML: {error}") from None
    known = ["title", "recipe", "factors", "design", "rules"]
    for key in raw:
        if key not in known:
            raise RequestError(f"{name}: {one_of('section', key, known)}")
    fixed = _table(raw, "recipe", name)
    parse_recipe(fixed, f"{name}, [recipe]")
    factors = tuple(_factor(key, form, fixed, name) for key, form in _table(raw, "factors", name).items())
    if not factors:
        raise RequestError(f"{name}: a space needs at least one factor under [factors]")
    _refuse_shared_knobs(factors, fixed, name)
    design = _checked_design(_table(raw, "design", name), name)
    rules = tuple(_rule(form, factors, name) for form in _tables(raw, "rules", name))
    return Space(name, str(raw.get("title", name)), text, fixed, factors, rules, design)


def _table(raw: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise RequestError(f"{name}: [{key}] must be a table, but is {value!r}")
    return value


def _tables(raw: Mapping[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise RequestError(f"{name}: [[{key}]] must be a list of tables, but is {value!r}")
    return value


def _checked_design(form: dict[str, Any], name: str) -> Design:
    try:
        design = Design(**form)
    except ValidationError as error:
        raise RequestError(f"{name}, [design]: {validation_sentence(error)}") from None
    if len(set(design.seeds)) < len(design.seeds):
        raise RequestError(f"{name}, [design]: seeds must differ, but are {design.seeds}")
    return design


def _factor(name: str, form: Any, fixed: Mapping[str, Any], space: str) -> Factor:
    where = f"{space}, factor {name}"
    long_form = form if isinstance(form, dict) else {"levels": form}
    for key in long_form:
        if key not in ("levels", "label", "baseline", "range"):
            raise RequestError(f"{where}: {one_of('key', key, ['levels', 'label', 'baseline', 'range'])}")
    if "range" in long_form:
        raise RequestError(f"{where}: a full factorial needs levels; a range has no end of them")
    levels = _levels(name, long_form.get("levels"), where)
    checked = [parse_recipe({**fixed, **level.knobs}, f"{where}, level {level.label!r}") for level in levels]
    for (i, first), (j, second) in itertools.combinations(enumerate(checked), 2):
        if first == second:
            raise RequestError(f"{where}: levels {levels[i].label!r} and {levels[j].label!r} are the same")
    column = long_form.get("label", name)
    if not isinstance(column, str) or not column:
        raise RequestError(f"{where}: label must be a text, but is {column!r}")
    if column in RESERVED_COLUMNS:
        raise RequestError(f"{where}: the table has a column {column!r} of its own; choose another label")
    return Factor(name, column, levels, _baseline(levels, long_form.get("baseline"), where))


def _levels(name: str, declared: Any, where: str) -> tuple[Level, ...]:
    if isinstance(declared, dict) and declared:
        for label, values in declared.items():
            if not isinstance(values, dict) or not values:
                raise RequestError(
                    f"{where}: level {label!r} must set knobs, such as {{ epochs = 3 }}, but is {values!r}"
                )
        return tuple(Level(label, values) for label, values in declared.items())
    if isinstance(declared, list) and declared:
        levels = tuple(Level(label_of(value), {name: value}) for value in declared)
        if len({level.label for level in levels}) < len(levels):
            raise RequestError(f"{where}: levels must differ, but are {declared!r}")
        return levels
    raise RequestError(
        f"{where}: levels must be a list of values or a table of named levels, and not empty: {declared!r}"
    )


def label_of(value: object) -> str:
    """Spell a knob's value for a table, as the field does: 1 and 0 for used and not used, 1:1.3 for weights.

    >>> [label_of(value) for value in (True, 6, 0.1, 1e-5, "cls", [1.0, 1.3])]
    ['1', '6', '0.1', '1e-05', 'cls', '1.0:1.3']
    """
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list | tuple):
        return ":".join(label_of(item) for item in value)
    return str(value)


def _baseline(levels: tuple[Level, ...], declared: Any, where: str) -> str:
    labels = [level.label for level in levels]
    if declared is not None:
        if label_of(declared) not in labels:
            raise RequestError(f"{where}: {one_of('baseline level', declared, labels)}")
        return label_of(declared)
    defaults = Recipe()
    neutral = (
        level.label
        for level in levels
        if all(value in (knobs()[name].neutral, getattr(defaults, name)) for name, value in level.knobs.items())
    )
    return next(neutral, labels[0])


def _refuse_shared_knobs(factors: tuple[Factor, ...], fixed: Mapping[str, Any], space: str) -> None:
    for first, second in itertools.combinations(factors, 2):
        if shared := sorted(first.knobs & second.knobs):
            raise RequestError(
                f"{space}: factors {first.name} and {second.name} both set {shared[0]}; one knob, one factor"
            )
        if first.column == second.column:
            raise RequestError(f"{space}: factors {first.name} and {second.name} have the same label {first.column!r}")
    for name in fixed:
        _refuse_fixed_factor_knob(name, factors)


def _refuse_fixed_factor_knob(name: str, factors: tuple[Factor, ...]) -> None:
    for factor in factors:
        # A level that leaves a knob alone falls back to the fixed part, so only a knob set by every level is a clash.
        if all(name in level.knobs for level in factor.levels):
            raise RequestError(f"{name} is varied by factor {factor.name}; it cannot be fixed as well")


def _rule(form: dict[str, Any], factors: tuple[Factor, ...], space: str) -> Rule:
    if set(form) != {"skip", "why"} or not all(isinstance(text, str) and text for text in form.values()):
        raise RequestError(f"{space}: a rule has a text `skip` and a text `why`, but is {form!r}")
    names = [*Recipe.model_fields, *(f"factor.{factor.name}" for factor in factors)]
    return Rule(form["skip"], form["why"], parse_rule(form["skip"], names))
