"""Every knob of a pretraining changes what is made, where it may be set; and nothing where it is said to be dead."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest
import torch

from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.pretraining.published_head import read_base
from gridsearch.recipe.pretraining.knobs import AUGMENTED, PREFIX, PretrainingRecipe
from gridsearch.recipe.recipe import knobs
from gridsearch.stage import Stage
from gridsearch.tasks.task import Task
from gridsearch.training.execution import computing
from gridsearch.training.pretraining import Run
from tests.fixtures_core import ON_CPU, slow, some_quick
from tests.pretraining_cases import DEAD, LIVE, SCRATCH, Knobs
from tests.training.pretraining_bench import SMALL, PretrainingBench, with_corpus

CASES = [(name, *case) for name, cases in LIVE.items() for case in cases]
DEAD_CASES = [(name, case) for name, cases in DEAD.items() for case in cases if LIVE.get(name)]
"""Of a knob that has one value yet, there is none to set."""
NAMES = set(PretrainingRecipe.model_fields)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def bench(bert_folder: Path, task: Task) -> PretrainingBench:
    return PretrainingBench(bert_folder, with_corpus(task))


def weights(bench: PretrainingBench, stage: Stage) -> dict[str, np.ndarray]:
    """Return the encoder that a stage makes."""
    with computing(ON_CPU):
        run = Run(stage, bench.corpus(stage), bench.base, ON_CPU)
        for _ in run.points(lambda: None):
            pass
        with run.steps.updates.evaluated_weights(), torch.no_grad():
            return {name: one.detach().numpy().copy() for name, one in run.model.encoder.named_parameters()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_every_knob_has_its_cases() -> None:
    assert LIVE.keys() == NAMES
    declared = {name.removeprefix(PREFIX) for name, knob in knobs().items() if knob.cannot_act is not None}
    assert DEAD.keys() == declared & NAMES


def named_values(annotation: Any) -> set[Any]:
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return set().union(*(named_values(part) for part in get_args(annotation)))


@pytest.mark.parametrize("name", LIVE)
def test_every_named_value_has_a_case(name: str) -> None:
    tried = {value for _, value in LIVE[name] if isinstance(value, str)} | {SMALL.get(name)}
    neutral = getattr(PretrainingRecipe(), name)
    named = named_values(PretrainingRecipe.model_fields[name].annotation) - {neutral}
    # Corpora of added pairs take knobs of the fine-tune: tests/runners/test_added_pairs.py tries them.
    assert {value for value in named if AUGMENTED not in str(value)} <= tried


@pytest.mark.parametrize(("name", "others", "value"), some_quick(CASES, *range(0, len(CASES), 4)), ids=str)
def test_a_knob_changes_what_is_made(name: str, others: Knobs, value: Any, bench: PretrainingBench) -> None:
    seed = 1 if name == "seed" and value == "trial" else 0
    found = {**others, name: value}
    if name == "epochs":
        found["steps"] = PretrainingRecipe().steps  # one of them says how long
    recipe = bench.resolved(found)
    assert not bench.dead(recipe)
    one, other = bench.stage(**others, seed=seed), bench.stage_of(recipe, seed=seed)
    assert other is not None
    assert one.id != other.id
    # A checkpoint is a step of the same run, and nothing else is.
    assert (one.run == other.run) == (name == "checkpoint")
    assert not same(weights(bench, one), weights(bench, other))


@pytest.mark.parametrize(("name", "others"), some_quick(DEAD_CASES, *range(0, len(DEAD_CASES), 4)), ids=str)
def test_a_dead_knob_is_told_and_changes_nothing(name: str, others: Knobs, bench: PretrainingBench) -> None:
    value = others.get(name, LIVE[name][0][1])
    recipe = bench.resolved({**others, name: value})
    assert name in bench.dead(recipe)
    if recipe.pretraining.objective == "none":
        assert bench.stage_of(recipe) is None
        return
    neutral = getattr(PretrainingRecipe(), name)
    with_it, without = (
        replace(stage, recipe=stage.recipe.model_copy(update={name: one}))
        for stage in (bench.stage(**{**others, name: value}),)
        for one in (value, neutral)
    )
    if name in ("batch_size", "form", "max_length"):  # what is read is other, and no step reads it
        assert with_it.total_steps == 0
    assert same(weights(bench, with_it), weights(bench, without))


def test_some_layers_of_an_encoder_need_no_step(bench: PretrainingBench) -> None:
    """Fine-tuning the lower half of an encoder is a question by itself."""
    asked: Knobs = {"take_layers": (1,), "steps": 0, "max_length": 128}
    recipe = bench.acting(bench.resolved(asked))
    stage = bench.stage_of(recipe)
    assert stage is not None
    assert (recipe.pretraining.objective, recipe.pretraining.take_layers, stage.total_steps) == ("mlm", (1,), 0)
    assert stage.knobs["take_layers"] == (1,)
    made, base = weights(bench, stage), bench.base.state
    assert {name.split(".")[2] for name in base.keys() - made.keys()} == {"1", "2", "3"}
    assert all(np.array_equal(made[name], base[name]) for name in made.keys() & base.keys())


REFUSED = {
    "pretraining.take_layers names layer 9, but": {"take_layers": (1, 9)},
    "pretraining.steps and pretraining.epochs both say how long; choose one": {"steps": 4, "epochs": 2},
    "pretraining.checkpoint = 9 lies past the last of 4 steps": {"checkpoint": 9},
    "pretraining.mask_share and pretraining.random_share together may not exceed 1": {"random_share": 0.3},
    "pretraining.ngram = 'daniellibin' leaves a token behind each stretch, so that no rate above 0.5": {
        "mask": "ngram",
        "rate": 0.6,
        "rate_is": "realised",
    },
    "pretraining.heads must divide pretraining.width": {**SCRATCH, "heads": 3},
    "pretraining.max_length may not exceed the encoder's 64 positions": {"max_length": 65},
    "pretraining.lookahead_steps may not exceed the 4 steps of the pretraining": {"lookahead_steps": 5},
    "pretraining.next_sentence needs a pooler and two segments": {
        **SCRATCH,
        "family": "electra",
        "form": "pairs",
        "next_sentence": True,
    },
    "needs labelled rows, and pretraining.form = 'single' reads none": {"objective": "mlm_label"},
    "needs labelled rows, and pretraining.corpus = 'files' reads none": {
        "objective": "mlm_label",
        "corpus": "files",
        "form": "pairs",
    },
}


@pytest.mark.parametrize(("sentence", "found"), REFUSED.items(), ids=str)
def test_what_contradicts_itself_is_refused(sentence: str, found: Knobs, bench: PretrainingBench) -> None:
    assert sentence in bench.is_refused(**found)


def test_files_that_no_task_names(bert_folder: Path, task: Task) -> None:
    bench = PretrainingBench(bert_folder, replace(with_corpus(task), corpus_files=()))
    assert "reads further files, but the task names none under [corpus]" in bench.is_refused(corpus="files")


def test_texts_are_read_once_for_all_masks_without_words(bench: PretrainingBench) -> None:
    knobs_of = [{}, {"mask": "ngram"}, {"mask": "ngram", "ngram": "rank18", "rate_is": "realised"}, {"rate": 0.3}]
    assert len({id(bench.corpus(bench.stage(**one))) for one in knobs_of}) == 1
    of_words = [bench.corpus(bench.stage(mask=mask)) for mask in ("bernoulli", "whole_word", "statistical_word")]
    marks = [corpus.begins_word for corpus in of_words]
    assert marks[0] is None
    assert marks[1] is not None
    assert marks[2] is not None
    assert not np.array_equal(marks[1], marks[2])
    assert all(np.array_equal(corpus.ids, of_words[0].ids) for corpus in of_words)


ALIKE: dict[str, tuple[Knobs, Knobs]] = {
    "the last step is the last": ({"checkpoint": 4}, {}),
    "the encoder's own dropout": ({"dropout": 0.1}, {}),
    "whole steps of warm-up": ({"warmup_proportion": 0.3}, {"warmup_proportion": 0.25}),
    "no batch is larger than the corpus": ({"batch_size": 500}, {"batch_size": 192}),
    "no step that reads a label": ({**SCRATCH, "steps": 0, "objective": "mlm_label"}, {**SCRATCH, "steps": 0}),
    "slow weights that are the fast ones": ({"lookahead_steps": 2, "lookahead_alpha": 1.0}, {}),
}


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE)
def test_one_meaning_has_one_id(one: Knobs, other: Knobs, bench: PretrainingBench) -> None:
    first, second = bench.stage(**one), bench.stage(**other)
    assert first.id == second.id
    unresolved = [
        bench.stage_of(bench.resolved({}).model_copy(update={PREFIX + name: value for name, value in knobs_of.items()}))
        for knobs_of in (one, other)
    ]
    of_one, of_other = (weights(bench, stage) for stage in unresolved if stage is not None)
    assert same(of_one, of_other), "they are one because they make the same"


def test_epochs_are_steps(bench: PretrainingBench) -> None:
    n_rows = len(bench.corpus(bench.stage()))
    two = bench.stage(epochs=2, steps=PretrainingRecipe().steps)
    assert two == bench.stage(steps=2 * PretrainingRecipe(batch_size=SMALL["batch_size"]).steps_per_epoch(n_rows))


def test_no_step_from_the_encoder_is_no_pretraining(bench: PretrainingBench) -> None:
    recipe = bench.resolved({"steps": 0})
    assert bench.dead(recipe)["objective"] == "pretraining.steps = 0 leaves the encoder as it is"
    assert bench.acting(recipe).pretraining == PretrainingRecipe()


@pytest.mark.parametrize(
    "family", [family if family in ("bert", "modernbert") else slow(family) for family in FAMILIES]
)
def test_every_family_learns_its_texts(family: str, family_folders: dict[str, Path], task: Task) -> None:
    """The loss of later steps is below that of the first ones, and a longer training is another encoder."""
    bench = PretrainingBench(family_folders[family], with_corpus(task))
    stage = bench.stage(steps=30, dropout=0.0)
    with computing(ON_CPU):
        losses = [point.loss for point in Run(stage, bench.corpus(stage), bench.base, ON_CPU).points(lambda: None)]
    assert sum(losses[-5:]) < sum(losses[:5])
    assert bench.base.head == read_base(family_folders[family], "").head == {}
