"""Losses against their formulas, on logits that come from nowhere."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from gridsearch.recipe.recipe import Recipe
from gridsearch.training.losses.classes import ClassLoss, chance_loss, class_weights, symmetric_divergence

CPU = torch.device("cpu")
LABELS = np.array([0, 2, 1, 1, 0])
ROWS = np.arange(5)


def logits(n_samples: int = 1, seed: int = 0) -> Tensor:
    return torch.randn(n_samples, 5, 3, generator=torch.Generator().manual_seed(seed)) * 2


def loss_of(*passes: Tensor, rows: np.ndarray = ROWS, **knobs: Any) -> float:
    loss = ClassLoss(Recipe(**knobs), LABELS, 3, CPU)
    return float(loss([part[:, rows] for part in passes], rows, loss.size_of(ROWS)))


@pytest.mark.parametrize(("weights", "smoothing"), [("none", 0.0), ("none", 0.1), ((1.0, 5.0, 0.2), 0.0)])
def test_it_is_torchs_loss(weights: Any, smoothing: float) -> None:
    tensor = None if weights == "none" else torch.tensor(weights)
    expected = cross_entropy(logits()[0], torch.tensor(LABELS), weight=tensor, label_smoothing=smoothing)
    assert loss_of(logits(), class_weights=weights, label_smoothing=smoothing) == pytest.approx(float(expected))


def test_label_smoothing_shares_with_the_true_label_too() -> None:
    """torch's convention: with two labels and 0.1 the targets are .95 and .05."""
    p = softmax(logits()[0, :, :2], dim=-1)
    loss = ClassLoss(Recipe(label_smoothing=0.1), LABELS % 2, 2, CPU)
    targets = torch.where(torch.eye(2)[LABELS % 2] == 1, 0.95, 0.05)
    found = loss([logits()[:, :, :2]], ROWS, loss.size_of(ROWS))
    assert float(found) == pytest.approx(float(-(targets * p.log()).sum(1).mean()))


@pytest.mark.parametrize("gamma", [0.5, 2.0])
@pytest.mark.parametrize("weights", ["none", (1.0, 5.0, 0.2)])
def test_focal_loss_follows_the_formula(gamma: float, weights: Any) -> None:
    p = softmax(logits()[0].double(), dim=-1)
    w = [1.0, 1.0, 1.0] if weights == "none" else weights
    terms = [(w[y], -w[y] * (1 - p[i, y]) ** gamma * p[i, y].log()) for i, y in enumerate(LABELS)]
    expected = sum(float(term) for _, term in terms) / sum(weight for weight, _ in terms)
    assert loss_of(logits(), focal_gamma=gamma, class_weights=weights) == pytest.approx(expected, rel=1e-5)


@given(
    n_labels=st.integers(2, 5),
    seed=st.integers(0, 99),
    smoothing=st.sampled_from([0.0, 0.1, 0.5]),
    gamma=st.sampled_from([0.0, 0.5, 2.0]),
    r_drop=st.sampled_from([0.0, 0.7]),
    weights=st.sampled_from(["none", "balanced", "log_counts", "own"]),
)
def test_all_parts_together_follow_the_formula(
    n_labels: int, seed: int, smoothing: float, gamma: float, r_drop: float, weights: str
) -> None:
    """Sum of w_y (1 - p_y)^gamma H over sum of w_y, in double precision, and R-Drop's mean over rows."""
    stream = np.random.default_rng(seed)
    labels = stream.integers(n_labels, size=9)
    own = tuple(stream.uniform(0.1, 9, n_labels).tolist())
    counts = np.bincount(labels, minlength=n_labels)
    known = {
        "none": np.ones(n_labels),
        "own": np.array(own),
        "balanced": 9 / (n_labels * np.maximum(counts, 1)),
        # Rows of one label weigh alike, and are not divided by a sum of zeros.
        "log_counts": np.log(9 / np.maximum(counts, 1)) if counts.max() < 9 else np.ones(n_labels),
    }
    w = known[weights][labels]
    passes = [stream.normal(size=(9, n_labels)) * 2 for _ in range(2 if r_drop else 1)]
    logs = [one - np.log(np.exp(one).sum(axis=1, keepdims=True)) for one in passes]
    target = np.eye(n_labels)[labels] * (1 - smoothing) + smoothing / n_labels
    rows = np.arange(9)
    expected = np.mean(
        [(w * (1 - np.exp(log[rows, labels])) ** gamma * -(target * log).sum(axis=1)).sum() / w.sum() for log in logs]
    )
    if r_drop:
        p, q = np.exp(logs[0]), np.exp(logs[1])
        expected += r_drop * ((p - q) * (logs[0] - logs[1])).sum(axis=1).mean() / 2
    chosen: Any = own if weights == "own" else weights
    recipe = Recipe(label_smoothing=smoothing, focal_gamma=gamma, r_drop=r_drop, class_weights=chosen)
    loss = ClassLoss(recipe, labels, n_labels, CPU)
    found = loss([torch.tensor(one)[None] for one in passes], rows, loss.size_of(rows))
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_log_counts_are_logarithms_of_inverse_shares() -> None:
    """ln(N / n) of the training rows; a label without any weighs nothing, a single label leaves nothing to weigh."""
    found = class_weights("log_counts", np.array([0, 0, 0, 1, 1, 3, 3, 3, 3, 3]), 4, CPU)
    assert found is not None
    assert found.tolist() == pytest.approx([math.log(10 / 3), math.log(5), 0.0, math.log(2)])
    assert class_weights("log_counts", np.array([1, 1]), 3, CPU) is None


