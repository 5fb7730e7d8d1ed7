"""A study as runs of Weights & Biases, written without a network; ``wandb sync`` sends them later."""

from pathlib import Path
from typing import Any, Final

from gridsearch.installed import needed
from runners.exporting.runs import Group, Run, groups_of, told_of
from runners.exporting.source import Source

EXIT_CODES: Final = {"finished": 0, "pruned": 0, "failed": 1}


def write(source: Source, folder: Path, place: Path) -> str:
    """Write a run a trial into the folder "wandb" here; its group is the cell, its project the study."""
    wandb = needed("wandb", "Weights & Biases", "wandb")
    groups = groups_of(source)
    for group in groups:
        for run in group.runs:
            _write_run(wandb, source, folder, group, run)
    return told_of(groups)


def _write_run(wandb: Any, source: Source, folder: Path, group: Group, run: Run) -> None:
    settings = wandb.Settings(
        mode="offline", silent=True, console="off", disable_git=True, disable_code=True, save_code=False,
        x_disable_stats=True, x_disable_machine_info=True, root_dir=str(folder.absolute()),
    )  # fmt: skip
    made = wandb.init(
        project=source.name, group=group.name, name=run.name, id=run.trial, config=dict(run.settings), settings=settings
    )
    for number, found in run.history.items():
        made.log({"epoch": number, **found}, step=number)
    made.summary.update({**run.numbers, **run.words})
    made.finish(exit_code=EXIT_CODES[run.state])
