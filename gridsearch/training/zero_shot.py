"""What a pretraining that was taught labels says by itself, before any fine-tuning.

A row's answer is what is predicted at its first token, out of the labels alone: of two, P(yes) / (P(yes) + P(no)), as
in github.com/bojone/oppo-text-match.
"""

from collections.abc import Callable

import numpy as np
import torch

from gridsearch.encoders.pretraining.made import MadeEncoder
from gridsearch.encoders.pretraining.masked_lm import MaskedLM
from gridsearch.encoders.pretraining.masked_lm_files import read_labelling
from gridsearch.errors import DivergedError
from gridsearch.stage import Stage
from gridsearch.tasks.batches import collate, computed_in_batches
from gridsearch.tasks.corpus import EncodedLabels
from gridsearch.tasks.encode import EncodedSplit
from gridsearch.tasks.metrics import score
from gridsearch.training.execution import Execution, device_of
from gridsearch.training.objective import autocast


def zero_shot(
    stage: Stage,
    made: MadeEncoder,
    labels: EncodedLabels,
    pad_id: int,
    execution: Execution,
    before_batch: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Score on dev what an encoder was taught, as it lies in the cache; ``before_batch`` may raise.

    Pairs are read in the order in which they stand. Raises DivergedError for answers that are not finite.
    """
    device = device_of(execution)
    model = read_labelling(made.folder, stage.id, labels.n_labels).to(device)
    logits = told_labels(
        model,
        labels.judged,
        pad_id,
        device,
        stage.precision,
        divisor=execution.micro_batch_divisor,
        before_batch=before_batch,
    )
    if not np.isfinite(logits).all():
        raise DivergedError(f"at step {stage.last_step} of the pretraining, what it says on dev is not finite")
    assert labels.judged.labels is not None, "dev has labels: load_task refuses others"
    return score(labels.judged.labels, logits, labels.positive)


def told_labels(
    model: MaskedLM,
    split: EncodedSplit,
    pad_id: int,
    device: torch.device,
    precision: str,
    *,
    divisor: int = 1,
    before_batch: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Compute logits of labels, of shape (rows, labels) in float32, in the order of the rows."""
    model.eval()
    with torch.inference_mode(), autocast(precision, device):
        return computed_in_batches(
            split.lengths,
            lambda rows: model.labels(collate(split, rows, pad_id, device)),
            divisor=divisor,
            before_batch=before_batch,
        )
