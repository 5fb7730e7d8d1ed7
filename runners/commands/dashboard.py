"""``gridsearch dashboard``: look at a study with optuna-dashboard."""

from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.installed import needed
from gridsearch.study.study import Study
from reports.study.optuna_export import study_view
from reports.study.read import read_study
from runners.cli import Arguments
from runners.programs.answer import Answer


def run(arguments: Arguments) -> Answer:
    """Serve a copy of the study as it is now, until interrupted; nothing that is done to it reaches the ledger."""
    with Study(Path(arguments.study)).open() as ledger:
        study = read_study(ledger)
    optuna_dashboard = needed("optuna_dashboard", "the dashboard", "optuna-dashboard")
    if not 0 < arguments.port < 2**16:
        raise RequestError(f"--port must be between 1 and 65535, but is {arguments.port}")
    import optuna

    storage = optuna.storages.InMemoryStorage()
    count = len(study_view(study, storage).get_trials(deepcopy=False))
    print(f"{count} cells of {arguments.study}, as they are now: http://{arguments.host}:{arguments.port}/", flush=True)
    print("Ctrl-C ends it", flush=True)
    optuna_dashboard.run_server(storage, arguments.host, arguments.port)
    return Answer({})
