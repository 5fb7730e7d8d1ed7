"""Designs: which combinations of levels are run, and in which order, so that an interrupted sweep is a fair sample."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridsearch.errors import RequestError, one_of, validation_sentence
from gridsearch.repetition import Division, Repetition, repetitions
from gridsearch.space.draws import draws
from gridsearch.space.factor import ROW, SEED, SEEDS, Factor, Level, label_of
from gridsearch.space.fraction import MOST_FACTORS, aliased_effects, fraction_columns, fraction_runs

MOST_FOLDS = 100
DEFAULT_KIND: Final = "full"
MOST_DRAWS_PER_CELL = 1000
"""A random design gives up when rules leave fewer than one in so many combinations."""


class Design(BaseModel):
    """Which cells of the space are run, with which seeds, and what becomes of knobs that cannot act."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    kind: Literal["full", "fraction", "one-at-a-time", "list", "random"] = DEFAULT_KIND
    """All combinations of levels; a fraction of those of two levels; the baseline and each other level alone; rows that
    are named; or some drawn at random. ``kind = "one-at-a-time"``"""
    resolution: Annotated[int, Field(ge=3, le=6)] | None = None
    """Of a fraction: 3 tells main effects from each other, 4 also from interactions of two, and so on.
    ``resolution = 4``"""
    rows: list[dict[str, Any]] = []
    """Of a list: each row is a name (``row``), the levels that are not the baseline, by the names of their factors, and
    its ``seed`` or ``seeds`` where they are not those of all.
    ``rows = [{ row = "plain" }, { row = "attacked", attack = "fgm", seed = 42 }]``"""
    cells: Annotated[int, Field(ge=1)] | None = None
    """Of a random design: so many cells are drawn, none twice; more of them later begin with these. ``cells = 20``"""
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], Field(min_length=1)] = [0]
    """Every cell is run with each of them. ``seeds = [0, 1, 2]``"""
    seed_policy: Literal["shared", "distinct"] = "shared"
    """Whether all cells have the same seeds, so that they are compared seed by seed, or each has its own.
    ``seed_policy = "distinct"``"""
    on_dead: Literal["refuse", "collapse", "replicate"] = "refuse"
    """What to do about a knob that cannot act in a cell: refuse it with the reason, let the cells share their trials
    that differ in nothing else, or run them as replicates. ``on_dead = "collapse"``"""
    order_seed: Annotated[int, Field(ge=0)] = 0
    """Decides in which order trials are run, and what a random design draws. ``order_seed = 1``"""
    folds: Annotated[int, Field(ge=2, le=MOST_FOLDS)] | None = None
    """So many runs of each seed, each judged by rows that it did not read; together they judge every row once.
    ``folds = 5``"""
    fold_seed: Annotated[int, Field(ge=0)] = 0
    """Decides which rows are of which fold. ``fold_seed = 1``"""

    @property
    def division(self) -> Division | None:
        """How rows are divided into folds; None where the task's own dev rows judge."""
        return None if self.folds is None else Division(self.folds, self.fold_seed)

    @property
    def repetitions(self) -> tuple[Repetition, ...]:
        """How often each cell is run, and on which rows."""
        return self.repetitions_of(())

    def repetitions_of(self, own_seeds: Sequence[int]) -> tuple[Repetition, ...]:
        """Return how often a cell is run that may have seeds of its own; without any, it has those of all."""
        return repetitions(own_seeds or self.seeds, self.folds or 1)


@dataclass(frozen=True)
class Combination:
    """One level of each factor; ``row`` is what a list calls it, ``own_seeds`` are those that the list names there."""

    levels: tuple[Level, ...]
    row: str = ""
    own_seeds: tuple[int, ...] = ()


