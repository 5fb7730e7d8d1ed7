"""Knobs of the attack: extra passes on perturbed word embeddings."""

from typing import Annotated, Literal

from pydantic import Field

from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.begins import attack_begins
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup, Weight


class AttackKnobs(KnobGroup):
    """Knobs of the attack: extra passes on perturbed word embeddings."""

    # The attack: extra passes on perturbed word embeddings.
    adversarial: Annotated[
        Literal["none", "fgm", "pgd", "freelb"],
        Knob(
            "train on perturbed word embeddings as well: one step (FGM), several within a ball (PGD), or the mean of "
            "the gradients along the way (FreeLB)",
            "arXiv:1605.07725; arXiv:1706.06083; arXiv:1909.11764",
            neutral="none",
            cannot_act=why.attack_finds_nothing,
            frozen_states="moves",
            begins=attack_begins,
        ),
    ] = "none"
    adversarial_epsilon: Annotated[
        Weight,
        Knob(
            "norm of FGM's perturbation; radius of the ball that PGD and FreeLB stay in",
            "arXiv:1605.07725",
            neutral=1.0,
            cannot_act=why.no_ball,
            begins=attack_begins,
            cost="none",
        ),
    ] = 1.0
    adversarial_alpha: Annotated[
        Weight,
        Knob(
            "length of one step of PGD and FreeLB",
            "arXiv:1706.06083",
            neutral=0.3,
            cannot_act=why.no_step,
            begins=attack_begins,
            cost="none",
        ),
    ] = 0.3
    adversarial_steps: Annotated[
        int,
        Field(ge=1, le=50),
        Knob(
            "perturbed passes of PGD, which follow the clean one; passes of FreeLB, which has no other",
            "arXiv:1706.06083; arXiv:1909.11764",
            neutral=3,
            cannot_act=why.no_steps,
            begins=attack_begins,
        ),
    ] = 3
    adversarial_norm: Annotated[
        Literal["published", "text", "normalized"],
        Knob(
            "what the norms are taken of: as published (FGM and PGD: one vector a word, the table as a whole; FreeLB: "
            "each text), each text's token vectors, or these in standard deviations of the training words",
            "arXiv:1605.07725, section 3, for 'normalized'",
            neutral="published",
            cannot_act=why.no_attack,
            begins=attack_begins,
        ),
    ] = "published"
    adversarial_start: Annotated[
        int,
        Field(ge=1),
        Knob("first epoch with the attack", "seed 002", neutral=1, cannot_act=why.no_attack, begins=attack_begins),
    ] = 1
    freelb_init: Annotated[
        float,
        Field(ge=0),
        Knob(
            "size of FreeLB's random start: uniform in +-1, times this, over the root of a text's numbers",
            "arXiv:1909.11764, algorithm 1",
            neutral=0.0,
            cannot_act=why.no_freelb,
            begins=attack_begins,
            cost="on",
        ),
    ] = 0.0
