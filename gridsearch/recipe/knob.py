"""Knob: what a field of Recipe declares about itself besides its type, range and default."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe
    from gridsearch.recipe.trial_facts import TrialFacts

Reason = str | None
"""Why a knob cannot act, or None when it can."""

NO_NEUTRAL: Final = object()
"""The neutral value of knobs without one: such a knob is part of every trial id (a learning rate, a batch size)."""


Cost = Literal["each", "on", "none"]
"""What the time of a trial knows of a knob: each of its values, only whether it is on, or nothing."""


@dataclass(frozen=True)
class Knob:
    """A line of meaning, where it comes from, its neutral value, when it cannot act, and what time it costs.

    ``neutral`` is the value under which the knob might as well not exist; it never changes once published, because
    trial ids leave neutral knobs out. ``cannot_act`` is asked only for a value that is not neutral. ``cost`` is not
    "each" only where the same operations are computed whatever the number is: a test counts them.
    """

    meaning: str
    source: str = ""
    neutral: object = NO_NEUTRAL
    cannot_act: "Callable[[Recipe, TrialFacts], Reason] | None" = None
    cost: Cost = "each"
