"""The harness against what users would pick instead: the same cells on the same rows, by four systems in one run.

    python -m bench.finetune [--quick] [-o FOLDER]

a: a script called once a trial; b, c: Trainer.hyperparameter_search on Ray and on Optuna; d: gridsearch sweep.
"""

import argparse
import json
import os
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from bench.comparison import OURS, Comparison
from bench.pace import step_seconds
from bench.systems import SYSTEMS, frozen_share, run_second_seed
from bench.workload import CELL_COUNTS, SETTINGS, make_workload
from gridsearch.errors import GridSearchError, RequestError, one_of
from gridsearch.tasks.taskfile import DOCSTRINGS
from reports.formats.markdown import plural
from runners.provenance import describe_run

EPOCHS = 1
QUICK = {"cells": 4, "rows": 500, "epochs": 1}
EXIT_FAILED, EXIT_WRONG_REQUEST, EXIT_INTERRUPTED = 1, 2, 130


def main(words: Sequence[str] | None = None) -> int:
    """Run the systems; print the tables, and write them and the raw figures where asked to."""
    arguments = _parser().parse_args(words)
    try:
        _measure(arguments)
    except RequestError as error:
        print(f"bench: {error}", file=sys.stderr)
        return EXIT_WRONG_REQUEST
    except GridSearchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.finetune", description=__doc__.splitlines()[0])
    parser.add_argument("--systems", default=",".join(SYSTEMS), metavar="a,b,c,d", help="which of them (default: all)")
    parser.add_argument(
        "--encoders", default=",".join(SETTINGS), metavar="NAMES", help=f"(default: {','.join(SETTINGS)})"
    )
    parser.add_argument("--cells", type=int, choices=CELL_COUNTS, help="cells of the grid (default: 16)")
    parser.add_argument("--rows", type=int, metavar="N", help="training rows (default: 4000 for minilm, else 8000)")
    parser.add_argument("--epochs", type=int, metavar="N", help=f"epochs of a trial (default: {EPOCHS})")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of system a (default: every core)")
    parser.add_argument("--quick", action="store_true", help="4 cells, 500 rows, 1 epoch: only to see that all run")
    parser.add_argument("--data-dir", metavar="DIR", help="the folder of the data sets (default: $GRIDSEARCH_DATA)")
    parser.add_argument("-o", "--output", metavar="DIR", help="also write finetune.json and finetune.md here")
    return parser


def _measure(arguments: argparse.Namespace) -> None:
    letters = _chosen("system", arguments.systems, SYSTEMS)
    encoders = _chosen("encoder", arguments.encoders, SETTINGS)
    for name in ("rows", "epochs", "threads"):
        if getattr(arguments, name) is not None and getattr(arguments, name) < 1:
            raise RequestError(f"--{name} must be at least 1, but is {getattr(arguments, name)}")
    data_dir = _data_dir(arguments.data_dir)
    output = None if arguments.output is None else Path(arguments.output)
    if output is not None:
        _make(output)
    load_before = os.getloadavg()[0]
    comparisons: list[Comparison] = []
    with tempfile.TemporaryDirectory(prefix="gridsearch-bench-") as scratch:
        for name in encoders:
            folder = Path(scratch, name)
            folder.mkdir()
            comparisons.append(_compare(name, letters, folder, data_dir, arguments))
            text = _written(comparisons, _circumstances(arguments, letters, load_before), output)
    print(f"\n{text}", end="")


def _written(comparisons: Sequence[Comparison], circumstances: dict[str, Any], output: Path | None) -> str:
    """Return the tables so far; they and the raw figures are written after each encoder: the next may take an hour."""
    text = "\n\n".join([circumstances["caption"], *(comparison.format() for comparison in comparisons)]) + "\n"
    if output is not None:
        raw = {"circumstances": circumstances, "comparisons": [asdict(comparison) for comparison in comparisons]}
        (output / "finetune.json").write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (output / "finetune.md").write_text(text, encoding="utf-8")
    return text


