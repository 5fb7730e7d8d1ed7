"""The data that figures are drawn from, and the pictures that they become. Values are in units of the response."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Picture:
    """A finished figure. ``name`` is a file stem, ``title`` its caption, ``alt`` what a reader who cannot see it hears.

    ``svg`` is one ``<svg>`` element: a file of its own, or an image in an HTML page.
    """

    name: str
    title: str
    alt: str
    svg: str


@dataclass(frozen=True)
class Response:
    """What was measured, by its name; of most metrics, more is better."""

    label: str
    lower_is_better: bool = False


class Scale(StrEnum):
    """What a half-normal plot compares: effects that share one error as they are, others relative to theirs."""

    EFFECT = "effect"
    T = "effect / standard error"
    SCORE = "normal score of the p value"


@dataclass(frozen=True)
class EffectPoint:
    """A tested term; ``value`` is on the plot's scale, and signed where the term has a sign."""

    name: str
    value: float
    found: bool


@dataclass(frozen=True)
class EffectPoints:
    """All tested terms. Beyond ``limit`` one is found; ``noise`` is the standard error on this scale.

    ``df`` are those of its estimate, one for all terms; unless ``shares_error``, one of its own for each.
    """

    points: tuple[EffectPoint, ...]
    scale: Scale
    noise: float
    limit: float | None
    df: float = math.inf
    shares_error: bool = True


@dataclass(frozen=True)
class LevelPoint:
    """The mean at a level. It differs from the baseline's where their bars, ``half_width`` each way, do not overlap."""

    level: str
    mean: float
    half_width: float | None
    is_baseline: bool = False


@dataclass(frozen=True)
class FactorMeans:
    """A factor's levels in declared order, and whether it was found to act."""

    factor: str
    levels: tuple[LevelPoint, ...]
    found: bool


@dataclass(frozen=True)
class InteractionPanel:
    """Means at the levels of ``across``, one line for each level of ``lines``, other factors of the term at ``given``.

    ``means`` has a tuple of points for each line.
    """

    term: str
    across: str
    lines: str
    line_levels: tuple[str, ...]
    given: tuple[tuple[str, str], ...]
    means: tuple[tuple[LevelPoint, ...], ...]


@dataclass(frozen=True)
class TimedCell:
    """A cell's result, and the seconds that a run of it trains."""

    name: str
    seconds: float
    value: float
    is_baseline: bool = False
    not_learned: bool = False


class Role(StrEnum):
    """Why a run's curve is shown."""

    BEST = "best"
    WORST = "worst"
    BASELINE = "baseline"
    NOT_LEARNED = "did not learn"


@dataclass(frozen=True)
class Curve:
    """The response after each epoch of one run (None or NaN: unknown). ``chosen_epoch`` counts from 1."""

    name: str
    roles: tuple[Role, ...]
    values: tuple[float | None, ...]
    chosen_epoch: int | None = None
    not_learned: bool = False


@dataclass(frozen=True)
class LossCurve:
    """The losses that a training logged: (place, loss) in order, the place a step or an epoch."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class GridFactor:
    """A factor of a heat map, its levels in declared order."""

    name: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class GridCell:
    """A cell of a heat map; ``value`` is None where it has no result."""

    name: str
    levels: Mapping[str, str]
    value: float | None
    is_best: bool = False
    is_baseline: bool = False
    not_learned: bool = False
