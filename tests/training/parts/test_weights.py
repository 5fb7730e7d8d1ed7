"""What the losses of parts count: learned uncertainty and dynamic priority, against closed forms on toy losses."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.encoders.heads import PartVariances
from gridsearch.optimizers.groups import parameter_groups
from gridsearch.recipe.parts.knobs import PartsRecipe
from gridsearch.tasks.encode import EncodedPart
from gridsearch.training.parts.weights import DynamicPriority, PartWeights, Uncertainty, build_weights, priority

CPU = torch.device("cpu")
PARTS = [EncodedPart("a", 3, "accuracy", weight=1.0), EncodedPart("b", 7, "accuracy", number=1, weight=1.5)]


@given(st.floats(0.01, 5), st.floats(-3, 3))
def test_uncertainty_is_kendalls_loss_and_its_slope(loss: float, logarithm: float) -> None:
    """exp(-s) L + s / 2, whose slope by s is 1/2 - exp(-s) L and by the loss exp(-s)."""
    variances = PartVariances(2).double()
    with torch.no_grad():
        variances.bias[1] = logarithm
    own = torch.tensor(loss, dtype=torch.float64, requires_grad=True)
    weighed = Uncertainty(variances).weighed(1, own, 1.0)
    weighed.backward()
    assert float(weighed.detach()) == pytest.approx(math.exp(-logarithm) * loss + logarithm / 2)
    assert float(own.grad) == pytest.approx(math.exp(-logarithm))
    assert variances.bias.grad.tolist() == pytest.approx([0, 0.5 - math.exp(-logarithm) * loss])


def test_uncertainty_settles_where_its_slope_is_nothing() -> None:
    """Of a loss L that stays, s settles at ln 2L: the larger loss counts less."""
    variances, losses = PartVariances(2), (0.3, 1.7)
    weights, optimizer = Uncertainty(variances), torch.optim.SGD(variances.parameters(), lr=0.2)
    for _ in range(300):
        optimizer.zero_grad()
        weighed = [weights.weighed(part, torch.tensor(loss), 1.0) for part, loss in enumerate(losses)]
        torch.stack(weighed).sum().backward()
        optimizer.step()
    assert variances.bias.tolist() == pytest.approx([math.log(2 * loss) for loss in losses], abs=1e-4)


def test_micro_batches_add_up_to_the_uncertainty_of_the_step() -> None:
    variances = PartVariances(1)
    variances.bias.data[0] = 0.7
    weights = Uncertainty(variances)
    whole = weights.weighed(0, torch.tensor(1.2), 1.0)
    pieces = [weights.weighed(0, torch.tensor(1.2 * share), share) for share in (0.25, 0.75)]
    assert float(sum(pieces).detach()) == pytest.approx(float(whole.detach()))


def test_variances_do_not_decay() -> None:
    (group,) = parameter_groups(PartVariances(3), weight_decay=0.1, exclude="bias_and_norm", layer_decay=1.0, depths={})
    assert group["weight_decay"] == 0.0


def kappa(right: float, gamma: float) -> float:
    share = min(0.99, max(0.1, right))
    return -((1 - share) ** gamma) * math.log(share)


@given(st.floats(0, 1), st.floats(0, 3))
def test_priority_is_the_published_formula(right: float, gamma: float) -> None:
    assert float(priority(torch.tensor(right, dtype=torch.float64), gamma)) == pytest.approx(kappa(right, gamma))


def test_priority_goes_by_the_right_answers_of_the_epoch_so_far() -> None:
    weights, loss = DynamicPriority(2, 0.5, CPU), torch.tensor(1.0)

    def now() -> list[float]:
        weights.begin_step()
        return [float(weights.weighed(part, loss, 1.0)) for part in (0, 1)]

    weights.begin_epoch()
    assert now() == pytest.approx([kappa(0.1, 0.5)] * 2)
    weights.saw(0, torch.tensor(3), 4)
    assert float(weights.weighed(0, loss, 1.0)) == pytest.approx(kappa(0.1, 0.5)), "a step is weighed as it began"
    assert now() == pytest.approx([kappa(0.75, 0.5), kappa(0.1, 0.5)])
    weights.saw(0, torch.tensor(0), 2)
    assert now() == pytest.approx([kappa(3 / 6, 0.5), kappa(0.1, 0.5)])
    weights.begin_epoch()
    assert now() == pytest.approx([kappa(0.5, 0.5), kappa(0.1, 0.5)]), "until an answer, that of the epoch before"
    weights.saw(0, torch.tensor(1), 1)
    assert now()[0] == pytest.approx(kappa(1.0, 0.5), rel=1e-5)


@pytest.mark.parametrize(("asked", "expected"), [("equal", [1.0, 1.0]), ("given", [1.0, 1.5])])
def test_weights_that_stay(asked: str, expected: list[float]) -> None:
    weights = build_weights(PartsRecipe(loss_weights=asked), PARTS, None, CPU)
    assert [float(weights.weighed(part, torch.tensor(2.0), 0.5)) for part in (0, 1)] == [2 * one for one in expected]
    assert type(weights) is PartWeights
