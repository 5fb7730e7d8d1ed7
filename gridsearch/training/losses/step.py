"""The loss of a step: of the one part of a task, or of the rows of several, weighed."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from gridsearch.encoders.heads import PartVariances
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.encode import EncodedPart, EncodedSplit
from gridsearch.to_device import to_device
from gridsearch.training.losses.classes import ClassLoss
from gridsearch.training.losses.loss import Loss, StepSize
from gridsearch.training.losses.multilabel import MultilabelLoss
from gridsearch.training.losses.scores import ScoreLoss
from gridsearch.training.parts.weights import build_weights


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
        self.weights = build_weights(recipe.parts, parts, variances, device)
        self._parts, self._part_of_row, self._device = parts, train.part_of_row, device
        self._losses = [build_loss(recipe, train, part, device) for part in parts]
        self.n_passes = self._losses[0].n_passes

    def begin_step(self, rows: np.ndarray) -> dict[int, StepSize]:
        """Measure a step of some training rows: by the number of each part that some are of."""
        self.weights.begin_step()
        return {number: self._losses[number].size_of(rows[places]) for number, places in self._places(rows)}

    def __call__(self, passes: Sequence[Tensor], rows: np.ndarray, sizes: Mapping[int, StepSize]) -> Tensor:
        """Return the loss of some rows; each pass holds outputs of shape (samples, rows, outputs)."""
        if self._part_of_row is None:
            return self._losses[0](passes, rows, sizes[0])
        found = []
        for number, places in self._places(rows):
            chosen = to_device(torch.from_numpy(places), self._device)
            own = [logits[:, chosen, self._parts[number].labels] for logits in passes]
            of_part = self._losses[number]
            if self.weights.heeds_right:
                n_right = of_part.n_right(own[0].detach(), of_part.truth_of(rows[places]))
                self.weights.saw(number, n_right, len(places))
            loss = of_part(own, rows[places], sizes[number])
            found.append(self.weights.weighed(number, loss, len(places) / sizes[number].n_rows))
        return torch.stack(found).sum()

    def _places(self, rows: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """Return the number of each part that some rows are of, with the places of its rows among them."""
        if self._part_of_row is None:
            return [(0, np.arange(len(rows)))]
        part = self._part_of_row[rows]
        return [(int(number), np.flatnonzero(part == number)) for number in np.unique(part)]


def build_loss(recipe: Recipe, train: EncodedSplit, part: EncodedPart, device: torch.device) -> Loss:
    """Make the loss that fits the labels of a part."""
    assert train.labels is not None, "training rows have labels"
    own, kind = part.rows_of(train), part.labelling.kind
    if kind == "class":
        return ClassLoss(recipe, train.labels, part.n_labels, device, own)
    # Codes of other parts' rows may stand for nothing here; what they hold is not read.
    n_codes = len(part.codes.combinations or part.codes.scores)
    truth = part.codes.truth(np.clip(train.labels, 0, n_codes - 1), part.n_labels)
    return (MultilabelLoss if kind == "multilabel" else ScoreLoss)(recipe, truth, device, own)
