"""What the harness itself costs: seconds to plan 1,000 cells, and seconds that a trial costs beyond its training.

    python bench/controller.py

The second figure is a slope: sweeps of 16 and of 64 trials on the ray runner with two workers, wall seconds of all
workers minus seconds inside trials, per trial. What a sweep costs once (imports, Ray's start) cancels out.
"""

import itertools
import platform
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertModel, BertTokenizer

from gridsearch.encoders.load import describe
from gridsearch.plan import make_plan
from gridsearch.space import parse_space
from gridsearch.study import Study
from gridsearch.tasks import docstrings
from gridsearch.tasks.task import Task
from runners.driver import sweep
from runners.progress import Progress
from runners.provenance import code_commit
from runners.ray_tune import RayRunner

N_WORKERS = 2
THOUSAND_CELLS = """
[recipe]
pooling = "pooler"
[factors]
learning_rate = [1e-5, 2e-5, 3e-5, 4e-5, 5e-5]
weight_decay = [0.0, 0.001, 0.01, 0.1, 0.2]
warmup_proportion = [0.0, 0.05, 0.1, 0.15, 0.2]
bert_adam = [false, true]
reinit_pooler = [false, true]
clip_norm = ["none", 1.0]
"""


def plan_seconds(folder: Path) -> float:
    """Time the whole command, interpreter included."""
    space = folder / "thousand.toml"
    space.write_text(THOUSAND_CELLS)
    begun = time.perf_counter()
    command = [sys.executable, "-m", "runners.cli", "plan", str(space)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "1000 cells x 1 seed = 1000 trials" in printed
    return time.perf_counter() - begun


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
    progress = Progress(task.metric, {}, Console(quiet=True))
    result = sweep(plan, study, RayRunner(N_WORKERS), sources={}, provenance=dict, progress=progress)
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


def main() -> None:
    task = docstrings.load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planned = plan_seconds(folder)
        (folder / "encoder").mkdir()
        encoder = make_encoder(folder / "encoder", task)
        few, many = (seconds_beside_training(count, folder, task, encoder) for count in (16, 64))
    print(f"commit {code_commit() or 'unknown'}, Python {platform.python_version()}, {N_WORKERS} workers")
    print(f"plan of 1,000 cells                 {planned:8.2f} s   (target: under 2 s)")
    print(f"ray, per trial beyond its training  {(many - few) / 48:8.3f} s   (target: under 0.5 s)")


if __name__ == "__main__":
    main()
