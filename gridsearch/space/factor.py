"""Factors: the questions put on trial, each with its levels or its range, as a space file declares them."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict

from gridsearch.errors import RequestError, one_of
from gridsearch.recipe.prefixes import with_prefixes
from gridsearch.recipe.recipe import Recipe, knobs, parse_recipe
from gridsearch.space.ranges import Range, parse_range

ROW = "row"
"""What the name of a row is kept under, beside the levels of its factors."""

SEED, SEEDS = "seed", "seeds"
"""What a row of a list names seeds of its own by: one, or several."""

RESERVED_COLUMNS = ("index", ROW, SEEDS, "result", "dev", "sd", "n", "trial", "state")
"""What the comparison table calls its other columns."""


@dataclass(frozen=True)
class Level:
    """One answer to a factor's question: its label in the table, and the knobs it sets."""

    label: str
    knobs: Mapping[str, Any]


@dataclass(frozen=True)
class Factor:
    """A question put on trial. ``column`` heads it in tables; ``baseline`` is the label of its neutral level.

    It has levels, or a range of values of the knob that it is named after.
    """

    name: str
    column: str
    levels: tuple[Level, ...]
    baseline: str
    range: Range | None = None

    @property
    def knobs(self) -> frozenset[str]:
        """Every knob that some level sets."""
        return frozenset(name for level in self.levels for name in level.knobs) or frozenset([self.name])

    @property
    def every_level(self) -> tuple[Level, ...] | None:
        """All levels, those of a range with steps included; None for a range without."""
        if self.range is None:
            return self.levels
        values = self.range.values()
        return None if values is None else tuple(map(self.level_of, values))

    def level_of(self, value: float) -> Level:
        """Return the level that a value of the range makes."""
        assert self.range is not None
        snapped = self.range.snap(value)
        return Level(label_of(snapped), {self.name: snapped})

    def level(self, label: str) -> Level:
        """Return the level of this label. Raises RequestError where there is none."""
        if self.range is not None and is_number(label):
            found = [self.level_of(float(label))]
        else:
            found = [level for level in self.levels if level.label == label]
        if [level.label for level in found] != [label]:
            raise RequestError(f"factor {self.name} has no level {label}")
        return found[0]


class LongForm(BaseModel):
    """What a space file may say of a factor; a list alone is that of its levels."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    levels: list[Any] | dict[str, dict[str, Any]] | None = None
    """Values of the knob that the factor is named after; or named levels, each of which sets one knob or several.
    ``levels = { plain = { adversarial = "none" }, fgm = { adversarial = "fgm", adversarial_epsilon = 0.5 } }``"""
    label: str | None = None
    """What heads its column in tables; by default its name. ``label = "attack"``"""
    baseline: Any = None
    """The level that the others are compared with; by default the one at which its knobs have their defaults, else the
    first. ``baseline = "plain"``"""
    range: dict[str, Any] | None = None
    """In place of levels, for random designs and ``optimize``: all values between two.
    ``range = { low = 1, high = 8 }``"""


LONG_FORM = tuple(LongForm.model_fields)
"""Keys of a factor's long form."""


def parse_factor(name: str, form: Any, fixed: Mapping[str, Any], space: str) -> Factor:
    """Read one entry of [factors]: a list of values, or the long form. Raises RequestError for what is wrong in it."""
    where = f"{space}, factor {name}"
    long_form = form if isinstance(form, dict) else {"levels": form}
    for key in long_form:
        if key not in LONG_FORM:
            raise RequestError(f"{where}: {one_of('key', key, LONG_FORM)}")
    if "range" in long_form:
        return _ranging(name, long_form, fixed, where)
    levels = _levels(name, long_form.get("levels"), where)
    checked = [parse_recipe({**fixed, **level.knobs}, f"{where}, level {level.label!r}") for level in levels]
    for (i, first), (j, second) in itertools.combinations(enumerate(checked), 2):
        if first == second:
            raise RequestError(f"{where}: levels {levels[i].label!r} and {levels[j].label!r} are the same")
    column = _column(name, long_form, where)
    return Factor(name, column, levels, _baseline(levels, long_form.get("baseline"), where))


