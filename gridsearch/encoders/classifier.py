"""The model of a trial: encoder, pooling, dropout, classifier; made in a fixed order from a recipe."""

import torch
from torch import Tensor, nn

from gridsearch.encoders import surgery
from gridsearch.encoders.load import EncoderWeights, build_model
from gridsearch.encoders.pooling import NEEDS_ALL_LAYERS, POOLINGS
from gridsearch.randomness import torch_stream
from gridsearch.recipe import Recipe


class Classifier(nn.Module):
    """Logits of shape (rows, labels) from token ids. ``frozen`` modules run without dropout."""

    def __init__(self, encoder: nn.Module, pooling: str, classifier: nn.Linear, dropout_probability: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout_probability)
        self.classifier = classifier
        self.frozen: list[nn.Module] = []
        self._pool = POOLINGS[pooling]
        self._all_layers = pooling in NEEDS_ALL_LAYERS

    def train(self, mode: bool = True) -> "Classifier":
        """Switch dropout on or off; it stays off in the frozen part."""
        super().train(mode)
        for module in self.frozen:
            module.eval()
        return self

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Compute logits from input_ids, attention_mask and, where the encoder has them, token_type_ids."""
        output = self.encoder(**inputs, output_hidden_states=self._all_layers)
        pooled = self._pool(output, inputs["attention_mask"])
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits.float()


def build_classifier(recipe: Recipe, encoder: EncoderWeights, n_labels: int, seed: int) -> Classifier:
    """Load, draw anew, freeze: in this order, each from its own random stream. The recipe is resolved."""
    dropout = None if recipe.encoder_dropout == "checkpoint" else float(recipe.encoder_dropout)
    model = build_model(encoder, dropout)
    standard_deviation = float(getattr(model.config, "initializer_range", 0.02))
    if encoder.missing:
        surgery.draw(model.get_submodule("pooler"), standard_deviation, torch_stream(seed, "missing pooler"))
    if recipe.reinit_pooler:
        surgery.reinit_pooler(model, standard_deviation, seed)
    surgery.reinit_layers(model, int(recipe.reinit_layers), standard_deviation, seed)
    width = int(model.config.hidden_size)
    head = empty_head(width, n_labels)
    surgery.draw(head, standard_deviation, torch_stream(seed, "head"))
    classifier = Classifier(model, recipe.pooling, head, recipe.classifier_dropout)
    frozen = surgery.freeze(model, recipe.frozen_layers)
    if not recipe.frozen_dropout:
        classifier.frozen = frozen
    if recipe.pooling != "pooler" and getattr(model, "pooler", None) is not None:
        # Nothing reads it, so it has no gradient; keep it from being decayed.
        model.get_submodule("pooler").requires_grad_(False)
    return classifier


def empty_head(width: int, n_labels: int) -> nn.Linear:
    """Make a classifier whose numbers the caller fills in: none are drawn from the process's random state."""
    return nn.Linear(width, n_labels, device="meta").to_empty(device="cpu")


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that training may change."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    """Copy the parameters that training may change."""
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


def restore(model: nn.Module, values: dict[str, Tensor]) -> None:
    """Put a snapshot back."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in values:
                parameter.copy_(values[name])
