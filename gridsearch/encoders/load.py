"""Encoders by name: describe one (cheap, nothing is built), or load its weights into memory for the workers."""

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gridsearch.encoders import tiny
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.families import family_in, n_token_types
from gridsearch.encoders.files import CONFIG, locate, read_card, read_config, tokenizer_files
from gridsearch.errors import RequestError, first_line

if TYPE_CHECKING:
    import numpy
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

WORD_TABLE = "embeddings.word_embeddings.weight"
"""The name of the table of token vectors in an encoder's state, of every family."""
_SENTENCEPIECE = {"spiece.model", "spm.model", "sentencepiece.bpe.model"}


@dataclass(frozen=True)
class EncoderWeights:
    """An encoder in memory, as plain data that travels to any node.

    ``state`` maps parameter names to float32 arrays; ``missing`` names parameters that the checkpoint lacks and that
    each trial draws for itself (a pooler, as a rule). ``head`` is what the checkpoint has of the head that predicts
    tokens, by the names of its family's ``...ForMaskedLM``; only a pretraining has it read.
    """

    identity: str
    config: Mapping[str, Any]
    state: Mapping[str, "numpy.ndarray"]
    missing: tuple[str, ...]
    tokenizer: Mapping[str, bytes]
    head: Mapping[str, "numpy.ndarray"] = field(default_factory=dict)


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
    return read_weights(encoder_folder(name, corpus, say), card.identity)


def encoder_folder(name: str, corpus: Sequence[str], say: Callable[[str], None], ids: Sequence[str] = ()) -> Path:
    """Return the folder of an encoder's files, making them first where they are made from the task's own text.

    What is made has the ``ids`` for its vocabulary where the texts are ids.
    """
    return tiny.folder(corpus, say=say, ids=ids) if name == "tiny" else locate(name)


def read_weights(folder: Path, identity: str) -> EncoderWeights:
    """Load the base model in a folder, in float32."""
    from transformers import AutoModel

    config = read_config(folder)
    prefix = family_in(config, folder).old_prefix
    model, info = from_checkpoint(AutoModel, folder, config, {rf"^{re.escape(prefix)}": ""} if prefix else {})
    missing = tuple(sorted(info["missing_keys"]))
    pooler = {name for name, _ in model.named_parameters() if name.startswith("pooler.")}
    # A pooler is drawn as a whole where a part of it is missing.
    if missing and set(missing) != pooler:
        lost = sorted(set(missing) - pooler) or missing
        raise RequestError(f"the encoder in {folder} lacks weights: {lost[0]} and {len(lost) - 1} more")
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items() if name not in missing}
    return EncoderWeights(identity, config, state, missing, tokenizer_files(folder))


def from_checkpoint(
    kind: Any, folder: Path, config: Mapping[str, Any], renamed: Mapping[str, str]
) -> tuple["PreTrainedModel", Mapping[str, Any]]:
    """Load a model of one of transformers' auto classes, in float32, and tell which of its weights were found.

    ``renamed`` maps patterns of weights' names to their present ones. RequestError for a folder that cannot be read.
    """
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        # The random numbers of missing parameters are thrown away: keep them from shifting anybody else's.
        with torch.random.fork_rng(devices=[]):
            model, info = kind.from_pretrained(
                folder,
                config=model_config(config),
                key_mapping=dict(renamed) or None,
                dtype=torch.float32,
                local_files_only=True,
                output_loading_info=True,
            )
    except Exception as error:  # a damaged file can fail in any of four libraries
        raise RequestError(f"the encoder in {folder} cannot be read: {first_line(error)}") from None
    return model, info


def model_config(settings: Mapping[str, Any]) -> "PreTrainedConfig":
    """Make transformers' config from the settings of a ``config.json``."""
    from transformers import AutoConfig

    if own_code := family_in(settings, CONFIG).own_code:
        import_module(own_code)
    others = {key: value for key, value in settings.items() if key != "model_type"}
    config: PreTrainedConfig = AutoConfig.for_model(settings["model_type"], **others)
    return config


def build_model(encoder: EncoderWeights, dropout: float | None) -> "PreTrainedModel":
    """Make a fresh base model; ``dropout`` replaces the hidden and attention dropout of its config.

    Parameters named in ``encoder.missing`` hold numbers of no meaning: the caller draws them.
    """
    import torch
    from transformers import AutoModel

    from gridsearch.encoders.attention import with_quick_attention
    from gridsearch.encoders.dropout import with_quick_dropout
    from gridsearch.encoders.relative_positions import with_kept_positions

    config = model_config(encoder.config)
    if dropout is not None:
        for key in family_in(encoder.config, CONFIG).dropout_keys:
            setattr(config, key, dropout)
    # Every parameter is replaced below or by the caller: the numbers drawn here must not shift anybody's.
    with torch.random.fork_rng(devices=[]):
        model = AutoModel.from_config(config, dtype=torch.float32)
    # torch.tensor copies: the arrays may be shared with other trials.
    state = {name: torch.tensor(array) for name, array in encoder.state.items()}
    unknown = model.load_state_dict(state, strict=False)
    assert set(unknown.missing_keys) == set(encoder.missing)
    assert not unknown.unexpected_keys
    with_quick_attention(model)
    with_quick_dropout(model)
    with_kept_positions(model)
    return cast("PreTrainedModel", model)


def build_tokenizer(files: Mapping[str, bytes]) -> "PreTrainedTokenizerBase":
    """Make a tokenizer from its files; it gives segment ids to encoders that tell two segments apart, and to no other.

    Raises RequestError for one that cannot be made, or that is not this encoder's.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        config = read_config(Path(folder))
        try:
            tokenizer = _read_tokenizer(folder, files, config)
        except Exception as error:  # a damaged file can fail in any of three libraries
            reason = first_line(error)
            if _SENTENCEPIECE & files.keys() and find_spec("sentencepiece") is None:
                reason = "a SentencePiece model needs its package: pip install sentencepiece"
            raise RequestError(f"the encoder's tokenizer cannot be read: {reason}") from None
    n_embeddings = int(config.get("vocab_size", len(tokenizer)))
    # Published tables are rounded up. A tokenizer that finds no file of its own knows nothing but special tokens.
    if not n_embeddings / 2 <= len(tokenizer) <= n_embeddings:
        raise RequestError(f"the tokenizer knows {len(tokenizer)} tokens, but the encoder {n_embeddings}")
    if n_token_types(config, CONFIG) < 2:
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    return tokenizer


def _read_tokenizer(folder: str, files: Mapping[str, bytes], config: Mapping[str, Any]) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer, BertTokenizer

    tokenizer: PreTrainedTokenizerBase
    is_named = any(b'"tokenizer_class"' in files.get(name, b"") for name in (CONFIG, "tokenizer_config.json"))
    if "vocab.txt" in files and "tokenizer.json" not in files and not is_named:
        # Chinese ALBERTs come like this; their family's own class looks for another file.
        tokenizer = BertTokenizer.from_pretrained(folder, local_files_only=True)
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder, config=model_config(config), local_files_only=True)
    return tokenizer
