import math

import numpy as np
import pytest
import torch
from torch import nn

from gridsearch.optimizers.adam import AdamWithoutBiasCorrection, OriginalBertAdam, build_optimizer
from gridsearch.optimizers.groups import Group
from gridsearch.optimizers.schedule import linear
from gridsearch.optimizers.settings import UpdateSettings

BETA1, BETA2 = 0.9, 0.999
N_STEPS = 50


def adam(groups: list[Group], learning_rate: float, epsilon: float, bias_correction: bool) -> torch.optim.Optimizer:
    settings = UpdateSettings(
        total_steps=N_STEPS, learning_rate=learning_rate, adam_epsilon=epsilon, bert_adam=not bias_correction
    )
    return build_optimizer(settings, groups)


def gradients(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Return a gradient for every step: of very different sizes, as a clipped and an unclipped step are."""
    stream = np.random.default_rng(seed)
    return stream.normal(size=(N_STEPS, *shape)) * 10.0 ** stream.integers(-3, 2, size=(N_STEPS, *[1] * len(shape)))


def take_steps(
    optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], grads: list[np.ndarray], rates: list[float]
) -> None:
    for step, rate in enumerate(rates):
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = torch.tensor(grad[step], dtype=torch.float32)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()


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
    rates = [0.02 * linear(step, 5, N_STEPS) for step in range(N_STEPS)]
    optimizer = adam(
        [{"params": [p], "weight_decay": decay} for p, decay in zip(parameters, decays, strict=True)],
        learning_rate=0.02,
        epsilon=eps,
        bias_correction=bias_correction,
    )
    take_steps(optimizer, parameters, grads, rates)
    for parameter, start, grad, decay in zip(parameters, starts, grads, decays, strict=True):
        expected = updated(start, grad, rates, eps, decay, bias_correction)
        assert np.abs(expected - start).max() > 0.05
        np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=2e-5, atol=2e-6)


def step_sizes(bias_correction: bool, n_steps: int) -> list[float]:
    """Return how far a parameter moves in each step under a constant gradient, in learning rates."""
    parameter = nn.Parameter(torch.zeros(1))
    optimizer = adam([{"params": [parameter], "weight_decay": 0.0}], 1e-3, 1e-12, bias_correction)
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
    optimizer = adam(groups, 0.01, 1e-6, bias_correction)
    for _ in range(3):
        for parameter in parameters:
            parameter.grad = torch.ones(2)
        optimizer.step()
    settings = [(group["lr"], group["eps"], group["weight_decay"]) for group in optimizer.param_groups]
    assert settings == [(0.01, 1e-6, 0.1), (0.01, 1e-6, 0.0)]


@pytest.mark.parametrize("bias_correction", [True, False])
def test_a_rate_of_zero_moves_nothing_but_the_moments(bias_correction: bool) -> None:
    parameter = nn.Parameter(torch.ones(3))
    optimizer = adam([{"params": [parameter], "weight_decay": 0.1}], 0.1, 1e-8, bias_correction)
    optimizer.param_groups[0]["lr"] = 0.0
    parameter.grad = torch.full((3,), 2.0)
    optimizer.step()
    assert torch.equal(parameter.detach(), torch.ones(3))
    torch.testing.assert_close(optimizer.state[parameter]["exp_avg"], torch.full((3,), 0.2))


def test_with_correction_it_is_torchs_own_adamw() -> None:
    optimizer = adam([{"params": [nn.Parameter(torch.ones(1))], "weight_decay": 0.1}], 0.01, 1e-6, True)
    assert type(optimizer) is torch.optim.AdamW
    assert optimizer.param_groups[0]["betas"] == (BETA1, BETA2)


def test_parameters_without_gradient_stay_and_do_not_decay() -> None:
    read, unread = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = AdamWithoutBiasCorrection([{"params": [read, unread], "weight_decay": 0.5}], lr=0.1, eps=1e-8)
    read.grad = torch.ones(2)
    optimizer.step()
    assert torch.equal(unread.detach(), torch.ones(2))
    assert not torch.equal(read.detach(), torch.ones(2))


# --- the original BertAdam


def original_updates(start: np.ndarray, grads: np.ndarray, rates: list[float], eps: float, decay: float) -> np.ndarray:
    """Follow the formulas of the original BertAdam in float64."""
    p, m, v = start.astype(np.float64), np.zeros(start.shape), np.zeros(start.shape)
    for g, lr in zip(grads, rates, strict=True):
        g = g * min(1.0, 1.0 / (np.sqrt((g**2).sum()) + 1e-6))
        m = BETA1 * m + (1 - BETA1) * g
        v = BETA2 * v + (1 - BETA2) * g**2
        p = p - lr * (m / (np.sqrt(v) + eps) + decay * p)
    return p


def test_fifty_steps_follow_the_formula_of_the_original() -> None:
    shapes, decays = [(7, 3), (5,), (4, 4)], [0.3, 0.0, 0.01]
    starts = [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)]
    grads = [gradients(shape, 10 + i) for i, shape in enumerate(shapes)]
    assert any((np.sqrt((g**2).sum()) > 1) and (np.sqrt((h**2).sum()) < 1) for g, h in zip(*grads[:2], strict=True))
    parameters = [nn.Parameter(torch.tensor(start, dtype=torch.float32)) for start in starts]
    rates = [0.02 * linear(step, 5, N_STEPS) for step in range(N_STEPS)]
    groups: list[Group] = [
        {"params": parameters[:1], "weight_decay": 0.3},
        {"params": parameters[1:2], "weight_decay": 0.0},
    ]
    groups += [{"params": parameters[2:], "weight_decay": 0.01}]
    settings = UpdateSettings(
        total_steps=N_STEPS, learning_rate=5e-5, optimizer="original_bert_adam", adam_epsilon=1e-6
    )
    optimizer = build_optimizer(settings, groups)
    take_steps(optimizer, parameters, grads, rates)
    for parameter, start, grad, decay in zip(parameters, starts, grads, decays, strict=True):
        expected = original_updates(start, grad, rates, 1e-6, decay)
        assert np.abs(expected - start).max() > 0.05
        np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=2e-5, atol=2e-6)


def test_the_original_clips_each_tensor_by_itself() -> None:
    """A long gradient beside a short one: a norm of all would shorten both."""
    long, short = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(4))
    optimizer = OriginalBertAdam([{"params": [long, short]}], lr=0.1, eps=1e-6)
    long.grad, short.grad = torch.full((4,), 50.0), torch.full((4,), 0.1)
    optimizer.step()
    torch.testing.assert_close(optimizer.state[long]["mean"], torch.full((4,), 0.05))
    torch.testing.assert_close(optimizer.state[short]["mean"], torch.full((4,), 0.01))


def test_decay_is_inside_the_step_of_the_original() -> None:
    parameter, free = nn.Parameter(torch.tensor([2.0])), nn.Parameter(torch.tensor([2.0]))
    optimizer = OriginalBertAdam([{"params": [parameter], "weight_decay": 0.5}, {"params": [free]}], lr=0.1, eps=1e-12)
    parameter.grad, free.grad = torch.ones(1), torch.ones(1)
    optimizer.step()
    moved = 2.0 - 0.1 * 0.1 / math.sqrt(0.001)
    assert free.item() == pytest.approx(moved, rel=1e-5)
    assert parameter.item() == pytest.approx(moved - 0.1 * 0.5 * 2.0, rel=1e-5)
