"""Has FreeLB the same dropout masks in all passes of a batch? (`gridsearch/optimizers/adversarial.py`)"""

import torch
from torch import Tensor, nn

from bench.gpu_blocks.asked import Asked
from bench.gpu_blocks.materials import base_recipe, read_materials
from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.batches import collate
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.execution import Execution, computing
from gridsearch.training.objective import autocast
from gridsearch.training.prepared import prepare
from gridsearch.trial import make_trial

N_PASSES = 3


def answer(asked: Asked) -> None:
    """Look at every dropout module, and at attention, whose dropout is inside one operation."""
    data, weights = read_materials(asked, "few", "small")
    wrong = []
    for precision in ("fp32", "bf16"):
        found = _found(asked, data, weights, precision)
        asked.add("masks", precision=precision, **found)
        wrong += [f"{precision}: {name} is {value}" for name, value in found.items() if value is False]
    asked.tell(as_on_a_cpu=not wrong, wrong=wrong)


def _found(asked: Asked, data: EncodedTask, weights: EncoderWeights, precision: str) -> dict[str, object]:
    recipe = base_recipe(
        adversarial="freelb", adversarial_steps=N_PASSES, adversarial_alpha=1e-3, precision=precision, pooling="cls"
    )
    trial = make_trial(recipe, seed=0, task="titles", encoder=weights.identity)
    execution = Execution(device=asked.device.type)
    with computing(execution):
        prepared = prepare(trial, data, weights, execution)
        model, objective = prepared.model.train(), prepared.steps.objective
        seen: dict[str, list[Tensor]] = {}
        for name, module in model.named_modules():
            if isinstance(module, nn.Dropout):
                module.register_forward_hook(
                    lambda _, given, output, name=name: seen.setdefault(name, []).append((output == 0).detach())
                )
        steps = objective.batches(1)
        first = next(step for step in steps if len(step[0]) == recipe.batch_size)
        for _ in range(2):  # the generator goes on: the second batch has other masks
            objective.backward(first, 1)
        drops = {name: masks for name, masks in seen.items() if len(masks) == 2 * N_PASSES and masks[0].any()}
        same = all(torch.equal(masks[0], mask) for masks in drops.values() for mask in masks[1:N_PASSES])
        fresh = all(not torch.equal(masks[0], masks[N_PASSES]) for masks in drops.values())
        inputs = collate(prepared.data.train, first[0], prepared.data.pad_id, asked.device)

        def run() -> Tensor:
            with torch.no_grad(), autocast(precision, asked.device):
                logits: Tensor = model(inputs)
            return logits

        # Attention's own dropout is seen in what the model gives: from one state of the generator, the same.
        with torch.random.fork_rng([asked.device] if asked.device.type == "cuda" else []):
            once = run()
        again, after = run(), run()
    return {
        "dropout_modules": len(drops),
        "same_in_all_passes": same and bool(drops),
        "fresh_in_the_next_batch": fresh and bool(drops),
        "whole_model_repeats_from_one_state": torch.equal(once, again),
        "and_else_does_not": not torch.equal(once, after),
    }
