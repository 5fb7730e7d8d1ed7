"""When a part of a recipe comes into play: the first epoch, from 1, after whose end a result can differ by it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe


def attack_begins(recipe: "Recipe", n_train_rows: int) -> int:
    """Return the epoch of the first attack; 1 where there is none."""
    return 1 if recipe.adversarial == "none" else recipe.adversarial_start


def average_begins(recipe: "Recipe", n_train_rows: int) -> int:
    """Return the epoch at whose end a mean is first evaluated that is not the weights of the epoch's last step."""
    first_step, averaged = recipe.swa_first_step(n_train_rows), recipe.steps_averaged(n_train_rows)
    n_an_epoch = recipe.steps_per_epoch(n_train_rows)
    if first_step is None or not averaged:
        return 1
    if recipe.swa_learning_rate != "schedule":  # a rate of its own acts from the next step on
        return first_step // n_an_epoch + 1
    return averaged[0] // n_an_epoch + 1


def after_the_last(recipe: "Recipe", n_train_rows: int) -> int:
    """Return an epoch that no trial comes to: what is chosen among all epochs shows in none of them."""
    return recipe.epochs + 1
