"""The sections of the page: what was found, asked and run."""

from collections.abc import Mapping
from typing import Final

PAGE: Final[Mapping[str, str]] = {
    "No attempt failed.": "没有失败的尝试。",
}
