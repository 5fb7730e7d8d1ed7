"""The objective of a fine-tune: from the rows of a step to their loss and its gradients, attacks included."""

import contextlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from gridsearch.encoders.classifier import Classifier
from gridsearch.encoders.dropout import Whole
from gridsearch.encoders.mixout import Mixout
from gridsearch.optimizers.adversarial import Pass, PlainBackward, build_attack
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.batches import collate
from gridsearch.tasks.encode import EncodedTask, PartRows
from gridsearch.tasks.parts.epoch_batches import epoch_batches
from gridsearch.training.losses.loss import StepSize
from gridsearch.training.losses.step import StepLoss
from gridsearch.trial import Trial


class Objective:
    """What is minimised, on which rows and in which order."""

    def __init__(
        self, trial: Trial, data: EncodedTask, model: Classifier, device: torch.device, micro_batch_divisor: int = 1
    ) -> None:
        recipe = trial.recipe
        self.recipe, self.seed, self.data, self.model, self.device = recipe, trial.seed, data, model, device
        self.micro_batch_rows = math.ceil(recipe.batch_size / micro_batch_divisor)
        self.loss = StepLoss(recipe, data.train, data.parts, device, model.part_variances)
        self.mixout = Mixout(model, recipe.mixout, trial.seed) if recipe.mixout else None
        self.attack = build_attack(
            recipe, model.word_embeddings, pad_id=data.pad_id, token_ids=data.train.ids, seed=trial.seed
        )

    def batches(self, epoch: int) -> list[list[np.ndarray]]:
        """Return the rows of each batch of each step of an epoch, which counts from 1."""
        self.loss.weights.begin_epoch()
        return batches_of_steps(self.recipe, self.data.train.lengths, self.data.train_parts, self.seed, epoch)

    def backward(self, batches: list[np.ndarray], epoch: int) -> Tensor:
        """Add the gradients of one step's batches; return its loss."""
        attack = self.attack if epoch >= self.recipe.adversarial_start else PlainBackward()
        sizes = self.loss.begin_step(np.concatenate(batches))
        return torch.stack([attack.backward(self._passes(batch, sizes, epoch)) for batch in batches]).sum()

    def _passes(self, batch: np.ndarray, sizes: Mapping[int, StepSize], epoch: int) -> list[Pass]:
        """Return what computes the loss of each micro-batch of a batch: all as if the batch were computed at once."""
        width = self.model.padded_width or int(self.data.train.lengths_of(batch).max())
        starts = range(0, len(batch), self.micro_batch_rows)
        parts = [slice(start, min(start + self.micro_batch_rows, len(batch))) for start in starts]
        whole = Whole(len(batch))
        return [self._pass(batch, part, sizes, width, whole, epoch) for part in parts]

    def _pass(
        self, batch: np.ndarray, part: slice, sizes: Mapping[int, StepSize], width: int, whole: Whole, epoch: int
    ) -> Pass:
        rows = batch[part]
        inputs = collate(self.data.train, rows, self.data.pad_id, self.device, width)

        def loss() -> Tensor:
            with autocast(self.recipe.precision, self.device), whole.cut_to(part):
                logits = [self._logits(inputs, epoch, batch, number) for number in range(self.loss.n_passes)]
            return self.loss(logits, rows, sizes)

        return loss

    def _logits(self, inputs: dict[str, Tensor], epoch: int, batch: np.ndarray, number: int) -> Tensor:
        """Compute one of the passes that the loss compares; a batch comes once in an epoch."""
        if self.mixout is not None:
            return self.mixout(inputs, epoch, batch.tolist(), number)
        logits: Tensor = self.model(inputs)
        return logits


def batches_of_steps(
    recipe: Recipe, lengths: np.ndarray, parts: Sequence[PartRows], seed: int, epoch: int
) -> list[list[np.ndarray]]:
    """Return the rows of each batch of each step of an epoch, which counts from 1; ``lengths``: tokens of each row."""
    batches, accumulation = epoch_batches(recipe, lengths, parts, seed, epoch), recipe.gradient_accumulation
    return [batches[start : start + accumulation] for start in range(0, len(batches), accumulation)]


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Compute in the precision of a recipe."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
