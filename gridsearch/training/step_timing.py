"""Measuring a trial's time without running it: a sample of its own steps, of its evaluation, and all that comes before.

The steps are those of the trial: its batches, its frozen states, its attack from the epoch on that it begins in. Time
in which other programs have the core is taken off: half a minute of theirs says nothing about the hours of a sweep.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import torch

from gridsearch.encoders.classifier import snapshot
from gridsearch.encoders.load import EncoderWeights
from gridsearch.randomness import numpy_stream
from gridsearch.tasks.batches import evaluation_batches
from gridsearch.tasks.encode import EncodedPart, EncodedSplit, EncodedTask
from gridsearch.tasks.judging.judge import measured
from gridsearch.training.execution import Execution, begin_peak, computing, device_of, peak_bytes
from gridsearch.training.frozen_states import forget
from gridsearch.training.prepared import Prepared, preparations
from gridsearch.trial import Epoch, Trial

FEWEST, MOST = 6, 64
"""Steps that are measured; fewer only where a trial has no more."""
SHARE_OF_EVALUATION = 0.25
"""Evaluation is measured for this share of the time that steps are measured for."""
SCHEDULED = Path("/proc/thread-self/schedstat")
"""Nanoseconds of this thread: those that it ran for, and those that it waited in the queue of a core."""
PeakOf = Literal["device", "process", "process, at most"]
Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What a measurement took itself: ``busy_seconds`` after its rehearsal, on the wall's clock.

    ``core_share`` is the part of them in which it did not wait for a core, and ``waited_seconds`` is how long its
    thread had waited for one before.
    """

    busy_seconds: float
    core_share: float
    waited_seconds: float


@dataclass(frozen=True)
class Visit(Effort):
    """What one measurement found. Seconds of a trial's parts; a step and an evaluation on dev are means.

    ``seconds`` are those that the whole trial would take, if its patience does not run out. ``peak_bytes`` are those of
    the longest batch, of the device or (``peak_of``) of the process; "at most" where they may be of what ran before.
    """

    seconds: float
    setup_seconds: float
    step_seconds: float
    dev_seconds: float
    test_seconds: float
    n_steps: int
    n_measured: int
    peak_bytes: int
    peak_of: PeakOf


def measuring(
    trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution, *, seconds: float
) -> Generator[Epoch, None, Visit]:
    """Measure a trial's steps for about so many seconds; takes the place of ``finetuning``, and yields no epoch."""
    yield from ()
    with computing(execution):
        forget()  # states of another trial's frozen layers are no memory of this one
        device = device_of(execution)
        is_own = begin_peak(device)
        # A rehearsal: what is imported, cached or computed once for all trials is no cost of this one.
        preparations(trial, data, encoder, execution)
        for part in data.parts:
            _scoring(device, part, part.codes.truth([0, 1], part.n_labels))
        begun, waited = clocks()
        trained = preparations(trial, data, encoder, execution)
        setup_seconds = now_on(device) - (begun - waited)
        # In its last epoch a trial also holds the weights of those before it that it may report.
        n_held = min(trial.recipe.checkpoints, trial.recipe.epochs - 1)
        held = [snapshot(one.model) for one in trained for _ in range(n_held)]
        spent = [_spent(trial, one, seconds / len(trained)) for one in trained]
        n_steps, n_measured = sum(one.n_steps for one in spent), sum(one.n_measured for one in spent)
        dev_seconds, test_seconds = sum(one.dev_seconds for one in spent), sum(one.test_seconds for one in spent)
        steps_seconds = sum(one.n_steps * one.step_seconds for one in spent)
        whole = setup_seconds + steps_seconds + trial.recipe.epochs * dev_seconds + test_seconds
        effort = effort_since(begun, waited)
        n_peak_bytes = peak_bytes(device)
        del held
    of: PeakOf = "device" if device.type == "cuda" else "process" if is_own else "process, at most"
    return Visit(
        seconds=whole,
        setup_seconds=setup_seconds,
        step_seconds=steps_seconds / max(1, n_steps),
        dev_seconds=dev_seconds,
        test_seconds=test_seconds,
        n_steps=n_steps,
        n_measured=n_measured,
        peak_bytes=n_peak_bytes,
        peak_of=of,
        **effort,
    )


class _Spent(NamedTuple):
    """What the steps and evaluations of one model take: ``step_seconds`` a step, ``dev_seconds`` an epoch."""

    step_seconds: float
    n_steps: int
    n_measured: int
    dev_seconds: float
    test_seconds: float


def _spent(trial: Trial, prepared: Prepared, seconds: float) -> _Spent:
    """Measure one of a trial's models for about so many seconds."""
    steps = _steps(prepared, seconds)
    each_epoch = timed(prepared.device, lambda: prepared.steps.objective.batches(1))
    with prepared.steps.updates.evaluated_weights():
        dev_seconds = _evaluation(prepared, prepared.data.dev, SHARE_OF_EVALUATION * seconds)
        each_epoch += timed(prepared.device, lambda: snapshot(prepared.model))
        test, n_passes = prepared.data.test, trial.recipe.checkpoints
        test_seconds = 0.0 if test is None else _evaluation(prepared, test, SHARE_OF_EVALUATION * seconds, n_passes)
    return _Spent(*steps, dev_seconds + each_epoch, test_seconds)


