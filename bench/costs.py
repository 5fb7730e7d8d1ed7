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
from functools import partial
from pathlib import Path

import numpy as np
import torch

from bench.ledgers import many_trials
from bench.measuring import Cost
from gridsearch.planning.order import balanced_order
from gridsearch.randomness import numpy_stream
from gridsearch.tasks.batches import collate, training_batches
from gridsearch.tasks.built_in import docstrings
from gridsearch.tasks.encode import EncodedSplit
from gridsearch.tasks.metrics import score
from gridsearch.tasks.splits import judge_duplicates, sample_rows, share_out
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.tfidf_yardstick import tfidf_yardstick
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


def synthetic_task(n_rows: int, n_labels: int) -> Task:
    """Rows of fifteen real words, three of them from twenty that their label prefers; a quarter as many rows of dev."""
    words = np.array([word for text in docstrings.load().train.texts for word in text.split()])
    own, generator = np.unique(words), np.random.default_rng(0)

    def split(n: int) -> Split:
        labels = generator.integers(n_labels, size=n)
        common = words[generator.integers(len(words), size=(n, 12))]
        preferred = own[(labels[:, None] * 7 + generator.integers(20, size=(n, 3))) % len(own)]
        texts = tuple(map(" ".join, np.concatenate([common, preferred], axis=1).tolist()))
        return Split(texts, tuple(labels.tolist()))

    return Task("costs", "single", "accuracy", tuple(map(str, range(n_labels))), split(n_rows), split(n_rows // 4))


def yardstick_40k() -> Act:
    """What comes before the first trial."""
    task = synthetic_task(40_000, 20)
    return lambda: tfidf_yardstick(task)


def yardstick_1m() -> Act:
    """The same of a task of which it reads a part."""
    task = synthetic_task(1_000_000, 1_000)
    return lambda: tfidf_yardstick(task)


def collate_1m() -> Act:
    """The batches of one epoch; tokens of no meaning."""
    generator = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(generator.integers(5, 40, size=1_000_000))])
    split = EncodedSplit(generator.integers(30_000, size=starts[-1], dtype=np.int32), None, starts, None)

    def epoch() -> None:
        for rows in training_batches(split.lengths, 32, numpy_stream(0, "order")):
            collate(split, rows, 0, torch.device("cpu"))

    return epoch


def duplicates_1m() -> Act:
    """Count the copies in train."""
    train = synthetic_task(1_000_000, 20).train
    return lambda: judge_duplicates(train, {}, False)


def dev_share_1m() -> Act:
    """Split off dev, copies kept together."""
    train = synthetic_task(1_000_000, 20).train
    return lambda: share_out(train, 0.1, 0)


def sample_10k_labels() -> Act:
    """A stratified sample of rows with many labels."""
    labels = np.random.default_rng(0).integers(10_000, size=1_000_000)
    train = Split(("",) * len(labels), tuple(labels.tolist()))
    return lambda: sample_rows(train, 500_000, 0)


def coverage_of(n_failures: int = 0, *, halving: bool = False) -> Act:
    """The certificate of a large study: what status, verify and every start of a sweep ask for."""
    study = many_trials(n_failures, halving=halving)

    def ask() -> object:
        with study.open() as ledger:
            return ledger.coverage()

    return ask


def order_of(n_cells: int) -> Act:
    """The order in which the cells of a large factorial run."""
    levels = [[*format(number // 2, "014b"), str(number % 2)] for number in range(n_cells)]
    return lambda: balanced_order(range(n_cells), levels, 0)


MEASUREMENTS = (
    Measurement("coverage", "10,000 trials", "under 0.3 s", coverage_of),
    Measurement(
        "coverage-attempts", "10,000 trials, half finished, 2 or 3 attempts", "under 0.3 s", partial(coverage_of, 2)
    ),
    Measurement("coverage-halving", "10,000 trials at rung 1", "under 0.3 s", partial(coverage_of, halving=True)),
    Measurement("order", "16,384 cells", "under 1 s", partial(order_of, 16_384)),
    Measurement("collate", "an epoch of 1M rows, batches of 32", "what the batches need", collate_1m),
    Measurement("duplicates", "1M rows of 15 words", "in seconds", duplicates_1m),
    Measurement("dev-share", "1M rows of 15 words", "in seconds", dev_share_1m),
    Measurement("sample", "1M rows x 10,000 labels", "in seconds", sample_10k_labels),
    Measurement("yardstick", "40,000 rows x 20 labels", "not more than before", yardstick_40k),
    Measurement("yardstick-large", "1M rows x 1,000 labels", "about a minute", yardstick_1m),
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
