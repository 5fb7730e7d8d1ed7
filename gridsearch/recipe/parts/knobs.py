"""Knobs of how several parts are learned together. In a recipe each is called ``parts.NAME``."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup
from gridsearch.recipe.parts import dead_knobs as why
from gridsearch.recipe.prefixes import PARTS, prefixed

Sampling = Literal["proportional", "square_root", "equal"] | Annotated[float, Field(ge=1)]


class PartsRecipe(KnobGroup):
    """How parts are learned together, by the names without the prefix."""

    training: Annotated[
        Literal["joint", "separate"],
        Knob(
            "one encoder for all parts, or one for each, which trains on that part alone; results are those of one "
            "epoch, the same for all parts",
            "seed 004 (Tianchi 531851)",
            neutral="joint",
            cannot_act=why.one_part,
        ),
    ] = "joint"
    batches: Annotated[
        Literal["one", "mixed"],
        Knob(
            "whether a batch is of one part, or holds rows of all parts in the proportions of the epoch",
            "arXiv:1901.11504 for one; github.com/finlay-liu/tianchi-multi-task-nlp for mixed",
            neutral="one",
            cannot_act=why.nothing_shared,
        ),
    ] = "one"
    sampling: Annotated[
        Sampling,
        Knob(
            "an epoch has as many rows as all parts together; the share of a part with n rows goes by n, by its square "
            "root, is the same for all, or goes by n^(1/T) for a number T",
            "arXiv:1902.02671 for the square root; arXiv:1910.10683, section 3.5.2, for temperatures",
            neutral="proportional",
            cannot_act=why.sampled_alike,
        ),
    ] = "proportional"
    order: Annotated[
        Literal["random", "alternating"],
        Knob(
            "batches of the parts one after the other at random, or in turn, spread evenly over the epoch",
            "arXiv:1901.11504",
            neutral="random",
            cannot_act=why.no_turns,
        ),
    ] = "random"
    loss_weights: Annotated[
        Literal["equal", "given", "dynamic_priority", "uncertainty"],
        Knob(
            "what the mean losses of the parts in a step are multiplied by before they are added: 1; the weights of "
            "the task's file; -(1 - k)^gamma ln k, for k the part's share of right answers in training so far in this "
            "epoch, kept within .1 and .99; or exp(-s) with s/2 added, for an s of each part that is learned",
            "Guo 2018 (ECCV) and github.com/rogerrojur/tianchi-multi-task-nlp for dynamic_priority; "
            "arXiv:1705.07115 for uncertainty",
            neutral="equal",
            cannot_act=why.no_weights,
        ),
    ] = "equal"
    priority_gamma: Annotated[
        float,
        Field(ge=0, le=10),
        Knob(
            "gamma of dynamic_priority: how much more a part counts that is often wrong",
            "Guo 2018 (ECCV)",
            neutral=0.5,
            cannot_act=why.no_priority,
            cost="none",
        ),
    ] = 0.5


if TYPE_CHECKING:

    class PartsKnobs(KnobGroup):
        """Knobs of how parts are learned together, by the names that spaces call them."""
else:
    PartsKnobs = prefixed(PartsRecipe, PARTS, "PartsKnobs")


def parts_of(recipe: KnobGroup) -> PartsRecipe:
    """Take out of a recipe how its parts are learned together."""
    values = {name: getattr(recipe, PARTS + name) for name in PartsRecipe.model_fields}
    return PartsRecipe.model_construct(**values)
