"""Knobs of what is made of the training rows: the judged ones stay as they are."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe

PairSwap = Literal["off", "both", "random"]
Closure = Literal["off", "positives", "both"]
ClosureRatio = Literal["free", "kept"]
OutsidePairs = Literal["none", "positive", "negative"]
CLOSURE_CAP = 10
"""Most texts of a component of which pairs are built, where nothing else is said."""


class AugmentationKnobs(KnobGroup):
    """Knobs of what is made of the training rows: the judged ones stay as they are."""

    # What is made of the training rows.
    pair_swap: Annotated[
        PairSwap,
        Knob(
            "training pairs in the other order: off, every pair in both orders in each epoch (twice the rows), or each "
            "in a random order whenever it is read",
            "github.com/bojone/oppo-text-match",
            neutral="off",
            cannot_act=why.no_second_text,
            frozen_states="tokens",
            in_view=True,
        ),
    ] = "off"
    closure: Annotated[
        Closure,
        Knob(
            "add pairs that follow from the training pairs: every two texts that positive pairs join, over others too, "
            "are a positive pair; with 'both', a negative pair also makes one of every text joined to its first and "
            "every text joined to its second",
            "seeds 001 and 002",
            neutral="off",
            cannot_act=why.nothing_follows,
            frozen_states="tokens",
            in_view=True,
        ),
    ] = "off"
    closure_cap: Annotated[
        int,
        Field(ge=2),
        Knob(
            "texts that positive pairs join are left as they are where they are more than this: one wrong label joins "
            "what does not belong together",
            neutral=CLOSURE_CAP,
            cannot_act=why.no_closure,
            frozen_states="tokens",
            in_view=True,
        ),
    ] = CLOSURE_CAP
    closure_ratio: Annotated[
        ClosureRatio,
        Knob(
            "add all pairs that follow, or of the more frequent kind a sample, so that the share of positive pairs "
            "stays that of the training rows",
            "github.com/liucongg/2021-GAIIC-Task3-Share",
            neutral="free",
            cannot_act=why.nothing_beyond,
            frozen_states="tokens",
            in_view=True,
        ),
    ] = "free"
    outside_pairs: Annotated[
        OutsidePairs,
        Knob(
            "add the pairs of the files that the task names under [outside], all with this label",
            "seed 002, chancy data",
            neutral="none",
            cannot_act=why.nothing_outside,
            frozen_states="tokens",
            in_view=True,
        ),
    ] = "none"


@dataclass(frozen=True, order=True)
class Augmentation:
    """Which pairs are added to the training rows. Two that add the same by their knobs are equal."""

    closure: Closure = "off"
    closure_cap: int = CLOSURE_CAP
    closure_ratio: ClosureRatio = "free"
    outside_pairs: OutsidePairs = "none"


def augmentation_of(recipe: "Recipe") -> Augmentation | None:
    """Return which pairs a recipe adds; None where it adds none."""
    if recipe.closure == "off":
        return None if recipe.outside_pairs == "none" else Augmentation(outside_pairs=recipe.outside_pairs)
    return Augmentation(recipe.closure, recipe.closure_cap, recipe.closure_ratio, recipe.outside_pairs)
