"""A pretrained encoder as files in the Hugging Face format, its head beside it."""

import json
from collections.abc import Mapping
from typing import Any

from gridsearch.encoders.files import CONFIG
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pretraining.made import MODEL
from gridsearch.encoders.pretraining.masked_lm import MaskedLM

_OF_THE_OLD_FILES = ("torch_dtype", "auto_map", "_name_or_path", "transformers_version")
"""Config keys that say how the base's own files are to be read."""


def encoder_files_of(model: MaskedLM, base: EncoderWeights) -> dict[str, bytes]:
    """Return the files by their names: ``AutoModel`` and ``AutoModelForMaskedLM`` read them, and so does ``--model``.

    The same weights give the same bytes. The tokenizer's files are the base's. A weight that serves twice is stored
    once, by the name of the encoder's; a pooler is there where the base has one or it was trained.
    """
    from safetensors.torch import save

    undrawn = set() if model.next_sentence is not None else {f"{model.prefix}.{name}" for name in base.missing}
    weights = {
        name: parameter.detach().cpu().contiguous()
        for name, parameter in model.published().items()
        if name not in undrawn
    }
    content = json.dumps(_config(model, base.config), indent=2, sort_keys=True) + "\n"
    return {**base.tokenizer, CONFIG: content.encode(), MODEL: save(weights, metadata={"format": "pt"})}


def _config(model: MaskedLM, settings: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in settings.items() if key not in _OF_THE_OLD_FILES}
    return {
        **kept,
        **model.family.head_settings,
        "architectures": [model.architecture],
        "dtype": "float32",  # transformers would load the weights in the precision of the base's files
        "vocab_size": model.word_embeddings.num_embeddings,
    }
