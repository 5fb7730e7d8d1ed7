"""How a tokenizer joins texts to a row: what it puts around them, and what is left of each where they are too long.

Knowing it, rows can be joined anew at each reading (in another order, with another second text), and no text is
tokenised twice. ``tests/tasks/test_joining.py`` holds it to what the tokenizer itself makes of two texts.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Frame:
    """What stands before the first text, behind it, and behind the second; a row of one text has no third stretch.

    ``ids`` are these three stretches, ``types`` their segment ids, and ``text_types`` those of the texts themselves;
    a tokenizer without segment ids gives 0.
    """

    ids: tuple[np.ndarray, np.ndarray, np.ndarray]
    types: tuple[np.ndarray, np.ndarray, np.ndarray]
    text_types: tuple[int, int]


def frame_of(tokenizer: "PreTrainedTokenizerBase", text: str, *, is_pair: bool) -> Frame:
    """Find out what a tokenizer puts around one text or two, by any text that is not empty to it."""
    row = tokenizer(text, text if is_pair else None, return_attention_mask=False, return_special_tokens_mask=True)
    ids = np.asarray(row["input_ids"], dtype=np.int32)
    types = np.asarray(row.get("token_type_ids", np.zeros(len(ids))), dtype=np.int8)
    # A special token that somebody wrote into a text is not marked here: it is the text's.
    of_texts = np.flatnonzero(np.asarray(row["special_tokens_mask"]) == 0)
    length = len(of_texts) // (2 if is_pair else 1)
    first, end = int(of_texts[0]), int(of_texts[-1]) + 1
    second = end - length if is_pair else len(ids)
    stretches = slice(0, first), slice(first + length, second), slice(end if is_pair else len(ids), None)
    before, behind, last = stretches
    return Frame(
        ids=(ids[before], ids[behind], ids[last]),
        types=(types[before], types[behind], types[last]),
        text_types=(int(types[first]), int(types[second]) if is_pair else 0),
    )


def cut_to(
    room: np.ndarray, first: np.ndarray, second: np.ndarray, *, odd_to_first: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return how much is left of two texts of these lengths, for which there is so much room in all.

    The longer one is cut until both are as long, then both (``truncation="longest_first"`` of tokenizers). An odd token
    remains to the longer, or to the second of two that are as long; tokenizers in Python leave it to the first always.
    """
    half = room // 2
    short = np.minimum(np.minimum(first, second), half)
    long = np.minimum(np.maximum(first, second), room - short)
    first_has_more = first > second
    if odd_to_first:
        first_has_more |= np.minimum(first, second) > half
    return np.where(first_has_more, long, short), np.where(first_has_more, short, long)
