"""A study whose trials ended in every way, and what an export of it has to hold."""

from pathlib import Path

from gridsearch.study.study import Study
from gridsearch.trial import Epoch, Failure
from reports.study.read import read_study
from reports.study.view import StudyRows
from runners.cli import main
from tests.reports.conftest import Writer, outcome, small_plan

SPACE = """
title = "Which one?"
[recipe]
epochs = 2
[factors.bert_adam]
levels = [false, true]
[factors.weight_decay]
levels = [0.01, 0.5]
[design]
kind = "list"
seeds = [0, 1]
rows = [
    { row = "plain" },
    { row = "own", bert_adam = true },
    { row = "plain again" },
    { row = "later", bert_adam = true, weight_decay = 0.5 },
]
"""
"""Cells 1 and 3 are one recipe; nothing of cell 4 has begun."""


def study_of_all_ends(folder: Path) -> Study:
    """Cell 1: two that finished, the first at its first epoch. Cell 2: one pruned after an epoch, one that failed."""
    writer = Writer(study := Study(folder), small_plan(SPACE))
    writer.finish(1, outcome(0.80, 0.79, chosen=1))
    writer.finish(1, outcome(0.70, 0.69, not_learned="every dev row gets the same label"), replicate=1)

    def prune(ledger, attempt: int) -> None:
        ledger.record_epoch(attempt, Epoch(1, 0.9, 1.0, 0.1, {"task": {"accuracy": 0.4}}))
        ledger.prune(attempt)

    writer.run(prune, 2)
    failure = Failure("out_of_memory", "no room")
    writer.run(lambda ledger, attempt: ledger.fail(attempt, failure, final=True), 2, 1)
    return study


def rows_of(study: Study) -> StudyRows:
    with study.open() as ledger:
        return read_study(ledger)


def export(study: Study, form: str, place: Path, *options: str) -> int:
    return main(["export", str(study.folder), "--to", form, "-o", str(place), *options])
