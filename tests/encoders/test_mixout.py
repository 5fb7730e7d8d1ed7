"""Mixout: what the formula says, the same mask for what is one pass, and nothing of it in what is frozen."""

import pytest
import torch
from torch import nn

from gridsearch.encoders.mixout import Mixout


class Sum(nn.Module):
    """Gives its weights back, so that the mix shows."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 20_000))
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([self.weight, self.frozen]) * inputs["one"]


ONE = {"one": torch.ones(())}


def moved(probability: float) -> tuple[Sum, Mixout, torch.Tensor]:
    model = Sum()
    mixout, first = Mixout(model, probability, seed=3), model.weight.detach().clone()
    with torch.no_grad():
        model.weight += 0.25
    return model, mixout, first


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_a_weight_is_its_first_value_or_further_from_it(probability: float) -> None:
    model, mixout, first = moved(probability)
    mixed = mixout(ONE, 1, [0, 1], 0)[:-3]
    found = mixed.detach()
    back = torch.isclose(found, first)
    assert float(back.float().mean()) == pytest.approx(probability, abs=0.02)
    torch.testing.assert_close(found[~back], (first + 0.25 / (1 - probability))[~back], rtol=1e-4, atol=1e-5)
    assert float(found.mean()) == pytest.approx(float(model.weight.detach().mean()), abs=0.02)
    mixed.sum().backward()
    assert model.weight.grad is not None
    torch.testing.assert_close(model.weight.grad, (~back).float() / (1 - probability))


def test_before_the_first_update_it_changes_no_output() -> None:
    model = Sum()
    assert torch.equal(Mixout(model, 0.5, seed=3)(ONE, 1, [0], 0), model(ONE))


def test_a_pass_has_one_mask_and_another_pass_another() -> None:
    _, mixout, _ = moved(0.5)
    one = mixout(ONE, 1, [0, 1], 0)
    assert torch.equal(mixout(ONE, 1, [0, 1], 0), one)
    for name in ((2, [0, 1], 0), (1, [0, 2], 0), (1, [0, 1], 1)):
        assert not torch.equal(mixout(ONE, *name), one)
    assert torch.equal(one[-3:], torch.ones(3)), "what is frozen is what it was"
