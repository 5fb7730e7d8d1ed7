"""How long a task's texts are for an encoder: counted once on a machine, and kept in its cache."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gridsearch.cache import cache_folder, keep, kept
from gridsearch.canonical import fingerprint
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.encoders.ids.tokenizer import tokenizer_as_read
from gridsearch.encoders.tiny import tiny
from gridsearch.tasks.lengths import Lengths, TaskLengths, count_lengths
from gridsearch.tasks.parts.joint_task import AnyTask

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

VERSION = 1
"""Of what is counted: raised when other numbers would come out."""


def lengths_of(card: EncoderCard, task: AnyTask) -> TaskLengths:
    """Return the lengths of a task's texts in the tokens of an encoder, which need not be made for that.

    Raises RequestError for a tokenizer that cannot be read.
    """
    place = cache_folder() / "lengths" / f"{fingerprint([VERSION, task.fingerprint, card.identity])}.json"
    if (known := _read(place)) is not None:
        return known
    lengths = count_lengths(task, tokenizer_of(card, task))
    keep(place, asdict(lengths))
    return lengths


def tokenizer_of(card: EncoderCard, task: AnyTask) -> "PreTrainedTokenizerBase":
    """Make the tokenizer by which an encoder reads a task. Raises RequestError for one that cannot be read."""
    if card.is_made_of_the_texts:
        return tiny.make_tokenizer(task.corpus, ids=card.ids.tokens if card.ids else ())
    assert card.folder is not None, "what is not made here lies in a folder"
    files = tokenizer_files(card.folder)
    return build_tokenizer(tokenizer_as_read(files, card))


def _read(place: Path) -> TaskLengths | None:
    """Read what is kept; None where there is nothing, or nothing whole."""
    known = kept(place)
    try:
        parts = {
            name: {split: Lengths(**{**one, "counts": _numbers(one["counts"])}) for split, one in part.items()}
            for name, part in known["parts"].items()
        }
        return TaskLengths(parts, known["unknown"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _numbers(counts: dict[str, int]) -> dict[int, int]:
    """Return counts by numbers, which JSON spells as texts."""
    return {int(length): count for length, count in counts.items()}
