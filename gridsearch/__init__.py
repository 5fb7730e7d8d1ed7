"""The shared core: everything that a worker needs to run one trial. No Ray, no Optuna, no report in here.

What people call is `runners.api`, under this name: ``import gridsearch as gs``, then ``gs.plan``, ``gs.sweep``,
``gs.optimize``, ``gs.load``, ``gs.task``. It is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runners.api import (
        GridSearchError,
        LoadedStudy,
        Metric,
        Planned,
        RequestError,
        load,
        optimize,
        plan,
        sweep,
        task,
    )

__version__ = "0.1.0"
__all__ = [
    "GridSearchError",
    "LoadedStudy",
    "Metric",
    "Planned",
    "RequestError",
    "load",
    "optimize",
    "plan",
    "sweep",
    "task",
]


def __getattr__(name: str) -> object:
    """Return what people call, from where it is."""
    if name in __all__:
        from runners import api

        return getattr(api, name)
    raise AttributeError(f"module 'gridsearch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
