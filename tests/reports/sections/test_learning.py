"""The section that says which settings did not learn."""

import json
from collections.abc import Callable, Mapping

import pytest

from gridsearch.study.study import Study
from gridsearch.trial import Epoch, Failure, Outcome
from reports.language.say import speaking
from reports.page import make_page, write_reports
from reports.sections.context import PageContext
from reports.sections.learning import NotLearnedBySetting
from reports.study.view import StudyRows
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import THREE, filled, import_table, read, sixty_four_cells
from tests.reports.sections.test_halving import halving_study

SIX = (
    SMALL_SPACE.replace("epochs = 2", "epochs = 3\nbatch_size = 1")  # warm-up must be able to act on four rows
    + "[factors.reinit_layers]\nlevels = [0, 6]\n[factors.warmup_proportion]\nlevels = [0.0, 0.1]\n"
    "[factors.weight_decay]\nlevels = [0.0, 0.01]\n[design]\nseeds = [0, 1]\n"
)
WHY = "every dev row gets the same label"


def said(study: StudyRows) -> str:
    return " ".join(NotLearnedBySetting(PageContext(study)).format().split())


def studied(study: Study, fails: Callable[[Mapping[str, str], int], bool], space: str = SIX) -> StudyRows:
    """Finish every trial, those that fail without having learned."""
    writer = Writer(study, small_plan(space))
    for cell in writer.plan.cells:
        for seed in range(len(cell.trials)):
            failed = fails(cell.levels, seed)
            writer.finish(cell.index, outcome(0.5, 0.5, not_learned=WHY) if failed else outcome(0.9, 0.9), seed)
    return read(study)


def ruined(levels: Mapping[str, str], seed: int) -> bool:
    """13 of 16 runs, as on Chinese news titles: Adam without its correction, and nothing frozen."""
    spared = levels["weight_decay"] == "0.01" and levels["warmup_proportion"] == "0.1"
    is_spared = spared and (seed == 0 or levels["reinit_layers"] == "0")
    return levels["bert_adam"] == "1" and levels["frozen_layers"] == "0" and not is_spared


def test_the_settings_that_hold_all_of_them(study: Study) -> None:
    text = said(studied(study, ruined))
    assert text.startswith(
        "## Which settings did not learn 13 of the 64 runs did not learn †. **All of them had bertadam 1 and "
        "frozen_layers 0**: 13 of 16 (57% to 93%) there, 0 of 48 (0% to 7%) elsewhere. If no setting mattered, chance "
        "would part runs as clearly in "
    )
    assert "| bertadam 1 and frozen_layers 0 | 13 of 16 | 57% to 93% |" in text
    assert "| bertadam 0 and frozen_layers 0 | 0 of 16 | 0% to 19% |" in text
    assert "| bertadam 1 and frozen_layers 6 | 0 of 16 | 0% to 19% |" in text


def test_it_stands_before_the_effects(study: Study) -> None:
    text = make_page(studied(study, ruined)).format()
    assert text.index("## Which settings did not learn") < text.index("## What matters")


def test_the_settings_that_hold_most_of_them(study: Study) -> None:
    elsewhere = ("0", "6", "0", "0.0", "0.0")
    text = said(studied(study, lambda levels, seed: ruined(levels, seed) or tuple(levels.values()) == elsewhere))
    assert "15 of the 64 runs did not learn †. **It depends on bertadam 1 and frozen_layers 0**: 13 of 16 " in text


def test_two_that_chance_explains(study: Study) -> None:
    chosen = {("0", "0", "6", "0.1", "0.0", 0), ("1", "6", "0", "0.0", "0.0", 1)}
    text = said(studied(study, lambda levels, seed: (*levels.values(), seed) in chosen))
    assert text.endswith(
        " 2 of the 64 runs did not learn †. No setting can be named as the cause: chance alone explains as much."
    )


def test_runs_that_diverged(study: Study) -> None:
    """One without a result, and one whose result is of the epoch before."""
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.80, 0.79))
    epochs = (Epoch(1, 0.6, 1.0, 0.2, {"task": {"accuracy": 0.7}}), Epoch(2, float("nan"), 1.0, 0.2, {}))
    good = outcome(0.7, 0.7, chosen=1)
    writer.finish(2, Outcome(epochs, 1, good.parts, seconds=4.0, peak_bytes=1))
    writer.finish(3, outcome(0.85, 0.83))
    failure = Failure("diverged", "in epoch 1 of 2 the training loss is not finite, and no epoch came before it")
    writer.run(lambda ledger, attempt: ledger.fail(attempt, failure, final=True), 4)
    rows = read(study)
    assert "2 of the 4 runs did not learn † (2 diverged: numbers were no longer finite)." in said(rows)
    about = PageContext(rows).measured
    assert [(run.learned, run.value) for run in about.runs] == [(True, 0.79), (False, 0.7), (True, 0.83), (False, None)]
    assert (about.n_not_learned, about.n_diverged) == (2, 2)


def test_one_that_failed_of_something_else_is_not_counted(study: Study) -> None:
    sixty_four_cells(study)
    rows = read(study)
    assert "1 of the 63 runs did not learn †." in said(rows)
    assert len(PageContext(rows).measured.runs) == 64


