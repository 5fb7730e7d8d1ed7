"""The loss of rows that have a number each, of which a model's are in the numbers' own units."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import huber_loss, mse_loss

from gridsearch.recipe.recipe import Recipe
from gridsearch.training.losses.loss import Loss

NEAR = 0.5
"""A prediction within so many standard deviations counts as right, where parts are weighed by what is right."""


class ScoreLoss(Loss):
    """The loss of predictions of shape (samples, rows, 1). ``own`` are the part's rows.

    Differences are divided by the standard deviation of these rows: the loss is that of standardised numbers.
    """

    def __init__(
        self, recipe: Recipe, truth: np.ndarray, device: torch.device, own: np.ndarray | slice = slice(None)
    ) -> None:
        super().__init__(recipe, truth.astype(np.float32), device)
        self.own = own
        self.mean, self.deviation = standard(truth[own])

    def summed(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Sum over rows the squared difference, or Huber's loss of it (torch's), a mean over samples."""
        said = outputs.squeeze(-1) / self.deviation
        target = (truth / self.deviation).expand_as(said)
        if self.recipe.score_loss == "huber":
            return huber_loss(said, target, delta=self.recipe.huber_delta, reduction="sum") / len(outputs)
        return mse_loss(said, target, reduction="sum") / len(outputs)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Sum over rows (KL(p || q) + KL(q || p)) / 2 of normal distributions of variance 1 about what is said."""
        apart = (one - other).squeeze(-1) / self.deviation
        return (apart**2).sum() / (2 * len(one))

    def n_right(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Return how many rows are told to within half a standard deviation."""
        return ((outputs.mean(0).squeeze(-1) - truth).abs() <= NEAR * self.deviation).sum()

    def of_chance(self) -> float:
        """Return the loss of who always says the mean."""
        rows = np.arange(len(self.truth))[self.own]
        truth = self.truth_of(rows)
        return float(self.summed(torch.full((1, len(rows), 1), self.mean, device=truth.device), truth)) / len(rows)


def standard(numbers: np.ndarray) -> tuple[float, float]:
    """Return the mean and the standard deviation of training rows' numbers; 1 in place of none."""
    return float(np.mean(numbers)), float(np.std(numbers)) or 1.0
