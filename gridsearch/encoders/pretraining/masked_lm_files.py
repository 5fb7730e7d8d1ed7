"""A pretrained encoder as files in the Hugging Face format, its head beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridsearch.encoders.checkpoint.config import CONFIG
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pretraining.made import LABEL_TOKENS, MODEL
from gridsearch.encoders.pretraining.masked_lm import MaskedLM, build_masked_lm
from gridsearch.encoders.pretraining.published_head import read_base

_OF_THE_OLD_FILES = ("torch_dtype", "auto_map", "_name_or_path", "transformers_version")
"""Config keys that say how the base's own files are to be read."""


def encoder_files_of(model: MaskedLM, base: EncoderWeights) -> dict[str, bytes]:
    """Return the files by their names: ``AutoModel`` and ``AutoModelForMaskedLM`` read them, and so does ``--model``.

    The same weights give the same bytes. The tokenizer's files are the base's. A weight that serves twice is stored
    once, by the name of the encoder's; a pooler is there where the base has one or it was trained. Rows of labels have
    a file of their own, which transformers does not look for.
    """
    from safetensors.torch import save

    undrawn = set() if model.next_sentence is not None else {f"{model.prefix}.{name}" for name in base.missing}
    weights = {
        name: parameter.detach().cpu().contiguous()
        for name, parameter in model.published().items()
        if name not in undrawn
    }
    content = json.dumps(_config(model, base.config), indent=2, sort_keys=True) + "\n"
    files = {**base.tokenizer, CONFIG: content.encode(), MODEL: save(weights, metadata={"format": "pt"})}
    if model.label_tokens is not None:
        rows = {name: tensor.cpu().contiguous() for name, tensor in model.label_tokens.state_dict().items()}
        files[LABEL_TOKENS] = save(rows, metadata={"format": "pt"})
    return files


def read_labelling(folder: Path, identity: str, n_labels: int) -> MaskedLM:
    """Build the model of such a folder that tells so many labels."""
    from safetensors.torch import load_file

    model = build_masked_lm(read_base(folder, identity), dropout=None, next_sentence=False, seed=0, n_labels=n_labels)
    assert model.label_tokens is not None, "who asks for labels has some"
    model.label_tokens.load_state_dict(load_file(folder / LABEL_TOKENS))
    return model.eval()


def _config(model: MaskedLM, settings: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in settings.items() if key not in _OF_THE_OLD_FILES}
    return {
        **kept,
        **model.family.head_settings,
        "architectures": [model.architecture],
        "dtype": "float32",  # transformers would load the weights in the precision of the base's files
        "vocab_size": model.word_embeddings.num_embeddings,
    }
