"""Several labels a row, and numbers: the losses, the loop, the knobs that act and those that cannot."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, huber_loss, mse_loss

from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.resolve import dead_knobs, without
from gridsearch.tasks.judging.judge import measured
from gridsearch.tasks.task import Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.kept_weights import open_kept, predict_logits, save_weights
from gridsearch.training.losses.multilabel import MultilabelLoss, positive_weights
from gridsearch.training.losses.scores import ScoreLoss
from gridsearch.trial import make_trial
from tests.fixtures_core import reads
from tests.liveness_bench import Bench
from tests.liveness_cases import LIVE
from tests.training.label_kinds import numbers_of_texts, several_of
from tests.training.parts.joint import joint_of

CPU = torch.device("cpu")
Knobs = Mapping[str, Any]
STREAM = np.random.default_rng(0)
LABELS = (STREAM.random((12, 3)) < 0.4).astype(np.int8)
NUMBERS = STREAM.normal(50, 10, 12)
LOGITS = torch.tensor(STREAM.normal(size=(12, 3)), dtype=torch.float32)
SAID = torch.tensor(NUMBERS + STREAM.normal(0, 8, 12), dtype=torch.float32)[:, None]
ROWS = np.arange(12)


def of_several(passes: list[torch.Tensor], **knobs: Any) -> float:
    loss = MultilabelLoss(Recipe(**knobs), LABELS, CPU)
    return float(loss([one[None] for one in passes], ROWS, loss.size_of(ROWS)))


def of_numbers(passes: list[torch.Tensor], **knobs: Any) -> float:
    loss = ScoreLoss(Recipe(**knobs), NUMBERS, CPU)
    return float(loss([one[None] for one in passes], ROWS, loss.size_of(ROWS)))


@pytest.mark.parametrize("weights", ["none", "balanced", "log_counts", (1.0, 2.0, 0.5)])
def test_several_labels_have_torchs_loss(weights: Any) -> None:
    truth = torch.tensor(LABELS, dtype=torch.float32)
    n_there = LABELS.sum(axis=0)
    asked = {"balanced": (12 - n_there) / n_there, "log_counts": np.log(12 / n_there), "none": np.ones(3)}
    expected = torch.tensor(asked[weights] if isinstance(weights, str) else weights, dtype=torch.float32)
    theirs = binary_cross_entropy_with_logits(LOGITS, truth, pos_weight=expected)
    assert of_several([LOGITS], class_weights=weights) == pytest.approx(float(theirs), rel=1e-6)


def test_a_label_that_no_row_has_weighs_one() -> None:
    truth = np.array([[1, 0], [0, 0], [1, 0], [1, 0]])
    weights = positive_weights("balanced", truth, CPU)
    assert weights is not None
    assert weights.tolist() == pytest.approx([1 / 3, 1.0])


def test_smoothing_and_focus_of_several_labels() -> None:
    truth = torch.tensor(LABELS, dtype=torch.float32)
    smoothed = binary_cross_entropy_with_logits(LOGITS, truth * 0.8 + 0.1)
    assert of_several([LOGITS], label_smoothing=0.2) == pytest.approx(float(smoothed), rel=1e-6)
    p = torch.sigmoid(LOGITS)
    right = torch.where(truth == 1, p, 1 - p)
    focused = (-((1 - right) ** 2) * right.log()).mean()
    assert of_several([LOGITS], focal_gamma=2.0) == pytest.approx(float(focused), rel=1e-5)


def test_divergences_of_two_passes() -> None:
    p, q = torch.sigmoid(LOGITS), torch.sigmoid(LOGITS.flip(0))
    apart = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log() + q * (q / p).log()
    apart = (apart + (1 - q) * ((1 - q) / (1 - p)).log()) / 2
    alone = (of_several([LOGITS]) + of_several([LOGITS.flip(0)])) / 2
    assert of_several([LOGITS, LOGITS.flip(0)], r_drop=0.5) == pytest.approx(
        alone + 0.5 * float(apart.mean()), rel=1e-5
    )
    squared = float((((SAID - SAID.flip(0)) / NUMBERS.std()) ** 2 / 2).mean())
    alone = (of_numbers([SAID]) + of_numbers([SAID.flip(0)])) / 2
    assert of_numbers([SAID, SAID.flip(0)], r_drop=0.5) == pytest.approx(alone + 0.5 * squared, rel=1e-5)


def test_numbers_have_torchs_losses_of_what_is_standardised() -> None:
    z = (SAID[:, 0] - NUMBERS.mean()) / NUMBERS.std()
    truth = torch.tensor((NUMBERS - NUMBERS.mean()) / NUMBERS.std(), dtype=torch.float32)
    assert of_numbers([SAID]) == pytest.approx(float(mse_loss(z.float(), truth)), rel=1e-4)
    theirs = huber_loss(z.float(), truth, delta=0.3)
    assert of_numbers([SAID], score_loss="huber", huber_delta=0.3) == pytest.approx(float(theirs), rel=1e-4)


def test_losses_of_chance() -> None:
    assert MultilabelLoss(Recipe(), LABELS, CPU).of_chance() == pytest.approx(np.log(2))
    assert ScoreLoss(Recipe(), NUMBERS, CPU).of_chance() == pytest.approx(1.0, rel=1e-5)


# --- the loop


@pytest.fixture(scope="module")
def on(family_folders: dict[str, Path], task: Task) -> Callable[[str], Bench]:
    tasks = {"several": several_of(task), "numbers": numbers_of_texts(task)}
    joint = joint_of(dict(tasks))
    return cache(lambda kind: Bench(family_folders["bert"], joint if kind == "both" else tasks[kind]))


OF_NUMBERS = [("score_loss", {}, "huber"), ("huber_delta", {"score_loss": "huber"}, 0.1)]
OF_SEVERAL = [
    ("label_thresholds", {}, "dev"),
    ("class_weights", {}, "balanced"),
    ("class_weights", {}, (1.0, 2.0, 1.0)),
    ("label_smoothing", {}, 0.1),
    ("focal_gamma", {}, 2.0),
    ("r_drop", {}, 1.0),
]
REFUSED: Mapping[str, Mapping[tuple[str, Any], str]] = {
    "several": {
        ("class_weights", (1.0, 2.0)): "class_weights needs a weight for each of the 3 labels, but has 2",
        **{
            (knob, value): "the task has no two classes"
            for knob in ("closure", "closure_cap", "closure_ratio", "outside_pairs")
            for _, value in LIVE[knob]
        },
    },
    "numbers": {
        **{
            (knob, value): "the task predicts numbers, and has no labels"
            for knob in ("class_weights", "label_smoothing", "focal_gamma")
            for _, value in LIVE[knob]
        },
        **{
            (knob, value): "single texts"
            for knob in ("closure", "closure_cap", "closure_ratio", "outside_pairs", "pair_swap", "prediction_order")
            for _, value in LIVE[knob]
        },
        ("cooccurrence", "embedding"): "single texts",
        ("cooccurrence", "add_scalar"): "single texts",
        ("pooling", "segments"): "single texts",
        ("token_types", "zeros"): "one segment",
    },
}
ALL = [("several", *case) for case in OF_SEVERAL] + [("numbers", *case) for case in OF_NUMBERS]
QUICK = ("pooling", "learning_rate", "adversarial", "r_drop", "mixout", "frozen_layers", "checkpoints", "pair_swap")


def others_of(kind: str) -> list[Any]:
    """Every other knob, on tasks of this kind; ``make test`` tries those that a kind of labels may touch."""
    own = {knob for of, knob, *_ in ALL if of == kind}
    return [
        pytest.param(kind, knob, *case, marks=() if (knob in QUICK and not number) else pytest.mark.slow)
        for knob, cases in LIVE.items()
        if knob not in own
        for number, case in enumerate(cases)
    ]


@pytest.mark.parametrize(
    ("kind", "knob", "others", "value"), [*ALL, *others_of("several"), *others_of("numbers")], ids=str
)
def test_a_knob_acts(kind: str, knob: str, others: Knobs, value: Any, on: Callable[[str], Bench]) -> None:
    bench = on(kind)
    one, other = bench.resolved(**others), bench.resolved(**{**others, knob: value})
    if reason := REFUSED[kind].get((knob, value), ""):
        assert reason in bench.refusal(other)
        return
    assert bench.refusal(other) == ""
    assert bench.numbers(one) != bench.numbers(other)


@pytest.mark.parametrize(
    ("kind", "recipe", "reason"),
    [
        ("several", {"score_loss": "huber"}, "the task predicts labels, and no numbers"),
        ("several", {"huber_delta": 0.5}, "the task predicts labels, and no numbers"),
        ("numbers", {"huber_delta": 0.5}, "has no bend"),
        ("numbers", {"label_thresholds": "dev"}, "no row of the task has several"),
        ("numbers", {"class_weights": "balanced"}, "has no labels"),
        ("numbers", {"label_smoothing": 0.1}, "has no labels"),
        ("numbers", {"focal_gamma": 2.0}, "has no labels"),
        ("several", {"class_weights": (1.0, 1.0, 1.0)}, "weights of 1 weigh nothing"),
    ],
    ids=str,
)
def test_a_dead_knob_changes_no_bit(kind: str, recipe: Knobs, reason: str, on: Callable[[str], Bench]) -> None:
    bench = on(kind)
    dead = bench.resolved(**recipe)
    (told,) = dead_knobs(dead, bench.facts).values()
    assert reason in told
    assert bench.numbers(dead) == bench.numbers(without(dead, recipe.keys()))


def test_thresholds_belong_to_one_epoch(on: Callable[[str], Bench]) -> None:
    recipe = on("several").resolved(label_thresholds="dev", checkpoints=2, epochs=2)
    assert "belongs to the logits of one epoch" in on("several").refusal(recipe)


@pytest.mark.parametrize(
    ("kind", "thresholds"),
    [("several", "half"), ("several", "dev"), ("numbers", "half"), ("both", "half"), ("both", "dev")],
)
def test_what_is_kept_says_the_same(kind: str, thresholds: str, on: Callable[[str], Bench], tmp_path: Path) -> None:
    """Metrics are those of the stored outputs, and kept weights predict these again, thresholds and units included."""
    bench = on(kind)
    recipe = bench.resolved(label_thresholds=thresholds, learning_rate=1e-3)
    trial = make_trial(recipe, seed=0, task="a task", encoder=bench.encoder.identity)
    outcome = finetune(trial, bench.data(*reads(recipe)), bench.encoder, Execution(keep_weights=True))
    assert outcome.weights is not None
    save_weights(tmp_path / "kept", trial, outcome.weights, bench.encoder, bench.task)
    for name, part in bench.task.parts.items():
        truth = part.truth(part.dev)
        assert truth is not None
        found = outcome.parts[name]
        assert found.dev == measured(truth, found.dev_logits, part.labelling)
        again = predict_logits(open_kept(tmp_path / "kept"), part.dev, name)
        assert again == pytest.approx(found.dev_logits, abs=1e-4)


def test_numbers_are_predicted_in_their_own_units(on: Callable[[str], Bench]) -> None:
    """Before it has learned much, a model says about the mean: the head begins near 0."""
    bench = on("numbers")
    recipe = bench.resolved(learning_rate=1e-9)
    trial = make_trial(recipe, seed=0, task="a task", encoder=bench.encoder.identity)
    outcome = finetune(trial, bench.data(*reads(recipe)), bench.encoder)
    truth = bench.task.parts["task"].truth(bench.task.parts["task"].train)
    assert outcome.parts["task"].dev_logits.mean() == pytest.approx(truth.mean(), abs=2 * truth.std())
    assert outcome.parts["task"].dev_logits.shape[1] == 1