def _ranging(name: str, long_form: Mapping[str, Any], fixed: Mapping[str, Any], where: str) -> Factor:
    """Read a factor with a range: its name is the knob's, which must take both ends."""
    if "levels" in long_form:
        raise RequestError(f"{where}: a factor has levels or a range, not both")
    declared = long_form["range"]
    ends = [declared[key] for key in ("low", "high") if key in declared] if isinstance(declared, dict) else []
    for value in ends:
        parse_recipe({**fixed, name: value}, where)
    range_ = parse_range(declared, where, is_integer=not _takes_fractions(name, fixed, ends))
    default = getattr(Recipe(), name)
    value = long_form.get("baseline", default if is_number(label_of(default)) else range_.low)
    if not is_number(label_of(value)) or ("baseline" in long_form and value != range_.snap(value)):
        raise RequestError(f"{where}: the baseline must lie in the range {range_}, but is {value!r}")
    return Factor(name, _column(name, long_form, where), (), label_of(range_.snap(value)), range_)


def _takes_fractions(name: str, fixed: Mapping[str, Any], ends: list[Any]) -> bool:
    """Tell whether a knob takes numbers that are not whole."""
    try:
        parse_recipe({**fixed, name: sum(ends) / 2 + 1e-9 if len(ends) == 2 else 0.5}, name)
    except RequestError:
        return False
    return True


def is_number(label: str) -> bool:
    """Tell whether a label spells a finite number.

    >>> [is_number(label) for label in ("1e-05", "3", "cls", "1:2")]
    [True, True, False, False]
    """
    try:
        return math.isfinite(float(label))
    except ValueError:
        return False


def _column(name: str, long_form: Mapping[str, Any], where: str) -> str:
    column = long_form.get("label", name)
    if not isinstance(column, str) or not column:
        raise RequestError(f"{where}: label must be a text, but is {column!r}")
    if name in (SEED, SEEDS):
        rule = "a seed is no factor: runs of all seeds are averaged"
        raise RequestError(f"{where}: {rule}; write seeds = [0, 1] under [design], or seed = 0 in a row of a list")
    if column in RESERVED_COLUMNS:
        raise RequestError(f"{where}: the table has a column {column!r} of its own; choose another label")
    if name == ROW:
        raise RequestError(f"{where}: {ROW!r} is what a list calls its rows; choose another name")
    return column


def _levels(name: str, declared: Any, where: str) -> tuple[Level, ...]:
    if isinstance(declared, dict) and declared:
        for label, values in declared.items():
            if not isinstance(values, dict) or not values:
                raise RequestError(
                    f"{where}: level {label!r} must set knobs, such as {{ epochs = 3 }}, but is {values!r}"
                )
        return tuple(Level(label, with_prefixes(values)) for label, values in declared.items())
    if isinstance(declared, list) and declared:
        may_be_paths = name in knobs() and knobs()[name].may_be_path
        labels = ends_of(list(map(str, declared))) if may_be_paths else list(map(label_of, declared))
        levels = tuple(Level(label, {name: value}) for label, value in zip(labels, declared, strict=True))
        if len({level.label for level in levels}) < len(levels):
            raise RequestError(f"{where}: levels must differ, but are {declared!r}")
        return levels
    raise RequestError(
        f"{where}: levels must be a list of values or a table of named levels, and not empty: {declared!r}"
    )


def ends_of(paths: Sequence[str]) -> list[str]:
    """Return of each path as much of its end as tells it from the others.

    >>> ends_of(["tiny", "models/one", "a/models/two", "b/models/two", "two"])
    ['tiny', 'one', 'a/models/two', 'b/models/two', 'two']
    """
    parts = [PurePosixPath(path).parts for path in paths]
    found = []
    for own in parts:
        lengths = range(1, len(own) + 1)
        alone = (n for n in lengths if sum(other[-n:] == own[-n:] for other in parts) == 1)
        found.append(str(PurePosixPath(*own[-next(alone, len(own)) :])))
    return found


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
