"""Parameter groups: which parameters decay, and which share of the learning rate they have."""

from collections.abc import Mapping
from typing import Any

from torch import nn

Group = dict[str, Any]
"""torch's group of parameters; ``share`` is the factor of the learning rate that the loop sets."""


def parameter_groups(
    model: nn.Module, *, weight_decay: float, exclude: str, layer_decay: float, depths: Mapping[nn.Parameter, int]
) -> list[Group]:
    """Split the trainable parameters by depth and decay; each is in exactly one group.

    ``exclude = "bias_and_norm"`` spares every bias and every norm's weight, told by its one axis: matching the name
    "LayerNorm.weight", as is usual, misses ALBERT's ``full_layer_layer_norm`` and any head's own, and a type misses
    norms that families have in classes of their own. A parameter at
    depth d has the share layer_decay^d of the learning rate: the head 1, the top layer layer_decay, and so on down
    (arXiv:1801.06146, section 3.2). One that several modules share, such as a table of word vectors that is tied to the
    output, counts as its first one's.
    """
    seen: set[nn.Parameter] = set()
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad and parameter not in seen:
                seen.add(parameter)
                spared = exclude == "bias_and_norm" and (name.endswith("bias") or parameter.ndim == 1)
                share = 1.0 if layer_decay == 1 else layer_decay ** depths[parameter]
                groups.setdefault((share, spared), []).append(parameter)
    return [
        {"params": parameters, "share": share, "weight_decay": 0.0 if spared else weight_decay}
        for (share, spared), parameters in sorted(groups.items(), key=lambda item: (-item[0][0], item[0][1]))
    ]
