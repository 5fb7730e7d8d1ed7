"""When a part of a recipe comes into play: the first epoch, from 1, after whose end a result can differ by it."""

import math
from typing import TYPE_CHECKING

from gridsearch.recipe.trial_facts import Rows

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe


def attack_begins(recipe: "Recipe", rows: Rows) -> int:
    """Return the epoch of the first attack; 1 where there is none."""
    return 1 if recipe.adversarial == "none" else recipe.adversarial_start


def average_begins(recipe: "Recipe", rows: Rows) -> int:
    """Return the epoch at whose end a mean is first evaluated that is not what is evaluated without it.

    That would be the weights of the epoch's last step, or those of Lookahead's last move.
    """
    first_step, averaged = recipe.swa_first_step(rows), recipe.steps_averaged(rows)
    n_an_epoch, every = recipe.steps_per_epoch(rows), recipe.lookahead_steps or 1
    if first_step is None or not averaged:
        return 1
    if recipe.swa_learning_rate != "schedule":  # a rate of its own acts from the next step on
        return first_step // n_an_epoch + 1
    for epoch in range(math.ceil(averaged[0] / n_an_epoch), recipe.epochs + 1):
        end = epoch * n_an_epoch
        is_a_mean = len(averaged) > 1 and averaged[1] <= end
        if is_a_mean or averaged[0] != end - end % every:
            return epoch
    return recipe.epochs + 1


def schedule_begins(recipe: "Recipe", rows: Rows) -> int:
    """Return the epoch of the second step after the warm-up: all schedules have the warm-up, and the peak after it."""
    return math.ceil((recipe.warmup_steps(rows) + 2) / recipe.steps_per_epoch(rows))


def after_the_last(recipe: "Recipe", rows: Rows) -> int:
    """Return an epoch that no trial comes to: what is chosen among all epochs shows in none of them."""
    return recipe.epochs + 1
