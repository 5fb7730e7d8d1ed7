"""Knobs of what is made of the training rows: the judged ones stay as they are."""

from typing import Annotated, Literal

from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup

PairSwap = Literal["off", "both", "random"]


class AugmentationKnobs(KnobGroup):
    """Knobs of what is made of the training rows: the judged ones stay as they are."""

    # What is made of the training rows.
    pair_swap: Annotated[
        PairSwap,
        Knob(
            "training pairs in the other order: off, every pair in both orders in each epoch (twice the rows), or each "
            "in a random order whenever it is read",
            "github.com/bojone/oppo-text-match for random",
            neutral="off",
            cannot_act=why.no_second_text,
            frozen_states="tokens",
            in_view=True,
        ),
    ] = "off"
