"""What is never written down: values of the environment that open a door, and passwords in addresses."""

import os
import re
from typing import Final

_NAMES: Final = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY", re.IGNORECASE)
_SHORTEST: Final = 6
"""A value of fewer letters may be an ordinary word, such as that of TOKENIZERS_PARALLELISM."""
_IN_ADDRESS: Final = re.compile(r"(?<=:/)(/?[^/\s:@]*):[^/\s]*@")
WITHHELD: Final = "***"


def without_secrets(text: str) -> str:
    """Return a text in which stars stand for passwords of addresses and for values of variables named as secrets are.

    >>> without_secrets("no way to http://me:hunter2@proxy:8080/x")
    'no way to http://me:***@proxy:8080/x'
    """
    text = _IN_ADDRESS.sub(rf"\1:{WITHHELD}@", text)
    values = {value for name, value in os.environ.items() if _NAMES.search(name) and len(value) >= _SHORTEST}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, WITHHELD)
    return text
