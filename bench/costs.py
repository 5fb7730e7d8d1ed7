"""Costs that must not grow with the square of the work: a line each, measured in a process of its own.

    python -m bench.costs                # all
    python -m bench.costs score          # those whose name begins so

A new line is a function that prepares its data and returns what is to be measured, and an entry in ``MEASUREMENTS``.
What preparing took is no part of the figures. Peak memory is what the process held above what it held before.
"""

import gc
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.measuring import Cost
from gridsearch.metrics import score
from gridsearch.tasks.task import Split, Task
from runners.provenance import code_commit

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
Act = Callable[[], object]


@dataclass(frozen=True)
class Measurement:
    """``prepare`` makes data of the ``size`` that is told, and returns what is measured; ``must`` is the target."""

    name: str
    size: str
    must: str
    prepare: Callable[[], Act]


def _logits(n_rows: int, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.integers(n_labels, size=n_rows), generator.standard_normal((n_rows, n_labels), dtype=np.float32)


def score_100k() -> Act:
    """All metrics of 0.4 GB of logits."""
    labels, logits = _logits(100_000, 1_000)
    return lambda: score(labels, logits)


def score_1m() -> Act:
    """All metrics of 4 GB of logits."""
    labels, logits = _logits(1_000_000, 1_000)
    return lambda: score(labels, logits)


def label_counts() -> Act:
    """How many training rows each label has."""
    labels = tuple(np.random.default_rng(0).integers(1_000, size=1_000_000).tolist())
    split = Split(("",) * len(labels), labels)
    task = Task("counts", "single", "accuracy", tuple(map(str, range(1_000))), split, split)
    return lambda: task.label_counts


MEASUREMENTS = (
    Measurement("label-counts", "1M rows x 1,000 labels", "one pass", label_counts),
    Measurement("score", "100k rows x 1,000 labels (0.4 GB of logits)", "0.4 GB above the logits", score_100k),
    Measurement("score-large", "1M rows x 1,000 labels (4 GB of logits)", "4 GB above the logits", score_1m),
)


def cost_of(measurement: Measurement) -> Cost:
    """Measure in a fresh process, so that neither its memory nor its caches are those of another."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (measurement.prepare,))


def _measured(prepare: Callable[[], Act]) -> Cost:
    act = prepare()
    gc.collect()
    _RESET.write_text("5", encoding="ascii")  # the kernel's peak begins anew
    held, wall, cpu = _kib("VmRSS"), time.perf_counter(), time.process_time()
    act()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Cost(wall, cpu, 1024 * (_kib("VmHWM") - held))


def _kib(field: str) -> int:
    return int(_STATUS.read_text(encoding="ascii").split(f"{field}:")[1].split()[0])


def main(names: Sequence[str]) -> None:
    """Measure, and print a line as each is known."""
    print(f"commit {code_commit() or 'unknown'}")
    print(f"{'name':<20} {'size':<45} {'wall s':>9} {'CPU s':>9} {'peak MB':>9}   must")
    for one in MEASUREMENTS:
        if not names or one.name.startswith(tuple(names)):
            cost = cost_of(one)
            figures = f"{cost.wall_seconds:9.3f} {cost.cpu_seconds:9.3f} {cost.peak_bytes / 1e6:9.1f}"
            print(f"{one.name:<20} {one.size:<45} {figures}   {one.must}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
