"""What is done to a pretrained model before training: draw parts of it anew, freeze parts of it.

transformers 5 marks loaded parameters as initialised, so that ``model.apply(model._init_weights)`` silently changes
nothing; the parts here are drawn by hand, from streams of their own.
"""

from typing import cast

import torch
from torch import nn

from gridsearch.randomness import torch_stream


def layers(model: nn.Module) -> nn.ModuleList:
    """Return the stack of transformer layers, bottom first."""
    stack = model.get_submodule(
        "transformer" if hasattr(model, "transformer") else "encoder"
    )  # DistilBERT, or the rest
    return cast(nn.ModuleList, stack.layer)


def embedding_modules(model: nn.Module) -> list[nn.Module]:
    """Return what lies below the first layer; ELECTRA's projection belongs to its embeddings."""
    return [model.get_submodule(name) for name in ("embeddings", "embeddings_project") if hasattr(model, name)]


def draw(module: nn.Module, standard_deviation: float, stream: torch.Generator) -> None:
    """Draw a module anew as BERT was before pretraining: weights N(0, sd), biases 0, LayerNorm 1 and 0."""
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Linear | nn.Embedding):
                part.weight.normal_(0.0, standard_deviation, generator=stream)
            elif isinstance(part, nn.LayerNorm):
                part.weight.fill_(1.0)
            if isinstance(bias := getattr(part, "bias", None), nn.Parameter):
                bias.zero_()


def reinit_pooler(model: nn.Module, standard_deviation: float, seed: int) -> None:
    """Draw the pooler anew."""
    draw(model.get_submodule("pooler"), standard_deviation, torch_stream(seed, "reinit pooler"))


def reinit_layers(model: nn.Module, count: int, standard_deviation: float, seed: int) -> None:
    """Draw the top ``count`` layers anew; a layer's numbers do not depend on how many others are drawn."""
    stack = layers(model)
    for index in range(len(stack) - count, len(stack)):
        draw(stack[index], standard_deviation, torch_stream(seed, "reinit layer", index))


def freeze(model: nn.Module, frozen_layers: int | str) -> list[nn.Module]:
    """Freeze the embeddings and the bottom layers (0: nothing; "embeddings": them alone); return what was frozen."""
    if frozen_layers == 0:
        return []
    n_layers = 0 if frozen_layers == "embeddings" else int(frozen_layers)
    frozen = [*embedding_modules(model), *layers(model)[:n_layers]]
    for module in frozen:
        module.requires_grad_(False)
    return frozen
