import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import get_linear_schedule_with_warmup

from gridsearch.optimizers.schedule import linear_with_warmup


def test_without_warmup_the_first_step_has_the_peak_rate() -> None:
    assert [linear_with_warmup(step, 0, 4) for step in range(5)] == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_with_warmup_the_first_step_has_no_rate() -> None:
    rates = [linear_with_warmup(step, 3, 12) for step in range(12)]
    assert rates[0] == 0.0
    assert rates.index(1.0) == 3
    assert rates[-1] > 0.0


@given(st.integers(1, 200), st.data())
def test_it_is_the_schedule_of_transformers(total_steps: int, draw: st.DataObject) -> None:
    warmup_steps = draw.draw(st.integers(0, total_steps - 1))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    theirs = get_linear_schedule_with_warmup(optimizer, warmup_steps, total_steps).lr_lambdas[0]
    for step in range(total_steps + 1):
        assert linear_with_warmup(step, warmup_steps, total_steps) == pytest.approx(theirs(step), abs=1e-12)


@given(st.integers(0, 50), st.integers(1, 200), st.integers(0, 300))
def test_the_rate_is_a_share_of_the_peak(warmup_steps: int, total_steps: int, step: int) -> None:
    assert 0.0 <= linear_with_warmup(step, warmup_steps, total_steps) <= 1.0


def test_beyond_the_end_it_stays_at_zero() -> None:
    assert linear_with_warmup(10, 2, 6) == 0.0
