"""A study as a store of MLflow's: an SQLite file with an experiment, and the study's page as an artifact.

A cell is a run, and its trials are runs nested in it. The store is written by MLflow's client alone; no server runs.
"""

import contextlib
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gridsearch.installed import needed
from gridsearch.scratch import scratch_folder
from runners.exporting.runs import Group, Run, groups_of, told_of
from runners.exporting.source import Source

STATUS: Final = {"finished": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
MOST_AT_ONCE: Final = {"metrics": 1000, "params": 100, "tags": 100}
"""What a call of the client takes of each."""


def write(source: Source, folder: Path, place: Path) -> str:
    """Write mlflow.db, and below "artifacts" the page; its entries name the place that the folder will have.

    Raises RequestError where MLflow is not installed.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # before it is imported: it would ask the network
    tracking = needed("mlflow.tracking", "MLflow", "mlflow")
    groups, folder, location = groups_of(source), folder.absolute(), (place.absolute() / "artifacts").as_uri()
    for name in ("mlflow", "alembic"):  # they tell of every table that they make
        logging.getLogger(name).setLevel(logging.WARNING)
    # MLflow spells the working folder into a statement of SQL as it is, quotes and all, and the file into a URL.
    with scratch_folder() as scratch, contextlib.chdir(scratch):
        uri = f"sqlite:///{scratch}/mlflow.db"
        client = tracking.MlflowClient(tracking_uri=uri, registry_uri=uri)
        about = {"mlflow.note.content": source.study.manifest.title, "metric": source.study.metric}
        experiment = client.create_experiment(source.name, artifact_location=location, tags=about)
        for group in groups:
            parent = _add_group(client, experiment, group)
            for run in group.runs:
                _add_run(client, experiment, run, parent)
        whole = _add_study(client, experiment, source)
        shutil.move(scratch / "mlflow.db", folder / "mlflow.db")
    artifacts = folder / "artifacts" / whole / "artifacts"
    artifacts.mkdir(parents=True)
    if source.page is not None:
        shutil.copyfile(source.page, artifacts / source.page.name)
    return told_of(groups)


def _add_study(client: Any, experiment: str, source: Source) -> str:
    """Write a run for the study itself, whose artifacts are what is of no cell; return its id."""
    tags = {"mlflow.runName": "the study", "mlflow.note.content": source.study.manifest.title}
    made: str = client.create_run(experiment, tags=tags).info.run_id
    client.set_terminated(made, "FINISHED")
    return made


def _add_group(client: Any, experiment: str, group: Group) -> str:
    """Write a cell's run, with the means over its trials; return its id."""
    began = min((run.started for run in group.runs), default=0.0)
    ended = max((run.ended for run in group.runs), default=0.0)
    tags = {"mlflow.runName": group.name, "state": group.state}
    made: str = client.create_run(experiment, start_time=_milliseconds(began), tags=tags).info.run_id
    _log(client, made, group.settings, _metrics(group.numbers, 0, ended), {})
    client.set_terminated(made, STATUS.get(group.state, "RUNNING"), _milliseconds(ended))
    return made


def _add_run(client: Any, experiment: str, run: Run, parent: str) -> None:
    tags = {"mlflow.runName": run.name, "mlflow.parentRunId": parent}
    made = client.create_run(experiment, start_time=_milliseconds(run.started), tags=tags).info.run_id
    metrics = [one for number, found in run.history.items() for one in _metrics(found, number, run.ended)]
    _log(client, made, run.settings, [*metrics, *_metrics(run.numbers, run.chosen, run.ended)], run.words)
    client.set_terminated(made, STATUS[run.state], _milliseconds(run.ended))


def _metrics(found: Mapping[str, float], step: int, when: float) -> Iterator[Any]:
    entities = needed("mlflow.entities", "MLflow", "mlflow")
    for name, value in found.items():
        yield entities.Metric(name, value, _milliseconds(when), step)


def _log(
    client: Any, run: str, settings: Mapping[str, object], metrics: Iterable[Any], words: Mapping[str, str]
) -> None:
    entities = needed("mlflow.entities", "MLflow", "mlflow")
    several = {
        "params": [entities.Param(name, str(value)) for name, value in settings.items()],
        "metrics": metrics,
        "tags": [entities.RunTag(name, text) for name, text in words.items()],
    }
    for kind, entries in several.items():
        left = iter(entries)
        while some := list(islice(left, MOST_AT_ONCE[kind])):
            client.log_batch(run, **{kind: some})


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
