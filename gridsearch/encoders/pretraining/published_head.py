"""An encoder that is pretrained further: its base model, and what its checkpoint has of the head above."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gridsearch.encoders.families import family_in
from gridsearch.encoders.load import EncoderWeights, from_checkpoint, read_weights

if TYPE_CHECKING:
    import numpy


def read_base(folder: Path, identity: str) -> EncoderWeights:
    """Load an encoder as ``read_weights`` does, and the weights of its published head."""
    encoder = read_weights(folder, identity)
    return replace(encoder, head=_head(folder, encoder))


def _head(folder: Path, encoder: EncoderWeights) -> Mapping[str, "numpy.ndarray"]:
    """Read all that stands on the base model, but for an output layer that is the table of word vectors."""
    from transformers import AutoModelForMaskedLM, AutoModelForPreTraining

    family = family_in(encoder.config, folder)
    kind = AutoModelForPreTraining if family.next_sentence else AutoModelForMaskedLM
    model, info = from_checkpoint(kind, folder, {**encoder.config, **family.head_settings}, family.old_head)
    left_out = {*info["missing_keys"], *model.all_tied_weights_keys}
    return {
        name: parameter.detach().numpy()
        for name, parameter in model.named_parameters(remove_duplicate=False)
        if not name.startswith(f"{model.base_model_prefix}.") and name not in left_out
    }
