"""What a knob declares that it touches, derived from what it does: real trials of a small BERT, with it and without."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.files import read_card
from gridsearch.encoders.surgery import layers
from gridsearch.errors import RequestError
from gridsearch.planning.planner import trial_facts
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.recipe.knob import NO_NEUTRAL, FrozenStates, Knob
from gridsearch.recipe.poolings import READS
from gridsearch.recipe.recipe import Recipe, knobs
from gridsearch.recipe.resolve import dead_knobs, resolve
from gridsearch.tasks.batches import collate
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Task
from gridsearch.training import frozen_states, objective
from gridsearch.training.execution import computing
from gridsearch.training.objective import Objective
from gridsearch.training.prepared import Prepared, prepare
from gridsearch.trial import Trial, make_trial
from gridsearch.view import view_of
from tests.fixtures_core import ON_CPU, encoder_in, reads, recipe_of, slow
from tests.liveness_cases import LASTING, LIVE, Knobs, first_quick, pairs_of

ROUNDING = 1e-4
"""States of one row differ by less than that in batches of another width."""
CASES = [(knob, *case) for knob, cases in LIVE.items() for case in cases]
NOTHING_DROPS: Knobs = {"encoder_dropout": 0.0, "classifier_dropout": 0.0}


class Toy:
    """A small BERT on pairs, in which what frozen layers give is computed in every step."""

    def __init__(self, folder: Path, task: Task) -> None:
        self.encoder = encoder_in(folder)
        self.task = task
        self.tokenizer = build_tokenizer(self.encoder.tokenizer)
        self.facts = trial_facts(read_card(str(folder), folder), task)
        self.n_rows = len(task.train)
        self.data = cache(lambda *asked: encode_task(task, self.tokenizer, *asked))
        self.states = cache(self._states)
        self.weights = cache(self._weights)
        self.passes_differ = cache(self._passes_differ)

    def resolved(self, *, may_be_dead: bool = False, **values: Any) -> Recipe | None:
        """Return a recipe, or None where a plan would refuse it."""
        recipe = resolve(recipe_of(**{"epochs": 2, "batch_size": 8, **values}), self.facts)
        try:
            refuse_contradictions(recipe, self.facts)
        except RequestError:
            return None
        return None if dead_knobs(recipe, self.facts) and not may_be_dead else recipe

    def trial(self, recipe: Recipe) -> Trial:
        return make_trial(recipe, seed=0, task=self.task.fingerprint, encoder=self.encoder.identity)

    def prepared(self, recipe: Recipe) -> Prepared:
        data: EncodedTask = self.data(*reads(recipe))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(frozen_states, "n_constant_layers", lambda recipe, model: 0)
            return prepare(self.trial(recipe), data, self.encoder, ON_CPU)

    def _states(self, recipe: Recipe) -> Mapping[int, list[Tensor]]:
        """Return what the bottom layer gives for each training row, pass after pass of two epochs."""
        found: dict[int, list[Tensor]] = {}
        rows_now: list[np.ndarray] = []

        def noting(split: Any, rows: np.ndarray, *more: Any) -> Any:
            rows_now[:] = [rows]
            return collate(split, rows, *more)

        def hear(module: Any, given: Any, states: Any) -> None:
            states = states[0] if isinstance(states, tuple) else states
            for row, of_row in zip(rows_now[0], states.detach().float(), strict=True):
                n_tokens = prepared.data.train.lengths[row]
                found.setdefault(int(row), []).append(of_row[:n_tokens].clone())

        with computing(ON_CPU), pytest.MonkeyPatch.context() as patch:
            prepared = self.prepared(recipe)
            patch.setattr(objective, "collate", noting)
            layers(prepared.model.encoder)[0].register_forward_hook(hear)
            for epoch in (1, 2):
                prepared.steps.run_epoch(epoch)
        return found

    def _weights(self, recipe: Recipe) -> list[dict[str, Tensor]]:
        """Return the weights that are evaluated after each epoch, and what they predict of dev."""
        found = []
        with computing(ON_CPU):
            prepared = self.prepared(recipe)
            for epoch in range(1, recipe.epochs + 1):
                prepared.steps.run_epoch(epoch)
                with prepared.steps.updates.evaluated_weights():
                    weights = {name: p.detach().clone() for name, p in prepared.model.named_parameters()}
                    found.append({**weights, "dev": torch.from_numpy(prepared.predict(prepared.data.dev))})
        return found

    def _passes_differ(self, recipe: Recipe) -> bool:
        with computing(ON_CPU), torch.no_grad():
            prepared, rows = self.prepared(recipe), np.arange(8)
            with torch.enable_grad():
                prepared.steps.run_epoch(1)  # what mixes weights with the first ones shows when they have moved
            asked, width = prepared.steps.objective, prepared.model.padded_width
            assert isinstance(asked, Objective)
            inputs = collate(prepared.data.train, rows, prepared.data.pad_id, prepared.device, width)
            torch.manual_seed(0)
            one, other = (asked._logits(inputs, 1, rows, number) for number in range(2))
        return not torch.equal(one, other)


@pytest.fixture(scope="module")
def toy(family_folders: dict[str, Path], task: Task) -> Toy:
    return Toy(family_folders["bert"], pairs_of(task))


# --- what frozen layers give


def with_frozen_layer(knob: str, others: Knobs, value: Any) -> tuple[Knobs, Knobs]:
    """Return the knobs of two recipes with a frozen layer, without a knob's value and with it."""
    # As published, FGM and PGD follow the gradient of word embeddings, which frozen ones have not.
    frozen = {"frozen_layers": 1, **({"adversarial_norm": "text"} if "adversarial" in {knob, *others} else {})}
    without = {**others, **frozen}
    if knob == "adversarial":
        without.pop("adversarial_norm")
    return without, {**others, **frozen, knob: value}


