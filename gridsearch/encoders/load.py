"""Encoders by name: describe one (cheap, nothing is built), or load its weights into memory for the workers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.anatomy import Anatomy, anatomy_of, float_array
from gridsearch.encoders.checkpoint.config import CONFIG, model_config, read_config
from gridsearch.encoders.checkpoint.tensors import read_tensors
from gridsearch.encoders.checkpoint.tokenizer import tokenizer_files
from gridsearch.encoders.families import family_in
from gridsearch.encoders.files import locate, read_card
from gridsearch.encoders.tiny import tiny

if TYPE_CHECKING:
    import numpy
    from transformers import PreTrainedModel


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
    """Load the base model in a folder, in float32. Raises RequestError for what :func:`describe` would refuse, too."""
    config = read_config(folder)
    return weights_of(anatomy_of(read_tensors(folder), config, folder), config, folder, identity)


def weights_of(anatomy: Anatomy, config: Mapping[str, Any], folder: Path, identity: str) -> EncoderWeights:
    """Copy an encoder's numbers into memory, in float32, and its tokenizer."""
    state = {name: float_array(tensor) for name, tensor in anatomy.tensors.items()}
    return EncoderWeights(identity, config, state, anatomy.missing, tokenizer_files(folder))


def build_model(encoder: EncoderWeights, dropout: float | None) -> "PreTrainedModel":
    """Make a fresh base model; ``dropout`` replaces the hidden and attention dropout of its config.

    Parameters named in ``encoder.missing`` hold numbers of no meaning: the caller draws them.
    """
    import torch
    from transformers import AutoModel

    from gridsearch.encoders.attention import with_quick_attention
    from gridsearch.encoders.dropout import with_quick_dropout
    from gridsearch.encoders.mended.convolutions import with_masked_convolutions
    from gridsearch.encoders.mended.relative_positions import with_kept_positions

    config, family = model_config(encoder.config), family_in(encoder.config, CONFIG)
    if dropout is not None:
        for key in family.dropouts:
            setattr(config, key, dropout)
    # Every parameter is replaced below or by the caller: the numbers drawn here must not shift anybody's.
    with torch.random.fork_rng(devices=[]):
        model = AutoModel.from_config(config, dtype=torch.float32)
    # torch.tensor copies: the arrays may be shared with other trials.
    state = {name: torch.tensor(array) for name, array in encoder.state.items()}
    unknown = model.load_state_dict(state, strict=False)
    assert set(unknown.missing_keys) == set(encoder.missing)
    assert not unknown.unexpected_keys
    if family.is_known:
        with_quick_attention(model)
    with_quick_dropout(model)
    with_kept_positions(model)
    if family.reads_padding:
        with_masked_convolutions(model)
    return cast("PreTrainedModel", model)
