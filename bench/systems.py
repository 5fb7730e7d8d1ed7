"""The systems that are compared: how each is started, and where its results are found."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean

from bench.comparison import Run
from bench.measuring import Cost, run_measured
from bench.workload import PRECISION, Workload
from gridsearch.study.study import Study
from reports.study.read import read_study

N_WORKERS = 2
EVALUATION_ROWS = 128  # of one batch, in all systems but the one with Trainer's defaults
ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1"}
"""No GPU, no questions to a server, no log files of Tune."""
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
FASTEST = {
    "bf16": PRECISION == "bf16",
    "train_sampling_strategy": "group_by_length",
    "optim": "adamw_torch_fused",
    "per_device_eval_batch_size": EVALUATION_ROWS,
}
"""Trainer's options that make it fast on a CPU."""


def shell_loop(workload: Workload, scratch: Path, threads: int | None) -> Run:
    """One process a trial, one after the other."""
    cost = Cost(0.0, 0.0, 0)
    dev = {}
    environment = ENVIRONMENT | ({} if threads is None else {"OMP_NUM_THREADS": str(threads)})
    for number, cell in enumerate(workload.trainers_cells, start=1):
        output = scratch / f"cell-{number}"
        command = [sys.executable, "-m", "bench.peers.trainer_script", *_trainers_options(workload, output, cell)]
        cost = cost.followed_by(run_measured(command, scratch / "log", environment))
        dev[number] = _results(output)[0][1]
    return Run(cost, dev, len(dev))


def trainers_search(backend: str) -> "System":
    """Trainer.hyperparameter_search on one of its backends."""

    def run(workload: Workload, scratch: Path, threads: int | None) -> Run:
        output = scratch / "search"
        command = [sys.executable, "-m", "bench.peers.trainer_search", *_trainers_options(workload, output, FASTEST)]
        command += [f"--backend={backend}", f"--grid={json.dumps(workload.trainers_grid)}"]
        cost = run_measured(command, scratch / "log", ENVIRONMENT | ONE_THREAD)
        results = _results(output)
        cells = workload.trainers_cells
        return Run(cost, {cells.index(cell) + 1: value for cell, value in reversed(results)}, len(results))

    return run


def gridsearch_sweep(workload: Workload, scratch: Path, threads: int | None) -> Run:
    """This project's sweep, to its page."""
    cost = run_measured(_sweep(workload), scratch / "log", ENVIRONMENT)
    dev = dev_of_seed(workload, 0)
    return Run(cost, dev, len(dev))


def run_second_seed(workload: Workload, scratch: Path) -> dict[int, float]:
    """Let the sweep go on with another seed of every cell; what that costs is not counted."""
    run_measured([*_sweep(workload), "--seeds", "0,1"], scratch / "log", ENVIRONMENT)
    return dev_of_seed(workload, 1)


def frozen_share(workload: Workload) -> dict[str, float]:
    """Return the seconds of an epoch with frozen layers over those without, of its training and of all of it."""
    train: dict[bool, list[float]] = {True: [], False: []}
    whole: dict[bool, list[float]] = {True: [], False: []}
    with _study(workload).open() as ledger:
        for cell in read_study(ledger).cells:
            for one in cell.finished:
                assert one.train_seconds_per_epoch is not None
                assert one.dev_seconds_per_epoch is not None
                is_frozen = bool(cell.recipe["frozen_layers"])
                train[is_frozen].append(one.train_seconds_per_epoch)
                whole[is_frozen].append(one.train_seconds_per_epoch + one.dev_seconds_per_epoch)
    return {
        name: fmean(kind[True]) / fmean(kind[False])
        for name, kind in (("training", train), ("whole", whole))
        if kind[True]
    }


System = Callable[[Workload, Path, int | None], Run]
SYSTEMS: dict[str, tuple[str, System]] = {
    "a": ("a script, one process a trial: Trainer's defaults", shell_loop),
    "b": ("Trainer.hyperparameter_search, ray, two workers", trainers_search("ray")),
    "c": ("Trainer.hyperparameter_search, optuna, two workers", trainers_search("optuna")),
    "d": ("gridsearch sweep, ray, two workers", gridsearch_sweep),
}
"""Letter to what it is called, and how it is run."""


def dev_of_seed(workload: Workload, seed: int) -> dict[int, float]:
    """Read the results of one seed from the ledger, by the number of the cell."""
    with _study(workload).open() as ledger:
        return {
            cell.index: one.dev
            for cell in read_study(ledger).cells
            for one in cell.finished
            if one.seed == seed and one.dev is not None
        }


def _study(workload: Workload) -> Study:
    return Study(workload.folder / "study")


def _sweep(workload: Workload) -> list[str]:
    return [
        *(sys.executable, "-m", "runners.cli", "sweep", str(workload.folder / "space.toml")),
        *("--task", str(workload.folder / "task.toml"), "--model", str(workload.encoder)),
        *("--runner", "ray", "--workers", str(N_WORKERS), "--study", str(_study(workload).folder)),
    ]


def _trainers_options(workload: Workload, output: Path, more: Mapping[str, object]) -> list[str]:
    recipe = workload.recipe
    options = {
        "model": workload.encoder,
        "data": workload.folder,
        "metric": workload.metric,
        "max_length": recipe.max_length,
        "output_dir": output,
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "per_device_train_batch_size": recipe.batch_size,
        "max_grad_norm": recipe.clip_norm,
        "seed": 0,
        "eval_strategy": "epoch",
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
    } | dict(more)
    return [f"--{name}={value}" for name, value in options.items()]


def _results(output: Path) -> list[tuple[dict[str, object], float]]:
    return [(cell, value) for cell, value in json.loads((output / "results.json").read_text(encoding="utf-8"))]
