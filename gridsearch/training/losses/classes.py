"""The loss of rows that have one class each: cross-entropy, class weights, label smoothing, focal loss, R-Drop."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

from gridsearch.recipe.recipe import Recipe
from gridsearch.training.losses.loss import Loss, StepSize


class ClassLoss(Loss):
    """The loss of logits of shape (samples, rows, labels). ``own`` are the numbers of the part's rows."""

    def __init__(
        self,
        recipe: Recipe,
        truth: np.ndarray,
        n_labels: int,
        device: torch.device,
        own: np.ndarray | slice = slice(None),
    ) -> None:
        super().__init__(recipe, truth, device)
        self.n_labels = n_labels
        self.class_weights = class_weights(recipe.class_weights, truth[own], n_labels, device)

    def size_of(self, rows: np.ndarray) -> StepSize:
        """Measure a step of some training rows."""
        if self.class_weights is None:
            return super().size_of(rows)
        return StepSize(self.class_weights[self.truth_of(rows)].sum(), len(rows))

    def summed(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Sum over rows w (1 - p)^gamma H, a mean over the samples of dropout.

        Of each row, w is the weight of its own label, p the probability of that label (the factor is focal loss's,
        arXiv:1708.02002), and H the cross-entropy with the smoothed target. Without smoothing the sum divided by that
        of the weights is torch's own weighted mean. With it torch multiplies the share of each other label by the
        weight of that one: a rare label's large weight then makes it the answer for rows of the frequent one.
        """
        n_samples = len(outputs)
        logits, labels = outputs.flatten(0, 1), truth.repeat(n_samples)
        losses = cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing, reduction="none")
        if self.recipe.focal_gamma:
            missing = -torch.expm1(-cross_entropy(logits, labels, reduction="none"))  # 1 - p without cancellation
            # A root has no slope at 0, where a sure row may be.
            missing = missing.clamp_min(torch.finfo(missing.dtype).tiny)
            losses = missing**self.recipe.focal_gamma * losses
        if self.class_weights is not None:
            losses = losses * self.class_weights[labels]
        return losses.sum() / n_samples

    def divergence(self, one: Tensor, other: Tensor) -> Tensor:
        """Sum over rows (KL(p || q) + KL(q || p)) / 2, a mean over samples."""
        return symmetric_divergence(one, other)

    def n_right(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Return how many rows have the largest logit at their own class."""
        return (outputs.mean(0).argmax(-1) == truth).sum()

    def of_chance(self) -> float:
        """Return the loss of an even guess."""
        return chance_loss(self.recipe, self.n_labels)


def symmetric_divergence(one: Tensor, other: Tensor) -> Tensor:
    """Sum over rows (KL(p || q) + KL(q || p)) / 2, a mean over samples; logits of shape (samples, rows, labels)."""
    log_p, log_q = log_softmax(one, dim=-1), log_softmax(other, dim=-1)
    return ((log_p.exp() - log_q.exp()) * (log_p - log_q)).sum() / (2 * len(one))


def chance_loss(recipe: Recipe, n_labels: int) -> float:
    """Return the loss of an even guess: (1 - 1/C)^gamma ln C.

    It is exact for every recipe: weights are divided by their sum, a smoothed target sums to 1, two passes that guess
    alike do not diverge, and no attack moves a guess that heeds no text.
    """
    return float((1 - 1 / n_labels) ** recipe.focal_gamma * math.log(n_labels))


def class_weights(
    asked: str | tuple[float, ...], labels: np.ndarray, n_labels: int, device: torch.device
) -> Tensor | None:
    """Return the weight of each label, or None when all weigh the same; ``asked`` is the knob's value.

    A label that no row has weighs 0 among those that are counted.
    """
    counts = np.bincount(labels, minlength=n_labels)
    if asked == "none" or (asked == "log_counts" and np.count_nonzero(counts) == 1):  # ln 1 would leave no weight
        return None
    at_least_one = np.maximum(counts, 1)
    if asked == "balanced":
        weights = np.where(counts > 0, len(labels) / (n_labels * at_least_one), 0.0)
    elif asked == "log_counts":
        weights = np.where(counts > 0, np.log(len(labels) / at_least_one), 0.0)
    else:
        weights = np.asarray(asked)
    return torch.tensor(weights, dtype=torch.float32, device=device)
