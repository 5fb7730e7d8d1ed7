"""The update of a step: gradients clipped, the scheduled learning rate, the optimizer, and the averages that follow."""

import contextlib
from collections.abc import Mapping

from torch import nn

from gridsearch.optimizers.adam import build_optimizer
from gridsearch.optimizers.averaging import ExponentialAverage, Lookahead, PlainAverage, WeightAverage
from gridsearch.optimizers.groups import parameter_groups
from gridsearch.optimizers.schedule import build_schedule
from gridsearch.recipe.recipe import Recipe


class Updates:
    """All updates of one training; ``n_taken`` counts them.

    ``depths`` maps parameters to their layer's distance from the head, for rates that fall with it.
    """

    def __init__(self, recipe: Recipe, model: nn.Module, depths: Mapping[nn.Parameter, int], n_train_rows: int) -> None:
        self.n_taken = 0
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = build_optimizer(
            recipe,
            parameter_groups(
                model,
                weight_decay=recipe.weight_decay,
                exclude=recipe.decay_exclude,
                layer_decay=recipe.layer_decay,
                depths=depths,
            ),
        )
        self._clip_norm = recipe.clip_norm
        self._learning_rate_at = build_schedule(recipe, n_train_rows)
        self._averages = build_averages(recipe, self.parameters, n_train_rows)

    def forget_gradients(self) -> None:
        """Start a step."""
        self.optimizer.zero_grad(set_to_none=True)

    def take(self) -> None:
        """Move the weights by the gradients that they have."""
        if self._clip_norm != "none":
            nn.utils.clip_grad_norm_(self.parameters, self._clip_norm)
        learning_rate = self._learning_rate_at(self.n_taken)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate * group["share"]
        self.optimizer.step()
        self.n_taken += 1
        for average in self._averages:
            average.after_step(self.n_taken)

    def evaluated_weights(self) -> contextlib.AbstractContextManager[None]:
        """Let the model compute with the weights that the recipe evaluates: those of the last average, or its own."""
        ready = [average for average in self._averages if average.is_ready]
        return ready[-1].in_place() if ready else contextlib.nullcontext()


def build_averages(recipe: Recipe, parameters: list[nn.Parameter], n_train_rows: int) -> list[WeightAverage]:
    """Make what follows the trained weights, in the order in which it acts: an average follows Lookahead's result."""
    averages: list[WeightAverage] = []
    if recipe.lookahead_steps:
        averages.append(Lookahead(parameters, recipe.lookahead_steps, recipe.lookahead_alpha))
    if recipe.ema_decay:
        averages.append(ExponentialAverage(parameters, recipe.ema_decay))
    first_step = recipe.swa_first_step(n_train_rows)
    if first_step is not None:
        averages.append(PlainAverage(parameters, first_step, recipe.swa_every))
    return averages
