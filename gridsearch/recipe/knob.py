"""Knob: what a field of Recipe declares about itself besides its type, range and default."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from gridsearch.recipe.trial_facts import Rows

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe
    from gridsearch.recipe.trial_facts import TrialFacts

Reason = str | None
"""Why a knob cannot act, or None when it can."""

NO_NEUTRAL: Final = object()
"""The neutral value of knobs without one: such a knob is part of every trial id (a learning rate, a batch size)."""


Cost = Literal["each", "on", "none"]
"""What the time of a trial knows of a knob: each of its values, only whether it is on, or nothing."""

FrozenStates = Literal["apart", "tokens", "enters", "moves"]
"""What the states that frozen layers give know of a knob: nothing; the weights and tokens that it chooses; its value;
or they are no longer the same in every step, so that nothing can be computed beforehand."""


def _from_the_first(recipe: "Recipe", rows: Rows) -> int:
    return 1


@dataclass(frozen=True)
class Knob:
    """A line of meaning, where it comes from, its neutral value, when it cannot act, and what it touches.

    ``neutral`` is the value under which the knob might as well not exist; it never changes once published, because
    trial ids leave neutral knobs out. ``cannot_act`` is asked only for a value that is not neutral. ``cost`` is not
    "each" only where the same operations are computed whatever the number is: a test counts them. ``stage_cost`` says
    the same of a step of the pretraining, which knows of no knob but its own.

    ``begins`` returns the first epoch after whose end a result can differ by the knob's part. ``varies_passes`` says
    whether two passes over the same rows differ by it. ``in_view``: it changes the rows as a trial reads them.
    ``counts_layers``: its value is a number of layers, and may be a share of the depth. ``counts_tokens``: it is one of
    tokens, and may be a percentile of the training rows' lengths. tests/recipe derives all of these from what a knob
    does. ``of_the_loss``: it decides what a pretraining is asked, so that losses of two of its
    values are two measures. ``may_be_path``: its value may be the path of a folder, which a space names from beside its
    own file, and tables by as much of its end as tells it from others.
    """

    meaning: str
    source: str = ""
    neutral: object = NO_NEUTRAL
    cannot_act: "Callable[[Recipe, TrialFacts], Reason] | None" = None
    cost: Cost = "each"
    stage_cost: Cost = "each"
    begins: "Callable[[Recipe, Rows], int]" = _from_the_first
    varies_passes: "Callable[[Recipe, TrialFacts], bool] | None" = None
    frozen_states: FrozenStates = "apart"
    in_view: bool = False
    counts_layers: bool = False
    counts_tokens: bool = False
    of_the_loss: bool = False
    may_be_path: bool = False
