"""A space: the factors put on trial, the rules and the design, read from one TOML file."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from gridsearch.errors import RequestError, one_of
from gridsearch.recipe.prefixes import with_prefixes
from gridsearch.recipe.recipe import Recipe, parse_recipe
from gridsearch.repetition import Repetition
from gridsearch.space.design import Design, combinations, parse_design
from gridsearch.space.draws import count_combinations
from gridsearch.space.factor import LONG_FORM, Factor, Level, parse_factor
from gridsearch.space.rules import Scope, parse_rule
from gridsearch.toml_file import parse_toml, read_toml_text


class SpaceFile(BaseModel):
    """What may stand in a space file."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    title: str = ""
    """The question, as it heads the page; by default the file's name. ``title = "Does warm-up help?"``"""
    task: str | None = None
    """What is meant without ``--task``: a built-in task, or a TOML file, looked for beside this one first.
    ``task = "reviews.toml"``"""
    model: str | None = None
    """What is meant without ``--model``: a built-in encoder, a folder, looked for beside this file first, or a name at
    Hugging Face. ``model = "minilm"``"""
    recipe: dict[str, Any] = {}
    """Knobs that are the same in all cells, by their names in docs/recipe.md; the others keep their defaults."""
    factors: dict[str, Any]
    """The questions put on trial, in the order of the table's columns: the first varies slowest."""
    design: dict[str, Any] = {}
    """Which cells are run, and how often."""
    rules: list[dict[str, Any]] = []
    """Cells that are left out before anything runs; the plan and the page name and count them."""


