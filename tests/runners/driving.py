"""A sweep in one call, for tests that are not about how it is put together."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from gridsearch.planning.plan import Plan
from gridsearch.study.study import Study
from runners.contract import Runner
from runners.driver import Driven, Settings, drive
from runners.progress.live import Progress
from runners.schedules.rounds import Rounds
from runners.tracking.tracker import Tracker


def sweep(
    plan: Plan,
    study: Study,
    runner: Runner,
    sources: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    tracker: Tracker | None = None,
    **settings: Any,
) -> Driven:
    """Run what the study lacks of a plan, quietly."""
    progress = progress or Progress(plan.task.target, {}, Console(quiet=True))
    schedule = Rounds(plan, study, sources or {})
    return drive(schedule, study, runner, Settings(**settings), provenance=dict, progress=progress, tracker=tracker)