def parse_design(form: dict[str, Any], factors: Sequence[Factor], space: str) -> Design:
    """Read [design]. Raises RequestError for what is wrong in it, and for what does not fit the factors."""
    where = f"{space}, [design]"
    try:
        design = Design(**form)
    except ValidationError as error:
        raise RequestError(f"{where}: {validation_sentence(error)}") from None
    _refuse_equal_seeds(design.seeds, where)
    for key, kind in (("rows", "list"), ("resolution", "fraction"), ("cells", "random")):
        if getattr(design, key) and design.kind != kind:
            raise RequestError(f"{where}: only kind = {kind!r} has {key}, but kind is {design.kind!r}")
    if design.kind != DEFAULT_KIND:
        _refuse_ranges(design, factors, where)
    if design.kind == "list":
        _refuse_wrong_rows(design, factors, where)
    if design.kind == "fraction":
        _refuse_no_fraction(design, factors, where)
    if design.kind == "random" and design.cells is None:
        raise RequestError(f"{where}: a random design needs its number of cells, such as cells = 20")
    return design


def _refuse_equal_seeds(seeds: Sequence[int], where: str) -> None:
    if len(set(seeds)) < len(seeds):
        raise RequestError(f"{where}: seeds must differ, but are {list(seeds)}")


def own_seeds(form: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the seeds that a row of a list names; none where it has those of all.

    >>> own_seeds({"row": "a", "seed": 42}), own_seeds({"row": "b", "seeds": [0, 1]}), own_seeds({"row": "c"})
    ((42,), (0, 1), ())
    """
    return (form[SEED],) if SEED in form else tuple(form.get(SEEDS, ()))


def seeds_by_row(rows: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> dict[str, str]:
    """Spell the seeds of each row of a list, where some row names its own; else return nothing.

    >>> seeds_by_row([{"row": "a", "seed": 42}, {"row": "b"}], [0, 1])
    {'a': '42', 'b': '0, 1'}
    """
    if not any(map(own_seeds, rows)):
        return {}
    return {form[ROW]: ", ".join(map(str, own_seeds(form) or seeds)) for form in rows}


def _refuse_ranges(design: Design, factors: Sequence[Factor], where: str) -> None:
    for factor in factors:
        if factor.range is not None and design.kind != "random":
            raise RequestError(
                f"{where}: kind = {design.kind!r} needs levels, and the range of {factor.name} has no end of them; "
                "kind = 'random' takes it, and so does gridsearch optimize"
            )


def _refuse_wrong_rows(design: Design, factors: Sequence[Factor], where: str) -> None:
    if not design.rows:
        raise RequestError(f'{where}: a list needs rows, such as rows = [{{ {ROW} = "first", FACTOR = "LEVEL" }}]')
    labels = {factor.name: [level.label for level in factor.levels] for factor in factors}
    for number, form in enumerate(design.rows, start=1):
        row = form.get(ROW)
        if not isinstance(row, str) or not row.strip():
            raise RequestError(f'{where}: row number {number} needs a name, such as {ROW} = "first"')
        for name, value in form.items():
            if name in (ROW, SEED, SEEDS):
                continue
            if name not in labels:
                raise RequestError(f"{where}, row {row!r}: {one_of('factor', name, list(labels))}")
            if label_of(value) not in labels[name]:
                raise RequestError(f"{where}, row {row!r}: {one_of(f'level of {name}', value, labels[name])}")
        _refuse_wrong_seeds(form, f"{where}, row {row!r}")
    row, times = Counter(form[ROW] for form in design.rows).most_common(1)[0]
    if times > 1:
        raise RequestError(f"{where}: {times} rows are called {row!r}; each needs a name of its own")


def _refuse_wrong_seeds(form: Mapping[str, Any], where: str) -> None:
    if SEED in form and SEEDS in form:
        raise RequestError(f"{where}: it has seed and seeds; name its seeds once")
    if SEED in form or SEEDS in form:
        try:
            design = Design(seeds=[form[SEED]] if SEED in form else form[SEEDS])
        except ValidationError as error:
            raise RequestError(f"{where}: {validation_sentence(error)}") from None
        _refuse_equal_seeds(design.seeds, where)


def _refuse_no_fraction(design: Design, factors: Sequence[Factor], where: str) -> None:
    if design.resolution is None:
        raise RequestError(f"{where}: a fraction needs its resolution, such as resolution = 4")
    for factor in factors:
        if len(factor.levels) != 2:
            labels = ", ".join(level.label for level in factor.levels)
            raise RequestError(f"{where}: a fraction needs factors of two levels, but {factor.name} has {labels}")
    if len(factors) > MOST_FACTORS:
        raise RequestError(f"{where}: a fraction takes at most {MOST_FACTORS} factors, but there are {len(factors)}")


def combinations(design: Design, factors: Sequence[Factor], space: str) -> Iterator[Combination]:
    """Return the combinations that a design asks for, in table order: of a random one, more than that in case of rules.

    Raises RequestError for a range in a design that needs levels. (Not when the file is read: the same file may be
    optimised.)
    """
    _refuse_ranges(design, factors, f"{space}, [design]")
    return _KINDS[design.kind](design, factors)


def _full(design: Design, factors: Sequence[Factor]) -> Iterator[Combination]:
    """All of them: the first factor declared varies slowest."""
    return map(Combination, itertools.product(*(factor.levels for factor in factors)))


def _fraction(design: Design, factors: Sequence[Factor]) -> Iterator[Combination]:
    """A regular fraction with the baseline in it: a run's 0 is the baseline level, its 1 the other one."""
    assert design.resolution is not None  # parse_design refuses a fraction without
    positions = [[factor.levels.index(level) for level in _baseline_first(factor)] for factor in factors]
    runs = fraction_runs(fraction_columns(len(factors), design.resolution))
    chosen = sorted(tuple(places[bit] for places, bit in zip(positions, run, strict=True)) for run in runs)
    for run in chosen:
        yield Combination(tuple(factor.levels[place] for factor, place in zip(factors, run, strict=True)))


def _baseline_first(factor: Factor) -> list[Level]:
    return sorted(factor.levels, key=lambda level: level.label != factor.baseline)


def _one_at_a_time(design: Design, factors: Sequence[Factor]) -> Iterator[Combination]:
    """The baseline, then each factor's other levels with all other factors at the baseline."""
    baseline = tuple(factor.level(factor.baseline) for factor in factors)
    yield Combination(baseline)
    for place, factor in enumerate(factors):
        for level in _baseline_first(factor)[1:]:
            yield Combination((*baseline[:place], level, *baseline[place + 1 :]))


def _list(design: Design, factors: Sequence[Factor]) -> Iterator[Combination]:
    """The rows as they stand; a factor that a row does not name has its baseline level."""
    for form in design.rows:
        levels = tuple(factor.level(label_of(form.get(factor.name, factor.baseline))) for factor in factors)
        yield Combination(levels, form[ROW], own_seeds(form))


def _random(design: Design, factors: Sequence[Factor]) -> Iterator[Combination]:
    assert design.cells is not None  # parse_design refuses a random design without
    return map(Combination, itertools.islice(draws(factors, design.order_seed), MOST_DRAWS_PER_CELL * design.cells))


_KINDS: Final[Mapping[str, Callable[[Design, Sequence[Factor]], Iterator[Combination]]]] = {
    "full": _full,
    "fraction": _fraction,
    "one-at-a-time": _one_at_a_time,
    "list": _list,
    "random": _random,
}


def design_text(kind: str, resolution: int | None = None) -> str:
    """Say in words what a design is.

    >>> design_text("full"), design_text("fraction", 4)
    ('full factorial', 'fraction of resolution 4 at least')
    """
    words = {
        "full": "full factorial",
        "one-at-a-time": "one-at-a-time design",
        "list": "list of rows",
        "random": "random sample",
        "optuna": "choice of Optuna",
    }
    return words.get(kind) or f"fraction of resolution {resolution} at least"


def alias_texts(columns: Sequence[str], resolution: int) -> list[str]:
    """Name the main effects and two-factor interactions that a fraction of these factors cannot tell apart.

    >>> alias_texts(["a", "b", "c"], 3)
    ['a = b x c', 'b = a x c', 'c = a x b']
    """
    groups = aliased_effects(fraction_columns(len(columns), resolution))
    return [" = ".join(" x ".join(columns[place] for place in effect) for effect in group) for group in groups]
