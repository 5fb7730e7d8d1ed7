"""Every knob acts, on every family: trials with and without it compute different numbers. A dead one changes no bit.

A knob, or a named value of a knob, without a case here fails the suite; so does a family on which a case is refused for
a reason that is not written down here.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.load import EncoderWeights
from gridsearch.optimizers.updates import Updates
from gridsearch.recipe.encoder_knobs import EncoderKnobs
from gridsearch.recipe.prefixes import PARTS, PREFIXES
from gridsearch.recipe.recipe import Recipe, knobs
from gridsearch.recipe.resolve import dead_knobs, without
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.tasks.encode import encode_task
from gridsearch.tasks.task import Split, Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.prepared import prepare
from gridsearch.training.steps import Steps
from gridsearch.trial import make_trial
from tests.fixtures_core import ON_CPU, by_family, numbers_of, reads, recipe_of, slow
from tests.liveness_bench import Bench
from tests.liveness_cases import DEAD, LIVE, NOT_HERE, WITH_IT, Knobs, first_quick, pairs_of
from tests.meta_device import ON_META, no_waiting, training_on_meta

ALIVE_IN_OTHER_WAYS = {"encoder", "score_loss", "huber_delta", "label_thresholds"}
"""The last three: tests/training/test_label_kinds.py."""
OF_A_TRIAL = {name: knob for name, knob in knobs().items() if not name.startswith((*PREFIXES, PARTS))}
"""Those of a pretraining: tests/training/test_pretraining_knobs.py; of a vocabulary: test_vocabulary_knobs.py; of
parts: tests/training/parts/test_liveness_of_parts.py.
"""

# --- every knob, every named value, and every reason has a case


def test_every_knob_has_a_case() -> None:
    assert LIVE.keys() | ALIVE_IN_OTHER_WAYS == OF_A_TRIAL.keys()


def named_values(annotation: Any) -> set[Any]:
    """Return the values that a knob's type names."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return set().union(*(named_values(part) for part in get_args(annotation)))


@pytest.mark.parametrize("knob", LIVE)
def test_every_named_value_has_a_case(knob: str) -> None:
    tried = {value for _, value in LIVE[knob] if isinstance(value, str)}
    assert named_values(Recipe.model_fields[knob].annotation) - {getattr(recipe_of(), knob)} <= tried


def test_every_knob_that_can_be_dead_has_a_case() -> None:
    elsewhere = ALIVE_IN_OTHER_WAYS | {"label_smoothing", "focal_gamma"}  # dead on numbers: test_label_kinds.py
    assert DEAD.keys() == {name for name, knob in OF_A_TRIAL.items() if knob.cannot_act is not None} - elsewhere


def test_every_family_is_tried(family_folders: dict[str, Path]) -> None:
    assert family_folders.keys() == FAMILIES.keys()


# --- alive, on every family


@pytest.fixture(scope="module")
def pairs(task: Task) -> Task:
    return pairs_of(task)


@pytest.fixture(scope="module")
def singles(pairs: Task) -> Task:
    return replace(pairs, kind="single", train=replace(pairs.train, pairs=None), dev=replace(pairs.dev, pairs=None))


@pytest.fixture(scope="module")
def bench(family_folders: dict[str, Path], pairs: Task) -> Callable[[str], Bench]:
    return cache(lambda family: Bench(family_folders[family], pairs))


CASES = [(knob, *case) for knob, cases in LIVE.items() for case in cases]


def is_quick(number: int, family: str) -> bool:
    """Whether a case is tried on a family by ``make test``: all are on BERT.

    What reaches into an encoder is tried on families that are unlike each other, and what is refused is tried on all:
    it costs nothing.
    """
    knob, _, value = CASES[number]
    return (
        family == "bert"
        or (knob in EncoderKnobs.model_fields and family in ("deberta-v2", "modernbert"))
        or family in NOT_HERE.get((knob, value), ((), ""))[0]
    )


