"""Cells a minute: the Hugging Face Trainer and ours, each with 1, 2, 4 and 8 processes on the card.

Each of the eight has an equal share of the time. What does not finish in it is interrupted, and the cells that did
count: so a slower card gives fewer cells and no failure. Starting a process is told apart from what a cell costs.
"""

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.gpu_blocks.asked import Asked
from bench.gpu_blocks.materials import workload
from bench.gpu_blocks.sweeping import plan_of, sweep
from bench.gpu_blocks.watch import Watched, interrupted_after, watching
from bench.measuring import ROOT
from bench.peers.trainer_lane import TIMES
from bench.workload import Workload
from gridsearch.errors import first_line
from gridsearch.randomness import numpy_stream
from gridsearch.study.study import Study
from runners.backends.processes import ProcessesRunner

COUNTS = (1, 2, 4, 8)
SECONDS_OF_AN_END = 3.0
"""Kept back of each share, for what an interrupted sweep needs to end its workers; and once more of the whole."""
BEST_FLAGS = {
    "bf16": True,
    "tf32": True,
    "train_sampling_strategy": "group_by_length",
    "optim": "adamw_torch_fused",
    "per_device_eval_batch_size": 128,
    "dataloader_pin_memory": True,
    "logging_nan_inf_filter": False,  # it waits for the card in every step
}
"""Trainer's options that make it fast on a card."""


@dataclass(frozen=True)
class CellTime:
    """When a cell began and ended, and for how long it trained; seconds, by ``time.time``."""

    is_frozen: bool
    begun: float
    ended: float
    trained_seconds: float
    dev: float
    peak_bytes: int | None
    where: str
    device: str


def answer(asked: Asked) -> None:
    """Measure both with 1, 2, 4 and 8 at a time; pairs stand side by side, so that a limit cuts neither more."""
    cells = workload(asked)
    systems: dict[str, Callable[[Asked, Workload, int, Path, float], tuple[Watched, list[CellTime]]]] = {
        "trainer": _trainer,
        "ours": _ours,
    }
    asked.tell(rows=cells.n_train_rows, dev_rows=cells.n_dev_rows, cells=len(cells.trainers_cells))
    runs = [(name, count) for count in asked.size(COUNTS, (1,)) for name in systems]
    best: dict[str, float] = {}
    without = []
    for number, (name, count) in enumerate(runs):
        folder = asked.scratch / f"{name}-{count}"
        folder.mkdir()
        seconds = (asked.seconds_left() - SECONDS_OF_AN_END) / (len(runs) - number) - SECONDS_OF_AN_END
        try:
            watched, found = systems[name](asked, cells, count, folder, seconds)
        except Exception as error:  # whatever it is: the next has its chance
            traceback.print_exc()
            without.append(f"{name} with {count} ({type(error).__name__}: {first_line(error)})")
            continue
        row = summary(watched, found, count)
        asked.add("runs", system=name, processes=count, **row)
        if (per_minute := row["cells_per_minute_steady"]) is not None:
            best[name] = max(best.get(name, 0.0), float(per_minute))  # type: ignore[arg-type]
            asked.tell(best_cells_per_minute=best)
        else:
            said = _end_of_log(folder, 200).splitlines()
            without.append(f"{name} with {count}" + (f" ({said[-1]})" if said else ""))
        if len(best) == len(systems):
            asked.tell(ours_over_trainer=best["ours"] / best["trainer"])
    if without:
        raise RuntimeError(f"too few cells were finished by {', '.join(without)}")


def summary(watched: Watched, found: Sequence[CellTime], n_processes: int) -> dict[str, object]:
    """Sum up a run. ``steady``: by the median seconds of frozen and of other cells, as many of each.

    A process's first cell counts only where there is no other of its kind: the card's libraries are loaded in it.
    """
    firsts = {one.where: one for one in sorted(found, key=lambda one: -one.begun)}
    kinds = []
    for kind in (False, True):
        of_kind = [one for one in found if one.is_frozen is kind]
        kinds.append([one for one in of_kind if one is not firsts[one.where]] or of_kind)
    medians = [statistics.median(one.ended - one.begun for one in kind) if kind else None for kind in kinds]
    trained = [statistics.median(one.trained_seconds for one in kind) if kind else None for kind in kinds]
    known = [median for median in medians if median is not None]
    is_known = len(known) == len(kinds)
    span = max(one.ended for one in found) - min(one.begun for one in found) if found else None
    return {
        "cells": len(found),
        "is_whole": watched.is_whole,
        "wall_s": watched.seconds,
        "start_s": min(one.begun for one in found) - watched.begun if found else None,
        "cells_per_minute": 60 * len(found) / span if span else None,
        "cells_per_minute_steady": 60 * n_processes / statistics.fmean(known) if is_known else None,
        "cell_s": medians[0],
        "cell_s_frozen": medians[1],
        "trained_s": trained[0],
        "trained_s_frozen": trained[1],
        "mean_dev": statistics.fmean(one.dev for one in found) if found else None,
        "cell_peak_mib": max((one.peak_bytes / 2**20 for one in found if one.peak_bytes), default=None),
        "devices": sorted({one.device for one in found}),
        "host_peak_mib": watched.host_peak_bytes / 2**20,
        "card_peak_mib": watched.card_peak_mib,
        "card_mean_use": watched.card_mean_use,
    }


