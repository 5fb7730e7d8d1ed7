"""Ten thousand trials in one study: each is run once, and what is asked of the study afterwards still answers."""

import json
import sqlite3
from pathlib import Path

import pytest

from runners.cli import main

SPACE = """
title = "Many quick trials"
[recipe]
epochs = 1
batch_size = 16
max_length = 8
[factors]
bert_adam = [false, true]
frozen_layers = [0, 1]
learning_rate = [1e-3, 3e-3]
weight_decay = [0.0, 0.01]
[design]
seeds = {seeds}
"""
N_CELLS = 16
N_ROWS = 24


@pytest.mark.parametrize(
    ("runner", "n_seeds"),
    [
        pytest.param("processes", 63, marks=pytest.mark.slow),
        pytest.param("ray", 63, marks=pytest.mark.long),
        pytest.param("processes", 625, marks=pytest.mark.long),
    ],
    ids=["a thousand", "a thousand by ray", "ten thousand"],
)  # a trial takes a tenth of a second
def test_many_trials(
    runner: str, n_seeds: int, project: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    n_trials = N_CELLS * n_seeds
    Path("question.toml").write_text(SPACE.format(seeds=list(range(n_seeds))))
    lines = Path("data.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    Path("data.tsv").write_text("".join(lines[: 1 + N_ROWS]), encoding="utf-8")
    words = ["sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    assert main([*words, "--runner", runner, "--workers", "2"]) == 0
    with sqlite3.connect("study/ledger.sqlite") as connection:
        told = connection.execute("SELECT state, count(*), count(DISTINCT trial) FROM attempts GROUP BY state")
        assert told.fetchall() == [("finished", n_trials, n_trials)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    capsys.readouterr()
    assert main(["verify", "study"]) == 0
    assert f"complete: {n_trials} planned, {n_trials} finished, 0 failed, 0 pending" in capsys.readouterr().out
    assert main(["status", "study"]) == 0
    assert f"complete: {n_trials} planned" in capsys.readouterr().out
    assert main(["report", "study", "--format", "md,html,json"]) == 0
    page = json.loads(Path("study/page.json").read_text(encoding="utf-8"))
    assert len(page["cells"]) == N_CELLS
    assert main([*words, "--runner", "serial"]) == 0, "there is nothing left to run"
