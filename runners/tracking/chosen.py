"""The tracker that ``--track`` names, at the place that its own settings name."""

import os
from collections.abc import Callable, Mapping
from typing import Final

from gridsearch.errors import RequestError, one_of
from gridsearch.study.study import Study
from runners.tracking.mlflow_runs import MLflow
from runners.tracking.tensorboard_events import TensorBoard
from runners.tracking.tracker import Tracker
from runners.tracking.trackio_store import Trackio
from runners.tracking.wandb_runs import WeightsAndBiases

TRACKERS: Final[Mapping[str, Callable[[Study], Tracker]]] = {
    "trackio": lambda study: Trackio(study.name),
    "mlflow": lambda study: MLflow(os.environ.get("MLFLOW_EXPERIMENT_NAME") or study.name, {}),
    "wandb": lambda study: WeightsAndBiases(study.name),
    "tensorboard": lambda study: TensorBoard(study.events_folder),
}


def tracker_named(name: str | None) -> Callable[[Study], Tracker | None]:
    """Return what opens the tracker of a name for a study; of None, what opens none.

    Raises RequestError for a name that is unknown; so does what is returned for a tracker that is not installed, or
    cannot be reached.
    """
    if name is None:
        return lambda study: None
    if name not in TRACKERS:
        raise RequestError(f"--track: {one_of('tracker', name, list(TRACKERS))}")
    return TRACKERS[name]
