"""The section that answers the title of a page."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.page import write_reports
from reports.sections.context import PageContext
from reports.sections.effects.effects import Effects, planned_texts
from reports.statistics.planning import plan_tests
from reports.statistics.results import Factor, Reason
from reports.study.measured import inert_factors, measured
from reports.study.read import read_study
from reports.study.view import StudyRows
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import THREE, filled, import_table
from tests.reports.seed64 import POOLER
from tests.reports.simulated import full_factorial


def rows(study: Study) -> StudyRows:
    with study.open() as ledger:
        return read_study(ledger)


def said(study: StudyRows) -> str:
    return " ".join(Effects(PageContext(study)).format().split())


def test_an_effect_that_is_found(study: Study) -> None:
    text = said(filled(study, lambda levels: 0.8 + 0.02 * (levels["frozen_layers"] == "6")))
    assert text.startswith("## What matters **Found: frozen_layers** (1 of 7 effects tested on test accuracy).")
    assert "- frozen_layers 6 instead of 0: +0.0" in text
    assert text.split("frozen_layers 6 instead of 0: ")[1].split(")")[1].startswith(", better.")
    assert "4 interactions were tested and none found." in text
    assert "| bertadam | 1 instead of 0 |" in text
    assert "Pure error: how differently the cells react to a change of seed" in text
    assert "All that is said of effects is one family of statements" in text
    assert "cells cannot be told from the best on dev, cell" in text
    assert "its result, shrunk towards" in text


def test_where_lower_is_better(study: Study) -> None:
    found = filled(study, lambda levels: 0.5 - 0.02 * (levels["frozen_layers"] == "6"), metric="log_loss")
    text = said(found)
    assert "tested on test log_loss" in text
    assert text.split("frozen_layers 6 instead of 0: -0.0")[1].split(")")[1].startswith(", better.")
    best = min((cell for cell in found.cells), key=lambda cell: cell.dev.mean or 0.0)
    assert f"the best on dev, cell {best.index} (" in text


def test_none_is_said_aloud_with_what_could_have_been_seen(study: Study) -> None:
    found = filled(study, lambda _: 0.8)
    analysis = PageContext(found).analysis
    text = said(found)
    assert text.startswith("## What matters **No effect was found**: of 7 effects tested on test accuracy, none is")
    assert f"sees a main effect of {analysis.smallest_effect:.4f} with 80 % chance." in text
    assert "One half as large would need 1" in text
    assert "seeds for every combination, the noise being what it is here." in text
    assert "| yes" not in text


def test_an_interaction_is_told_by_its_conditions(study: Study) -> None:
    def harm(levels: Mapping[str, str]) -> float:
        return 0.8 - 0.02 * (levels["bert_adam"] == "1" and levels["frozen_layers"] == "0")

    text = said(filled(study, harm))
    assert "bertadam x frozen_layers" in text.split("**")[1]
    conditions = text.split("- bertadam depends on frozen_layers: with frozen_layers 0, 1 instead of 0 is -0.0")[1]
    unfrozen, frozen = conditions.split("; with frozen_layers 6, 1 instead of 0 is ")
    assert unfrozen.endswith(", worse")
    assert frozen.split(".  ")[0].split(")")[1].startswith(", not told from zero")
    assert "- bertadam: with frozen_layers 0, 1 instead of 0 -0.02" in text
    assert "; on average over these, -0.01" in text


def test_one_seed_of_few_cells_tests_nothing(study: Study) -> None:
    text = said(filled(study, lambda _: 0.8, SMALL_SPACE))
    assert text == (
        "## What matters Nothing can be tested. 4 runs in 4 cells, and none is repeated: nothing says how far two "
        "runs differ by chance alone, so no difference can be tested. Run every cell with two seeds or more."
    )


def test_two_seeds_of_two_cells_are_said_to_be_too_few(study: Study) -> None:
    two = "[factors.bert_adam]\nlevels = [false, true]\n[design]\nseeds = [0, 1]\n"
    assert said(filled(study, lambda _: 0.8, two)) == (
        "## What matters Nothing can be tested. 4 runs in 2 cells: what their repetitions tell of how far two runs "
        "differ by chance alone is too little to test a difference against. Run every cell with one more seed, or more "
        "cells with two seeds or more."
    )
    factors = [Factor("bert_adam", ("0", "1"), "0")]
    levels = [{"bert_adam": label} for label in "01"]
    assert [plan_tests(factors, levels, n_seeds).why_not for n_seeds in (2, 3)] == [Reason.FEW_REPEATED, Reason.NONE]


@pytest.mark.parametrize("n_finished", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "design",
    [
        'kind = "one-at-a-time"\n',
        'kind = "list"\nrows = [{ row = "a" }, { row = "b", bert_adam = true }, { row = "c", frozen_layers = 6 }]\n',
    ],
)
def test_designs_without_replicates_are_one_sentence(study: Study, design: str, n_finished: int) -> None:
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\n" + design))
    for cell in range(1, n_finished + 1):
        writer.finish(cell, outcome(0.8 + cell / 100, 0.8))
    text = said(rows(study))
    assert text.startswith("## What matters Nothing can be tested. ") if n_finished else text == ""
    numbers = json.loads(write_reports(study, None, ["json"])[0].read_text())["effects"]
    assert numbers["why_not"]
    assert numbers["n_dropped"] == 3 - n_finished


def test_a_list_with_seeds_tests_its_factors(study: Study) -> None:
    design = (
        '[design]\nkind = "list"\nseeds = [0, 1, 2, 3, 4]\n'
        'rows = [{ row = "a" }, { row = "a again" }, '
        '{ row = "b", bert_adam = true }, { row = "c", frozen_layers = 6 }]\n'
    )
    found = filled(study, lambda levels: 0.8 - 0.05 * (levels["frozen_layers"] == "6"), SMALL_SPACE + design)
    about = measured(found, "test")
    assert (len(about.runs), [index for index, *_ in about.cells]) == (15, [1, 3, 4])
    text = said(found)
    assert "**Found: frozen_layers** (1 of 2 effects" in text
    assert "Only main effects are tested" in text


def test_dropped_runs_and_those_that_did_not_learn_are_counted(study: Study) -> None:
    writer = Writer(study, small_plan(THREE))
    noise = np.random.default_rng(0).normal(0.8, 0.002, (8, 4))
    for cell in range(1, 9):
        for replicate in range(4):
            value = float(noise[cell - 1, replicate])
            if (cell, replicate) == (8, 3):
                failure = Failure("code_error", "x")
                writer.run(lambda ledger, attempt: ledger.fail(attempt, failure, final=True), cell, replicate)  # noqa: B023
            elif (cell, replicate) != (1, 0):
                writer.finish(cell, outcome(value, value, not_learned="flat" if cell == 2 else ""), replicate)
    text = said(rows(study))
    assert "2 of 32 runs have no finite result and are left out." in text
    assert "Effects are those **where training succeeds**: 4 of 30 runs did not learn † and do not count here." in text


def test_nothing_is_concluded_from_runs_of_which_most_did_not_learn(study: Study) -> None:
    writer = Writer(study, small_plan(THREE))
    noise = np.random.default_rng(0).normal(0.8, 0.002, (8, 4))
    for cell in range(1, 9):
        for replicate in range(4):
            value = float(noise[cell - 1, replicate]) - 0.2 * (cell > 4)
            writer.finish(cell, outcome(value, value, not_learned="flat" if cell > 3 else ""), replicate)
    text = said(rows(study))
    assert text.startswith("## What matters **No conclusion**: 20 of the 32 runs did not learn †")
    assert "Found" not in text


def test_dead_factors_are_inert() -> None:
    cells = [
        ({"a": one, "b": two, "c": "0"}, {"a": 0, "b": int(two), "c": 0}) for one in ("0", "1") for two in ("0", "1")
    ]
    assert inert_factors({"a": ["a"], "b": ["b"], "c": ["c"]}, cells) == ("a",)


def test_replicates_by_a_dead_knob(study: Study) -> None:
    """The pooler is not read by mean pooling: its cells are replicates, and nothing is said of its effect."""
    space = (
        SMALL_SPACE.replace("epochs = 2", 'epochs = 2\npooling = "mean"')
        + "[factors.reinit_pooler]\nlabel = 'pooler'\nlevels = [false, true]\n"
        + "[factors.reinit_layers]\nlevels = [0, 1]\n[design]\non_dead = 'replicate'\n"
    )
    found = filled(study, lambda levels: 0.8 + 0.02 * (levels["bert_adam"] == "1"), space)
    assert measured(found, "test").inert == ("reinit_pooler",)
    text = said(found)
    assert "runs that differ only in factors that cannot act (pooler)" in text
    assert "| pooler" not in text


def test_the_seeds_own_table(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study)
    found = rows(study)
    text = said(found)
    assert text.split("**")[1] == "Found: reinit_layers"
    assert "- reinit_layers 6 instead of 0: -0.0051 (-0.006" in text
    assert "With one seed the 95 % are no promise" in text
    declared = dataclasses.replace(found, manifest=dataclasses.replace(found.published, inert=list(POOLER)))
    text = said(declared)
    assert "- reinit_layers 6 instead of 0: -0.0051 (-0.0061 to -0.0041), worse." in text
    assert "of 32 rows cannot be told from the best, row 50 (0.9401): rows 50," in text
    assert "with frozen_layers 0 and warmup_proportion 0.0, 1 instead of 0 is -0.0044" in text
    assert "differ only in factors that cannot act (reinit_pooler)" in text
    assert "The standard deviation of a single run is 0.0010." in text


def test_a_half_names_what_it_cannot_tell_apart(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study)
    found = rows(study)
    half = tuple(
        row
        for row in found.observations
        if sum(row.levels[factor.name] != factor.baseline for factor in found.factors) % 2 == 0
    )
    text = said(dataclasses.replace(found, observations=half))
    assert "The rows are a fraction of resolution 6: bertadam x weight_decay x reinit_pooler x" in text
    quarter = tuple(row for row in half if row.levels["bertadam"] == row.levels["frozen_layers"])
    assert "These rows cannot tell apart: " in said(dataclasses.replace(found, observations=quarter))


def test_numbers_for_programs(study: Study) -> None:
    filled(study, lambda levels: 0.8 + 0.02 * (levels["frozen_layers"] == "6"))
    numbers = json.loads(write_reports(study, None, ["json"])[0].read_text())["effects"]
    assert [effect["factors"] for effect in numbers["effects"] if effect["found"]] == [["frozen_layers"]]
    assert numbers["plan"]["error"]["kind"] == "replicates within cells"


def test_prose_fits_a_terminal(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study)
    lines = Effects(PageContext(rows(study))).format().split("\n")
    assert [line for line in lines if len(line) > 80 and not line.startswith("|")] == []


def test_repeated_rows_of_a_published_table_are_one_choice(tmp_path: Path, study: Study) -> None:
    path = tmp_path / "t.csv"
    path.write_text("trick,result\n" + "".join(f"{i % 3},{0.5 + 0.1 * (i % 3) + i / 1000}\n" for i in range(12)))
    import_table(path, None, study)
    found = rows(study)
    best = PageContext(found).winner
    assert best is not None
    assert (best.best, best.candidates) == (3, (3,))
    text = said(found)
    assert "trick: 1 instead of 0 +0.1010 (" in text
    assert "Row 3 (0.7065) is told from all 2 others. Rows with the same levels count as one" in text


def test_a_plan_says_what_will_be_tested() -> None:
    factors, cells = full_factorial([2] * 6)
    assert planned_texts(factors, cells, 1, ()) == [
        "6 main effects, 15 two-factor interactions and 20 three-factor interactions, against most contrasts, of which "
        "few are taken to be real; it sees a main effect of 1.19 run-to-run sd with 80 % chance",
        "32 cells x 2 seeds, a half fraction in as many runs, would test against replicates within cells and see "
        "1.26 sd; what it finds holds however alike runs of one seed are",
    ]
    assert len(planned_texts(factors, cells, 2, ())) == 1
    assert planned_texts(*full_factorial([2, 2]), 1, ())[0].startswith("nothing: 4 runs in 4 cells")
