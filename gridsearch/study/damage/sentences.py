"""The sentence for a damaged ledger, and errors of reading one that become it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from gridsearch.errors import DamagedError, first_line


def damaged_sentence(path: Path, what: object) -> str:
    """Say that a ledger is damaged, and what to do."""
    return f"{path} is damaged ({what}): put a copy of it in its place, or begin again with another --study"


@contextlib.contextmanager
def telling_of_damage(path: Path) -> Iterator[None]:
    """Raise DamagedError, with the ledger's path, for an array that is damaged or JSON that is not what was written."""
    try:
        yield
    except DamagedError as error:
        raise DamagedError(damaged_sentence(path, first_line(error))) from None
    except KeyError as error:
        raise DamagedError(damaged_sentence(path, f"its entry {first_line(error)} is missing")) from None
    except (ValueError, TypeError, AttributeError, IndexError):  # their words are of this code, and not of the file
        raise DamagedError(damaged_sentence(path, "an entry of it is none that gridsearch writes")) from None
