"""The one loop of optimizer steps: an objective says what is minimised, the updates how the weights move."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gridsearch.optimizers.updates import Updates
from gridsearch.randomness import derived_seed


class Minimised(Protocol):
    """What the loop asks of an objective. A step's batches are its own affair."""

    seed: int
    device: torch.device

    @property
    def model(self) -> nn.Module:
        """What is trained."""

    def batches(self, epoch: int) -> list[Any]:
        """Return what each step of an epoch computes; epochs count from 1."""

    def backward(self, batches: Any, epoch: int) -> Tensor:
        """Add the gradients of one step; return its loss, a scalar."""


class Steps:
    """The steps of one training."""

    def __init__(self, objective: Minimised, updates: Updates) -> None:
        self.objective, self.updates = objective, updates

    def run_epoch(self, epoch: int, before_step: Callable[[], None] = lambda: None) -> float:
        """Take every step of an epoch; return their mean loss. ``before_step`` may raise."""
        self.objective.model.train()
        # Summed where it is computed and read once an epoch: reading it every step would stall a GPU.
        total = torch.zeros((), device=self.objective.device)
        steps = self.objective.batches(epoch)
        for batches in steps:
            before_step()
            total += self.step(batches, epoch)
        return float(total) / len(steps)

    def _seed_dropout(self, seed: int) -> None:
        """Seed what dropout draws from on the trial's device.

        To seed all devices, torch notes where it was called from as long as it has not begun with a GPU: a few percent
        of a small encoder's step.
        """
        if self.objective.device.type == "cpu":
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def step(self, batches: Any, epoch: int) -> Tensor:
        """Take one step; return its loss."""
        self._seed_dropout(derived_seed(self.objective.seed, "dropout", self.updates.n_taken))
        self.updates.forget_gradients()
        loss = self.objective.backward(batches, epoch)
        self.updates.take()
        return loss
