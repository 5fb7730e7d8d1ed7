"""Learning-rate schedules, as multipliers of the peak. ``step`` counts updates from 0."""

import math
from collections.abc import Callable

from gridsearch.optimizers.settings import UpdateSettings


def linear(step: int, warmup_steps: int, total_steps: int) -> float:
    """Rise linearly from 0 over the warm-up, then fall linearly to 0 at ``total_steps`` (google-research/bert).

    The first update of a warm-up has learning rate 0.

    >>> [linear(step, 2, 6) for step in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if step < warmup_steps:
        return step / warmup_steps
    return max(0.0, (total_steps - step) / max(1, total_steps - warmup_steps))


def cosine(step: int, warmup_steps: int, total_steps: int) -> float:
    """Rise linearly from 0 over the warm-up, then fall along half a cosine to 0 (arXiv:1608.03983, no restarts).

    >>> [round(cosine(step, 2, 6), 3) for step in range(7)]
    [0.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if step < warmup_steps:
        return step / warmup_steps
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return (1 + math.cos(math.pi * min(1.0, progress))) / 2


def constant(step: int, warmup_steps: int, total_steps: int) -> float:
    """Rise linearly from 0 over the warm-up, then stay.

    >>> [constant(step, 2, 6) for step in range(4)]
    [0.0, 0.5, 1.0, 1.0]
    """
    return step / warmup_steps if step < warmup_steps else 1.0


def original_bert_adam(step: int, warmup_proportion: float, total_steps: int) -> float:
    """Warm up and fall linearly by shares of the run (``warmup_linear`` of pytorch-pretrained-bert's BertAdam).

    The warm-up is a share and no whole number of steps: its last update may lie below the peak.

    >>> [round(original_bert_adam(step, 0.25, 6), 3) for step in range(7)]
    [0.0, 0.667, 0.889, 0.667, 0.444, 0.222, 0.0]
    """
    share = step / total_steps
    if share < warmup_proportion:
        return share / warmup_proportion
    return max(0.0, (share - 1) / (warmup_proportion - 1))


SCHEDULES = {"linear": linear, "cosine": cosine, "constant": constant}


def build_schedule(settings: UpdateSettings) -> Callable[[int], float]:
    """Return the learning rate at each update: a multiple of the peak, or that of the weights that are averaged."""
    total_steps, warmup_steps = settings.total_steps, settings.warmup_steps
    n_scheduled = settings.steps_scheduled

    def learning_rate(step: int) -> float:
        if step >= n_scheduled and settings.swa_learning_rate != "schedule":
            return settings.swa_learning_rate
        if settings.optimizer == "original_bert_adam":
            return settings.learning_rate * original_bert_adam(step, settings.warmup_proportion, total_steps)
        return settings.learning_rate * SCHEDULES[settings.schedule](step, warmup_steps, total_steps)

    return learning_rate
