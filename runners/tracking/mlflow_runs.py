"""Runs in an experiment of MLflow's: a cell is a run, and its trials are runs nested in it.

They are written by MLflow's client alone, into a file of SQLite or to a server that runs already.
"""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from gridsearch.errors import RequestError, first_line
from gridsearch.installed import needed
from gridsearch.withheld import without_secrets
from runners.tracking.runs import Group, Run
from runners.tracking.tracker import Tracker

STATUS: Final = {"finished": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
MOST_AT_ONCE: Final = {"metrics": 1000, "params": 100, "tags": 100}
"""What a call of the client takes of each."""
TRIAL, CELL = "gridsearch.trial", "gridsearch.cell"
"""Tags by which runs are found again."""
PATIENCE: Final = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""A server that does not answer is asked again by the next pass, and MLflow's own patience is minutes."""


class MLflow(Tracker):
    """Writes into an experiment, which is made where there is none of its name.

    Raises RequestError where MLflow is not installed, or what keeps its runs cannot be asked.
    """

    name = "mlflow"

    def __init__(
        self, experiment: str, about: Mapping[str, str], uri: str | None = None, artifacts: str | None = None
    ) -> None:
        """``about``: tags of the experiment. Without ``uri`` it is that of MLflow; ``artifacts`` is where files lie."""
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # before it is imported: it would ask the network
        os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"  # two lines a run
        tracking = needed("mlflow.tracking", "MLflow", "mlflow")
        self._entities = needed("mlflow.entities", "MLflow", "mlflow")
        for name in ("mlflow", "alembic"):  # they tell of every table that they make
            logging.getLogger(name).setLevel(logging.WARNING)
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        uri = uri or str(tracking.get_tracking_uri())
        where = without_secrets(uri)
        self.place = f"experiment {experiment} in {where}"
        try:
            self.client = tracking.MlflowClient(tracking_uri=uri, registry_uri=uri)
            known = self.client.get_experiment_by_name(experiment)
            if known is not None and known.lifecycle_stage == "deleted":
                raise RequestError(f"MLflow has a deleted experiment {experiment}: restore it, or name another folder")
            self.experiment: str = (
                self.client.create_experiment(experiment, artifact_location=artifacts, tags=dict(about))
                if known is None
                else known.experiment_id
            )
        except needed("mlflow.exceptions", "MLflow", "mlflow").MlflowException as error:
            wanted = "start it, name another one in MLFLOW_TRACKING_URI, or leave --track out"
            raise RequestError(
                f"MLflow at {where} cannot be asked, so nothing is begun: {wanted} ({_gist(error)})"
            ) from None
        self._is_new = known is None
        self._runs, self._parents = dict[str, str](), dict[int, str]()

    def begin(self, group: Group, run: Run) -> None:
        """Delete what there is of the trial, and make a run below that of its cell."""
        if not self._is_new or run.trial in self._runs:
            for found in self._found(TRIAL, run.trial):
                self.client.delete_run(found)
        tags = {"mlflow.runName": run.name, "mlflow.parentRunId": self._parent(group, run.started), TRIAL: run.trial}
        made = self.client.create_run(self.experiment, start_time=_milliseconds(run.started), tags=tags)
        self._runs[run.trial] = made.info.run_id
        self._log(made.info.run_id, run.settings, (), {})

    def log(self, run: Run, epochs: Sequence[int]) -> None:
        """Log what was measured, with the epoch as the step."""
        numbers = [one for epoch in epochs for one in self._metrics(run.history[epoch], epoch, run.time_of(epoch))]
        self._log(self._runs[run.trial], {}, numbers, {})

    def end(self, run: Run) -> None:
        """Log the summary at the chosen epoch, and terminate the run."""
        made = self._runs[run.trial]
        self._log(made, {}, self._metrics(run.numbers, run.chosen, run.ended), run.words)
        self.client.set_terminated(made, STATUS[run.state], _milliseconds(run.ended))

    def end_group(self, group: Group) -> None:
        """Log the means over a cell's trials, and terminate its run where the cell has ended."""
        now = time.time()
        began = min((run.started for run in group.runs), default=now)
        ended = max((run.ended for run in group.runs), default=now)
        parent = self._parent(group, began)
        self._log(parent, {}, self._metrics(group.numbers, 0, ended), {"state": group.state})
        self.client.set_terminated(parent, STATUS.get(group.state, "RUNNING"), _milliseconds(ended))

    def close(self) -> None:
        """Do nothing: what has not ended stands as running, until another process begins it anew."""

    def _parent(self, group: Group, began: float) -> str:
        if group.index not in self._parents:
            found = [] if self._is_new else self._found(CELL, str(group.index))
            self._parents[group.index] = found[0] if found else self._new_parent(group, began)
        return self._parents[group.index]

    def _new_parent(self, group: Group, began: float) -> str:
        tags = {"mlflow.runName": group.name, CELL: str(group.index)}
        made: str = self.client.create_run(self.experiment, start_time=_milliseconds(began), tags=tags).info.run_id
        self._log(made, group.settings, (), {})
        return made

    def _found(self, tag: str, value: str) -> list[str]:
        runs = self.client.search_runs([self.experiment], f"tags.`{tag}` = '{value}'")
        return [run.info.run_id for run in runs]

    def _metrics(self, found: Mapping[str, float], step: int, when: float) -> Iterator[Any]:
        for name, value in found.items():
            yield self._entities.Metric(name, value, _milliseconds(when), step)

    def _log(self, run: str, settings: Mapping[str, object], metrics: Iterable[Any], words: Mapping[str, str]) -> None:
        several = {
            "params": [self._entities.Param(name, str(value)) for name, value in settings.items()],
            "metrics": metrics,
            "tags": [self._entities.RunTag(name, text) for name, text in words.items()],
        }
        for kind, entries in several.items():
            left = iter(entries)
            while some := list(islice(left, MOST_AT_ONCE[kind])):
                self.client.log_batch(run, **{kind: some})


def _gist(error: Exception) -> str:
    """Return the reason at the end of what urllib3 says of an address, or the first line."""
    _, caused, reason = first_line(error).partition("Caused by ")
    return f"{reason if caused else first_line(error):.200}"


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
