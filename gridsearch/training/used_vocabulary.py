"""Training on the words that occur: the table of word vectors without those that no text of the task holds.

Nothing reads their vectors and no gradient reaches them, but an optimizer goes over them in every step: over 30,000 of
minilm's words, to train on 7,000. What training does to them all the same, to decay them, is one factor for all.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gridsearch.encoders.checkpoint.anatomy import WORD_TABLE
from gridsearch.encoders.load import EncoderWeights
from gridsearch.tasks.encode import EncodedTask

if TYPE_CHECKING:
    from torch import Tensor


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

        full = torch.tensor(encoder.state[WORD_TABLE]) * table[-1]
        full[torch.from_numpy(self.ids)] = table[:-1]
        return full


def used_vocabulary(data: EncodedTask, encoder: EncoderWeights) -> UsedVocabulary:
    """Cut a task and its encoder to the words that occur. Padding keeps its id: positions are counted by it."""
    table = encoder.state[WORD_TABLE]
    n_first = 1 + max(data.pad_id, int(encoder.config.get("pad_token_id") or 0))
    occurs = np.zeros(len(table), dtype=bool)
    occurs[:n_first] = True
    for split in data.splits.values():
        occurs[split.ids] = True
    ids = np.flatnonzero(occurs)
    new_ids = np.cumsum(occurs, dtype=np.int32) - 1
    state = {**encoder.state, WORD_TABLE: np.concatenate([table[ids], np.ones_like(table[:1])])}
    config = {**encoder.config, "vocab_size": len(ids) + 1}
    renamed = data.with_splits(lambda _, split: replace(split, ids=new_ids[split.ids]))
    return UsedVocabulary(renamed, replace(encoder, state=state, config=config), ids)
