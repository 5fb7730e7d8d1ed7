"""A study as a store of an experiment tracker, a function each, written all at once."""

import contextlib
import shutil
from pathlib import Path

from gridsearch.scratch import scratch_folder
from runners.exporting.source import Source
from runners.tracking.mlflow_runs import MLflow
from runners.tracking.runs import groups_of, told_of
from runners.tracking.tensorboard_events import TensorBoard
from runners.tracking.tracker import Tracker, replay
from runners.tracking.trackio_store import Trackio, storage_in
from runners.tracking.wandb_runs import WeightsAndBiases


def write_tensorboard(source: Source, folder: Path, place: Path) -> str:
    """Write the event file of each trial, at the times at which it ran."""
    return _written(source, TensorBoard(folder))


def write_trackio(source: Source, folder: Path, place: Path) -> str:
    """Write the project."""
    with storage_in(folder):
        return _written(source, Trackio(source.name))


def write_wandb(source: Source, folder: Path, place: Path) -> str:
    """Write offline runs into the folder "wandb"; ``wandb sync`` sends them."""
    return _written(source, WeightsAndBiases(source.name, folder))


def write_mlflow(source: Source, folder: Path, place: Path) -> str:
    """Write mlflow.db, and below "artifacts" the page; its entries name the place that the folder will have."""
    folder, location = folder.absolute(), (place.absolute() / "artifacts").as_uri()
    about = {"mlflow.note.content": source.study.manifest.title, "metric": source.study.metric}
    # MLflow spells the working folder into a statement of SQL as it is, quotes and all, and the file into a URL.
    with scratch_folder() as scratch, contextlib.chdir(scratch):
        store = MLflow(source.name, about, f"sqlite:///{scratch}/mlflow.db", location)
        told = _written(source, store)
        # A run for the study itself, whose artifacts are what is of no cell.
        tags = {"mlflow.runName": "the study", "mlflow.note.content": source.study.manifest.title}
        whole = store.client.create_run(store.experiment, tags=tags).info.run_id
        store.client.set_terminated(whole, "FINISHED")
        shutil.move(scratch / "mlflow.db", folder / "mlflow.db")
    artifacts = folder / "artifacts" / whole / "artifacts"
    artifacts.mkdir(parents=True)
    if source.page is not None:
        shutil.copyfile(source.page, artifacts / source.page.name)
    return told


def _written(source: Source, tracker: Tracker) -> str:
    groups = groups_of(source.study, source.ledger)
    replay(tracker, groups)
    return told_of(groups)
