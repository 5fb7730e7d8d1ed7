"""What matters, against which noise, and what to use."""

from collections.abc import Mapping
from typing import Final

FINDINGS: Final[Mapping[str, str]] = {}
