"""A metric that is a function of the user's own: epochs, cells and studies are selected on by it as on any other.

The function goes from the driver to its workers, by value, and nowhere else: no file holds it. What a ledger keeps of
it is its name, its version and its source, which is a text that nothing runs.
"""

import contextlib
import inspect
import math
import pickle
import re
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from gridsearch.errors import MetricError, RequestError, first_line
from gridsearch.tasks.judging.labelling import METRICS

MOST_LETTERS: Final = 40
"""Of a name, which heads columns, and of a version."""
_NAME = re.compile(rf"[A-Za-z0-9_]{{1,{MOST_LETTERS}}}")
_OURS: Final = frozenset({"__main__", "gridsearch", "runners", "reports", "search_spaces"})
"""Modules that every worker has; what stands in ``__main__`` travels by value anyway."""

Function = Callable[[np.ndarray, np.ndarray], Any]
"""From what rows hold, and what is said of them, to a finite number of which more is better."""


@dataclass(frozen=True)
class OwnMetric:
    """A function that judges, under a name. MORE IS BETTER: of a cost or an error it returns the negative.

    ``function(truth, said)`` returns a finite number. ``truth`` is what the rows hold: positions of classes, (rows,),
    int64; 0 and 1, (rows, labels), int8; or numbers, (rows,), float64. ``said`` is in float64: probabilities of the
    classes, (rows, classes); of each label, (rows, labels); or numbers, (rows,). Both are its own to change.

    Without a ``name`` it is called as the function is. ``version`` tells results of one meaning from those of another:
    raise it when the function, or anything that it calls, changes. ``source`` is the text of the function, read where
    it is not given.

    >>> OwnMetric(lambda truth, said: -5.0 * ((said[:, 1] > 0.5) < truth).mean(), name="cost", version="1").name
    'cost'

    Raises:
        RequestError: it cannot be called, or has a name, a version or a source that cannot be told.
    """

    function: Function = field(compare=False, repr=False)
    name: str = ""
    version: str = "1"
    source: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise RequestError(f"a metric is a function of truth and said, but got {self.function!r:.80}")
        if self.name == "":
            object.__setattr__(self, "name", getattr(self.function, "__name__", ""))
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            rule = f"the name of a metric is 1 to {MOST_LETTERS} letters, digits and underscores, such as 'cost'"
            raise RequestError(f"{rule}, but got {self.name!r:.80}")
        if self.name.casefold() in METRICS:
            raise RequestError(f"{self.name} is a metric that gridsearch has: give a function of your own another name")
        version = self.version
        if not isinstance(version, str) or not 0 < len(version.strip()) <= MOST_LETTERS or not version.isprintable():
            rule = f"the version of the metric {self.name} is a text of up to {MOST_LETTERS} letters, such as '1'"
            raise RequestError(f"{rule}, but got {version!r:.80}")
        if not self.source:
            object.__setattr__(self, "source", _source_of(self.function, self.name))

    def value(self, truth: np.ndarray, said: np.ndarray) -> float:
        """Return what the function says of rows. Raises MetricError where that is no finite number, or it raises."""
        who = f"the metric {self.name} (version {self.version})"
        try:
            found = self.function(truth.copy(), said.copy())
            number = float(found) if hasattr(found, "__float__") and not np.ndim(found) else math.nan
        except MemoryError:  # it is tried again with more of it
            raise
        except Exception as error:
            raise MetricError(f"{who} raised {type(error).__name__}: {first_line(error)}") from error
        if not math.isfinite(number):
            raise MetricError(f"{who} must return a finite number, but returned {' '.join(repr(found).split()):.80}")
        return number

    @cached_property
    def travelling(self) -> bytes:
        """The function as it goes to workers: the same one to all of them, whatever becomes of it here.

        Raises RequestError where it holds what cannot leave this process.
        """
        if isinstance(self.function, _Arrived):
            return self.function.travelling
        try:
            return _by_value(self.function)
        except Exception as error:
            rule = f"the metric {self.name} holds something that cannot go to other processes"
            raise RequestError(f"{rule} ({first_line(error)}): make it inside the function") from None

    def __reduce__(self) -> tuple[Callable[..., "OwnMetric"], tuple[object, ...]]:
        return _arrived, (self.travelling, self.name, self.version, self.source)


@dataclass(eq=False)
class _Arrived:
    """A function in a worker, which unpacks it when it is first called: what goes wrong then is told of a trial."""

    travelling: bytes
    _function: Function | None = None

    def __call__(self, truth: np.ndarray, said: np.ndarray) -> Any:
        if self._function is None:
            # Not from a file: an object of this class is made of what a driver sends to its workers alone.
            self._function = pickle.loads(self.travelling)
        return self._function(truth, said)


def _arrived(travelling: bytes, name: str, version: str, source: str) -> OwnMetric:
    return OwnMetric(_Arrived(travelling), name, version, source)


def _source_of(function: Function, name: str) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError, SyntaxError):
        rule = f"the source of the metric {name} cannot be read, and a study keeps it"
        raise RequestError(f"{rule}: write it as a function in a file or in a cell of a notebook") from None


def _by_value(function: Function) -> bytes:
    """Pickle a function with all of the user's own that it refers to: a worker need not find the user's modules."""
    import cloudpickle

    with contextlib.suppress(Exception), _modules_by_value():
        found: bytes = cloudpickle.dumps(function)
        return found
    by_name: bytes = cloudpickle.dumps(function)  # a module of the user's holds what has no value
    return by_name


@contextlib.contextmanager
def _modules_by_value() -> Iterator[None]:
    """Have cloudpickle take what stands in modules of the user's along; those that are installed are everywhere."""
    import cloudpickle

    known = cloudpickle.list_registry_pickle_by_value()
    own = [one for name, one in list(sys.modules.items()) if name not in known and _is_of_the_user(name, one)]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _is_of_the_user(name: str, module: ModuleType | None) -> bool:
    """Tell whether a module is neither installed nor Python's own, nor one of this project."""
    known = getattr(module, "__dict__", {})  # a module that is loaded lazily stays unloaded
    file = known.get("__file__")
    if not file or known.get("__name__") != name or name.partition(".")[0] in _OURS:
        return False
    path = Path(file)
    return not {"site-packages", "dist-packages"} & set(path.parts) and not path.is_relative_to(
        sysconfig.get_path("stdlib")
    )
