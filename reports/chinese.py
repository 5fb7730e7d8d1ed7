"""Every sentence of the page in Chinese, by its English template."""

from collections.abc import Mapping
from typing import Final

SENTENCES: Final[Mapping[str, str]] = {
    "No attempt failed.": "没有失败的尝试。",
}
