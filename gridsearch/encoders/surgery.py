"""Surgery on a pretrained model before training: draw parts of it anew, freeze parts, tell how deep they lie.

transformers 5 marks loaded parameters as initialised, so that ``model.apply(model._init_weights)`` silently changes
nothing; the parts here are drawn by hand, from streams of their own. ``families.py`` says where a family's parts are.
"""

from typing import Any, cast

import torch
from torch import nn

from gridsearch.encoders.unknown.found import family_of
from gridsearch.randomness import torch_stream


def layers(model: nn.Module) -> nn.ModuleList:
    """Return the transformer layers, bottom first; ALBERT's single one, which it runs many times."""
    return cast(nn.ModuleList, model.get_submodule(family_of(model).layers))


def embedding_modules(model: nn.Module) -> list[nn.Module]:
    """Return what lies below the first layer, and what all layers share: it is frozen with the embeddings."""
    family = family_of(model)
    return _present(model, family.embeddings, family.projection, *family.shared_by_layers)


def word_embeddings(model: nn.Module) -> nn.Embedding:
    """Return the table of token vectors."""
    return cast(nn.Embedding, model.get_submodule(family_of(model).words))


def input_module(model: nn.Module) -> nn.Module:
    """Return the module whose output, of shape (rows, tokens, hidden width), the first layer reads."""
    family = family_of(model)
    return _present(model, family.embeddings, family.projection)[-1]


def draw(module: nn.Module, standard_deviation: float, stream: torch.Generator) -> None:
    """Draw a module anew as BERT was before pretraining: weights N(0, sd), biases 0, those of norms 1 and 0.

    Families have classes of their own for norms and maps: a norm is what has one weight for each dimension.
    """
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name.rpartition(".")[2].endswith("bias"):
                parameter.zero_()
            elif parameter.ndim == 1:
                parameter.fill_(1.0)
            else:
                parameter.normal_(0.0, standard_deviation, generator=stream)


def reinit_pooler(model: nn.Module, standard_deviation: float, seed: int) -> None:
    """Draw the pooler anew."""
    draw(model.get_submodule("pooler"), standard_deviation, torch_stream(seed, "reinit pooler"))


def reinit_layers(model: nn.Module, count: int, standard_deviation: float, seed: int) -> None:
    """Draw the top ``count`` layers anew; a layer's numbers do not depend on how many others are drawn.

    A norm behind the last layer belongs to the top one.
    """
    n_layers, count = len(layers(model)), _distinct(model, count)
    for index in range(n_layers - count, n_layers):
        stream = torch_stream(seed, "reinit layer", index)
        for module in _layer(model, index):
            draw(module, standard_deviation, stream)
    for norm in _present(model, family_of(model).final_norm) if count else []:
        draw(norm, standard_deviation, torch_stream(seed, "reinit layer", n_layers))


def freeze(model: nn.Module, frozen_layers: int | str) -> list[nn.Module]:
    """Freeze the embeddings and the bottom layers (0: nothing; "embeddings": them alone); return what was frozen.

    A norm behind the last layer is none of theirs, and trains.
    """
    if frozen_layers == 0:
        return []
    count = 0 if frozen_layers == "embeddings" else _distinct(model, int(frozen_layers))
    frozen = embedding_modules(model) + [module for index in range(count) for module in _layer(model, index)]
    for module in frozen:
        module.requires_grad_(False)
    return frozen


def depths(model: nn.Module) -> dict[nn.Parameter, int]:
    """Map every parameter to its distance from the head: 1 in the top layer, the number of layers in the bottom one.

    The embeddings are one deeper, with all that is frozen with them; whatever else there is, a pooler or a
    norm behind the last layer, is at 0
    (arXiv:2006.05987, section 5.2, whose code forgets ELECTRA's projection).
    """
    found = dict.fromkeys(model.parameters(), 0)
    n_layers = len(layers(model))
    parts = {n_layers - index: _layer(model, index) for index in range(n_layers)}
    parts[n_layers + 1] = embedding_modules(model)
    for depth, modules in parts.items():
        found.update((parameter, depth) for module in modules for parameter in module.parameters())
    return found


def _layer(model: nn.Module, index: int) -> list[nn.Module]:
    """Return a layer, and what acts on the first one's output before the second reads it (DeBERTa's convolution)."""
    return [layers(model)[index], *(_present(model, family_of(model).after_first_layer) if index == 0 else [])]


def _distinct(model: nn.Module, count: int) -> int:
    """Return how many layers of their own ``count`` layers are."""
    if not family_of(model).shares_layers:
        return count
    assert count in (0, cast(Any, model).config.num_hidden_layers), "a part of one shared layer; resolve.py refuses it"
    return min(count, len(layers(model)))


def _present(model: nn.Module, *paths: str) -> list[nn.Module]:
    """Return those of the modules that the model has: ELECTRA's projection, say, is only where widths differ."""
    modules = dict(model.named_modules())
    return [modules[path] for path in paths if path and path in modules]
