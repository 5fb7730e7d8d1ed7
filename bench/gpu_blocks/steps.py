"""A training step: its kernels, how long the card is idle between them, its ten longest operators."""

import gc
import statistics
from collections.abc import Iterable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from bench.gpu_blocks.asked import Asked, wait_for
from bench.gpu_blocks.materials import BATCH_ROWS, base_recipe, read_materials
from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.execution import Execution, computing
from gridsearch.training.prepared import Prepared, prepare
from gridsearch.trial import make_trial

N_WARM, N_TIMED, N_PROFILED, N_LONGEST = 5, 10, 5, 10


def answer(asked: Asked) -> None:
    """Time and profile the step of the cells; then time batches of other sizes, fp32, and frozen layers."""
    data, weights = read_materials(asked, "few", "base")
    n_layers = int(weights.config["num_hidden_layers"])
    with computing(Execution(device=asked.device.type)):
        prepared = _prepared(asked, data, weights)
        seconds = _time_steps(asked, prepared)
        asked.tell(step_ms=1000 * seconds)
        _profile_steps(asked, prepared, seconds)
        del prepared
        others: list[dict[str, Any]] = [
            {"precision": "fp32"},
            {"frozen_layers": n_layers // 2},
            *({"batch_size": rows} for rows in asked.size((8, 128, 512), (8,))),
            {"adversarial": "fgm"},
            {"r_drop": 1.0},
        ]
        for knobs in others:
            gc.collect()  # an attack and its hook hold each other, and the model of the last row
            if asked.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            seconds = _time_steps(asked, _prepared(asked, data, weights, **knobs))
            rows = knobs.get("batch_size", BATCH_ROWS)
            asked.add("step", knobs=knobs, ms=1000 * seconds, rows_per_s=rows / seconds, peak_gib=_peak_gib(asked))


def _prepared(asked: Asked, data: EncodedTask, weights: EncoderWeights, **knobs: object) -> Prepared:
    trial = make_trial(base_recipe(**knobs), seed=0, task="titles", encoder=weights.identity)
    prepared = prepare(trial, data, weights, Execution(device=asked.device.type))
    prepared.model.train()
    return prepared


def _time_steps(asked: Asked, prepared: Prepared) -> float:
    """Return the mean seconds of a step when the card is waited for only at the end, as in training."""
    steps = prepared.steps.objective.batches(1)
    steps = [step for step in steps if len(step[0]) == prepared.recipe.batch_size] or steps
    n_timed = asked.size(N_TIMED, 2)

    def take(count: int) -> float:
        begun = wait_for(asked.device)
        for number in range(count):
            prepared.steps.step(steps[number % len(steps)], 1)
        return (wait_for(asked.device) - begun) / count

    take(asked.size(N_WARM, 1))
    return statistics.median(take(n_timed) for _ in range(asked.size(3, 1)))


def _profile_steps(asked: Asked, prepared: Prepared, seconds: float) -> None:
    """Tell what a step consists of. ``seconds``: of a step that is not profiled, which takes longer."""
    on_card = asked.device.type == "cuda"
    steps = prepared.steps.objective.batches(1)
    n_steps = asked.size(N_PROFILED, 1)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_card else [])]
    with profile(activities=activities) as found:
        begun = wait_for(asked.device)
        for number in range(n_steps):
            prepared.steps.step(steps[number % len(steps)], 1)
        profiled_seconds = wait_for(asked.device) - begun
    events = list(found.events())
    spans = [(event.time_range.start, event.time_range.end) for event in events if is_on_card(event)]
    busy_seconds = covered(spans) / 1e6 / n_steps
    asked.tell(
        operators_of_a_step=sum(event.name.startswith("aten::") for event in events) / n_steps,
        launches_of_a_step=sum("LaunchKernel" in event.name for event in events) / n_steps,
        copies_of_a_step=sum("emcpyAsync" in event.name for event in events) / n_steps,
        waits_of_a_step=sum("Synchronize" in event.name for event in events) / n_steps,
        step_ms_profiled=1000 * profiled_seconds / n_steps,
        busy_ms_of_a_step=1000 * busy_seconds if on_card else None,
        idle_share=1 - busy_seconds / seconds if on_card else None,
    )
    for where, of in (("card", "self_device_time_total"), ("cpu", "self_cpu_time_total")):
        averages = [one for one in found.key_averages() if is_on_card(one) == (where == "card")]
        for average in sorted(averages, key=lambda one: -getattr(one, of))[:N_LONGEST]:
            ms = getattr(average, of) / 1000 / n_steps
            asked.add(f"longest on the {where}", operator=average.key[:90], ms=ms, times=average.count / n_steps)


def is_on_card(event: Any) -> bool:
    """Whether something that the profiler saw is a kernel or a copy, and not what the CPU did for it."""
    return "CUDA" in str(event.device_type)


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return how much of the time line is covered by spans, which may overlap.

    >>> covered([(0, 2), (1, 3), (5, 6)])
    4.0
    """
    total, end = 0.0, float("-inf")
    for begun, ended in sorted(spans):
        total += max(0, ended - max(begun, end))
        end = max(end, ended)
    return total


def _peak_gib(asked: Asked) -> float | None:
    return torch.cuda.max_memory_allocated() / 2**30 if asked.device.type == "cuda" else None
