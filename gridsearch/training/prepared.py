"""A trial before its first step: the words that occur, the model, what frozen layers give; and what it predicts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gridsearch.encoders.classifier import Classifier, build_classifier
from gridsearch.encoders.heads import Outputs
from gridsearch.encoders.load import EncoderWeights
from gridsearch.optimizers.settings import settings_of
from gridsearch.optimizers.updates import Updates
from gridsearch.recipe.poolings import READS
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.batches import collate, computed_in_batches
from gridsearch.tasks.encode import EncodedPart, EncodedSplit, EncodedTask, part_alone
from gridsearch.training.execution import Execution, device_of
from gridsearch.training.frozen_states import with_frozen_states
from gridsearch.training.losses.scores import standard
from gridsearch.training.objective import Objective, autocast
from gridsearch.training.steps import Steps
from gridsearch.training.used_vocabulary import UsedVocabulary, used_vocabulary
from gridsearch.trial import Trial


@dataclass(frozen=True)
class Prepared:
    """A trial before its first step. ``data`` and ``model`` know only the words that occur, as ``cut`` has them."""

    recipe: Recipe
    device: torch.device
    micro_batch_divisor: int
    cut: UsedVocabulary
    data: EncodedTask
    model: Classifier
    steps: Steps

    def predict(self, split: EncodedSplit, before_batch: Callable[[], None] = lambda: None) -> np.ndarray:
        """Compute logits of shape (rows, labels) in float32, in the order of the rows; ``before_batch`` may raise."""
        return predict(
            self.model,
            split,
            self.data.pad_id,
            self.device,
            self.recipe.precision,
            divisor=self.micro_batch_divisor,
            before_batch=before_batch,
        )


def preparations(trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution) -> list[Prepared]:
    """Prepare every model that a trial trains: one, or one for each part where they are trained separately."""
    alone = [part_alone(data, part) for part in data.parts] if trial.recipe.parts.training == "separate" else [data]
    return [prepare(trial, own, encoder, execution) for own in alone]


def prepare(trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution) -> Prepared:
    """Do all that comes before the first step: the words that occur, the model, what frozen layers give."""
    device, cut, divisor = device_of(execution), used_vocabulary(data, encoder), execution.micro_batch_divisor
    in_units = has_units(data.parts)
    model = build_classifier(trial.recipe, cut.encoder, data.n_labels, trial.seed, len(data.parts), in_units=in_units)
    if model.outputs is not None:
        set_units(model.outputs, data)
    model = model.to(device)
    data = cut.data.with_splits(lambda _, split: as_read(trial.recipe, split))
    data = with_frozen_states(trial, data, model) if device.type == "cpu" else data
    return Prepared(trial.recipe, device, divisor, cut, data, model, steps_of(trial, data, model, device, divisor))


def has_units(parts: Sequence[EncodedPart]) -> bool:
    """Tell whether outputs are in units of their own, or have thresholds of their own: not those of classes."""
    return any(part.labelling.kind != "class" for part in parts)


def set_units(outputs: Outputs, data: EncodedTask) -> None:
    """Give the numbers that are predicted the mean and the deviation of the training rows'."""
    for part in data.parts:
        if part.labelling.kind == "score":
            truth = part.labels_of(data.train)
            assert truth is not None, "training rows have labels"
            outputs.shift[part.labels], outputs.scale[part.labels] = standard(truth)


def as_read(recipe: Recipe, split: EncodedSplit) -> EncodedSplit:
    """Return the rows, in both orders, without what the recipe does not read of a pair: no batch is to carry it."""
    return replace(
        split,
        sides=split.sides if READS[recipe.pooling].sides else None,
        shared=split.shared if recipe.cooccurrence != "none" else None,
        turned=None if split.turned is None else as_read(recipe, split.turned),
    )


def steps_of(
    trial: Trial, data: EncodedTask, model: Classifier, device: torch.device, micro_batch_divisor: int = 1
) -> Steps:
    """Return the steps of a fine-tune."""
    objective = Objective(trial, data, model, device, micro_batch_divisor)
    return Steps(
        objective,
        Updates(settings_of(trial.recipe, data.rows_an_epoch(trial.recipe.pair_swap)), model, model.depths()),
    )


def predict(
    model: Classifier,
    split: EncodedSplit,
    pad_id: int,
    device: torch.device,
    precision: str,
    *,
    divisor: int = 1,
    before_batch: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Compute logits of shape (rows, labels) in float32, in the order of the rows.

    Where the rows are there turned round, too, these are the means over both orders. ``divisor`` makes batches smaller,
    for want of memory; ``before_batch`` may raise.
    """
    model.eval()
    width = model.padded_width

    def logits_of(split: EncodedSplit) -> np.ndarray:
        def mean_logits(rows: np.ndarray) -> Tensor:
            logits: Tensor = model(collate(split, rows, pad_id, device, width))
            return logits.mean(0)

        return computed_in_batches(split.lengths, mean_logits, divisor=divisor, width=width, before_batch=before_batch)

    with torch.inference_mode(), autocast(precision, device):
        logits = logits_of(split)
        return logits if split.turned is None else (logits + logits_of(split.turned)) / 2
