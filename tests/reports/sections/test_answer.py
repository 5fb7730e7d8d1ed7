"""The first screen: what to use, what matters, and every cell at a glance."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from gridsearch.study.study import Study
from reports.figures.drawn_from.study import grid_cells
from reports.frames.effects import effects_frame
from reports.language.say import speaking
from reports.page import make_page, write_reports
from reports.sections.context import PageContext
from reports.sections.effects.effects import Effects
from reports.sections.results import best_sentence
from reports.study.choice import choice_of, relative_times
from reports.study.view import StudyRows
from runners.api.loaded import load
from runners.programs.facts import best_facts
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import THREE, filled, import_table, read
from tests.reports.seed64 import POOLER

SIX = "".join(
    f"[factors.{name}]\nlevels = {levels}\n"
    for name, levels in (
        ("reinit_layers", "[0, 1]"),
        ("weight_decay", "[0.0, 0.01]"),
        ("label_smoothing", "[0.0, 0.1]"),
        ("reinit_pooler", "[false, true]"),
    )
)


def first_screen(study: StudyRows) -> str:
    """Everything above the first heading, on one line."""
    text = make_page(study).format().split("\n## ")[0]
    return " ".join(text.split())


def timed(study: Study, value: float, seconds: float, space: str = THREE) -> StudyRows:
    """Freezing gives ``value`` more, and takes so many seconds instead of two."""
    writer = Writer(study, small_plan(space))
    noise = np.random.default_rng(0)
    for cell in writer.plan.cells:
        is_frozen = cell.levels["frozen_layers"] == "6"
        for replicate in range(len(cell.trials)):
            result = round(0.8 + value * is_frozen + 0.003 * float(noise.normal()), 5)
            took = (seconds if is_frozen else 2.0) * (1 + 0.05 * float(noise.random()))
            writer.finish(cell.index, outcome(result, result, seconds=took), replicate)
    return read(study)


def test_the_baseline_where_nothing_beats_it(study: Study) -> None:
    text = first_screen(filled(study, lambda levels: 0.8 - 0.02 * (levels["bert_adam"] == "1")))
    assert "**Use cell 1, the baseline: nothing beats it by more than chance.**" in text
    assert "- bertadam 1 instead of 0: -0.02" in text
    assert "- No effect of frozen_layers and reinit_layers was found; effects smaller than 0.00" in text


@pytest.mark.parametrize("last_digit", [0.0, 1e-16])
def test_of_equal_cells_all_name_the_first_in_the_table(study: Study, last_digit: float) -> None:
    """Also where a sum of the same numbers ends in another digit; the heat map frames it, and programs are told it."""
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\nseeds = [0, 1, 2]\n"))
    for cell, runs in enumerate([(0.7, 0.71, 0.69), (0.8, 0.81, 0.79), (0.8, 0.79, 0.81), (0.6, 0.61, 0.62)], start=1):
        for replicate, result in enumerate(runs):
            result += last_digit if cell == 3 else 0.0
            writer.finish(cell, outcome(result, result), replicate)
    rows = read(study)
    page = PageContext(rows)
    assert page.winner is not None
    framed = [cell.name for cell in grid_cells(rows, page.leader) if cell.is_best]
    assert (page.winner.leader, framed, page.leader) == (2, ["2"], 2)
    assert best_facts(rows)["cell"] == load(study.folder).best == 2
    assert "Use cell 2: " in first_screen(rows)
    assert "Equal to it on dev: cell 3." in best_sentence(rows)


def test_what_came_out_best_is_named_also_where_its_runs_that_learned_are_worse(study: Study) -> None:
    """Half of the runs of cell 3 did not learn: on average it is behind cell 2, and those that learned are ahead."""
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\nseeds = [0, 1, 2, 3]\n"))
    noise = np.random.default_rng(0).normal(0, 0.001, (4, 4))
    for cell, value in enumerate([0.7, 0.8, 0.9, 0.6], start=1):
        for replicate in range(4):
            failed = cell == 3 and replicate > 1
            result = 0.5 if failed else value + float(noise[cell - 1, replicate])
            writer.finish(cell, outcome(result, result, not_learned="a guess" if failed else ""), replicate)
    rows = read(study)
    found = PageContext(rows)
    assert found.winner is not None
    assert (found.winner.leader, found.winner.best, found.leader, load(study.folder).best) == (2, 3, 2, 2)
    text = first_screen(rows)
    assert "**Use cell 3: " in text
    assert "What came out best, cell 2, is worse where runs of the same seeds that learned are compared." in text
    with speaking("zh"):
        assert "在相同种子且学到的运行之间比较时反而更差" in first_screen(rows)


def test_what_beats_the_baseline(study: Study) -> None:
    text = first_screen(filled(study, lambda levels: 0.8 + 0.03 * (levels["frozen_layers"] == "6")))
    assert "frozen_layers 6" in text.split("**")[1]
    assert "The baseline, cell 1, is worse." in text
    assert "nothing beats" not in text


def test_as_good_in_half_of_the_time(study: Study) -> None:
    rows = timed(study, 0.0, 1.0)
    text = first_screen(rows)
    assert text.split("**")[1].startswith("Use cell ")
    assert "frozen_layers 6" in text.split("**")[1]
    assert set(np.round(list(relative_times(rows).values()), 1)) == {0.5, 1.0}


def test_a_little_faster_is_no_reason(study: Study) -> None:
    rows = timed(study, 0.0, 1.95)
    assert set(relative_times(rows).values()) == {1.0}
    best = PageContext(rows).winner
    assert best is not None
    assert choice_of(rows, best, 1).is_baseline


def test_a_fast_cell_that_is_worse_is_not_taken(study: Study) -> None:
    text = first_screen(timed(study, -0.03, 0.2))
    assert "frozen_layers 6" not in text.split("**")[1]


def test_an_effect_is_that_at_the_baseline_and_on_average(study: Study) -> None:
    """On average freezing helps, but only where Adam has no correction: at the baseline it does nothing."""

    def rescue(levels: Mapping[str, str]) -> float:
        return 0.8 - 0.04 * (levels["bert_adam"] == "1" and levels["frozen_layers"] == "0")

    rows = filled(study, rescue)
    text = first_screen(rows)
    assert ", better, but only with bertadam 1." in text.split("- frozen_layers 6 instead of 0: +0.0")[1]
    assert "- bertadam 1 instead of 0: -0.04" in text
    section = " ".join(Effects(PageContext(rows)).format().split())
    line = section.split("- frozen_layers: with bertadam 0, 6 instead of 0 ")[1].split(" - ")[0]
    assert "not told from zero; on average over these, +0.0196 (" in line


def test_an_average_may_have_the_other_sign_of_the_effect_at_the_baseline(study: Study) -> None:
    """Both are right; the table of effects has the average, over the runs that learned, and half of the difference."""

    def crossed(levels: Mapping[str, str]) -> float:
        both = levels["bert_adam"] == "1" and levels["frozen_layers"] == "6"
        return 0.7 - 0.04 * (levels["frozen_layers"] == "6") + 0.12 * both

    rows = filled(study, crossed, SMALL_SPACE + "[design]\nseeds = [0, 1, 2, 3]\n")
    table = effects_frame(rows).set_index("term")["estimate"]
    means = {tuple(cell.levels.values()): cell.dev.mean or 0.0 for cell in rows.cells}
    alone, together = means["0", "6"] - means["0", "0"], means["1", "6"] - means["1", "0"]
    assert table["frozen_layers"] == pytest.approx((alone + together) / 2)
    assert table["bertadam x frozen_layers"] == pytest.approx((together - alone) / 2)
    assert alone < -0.03 < 0.01 < table["frozen_layers"]
    assert f"- frozen_layers 6 instead of 0: {alone:.4f}, worse (with bertadam 0)" in first_screen(rows)


@pytest.mark.slow  # 3 s
def test_three_levels_that_ruin_it_are_named(study: Study) -> None:
    block = {"bert_adam": "1", "frozen_layers": "0", "reinit_layers": "1"}
    space = SMALL_SPACE.replace("epochs = 2", 'epochs = 2\npooling = "pooler"') + SIX

    def ruined(levels: Mapping[str, str]) -> float:
        depth = 0.1 + 0.05 * (levels["weight_decay"] != "0.0") + 0.05 * (levels["reinit_pooler"] == "1")
        return 0.9 - depth * (block.items() <= levels.items())

    rows = filled(study, ruined, space)
    text = first_screen(rows)
    ruined = text.split("- **")[1].split("**")[0]
    assert ruined.startswith("bertadam 1, frozen_layers 0 and reinit_layers 1 together ruin it: 0.7")
    assert " instead of 0.90" in ruined
    section = " ".join(Effects(PageContext(rows)).format().split())
    assert "Effects are those **outside of the ruinous combination**: its 8 runs do not count here." in section


def test_until_all_has_run_the_certificate_comes_first(study: Study) -> None:
    writer = Writer(study, small_plan(THREE))
    noise = np.random.default_rng(1)
    for cell in range(1, 9):
        for replicate in range(3 if cell > 1 else 4):
            writer.finish(cell, outcome(*np.round(noise.normal(0.8, 0.002, 2), 5).tolist()), replicate)
    text = first_screen(read(study))
    assert text.startswith("# Do bertadam and freezing help? **incomplete: 32 planned, 25 finished")


def test_at_most_five_lines_and_the_map_before_the_noise(study: Study) -> None:
    filled(study, lambda levels: 0.8 + 0.01 * sum(level != "0" for level in levels.values()))
    text = write_reports(study, None, ["md"])[0].read_text(encoding="utf-8")
    assert text.split("\n## ")[0].count("\n- ") <= 5
    assert text.index("figures/heat-map.svg") < text.index("### Noise")
    assert text.count("figures/heat-map.svg") == 1


def test_a_published_table_has_an_answer_too(seeds: Path, study: Study) -> None:
    import_table(seeds / "003_finetune64.md", None, study, POOLER)
    text = first_screen(read(study))
    assert text.split("**")[1] == "Use row 1, the baseline: nothing beats it by more than chance."
    assert "Row 50 came out best, within chance." in text


class TestSentencesThatWereWrong:
    def test_a_steady_difference_is_not_next_to_nothing(self, study: Study) -> None:
        """Half of a standard deviation in every pair, and hardly any spread between the pairs."""
        writer = Writer(study, small_plan(THREE))
        noise = np.random.default_rng(2).normal(0, 0.01, (2, 2, 4))
        for cell in writer.plan.cells:
            bert_adam, frozen = (int(cell.levels[name] != "0") for name in ("bert_adam", "frozen_layers"))
            for replicate in range(4):
                value = 0.8 + float(noise[bert_adam, frozen, replicate]) + 0.005 * (cell.levels["reinit_layers"] == "1")
                writer.finish(cell.index, outcome(value, value), replicate)
        text = " ".join(Effects(PageContext(read(study))).format().split())
        assert "next to nothing" not in text
        assert "reinit_layers 1 instead of 0: +0.0050" in text

    @pytest.mark.parametrize(("largest", "is_said"), [(0.001, True), (0.02, False)])
    def test_next_to_nothing_has_a_size(self, study: Study, largest: float, is_said: bool) -> None:
        """Said of pairs that are nearly equal with the mean and the largest difference; of no others."""
        writer = Writer(study, small_plan(THREE))
        noise = np.random.default_rng(2).normal(0, 0.01, (2, 2, 4))
        for cell in writer.plan.cells:
            bert_adam, frozen = (int(cell.levels[name] != "0") for name in ("bert_adam", "frozen_layers"))
            for replicate in range(4):
                moved = (largest if frozen else -0.6 * largest) if replicate == bert_adam == 0 else 0.0
                moved *= cell.levels["reinit_layers"] == "1"
                value = 0.8 + float(noise[bert_adam, frozen, replicate]) + moved
                writer.finish(cell.index, outcome(value, value), replicate)
        text = " ".join(Effects(PageContext(read(study))).format().split())
        said = "reinit_layers changes next to nothing: of 16 pairs of runs that differ in it alone, 14 are equal"
        assert (f"{said}; the mean difference is" in text) is is_said

    def test_a_factor_and_its_levels_have_one_verdict(self, study: Study) -> None:
        space = SMALL_SPACE + "[factors.reinit_layers]\nlevels = [0, 1, 2]\n[design]\nseeds = [0, 1, 2]\n"
        for size in (0.0, 0.003, 0.006):
            rows = filled(
                Study(study.folder / str(size)),
                lambda levels, size=size: 0.8 + size * (levels["reinit_layers"] == "2"),
                space,
            )
            analysis = PageContext(rows).analysis
            factor = next(effect for effect in analysis.effects if effect.factors == ("reinit_layers",))
            levels = [one for one in analysis.comparisons if one.factor == "reinit_layers"]
            assert len(levels) == 2
            assert factor.found == any(one.found for one in levels)
            assert factor.adjusted_p == min(one.adjusted_p for one in levels)

    def test_one_seed_says_what_it_supposes_and_not_that_it_sees_no_noise(self, study: Study) -> None:
        space = SMALL_SPACE.replace("epochs = 2", 'epochs = 2\npooling = "pooler"') + SIX
        text = " ".join(Effects(PageContext(filled(study, lambda _: 0.8, space))).format().split())
        assert "seed noise as such" not in text
        assert "supposing that few of them are real" in text
        assert "With one seed the 95 % are no promise" in text
        assert "Runs of one seed" in text
