"""The model of a trial: inputs, encoder, pooling, head; made in a fixed order from a recipe."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gridsearch.encoders import layer_slices, surgery
from gridsearch.encoders.heads import Outputs, PartVariances, Samples, build_hidden, build_map
from gridsearch.encoders.inputs import Inputs, mask_of
from gridsearch.encoders.load import EncoderWeights, build_model
from gridsearch.encoders.pooling import build_pooling
from gridsearch.randomness import torch_stream
from gridsearch.recipe.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Classifier(nn.Module):
    """Logits of shape (samples, rows, labels) from a batch. ``frozen`` modules run without dropout.

    There are several samples in training with multi-sample dropout, and else one. Parts that the recipe adds to the
    encoder hold nothing yet. Of several parts the labels of all stand side by side, and so do their heads in the last
    linear map. Where numbers are predicted, ``in_units`` of theirs, they stand among the logits.
    """

    def __init__(
        self,
        encoder: "PreTrainedModel",
        recipe: Recipe,
        n_labels: int,
        n_parts: int = 1,
        *,
        in_units: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.inputs = Inputs(recipe, encoder)
        n_layers = int(encoder.config.num_hidden_layers)
        self.pooling = build_pooling(recipe, int(encoder.config.hidden_size), n_layers)
        self.hidden, width = build_hidden(recipe, self.pooling.width)
        self.samples = Samples(
            recipe.classifier_dropout, recipe.multi_sample_dropout, recipe.multi_sample_mode == "chained"
        )
        self.classifier = build_map(recipe, width, n_labels)
        self.outputs = Outputs(n_labels) if in_units else None
        learned = n_parts > 1 and recipe.parts.loss_weights == "uncertainty"
        self.part_variances = PartVariances(n_parts) if learned else None
        self.frozen: list[nn.Module] = []
        self._upper: list[PreTrainedModel] = []  # in a list, because its modules are the encoder's
        self.padded_width = int(recipe.max_length) if self.pooling.reads.padding else None
        if recipe.pooling != "pooler" and getattr(encoder, "pooler", None) is not None:
            # Nothing reads it, so it has no gradient; keep it from being decayed.
            encoder.get_submodule("pooler").requires_grad_(False)

    @property
    def word_embeddings(self) -> nn.Embedding:
        """The encoder's table of token vectors."""
        return surgery.word_embeddings(self.encoder)

    def begin_above(self, n_layers: int) -> None:
        """Run the layers above the bottom ones alone, from now on, on batches that have the "states" between them."""
        self._upper = [layer_slices.above(self.encoder, n_layers)]

    def depths(self) -> dict[nn.Parameter, int]:
        """Map every parameter to its distance from the head; what the recipe adds to the encoder is at 0."""
        return dict.fromkeys(self.parameters(), 0) | surgery.depths(self.encoder)

    def train(self, mode: bool = True) -> "Classifier":
        """Switch dropout on or off; it stays off in the frozen part."""
        super().train(mode)
        for module in self.frozen:
            module.eval()
        return self

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Compute logits from what ``collate`` gives: token ids, or the states of frozen layers."""
        if "states" in batch:
            (upper,) = self._upper
            output = upper(inputs_embeds=batch["states"], attention_mask=batch.get("attention_mask"))
        else:
            output = self.encoder(**self.inputs(batch), output_hidden_states=self.pooling.reads.below_the_top)
        pooled = self.pooling(output, batch["sides"] if self.pooling.reads.sides else mask_of(batch))
        logits: Tensor = self.classifier(self.samples(self.hidden(pooled)))
        return logits.float() if self.outputs is None else self.outputs(logits.float())


def build_classifier(
    recipe: Recipe,
    encoder: EncoderWeights,
    n_labels: int,
    seed: int,
    n_parts: int = 1,
    *,
    in_units: bool = False,
) -> Classifier:
    """Load, draw anew, freeze: in this order, each from its own random stream. The recipe is resolved."""
    dropout = None if recipe.encoder_dropout == "checkpoint" else float(recipe.encoder_dropout)
    model = build_model(encoder, dropout)
    standard_deviation = float(getattr(model.config, "initializer_range", 0.02))
    if encoder.missing or recipe.reinit_pooler:
        surgery.reinit_pooler(model, standard_deviation, seed)
    surgery.reinit_layers(model, int(recipe.reinit_layers), standard_deviation, seed)
    frozen = surgery.freeze(model, recipe.frozen_layers)
    classifier = Classifier(model, recipe, n_labels, n_parts, in_units=in_units)
    new_parts = {"head": classifier.classifier, "hidden": classifier.hidden, "pooling": classifier.pooling}
    for name, part in (new_parts | {"cooccurrence": classifier.inputs}).items():
        surgery.draw(part, standard_deviation, torch_stream(seed, name))
    if not recipe.frozen_dropout:
        classifier.frozen = frozen
    return classifier


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


def pack(states: Sequence[Mapping[str, Tensor]]) -> bytes:
    """Serialise all parameters of a classifier, and of its later states those that training may change.

    The names of the second state's begin with "1/", and so on.
    """
    from safetensors.torch import save

    numbered = ((f"{number}/" if number else "", state) for number, state in enumerate(states))
    return save({f"{prefix}{name}": tensor for prefix, state in numbered for name, tensor in state.items()})


def unpack(tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return what :func:`pack` was given, each with all parameters."""
    states: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.rpartition("/")
        states.setdefault(int(number or 0), {})[name] = tensor
    return [states[0] | states[number] for number in sorted(states)]
