"""Runs of Weights & Biases: sent as they come where its user is logged in, and else written, to be sent later."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from gridsearch.installed import needed
from runners.tracking.runs import Group, Run
from runners.tracking.tracker import Tracker

EXIT_CODES: Final = {"finished": 0, "pruned": 0, "failed": 1}
NOT_ENDED: Final = 255
"""The exit code of a run that another process may take up again."""
OFFLINE: Final = "offline"


class WeightsAndBiases(Tracker):
    """Makes a run a trial, whose id is the trial's; its group is the cell.

    Raises RequestError where Weights & Biases is not installed.
    """

    name = "wandb"

    def __init__(self, project: str, folder: Path | None = None) -> None:
        """``folder``: write into "wandb" there, and send nothing; without one, do as Weights & Biases is told to."""
        self._wandb = needed("wandb", "Weights & Biases", "wandb")
        self._project, self._open = project, dict[str, Any]()
        self._settings: dict[str, Any] = {
            "silent": True, "console": "off", "disable_git": True, "disable_code": True, "save_code": False,
            "x_disable_stats": True, "x_disable_machine_info": True, "x_save_requirements": False, "host": "",
        }  # fmt: skip
        if folder is not None:
            self._settings |= {"mode": OFFLINE, "root_dir": str(folder.absolute())}
            self.place = f"project {project} in {folder}"
            return
        self._project = os.environ.get("WANDB_PROJECT") or project
        own = self._wandb.Settings()
        mode = own.mode if own.mode != "online" or _is_logged_in(own.base_url) else OFFLINE
        self._settings["mode"] = mode
        where = Path(own.root_dir).absolute() / "wandb" if mode != "online" else f"{own.base_url}/{own.entity or ''}"
        self.place = f"project {self._project} in {where}"

    def begin(self, group: Group, run: Run) -> None:
        """Begin a run; one with its id that was sent already goes on."""
        self._let_go(run.trial, NOT_ENDED)
        goes_on = {"resume": "allow"} if self._settings["mode"] == "online" else {}
        self._open[run.trial] = self._wandb.init(
            project=self._project, group=group.name, name=run.name, id=run.trial, config=dict(run.settings),
            reinit="create_new", settings=self._wandb.Settings(**self._settings), **goes_on,
        )  # fmt: skip

    def log(self, run: Run, epochs: Sequence[int]) -> None:
        """Log what was measured, with the epoch as the step."""
        for epoch in epochs:
            self._open[run.trial].log({"epoch": epoch, **run.history[epoch]}, step=epoch)

    def end(self, run: Run) -> None:
        """Write the summary, and finish the run."""
        self._open[run.trial].summary.update({**run.numbers, **run.words})
        self._let_go(run.trial, EXIT_CODES[run.state])

    def end_group(self, group: Group) -> None:
        """Do nothing: a group has no numbers but its runs'."""

    def close(self) -> None:
        """Finish what runs as if it had crashed."""
        for trial in list(self._open):
            self._let_go(trial, NOT_ENDED)

    def _let_go(self, trial: str, code: int) -> None:
        if (made := self._open.pop(trial, None)) is not None:
            made.finish(exit_code=code)


def _is_logged_in(host: str) -> bool:
    """Whether a key is known, which ``wandb.init`` would ask a terminal for."""
    auth = needed("wandb.sdk.lib.wbauth", "Weights & Biases", "wandb")
    found = auth.authenticate_session(host=host, source="", prompt=False, update_session=False)
    return found is not None
