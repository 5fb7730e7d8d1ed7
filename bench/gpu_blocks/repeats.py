"""Does a trial repeat to the last bit? And if not, which operation is the first whose result differs."""

import contextlib
import warnings
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from bench.gpu_blocks.asked import Asked, wait_for
from bench.gpu_blocks.materials import base_recipe, read_materials
from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.execution import Execution, computing
from gridsearch.training.prepared import Prepared, prepare
from gridsearch.trial import make_trial

N_STEPS = 8


def answer(asked: Asked) -> None:
    """Train twice as users do."""
    compare(asked)


def compare(asked: Asked) -> None:
    """Train twice in each precision, step by step, and tell the first difference."""
    data, weights = read_materials(asked, "few", "base")
    with computing(Execution(device=asked.device.type)), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for precision in ("bf16", "fp32"):
            one, other = (_trained(asked, data, weights, precision) for _ in range(2))
            first = next(
                (step for step, pair in enumerate(zip(one, other, strict=True), 1) if pair[0] != pair[1]), None
            )
            where = None if first is None else _first_difference(asked, data, weights, precision)
            asked.add(
                "twice",
                precision=precision,
                equal_bits=first is None,
                first_step_that_differs=first,
                first_of_the_forward_pass=where and where[0],
                first_of_the_gradients=where and where[1],
            )
    said = {str(warning.message).splitlines()[0] for warning in warned}
    asked.tell(torch_warned=sorted(line for line in said if "determin" in line))


def _prepared(asked: Asked, data: EncodedTask, weights: EncoderWeights, precision: str) -> Prepared:
    trial = make_trial(base_recipe(precision=precision), seed=0, task="titles", encoder=weights.identity)
    prepared = prepare(trial, data, weights, Execution(device=asked.device.type))
    prepared.model.train()
    return prepared


def _trained(asked: Asked, data: EncodedTask, weights: EncoderWeights, precision: str) -> list[tuple[str, ...]]:
    """Return after each step its loss and a sum over all weights, in full precision; tell a step's milliseconds."""
    prepared = _prepared(asked, data, weights, precision)
    found, n_steps = [], asked.size(N_STEPS, 2)
    steps = prepared.steps.objective.batches(1)[:n_steps]
    for step in steps:
        loss = prepared.steps.step(step, 1)
        found.append((loss, fingerprint(prepared.model)))
    begun = wait_for(asked.device)
    for step in steps:
        prepared.steps.step(step, 1)
    asked.tell(**{f"{precision}_step_ms": 1000 * (wait_for(asked.device) - begun) / len(steps)})
    return [tuple(float(number).hex() for number in (loss, *prints)) for loss, prints in found]


@torch.no_grad()
def fingerprint(model: nn.Module) -> tuple[Tensor, Tensor]:
    """Return two sums over the bits of all weights, which no rounding can make equal by chance, as good as surely."""
    bits = [parameter.detach().contiguous().view(torch.int32) for parameter in model.parameters()]
    return torch.stack([part.sum() for part in bits]).sum(), torch.stack([(part >> 8).sum() for part in bits]).sum()


def _first_difference(
    asked: Asked, data: EncodedTask, weights: EncoderWeights, precision: str
) -> tuple[str | None, str | None]:
    """Compute one batch twice with the same weights and masks; name the first module and gradient that differ.

    Gradients are looked at in the order in which they are computed: from the head down.
    """
    prepared = _prepared(asked, data, weights, precision)
    step = prepared.steps.objective.batches(1)[0]
    runs = []
    for _ in range(2):
        torch.manual_seed(0)
        prepared.steps.updates.forget_gradients()
        with _outputs(prepared.model) as outputs:
            prepared.steps.objective.backward(step, 1)
        gradients = {
            name: parameter.grad.clone()
            for name, parameter in reversed(list(prepared.model.named_parameters()))
            if parameter.grad is not None
        }
        runs.append((outputs, gradients))
    (forward, gradients), (forward_again, gradients_again) = runs
    return _first(forward, forward_again), _first(gradients, gradients_again)


def _first(one: dict[str, Tensor], other: dict[str, Tensor]) -> str | None:
    return next((name for name, tensor in one.items() if not torch.equal(tensor, other[name])), None)


@contextlib.contextmanager
def _outputs(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Note the first output of every module, in the order in which they end."""
    found: dict[str, Tensor] = {}

    def note(name: str) -> object:
        def hook(module: nn.Module, arguments: object, output: object) -> None:
            first = output[0] if isinstance(output, tuple) else output
            if isinstance(first, Tensor):
                found.setdefault(name, first.detach().clone())

        return hook

    hooks = [
        module.register_forward_hook(note(f"{name} ({type(module).__name__})"))
        for name, module in model.named_modules()
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
