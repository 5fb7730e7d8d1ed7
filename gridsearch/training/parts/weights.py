"""What the losses of several parts count, step by step."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gridsearch.encoders.heads import PartVariances
from gridsearch.recipe.parts.knobs import PartsRecipe
from gridsearch.tasks.encode import EncodedPart

LEAST_RIGHT, MOST_RIGHT = 0.1, 0.99
"""Shares of right answers that dynamic priority takes others for: no part counts endlessly much, and none nothing."""


class PartWeights:
    """Each part's mean loss in a step is multiplied by a number: here by one that stays."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._weights = weights

    def begin_epoch(self) -> None:
        """Start an epoch."""

    def begin_step(self) -> None:
        """Start a step; all of its rows are weighed alike."""

    def weighed(self, part: int, loss: Tensor, share: float) -> Tensor:
        """Weigh what some rows add to the mean loss of a part; they are this share of its rows in the step."""
        return self._weights[part] * loss

    heeds_right = False
    """Whether it asks how many rows are told rightly in training."""

    def saw(self, part: int, n_right: Tensor, n_rows: int) -> None:
        """Notice how many of some training rows of a part the model told rightly."""


class DynamicPriority(PartWeights):
    """-(1 - k)^gamma ln k, for k the share of right answers among a part's rows so far in the epoch.

    Before the first of them k is that of the epoch before, and .1 in the first (dynamic task prioritization: Guo et al.
    2018, ECCV; k as in github.com/rogerrojur/tianchi-multi-task-nlp). What an attack makes of the rows counts too.
    """

    heeds_right = True

    def __init__(self, n_parts: int, gamma: float, device: torch.device) -> None:
        self._gamma = gamma
        self._before = torch.full((n_parts,), LEAST_RIGHT, device=device)
        self._right, self._seen = (torch.zeros(n_parts, device=device) for _ in range(2))
        self._now = priority(self._before, gamma)

    def begin_epoch(self) -> None:
        """Start an epoch."""
        self._before = self._shares()
        self._right, self._seen = torch.zeros_like(self._right), torch.zeros_like(self._seen)

    def begin_step(self) -> None:
        """Start a step; all of its rows are weighed alike."""
        self._now = priority(self._shares(), self._gamma)

    def weighed(self, part: int, loss: Tensor, share: float) -> Tensor:
        """Weigh what some rows add to the mean loss of a part."""
        return self._now[part] * loss

    def saw(self, part: int, n_right: Tensor, n_rows: int) -> None:
        """Notice how many of some training rows of a part the model told rightly."""
        self._right[part] += n_right
        self._seen[part] += n_rows

    def _shares(self) -> Tensor:
        """Return the share of right answers of each part. Nothing is read from the device, which would wait for it."""
        return torch.where(self._seen > 0, self._right / self._seen.clamp_min(1), self._before)


class Uncertainty(PartWeights):
    """exp(-s) times the loss, plus s / 2: s is learned, the logarithm of a part's variance (arXiv:1705.07115)."""

    def __init__(self, variances: PartVariances) -> None:
        self._variances = variances

    def weighed(self, part: int, loss: Tensor, share: float) -> Tensor:
        """Weigh what some rows add to the mean loss of a part; they are this share of its rows in the step."""
        logarithm = self._variances.bias[part]
        return torch.exp(-logarithm) * loss + share * logarithm / 2


def priority(right: Tensor, gamma: float) -> Tensor:
    """Return -(1 - k)^gamma ln k of shares of right answers, each kept within .1 and .99."""
    share = right.clamp(LEAST_RIGHT, MOST_RIGHT)
    return -((1 - share) ** gamma) * share.log()


def build_weights(
    recipe: PartsRecipe, parts: Sequence[EncodedPart], variances: PartVariances | None, device: torch.device
) -> PartWeights:
    """Make what a recipe asks for; ``variances`` are the classifier's, where they are learned."""
    if variances is not None:
        return Uncertainty(variances)
    if recipe.loss_weights == "dynamic_priority" and len(parts) > 1:
        return DynamicPriority(len(parts), recipe.priority_gamma, device)
    return PartWeights([part.weight if recipe.loss_weights == "given" else 1.0 for part in parts])
