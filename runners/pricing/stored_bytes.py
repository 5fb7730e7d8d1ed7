"""What models take on a disk, known from the config of their encoder: names and shapes of weights, and no numbers."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gridsearch.encoders.checkpoint.config import CONFIG, empty_model
from gridsearch.recipe.recipe import Recipe
from gridsearch.stage import Stage

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from gridsearch.encoders.pretraining.masked_lm import MaskedLM

HEADER_BYTES = 120
"""Of a tensor, beside its name: at most, in the header of a safetensors file."""
RECORD_BYTES = 700
"""Of a tensor: at most, in a file of torch, whose archive has a record for each, an entry of it, and a pickle."""
POINT_BYTES = 600
"""Of a point of a log: at most, in the records of an encoder or in the state of a run."""
SETTINGS_BYTES = 6000
"""Of the settings in the records of an encoder, and of those that are added to a tokenizer's files."""


@dataclass(frozen=True)
class Outline:
    """An encoder without its numbers: its config, and the bytes of its tokenizer's files with that config."""

    config: Mapping[str, Any]
    tokenizer_bytes: int

    @cached_property
    def model(self) -> "PreTrainedModel":
        """The base model, on the device that holds no numbers."""
        from transformers import AutoModel

        return empty_model(AutoModel, self.config, CONFIG)

    @property
    def n_tokens(self) -> int:
        """Rows of the word table."""
        from gridsearch.encoders import surgery

        return int(surgery.word_embeddings(self.model).num_embeddings)

    @property
    def bytes(self) -> int:
        """Bytes of its folder, without records of its making."""
        return self.tokenizer_bytes + _safetensors_bytes(self.model.state_dict()) + SETTINGS_BYTES

    def started(self, stage: Stage) -> "Outline":
        """Return that of the encoder that a stage makes from this one."""
        from gridsearch.encoders.pretraining.start import start_config

        config = start_config(self.config, stage.recipe, self.n_tokens)
        return self if config is self.config else Outline(config, self.tokenizer_bytes + SETTINGS_BYTES)


def classifier_bytes(outline: Outline, recipe: Recipe, n_labels: int, n_parts: int, *, in_units: bool) -> int:
    """Return the bytes of a classifier's file, with what is kept of all the epochs that its recipe averages."""
    import torch

    from gridsearch.encoders import surgery
    from gridsearch.encoders.classifier import Classifier, snapshot

    outline.model.requires_grad_(True)  # an earlier recipe has frozen what it freezes
    surgery.freeze(outline.model, recipe.frozen_layers)
    with torch.device("meta"):
        model = Classifier(outline.model, recipe, n_labels, n_parts, in_units=in_units)
    n_others = min(recipe.checkpoints, recipe.epochs) - 1
    return _safetensors_bytes(model.state_dict()) + n_others * _safetensors_bytes(snapshot(model))


@dataclass(frozen=True)
class StageBytes:
    """Bytes of the folder with the encoder that a stage makes, and of the state from which its run can go on."""

    encoder: int
    state: int


def stage_bytes(outline: Outline, stage: Stage, n_labels: int) -> StageBytes:
    """Return what a stage takes; ``outline`` is that of what it starts from, ``n_labels`` of those it is taught."""
    model = _masked_lm(outline, stage, n_labels)
    weights, learning = list(model.parameters()), [one for one in model.parameters() if one.requires_grad]
    n_copies = 2 + (stage.recipe.lookahead_steps > 0)  # Adam's two moments, and the weights that Lookahead moves
    # Adam counts its steps for each tensor, too. Of a tensor that serves twice the second name costs a pickle.
    n_records = len(model.state_dict()) + (n_copies + 1) * len(learning)
    log = POINT_BYTES * n_points(stage)
    files = _safetensors_bytes(dict(model.named_parameters()))
    return StageBytes(
        outline.tokenizer_bytes + files + log + SETTINGS_BYTES,
        _tensor_bytes(weights) + n_copies * _tensor_bytes(learning) + n_records * RECORD_BYTES + log,
    )


def n_points(stage: Stage) -> int:
    """Count the points of a stage's log, at most."""
    from gridsearch.training.pretraining import steps_a_point

    return math.ceil(stage.last_step / steps_a_point(stage)) + 1


def _masked_lm(outline: Outline, stage: Stage, n_labels: int) -> "MaskedLM":
    from transformers import AutoModel

    from gridsearch.encoders.pretraining.masked_lm import MaskedLM, around

    whole = around(empty_model(AutoModel, outline.config, CONFIG), outline.config)
    whole.tie_weights()
    return MaskedLM(whole, next_sentence=stage.recipe.next_sentence, n_labels=n_labels if stage.labels else 0)


def _safetensors_bytes(tensors: "Mapping[str, Tensor]") -> int:
    return _tensor_bytes(tensors.values()) + sum(HEADER_BYTES + len(name) for name in tensors)


def _tensor_bytes(tensors: "Iterable[Tensor]") -> int:
    return sum(one.numel() * one.element_size() for one in tensors)
