"""The loss of rows that have any number of labels: for each label whether it is there, a mean over labels."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gridsearch.recipe.recipe import Recipe
from gridsearch.training.losses.loss import Loss


class MultilabelLoss(Loss):
    """The loss of logits of shape (samples, rows, labels), each by itself. ``own`` are the part's rows."""

    def __init__(
        self, recipe: Recipe, truth: np.ndarray, device: torch.device, own: np.ndarray | slice = slice(None)
    ) -> None:
        super().__init__(recipe, truth.astype(np.float32), device)
        self.own = own
        self.positive_weights = positive_weights(recipe.class_weights, truth[own], device)

    def summed(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Sum over rows the mean over labels of w (1 - p)^gamma H, a mean over the samples of dropout.

        Of each label, p is the probability that is given to what is so, H the binary cross-entropy with the smoothed
        target (y (1 - s) + s / 2), and w the weight of a label that is there, as ``pos_weight`` of torch's
        BCEWithLogitsLoss; one that is not there weighs 1.
        """
        smoothing = self.recipe.label_smoothing
        target = (truth * (1 - smoothing) + smoothing / 2).expand_as(outputs)
        losses = binary_cross_entropy_with_logits(outputs, target, pos_weight=self.positive_weights, reduction="none")
        if self.recipe.focal_gamma:
            missing = torch.sigmoid(outputs * (1 - 2 * truth))
            missing = missing.clamp_min(torch.finfo(missing.dtype).tiny)
            losses = missing**self.recipe.focal_gamma * losses
        return losses.mean(-1).sum() / len(outputs)

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Sum over rows the mean over labels of (KL(p || q) + KL(q || p)) / 2, a mean over samples."""
        apart = (torch.sigmoid(one) - torch.sigmoid(other)) * (one - other)
        return apart.mean(-1).sum() / (2 * len(one))

    def n_right(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Return the rows, each by the share of its labels that are told rightly."""
        return ((outputs.mean(0) > 0) == (truth > 0)).float().mean(-1).sum()

    def of_chance(self) -> float:
        """Return the loss of an even guess for each label."""
        rows = np.arange(len(self.truth))[self.own]
        truth = self.truth_of(rows)
        return float(self.summed(torch.zeros(1, *truth.shape, device=truth.device), truth)) / len(rows)


def positive_weights(asked: str | tuple[float, ...], truth: np.ndarray, device: torch.device) -> Tensor | None:
    """Return what each label weighs where it is there, or None when that is 1; ``asked`` is the knob's value.

    A label that no row has weighs 1.
    """
    if asked == "none":
        return None
    n_rows, n_there = len(truth), truth.sum(axis=0, dtype=np.int64)
    at_least_one = np.maximum(n_there, 1)
    if asked == "balanced":
        weights = (n_rows - n_there) / at_least_one
    elif asked == "log_counts":
        weights = np.log(n_rows / at_least_one)
    else:
        weights = np.asarray(asked)
    return torch.tensor(np.where(n_there > 0, weights, 1.0), dtype=torch.float32, device=device)
