"""The objective of a fine-tune: from the rows of a step to their loss and its gradients, attacks included."""

import contextlib
import math

import numpy as np
import torch
from torch import Tensor

from gridsearch.encoders.classifier import Classifier
from gridsearch.encoders.dropout import Whole
from gridsearch.encoders.mixout import Mixout
from gridsearch.optimizers.adversarial import Pass, PlainBackward, build_attack
from gridsearch.randomness import numpy_stream
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.batches import collate, training_batches
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.losses import Loss, StepSize
from gridsearch.trial import Trial


class Objective:
    """What is minimised, on which rows and in which order."""

    def __init__(
        self, trial: Trial, data: EncodedTask, model: Classifier, device: torch.device, micro_batch_divisor: int = 1
    ) -> None:
        recipe = trial.recipe
        self.recipe, self.seed, self.data, self.model, self.device = recipe, trial.seed, data, model, device
        self.micro_batch_rows = math.ceil(recipe.batch_size / micro_batch_divisor)
        assert data.train.labels is not None
        self.loss = Loss(recipe, data.train.labels, data.n_labels, device)
        self.mixout = Mixout(model, recipe.mixout, trial.seed) if recipe.mixout else None
        self.attack = build_attack(
            recipe, model.word_embeddings, pad_id=data.pad_id, token_ids=data.train.ids, seed=trial.seed
        )

    def batches(self, epoch: int) -> list[list[np.ndarray]]:
        """Return the rows of each batch of each step of an epoch, which counts from 1."""
        return batches_of_steps(self.recipe, self.data.train.lengths, self.seed, epoch, self.data.train_orders)

    def backward(self, batches: list[np.ndarray], epoch: int) -> Tensor:
        """Add the gradients of one step's batches; return their mean loss."""
        attack = self.attack if epoch >= self.recipe.adversarial_start else PlainBackward()
        size = self.loss.size_of(np.concatenate(batches))
        return torch.stack([attack.backward(self._passes(batch, size, epoch)) for batch in batches]).sum()

    def _passes(self, batch: np.ndarray, size: StepSize, epoch: int) -> list[Pass]:
        """Return what computes the loss of each micro-batch of a batch: all as if the batch were computed at once."""
        width = self.model.padded_width or int(self.data.train.lengths_of(batch).max())
        starts = range(0, len(batch), self.micro_batch_rows)
        parts = [slice(start, min(start + self.micro_batch_rows, len(batch))) for start in starts]
        whole = Whole(len(batch))
        return [self._pass(batch, part, size, width, whole, epoch) for part in parts]

    def _pass(self, batch: np.ndarray, part: slice, size: StepSize, width: int, whole: Whole, epoch: int) -> Pass:
        rows = batch[part]
        inputs = collate(self.data.train, rows, self.data.pad_id, self.device, width)

        def loss() -> Tensor:
            with autocast(self.recipe.precision, self.device), whole.cut_to(part):
                logits = [self._logits(inputs, epoch, batch, number) for number in range(self.loss.n_passes)]
            return self.loss(logits, rows, size)

        return loss

    def _logits(self, inputs: dict[str, Tensor], epoch: int, batch: np.ndarray, number: int) -> Tensor:
        """Compute one of the passes that the loss compares; a batch comes once in an epoch."""
        if self.mixout is not None:
            return self.mixout(inputs, epoch, batch.tolist(), number)
        logits: Tensor = self.model(inputs)
        return logits


def batches_of_steps(
    recipe: Recipe, lengths: np.ndarray, seed: int, epoch: int, n_orders: int = 1
) -> list[list[np.ndarray]]:
    """Return the rows of each batch of each step of an epoch, which counts from 1; ``lengths``: tokens of each row.

    The rows stand in ``n_orders``, one after the other: each is read in all of them, or in one at random.
    """
    rows = np.arange(len(lengths))
    if recipe.pair_swap == "random":
        rows = rows[: len(rows) // n_orders]
        rows = rows + len(rows) * numpy_stream(seed, "pair swap", epoch).integers(0, n_orders, len(rows))
    places = training_batches(lengths[rows], recipe.batch_size, numpy_stream(seed, "order", epoch))
    batches = [rows[place] for place in places]
    accumulation = recipe.gradient_accumulation
    return [batches[start : start + accumulation] for start in range(0, len(batches), accumulation)]


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Compute in the precision of a recipe."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
