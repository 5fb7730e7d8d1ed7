"""Encoders by name: describe one (cheap, nothing is built), or load its weights into memory for the workers."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gridsearch.encoders import tiny
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.files import locate, read_card, read_config, tokenizer_files
from gridsearch.errors import RequestError, first_line

if TYPE_CHECKING:
    import numpy
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class EncoderWeights:
    """An encoder in memory, as plain data that travels to any node.

    ``state`` maps parameter names to float32 arrays; ``missing`` names parameters that the checkpoint lacks and that
    each trial draws for itself (a pooler, as a rule).
    """

    identity: str
    config: Mapping[str, Any]
    state: Mapping[str, "numpy.ndarray"]
    missing: tuple[str, ...]
    tokenizer: Mapping[str, bytes]


def describe(name: str, corpus: Sequence[str]) -> EncoderCard:
    """Tell what an encoder is, without loading or building it; ``corpus`` is the text that one may be made from.

    Raises RequestError for one that cannot be read.
    """
    if name == "tiny":
        return tiny.card(corpus)
    return read_card(name, locate(name))


def load(name: str, corpus: Sequence[str], say: Callable[[str], None]) -> EncoderWeights:
    """Read an encoder's weights and tokenizer, making it first where it is made from the task's own text."""
    card = describe(name, corpus)
    folder = tiny.folder(corpus, say=say) if name == "tiny" else locate(name)
    return read_weights(folder, card.identity)


def read_weights(folder: Path, identity: str) -> EncoderWeights:
    """Load the base model in a folder, in float32."""
    import torch
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        # The random numbers of missing parameters are thrown away: keep them from shifting anybody else's.
        with torch.random.fork_rng(devices=[]):
            model, info = AutoModel.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
            )
    except Exception as error:  # a damaged file can fail in any of four libraries
        raise RequestError(f"the encoder in {folder} cannot be read: {first_line(error)}") from None
    missing = tuple(sorted(info["missing_keys"]))
    if lost := [name for name in missing if not name.startswith("pooler.")]:
        raise RequestError(f"the encoder in {folder} lacks weights: {lost[0]} and {len(lost) - 1} more")
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items() if name not in missing}
    return EncoderWeights(identity, read_config(folder), state, missing, tokenizer_files(folder))


def build_model(encoder: EncoderWeights, dropout: float | None) -> "PreTrainedModel":
    """Make a fresh base model; ``dropout`` replaces the hidden and attention dropout of its config.

    Parameters named in ``encoder.missing`` hold numbers of no meaning: the caller draws them.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    settings = {key: value for key, value in encoder.config.items() if key != "model_type"}
    config = AutoConfig.for_model(encoder.config["model_type"], **settings)
    if dropout is not None:
        for key in ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"):
            if hasattr(config, key):
                setattr(config, key, dropout)
    # Every parameter is replaced below or by the caller: the numbers drawn here must not shift anybody's.
    with torch.random.fork_rng(devices=[]):
        model = AutoModel.from_config(config, dtype=torch.float32)
    # torch.tensor copies: the arrays may be shared with other trials.
    state = {name: torch.tensor(array) for name, array in encoder.state.items()}
    unknown = model.load_state_dict(state, strict=False)
    assert set(unknown.missing_keys) == set(encoder.missing)
    assert not unknown.unexpected_keys
    return cast("PreTrainedModel", model)


def build_tokenizer(files: Mapping[str, bytes]) -> "PreTrainedTokenizerBase":
    """Make a tokenizer from its files."""
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return tokenizer