class RuleForm(BaseModel):
    """What a space file says of a rule."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    skip: str
    """Which cells: knobs, and levels by their label (``factor.NAME``), with numbers, texts in quotes, true, false,
    lists, comparisons (``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in``), and, or, not.
    ``skip = "frozen_layers > 0 and factor.attack == 'fgm'"``"""
    why: str
    """The reason, as the page tells it. ``why = "an attack perturbs what frozen layers do not learn"``"""


@dataclass(frozen=True)
class Rule:
    """Cells that are left out before anything runs, and why."""

    skip: str
    why: str
    holds: Callable[[Scope], bool]


@dataclass(frozen=True)
class Cell:
    """One combination of levels (factor name to label), with the recipe that it declares and its name in a list.

    ``repetitions`` say how often it is run: as often as all, unless its row in the list names seeds of its own.
    """

    levels: Mapping[str, str]
    recipe: Recipe
    repetitions: tuple[Repetition, ...]
    row: str = ""

    def __str__(self) -> str:
        return spell_cell(self.levels, self.row)


@dataclass(frozen=True)
class Space:
    """Factors + rules + design, with the part of the recipe that all cells share (``fixed``).

    ``task``, a name or a path, is the one that is meant where none is asked for; None: any will do. The ``model`` that
    a file names is the encoder in ``fixed``.
    """

    name: str
    title: str
    text: str
    fixed: Mapping[str, Any]
    factors: tuple[Factor, ...]
    rules: tuple[Rule, ...]
    design: Design
    task: str | None = None

    def cells(self) -> Iterator[Cell]:
        """Return the combinations that the design asks for, in table order."""
        for combination in combinations(self.design, self.factors, self.name):
            yield self.cell(combination.levels, combination.row, combination.own_seeds)

    def cell(self, levels: Sequence[Level], row: str = "", own_seeds: Sequence[int] = ()) -> Cell:
        """Put a cell together from a level of each factor."""
        values = dict(self.fixed)
        for level in levels:
            values |= level.knobs
        labels = {factor.name: level.label for factor, level in zip(self.factors, levels, strict=True)}
        recipe = parse_recipe(values, self.where(labels, row))
        return Cell(labels, recipe, self.design.repetitions_of(own_seeds), row)

    def where(self, levels: Mapping[str, str], row: str) -> str:
        """Name a cell and the space; one that nothing is varied in is the space."""
        return f"{self.name}, {spell_cell(levels, row)}" if levels or row else self.name

    @property
    def n_combinations(self) -> int | None:
        """All combinations of levels, asked for or not; None where a range has no end of them."""
        return count_combinations(self.factors)

    def factor_of(self, knob: str) -> Factor | None:
        """Return the factor whose levels all set a knob, so that nothing else can."""
        return next((factor for factor in self.factors if _always_sets(factor, knob)), None)

    def values_of(self, knob: str) -> list[Any]:
        """Return the values that cells have of a knob without a range."""
        levels = [level.knobs[knob] for factor in self.factors for level in factor.levels if knob in level.knobs]
        fixed = [] if self.factor_of(knob) else [self.fixed.get(knob, getattr(Recipe(), knob))]
        return list(dict.fromkeys([*levels, *fixed]))

    def rule_against(self, recipe: Recipe, levels: Mapping[str, str]) -> Rule | None:
        """Return the first rule that leaves this (resolved) cell out."""
        scope = recipe.model_dump() | {f"factor.{name}": label for name, label in levels.items()}
        return next((rule for rule in self.rules if rule.holds(scope)), None)

    def with_fixed(self, values: Mapping[str, Any]) -> "Space":
        """Return the space with other values for knobs that no factor varies."""
        for name in values:
            _refuse_fixed_factor_knob(name, self.factors)
        parse_recipe(values, "--set")
        return replace(self, fixed={**self.fixed, **values})

    def with_design(self, **values: Any) -> "Space":
        """Return the space with other values under [design], such as its seeds."""
        return replace(self, design=parse_design(self.design.model_dump() | values, self.factors, self.name))


def spell_cell(levels: Mapping[str, str], row: str = "") -> str:
    """Name a cell in a message: by its row in a list, else by its levels.

    >>> spell_cell({"attack": "fgm"}), spell_cell({"attack": "fgm"}, "kfold-2")
    ('cell attack = fgm', "row 'kfold-2'")
    """
    return f"row {row!r}" if row else "cell " + ", ".join(f"{name} = {label}" for name, label in levels.items())


def load_space(path: Path) -> Space:
    """Read a space file. Raises RequestError with one sentence for whatever is wrong in it."""
    return parse_space(read_toml_text(path), path.stem)


def parse_space(text: str, name: str) -> Space:
    """Read the text of a space file; ``name`` is what the space is called in messages and folders."""
    raw = parse_toml(text, name)
    known = list(SpaceFile.model_fields)
    for key in raw:
        if key not in known:
            raise RequestError(f"{name}: {one_of('section', key, known)}")
    task = _name_in(raw, "task", "the name of a task or the path of its TOML file", name)
    model = _name_in(raw, "model", "a built-in encoder, a folder or a Hugging Face name", name)
    fixed = _table(raw, "recipe", name)
    if model is not None:
        if "encoder" in fixed:
            raise RequestError(f"{name}: model and encoder under [recipe] are the same thing: leave one of them out")
        fixed["encoder"] = model
    parse_recipe(fixed, f"{name}, [recipe]")
    factors = tuple(parse_factor(key, form, fixed, name) for key, form in _table(raw, "factors", name).items())
    if not factors:
        raise RequestError(f"{name}: a space needs at least one factor under [factors]")
    if model is not None and (factor := next((one for one in factors if "encoder" in one.knobs), None)) is not None:
        rule = f"factor {factor.name} names an encoder for every cell"
        raise RequestError(f"{name}: {rule}: leave model = {model!r} out")
    _refuse_shared_knobs(factors, fixed, name)
    design = parse_design(_table(raw, "design", name), factors, name)
    rules = tuple(_rule(form, factors, name) for form in _tables(raw, "rules", name))
    return Space(name, str(raw.get("title", name)), text, fixed, factors, rules, design, task)


def _name_in(raw: Mapping[str, Any], key: str, what: str, name: str) -> str | None:
    """Read what a space names where a command names none."""
    value = raw.get(key)
    if value is not None and not (isinstance(value, str) and value):
        raise RequestError(f"{name}: {key} must be {what}, but is {value!r}")
    return value


def _table(raw: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise RequestError(f"{name}: [{key}] must be a table, but is {value!r}")
    return with_prefixes(value, keep=lambda table: bool(table) and table.keys() <= set(LONG_FORM))


def _tables(raw: Mapping[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise RequestError(f"{name}: [[{key}]] must be a list of tables, but is {value!r}")
    return value


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
        if _always_sets(factor, name):
            raise RequestError(f"{name} is varied by factor {factor.name}; it cannot be fixed as well")


def _always_sets(factor: Factor, knob: str) -> bool:
    """Tell whether every level sets a knob: one that leaves it alone falls back to the fixed part."""
    return knob in factor.knobs and all(knob in level.knobs for level in factor.levels)


def _rule(form: dict[str, Any], factors: tuple[Factor, ...], space: str) -> Rule:
    if set(form) != set(RuleForm.model_fields) or not all(isinstance(text, str) and text for text in form.values()):
        raise RequestError(f"{space}: a rule has a text `skip` and a text `why`, but is {form!r}")
    names = [*Recipe.model_fields, *(f"factor.{factor.name}" for factor in factors)]
    return Rule(form["skip"], form["why"], parse_rule(form["skip"], names))
