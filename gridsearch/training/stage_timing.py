"""Measuring a pretraining without running it: a sample of its own steps, and what comes before and after them."""

import math
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pretraining.masked_lm_files import encoder_files_of
from gridsearch.stage import LogPoint, Stage
from gridsearch.tasks.batches import evaluation_batches
from gridsearch.tasks.corpus import EncodedCorpus, EncodedLabels
from gridsearch.training.execution import Execution, computing
from gridsearch.training.pretraining import Run
from gridsearch.training.step_timing import (
    SHARE_OF_EVALUATION,
    Effort,
    clocks,
    effort_since,
    now_on,
    sampled_mean,
    timed,
)
from gridsearch.training.zero_shot import told_labels

ENOUGH = 1000
"""The lengths in so many steps are those of all: what comes after them is not looked at."""


@dataclass(frozen=True)
class StageVisit(Effort):
    """What one measurement found: seconds of all but the steps, of a step in the mean, and how many were measured."""

    setup_seconds: float
    step_seconds: float
    n_measured: int


def measuring_stage(
    stage: Stage, corpus: EncodedCorpus, base: EncoderWeights, execution: Execution, *, seconds: float
) -> Generator[LogPoint, None, StageVisit]:
    """Measure a stage's steps for about so many seconds; takes the place of ``pretraining``, and yields no point.

    Nothing is read or written of what the cache holds of this run: it may be under way.
    """
    yield from ()
    stage = replace(stage, run=f"{stage.run}-measured")
    with computing(execution):
        Run(stage, corpus, base, execution)  # a rehearsal, as of a trial
        begun, waited = clocks()
        run = Run(stage, corpus, base, execution)
        device = run.objective.device
        setup_seconds = now_on(device) - (begun - waited)
        step_seconds, n_measured = _steps(run, stage, corpus, seconds)
        with run.steps.updates.evaluated_weights():
            setup_seconds += timed(device, lambda: encoder_files_of(run.model, run.base))
            if corpus.labels is not None:
                seconds_for_it = SHARE_OF_EVALUATION * seconds
                setup_seconds += _judging(run, stage, corpus.labels, corpus.pad_id, seconds_for_it)
        effort = effort_since(begun, waited)
    return StageVisit(setup_seconds=setup_seconds, step_seconds=step_seconds, n_measured=n_measured, **effort)


def _judging(run: Run, stage: Stage, labels: EncodedLabels, pad_id: int, seconds: float) -> float:
    """Return the seconds of predicting dev by what was taught, from some of its batches."""
    batches, device = evaluation_batches(labels.judged.lengths), run.objective.device

    def take(number: int) -> float:
        part = labels.judged.take(batches[number])
        return timed(device, lambda: told_labels(run.model, part, pad_id, device, stage.precision))

    mean, n_batches, _ = sampled_mean(range(len(batches)), take, seconds)
    return mean * n_batches


def _steps(run: Run, stage: Stage, corpus: EncodedCorpus, seconds: float) -> tuple[float, int]:
    """Return the mean seconds of a step, its share of laying out an epoch included, and how many were measured."""
    steps, per_epoch, lengths = run.steps, run.objective.n_steps_per_epoch, corpus.lengths
    n_epochs = math.ceil(min(ENOUGH, stage.total_steps) / per_epoch)
    batches = [batch for epoch in range(1, n_epochs + 1) for batch in run.objective.batches(epoch)]

    def n_tokens(batch: tuple[int, np.ndarray]) -> int:
        return len(batch[1]) * int(lengths[batch[1]].max())

    def take(batch: tuple[int, np.ndarray]) -> float:
        steps.updates.n_taken = batch[0]
        return timed(run.objective.device, lambda: steps.step(batch, batch[0] // per_epoch + 1))

    run.model.train()
    mean, _, n_measured = sampled_mean(sorted(batches[: stage.total_steps], key=n_tokens), take, seconds)
    if n_measured:
        mean += timed(run.objective.device, lambda: run.objective.batches(1)) / per_epoch
    return mean, n_measured
