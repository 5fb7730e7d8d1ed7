"""A value of JSON or of a typed column as the text that a person would write for it."""

import json
from pathlib import Path

from gridsearch.errors import RequestError


def as_text(path: Path, row: int, value: object) -> str:
    """Write a JSON or Parquet value as text: null is empty, true is "true". A lone surrogate is no text at all."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestError(
            f"{path} row {row} holds half of a surrogate pair, which no text may: {text[:60]!r}"
        ) from None
    return text