def differ(one: Tensor, other: Tensor) -> bool:
    return one.shape != other.shape or bool((one - other).abs().max() > ROUNDING)


def seen_of_frozen_states(knob: str, toy: Toy) -> str:
    """Say what the states do over all cases of a knob: "moves", "differs" from those without it, or nothing."""
    seen = ""
    for others, value in LIVE[knob]:
        without, with_it = (toy.resolved(**one) for one in with_frozen_layer(knob, others, value))
        if without is None or with_it is None:
            continue
        states, before = toy.states(with_it), toy.states(without)
        if any(differ(one, passes[0]) for passes in states.values() for one in passes):
            return "moves"
        if states.keys() != before.keys() or any(differ(states[row][0], before[row][0]) for row in states):
            seen = "differs"
    return seen


def disagreement_on_frozen_states(name: str, knob: Knob, toy: Toy) -> str:
    seen = "" if name in MOVED_ANYWAY else seen_of_frozen_states(name, toy)
    # The tokens are hashed as they are; a value that acts later has to be in the key itself.
    expected = {"moves": "moves", "differs": "tokens" if knob.in_view else "enters", "": "apart"}[seen]
    return "" if knob.frozen_states == expected else f"{name}: declared {knob.frozen_states}, seen {seen or 'nothing'}"


MOVED_ANYWAY = {
    name
    for name, cases in LIVE.items()
    if all(any(knobs()[other].frozen_states == "moves" for other in others) for others, _ in cases)
}
"""Settings of what moves the states, an attack's: it says so itself, and frozen states are given up with it."""

WITH_FROZEN_LAYERS = sorted(LIVE.keys() - {"frozen_layers"})


@pytest.mark.parametrize("knob", [slow(knob) if knob.startswith(LASTING) else knob for knob in WITH_FROZEN_LAYERS])
def test_what_frozen_layers_give(knob: str, toy: Toy) -> None:
    assert disagreement_on_frozen_states(knob, knobs()[knob], toy) == ""


# --- whether two passes over the same rows differ


