"""Stages under the other schedules: an Optuna search that proposes pretrainings, and successive halving."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gridsearch.planning.halving import halved
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.stage import Stage
from gridsearch.study.study import Study
from gridsearch.tasks.target import target_of
from gridsearch.training.materials import Materials
from gridsearch.trial import Failure
from runners.backends.serial import SerialRunner
from runners.cli import main
from runners.driver import Driven, Settings, drive
from runners.progress.live import Progress
from runners.schedules.search import OptunaSearch
from runners.schedules.search_settings import Search
from tests.runners.driving import sweep
from tests.runners.pretending import Pretending
from tests.runners.staging import Counting, attempts, plan_of_space, rows, space_of
from tests.runners.test_optimize import CARD, SOURCES, TASK, About

SPACE = """
[recipe]
epochs = 2
"pretraining.objective" = "mlm"
[factors]
"pretraining.steps" = [3, 6, 9, 12]
learning_rate = [1e-5, 3e-5, 1e-4]
[design]
seeds = [0, 1]
"""


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("runners.driver.measure_yardstick", lambda *_: None)
    monkeypatch.setattr("runners.schedules.rounds.make_materials", lambda *_: Materials({}, {}))
    monkeypatch.setattr("runners.schedules.search.materials_on_demand", lambda *_: Materials({CARD.identity: None}, {}))


def plan_of(space: str = SPACE) -> Plan:
    return make_plan(parse_space(space, "test"), TASK, lambda name: CARD)


def optimised(runner: Any, n_trials: int = 24, **search: Any) -> Driven:
    study = Study(Path("study"))
    schedule = OptunaSearch(About(parse_space(SPACE, "test")), study, Search(n_trials=n_trials, **search), {})
    progress = Progress(target_of("accuracy"), {}, Console(quiet=True))
    return drive(schedule, study, runner, Settings(), provenance=dict, progress=progress)


@dataclass
class Proposing(Pretending):
    """Sees, whenever a place stays free, how many cells were proposed of which nothing has begun."""

    waiting: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.idle = self._count

    def _count(self, running: set[str]) -> None:
        begun = {trial.id for trial in self.begun}
        cells: dict[int, set[str]] = {}
        for position, trial in rows("SELECT position, trial FROM cell_trials"):
            cells.setdefault(position, set()).add(trial)
        ended = {trial for (trial,) in rows("SELECT trial FROM trial_states WHERE state != 'planned'")}
        self.waiting.append(sum(not trials & (begun | ended) for trials in cells.values()))


def is_in_order(order: list[Any]) -> bool:
    """Whether every trial begins after its stage."""
    places = {work.id: place for place, work in enumerate(order) if isinstance(work, Stage)}
    return all(places[work.stage.id] < place for place, work in enumerate(order) if not isinstance(work, Stage))


@pytest.mark.usefixtures("own_folder")
@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_search_makes_stages_before_their_trials_and_proposes_nothing_else_meanwhile(n_workers: int) -> None:
    runner = Proposing(n_workers=n_workers)
    result = optimised(runner)
    told = "complete: 24 planned, 24 finished, 0 failed, 0 pending; 4 pretrainings, 4 finished"
    assert str(result.coverage) == told
    assert is_in_order(runner.order)
    assert Counter(work.id for work in runner.order).most_common(1)[0][1] == 1
    assert max(runner.waiting) <= 1


@pytest.mark.usefixtures("own_folder")
@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_search_goes_on_beside_a_stage_that_fails_for_good(n_workers: int) -> None:
    lost, *_ = plan_of().stages
    failures = {stage: [Failure("killed", "so it was drawn")] for stage in plan_of().stages}
    failures[lost] = [Failure("diverged", "so it was drawn")]
    runner = Proposing(n_workers=n_workers, failures=failures)
    result = optimised(runner)
    told = "settled: 24 planned, 18 finished, 6 failed, 0 pending; 4 pretrainings, 3 finished, 1 failed"
    assert str(result.coverage) == told
    assert is_in_order(runner.order)
    assert max(runner.waiting) <= 1


@pytest.mark.usefixtures("own_folder")
def test_a_search_that_was_interrupted_in_a_stage_goes_on() -> None:
    class Stopping(Pretending):
        def _make(self, stage: Stage, listener: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimised(Stopping(n_workers=2), 12)
    result = optimised(Pretending(n_workers=2), 12)
    assert result.coverage.finished == 12
    assert result.coverage.stages is not None
    assert result.coverage.complete


@pytest.mark.usefixtures("own_folder")
@pytest.mark.parametrize("is_lost", [False, True])
def test_a_halving_makes_each_stage_once_for_all_rungs(is_lost: bool) -> None:
    plan = halved(plan_of(SPACE.replace("epochs = 2", "epochs = 9")), 3)
    lost, *_ = plan.stages
    runner = Pretending(n_workers=3, failures={lost: [Failure("diverged", "so it was drawn")]} if is_lost else {})
    result = sweep(plan, Study(Path("study")), runner, SOURCES)
    assert result.coverage.settled
    assert result.coverage.complete is not is_lost
    assert result.coverage.failed == 6 * is_lost
    assert [count for _, count in Counter(work.id for work in runner.order if isinstance(work, Stage)).items()] == [
        1
    ] * 4
    assert all(state == "finished" for stage, state, *_ in attempts() if stage != lost)
    assert main(["verify", "study"]) == int(is_lost)


Cli = Callable[..., None]


@pytest.mark.slow  # 3 s; the searches beside it only pretend to
@pytest.mark.usefixtures("project")
def test_trained_for_real_a_search_and_a_halving_find_each_others_stages(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = space_of('"pretraining.steps" = [2, 3, 4]', seeds="[0]").replace("epochs = 1", "epochs = 3")
    plan, counting = plan_of_space(encoder_folder, space), Counting()
    study = Study(Path("halving"))
    assert sweep(halved(plan, 3), study, SerialRunner(pretrain=counting)).coverage.complete
    assert sorted(counting.begun) == sorted(plan.stages)
    Path("space.toml").write_text(space)
    asked = ["space.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "search"]
    assert main(["optimize", *asked, "--trials", "3", "--runner", "serial"]) == 0
    assert "3 pretrainings, 3 finished (3 made before)" in capsys.readouterr().out
    assert main(["verify", "search"]) == 0
    assert main(["report", "halving"]) == 0
