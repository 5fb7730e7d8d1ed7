"""Is out of memory typed on a card, and does the driver's ladder, half of the micro-batch, finish the trial?"""

import gc
from collections.abc import Generator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from bench.gpu_blocks.asked import Asked
from bench.gpu_blocks.materials import read_materials
from bench.gpu_blocks.sweeping import plan_of, sweep
from gridsearch.encoders.load import EncoderWeights
from gridsearch.planning.plan import Plan
from gridsearch.study.study import Study
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune, finetuning
from gridsearch.trial import Epoch, Trial
from runners.backends.processes import ProcessesRunner
from runners.backends.serial import SerialRunner

SPACE = """
[recipe]
epochs = 1
batch_size = {batch_size}
max_length = 32
learning_rate = 1e-3
precision = "bf16"
encoder_dropout = 0.0   # so that micro-batches change nothing but the rounding
classifier_dropout = 0.0
[factors]
warmup_proportion = [0.0]
"""


def answer(asked: Asked) -> None:
    """Measure what a whole and a half micro-batch take, allow what lies between, and sweep."""
    plan = plan_of(asked, "few", "small", SPACE.format(batch_size=asked.size(512, 32)))
    (trial,) = plan.trials.values()
    data, weights = read_materials(asked, "few", "small")
    logits = finetune(trial, data, weights, Execution(device=asked.device.type)).parts["task"].dev_logits
    runner: ProcessesRunner | SerialRunner
    if asked.device.type == "cuda":
        needs = {divisor: _needs(trial, data, weights, divisor) for divisor in (1, 2)}
        # What a whole batch cannot do without, and what a half batch had in all, holes included.
        allowed = (needs[1].used + needs[2].reserved) // 2
        asked.tell(needs={str(divisor): asdict(one) for divisor, one in needs.items()}, allowed_bytes=allowed)
        runner, expected = ProcessesRunner(1, what=partial(limited, allowed)), 2
    else:
        from tests.runners.faults import hungry

        runner, expected = SerialRunner(what=hungry), 4
    _sweep_short_of_memory(asked, plan, runner, expected, logits)


def _sweep_short_of_memory(
    asked: Asked, plan: Plan, runner: ProcessesRunner | SerialRunner, expected: int, logits: np.ndarray
) -> None:
    (trial_id,) = plan.trials
    study = Study(asked.scratch / "short-of-memory")
    result = sweep(plan, study, runner)
    with study.open() as ledger:
        failures = ledger.failures(trial_id)
        divisor = ledger.execution(trial_id)["micro_batch_divisor"] if result.coverage.complete else None
        found = ledger.logits(trial_id, "dev")
    asked.tell(
        failures=failures,
        typed=bool(failures) and set(failures) == {"out_of_memory"},
        finished=result.coverage.complete,
        micro_batch_divisor=divisor,
        ladder_works=divisor == expected,
        largest_difference_of_logits=None if found is None else float(np.abs(found - logits).max()),
        size_of_logits=float(np.abs(logits).mean()),
    )
    if not (result.coverage.complete and set(failures) == {"out_of_memory"}):
        raise RuntimeError(f"failures {failures}, complete: {result.coverage.complete}")


@dataclass(frozen=True)
class Needs:
    """A trial's peaks in bytes: what it used, and what torch had reserved for it."""

    used: int
    reserved: int


def _needs(trial: Trial, data: EncodedTask, weights: EncoderWeights, divisor: int) -> Needs:
    """Measure the memory of the card that a trial takes."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    finetune(trial, data, weights, Execution(device="cuda", micro_batch_divisor=divisor))
    return Needs(int(torch.cuda.max_memory_allocated()), int(torch.cuda.max_memory_reserved()))


def limited(
    n_bytes: int, trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution
) -> Generator[Epoch, None, Any]:
    """Train with no more of the card's memory than so much."""
    torch.cuda.set_per_process_memory_fraction(n_bytes / torch.cuda.mem_get_info()[1])
    return (yield from finetuning(trial, data, encoder, execution))
