"""What figures, and the table in HTML, say."""

from collections.abc import Mapping
from typing import Final

FIGURES: Final[Mapping[str, str]] = {}
