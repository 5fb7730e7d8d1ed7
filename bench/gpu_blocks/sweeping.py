"""A sweep inside a block, without a command line and a page."""

from pathlib import Path

from rich.console import Console

from bench.gpu_blocks.asked import Asked
from gridsearch.encoders.files import read_card
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.taskfile import load_task
from runners.contract import Runner
from runners.driver import Driven, Settings, drive
from runners.progress.live import Progress
from runners.schedules.rounds import Rounds


def plan_of(asked: Asked, rows: str, encoder: str, space: str) -> Plan:
    """Plan a space, given as its TOML, on rows and an encoder of the materials."""
    folder = asked.scratch / encoder
    task = load_task(Path(asked.scratch, rows, "task.toml"))
    fixed = parse_space(space, asked.block).with_fixed({"encoder": str(folder)})
    return make_plan(fixed, task, lambda name: read_card(name, Path(name)))


def sweep(plan: Plan, study: Study, runner: Runner) -> Driven:
    """Run what the study lacks, quietly."""
    progress = Progress(plan.task.target, {}, Console(quiet=True))
    return drive(Rounds(plan, study, {}), study, runner, Settings(), provenance=dict, progress=progress)