@pytest.mark.slow  # 0.3 s
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("weights", ["balanced", "log_counts", (1.0, 97 / 3)])
def test_smoothing_and_weights_do_not_make_the_rare_label_the_answer(smoothing: float, weights: Any) -> None:
    """97 rows of one label and 3 of the other, told apart by one number: a linear model learns them."""
    labels = np.array([0] * 97 + [1] * 3)
    inputs = torch.tensor([[1.0, 1.0] if label == 0 else [-1.0, 1.0] for label in labels])
    loss = ClassLoss(Recipe(class_weights=weights, label_smoothing=smoothing), labels, 2, CPU)
    model = torch.zeros(2, 2, requires_grad=True)
    optimizer = torch.optim.Adam([model], lr=0.1)
    rows = np.arange(100)
    for _ in range(150):
        optimizer.zero_grad()
        loss([(inputs @ model)[None]], rows, loss.size_of(rows)).backward()
        optimizer.step()
    assert (inputs @ model).argmax(dim=1).tolist() == labels.tolist()


def test_focal_loss_of_a_sure_row_has_a_gradient() -> None:
    """p rounds to 1 in float32: the gradient is then 0 and not NaN."""
    sure = torch.tensor([[[200.0, 0.0, 0.0]] * 5]).requires_grad_()
    loss = ClassLoss(Recipe(focal_gamma=0.5), np.zeros(5, dtype=np.int64), 3, CPU)
    loss([sure], ROWS, loss.size_of(ROWS)).backward()
    assert sure.grad is not None
    assert sure.grad.isfinite().all()


def test_samples_of_dropout_are_averaged_as_losses() -> None:
    samples = logits(n_samples=4)
    expected = np.mean([float(cross_entropy(sample, torch.tensor(LABELS))) for sample in samples])
    assert loss_of(samples) == pytest.approx(expected)
    assert loss_of(samples) != pytest.approx(loss_of(samples.mean(0, keepdim=True)), rel=1e-3)


def test_r_drop_follows_the_formula() -> None:
    one, other = logits(seed=1), logits(seed=2)
    log_p, log_q = log_softmax(one[0], dim=-1), log_softmax(other[0], dim=-1)
    divergence = (
        kl_div(log_q, log_p, log_target=True, reduction="batchmean")
        + kl_div(log_p, log_q, log_target=True, reduction="batchmean")
    ) / 2
    expected = (loss_of(one) + loss_of(other)) / 2 + 0.7 * float(divergence)
    assert ClassLoss(Recipe(r_drop=0.7), LABELS, 3, CPU).n_passes == 2
    assert loss_of(one, other, r_drop=0.7) == pytest.approx(expected)
    assert float(symmetric_divergence(one, one)) == 0.0


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"class_weights": (1.0, 5.0, 0.2), "label_smoothing": 0.2, "focal_gamma": 2.0},
        {"class_weights": (1.0, 5.0, 0.2), "r_drop": 3.0},
    ],
)
def test_parts_of_a_step_add_up(knobs: dict[str, Any]) -> None:
    passes = [logits(2, seed) for seed in range(2 if "r_drop" in knobs else 1)]
    parts = [loss_of(*passes, rows=rows, **knobs) for rows in (np.array([3, 0]), np.array([4, 1, 2]))]
    assert sum(parts) == pytest.approx(loss_of(*passes, **knobs))


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"focal_gamma": 2.0},
        {"label_smoothing": 0.3},
        {"r_drop": 1.0},
        {"class_weights": "balanced", "label_smoothing": 0.3, "focal_gamma": 1.0, "r_drop": 1.0},
        {"class_weights": (1.0, 50.0, 0.1), "label_smoothing": 0.3},
    ],
)
def test_the_loss_of_chance(knobs: dict[str, Any]) -> None:
    even = [torch.zeros(1, 5, 3)] * 2
    assert chance_loss(Recipe(**knobs), 3) == pytest.approx(loss_of(*even, **knobs))
    assert chance_loss(Recipe(), 3) == math.log(3)