def _ours(asked: Asked, cells: Workload, count: int, folder: Path, seconds: float) -> tuple[Watched, list[CellTime]]:
    """Sweep with the processes runner; this process is the driver."""
    study = Study(folder / "study")
    begun = time.time()
    with watching([os.getpid()], begun) as watched, interrupted_after(seconds):
        plan = plan_of(asked, cells.folder.name, cells.encoder.name, cells.space_text)
        watched.is_whole = sweep(plan, study, ProcessesRunner(count)).coverage.complete
    return watched, read_ledger(study.ledger_path) if study.ledger_path.is_file() else []


def read_ledger(path: Path) -> list[CellTime]:
    """Read what a sweep has finished. A worker's first trial begins when the worker has imported all, as a lane's does:
    the ledger has it from when it was handed over.
    """
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT trials.recipe, started, ended, seconds, SUM(train_seconds), MAX(outcomes.dev), peak_bytes, worker,"
            " resources FROM attempts JOIN trials ON trials.id = attempts.trial"
            " JOIN epochs ON epochs.attempt = attempts.id JOIN outcomes ON outcomes.attempt = attempts.id"
            " WHERE state = 'finished' GROUP BY attempts.id ORDER BY started"
        ).fetchall()
    found: list[CellTime] = []
    for recipe, begun, ended, seconds, trained, dev, peak_bytes, worker, resources in rows:
        is_first = worker not in {one.where for one in found}
        found.append(
            CellTime(
                is_frozen=bool(json.loads(recipe).get("frozen_layers")),
                begun=ended - seconds if is_first else begun,
                ended=ended,
                trained_seconds=trained,
                dev=_first_metric(dev),
                peak_bytes=peak_bytes,
                where=worker,
                device=json.loads(resources)["device"],
            )
        )
    return found


def _first_metric(dev: str) -> float:
    """Return the metric that the task names."""
    metrics = json.loads(dev)
    return float(metrics.get("f1_macro", next(iter(metrics.values()))))


def _trainer(asked: Asked, cells: Workload, count: int, folder: Path, seconds: float) -> tuple[Watched, list[CellTime]]:
    """Let so many lanes share the cells, in an order drawn once: one that is cut off is a fair sample."""
    numbered = list(enumerate(cells.trainers_cells, start=1))
    order = [numbered[position] for position in numpy_stream(0, "lanes").permutation(len(numbered))]
    recipe = cells.recipe
    options: dict[str, object] = {
        "cells": json.dumps(order),
        "claims": folder,
        "model": cells.encoder,
        "data": cells.folder,
        "metric": cells.metric,
        "max_length": recipe.max_length,
        "output_dir": folder / "output",
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "per_device_train_batch_size": recipe.batch_size,
        "max_grad_norm": recipe.clip_norm,
        "seed": 0,
        "eval_strategy": "epoch",
        "logging_strategy": "epoch",
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        **BEST_FLAGS,
        **asked.size({}, {"use_cpu": True, "tf32": None, "dataloader_pin_memory": False}),
    }
    words = [f"--{name}={value}" for name, value in options.items() if value is not None]
    command = [sys.executable, "-m", "bench.peers.trainer_lane", *words]
    begun = time.time()
    with (folder / "log").open("ab") as log:
        lanes = [subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT) for _ in range(count)]
        with watching([lane.pid for lane in lanes], begun) as watched:
            with interrupted_after(seconds):
                codes = [lane.wait() for lane in lanes]
                watched.is_whole = not any(codes)
            for lane in lanes:
                lane.kill()
                lane.wait()
    print(f"\n{folder.name}:\n{_end_of_log(folder, 3000)}", flush=True)
    times = folder / TIMES
    lines = times.read_text(encoding="utf-8").splitlines() if times.is_file() else []
    return watched, [_cell_time(json.loads(line)) for line in lines]


def _cell_time(line: dict[str, object]) -> CellTime:
    return CellTime(
        bool(line["is_frozen"]),
        float(line["begun"]),  # type: ignore[arg-type]
        float(line["ended"]),  # type: ignore[arg-type]
        float(line["trained"]) - float(line["training"]),  # type: ignore[arg-type]
        float(line["dev"]),  # type: ignore[arg-type]
        line["peak_bytes"],  # type: ignore[arg-type]
        str(line["lane"]),
        str(line["device"]),
    )


def _end_of_log(folder: Path, n_characters: int) -> str:
    log = folder / "log"
    return log.read_text(encoding="utf-8", errors="replace").strip()[-n_characters:] if log.is_file() else ""
