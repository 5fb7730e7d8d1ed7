"""Training on the words that occur: the table of word vectors without those that no text of the task holds.

Nothing reads their vectors and no gradient reaches them, but an optimizer goes over them in every step: over 30,000 of
minilm's words, to train on 7,000. What training does to them all the same, to decay them, is one factor for all.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gridsearch.encoders.checkpoint.anatomy import word_table
from gridsearch.encoders.checkpoint.config import CONFIG, model_config
from gridsearch.encoders.families import family_in
from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.encode import EncodedTask

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig


@dataclass(frozen=True)
class UsedVocabulary:
    """A task and an encoder by the words that occur. ``ids`` are their former ids: row i of the table was ``ids[i]``.

    One more row, of ones, stands at the end of the table for all words that are left out.
    """

    data: EncodedTask
    encoder: EncoderWeights
    ids: np.ndarray

    def whole(self, table: "Tensor", encoder: EncoderWeights) -> "Tensor":
        """Put the trained rows back among those of the ``encoder`` that was cut, scaled as training scaled them."""
        import torch

        full = torch.tensor(encoder.state[word_table(encoder.config)]) * table[-1]
        full[torch.from_numpy(self.ids)] = table[:-1]
        return full


def used_vocabulary(data: EncodedTask, encoder: EncoderWeights) -> UsedVocabulary:
    """Cut a task and its encoder to the words that occur. Padding keeps its id where positions are counted by it.

    An encoder of a family that is not known keeps all words: who knows what it does with their ids.
    """
    family, words = family_in(encoder.config, CONFIG), word_table(encoder.config)
    table = encoder.state[words]
    settings = model_config(encoder.config)
    padding = [data.pad_id, int(settings.pad_token_id or 0)]
    occurs = np.full(len(table), not family.is_known)
    occurs[padding] = True
    if family.pad_token_id is not None:
        occurs[: 1 + max(padding)] = True
    for split in data.splits.values():
        occurs[split.ids] = True
    ids = np.flatnonzero(occurs)
    new_ids = np.cumsum(occurs, dtype=np.int32) - 1
    state = {**encoder.state, words: np.concatenate([table[ids], np.ones_like(table[:1])])}
    # Of the other special tokens an encoder has no use, and transformers warns of those beyond the table.
    config = {**encoder.config, **dict.fromkeys(_special(settings, len(ids)))}
    config |= {"vocab_size": len(ids) + 1, "pad_token_id": int(new_ids[padding[1]])}
    renamed = data.with_splits(lambda _, split: replace(split, ids=new_ids[split.ids]))
    renamed = replace(renamed, pad_id=int(new_ids[data.pad_id]))
    return UsedVocabulary(renamed, replace(encoder, state=state, config=config), ids)


def _special(settings: "PreTrainedConfig", n_words: int) -> list[str]:
    """Name the settings that hold ids of special tokens which are no row of the table any more."""
    ids = {name: value for name, value in settings.to_dict().items() if name.endswith("_token_id")}
    return [name for name, value in ids.items() if isinstance(value, int) and value > n_words]