@pytest.mark.parametrize(
    ("knob", "others", "value", "family"),
    [
        pytest.param(*case, family, marks=() if is_quick(number, family) else pytest.mark.slow)
        for number, case in enumerate(CASES)
        for family in FAMILIES
    ],
    ids=str,
)
def test_a_knob_acts(knob: str, others: Knobs, value: Any, family: str, bench: Callable[[str], Bench]) -> None:
    on = bench(family)
    one, other = on.resolved(**others), on.resolved(**{**others, knob: value})
    assert getattr(one, knob) != getattr(other, knob)
    families, reason = NOT_HERE.get((knob, value), ((), ""))
    if family in families:
        assert reason in on.refusal(other)
        return
    assert on.refusal(other) == ""
    # The numbers repeat exactly (test_finetune.py): whatever differs here is the knob's doing.
    assert on.numbers(one) != on.numbers(other)


def test_the_encoder_acts(bench: Callable[[str], Bench]) -> None:
    one, other = bench("bert"), bench("ernie")
    assert one.numbers(one.resolved()) != other.numbers(other.resolved())


# --- no step waits for the device


WITH_PADDING = 60
"""At this length some texts of a batch are shorter than others; at the small recipe's, none is."""


def take_steps(on: Bench, recipe: Recipe, execution: Execution = ON_META) -> Steps:
    """Take all steps of a trial where to read a number back fails; what is made before them may be read."""
    trial = make_trial(recipe, seed=0, task="a task", encoder=on.encoder.identity)
    with training_on_meta():
        steps = prepare(trial, on.data(*reads(recipe)), on.encoder, execution).steps
        steps.objective.model.train()
        with no_waiting():
            for epoch in range(1, recipe.epochs + 1):
                for batches in steps.objective.batches(epoch):
                    steps.step(batches, epoch)
    return steps


def without_attacks() -> list[tuple[str, Knobs, Any]]:
    """Return the first case of each knob, but for those of attacks, whose steps are several."""
    first = [(knob, *cases[0]) for knob, cases in LIVE.items()]
    return [(knob, others, value) for knob, others, value in first if "adversarial" not in {knob, *others}]


def together(on: Bench, cases: Sequence[tuple[str, Knobs, Any]]) -> list[Knobs]:
    """Put cases of knobs into few recipes, in each of which all that is set acts."""
    recipes: list[Knobs] = []
    for knob, others, value in cases:
        case = {**others, knob: value}
        for number, recipe in enumerate(recipes):
            both = {**recipe, **case}
            if all(recipe.get(name, case[name]) == case[name] for name in case) and not on.refusal(on.resolved(**both)):
                recipes[number] = both
                break
        else:
            recipes.append({"max_length": WITH_PADDING, **case})
    return recipes


def test_no_step_reads_a_number_back(bench: Callable[[str], Bench]) -> None:
    on, cases = bench("bert"), without_attacks()
    recipes = together(on, cases)
    assert all(
        any({**others, knob: value}.items() <= recipe.items() for recipe in recipes) for knob, others, value in cases
    )
    for recipe in recipes:
        assert take_steps(on, on.resolved(**recipe)).updates.n_taken > 0


@pytest.mark.slow  # the quick test has most knobs together, some at a time
@pytest.mark.parametrize(("knob", "others", "value"), CASES, ids=str)
def test_no_step_of_a_knob_reads_a_number_back(
    knob: str, others: Knobs, value: Any, bench: Callable[[str], Bench]
) -> None:
    on = bench("bert")
    steps = take_steps(on, on.resolved(**{"max_length": WITH_PADDING, **others, knob: value}))
    assert steps.updates.n_taken > 0


@pytest.mark.parametrize(
    "attack", [{}, pytest.param({"adversarial": "freelb", "freelb_init": 0.5}, marks=pytest.mark.slow)], ids=str
)
@pytest.mark.parametrize("max_length", [WITH_PADDING, slow(5)])
@pytest.mark.parametrize(
    "family",
    by_family(),
)  # the rest have transformers' masks, as one of the quick ones has
def test_no_family_reads_a_number_back(
    family: str, max_length: int, attack: Knobs, bench: Callable[[str], Bench]
) -> None:
    """With padding and without: an encoder may look at its mask."""
    on = bench(family)
    recipe = on.resolved(max_length=max_length, batch_size=len(on.task.train), **attack)
    steps = take_steps(on, recipe, replace(ON_META, micro_batch_divisor=2))
    lengths = on.data(max_length).train.lengths
    is_padded = [len(set(lengths[rows])) > 1 for step in steps.objective.batches(1) for rows in step]
    assert any(is_padded) == (max_length == WITH_PADDING)


