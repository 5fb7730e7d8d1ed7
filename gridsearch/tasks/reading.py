"""A text as tokenizers read it, as far as it can be told without one: texts that read the same are the same row.

The encoder is not known when a task is read, and cells may differ in it. So a reading is as coarse as the coarsest
usual tokenizer: what any of them cannot tell apart has one reading (docs/decisions/0019). It cannot know which words a
vocabulary lacks, nor where a text will be cut.
"""

import unicodedata
from functools import cache

from gridsearch.tasks.task import Split

Reading = tuple[str, str | None]
"""Of a row: of its text, and of its pair where there is one."""


def reading(text: str) -> str:
    """Return the words and signs of a text, without regard to case, accents, width, control characters and spacing.

    >>> reading("Ｃafé\\u200b,\\tbitte !") == reading("cafe, BITTE!")
    True
    >>> reading("12 3") == reading("1 23")
    False
    """
    return " ".join(text.translate(_LETTERS).split())


def readings_of(split: Split) -> list[Reading]:
    """Return the reading of each row: two rows whose texts have equal ones in this order look alike to a model."""
    pairs = [None] * len(split) if split.pairs is None else map(reading, split.pairs)
    return list(zip(map(reading, split.texts), pairs, strict=True))


def in_any_order(row: Reading) -> Reading:
    """Return the same for a pair and for its texts swapped."""
    text, pair = row
    return row if pair is None or text <= pair else (pair, text)


class _Letters(dict[int, str]):
    """A table for ``str.translate``, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = letter = _read_letter(chr(code))
        return letter


_LETTERS = _Letters()


def _read_letter(letter: str) -> str:
    """Read one character: as uncased BERT does, then as those do that fold compatible forms (NFKC)."""
    folded = unicodedata.normalize("NFKD", _as_bert(letter)).casefold()
    return "".join(map(_apart, unicodedata.normalize("NFKD", _as_bert(folded))))


def _as_bert(text: str) -> str:
    """Drop control characters and accents, lower the case, put spaces around each Chinese character."""
    return str(_bert_normalizer().normalize_str(text))


@cache
def _bert_normalizer():  # type: ignore[no-untyped-def]  # its package is slow to import
    from tokenizers.normalizers import BertNormalizer

    return BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True)


def _apart(letter: str) -> str:
    """Put spaces around whatever is no part of a word: "a,b" is read as "a , b" is. Accents are nothing."""
    kind = unicodedata.category(letter)
    if kind == "Mn" or unicodedata.combining(letter):
        return ""
    return letter if kind[0] in "LNM" or letter.isspace() else f" {letter} "
