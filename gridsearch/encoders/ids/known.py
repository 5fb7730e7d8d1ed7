"""Whether an encoder's vocabulary is one of ids already: what a pretraining on ids has made, say."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


def knows_ids(folder: Path) -> bool:
    """Tell whether the vocabulary of an encoder's folder holds numbers, and nothing else but special tokens."""
    try:
        if (folder / "tokenizer.json").is_file():
            content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
            words: Iterable[Any] = content["model"].get("vocab", ())
            return _are_numbers(words, [token["content"] for token in content.get("added_tokens", ())])
        if (folder / "vocab.txt").is_file():
            words = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
            return _are_numbers((word.strip() for word in words), [""])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # whoever builds the tokenizer says what is wrong with it
    return False


def _are_numbers(words: Iterable[Any], special: Sequence[str]) -> bool:
    """Tell whether there are numbers, and no other word; what stands in brackets is no word."""
    n_numbers = 0
    for word in words:
        if not isinstance(word, str):
            return False
        if word in special or (word[:1], word[-1:]) in (("[", "]"), ("<", ">")):
            continue
        if not (word.isascii() and word.isdecimal()):
            return False
        n_numbers += 1
    return n_numbers > 0
