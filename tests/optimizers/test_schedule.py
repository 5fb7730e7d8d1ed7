import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

from gridsearch.optimizers.schedule import build_schedule, constant, cosine, linear, original_bert_adam
from gridsearch.optimizers.settings import settings_of
from gridsearch.recipe.recipe import Recipe


def test_without_warmup_the_first_step_has_the_peak_rate() -> None:
    assert [linear(step, 0, 4) for step in range(5)] == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_with_warmup_the_first_step_has_no_rate() -> None:
    rates = [linear(step, 3, 12) for step in range(12)]
    assert rates[0] == 0.0
    assert rates.index(1.0) == 3
    assert rates[-1] > 0.0


@given(st.integers(1, 200), st.data())
def test_they_are_the_schedules_of_transformers(total_steps: int, draw: st.DataObject) -> None:
    warmup_steps = draw.draw(st.integers(0, total_steps - 1))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    theirs = {
        linear: get_linear_schedule_with_warmup(optimizer, warmup_steps, total_steps),
        cosine: get_cosine_schedule_with_warmup(optimizer, warmup_steps, total_steps),
        constant: get_constant_schedule_with_warmup(optimizer, warmup_steps),
    }
    for ours, schedule in theirs.items():
        for step in range(total_steps + 1):
            expected = schedule.lr_lambdas[0](step)
            assert ours(step, warmup_steps, total_steps) == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 200), st.integers(0, 19))
def test_the_original_is_linear_but_for_the_rounding_of_the_warmup(total_steps: int, twentieths: int) -> None:
    """Where the warm-up is a whole number of steps the two agree."""
    total_steps *= 20
    warmup_steps = total_steps // 20 * twentieths
    for step in range(0, total_steps + 1, max(1, total_steps // 40)):
        ours = original_bert_adam(step, twentieths / 20, total_steps)
        assert ours == pytest.approx(linear(step, warmup_steps, total_steps), abs=1e-9)


def test_the_recipe_chooses() -> None:
    base = {"epochs": 2, "batch_size": 10, "learning_rate": 1e-3, "warmup_proportion": 0.25}
    rates = {
        name: [build_schedule(settings_of(Recipe(**(base | more)), 50))(step) for step in range(10)]
        for name, more in {
            "linear": {},
            "cosine": {"schedule": "cosine"},
            "constant": {"schedule": "constant"},
            "original": {"optimizer": "original_bert_adam"},
            "averaged": {"swa_start": 0.5, "swa_learning_rate": 1e-4},
        }.items()
    }
    assert rates["linear"] == [1e-3 * linear(step, 2, 10) for step in range(10)]
    assert rates["cosine"] == [1e-3 * cosine(step, 2, 10) for step in range(10)]
    assert rates["constant"] == [0.0, 5e-4, *[1e-3] * 8]
    assert rates["original"] == [1e-3 * original_bert_adam(step, 0.25, 10) for step in range(10)]
    assert rates["original"] != rates["linear"]
    assert rates["averaged"] == [*rates["linear"][:5], *[1e-4] * 5]


@given(st.integers(0, 50), st.integers(1, 200), st.integers(0, 300))
def test_the_rate_is_a_share_of_the_peak(warmup_steps: int, total_steps: int, step: int) -> None:
    for schedule in (linear, cosine, constant):
        assert 0.0 <= schedule(step, warmup_steps, total_steps) <= 1.0


def test_beyond_the_end_it_stays_at_zero() -> None:
    assert [schedule(10, 2, 6) for schedule in (linear, cosine)] == [0.0, 0.0]
    assert original_bert_adam(10, 0.2, 6) == 0.0
