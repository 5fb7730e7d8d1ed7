import math

import numpy as np
import pytest
import torch
from torch import nn

from gridsearch.optimizers.adam import AdamWithoutBiasCorrection, build_optimizer
from gridsearch.optimizers.schedule import linear_with_warmup

BETA1, BETA2 = 0.9, 0.999
N_STEPS = 50


def gradients(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return a gradient for every step: of very different sizes, as a clipped and an unclipped step are."""
    stream = np.random.default_rng(seed)
    return stream.normal(size=(N_STEPS, *shape)) * 10.0 ** stream.integers(-3, 2, size=(N_STEPS, *[1] * len(shape)))


def updated(
    start: np.ndarray, grads: np.ndarray, rates: list[float], eps: float, decay: float, corrected: bool
) -> np.ndarray:
    """Follow the formulas of Adam in float64."""
    p, m, v = start.astype(np.float64), np.zeros(start.shape), np.zeros(start.shape)
    for t, (g, lr) in enumerate(zip(grads, rates, strict=True), start=1):
        m = BETA1 * m + (1 - BETA1) * g
        v = BETA2 * v + (1 - BETA2) * g**2
        if corrected:
            p = p * (1 - lr * decay)
            p = p - lr * (m / (1 - BETA1**t)) / (np.sqrt(v / (1 - BETA2**t)) + eps)
        else:
            p = p - lr * m / (np.sqrt(v) + eps)
            p = p - lr * decay * p
    return p


@pytest.mark.parametrize("bias_correction", [True, False])
@pytest.mark.parametrize("eps", [1e-8, 1e-6, 1e-2])
def test_fifty_steps_follow_the_formula(bias_correction: bool, eps: float) -> None:
    shapes, decays = [(7, 3), (5,), (4, 4)], [0.3, 0.0, 0.01]
    starts = [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)]
    grads = [gradients(shape, 10 + i) for i, shape in enumerate(shapes)]
    parameters = [nn.Parameter(torch.tensor(start, dtype=torch.float32)) for start in starts]
    rates = [0.02 * linear_with_warmup(step, 5, N_STEPS) for step in range(N_STEPS)]
    optimizer = build_optimizer(
        [{"params": [p], "weight_decay": decay} for p, decay in zip(parameters, decays, strict=True)],
        learning_rate=0.02,
        epsilon=eps,
        bias_correction=bias_correction,
    )
    for step in range(N_STEPS):
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = torch.tensor(grad[step], dtype=torch.float32)
        for group in optimizer.param_groups:
            group["lr"] = rates[step]
        optimizer.step()
    for parameter, start, grad, decay in zip(parameters, starts, grads, decays, strict=True):
        expected = updated(start, grad, rates, eps, decay, bias_correction)
        assert np.abs(expected - start).max() > 0.05
        np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=2e-5, atol=2e-6)


def step_sizes(bias_correction: bool, n_steps: int) -> list[float]:
    """Return how far a parameter moves in each step under a constant gradient, in learning rates."""
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = build_optimizer(
        [{"params": [parameter], "weight_decay": 0.0}],
        learning_rate=1e-3,
        epsilon=1e-12,
        bias_correction=bias_correction,
    )
    sizes = []
    for _ in range(n_steps):
        before = parameter.item()
        parameter.grad = torch.ones(1)
        optimizer.step()
        sizes.append((before - parameter.item()) / 1e-3)
    return sizes


def test_the_first_steps_without_correction_are_too_large() -> None:
    sizes = step_sizes(bias_correction=False, n_steps=100)
    assert sizes[0] == pytest.approx(0.1 / math.sqrt(0.001), rel=1e-3)
    assert sizes[0] == pytest.approx(3.16, abs=0.01)
    assert max(sizes) == pytest.approx(6.5, abs=0.1)
    assert 8 <= sizes.index(max(sizes)) + 1 <= 14
    assert sizes[99] == pytest.approx(3.2, abs=0.1)


def test_the_steps_with_correction_are_one_learning_rate() -> None:
    np.testing.assert_allclose(step_sizes(bias_correction=True, n_steps=20), 1.0, rtol=1e-3)


def test_decay_comes_after_the_step_without_correction() -> None:
    parameter = nn.Parameter(torch.tensor([2.0]))
    optimizer = AdamWithoutBiasCorrection([{"params": [parameter], "weight_decay": 0.5}], lr=0.1, eps=1e-12)
    parameter.grad = torch.ones(1)
    optimizer.step()
    moved = 2.0 - 0.1 * 0.1 / math.sqrt(0.001)
    assert parameter.item() == pytest.approx(moved * (1 - 0.1 * 0.5), rel=1e-5)


@pytest.mark.parametrize("bias_correction", [True, False])
def test_a_step_leaves_the_settings_of_the_groups(bias_correction: bool) -> None:
    parameters = [nn.Parameter(torch.ones(2)) for _ in range(2)]
    groups = [{"params": [p], "weight_decay": decay} for p, decay in zip(parameters, [0.1, 0.0], strict=True)]
    optimizer = build_optimizer(groups, learning_rate=0.01, epsilon=1e-6, bias_correction=bias_correction)
    for _ in range(3):
        for parameter in parameters:
            parameter.grad = torch.ones(2)
        optimizer.step()
    settings = [(group["lr"], group["eps"], group["weight_decay"]) for group in optimizer.param_groups]
    assert settings == [(0.01, 1e-6, 0.1), (0.01, 1e-6, 0.0)]


@pytest.mark.parametrize("bias_correction", [True, False])
def test_a_rate_of_zero_moves_nothing_but_the_moments(bias_correction: bool) -> None:
    parameter = nn.Parameter(torch.ones(3))
    optimizer = build_optimizer(
        [{"params": [parameter], "weight_decay": 0.1}],
        learning_rate=0.0,
        epsilon=1e-8,
        bias_correction=bias_correction,
    )
    parameter.grad = torch.full((3,), 2.0)
    optimizer.step()
    assert torch.equal(parameter.detach(), torch.ones(3))
    torch.testing.assert_close(optimizer.state[parameter]["exp_avg"], torch.full((3,), 0.2))


def test_with_correction_it_is_torchs_own_adamw() -> None:
    optimizer = build_optimizer(
        [{"params": [nn.Parameter(torch.ones(1))], "weight_decay": 0.1}],
        learning_rate=0.01,
        epsilon=1e-6,
        bias_correction=True,
    )
    assert type(optimizer) is torch.optim.AdamW
    assert optimizer.param_groups[0]["betas"] == (BETA1, BETA2)


def test_parameters_without_gradient_stay_and_do_not_decay() -> None:
    read, unread = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = AdamWithoutBiasCorrection([{"params": [read, unread], "weight_decay": 0.5}], lr=0.1, eps=1e-8)
    read.grad = torch.ones(2)
    optimizer.step()
    assert torch.equal(unread.detach(), torch.ones(2))
    assert not torch.equal(read.detach(), torch.ones(2))
