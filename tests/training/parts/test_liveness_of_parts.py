"""Every knob of several parts acts, and a dead one changes no bit; every other knob acts on parts or is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gridsearch.recipe.prefixes import PARTS
from gridsearch.recipe.recipe import knobs
from gridsearch.recipe.resolve import dead_knobs, without
from gridsearch.tasks.task import Task
from gridsearch.training.prepared import preparations
from gridsearch.trial import make_trial
from tests.fixtures_core import ON_CPU, reads, slow, some_quick
from tests.liveness_bench import Bench
from tests.liveness_cases import LIVE
from tests.meta_device import ON_META, no_waiting, training_on_meta
from tests.training.parts.joint import joint_of, joint_task

Knobs = Mapping[str, Any]
SEPARATE: Knobs = {"parts.training": "separate"}
OF_PARTS: Mapping[str, list[tuple[Knobs, Any]]] = {
    "parts.training": [({}, "separate")],
    "parts.batches": [({}, "mixed")],
    "parts.sampling": [({}, "square_root"), ({}, "equal"), ({"parts.batches": "mixed"}, 4.0)],
    "parts.order": [({}, "alternating")],
    "parts.loss_weights": [({}, "given"), ({}, "dynamic_priority"), ({}, "uncertainty")],
    "parts.priority_gamma": [({"parts.loss_weights": "dynamic_priority"}, 2.0)],
}
DEAD_IN_PARTS: Mapping[str, list[Knobs]] = {
    "parts.batches": [{**SEPARATE, "parts.batches": "mixed"}],
    "parts.sampling": [{**SEPARATE, "parts.sampling": "equal"}],
    "parts.order": [
        {**SEPARATE, "parts.order": "alternating"},
        {"parts.batches": "mixed", "parts.order": "alternating"},
    ],
    "parts.loss_weights": [{**SEPARATE, "parts.loss_weights": "uncertainty"}],
    "parts.priority_gamma": [{"parts.priority_gamma": 2.0}],
}
REFUSED: Mapping[tuple[str, Any], str] = {
    ("pooling", "segments"): "some part of the task, of single texts, has no second text",
    ("class_weights", (1.0, 2.0)): "does not say which part's labels it is of",
    **dict.fromkeys(
        [
            ("closure", "positives"),
            ("closure", "both"),
            ("closure_cap", 2),
            ("closure_ratio", "kept"),
            ("outside_pairs", "positive"),
            ("outside_pairs", "negative"),
        ],
        "pairs are added to training rows of a single task, and this one has several parts",
    ),
}


@pytest.fixture(scope="module")
def on(family_folders: dict[str, Path], task: Task) -> Bench:
    return Bench(family_folders["bert"], joint_task(task))


def test_every_knob_of_parts_has_a_case() -> None:
    assert OF_PARTS.keys() == {name for name in knobs() if name.startswith(PARTS)}
    assert OF_PARTS.keys() == DEAD_IN_PARTS.keys() | {"parts.training"}


def cases() -> Iterator[Any]:
    """Yield every case of knobs of parts, and of each other knob: these are slow, and quick on a single task."""
    for knob, several in OF_PARTS.items():
        yield from ((knob, *case) for case in several)
    for knob, several in LIVE.items():
        for case in several:
            yield (knob, *case) if (knob, case[1]) in REFUSED else slow(knob, *case)


@pytest.mark.parametrize(("knob", "others", "value"), list(cases()), ids=str)
def test_a_knob_acts_on_parts(knob: str, others: Knobs, value: Any, on: Bench) -> None:
    one, other = on.resolved(**others), on.resolved(**{**others, knob: value})
    if reason := REFUSED.get((knob, value), ""):
        assert reason in on.refusal(other)
        return
    assert on.refusal(other) == ""
    assert on.numbers(one) != on.numbers(other)


@pytest.mark.parametrize(
    ("knob", "recipe"), [(knob, case) for knob, cases in DEAD_IN_PARTS.items() for case in cases], ids=str
)
def test_a_dead_knob_of_parts_changes_no_bit(knob: str, recipe: Knobs, on: Bench) -> None:
    dead = on.resolved(**recipe)
    reasons = dead_knobs(dead, on.facts)
    assert set(reasons) == {knob}
    assert on.numbers(dead) == on.numbers(without(dead, reasons))


@pytest.mark.parametrize("knob", OF_PARTS)
def test_a_single_task_has_nothing_to_share(knob: str, family_folders: dict[str, Path], task: Task) -> None:
    alone = Bench(family_folders["bert"], task)
    others, value = OF_PARTS[knob][-1]
    assert "the task has one part" in alone.refusal(alone.resolved(**{**others, knob: value}))


@pytest.mark.slow  # 1.1 s
def test_given_weights_of_one_are_equal_ones_and_alike_sizes_are_sampled_alike(
    family_folders: dict[str, Path], task: Task
) -> None:
    topics = replace(task, train=task.train.take(range(30)))
    alike = Bench(family_folders["bert"], joint_of({"one": topics, "other": topics}))
    for value in ({"parts.loss_weights": "given"}, {"parts.sampling": "equal"}, {"parts.sampling": 3.0}):
        recipe = alike.resolved(**value)
        assert set(dead_knobs(recipe, alike.facts)) == value.keys()
        assert alike.numbers(recipe) == alike.numbers(without(recipe, value))


@pytest.mark.parametrize(("temperature", "name"), [(1.0, "proportional"), (2.0, "square_root")])
def test_a_temperature_with_a_name_is_called_so(temperature: float, name: str, on: Bench) -> None:
    assert on.resolved(**{"parts.sampling": temperature}) == on.resolved(**{"parts.sampling": name})


@pytest.mark.parametrize("recipe", [{}, {"parts.batches": "mixed"}, SEPARATE, {"parts.sampling": "equal"}], ids=str)
@pytest.mark.parametrize("sizes", [{"batch_size": 8}, {"batch_size": 7, "gradient_accumulation": 3}], ids=str)
def test_the_steps_are_those_that_were_foretold(recipe: Knobs, sizes: Knobs, on: Bench) -> None:
    resolved = on.resolved(**{**recipe, **sizes})
    trial = make_trial(resolved, seed=0, task="a task", encoder=on.encoder.identity)
    trained = preparations(trial, on.data(*reads(resolved)), on.encoder, ON_CPU)
    n_steps = [len(one.steps.objective.batches(1)) for one in trained]
    assert max(n_steps) == resolved.steps_per_epoch(on.facts.rows)


@pytest.mark.parametrize(
    ("knob", "others", "value"),
    some_quick(((knob, *case) for knob, several in OF_PARTS.items() for case in several), 0, 1, 7),
    ids=str,
)
def test_no_step_of_parts_reads_a_number_back(knob: str, others: Knobs, value: Any, on: Bench) -> None:
    recipe = on.resolved(**{"max_length": 60, **others, knob: value})
    trial = make_trial(recipe, seed=0, task="a task", encoder=on.encoder.identity)
    with training_on_meta():
        for one in preparations(trial, on.data(*reads(recipe)), on.encoder, ON_META):
            one.steps.objective.model.train()
            with no_waiting():
                for batches in one.steps.objective.batches(1):
                    one.steps.step(batches, 1)