def disagreement_on_passes(name: str, others: Knobs, value: Any, declared: Mapping[str, Knob], toy: Toy) -> str:
    """Compare two passes in which nothing else drops with what all knobs declare together."""
    recipe = toy.resolved(may_be_dead=True, **{**NOTHING_DROPS, **others, name: value})
    if recipe is None:
        return ""
    said = any(knob.varies_passes(recipe, toy.facts) for knob in declared.values() if knob.varies_passes)
    seen = toy.passes_differ(recipe)
    return "" if seen == said else f"{name}: declared {said}, seen {seen}"


@pytest.mark.parametrize(("knob", "others", "value"), first_quick(CASES), ids=str)
def test_whether_two_passes_differ(knob: str, others: Knobs, value: Any, toy: Toy) -> None:
    assert disagreement_on_passes(knob, others, value, knobs(), toy) == ""


# --- from which epoch on it acts

LATE: list[tuple[str, Knobs, Any]] = [
    *(("adversarial", {"adversarial_start": start}, name) for start in (2, 3) for name in ("fgm", "pgd", "freelb")),
    ("adversarial_epsilon", {"adversarial": "fgm", "adversarial_start": 2}, 0.3),
    *(("swa_start", {}, share) for share in (0.0, 0.3, 0.6)),
    ("swa_every", {"swa_start": 0.3}, 2),
    ("swa_every", {"swa_start": 0.3}, 3),
    ("swa_learning_rate", {"swa_start": 0.3}, 1e-3),
    ("swa_learning_rate", {"swa_start": 0.6, "swa_every": 3}, 1e-3),
    # Lookahead evaluates step 2 at the end of step 3, so a mean of step 3 alone is another.
    ("swa_start", {"lookahead_steps": 2}, 0.3),
    ("swa_every", {"swa_start": 0.0, "lookahead_steps": 2}, 3),
    ("swa_start", {"lookahead_steps": 3}, 0.3),
    *(("schedule", {"warmup_proportion": share}, name) for share in (0.2, 0.4, 0.7) for name in ("cosine", "constant")),
]
"""Beside the cases of liveness: parts that begin later, in trials of nine steps, three an epoch."""


def references(others: Knobs, toy: Toy) -> list[Recipe]:
    """Return what a knob is compared with: trials without it, and without what it belongs to, as far as they can be."""
    alone = {name: value for name, value in others.items() if knobs()[name].neutral is NO_NEUTRAL}
    found = [toy.resolved(**{"epochs": 3, **one}) for one in (others, alone)]
    return [recipe for recipe in found if recipe is not None]


def first_difference(one: Recipe, other: Recipe, toy: Toy) -> int:
    pairs = zip(toy.weights(one), toy.weights(other), strict=False)
    unlike = [n for n, (of_one, of_other) in enumerate(pairs, start=1) if not same(of_one, of_other)]
    return unlike[0] if unlike else one.epochs + 1


def disagreement_on_begin(name: str, others: Knobs, value: Any, knob: Knob, toy: Toy) -> str:
    with_it = toy.resolved(**{"epochs": 3, **others, name: value})
    if with_it is None:
        return ""
    # A late attack differs at once from an early one: it begins where it differs from none, too.
    first = max(first_difference(with_it, reference, toy) for reference in references(others, toy))
    said = knob.begins(with_it, toy.n_rows)
    return "" if said == first else f"{name}: declared {said}, seen {first}"


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("knob", "others", "value"), first_quick([*CASES, *LATE]), ids=str)
def test_the_first_epoch_in_which_an_update_differs(knob: str, others: Knobs, value: Any, toy: Toy) -> None:
    assert disagreement_on_begin(knob, others, value, knobs()[knob], toy) == ""


# --- whether it changes the rows as a trial reads them


@pytest.mark.parametrize(("knob", "others", "value"), CASES, ids=str)
def test_the_view(knob: str, others: Knobs, value: Any, toy: Toy) -> None:
    one, other = (recipe_of(**knobs_of) for knobs_of in (others, {**others, knob: value}))
    assert (view_of(toy.trial(one)) != view_of(toy.trial(other))) == knobs()[knob].in_view


def test_another_encoder_is_another_view(toy: Toy) -> None:
    trial = toy.trial(recipe_of())
    assert view_of(replace(trial, encoder="another")) != view_of(trial)
    assert knobs()["encoder"].in_view


