"""A second set of weights that follows the trained ones and is evaluated in their place."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn


class WeightAverage:
    """Weights that follow the trained ones; these are themselves never changed by an average."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters = parameters
        self.weights = [parameter.detach().clone() for parameter in parameters]

    def after_step(self, n_taken: int) -> None:
        """Follow the update that made ``n_taken`` of them."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return all that it has followed so far."""
        return {"weights": self.weights}

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Follow on from what :meth:`state` gave."""
        torch._foreach_copy_(self.weights, state["weights"])

    @property
    def is_ready(self) -> bool:
        """Whether these weights are to be evaluated already."""
        return True

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model compute with these weights."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for number, parameter in enumerate(self.parameters):
            self.weights[number], parameter.data = parameter.data, self.weights[number]


class Lookahead(WeightAverage):
    """Slow weights: every k updates they move towards the fast ones, which then go on from there (arXiv:1907.08610).

    slow = slow + alpha (fast - slow); fast = slow. The moments of the inner optimizer are left alone. Between two moves
    the slow weights are the ones evaluated.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], every: int, alpha: float) -> None:
        super().__init__(parameters)
        self.every, self.alpha = every, alpha

    @torch.no_grad()
    def after_step(self, n_taken: int) -> None:
        """Move the slow weights after every k-th update."""
        if n_taken % self.every == 0:
            torch._foreach_lerp_(self.weights, list(self.parameters), self.alpha)
            torch._foreach_copy_(list(self.parameters), self.weights)


class ExponentialAverage(WeightAverage):
    """s = decay s + (1 - decay) weights after every update, from s = the initial weights."""

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float) -> None:
        super().__init__(parameters)
        self.decay = decay

    @torch.no_grad()
    def after_step(self, n_taken: int) -> None:
        """Follow every update."""
        torch._foreach_lerp_(self.weights, list(self.parameters), 1 - self.decay)


class PlainAverage(WeightAverage):
    """The mean of every k-th weights after some update: stochastic weight averaging (arXiv:1803.05407).

    Until the first of them the model is evaluated as it is. LayerNorm has no statistics to be measured anew.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], first_step: int, every: int) -> None:
        super().__init__(parameters)
        self.first_step, self.every, self.n_averaged = first_step, every, 0

    @torch.no_grad()
    def after_step(self, n_taken: int) -> None:
        """Take the weights into the mean when it is their turn."""
        n_since = n_taken - self.first_step
        if n_since > 0 and n_since % self.every == 0:
            self.n_averaged += 1
            torch._foreach_lerp_(self.weights, list(self.parameters), 1 / self.n_averaged)

    def state(self) -> dict[str, Any]:
        """Return the mean, and of how many weights it is."""
        return {**super().state(), "n_averaged": self.n_averaged}

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Follow on from what :meth:`state` gave."""
        super().go_on_from(state)
        self.n_averaged = state["n_averaged"]

    @property
    def is_ready(self) -> bool:
        """Whether there is a mean yet."""
        return self.n_averaged > 0
