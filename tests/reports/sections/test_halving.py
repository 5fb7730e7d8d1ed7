"""The page of a successive halving: effects where every cell was seen, a choice among those that ran to the end."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gridsearch.planning.halving import halved
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.trial import Epoch, Outcome, PartOutcome
from reports.compare import ComparisonPage, compare
from reports.formats.table import comparison_table, csv_text
from reports.language import chinese
from reports.language.say import LANGUAGES, speaking
from reports.page import make_page
from reports.sections.context import PageContext
from reports.statistics.analyse import analyse_effects
from reports.study.measured import measured
from reports.study.view import StudyRows
from tests.reports.conftest import Writer, logits, outcome, small_plan
from tests.reports.language.test_language import Strict, english_in
from tests.reports.pages import read

SPACE = """
title = "Do bertadam and freezing help?"
[recipe]
epochs = 4
[factors.bert_adam]
label = "bertadam"
levels = [false, true]
[factors.frozen_layers]
levels = [0, 6]
[factors.reinit_layers]
levels = [0, 1]
[design]
seeds = SEEDS
"""
Score = Callable[[int, int, int], float]


def late_freezing(cell: int, seed: int, epoch: int) -> float:
    """Freezing costs .05 in the first epoch and brings .05 in the others; re-initialising costs .1; a little noise."""
    _, frozen, reinit = ((cell - 1) >> place & 1 for place in (2, 1, 0))
    noise = 0.001 * ((7 * cell + 3 * seed) % 5)
    return round(0.6 + 0.02 * epoch - 0.1 * reinit + frozen * (-0.05 if epoch == 1 else 0.05) + noise, 6)


def halving_study(
    study: Study,
    score: Score = late_freezing,
    *,
    seeds: str = "[0, 1]",
    n_trials: int = 10**9,
    eta: int = 2,
    space: str = SPACE,
    metric: str = "accuracy",
) -> StudyRows:
    """Run what a halving lacks, as far as so many trials, with these results on dev; on test .01 less."""
    plan = halved(small_plan(space.replace("SEEDS", seeds), metric=metric), eta)
    cell_of = {trial.id: cell for cell in plan.cells for trial in cell.trials}
    writer = Writer(study, plan)
    writer.yardstick(0.7, 0.7)
    with Ledger(study.ledger_path) as ledger:
        while n_trials and (standing := ledger.survey().standing) is not None and standing.lacking:
            trial, n_epochs = next(iter(standing.lacking.items()))
            values = [score(cell_of[trial].index, plan.trials[trial].seed, n) for n in range(1, n_epochs + 1)]
            epochs = [Epoch(n, 0.5, 1.0, 0.1, {"task": {metric: value}}) for n, value in enumerate(values, start=1)]
            attempt = ledger.start(trial, ledger.provenance({"command": ["gridsearch", "sweep"]}), "desk:1", {})
            if n_epochs == plan.trials[trial].recipe.epochs:
                test = {metric: values[-1] - 0.01}
                part = PartOutcome({metric: values[-1]}, logits(values[-1]), test, logits(values[-1] - 0.01))
                ledger.finish(attempt, Outcome(tuple(epochs), n_epochs, {"task": part}, 4.0, 2**30))
            else:
                for epoch in epochs:
                    ledger.record_epoch(attempt, epoch)
                ledger.prune(attempt)
            n_trials -= 1
    return read(study)


def page(study: StudyRows) -> str:
    return re.sub(r"(?<!\n)\n(?!\n|\||-)", " ", make_page(study, illustrated=True).format())


def test_the_page_says_what_was_run_how_far(study: Study) -> None:
    text = page(halving_study(study))
    assert "**complete: 16 planned, 4 finished, 0 failed, 0 pending, 12 pruned**" in text
    assert "By successive halving, 2 of 8 cells ran to the end." in text
    assert "Every cell runs to epoch 1 of 4; the best 1/2 of them run to the next rung" in text
    assert "It takes 48 of the 64 epochs of all cells." in text
    section = text[text.index("## Successive halving") : text.index("## What matters")]
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("|")]
    assert table[0] == ["rung", "epochs", "cells", "worst that went on", "best left behind"]
    assert table[2:] == [
        ["1", "1", "8", "0.5725 (cell 3)", "0.5230 (cell 2)"],
        ["2", "2", "4", "0.6925 (cell 3)", "0.6415 (cell 5)"],
        ["3", "4", "2", "-", "-"],
    ]
    assert "the best after the first rung, cell 7, came out as number 1." in section
    assert "Only 2 of 8 cells have a result." in text


def test_effects_are_those_of_all_cells_after_the_first_rung_and_said_to_be(study: Study, tmp_path: Path) -> None:
    rows = halving_study(study)
    text = page(rows)
    section = text[text.index("## What matters") : text.index("### What to use")]
    assert "**After 1 of 4 epochs**: the first rung is the only one that has every cell" in section
    assert "tested on dev accuracy after 1 of 4 epochs" in section
    assert "frozen_layers 6 instead of 0: -0.0491" in section, "at the end it is for the better"
    plan = small_plan(SPACE.replace("SEEDS", "[0, 1]").replace("epochs = 4", "epochs = 1"), has_test=False)
    writer = Writer(Study(tmp_path / "plain"), plan)
    for cell in plan.cells:
        for replicate, trial in enumerate(cell.trials):
            writer.finish(cell.index, outcome(late_freezing(cell.index, trial.seed, 1)), replicate)
    about = measured(read(writer.study), "dev")
    # After one epoch, some are no better than a guess: only at their end is that a verdict.
    alone = analyse_effects(about.factors, [replace(run, learned=True) for run in about.runs], about.inert)
    assert PageContext(rows).analysis == alone, "as if the rung had been a study of its own"


def test_the_table_shows_how_far_each_came_and_ranks_those_that_finished(study: Study) -> None:
    rows = halving_study(study)
    assert [cell.index for cell in rows.ranking] == [7, 3]
    table = comparison_table(rows)
    assert table.header[4:] == ("epochs", "dev after 1", "dev", "result", "sd", "n")
    shown = {row[0].text: [cell.text for cell in row[4:]] for row in table.rows}
    assert shown["1"] == ["2", "0.6210", "", "pruned", "", "0"]
    assert shown["2"] == ["1", "0.5230", "", "pruned", "", "0"]
    assert shown["7"][:4] == ["4", "0.5730", "0.7330", "0.7230"]
    header, *csv_rows = csv.reader(io.StringIO(csv_text(rows)))
    assert all(len(row) == len(header) for row in csv_rows)
    assert [row[header.index("epochs")] for row in csv_rows] == ["2", "1", "4", "1", "2", "1", "4", "1"]
    assert float(csv_rows[0][header.index("dev after 1")]) == pytest.approx(0.621)
    assert "best: cell 7" in page(rows), "the yardstick stands beside a cell that ran to the end"


def test_what_to_use_is_chosen_among_those_that_finished_and_says_how(study: Study) -> None:
    rows = halving_study(study)
    best = PageContext(rows).winner
    assert best is not None
    assert (best.best, set(best.candidates)) == (7, {3, 7})
    section = page(rows).split("### What to use")[1].split("## Results")[0]
    assert "2 of 2 cells cannot be told from the best on dev, cell 7 (0.7330): cells 7, 3." in section
    assert "6 cells were left behind by their first epochs" in section


def test_one_seed_cannot_tell_the_finished_apart(study: Study) -> None:
    rows = halving_study(study, seeds="[0]")
    assert PageContext(rows).winner is None
    assert "Of the 2 that ran to the end, cell 7 is the best on dev (0.7340). Nothing tells by how much" in page(rows)


def test_one_cell_at_the_end_is_no_choice(study: Study) -> None:
    text = page(halving_study(study, seeds="[0]", n_trials=13))
    assert "Only cell 3 ran to the end (0.7310 on dev). The choice went through the halving: 7 cells were left" in text


def test_a_tie_at_the_cut_is_told(study: Study) -> None:
    text = page(halving_study(study, lambda cell, seed, epoch: 0.5 + 0.01 * epoch))
    assert re.search(r"\| 0.5100 \(cell 4\) +\| 0.5100 \(cell 5\), a tie +\|", text)
    assert "Ties go to the earlier row" in text


def test_low_metrics_are_best(study: Study) -> None:
    rows = halving_study(study, lambda *about: 1 - late_freezing(*about), metric="log_loss")
    assert [cell.index for cell in rows.ranking] == [7, 3]
    assert re.search(r"\| 0.4275 \(cell 3\) +\| 0.4770 \(cell 2\) +\|", page(rows))


@pytest.mark.parametrize(("n_trials", "line"), [(3, "Rung 1"), (17, "Rung 2"), (25, "Rung 3")])
def test_under_way_it_says_where(study: Study, n_trials: int, line: str) -> None:
    rows = halving_study(study, n_trials=n_trials)
    text = page(rows)
    assert text.startswith("# Do bertadam and freezing help?\n\n**incomplete: 16 planned, ")
    assert f"{line} is under way: " in text
    if n_trials > 16:
        assert "tested on dev accuracy after 1 of 4 epochs" in text, "the first rung stays what it was"


def test_when_all_have_run_to_the_end_there_is_no_halving(study: Study) -> None:
    plan = small_plan(SPACE.replace("SEEDS", "[0, 1]"))
    writer = Writer(study, plan)
    for cell in plan.cells:
        for replicate in (0, 1):
            writer.finish(cell.index, outcome(0.7 + cell.index / 100, 0.7), replicate)
    before = page(read(study))
    with Ledger(study.ledger_path) as ledger:
        ledger.adopt(halved(plan, 2), {})
        assert ledger.coverage().complete
    after = page(read(study))
    assert "alving" not in after
    assert after.split("## Repeat it")[0] == before.split("## Repeat it")[0]


def test_programs_read_the_same(study: Study) -> None:
    found = make_page(halving_study(study)).numbers()
    halving = found["halving"]
    assert list(halving["rungs"]) == [
        {"epochs": 1, "n_cells": 8},
        {"epochs": 2, "n_cells": 4},
        {"epochs": 4, "n_cells": 2},
    ]
    assert halving["members"] == [[1, 2, 3, 4, 5, 6, 7, 8], [1, 3, 5, 7], [3, 7]]
    assert (halving["eta"], halving["under_way"], halving["effects_after_epochs"]) == (2, 0, 1)
    assert halving["dev_after_first_rung"]["7"] == pytest.approx(0.573)
    assert found["best"] == 7


def test_two_studies_side_by_side_say_which_is_halved(study: Study, tmp_path: Path) -> None:
    rows = halving_study(study)
    plain = replace(rows, standing=None, folder=tmp_path)
    text = ComparisonPage(compare(plain, rows)).format().replace("\n  ", " ")
    assert "- B is a successive halving: its effects are on dev after 1 of 4 epochs" in text
    assert "A is a successive" not in text


DRAWN = SPACE.replace("[design]", '[design]\nkind = "random"\ncells = 8')


@pytest.mark.parametrize("n_trials", [0, 3, 16, 18, 100])
@pytest.mark.parametrize(("space", "seeds"), [(SPACE, "[0]"), (SPACE, "[0, 1]"), (DRAWN, "[0, 1]")])
def test_in_chinese_nothing_is_left_in_english(
    study: Study, monkeypatch: pytest.MonkeyPatch, space: str, seeds: str, n_trials: int
) -> None:
    monkeypatch.setitem(LANGUAGES, "zh", Strict(chinese.SENTENCES))  # type: ignore[arg-type]
    rows = halving_study(study, n_trials=n_trials, seeds=seeds, space=space)
    with speaking("zh"):
        assert english_in(make_page(rows, illustrated=True).format()) == []
