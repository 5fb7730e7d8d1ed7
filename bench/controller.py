"""The cost of the harness itself: planning 1,000 and 10,000 cells, and what trials cost beyond their training.

    python -m bench.controller

Sweeps of 8 to 512 almost empty trials run on the ray runner with two workers. Wall seconds of all workers minus the
seconds inside trials, from the second trial of each worker on: what a sweep costs once (imports, Ray's start) is not in
it. Its slope from 16 to 64 trials is what one trial costs; the straight line through all sweeps shows whether it grows.
"""

import itertools
import platform
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel, BertTokenizer

from bench.ledgers import TEN_THOUSAND_CELLS, THOUSAND_CELLS
from bench.measuring import Cost, run_measured
from gridsearch.encoders.load import describe
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.built_in import docstrings
from gridsearch.tasks.splits import sample_rows
from gridsearch.tasks.task import Task
from runners.backends.ray_tune import RayRunner
from runners.driver import Settings, drive
from runners.progress.live import Progress
from runners.provenance import code_commit
from runners.schedules.rounds import Rounds

N_WORKERS = 2
N_TRIALS = (8, 16, 64, 128, 512)
N_ROWS = 64
PLAN = """
import pathlib, sys
from runners.cli import main
main(["plan", sys.argv[1]])
print(pathlib.Path("/proc/self/status").read_text())
"""


def plan_cost(text: str, n_cells: int, folder: Path) -> Cost:
    """Measure the whole command, interpreter included; its memory is the kernel's own record of the process."""
    space, printed = folder / f"{n_cells}.toml", folder / f"{n_cells}.txt"
    space.write_text(text, encoding="utf-8")
    cost = run_measured([sys.executable, "-c", PLAN, str(space)], printed)
    words = printed.read_text(encoding="utf-8")
    assert f"{n_cells} cells x 1 seed = {n_cells} trials" in words
    return replace(cost, peak_bytes=1024 * int(words.split("VmHWM:")[1].split()[0]))


def make_encoder(folder: Path, task: Task) -> Path:
    """A BERT so small that its training is short beside what is measured."""
    words = BertWordPieceTokenizer()
    words.train_from_iterator(task.train.texts, vocab_size=500, show_progress=False)
    config = BertConfig(
        vocab_size=words.get_vocab_size(), hidden_size=16, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=16, architectures=["BertModel"],
    )  # fmt: skip
    config.save_pretrained(folder)
    BertTokenizer(vocab=words.get_vocab()).save_pretrained(folder)
    torch.save(BertModel(config).state_dict(), folder / "pytorch_model.bin")
    return folder


def seconds_beside_training(n_trials: int, folder: Path, task: Task, encoder: Path) -> float:
    """Run so many trials; return worker seconds (wall x workers, from first start to last end) spent outside trials."""
    seeds = ", ".join(str(seed) for seed in range(n_trials))
    text = (
        "[recipe]\nepochs = 1\nbatch_size = 64\nmax_length = 16\n[factors]\nbert_adam = [false]\n"
        f"[design]\nseeds = [{seeds}]\n"
    )
    plan = make_plan(
        parse_space(text, f"slope{n_trials}").with_fixed({"encoder": str(encoder)}),
        task,
        partial(describe, corpus=task.corpus),
    )
    study = Study(folder / f"study-{n_trials}")
    progress = Progress(task.target, {}, Console(quiet=True))
    schedule, runner = Rounds(plan, study, {}), RayRunner(N_WORKERS)
    result = drive(schedule, study, runner, Settings(), provenance=dict, progress=progress)
    assert result.coverage.complete
    with study.open() as ledger:
        rows = ledger.connection.execute(
            "SELECT worker, started, ended, seconds FROM attempts ORDER BY worker, started"
        ).fetchall()
    # The first trial of each worker pays for the worker's imports.
    by_worker = itertools.groupby(rows, lambda row: row["worker"])
    warm = [row for _, group in by_worker for row in list(group)[1:]]
    wall = max(row["ended"] for row in warm) - min(row["started"] for row in warm)
    return wall * N_WORKERS - sum(row["seconds"] for row in warm)


def straight_line(cost: Mapping[int, float]) -> tuple[float, float]:
    """Fit cost = a + b n; return b, and the largest distance from the line as a share of the largest cost."""
    numbers, seconds = np.array(list(cost)), np.array(list(cost.values()))
    slope, intercept = np.polyfit(numbers, seconds, 1)
    return float(slope), float(np.abs(seconds - intercept - slope * numbers).max() / seconds.max())


def main() -> None:
    """Measure, and print each figure beside its target."""
    whole = docstrings.load()
    task = replace(whole, train=sample_rows(whole.train, N_ROWS, 0), dev=sample_rows(whole.dev, N_ROWS, 0), test=None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        thousand = plan_cost(THOUSAND_CELLS, 1_000, folder)
        ten_thousand = plan_cost(TEN_THOUSAND_CELLS, 10_000, folder)
        (folder / "encoder").mkdir()
        encoder = make_encoder(folder / "encoder", whole)
        cost = {count: seconds_beside_training(count, folder, task, encoder) for count in N_TRIALS}
    slope, distance = straight_line(cost)
    print(f"commit {code_commit() or 'unknown'}, Python {platform.python_version()}, {N_WORKERS} workers")
    print(f"plan of 1,000 cells                 {thousand.wall_seconds:8.2f} s   (target: under 2 s)")
    print(f"plan of 10,000 cells                {ten_thousand.wall_seconds:8.2f} s   (target: under 5 s)")
    print(f"  its peak memory                   {ten_thousand.peak_bytes / 1e6:8.0f} MB  (target: under 500 MB)")
    print(f"ray, per trial beyond its training  {(cost[64] - cost[16]) / 48:8.3f} s   (target: under 0.3 s)")
    print(f"  from {N_TRIALS[0]} to {N_TRIALS[-1]} trials              {slope:8.3f} s")
    print(f"  farthest from a straight line     {distance:8.1%}     of {cost[N_TRIALS[-1]]:.1f} s")
    for count, seconds in cost.items():
        print(f"  {count:4} trials                       {seconds:8.2f} s")


if __name__ == "__main__":
    main()
