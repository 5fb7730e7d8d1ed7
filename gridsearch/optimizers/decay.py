"""Parameter groups: which parameters decay."""

from typing import Any

from torch import nn

Group = dict[str, Any]


def decay_groups(model: nn.Module, weight_decay: float, exclude: str) -> list[Group]:
    """Split the trainable parameters into decayed and not decayed ones; each is in exactly one group.

    ``exclude = "bias_and_norm"`` spares every bias and every LayerNorm weight, told by the module's type: matching the
    name "LayerNorm.weight", as is usual, misses ALBERT's ``full_layer_layer_norm`` and any head's own.
    """
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                spare = exclude == "bias_and_norm" and (name == "bias" or isinstance(module, nn.LayerNorm))
                (spared if spare else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