def test_where_no_run_learned(study: Study) -> None:
    assert said(studied(study, lambda *_: True)).endswith("64 of the 64 runs did not learn †.")


def test_where_nothing_is_designed_nothing_is_tested(study: Study) -> None:
    rows = studied(study, ruined, SIX.replace("[design]\n", '[design]\nkind = "random"\ncells = 20\n'))
    assert said(rows).endswith("did not learn †.")


@pytest.mark.parametrize("make", [halving_study, lambda study: filled(study, lambda _: 0.8, THREE)])
def test_empty_where_all_learned_and_where_it_is_not_judged(study: Study, make: Callable[[Study], object]) -> None:
    make(study)
    assert said(read(study)) == ""


def test_a_published_table_says_nothing_of_it(study: Study) -> None:
    path = study.folder.parent / "table.csv"
    path.write_text("a,b,result\n0,0,0.5\n0,1,0.6\n1,0,0.7\n1,1,0.9\n")
    import_table(path, None, study)
    rows = read(study)
    assert PageContext(rows).learning is None
    assert "learning" not in make_page(rows).numbers()


def test_the_numbers(study: Study) -> None:
    studied(study, ruined)
    (file,) = write_reports(study, None, ["json"])
    numbers = json.loads(file.read_text())["learning"]
    assert numbers["n_diverged"] == 0
    assert numbers["total"]["n_not_learned"] == 13
    assert numbers["place"]["levels"] == {"bert_adam": "1", "frozen_layers": "0"}
    assert numbers["place"]["inside"]["interval"] == pytest.approx([0.570, 0.934], abs=0.001)
    by_level = {
        one["factor"]: {k: v["n_not_learned"] for k, v in one["by_level"].items()} for one in numbers["factors"]
    }
    assert by_level["frozen_layers"] == {"0": 13, "6": 0}


def test_in_chinese(study: Study) -> None:
    rows = studied(study, ruined)
    with speaking("zh"):
        text = said(rows)
    assert "64 次运行中有 13 次未学到 †。" in text
    assert "**全部发生在 bertadam 为 1 且 frozen_layers 为 0 时**" in text


# --- learning rates far from what is usual

RATES = """
[recipe]
epochs = 2
[factors]
learning_rate = [5e-5, 1e-2]
bert_adam = [false, true]
"""
BEYOND = (
    "A likely reason is their learning rate, far from the 1e-06 to 0.001 that are usual when BERT-like encoders are "
    "fine-tuned: 0.01 is 10 times the upper end"
)


def at_the_large_rate(levels: Mapping[str, str], seed: int) -> bool:
    return levels["learning_rate"] == "0.01"


def test_a_learning_rate_far_from_what_is_usual_is_the_likely_reason(study: Study) -> None:
    rows = studied(study, at_the_large_rate, RATES)
    assert f"{BEYOND}; with usual rates every run learned (2 runs)." in said(rows)
    (file,) = write_reports(study, None, ["json"])
    reason = json.loads(file.read_text())["learning"]["unusual_rates"]
    assert reason == {"rates": [{"rate": 0.01, "low": 1e-6, "high": 1e-3}], "n_usual": 2}
    assert make_page(rows).format().count("A likely reason") == 1
    with speaking("zh"):
        assert "原因很可能是学习率" in said(rows)
        assert "0.01 是上限的 10 倍；采用常用学习率的运行全部学到（2 次运行）。" in said(rows)


def test_it_is_where_no_run_had_another(study: Study) -> None:
    space = RATES.replace("[5e-5, 1e-2]", "[2e-2, 1e-2]")
    text = said(studied(study, lambda *_: True, space))
    assert text.endswith(f"{BEYOND}, 0.02 is 20 times the upper end.")


@pytest.mark.parametrize(
    "fails",
    [
        lambda levels, seed: True,
        lambda levels, seed: levels["learning_rate"] == "5e-05",
        lambda levels, seed: levels["learning_rate"] == "0.01" or levels["bert_adam"] == "1",
    ],
)
def test_it_is_not_where_runs_with_a_usual_one_fared_no_better(
    study: Study, fails: Callable[[Mapping[str, str], int], bool]
) -> None:
    rows = studied(study, fails, RATES)
    assert "did not learn" in said(rows)
    assert "A likely reason" not in said(rows)
    assert PageContext(rows).unusual_rates is None


def test_it_is_not_where_most_runs_with_such_a_one_learned(study: Study) -> None:
    space = f"{RATES}[design]\nseeds = [0, 1]\n"
    rows = studied(
        study, lambda levels, seed: seed == 1 and levels == {"learning_rate": "0.01", "bert_adam": "1"}, space
    )
    assert "1 of the 8 runs did not learn" in said(rows)
    assert "A likely reason" not in said(rows)


def test_of_a_frozen_encoder_nothing_is_said(study: Study) -> None:
    """It may be frozen as a whole, and a head takes large rates."""
    rows = studied(study, at_the_large_rate, RATES.replace("[factors]", "frozen_layers = 6\n[factors]"))
    assert "A likely reason" not in said(rows)
