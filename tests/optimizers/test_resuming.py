"""Updates that are saved and gone on from make the same weights, to the last bit, as those without a break."""

import io
from typing import Any

import pytest
import torch
from torch import nn

from gridsearch.optimizers.groups import parameter_groups
from gridsearch.optimizers.settings import UpdateSettings
from gridsearch.optimizers.updates import Updates

N_STEPS = 12
WAYS: dict[str, dict[str, Any]] = {
    "adamw": {"weight_decay": 0.1, "adam_beta2": 0.98, "warmup_proportion": 0.25, "clip_norm": 1.0},
    "without correction": {"bert_adam": True},
    "original": {"optimizer": "original_bert_adam", "weight_decay": 0.1},
    "lookahead": {"lookahead_steps": 5, "lookahead_alpha": 0.3},
    "averages": {"ema_decay": 0.9, "swa_first_step": 2, "swa_every": 3, "swa_learning_rate": 1e-3},
}


def made(**knobs: Any) -> tuple[nn.Module, Updates]:
    model = nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.Linear(5, 2))
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.linspace(-1, 1 + number, parameter.numel()).view_as(parameter))
    return model, Updates(UpdateSettings(total_steps=N_STEPS, learning_rate=1e-2, **knobs), model, {})


def take(model: nn.Module, updates: Updates, until: int) -> None:
    while updates.n_taken < until:
        stream = torch.Generator().manual_seed(updates.n_taken)
        updates.forget_gradients()
        model(torch.randn(4, 3, generator=stream)).pow(4).sum().backward()
        updates.take()


def weights(model: nn.Module, updates: Updates) -> bytes:
    with updates.evaluated_weights():
        return b"".join(parameter.detach().numpy().tobytes() for parameter in model.parameters())


@pytest.mark.parametrize("broken_after", [1, 5, 8])
@pytest.mark.parametrize("way", WAYS)
def test_a_break_changes_nothing(way: str, broken_after: int) -> None:
    model, updates = made(**WAYS[way])
    take(model, updates, N_STEPS)
    whole = weights(model, updates)
    model, updates = made(**WAYS[way])
    take(model, updates, broken_after)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "updates": updates.state()}, file)
    again, going_on = made(**WAYS[way])
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    again.load_state_dict(saved["model"])
    going_on.go_on_from(saved["updates"])
    take(again, going_on, N_STEPS)
    assert weights(again, going_on) == whole


def test_a_tied_parameter_is_updated_once() -> None:
    words, output = nn.Embedding(7, 3), nn.Linear(3, 7)
    output.weight = words.weight
    groups = parameter_groups(
        nn.ModuleList([words, output]), weight_decay=0.1, exclude="bias_and_norm", layer_decay=1.0, depths={}
    )
    assert [len(group["params"]) for group in groups] == [1, 1]
