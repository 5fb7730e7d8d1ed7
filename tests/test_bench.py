"""The benchmark's arithmetic, and that its systems run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import finetune
from bench.comparison import Comparison, Run
from bench.measuring import Cost, run_measured
from bench.workload import CELL_COUNTS, make_workload
from gridsearch.errors import GridSearchError
from gridsearch.space.space import parse_space

ROOT = Path(__file__).parents[1]
MIB = 2**20
TABLES = """\
### minilm on sst2

4 rows.

|    |   wall s (/ d) |   CPU s (/ d) |    MiB (/ d) |   step ms (/ d) |   accuracy |     sd |
|---:|---------------:|--------------:|-------------:|----------------:|-----------:|-------:|
|  a |    900 (10.00) |  1,200 (6.00) |   500 (0.50) |       30 (1.20) |     0.8000 | 0.1414 |
|  b |     150 (1.67) |    220 (1.10) | 1,250 (1.25) |       25 (1.00) |     0.6000 |      - |
|  d |      90 (1.00) |    200 (1.00) | 1,000 (1.00) |       25 (1.00) |     0.8000 | 0.1414 |

b trained 1 trials for 2 cells.

The machine itself changed its speed by 1.20 between systems: read the ratios with care.

|                      figure |       target |   found |        |
|----------------------------:|-------------:|--------:|-------:|
|       wall time of a / ours |   at least 8 |   10.00 |    met |
|       wall time of b / ours |   at least 2 |    1.67 | missed |
|     peak memory of ours / b |    at most 1 |    0.80 |    met |
|  accuracy of a - ours, mean |   0 ± 0.1271 | +0.0000 |    met |
|  accuracy of b - ours, mean |   0 ± 0.1271 | -0.3000 | missed |
| frozen / unfrozen, training | at most 0.55 |    0.60 | missed |

|   cell |      d |   a - d |   b - d |   seed 1 |
|-------:|-------:|--------:|--------:|---------:|
|  plain | 0.9000 | -0.2000 | -0.3000 |  +0.0100 |
| frozen | 0.7000 | +0.2000 |       - |  +0.0300 |"""


def test_the_tables() -> None:
    runs = {
        "a": Run(Cost(900, 1200, 500 * MIB), {1: 0.7, 2: 0.9}, 2),
        "b": Run(Cost(150, 220, 1250 * MIB), {1: 0.6}, 1),
        "d": Run(Cost(90, 200, 1000 * MIB), {1: 0.9, 2: 0.7}, 2),
    }
    cells = {1: "plain", 2: "frozen"}
    second_seed = {1: 0.91, 2: 0.73}
    paces = {"a": 0.030, "b": 0.025, "d": 0.025}
    share = {"training": 0.6}
    comparison = Comparison("minilm on sst2", "4 rows.", "accuracy", cells, runs, paces, second_seed, share)
    assert comparison.format() == TABLES


@pytest.mark.parametrize("n_cells", CELL_COUNTS)
def test_both_spellings_of_the_grid_number_the_same_cells(n_cells: int, tmp_path: Path) -> None:
    workload = make_workload("minilm", "docstrings", tmp_path, None, n_rows=320, n_epochs=3, n_cells=n_cells)
    ours = [cell.recipe for cell in parse_space(workload.space_text, "bench").cells()]
    assert len(ours) == n_cells
    assert workload.trainers_cells == [
        {
            "warmup_steps": recipe.warmup_steps(320),
            "weight_decay": recipe.weight_decay,
            "bert_adam": recipe.bert_adam,
            "frozen_layers": recipe.frozen_layers,
        }
        for recipe in ours
    ]


def test_what_a_process_starts_is_counted(tmp_path: Path) -> None:
    child = "import time; held = bytearray(200 * 2**20); held[::4096] = b'x' * len(held[::4096]); time.sleep(1)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    alone = run_measured([sys.executable, "-c", "pass"], tmp_path / "log", every_seconds=0.02)
    cost = run_measured([sys.executable, "-c", parent], tmp_path / "log", every_seconds=0.1)
    assert cost.peak_bytes - alone.peak_bytes > 150 * MIB
    assert cost.wall_seconds > 1
    assert cost.cpu_seconds > alone.cpu_seconds


def test_a_command_that_fails_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(GridSearchError, match="exit code 3:\nits last words"):
        run_measured([sys.executable, "-c", "print('its last words'); raise SystemExit(3)"], tmp_path / "log")


def bench(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bench.finetune", *words]
    environment = {name: value for name, value in os.environ.items() if name != "GRIDSEARCH_DATA"}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--systems", "e"), "bench: --systems: unknown system 'e'; known: a, b, c, d\n"),
        (("--rows", "0"), "bench: --rows must be at least 1, but is 0\n"),
        (
            ("--data-dir", "/nowhere"),
            "bench: --data-dir or GRIDSEARCH_DATA must be a folder, but there is none at /nowhere\n",
        ),
    ],
)
def test_a_wrong_request_is_a_sentence(
    words: tuple[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GRIDSEARCH_DATA", raising=False)
    assert finetune.main(words) == 2
    assert capsys.readouterr().err == sentence


@pytest.mark.slow  # trains minilm in two systems; their tables and requests are tested above
def test_a_peer_and_ours_run_the_same_cells(tmp_path: Path) -> None:
    options = ["--quick", "--cells", "2", "--rows", "120", "--encoders", "minilm"]
    done = bench(*options, "--systems", "b,d", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "every encoder runs on the built-in task docstrings" in done.stdout
    assert (tmp_path / "finetune.md").read_text(encoding="utf-8") in done.stdout
    (comparison,) = json.loads((tmp_path / "finetune.json").read_text(encoding="utf-8"))["comparisons"]
    for dev in (*(comparison["runs"][letter]["dev"] for letter in "bd"), comparison["second_seed"]):
        assert dev.keys() == {"1", "2"}
