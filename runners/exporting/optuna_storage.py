"""A study as an Optuna storage: one SQLite file, for optuna-dashboard and for Optuna's own tables and figures."""

import shutil
from pathlib import Path

from gridsearch.installed import needed
from gridsearch.scratch import scratch_folder
from reports.study.optuna_export import study_view
from runners.exporting.source import Source


def write(source: Source, file: Path, place: Path) -> str:
    """Write the storage; the study in it is called as the folder is."""
    optuna = needed("optuna", "Optuna")
    with scratch_folder() as scratch:  # whose path has no letter that means anything in a URL
        storage = optuna.storages.RDBStorage(f"sqlite:///{scratch}/study.db")
        n_trials = len(study_view(source.study, storage).get_trials(deepcopy=False))
        storage.engine.dispose()
        shutil.move(scratch / "study.db", file)
    return f"{n_trials} cells as the trials of the Optuna study {source.name}"