def _chosen(what: str, names: str, known: Any) -> list[str]:
    for name in (chosen := list(dict.fromkeys(names.split(",")))):
        if name not in known:
            raise RequestError(f"--{what}s: {one_of(what, name, list(known))}")
    return [name for name in known if name in chosen]


def _data_dir(given: str | None) -> Path | None:
    """Return the folder of the data sets; None, said aloud, where nobody told of any."""
    named = given or os.environ.get("GRIDSEARCH_DATA")
    if not named:
        print("no --data-dir and no GRIDSEARCH_DATA: every encoder runs on the built-in task docstrings")
        return None
    if not Path(named).is_dir():
        raise RequestError(f"--data-dir or GRIDSEARCH_DATA must be a folder, but there is none at {named}")
    return Path(named)


def _make(output: Path) -> None:
    """Make the folder of the results: before hours of work, not after them."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RequestError(f"--output must be a folder that can be made, but {output}: {error.strerror}") from None


def _compare(
    name: str, letters: Sequence[str], folder: Path, data_dir: Path | None, arguments: argparse.Namespace
) -> Comparison:
    """Run the systems one after the other on one encoder's workload."""
    setting = SETTINGS[name]
    quick = QUICK if arguments.quick else {}
    workload = make_workload(
        name,
        setting.task if data_dir else DOCSTRINGS,
        folder,
        data_dir,
        n_rows=arguments.rows or quick.get("rows", setting.n_rows),
        n_epochs=arguments.epochs or quick.get("epochs", EPOCHS),
        n_cells=arguments.cells or quick.get("cells", CELL_COUNTS[-1]),
    )
    runs = {}
    paces = {}
    pace = step_seconds()
    for letter in letters:
        scratch = folder / letter
        scratch.mkdir()
        what, system = SYSTEMS[letter]
        print(f"{name}, {letter} ({what}) ...", end=" ", flush=True)
        runs[letter] = system(workload, scratch, arguments.threads)
        before, pace = pace, step_seconds()
        paces[letter] = (before + pace) / 2
        print(
            f"{runs[letter].cost.wall_seconds:.1f} s; a step {before * 1000:.0f} ms, then {pace * 1000:.0f}", flush=True
        )
    return Comparison(
        title=f"{name} on {workload.task}",
        size=f"{workload.n_train_rows:,} training rows, {workload.n_dev_rows:,} dev rows, "
        f"{plural(workload.recipe.epochs, 'epoch')}, {plural(len(workload.trainers_cells), 'cell')}.",
        metric=workload.metric,
        cells=workload.cell_names,
        runs=runs,
        paces=paces,
        second_seed=run_second_seed(workload, folder / OURS) if OURS in runs else {},
        frozen_share=frozen_share(workload) if OURS in runs else {},
    )


def _circumstances(arguments: argparse.Namespace, letters: Sequence[str], load_before: float) -> dict[str, Any]:
    """Tell what the figures hold for."""
    facts: dict[str, Any] = describe_run(["python", "-m", "bench.finetune", *sys.argv[1:]], "ray")
    load_after = os.getloadavg()[0]
    caption = [
        f"{date.today()}, commit {facts['commit'] or 'unknown'}, `{' '.join(facts['command'])}`.",
        f"{facts['cores']} cores of {facts['processor']}, load {load_before:.1f} before, {load_after:.1f} after;",
        f"Python {facts['python']},",
        ", ".join(f"{name} {version}" for name, version in facts["versions"].items()) + ".",
        "; ".join(f"{letter}: {SYSTEMS[letter][0]}" for letter in letters) + ".",
        f"{arguments.threads or 'As many threads as cores'} for a, one thread for each worker of the others.",
    ]
    if arguments.quick:
        caption.append("A smoke run: it shows that the systems run and agree, and nothing else.")
    return {"caption": textwrap.fill(" ".join(caption), 80, break_on_hyphens=False), **facts}


if __name__ == "__main__":
    sys.exit(main())
