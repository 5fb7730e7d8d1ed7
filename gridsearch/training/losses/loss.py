"""The loss of some rows of a part, whatever its labels are: passes, samples, R-Drop, and what a step is divided by."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gridsearch.recipe.recipe import Recipe
from gridsearch.to_device import to_device


@dataclass(frozen=True)
class StepSize:
    """What the sums over a step's rows are divided by: the sum of their weights, and their number."""

    weight: Tensor | float
    n_rows: int


class Loss(ABC):
    """The loss of some rows of a part; over all rows of a step these add up to their mean loss.

    ``truth`` is what all training rows hold, in the order of their numbers; those of other parts may hold anything.
    ``n_passes`` forward passes of the same rows are compared by R-Drop (arXiv:2106.14448); without it there is one.
    """

    def __init__(self, recipe: Recipe, truth: np.ndarray, device: torch.device) -> None:
        self.recipe = recipe
        self.n_passes = 2 if recipe.r_drop else 1
        self.truth, self.device = truth, device

    def size_of(self, rows: np.ndarray) -> StepSize:
        """Measure a step of some training rows."""
        return StepSize(float(len(rows)), len(rows))

    def __call__(self, passes: Sequence[Tensor], rows: np.ndarray, size: StepSize) -> Tensor:
        """Return the loss of some rows; each pass holds outputs of shape (samples, rows, outputs)."""
        truth = self.truth_of(rows)
        loss = torch.stack([self.summed(outputs, truth) for outputs in passes]).mean() / size.weight
        if self.recipe.r_drop:
            loss = loss + self.recipe.r_drop * self.divergence(*passes) / size.n_rows
        return loss

    def truth_of(self, rows: np.ndarray) -> Tensor:
        """Return what rows hold on the device; chosen on the host, which would wait for the rows to arrive there."""
        return to_device(torch.from_numpy(self.truth[rows]), self.device)

    @abstractmethod
    def summed(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Sum the losses of rows, a mean over the samples of dropout."""

    @abstractmethod
    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Sum over rows (KL(p || q) + KL(q || p)) / 2 of what two passes say, a mean over samples."""

    @abstractmethod
    def n_right(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Return how many rows the mean over samples gets right, as far as each is; outputs as in a pass."""

    @abstractmethod
    def of_chance(self) -> float:
        """Return the mean loss over the part's rows of who heeds no text, and says what is likeliest to be near."""
