"""What is analysed and chosen among: runs, and recipes with all their results."""

from dataclasses import replace
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from reports.study.measured import measured
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import filled, import_table, read

DEAD = (
    SMALL_SPACE.replace("epochs = 2", 'epochs = 2\npooling = "mean"')
    + "[factors.reinit_pooler]\nlevels = [false, true]\n[design]\n"
)


def test_the_seeds_rows_are_32_recipes_of_two_runs(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study, ["reinit_pooler"])
    found = measured(read(study), "dev")
    assert [len(values) for _, _, values in found.cells] == [2] * 32
    assert len(found.runs) == 64
    (index, levels, values) = found.cells[0]
    assert (index, levels["reinit_pooler"], values) == (1, "0", (0.9376, 0.939))


def test_rows_are_apart_as_long_as_nothing_is_inert(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study)
    assert len(measured(read(study), "dev").cells) == 64


@pytest.mark.parametrize(("on_dead", "n_results", "n_runs"), [("replicate", 4, 16), ("collapse", 2, 8)])
def test_cells_of_one_recipe_are_one_candidate(study: Study, on_dead: str, n_results: int, n_runs: int) -> None:
    rows = filled(study, lambda _: 0.8, f"{DEAD}seeds = [0, 1]\non_dead = '{on_dead}'\n")
    found = measured(rows, "dev")
    assert [index for index, _, _ in found.cells] == [1, 3, 5, 7]
    assert [len(values) for _, _, values in found.cells] == [n_results] * 4
    assert len(found.runs) == n_runs
    assert sorted(value for _, _, values in found.cells for value in values) == sorted(run.value for run in found.runs)  # type: ignore[type-var]


def test_other_encoders_are_other_recipes(study: Study) -> None:
    rows = filled(study, lambda _: 0.8)
    first, *rest = rows.cells
    others = {**first.recipe, "encoder": "another"}
    manifest = replace(rows.about, encoders={**rows.about.encoders, "another": "other weights"})
    assert len(measured(rows, "dev").cells) == len(rows.cells)
    twice = replace(
        first,
        index=99,
        recipe=others,
        replicates=tuple(replace(one, trial=one.trial + "x") for one in first.replicates),
    )
    found = measured(replace(rows, manifest=manifest, cells=(first, *rest, twice)), "dev")
    assert len(found.cells) == len(rows.cells) + 1
    named = replace(manifest, encoders={**manifest.encoders, "another": manifest.encoders[first.recipe["encoder"]]})
    assert len(measured(replace(rows, manifest=named, cells=(first, *rest, twice)), "dev").cells) == len(rows.cells)


def test_a_row_without_result_names_no_candidate(study: Study) -> None:
    writer = Writer(study, small_plan(f"{DEAD}on_dead = 'replicate'\n"))
    writer.finish(2, outcome(0.8, 0.8))
    assert measured(read(study), "dev").cells == ((2, read(study).cells[1].levels, (0.8,)),)
