"""The loss of a step, from the logits of its passes: class weights, label smoothing, focal loss, R-Drop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

from gridsearch.recipe.recipe import Recipe
from gridsearch.to_device import to_device


@dataclass(frozen=True)
class StepSize:
    """What the sums over a step's rows are divided by: the sum of their class weights, and their number."""

    weight: Tensor | float
    n_rows: int


class Loss:
    """The loss of some rows of a step; over all rows of the step these add up to the step's mean loss.

    ``n_passes`` forward passes of the same rows are compared by R-Drop (arXiv:2106.14448); without it there is one.
    """

    def __init__(self, recipe: Recipe, labels: np.ndarray, n_labels: int, device: torch.device) -> None:
        self.recipe = recipe
        self.n_passes = 2 if recipe.r_drop else 1
        self.labels, self.device = labels, device
        self.class_weights = class_weights(recipe, labels, n_labels, device)

    def size_of(self, rows: np.ndarray) -> StepSize:
        """Measure a step of some training rows."""
        weight = float(len(rows)) if self.class_weights is None else self.class_weights[self._labels(rows)].sum()
        return StepSize(weight, len(rows))

    def __call__(self, passes: Sequence[Tensor], rows: np.ndarray, size: StepSize) -> Tensor:
        """Return the loss of some rows; each pass holds logits of shape (samples, rows, labels)."""
        labels = self._labels(rows)
        classification = torch.stack([self._classification(logits, labels) for logits in passes]).mean()
        loss = classification / size.weight
        if self.recipe.r_drop:
            loss = loss + self.recipe.r_drop * symmetric_divergence(*passes) / size.n_rows
        return loss

    def _labels(self, rows: np.ndarray) -> Tensor:
        """Return the rows' labels on the device; chosen on the host, which would wait for the rows to arrive there."""
        return to_device(torch.from_numpy(self.labels[rows]), self.device)

    def _classification(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Sum over rows w (1 - p)^gamma H, a mean over the samples of dropout.

        Of each row, w is the weight of its own label, p the probability of that label (the factor is focal loss's,
        arXiv:1708.02002), and H the cross-entropy with the smoothed target. Without smoothing the sum divided by that
        of the weights is torch's own weighted mean. With it torch multiplies the share of each other label by the
        weight of that one: a rare label's large weight then makes it the answer for rows of the frequent one.
        """
        n_samples = len(logits)
        logits, labels = logits.flatten(0, 1), labels.repeat(n_samples)
        losses = cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing, reduction="none")
        if self.recipe.focal_gamma:
            missing = -torch.expm1(-cross_entropy(logits, labels, reduction="none"))  # 1 - p without cancellation
            # A root has no slope at 0, where a sure row may be.
            missing = missing.clamp_min(torch.finfo(missing.dtype).tiny)
            losses = missing**self.recipe.focal_gamma * losses
        if self.class_weights is not None:
            losses = losses * self.class_weights[labels]
        return losses.sum() / n_samples


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


def class_weights(recipe: Recipe, labels: np.ndarray, n_labels: int, device: torch.device) -> Tensor | None:
    """Return the weight of each label, or None when all weigh the same."""
    if recipe.class_weights == "none":
        return None
    if recipe.class_weights == "balanced":
        counts = np.bincount(labels, minlength=n_labels)
        weights = np.where(counts > 0, len(labels) / (n_labels * np.maximum(counts, 1)), 0.0)
    else:
        weights = np.asarray(recipe.class_weights)
    return torch.tensor(weights, dtype=torch.float32, device=device)
