"""An encoder that is pretrained further: its base model, and what its checkpoint has of the head above."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsearch.encoders.checkpoint.anatomy import Anatomy, anatomy_of, float_array, refuse_other_shape
from gridsearch.encoders.checkpoint.config import empty_model, read_config
from gridsearch.encoders.checkpoint.tensors import read_tensors
from gridsearch.encoders.families import family_in
from gridsearch.encoders.load import EncoderWeights, weights_of

if TYPE_CHECKING:
    import numpy


def read_base(folder: Path, identity: str) -> EncoderWeights:
    """Load an encoder as ``read_weights`` does, and the weights of its published head."""
    config = read_config(folder)
    anatomy = anatomy_of(read_tensors(folder), config, folder)
    return replace(weights_of(anatomy, config, folder, identity), head=_head(anatomy, config, folder))


def _head(anatomy: Anatomy, config: Mapping[str, Any], folder: Path) -> Mapping[str, "numpy.ndarray"]:
    """Read all that stands on the base model, but for an output layer that is the table of word vectors."""
    from transformers import AutoModelForMaskedLM, AutoModelForPreTraining

    family = family_in(config, folder)
    kind = AutoModelForPreTraining if family.next_sentence else AutoModelForMaskedLM
    model = empty_model(kind, {**config, **family.head_settings}, folder)
    published = {_renamed(name, family.old_head): tensor for name, tensor in anatomy.around.items()}
    head = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        of_encoder = name.startswith(f"{model.base_model_prefix}.")
        if not of_encoder and name in published and name not in model.all_tied_weights_keys:
            refuse_other_shape(name, published[name], tuple(parameter.shape), folder)
            head[name] = float_array(published[name])
    return head


def _renamed(name: str, patterns: Mapping[str, str]) -> str:
    for pattern, present in patterns.items():
        name = re.sub(pattern, present, name)
    return name