# --- a number of layers


def test_what_counts_layers_takes_a_share_and_nothing_else_does() -> None:
    def takes_a_share(name: str) -> bool:
        try:
            return getattr(Recipe.model_validate({name: "50%"}), name) == "50%"
        except ValueError:
            return False

    names = knobs().keys() - {"encoder", "vocabulary.start"}  # these take any text
    assert {name for name in names if takes_a_share(name)} == {name for name in names if knobs()[name].counts_layers}


# --- what a pooling reads


@pytest.mark.parametrize("pooling", READS)
def test_what_a_pooling_reads(pooling: str, toy: Toy) -> None:
    reads, recipe = READS[pooling], recipe_of(pooling=pooling, max_length=24, **NOTHING_DROPS)
    with computing(ON_CPU), torch.no_grad():
        module = toy.prepared(recipe).model.pooling.eval()
        width = module.hidden_width
        hidden = [torch.randn(2, 24, width) for _ in range(toy.facts.n_layers + 1)]
        mask = torch.ones(2, 24, dtype=torch.long)
        mask[:, 20:] = 0

        def given(states: list[Tensor], mask: Tensor = mask) -> Tensor:
            output = type("Output", (), {})()
            output.hidden_states, output.last_hidden_state = tuple(states), states[-1]
            output.pooler_output = states[-1][:, 0]
            found: Tensor = module(output, mask)
            return found

        plain = given(hidden)
        middle = [torch.randn_like(one) if number < len(hidden) - 1 else one for number, one in enumerate(hidden)]
        padding = [torch.where(mask.unsqueeze(-1) == 0, torch.randn_like(one), one) for one in hidden]
        short = [one[:, :20] for one in hidden]
        assert torch.equal(given(middle), plain) != reads.below_the_top
        assert torch.equal(given(padding), plain) != reads.padding
        shorter = toy.prepared(recipe_of(pooling=pooling, max_length=20, **NOTHING_DROPS)).model.pooling.eval()
        module = shorter if shorter.width != module.width else module
        on_short = given(short, mask[:, :20])
        assert (on_short.shape != plain.shape or not torch.allclose(on_short, plain, atol=1e-6)) == reads.max_length
        assert (toy.prepared(recipe).data.train.sides is not None) == reads.sides
        layered = toy.resolved(pooling=pooling, pooling_layers=2)
        assert (layered is not None) == reads.layers


# --- a knob that declares something wrong is found


def mistaken(name: str, **changes: Any) -> Knob:
    return replace(knobs()[name], **changes)


@pytest.mark.parametrize("name", LIVE)
def test_a_wrong_declaration_is_found(name: str, toy: Toy) -> None:
    """Of every knob, whatever else it may declare."""
    knob, cases = knobs()[name], LIVE[name]
    if name in WITH_FROZEN_LAYERS:
        for states in set(get_args(FrozenStates)) - {knob.frozen_states}:
            assert disagreement_on_frozen_states(name, mistaken(name, frozen_states=states), toy)
    passes = {**knobs(), name: mistaken(name, varies_passes=None if knob.varies_passes else lambda recipe, facts: True)}
    assert any(disagreement_on_passes(name, *case, passes, toy) for case in cases)
    later = mistaken(name, begins=lambda recipe, n_rows: knob.begins(recipe, n_rows) + 1)
    assert any(disagreement_on_begin(name, *case, later, toy) for case in cases)


@pytest.mark.parametrize(("name", "others", "value"), LATE, ids=str)
def test_what_is_late_and_does_not_say_so_is_found(name: str, others: Knobs, value: Any, toy: Toy) -> None:
    at_once, recipe = (
        mistaken(name, begins=lambda recipe, n_rows: 1),
        toy.resolved(**{"epochs": 3, **others, name: value}),
    )
    assert recipe is not None
    begins = knobs()[name].begins(recipe, toy.n_rows)
    assert bool(disagreement_on_begin(name, others, value, at_once, toy)) == (begins > 1)
