from collections.abc import Iterable

import pytest
import torch
from torch import Tensor, nn

from gridsearch.optimizers.averaging import ExponentialAverage, Lookahead, PlainAverage, WeightAverage


def walk(weight_average: WeightAverage, parameter: nn.Parameter, steps: Iterable[float]) -> list[float]:
    """Add to a parameter step by step; return where the weight_average is after each."""
    seen = []
    for number, step in enumerate(steps, start=1):
        with torch.no_grad():
            parameter += step
        weight_average.after_step(number)
        seen.append(evaluated(weight_average, parameter))
    return seen


def evaluated(weight_average: WeightAverage, parameter: Tensor) -> float:
    with weight_average.in_place():
        return parameter.item()


def test_lookahead_follows_the_formula() -> None:
    """Written out for k = 2, alpha = 0.25 and unit steps: fast 1 2 -> slow 0.5; fast 1.5 2.5 -> slow 1; 2 ..."""
    parameter = nn.Parameter(torch.tensor(0.0))
    weight_average = Lookahead([parameter], every=2, alpha=0.25)
    assert walk(weight_average, parameter, [1.0] * 5) == [0.0, 0.5, 0.5, 1.0, 1.0]
    assert parameter.item() == 2.0


def test_lookahead_of_one_step_and_alpha_one_is_the_inner_optimizer() -> None:
    parameter = nn.Parameter(torch.tensor(0.0))
    weight_average = Lookahead([parameter], every=1, alpha=1.0)
    assert walk(weight_average, parameter, [1.0, 2.0]) == [1.0, 3.0]
    assert parameter.item() == 3.0


def test_the_exponential_average_follows_the_formula() -> None:
    parameter = nn.Parameter(torch.tensor(1.0))
    weight_average = ExponentialAverage([parameter], decay=0.9)
    expected, average, value = [], 1.0, 1.0
    for _ in range(5):
        value += 2.0
        average = 0.9 * average + 0.1 * value
        expected.append(average)
    assert walk(weight_average, parameter, [2.0] * 5) == pytest.approx(expected)
    assert parameter.item() == 11.0


def test_the_plain_average_is_the_mean_of_every_kth_since_the_start() -> None:
    """After step 2, of every second: the weights after steps 4 and 6 are 4 and 6."""
    parameter = nn.Parameter(torch.tensor(0.0))
    weight_average = PlainAverage([parameter], first_step=2, every=2)
    ready = []
    for number in range(1, 8):
        with torch.no_grad():
            parameter += 1.0
        weight_average.after_step(number)
        ready.append(weight_average.is_ready)
    assert ready == [False, False, False, True, True, True, True]
    assert evaluated(weight_average, parameter) == 5.0
    assert parameter.item() == 7.0


def test_in_place_is_undone_even_after_an_error() -> None:
    parameter = nn.Parameter(torch.tensor(1.0))
    weight_average = ExponentialAverage([parameter], decay=0.5)
    walk(weight_average, parameter, [2.0])
    with pytest.raises(ZeroDivisionError), weight_average.in_place():
        1 / 0  # noqa: B018
    assert parameter.item() == 3.0
    assert evaluated(weight_average, parameter) == 2.0


def test_an_optimizer_goes_on_with_its_own_weights() -> None:
    """Exchanging storage must not cut the optimizer off from the parameter that it updates."""
    parameter = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([parameter], lr=0.1, fused=True)
    weight_average = ExponentialAverage([parameter], decay=0.5)
    with weight_average.in_place():
        pass
    parameter.grad = torch.ones(3)
    optimizer.step()
    weight_average.after_step(1)
    assert parameter[0].item() == pytest.approx(0.9 * 0.999, rel=1e-2)
    torch.testing.assert_close(weight_average.weights[0], (1 + parameter.detach()) / 2)
