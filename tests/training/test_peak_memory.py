"""The peak memory of a kind of trial is its own, whatever its process measured before."""

from pathlib import Path
from typing import Any

import pytest
import torch

from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training import execution
from gridsearch.training.execution import begin_peak, peak_bytes
from gridsearch.training.frozen_states import n_bytes_kept
from gridsearch.training.step_timing import Visit, measuring
from tests.fixtures_core import ON_CPU, trial_of

MEGABYTE = 10**6
CPU = torch.device("cpu")
needs_the_reset = pytest.mark.skipif(not execution.PEAK_RESET.exists(), reason="only Linux lets a peak begin anew")


def visit(data: EncodedTask, encoder: EncoderWeights, **knobs: Any) -> Visit:
    with pytest.raises(StopIteration) as end:
        next(measuring(trial_of(**knobs), data, encoder, ON_CPU, seconds=0.05))
    found: Visit = end.value.value
    return found


@pytest.mark.slow  # 3 s
@needs_the_reset
def test_a_peak_begins_anew() -> None:
    """What was held and given back before is no part of it; what is held meanwhile is."""
    assert begin_peak(CPU)
    before = peak_bytes(CPU)
    held = torch.ones(60 * MEGABYTE // 4)
    assert peak_bytes(CPU) > before + 50 * MEGABYTE
    del held
    assert begin_peak(CPU)
    assert peak_bytes(CPU) < before + 20 * MEGABYTE


@pytest.mark.slow  # 12 s
@needs_the_reset
def test_a_small_trial_after_a_large_one_has_its_own_peak(data: EncodedTask, encoder: EncoderWeights) -> None:
    wide = {"adversarial": "pgd", "adversarial_epsilon": 0.3, "multi_sample_dropout": 8, "pooling": "flatten"}
    small = visit(data, encoder, epochs=1, batch_size=4)
    large = visit(data, encoder, epochs=1, batch_size=96, head="mlp", head_width=20_000, **wide)
    again = visit(data, encoder, epochs=1, batch_size=4)
    assert small.peak_of == large.peak_of == again.peak_of == "process"
    n_more = large.peak_bytes - small.peak_bytes
    assert n_more > 50 * MEGABYTE
    assert again.peak_bytes < small.peak_bytes + n_more / 3


@pytest.mark.slow  # 4 s
@needs_the_reset
def test_weights_of_epochs_that_are_averaged_are_held_in_training(data: EncodedTask, encoder: EncoderWeights) -> None:
    """2.9 MB each: of 30 epochs before the last."""
    wide = {"head": "mlp", "head_width": 20_000, "epochs": 31, "batch_size": 48}
    one, many = (visit(data, encoder, **wide, checkpoints=n) for n in (1, 31))
    assert one.peak_bytes + 60 * MEGABYTE < many.peak_bytes < one.peak_bytes + 130 * MEGABYTE


@pytest.mark.slow  # 3 s
def test_states_of_another_trials_frozen_layers_are_given_up(data: EncodedTask, encoder: EncoderWeights) -> None:
    visit(data, encoder, frozen_layers=2)
    assert n_bytes_kept() > 0
    visit(data, encoder)
    assert n_bytes_kept() == 0


@pytest.mark.slow  # 1.5 s
def test_where_the_system_keeps_the_peak_it_is_a_bound(
    data: EncodedTask, encoder: EncoderWeights, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(execution, "PEAK_RESET", tmp_path / "no" / "such")
    assert visit(data, encoder).peak_of == "process, at most"