def test_a_number_that_is_read_back_is_found(bench: Callable[[str], Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    on, take = bench("bert"), Updates.take

    def reading(updates: Updates) -> None:
        take(updates)
        assert all(bool(parameter.isfinite().all()) for parameter in updates.parameters)

    monkeypatch.setattr(Updates, "take", reading)
    with pytest.raises(RuntimeError, match="meta"):
        take_steps(on, on.resolved())


# --- dead, and said to be


@pytest.fixture(scope="module")
def on_singles(family_folders: dict[str, Path], singles: Task) -> Bench:
    return Bench(family_folders["bert"], singles)


@pytest.mark.parametrize(
    ("knob", "recipe"), first_quick((knob, case) for knob, cases in DEAD.items() for case in cases), ids=str
)
def test_a_dead_knob_changes_no_bit(knob: str, recipe: Knobs, on_singles: Bench) -> None:
    on = on_singles
    dead = on.resolved(**{"epochs": 2, **recipe})
    reasons = dead_knobs(dead, on.facts)
    # What belongs to a dead attack, Lookahead or average is dead with it.
    belongs = WITH_IT.get(knob, knob)
    assert [name for name in reasons if not name.startswith(belongs)] == []
    assert knob in reasons
    rid = without(dead, reasons)
    assert rid != dead
    assert on.numbers(dead) == on.numbers(rid)


def test_balanced_weights_of_balanced_labels_are_dead(
    encoder: EncoderWeights, docstrings_task: Task, tokenizer: Any, facts: TrialFacts
) -> None:
    labels = docstrings_task.train.labels or ()
    rows = [row for label in range(6) for row in [i for i, other in enumerate(labels) if other == label][:10]]
    train = Split(tuple(docstrings_task.train.texts[row] for row in rows), tuple(labels[row] for row in rows))
    balanced = replace(docstrings_task, train=train, dev=train, test=None)
    recipe = recipe_of(class_weights="balanced", epochs=1)
    reasons = dead_knobs(recipe, replace(facts, label_counts=balanced.label_counts))
    assert set(reasons) == {"class_weights"}

    def computed(recipe: Recipe) -> list[Any]:
        data = encode_task(balanced, tokenizer, recipe.max_length)
        trial = make_trial(recipe, seed=0, task="a task", encoder=encoder.identity)
        return numbers_of(finetune(trial, data, encoder, ON_CPU))

    assert computed(recipe) == computed(without(recipe, reasons))


def test_a_pooler_without_pretrained_weights_is_random_anyway(family_folders: dict[str, Path], singles: Task) -> None:
    on = Bench(family_folders["bert"], singles)
    pooler = {name: array for name, array in on.encoder.state.items() if name.startswith("pooler.")}
    rest = {name: array for name, array in on.encoder.state.items() if name not in pooler}
    on.encoder = replace(on.encoder, state=rest, missing=tuple(sorted(pooler)))
    on.facts = replace(on.facts, pooler_is_pretrained=False)
    drawn = on.resolved(reinit_pooler=True, pooling="pooler")
    assert set(dead_knobs(drawn, on.facts)) == {"reinit_pooler"}
    assert on.numbers(drawn) == on.numbers(without(drawn, {"reinit_pooler": ""}))


def test_a_ball_that_no_step_leaves_is_no_other_ball(bench: Callable[[str], Bench]) -> None:
    """Three steps of 0.1 never leave a ball of 0.5: it is the trial of every larger ball, too."""
    on = bench("bert")
    small = on.resolved(adversarial="pgd", adversarial_alpha=0.1, adversarial_epsilon=0.5)
    assert small == on.resolved(adversarial="pgd", adversarial_alpha=0.1, adversarial_epsilon=5.0)
    assert small != on.resolved(adversarial="pgd", adversarial_alpha=0.1, adversarial_epsilon=0.2)
