"""A study of two folds and two parts, put together by hand: plan, driver, ledger and page are ready for them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.repetition import Repetition
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.target import Target
from gridsearch.training.materials import Materials
from gridsearch.trial import Epoch, Outcome, PartOutcome, Trial, make_trial
from gridsearch.view import view_of
from reports.page import write_reports
from reports.study.read import read_study
from runners.contract import Listener
from runners.driver import Driven
from tests.runners.driving import sweep
from tests.runners.pretending import Pretending
from tests.runners.test_optimize import CARD, SOURCES, TASK

FOLDS = (0, 1)
PARTS = {"topic": replace(TASK, name="topic"), "mood": replace(TASK, name="mood", metric="f1_macro")}
MEAN = Target(tuple((name, task.metric) for name, task in PARTS.items()))


SPACE = "[factors]\nbert_adam = [false, true]\nwarmup_proportion = [0.0, 0.1]\n[design]\nseeds = [0, 1]\n"


@pytest.fixture
def plan() -> Plan:
    """Each cell with two seeds and two folds."""
    task = JointTask(TASK.name, PARTS, MEAN, dict.fromkeys(PARTS, 1.0))
    plan = make_plan(parse_space(SPACE, "toy"), task, lambda name: CARD)

    def in_folds(trial: Trial) -> tuple[Trial, ...]:
        about = {"seed": trial.seed, "task": trial.task, "encoder": trial.encoder}
        return tuple(make_trial(trial.recipe, fold=fold, **about) for fold in FOLDS)

    cells = [
        replace(cell, trials=tuple(one for trial in cell.trials for one in in_folds(trial))) for cell in plan.cells
    ]
    return replace(plan, cells=tuple(cells))


def scores(trial: Trial) -> dict[str, float]:
    noise = int(trial.id[:4], 16) / 2**16 / 100
    value = 0.7 + 0.1 * trial.recipe.bert_adam + 0.01 * trial.seed + 0.03 * trial.fold + noise
    return {"topic": value, "mood": value - 0.2}


def metrics_of(part: str, value: float) -> dict[str, float]:
    """A result of a run that has learned."""
    return {PARTS[part].metric: value, "matthews": 0.9}


@dataclass
class InParts(Pretending):
    """Comes to a result in each part."""

    def _goes_on(self, trial: Trial, epochs: list[Epoch], listener: Listener) -> bool:
        metrics = {name: metrics_of(name, value) for name, value in scores(trial).items()}
        epochs.append(Epoch(len(epochs) + 1, 0.5, 1.0, 0.1, metrics))
        listener.epoch(trial.id, epochs[-1])
        if len(epochs) < trial.recipe.epochs:
            return True
        logits = np.zeros((len(TASK.dev), 2), dtype=np.float32)
        parts = {name: PartOutcome(dev, logits) for name, dev in metrics.items()}
        listener.finished(trial.id, Outcome(tuple(epochs), len(epochs), parts, 3.0, 2**20))
        return False


@pytest.fixture
def driven(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driven:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runners.schedules.rounds.make_materials", lambda *_: Materials({}, {}))
    return sweep(plan, Study(Path("study")), InParts(), SOURCES)


def test_every_repetition_is_run_once(driven: Driven, plan: Plan) -> None:
    assert str(driven.coverage) == "complete: 16 planned, 16 finished, 0 failed, 0 pending"
    assert [one.repetition for one in plan.cells[0].trials] == [
        Repetition(seed, fold) for seed in (0, 1) for fold in FOLDS
    ]
    assert plan.cells[2].name_of(plan.cells[2].trials[3]) == "cell 3, seed 1, fold 1"
    assert len({view_of(trial) for trial in plan.trials.values()}) == 2, "a fold is other rows, a seed is not"


def test_the_target_is_the_mean_over_parts(driven: Driven, plan: Plan) -> None:
    with Study(Path("study")).open() as ledger:
        study, results = read_study(ledger), ledger.dev_results()
        assert ledger.logits(plan.cells[0].trials[0].id, "dev", "mood") is not None
    trial = plan.cells[1].trials[0]
    assert results[trial.id] == {name: metrics_of(name, value) for name, value in scores(trial).items()}
    assert study.metric == "mean accuracy and f1_macro"
    assert [one.repetition for one in study.cells[0].replicates] == [Repetition(s, f) for s in (0, 1) for f in FOLDS]
    expected = [np.mean(list(scores(one).values())) for one in plan.cells[1].trials]
    assert [one.dev for one in study.cells[1].replicates] == pytest.approx(expected)
    assert study.cells[1].replicates[0].dev_metrics == results[trial.id]
    assert study.cells[1].replicates[0].dev_by_epoch == pytest.approx([expected[0]] * 3)


def test_the_page_ranks_by_it_and_takes_seeds_and_folds_as_blocks(driven: Driven) -> None:
    write_reports(Study(Path("study")), None, ["md", "json", "csv"])
    page = Path("study/page.md").read_text(encoding="utf-8")
    assert "mean accuracy and f1_macro" in page
    assert "bert_adam" in page.split("## What matters")[1].split("##")[0]


def test_less_is_better_of_a_mean_of_losses(driven: Driven) -> None:
    with Study(Path("study")).open() as ledger:
        study = read_study(ledger)
    losses = Target((("topic", "log_loss"), ("mood", "log_loss")))
    of_losses = replace(study, manifest=replace(study.about, target=losses))
    assert not study.lower_is_better
    assert of_losses.lower_is_better
    assert of_losses.ranking == study.ranking[::-1]


def test_what_is_run_already_is_not_run_again(driven: Driven, plan: Plan) -> None:
    runner = InParts()
    sweep(plan, Study(Path("study")), runner, SOURCES)
    assert runner.begun == []
