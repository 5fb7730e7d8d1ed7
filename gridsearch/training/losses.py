"""The loss of a step, from the logits of its passes: class weights, label smoothing, focal loss, R-Drop."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

from gridsearch.encoders.heads import PartVariances
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.encode import EncodedPart, EncodedSplit
from gridsearch.to_device import to_device
from gridsearch.training.parts.weights import build_weights


@dataclass(frozen=True)
class StepSize:
    """What the sums over a step's rows are divided by: the sum of their class weights, and their number."""

    weight: Tensor | float
    n_rows: int


class Loss:
    """The loss of some rows of a part; over all rows of a step these add up to their mean loss.

    ``labels`` are those of all training rows, of which ``own`` are the part's: all, where there is one. ``n_passes``
    forward passes of the same rows are compared by R-Drop (arXiv:2106.14448); without it there is one.
    """

    def __init__(
        self,
        recipe: Recipe,
        labels: np.ndarray,
        n_labels: int,
        device: torch.device,
        own: np.ndarray | slice = slice(None),
    ) -> None:
        self.recipe = recipe
        self.n_passes = 2 if recipe.r_drop else 1
        self.labels, self.device = labels, device
        self.class_weights = class_weights(recipe.class_weights, labels[own], n_labels, device)

    def size_of(self, rows: np.ndarray) -> StepSize:
        """Measure a step of some training rows."""
        weight = float(len(rows)) if self.class_weights is None else self.class_weights[self.labels_of(rows)].sum()
        return StepSize(weight, len(rows))

    def __call__(self, passes: Sequence[Tensor], rows: np.ndarray, size: StepSize) -> Tensor:
        """Return the loss of some rows; each pass holds logits of shape (samples, rows, labels)."""
        labels = self.labels_of(rows)
        classification = torch.stack([self._classification(logits, labels) for logits in passes]).mean()
        loss = classification / size.weight
        if self.recipe.r_drop:
            loss = loss + self.recipe.r_drop * symmetric_divergence(*passes) / size.n_rows
        return loss

    def labels_of(self, rows: np.ndarray) -> Tensor:
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


class StepLoss:
    """The loss of some rows of a step; over all rows of the step these add up to the step's loss.

    It is the mean loss of the rows. Of several parts it is the sum over those that the step has rows of, of each one's
    mean loss as it is weighed.
    """

    def __init__(
        self,
        recipe: Recipe,
        train: EncodedSplit,
        parts: Sequence[EncodedPart],
        device: torch.device,
        variances: PartVariances | None = None,
    ) -> None:
        assert train.labels is not None, "training rows have labels"
        self.weights = build_weights(recipe.parts, parts, variances, device)
        self._parts, self._part_of_row, self._device = parts, train.part_of_row, device
        self._losses = [Loss(recipe, train.labels, part.n_labels, device, part.rows_of(train)) for part in parts]
        self.n_passes = self._losses[0].n_passes

    def begin_step(self, rows: np.ndarray) -> dict[int, StepSize]:
        """Measure a step of some training rows: by the number of each part that some are of."""
        self.weights.begin_step()
        return {number: self._losses[number].size_of(rows[places]) for number, places in self._places(rows)}

    def __call__(self, passes: Sequence[Tensor], rows: np.ndarray, sizes: Mapping[int, StepSize]) -> Tensor:
        """Return the loss of some rows; each pass holds logits of shape (samples, rows, labels)."""
        if self._part_of_row is None:
            return self._losses[0](passes, rows, sizes[0])
        found = []
        for number, places in self._places(rows):
            chosen = to_device(torch.from_numpy(places), self._device)
            own = [logits[:, chosen, self._parts[number].labels] for logits in passes]
            self.weights.saw(number, own[0], self._losses[number].labels_of(rows[places]))
            loss = self._losses[number](own, rows[places], sizes[number])
            found.append(self.weights.weighed(number, loss, len(places) / sizes[number].n_rows))
        return torch.stack(found).sum()

    def _places(self, rows: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """Return the number of each part that some rows are of, with the places of its rows among them."""
        if self._part_of_row is None:
            return [(0, np.arange(len(rows)))]
        part = self._part_of_row[rows]
        return [(int(number), np.flatnonzero(part == number)) for number in np.unique(part)]


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
