"""Groups of trials that cost the same, and how a trial is measured without being run."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.load import EncoderWeights
from gridsearch.planning.cost_groups import cost_of, groups_of
from gridsearch.planning.planner import make_plan
from gridsearch.recipe.recipe import Recipe, knobs
from gridsearch.space.space import parse_space
from gridsearch.tasks.encode import EncodedTask
from gridsearch.tasks.task import Task
from gridsearch.training import frozen_states, step_timing
from gridsearch.training.execution import computing
from gridsearch.training.prepared import prepare
from gridsearch.training.step_timing import Visit, measuring
from gridsearch.training.steps import Steps
from gridsearch.trial import Trial
from tests.fixtures_core import ON_CPU, recipe_of, some_quick, trial_of
from tests.test_liveness import LIVE

# What the time of a trial depends on.


class Operations(TorchDispatchMode):
    """Writes down every operation with the shapes and types of what it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [one for one in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        self.found.append(f"{operation} {[(tuple(one.shape), one.dtype) for one in tensors]}")
        return operation(*args, **(kwargs or {}))


@pytest.fixture(scope="module")
def operations(encoder: EncoderWeights, data: EncodedTask) -> Callable[[Recipe], list[str]]:
    @cache
    def computed(recipe: Recipe) -> list[str]:
        trial = trial_of(**recipe.model_dump())
        with computing(ON_CPU):
            prepared = prepare(trial, data, encoder, ON_CPU)
            prepared.model.train()
            with Operations() as seen:
                for step in prepared.steps.objective.batches(1)[:2]:
                    prepared.steps.step(step, recipe.epochs)
        return seen.found

    return computed


CHEAP = [(name, others, value) for name, knob in knobs().items() if name in LIVE and knob.cost != "each"
         for others, value in LIVE[name] if not isinstance(value, str)]  # fmt: skip


@pytest.mark.parametrize(("name", "others", "value"), some_quick(CHEAP, *range(0, len(CHEAP), 6)), ids=str)
def test_a_knob_that_costs_nothing_changes_no_operation(
    name: str, others: dict[str, Any], value: Any, operations: Callable[[Recipe], list[str]]
) -> None:
    """Or, where it costs something to be on, no other number changes any more."""
    needs = {"pooling": "cls", **others}
    if name == "reinit_layers":
        value = 1
    if name == "class_weights":  # these rows have three labels
        value = (1.0, 2.0, 0.5)
    other = {name: value / 2 if isinstance(value, float) else (3.0, 2.0, 1.0)} if knobs()[name].cost == "on" else {}
    one, two = recipe_of(**needs, **{name: value}), recipe_of(**needs, **other)
    assert one != two
    assert cost_of(one) == cost_of(two)
    assert operations(one) == operations(two)


@pytest.mark.parametrize(
    "knob", [{"adversarial": "fgm"}, {"frozen_layers": 1}, {"weight_decay": 0.1, "bert_adam": True}, {"r_drop": 1.0}]
)
def test_what_costs_changes_operations(knob: dict[str, Any], operations: Callable[[Recipe], list[str]]) -> None:
    assert cost_of(recipe_of(**knob)) != cost_of(recipe_of())
    assert operations(recipe_of(**knob)) != operations(recipe_of())


SPACE = """
[factors.attack]
label = "Attack"
levels = { none = { adversarial = "none" }, fgm = { adversarial = "fgm" } }
[factors]
frozen_layers = [0, 1]
learning_rate = [1e-4, 1e-3]
[design]
seeds = [0, 1]
[[rules]]
skip = "adversarial != 'none' and frozen_layers > 0"
why = "nothing to act on"
"""


def test_groups_of_a_plan_are_told_by_the_levels_that_cost(task: Task) -> None:
    card = EncoderCard("tiny", "an encoder", "bert", 4, has_pooler=True, max_tokens=512)
    plan = make_plan(parse_space(SPACE, "small"), task, lambda name: card)
    groups = groups_of(plan)
    assert [group.settings for group in groups] == [
        {"Attack": "none", "frozen_layers": "0"},
        {"Attack": "none", "frozen_layers": "1"},
        {"Attack": "fgm", "frozen_layers": "0"},
    ]
    assert [len(group.trials) for group in groups] == [4, 4, 4]
    assert {trial.id for group in groups for trial in group.trials} == plan.trials.keys()
    (only,) = groups_of(make_plan(parse_space("[factors]\nlearning_rate = [1e-4, 1e-3]", "one"), task, lambda _: card))
    assert only.settings == {}


# Measuring.


def visit(trial: Trial, data: EncodedTask, encoder: EncoderWeights, seconds: float = 0.2) -> Visit:
    with pytest.raises(StopIteration) as stop:
        next(measuring(trial, data, encoder, ON_CPU, seconds=seconds))
    found: Visit = stop.value.value
    return found


@pytest.fixture
def one_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that each look at it moves on by a second."""
    ticks: Iterator[int] = iter(range(1_000_000))
    monkeypatch.setattr("gridsearch.training.step_timing.time.perf_counter", partial(next, ticks))
    monkeypatch.setattr("gridsearch.training.step_timing.waited_for_a_core", lambda: 0.0)


@pytest.mark.slow  # 3 s
@pytest.mark.usefixtures("one_tick")
def test_the_parts_of_a_trial_add_up(data: EncodedTask, encoder: EncoderWeights) -> None:
    """96 rows in batches of 8 for 3 epochs: 36 steps; each part takes one look at the clock to the next."""
    found = visit(trial_of(), data, encoder, seconds=20.0)
    assert (found.setup_seconds, found.step_seconds, found.n_steps, found.n_measured) == (1, 1, 36, 20)
    # Dev and test are one batch each, and scored; an epoch also makes its batches and keeps the weights.
    assert (found.dev_seconds, found.test_seconds) == (4, 2)
    assert found.seconds == 1 + 36 * 1 + 3 * 4 + 2


@pytest.mark.slow  # 4 s
@pytest.mark.usefixtures("one_tick")
def test_test_is_predicted_after_each_epoch_that_is_averaged(data: EncodedTask, encoder: EncoderWeights) -> None:
    """And scored once, in one look at the clock more."""
    one, three = (visit(trial_of(checkpoints=n), data, encoder, seconds=20.0) for n in (1, 3))
    assert (one.test_seconds, three.test_seconds) == (1 + 1, 3 + 1)
    assert three.seconds - one.seconds == 2


def test_the_kernel_tells_how_long_a_thread_waited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert 0 <= step_timing.waited_for_a_core() <= step_timing.waited_for_a_core()
    monkeypatch.setattr(step_timing, "SCHEDULED", tmp_path / "schedstat")
    assert step_timing.waited_for_a_core() == 0, "not counted here"
    (tmp_path / "schedstat").write_text("166362 9591410000 2\n")
    assert step_timing.waited_for_a_core() == 9.59141


@pytest.mark.usefixtures("one_tick")
def test_a_core_lost_between_two_clocks_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([1.0, 3.0, 3.0])
    monkeypatch.setattr("gridsearch.training.step_timing.waited_for_a_core", partial(next, waits))
    assert step_timing.clocks() == (1, 3.0)


@pytest.mark.slow  # keeps a core busy
def test_time_that_others_have_the_core_is_taken_off(
    data: EncodedTask, encoder: EncoderWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each second on the clock, the thread waits for three quarters of one."""
    moments = ((now, 0.75 * now) for now in count())
    monkeypatch.setattr("gridsearch.training.step_timing.clocks", partial(next, moments))
    found = visit(trial_of(), data, encoder, seconds=5.0)
    assert (found.setup_seconds, found.step_seconds, found.dev_seconds) == (0.25, 0.25, 1.0)
    assert found.core_share == 0.25


@pytest.mark.slow  # 3 s
def test_the_steps_are_those_of_all_epochs(
    data: EncodedTask, encoder: EncoderWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[int, int]] = []
    step = Steps.step

    def noted(self: Steps, batches: list[np.ndarray], epoch: int) -> torch.Tensor:
        assert any(np.array_equal(batches[0], known[0]) for known in self.objective.batches(epoch))
        taken.append((self.updates.n_taken, epoch))
        return step(self, batches, epoch)

    monkeypatch.setattr(Steps, "step", noted)
    found = visit(trial_of(adversarial="fgm", adversarial_start=3), data, encoder, seconds=60.0)
    assert found.n_measured == found.n_steps == 36
    assert {n_before // 12 + 1 for n_before, _ in taken} == {1, 2, 3}
    assert all(n_before // 12 + 1 == epoch for n_before, epoch in taken)
    assert sorted(n_before for n_before, _ in taken[2:]) == list(range(36)), "after two to warm up, each once"


@pytest.mark.slow  # 1.4 s
def test_what_frozen_layers_give_is_read_as_in_a_trial(
    data: EncodedTask, encoder: EncoderWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rehearsal computes it, as an earlier trial of the worker would: it is no part of what is measured."""
    events: list[str] = []
    clocks, compute = step_timing.clocks, frozen_states._compute

    def read() -> tuple[float, float]:
        events.append("clock")
        return clocks()

    def noted(*arguments: Any) -> np.ndarray:
        events.append("computed")
        return compute(*arguments)

    frozen_states.forget()
    monkeypatch.setattr(step_timing, "clocks", read)
    monkeypatch.setattr(frozen_states, "_compute", noted)
    assert visit(trial_of(frozen_layers=2), data, encoder).n_measured >= step_timing.FEWEST
    assert events[:3] == ["computed"] * 3, "of train, dev and test"
    assert set(events[3:]) == {"clock"}


@pytest.mark.slow  # 1.5 s
def test_measuring_leaves_nobodys_random_numbers_changed(data: EncodedTask, encoder: EncoderWeights) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    visit(trial_of(ema_decay=0.9), data, encoder)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("seconds", [1.0, 800.0, 1e9])
def test_a_sample_has_the_mean_of_all(seconds: float) -> None:
    """Items cost 1 to 200 seconds; the first and the middle one warm up."""
    mean, n_items, n_measured = step_timing.sampled_mean(range(200), lambda item: float(item + 1), seconds)
    assert n_items == 200
    assert n_measured == min(step_timing.MOST, max(step_timing.FEWEST, int(seconds / 101)))
    assert mean == pytest.approx(100.5, rel=0.12)


def test_rows_that_are_parted_are_the_same_rows(data: EncodedTask, encoder: EncoderWeights) -> None:
    rows = np.array([7, 3, 29])
    part = data.dev.take(rows)
    assert part.lengths.tolist() == data.dev.lengths[rows].tolist()
    assert part.labels is not None
    assert part.labels.tolist() == data.dev.labels[rows].tolist()
    with computing(ON_CPU):
        prepared = prepare(trial_of(frozen_layers=1), data, encoder, ON_CPU)
        of_all = prepared.predict(prepared.data.dev)
        of_part = prepared.predict(prepared.data.dev.take(rows))
    np.testing.assert_allclose(of_part, of_all[rows], rtol=1e-4, atol=1e-5)