@dataclass(frozen=True)
class _Step:
    """A step of a trial: how many were taken before it, its epoch, its batches."""

    n_before: int
    epoch: int
    batches: list[np.ndarray]


def _steps(prepared: Prepared, seconds: float) -> tuple[float, int, int]:
    """Return the mean seconds of a step, and how many there are and were measured.

    All steps of the trial are sorted by their padded tokens and cut into as many stretches as can be measured; of each
    one is taken at random. So the lengths are those of an epoch, and what happens only in some epochs or in every k-th
    step is met as often as in the trial.
    """
    steps, recipe, lengths = prepared.steps, prepared.recipe, prepared.data.train.lengths
    of_epochs = (
        (epoch, batches) for epoch in range(1, recipe.epochs + 1) for batches in steps.objective.batches(epoch)
    )
    planned = [_Step(number, epoch, batches) for number, (epoch, batches) in enumerate(of_epochs)]
    width = prepared.model.padded_width

    def n_tokens(step: _Step) -> int:
        return sum(len(rows) * (int(lengths[rows].max()) if width is None else width) for rows in step.batches)

    def take(step: _Step) -> float:
        steps.updates.n_taken = step.n_before
        return timed(prepared.device, lambda: steps.step(step.batches, step.epoch))

    prepared.model.train()
    return sampled_mean(sorted(planned, key=n_tokens), take, seconds)


def _evaluation(prepared: Prepared, split: EncodedSplit, seconds: float, n_times: int = 1) -> float:
    """Return the seconds of predicting a split so many times and scoring it, from some of its batches."""
    batches = evaluation_batches(split.lengths, width=prepared.model.padded_width)

    def take(number: int) -> float:
        part = split.take(batches[number])
        return timed(prepared.device, lambda: prepared.predict(part))

    mean, n_batches, _ = sampled_mean(range(len(batches)), take, seconds)
    scored = sum(_scoring(prepared.device, part, labels) for part, labels in _labelled(prepared, split))
    return n_times * mean * n_batches + scored


def _labelled(prepared: Prepared, split: EncodedSplit) -> Iterator[tuple[EncodedPart, np.ndarray]]:
    """Yield the parts that have labels in a split, with these."""
    for part in prepared.data.parts:
        labels = part.labels_of(split)
        if labels is not None and len(labels):
            yield part, labels


def _scoring(device: torch.device, part: EncodedPart, labels: np.ndarray) -> float:
    """Return the seconds of scoring rows with these labels."""
    logits = np.random.default_rng(0).standard_normal((len(labels), part.n_labels), np.float32)
    return timed(device, lambda: measured(labels, logits, part.labelling))


def sampled_mean(items: Sequence[Item], take: Callable[[Item], float], seconds: float) -> tuple[float, int, int]:
    """Return the mean of ``take`` over all items, from one of each stretch of them; their number, and that of those.

    The longest comes first and the middle one next, and neither counts: they warm up, and say how many there is time
    for. Where there is no item, nothing is taken.
    """
    if not items:
        return 0.0, 0, 0
    take(items[-1])
    n_measured = min(len(items), MOST, max(FEWEST, int(seconds / take(items[len(items) // 2]))))
    stream = numpy_stream(len(items), "measure")
    stretches = np.array_split(np.arange(len(items)), n_measured)
    total = sum(len(stretches[i]) * take(items[stream.choice(stretches[i])]) for i in stream.permutation(n_measured))
    return total / len(items), len(items), n_measured


def timed(device: torch.device, act: Callable[[], object]) -> float:
    """Return the seconds of something, without those in which this thread waited for a core."""
    begun = now_on(device)
    act()
    return now_on(device) - begun


def now_on(device: torch.device) -> float:
    """Read a clock that stands still while this thread waits for a core, when the device has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    now, waited = clocks()
    return now - waited


def effort_since(begun: float, waited: float) -> dict[str, float]:
    """Return the fields of :class:`Effort` of what began when the :func:`clocks` showed this."""
    now, waited_by_now = clocks()
    busy_seconds = now - begun
    core_share = 1 - (waited_by_now - waited) / busy_seconds
    return {"busy_seconds": busy_seconds, "core_share": core_share, "waited_seconds": waited}


def clocks() -> tuple[float, float]:
    """Return the wall's clock, and how long this thread has waited for a core: both of one moment."""
    waited = waited_for_a_core()
    while True:
        now, before = time.perf_counter(), waited
        if (waited := waited_for_a_core()) == before:  # else it lost its core between two readings
            return now, waited


def waited_for_a_core() -> float:
    """Return the seconds for which this thread was ready to run, and others ran; 0 where the kernel does not count."""
    try:
        return int(SCHEDULED.read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
