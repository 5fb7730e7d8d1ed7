"""What the time of a pretraining's step depends on, and how a pretraining is measured without being run."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gridsearch.cache import cache_folder
from gridsearch.planning.stage_groups import stage_cost_of
from gridsearch.recipe.pretraining.knobs import PREFIX
from gridsearch.recipe.recipe import knobs
from gridsearch.stage import Stage
from gridsearch.tasks.task import Task
from gridsearch.training import stage_timing
from gridsearch.training.execution import computing
from gridsearch.training.pretraining import Run, pretraining
from gridsearch.training.stage_timing import StageVisit, measuring_stage
from gridsearch.training.steps import Steps
from tests.fixtures_core import ON_CPU, some_quick
from tests.pretraining_cases import LIVE, Knobs
from tests.training.pretraining_bench import PretrainingBench, with_corpus
from tests.training.test_step_timing import Operations


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def bench(bert_folder: Path, task: Task) -> PretrainingBench:
    return PretrainingBench(bert_folder, with_corpus(task))


def visit(bench: PretrainingBench, stage: Stage, seconds: float = 0.2) -> StageVisit:
    with pytest.raises(StopIteration) as stop:
        next(measuring_stage(stage, bench.corpus(stage), bench.base, ON_CPU, seconds=seconds))
    found: StageVisit = stop.value.value
    return found


# What the time of a step depends on.


@pytest.fixture(scope="module")
def operations(bench: PretrainingBench) -> Callable[[Stage], list[str]]:
    @cache
    def computed(stage: Stage) -> list[str]:
        with computing(ON_CPU):
            run = Run(stage, bench.corpus(stage), bench.base, ON_CPU)
            run.model.train()
            with Operations() as seen:
                for batch in run.objective.batches(1)[:2]:
                    run.steps.step(batch, 1)
        return seen.found

    return computed


DRAWN = {"seed", "corpus", "steps", "epochs", "checkpoint"}
"""Other rows are drawn, or as many others: a step of the same kind, that is none of the same operations."""
CHEAP = [
    (name, others, value)
    for name, cases in LIVE.items()
    for others, value in cases
    if knobs()[PREFIX + name].stage_cost != "each" and name not in DRAWN
]


@pytest.mark.parametrize(("name", "others", "value"), some_quick(CHEAP, *range(0, len(CHEAP), 4)), ids=str)
def test_a_knob_that_costs_nothing_changes_no_operation(
    name: str, others: Knobs, value: Any, bench: PretrainingBench, operations: Callable[[Stage], list[str]]
) -> None:
    """Or, where it costs something to be on, no other number changes any more."""
    is_on = knobs()[PREFIX + name].stage_cost == "on"
    other = {name: value / 2} if is_on else {}
    one, two = bench.stage(**others, **{name: value}), bench.stage(**others, **other)
    assert one.id != two.id
    assert stage_cost_of(one) == stage_cost_of(two)
    assert operations(one) == operations(two)


PAIRS = {"form": "pairs"}


@pytest.mark.slow  # 0.5 s
@pytest.mark.parametrize(
    ("others", "knob"),
    [
        ({}, {"clip_norm": 0.1}),
        ({}, {"lookahead_steps": 2}),
        ({}, {"dropout": 0.0}),
        ({}, {"rate": 0.3}),
        ({}, {"batch_size": 8}),
        ({}, PAIRS),
        (PAIRS, {"next_sentence": True}),
        ({}, {"base": "scratch", "layers": 1, "width": 16, "heads": 2}),
    ],
)
def test_what_costs_changes_operations(
    others: Knobs, knob: Knobs, bench: PretrainingBench, operations: Callable[[Stage], list[str]]
) -> None:
    one, two = bench.stage(**others, **knob), bench.stage(**others)
    assert stage_cost_of(one) != stage_cost_of(two)
    assert operations(one) != operations(two)


# Measuring.


@pytest.fixture
def one_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that each look at it moves on by a second."""
    ticks: Iterator[int] = iter(range(1_000_000))
    monkeypatch.setattr("gridsearch.training.step_timing.time.perf_counter", partial(next, ticks))
    monkeypatch.setattr("gridsearch.training.step_timing.waited_for_a_core", lambda: 0.0)


@pytest.mark.slow  # 1.3 s
@pytest.mark.usefixtures("one_tick")
def test_the_parts_of_a_pretraining(bench: PretrainingBench) -> None:
    """The layout of an epoch takes a second, as does what comes after the steps; a run looks at the clock itself."""
    stage = bench.stage(steps=40)
    per_epoch = stage.recipe.steps_per_epoch(len(bench.corpus(stage)))
    found = visit(bench, stage, seconds=20.0)
    assert (found.setup_seconds, found.step_seconds, found.n_measured) == (2 + 1, 1 + 1 / per_epoch, 20)


@pytest.mark.slow  # 1.5 s
def test_the_steps_are_those_of_the_run(bench: PretrainingBench, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    step = Steps.step

    def noted(self: Steps, batch: tuple[int, np.ndarray], epoch: int) -> torch.Tensor:
        number, rows = batch
        (known,) = [rows for n, rows in self.objective.batches(epoch) if n == number]
        assert np.array_equal(rows, known)
        assert self.updates.n_taken == number
        taken.append(number)
        return step(self, batch, epoch)

    monkeypatch.setattr(Steps, "step", noted)
    stage = bench.stage(steps=30, lookahead_steps=5)
    assert visit(bench, stage, seconds=60.0).n_measured == 30
    assert sorted(taken[2:]) == list(range(30)), "after two to warm up, each once"


@pytest.mark.slow  # 1.3 s
def test_of_a_long_run_its_beginning_is_looked_at(bench: PretrainingBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_timing, "ENOUGH", 20)
    stage = bench.stage(steps=1_000_000)
    per_epoch = stage.recipe.steps_per_epoch(len(bench.corpus(stage)))
    assert visit(bench, stage, seconds=60.0).n_measured == per_epoch * -(-20 // per_epoch)


def test_a_pretraining_without_a_step_is_what_comes_before_it(bench: PretrainingBench) -> None:
    stage = bench.stage(base="scratch", layers=1, width=16, heads=2, steps=0)
    found = visit(bench, stage)
    assert (found.step_seconds, found.n_measured) == (0, 0)
    assert found.setup_seconds > 0


def test_nothing_is_read_or_written_of_the_run_itself(bench: PretrainingBench) -> None:
    """A run that is under way may be measured beside."""
    stage = bench.stage(steps=6)
    events = pretraining(stage, bench.corpus(stage), bench.base, ON_CPU)
    next(events)
    before = {path: path.stat().st_mtime_ns for path in cache_folder().rglob("*")}
    draft = cache_folder() / "pretraining" / f"{stage.run}.pt.1.part"
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(b"half of it")
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    visit(bench, stage)
    assert torch.equal(torch.rand(3), expected), "nobody's random numbers are changed"
    assert draft.is_file()
    after = {path for path in cache_folder().rglob("*") if path.is_file() and path != draft}
    assert after == {path for path in before if path.is_file()}
    events.close()
