"""The objective of a pretraining: hidden tokens are predicted, and, if asked, labels and whether pairs belong together.

A label is predicted at the first token of its row, [CLS], as one more hidden token: out of the vocabulary and all
labels, and in the same mean. So does github.com/bojone/oppo-text-match (``masked_crossentropy`` of its baseline.py),
where a row without a label adds its hidden tokens alone, too.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gridsearch.encoders.dropout import Whole
from gridsearch.encoders.pretraining.masked_lm import MaskedLM
from gridsearch.randomness import numpy_stream
from gridsearch.stage import Stage
from gridsearch.tasks.batches import collate, training_batches
from gridsearch.tasks.corpus import EncodedCorpus
from gridsearch.to_device import to_device
from gridsearch.training.masking import MaskedRows, masked_rows
from gridsearch.training.masks.choice import choice_of
from gridsearch.training.objective import autocast


class HiddenTokens:
    """What is minimised: the mean loss over the hidden tokens and labels of a step, and that over its pairs.

    ``n_hidden`` tokens were hidden so far, of ``n_eligible`` that may be.
    """

    def __init__(
        self, stage: Stage, corpus: EncodedCorpus, model: MaskedLM, device: torch.device, micro_batch_divisor: int = 1
    ) -> None:
        self.stage, self.corpus, self.model, self.device = stage, corpus, model, device
        self.seed, self.choose = stage.seed, choice_of(stage.recipe, corpus)
        self.n_hidden, self.n_eligible = 0, 0
        self.micro_batch_rows = math.ceil(stage.recipe.batch_size / micro_batch_divisor)
        self.n_steps_per_epoch = stage.recipe.steps_per_epoch(len(corpus))

    def batches(self, epoch: int) -> list[tuple[int, np.ndarray]]:
        """Return the number of each step of an epoch, counted from 0 over all, and its rows; epochs count from 1."""
        stream = numpy_stream(self.seed, "order", epoch)
        rows = training_batches(self.corpus.lengths, self.stage.recipe.batch_size, stream)
        return list(enumerate(rows, start=(epoch - 1) * self.n_steps_per_epoch))

    def backward(self, batches: tuple[int, np.ndarray], epoch: int) -> Tensor:
        """Add the gradients of one step; return its loss, a scalar."""
        step, rows = batches
        hidden = masked_rows(self.corpus, rows, self.stage.recipe, seed=self.seed, step=step, choose=self.choose)
        self.n_hidden += len(hidden.targets)
        self.n_eligible += hidden.n_eligible
        width, n_predicted = int(hidden.rows.lengths.max()), max(1, len(hidden.targets) + len(hidden.labelled))
        n_pairs = 0 if hidden.follows is None else max(1, int((hidden.follows >= 0).sum()))
        whole, total = Whole(len(rows)), torch.zeros((), device=self.device)
        for start in range(0, len(rows), self.micro_batch_rows):
            part = slice(start, min(start + self.micro_batch_rows, len(rows)))
            with autocast(self.stage.precision, self.device), whole.cut_to(part):
                loss = self._loss(hidden.take(np.arange(part.start, part.stop)), width, n_predicted, n_pairs)
            loss.backward()
            total += loss.detach()
        return total

    def _loss(self, part: MaskedRows, width: int, n_predicted: int, n_pairs: int) -> Tensor:
        """Return what some rows add to the loss of a step with so many tokens in a row, predicted ones, and pairs."""
        inputs = collate(part.rows, np.arange(len(part)), self.corpus.pad_id, self.device, width)
        rows = part.labelled
        positions = self._here(np.concatenate([part.positions(width), rows * width]))
        targets = self._here(np.concatenate([part.targets, self.model.n_tokens + part.labels[rows]]))
        if part.follows is None:
            return self._mean(self.model(inputs, positions), targets, n_predicted)
        tokens, together = self.model.both(inputs, positions)
        return self._mean(tokens, targets, n_predicted) + self._mean(together, self._here(part.follows), n_pairs)

    def _here(self, array: np.ndarray) -> Tensor:
        return to_device(torch.from_numpy(array), self.device)

    @staticmethod
    def _mean(logits: Tensor, targets: Tensor, n_all: int) -> Tensor:
        # A row of one text has the answer -100 about its pair, which counts nothing.
        return functional.cross_entropy(logits, targets, reduction="sum") / n_all
