"""The memory of a worker over many trials; and a worker that holds too much of it is replaced between two."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gridsearch.encoders.load import describe
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.execution import Execution
from gridsearch.training.worker import Job
from gridsearch.trial import Outcome, Trial
from runners.backends import processes
from runners.backends.processes import ProcessesRunner
from runners.backends.recycling import held_bytes
from runners.backends.serial import SerialRunner
from runners.materials import make_materials
from tests.fixtures_core import numbers_of
from tests.runners.backends.test_contract import Heard
from tests.runners.faults import LEAK_BYTES, leaking
from tests.runners.lasting.test_damaged_studies import SPACE

BOUND_BYTES = 32 * 1024
"""Of growth for each trial: 200 MB over 6,400 trials. What is kept of a trial by mistake is a model, 300 kB here."""


@pytest.fixture
def plan(project: Path, encoder_folder: Path) -> Plan:
    task = load_task(project / "task.toml")
    space = parse_space(SPACE, "small").with_fixed({"encoder": str(encoder_folder)})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


def trials_like(plan: Plan, count: int) -> Iterator[Trial]:
    """Yield trials of two recipes in turn, each of a seed of its own."""
    recipes = list(plan.trials.values())
    for number in range(count):
        yield replace(recipes[number % len(recipes)], id=f"{number:032}", seed=number)


class Weighing(Heard):
    """Reads after each trial how much memory its worker holds."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[int] = []

    def finished(self, trial_id: str, outcome: Outcome) -> None:
        self.held.append(held_bytes(int(self.workers[trial_id].split(":")[1])))
        super().finished(trial_id, outcome)


@pytest.mark.slow  # 200 trials, half a minute on an idle machine
def test_what_a_worker_holds_does_not_grow_with_its_trials(plan: Plan) -> None:
    heard, materials = Weighing(), make_materials(plan, set(plan.trials), lambda text: None)
    with ProcessesRunner(1) as runner:
        runner.run([Job(trial, Execution()) for trial in trials_like(plan, 200)], materials, heard)
    assert not heard.failures
    assert len(set(heard.workers.values())) == 1, "it was not replaced either"
    slope = float(np.polyfit(range(150), heard.held[50:], 1)[0])
    print(
        f"a worker holds {heard.held[-1] / 1e6:.0f} MB after 200 trials; over the last 150, {slope:.0f} bytes a trial"
    )
    assert abs(slope) < BOUND_BYTES


def results(outcomes: Mapping[str, Outcome]) -> dict[str, object]:
    return {trial: numbers_of(outcome) for trial, outcome in outcomes.items()}


@pytest.mark.slow  # 22 s
def test_a_worker_over_its_budget_is_replaced_and_results_are_the_same(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    materials = make_materials(plan, set(plan.trials), lambda text: None)
    jobs = [Job(trial, Execution()) for trial in trials_like(plan, 3)]
    monkeypatch.setattr(processes, "usable_memory", lambda: round(1.7 * LEAK_BYTES / processes.SHARE))
    heard, serial = Heard(), Heard()
    with ProcessesRunner(1, what=leaking) as runner:
        runner.run(jobs, materials, heard)
    with SerialRunner() as runner:
        runner.run(jobs, materials, serial)
    first, second, third = (heard.workers[job.id] for job in jobs)
    assert first == second != third
    assert not heard.failures
    assert results(heard.outcomes) == results(serial.outcomes)
