"""The update of a step: gradients clipped, the scheduled learning rate, the optimizer, and the averages that follow."""

import contextlib
from collections.abc import Mapping
from typing import Any

from torch import nn

from gridsearch.optimizers.adam import build_optimizer
from gridsearch.optimizers.averaging import ExponentialAverage, Lookahead, PlainAverage, WeightAverage
from gridsearch.optimizers.groups import parameter_groups
from gridsearch.optimizers.schedule import build_schedule
from gridsearch.optimizers.settings import UpdateSettings


class Updates:
    """All updates of one training; ``n_taken`` counts them.

    ``depths`` maps parameters to their layer's distance from the head, for rates that fall with it.
    """

    def __init__(self, settings: UpdateSettings, model: nn.Module, depths: Mapping[nn.Parameter, int]) -> None:
        self.n_taken = 0
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = build_optimizer(
            settings,
            parameter_groups(
                model,
                weight_decay=settings.weight_decay,
                exclude=settings.decay_exclude,
                layer_decay=settings.layer_decay,
                depths=depths,
            ),
        )
        self._clip_norm = settings.clip_norm
        self._learning_rate_at = build_schedule(settings)
        self._averages = build_averages(settings, self.parameters)

    @property
    def learning_rate(self) -> float:
        """The rate of the next update, where nothing lessens it."""
        return self._learning_rate_at(self.n_taken)

    def forget_gradients(self) -> None:
        """Start a step."""
        self.optimizer.zero_grad(set_to_none=True)

    def take(self) -> None:
        """Move the weights by the gradients that they have."""
        if self._clip_norm != "none":
            nn.utils.clip_grad_norm_(self.parameters, self._clip_norm)
        learning_rate = self.learning_rate
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate * group["share"]
        self.optimizer.step()
        self.n_taken += 1
        for average in self._averages:
            average.after_step(self.n_taken)

    def state(self) -> dict[str, Any]:
        """Return all that later updates depend on besides the weights: tensors, numbers and lists of them."""
        averages = [average.state() for average in self._averages]
        return {"n_taken": self.n_taken, "optimizer": self.optimizer.state_dict(), "averages": averages}

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Update on from what :meth:`state` gave: to the last bit as if there had been no break."""
        self.n_taken = state["n_taken"]
        self.optimizer.load_state_dict(state["optimizer"])
        for average, followed in zip(self._averages, state["averages"], strict=True):
            average.go_on_from(followed)

    def evaluated_weights(self) -> contextlib.AbstractContextManager[None]:
        """Let the model compute with the weights that the recipe evaluates: those of the last average, or its own."""
        ready = [average for average in self._averages if average.is_ready]
        return ready[-1].in_place() if ready else contextlib.nullcontext()


def build_averages(settings: UpdateSettings, parameters: list[nn.Parameter]) -> list[WeightAverage]:
    """Make what follows the trained weights, in the order in which it acts: an average follows Lookahead's result."""
    averages: list[WeightAverage] = []
    if settings.lookahead_steps:
        averages.append(Lookahead(parameters, settings.lookahead_steps, settings.lookahead_alpha))
    if settings.ema_decay:
        averages.append(ExponentialAverage(parameters, settings.ema_decay))
    if settings.swa_first_step is not None:
        averages.append(PlainAverage(parameters, settings.swa_first_step, settings.swa_every))
    return averages
