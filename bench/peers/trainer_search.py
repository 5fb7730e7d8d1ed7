"""A whole grid by Trainer.hyperparameter_search, on two workers of one thread: Ray's grid search or Optuna's sampler.

    python -m bench.peers.trainer_search --backend ray --grid '{"frozen_layers": [0, 3]}' --model FOLDER ...

As fast as its options make it: bf16 where the processor multiplies it, rows of like length together, the fused
optimizer, warm workers, no checkpoints.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from transformers import HfArgumentParser

from bench.peers.training import Arguments, make_trainer, write_results

N_WORKERS = 2
Grid = dict[str, list[Any]]
Results = list[tuple[dict[str, Any], float]]


@dataclass
class SearchArguments(Arguments):
    """The arguments of a search; ``grid`` is JSON, from the name of a hyperparameter to its levels."""

    backend: str = "ray"
    grid: str = "{}"


def main() -> None:
    """Search, and write the best epoch's dev metric of every trial."""
    (arguments,) = HfArgumentParser(SearchArguments).parse_args_into_dataclasses()
    Path(arguments.output_dir).mkdir(parents=True, exist_ok=True)
    search = search_with_ray if arguments.backend == "ray" else search_with_optuna
    write_results(arguments, search(arguments, json.loads(arguments.grid)))


def search_with_ray(arguments: SearchArguments, grid: Grid) -> Results:
    """Let Ray Tune expand the grid over its workers."""
    import ray
    from ray import tune

    ray.init(address="local", num_cpus=N_WORKERS, include_dashboard=False, log_to_driver=False)
    best = _searched(
        arguments,
        hp_space=lambda _: {name: tune.grid_search(levels) for name, levels in grid.items()},
        hyperparameters=lambda trial: trial,
        n_trials=1,  # of the whole grid: Ray multiplies it by this
        resources_per_trial={"cpu": 1},
        max_concurrent_trials=N_WORKERS,
        reuse_actors=True,
        storage_path=str(Path(str(arguments.output_dir), "tune")),
        verbose=0,
    )
    return [(trial.config, trial.metric_analysis["objective"]["max"]) for trial in best.run_summary.trials]


def search_with_optuna(arguments: SearchArguments, grid: Grid) -> Results:
    """Let two processes share a study: in one process, trials would share the Trainer."""
    import optuna

    others = [
        get_context("spawn").Process(target=_share_of_optuna, args=(arguments, grid)) for _ in range(N_WORKERS - 1)
    ]
    for other in others:
        other.start()
    _share_of_optuna(arguments, grid)
    for other in others:
        other.join()
    study = optuna.load_study(study_name="grid", storage=_storage(arguments))
    return [(trial.params, max(trial.intermediate_values.values())) for trial in study.trials]


def _share_of_optuna(arguments: SearchArguments, grid: Grid) -> None:
    """Run this process's share of the trials."""
    import optuna
    import torch

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def suggested(trial: optuna.Trial) -> dict[str, Any]:
        return {name: trial.suggest_categorical(name, levels) for name, levels in grid.items()}

    n_cells = math.prod(len(levels) for levels in grid.values())
    _searched(
        arguments,
        hp_space=suggested,
        hyperparameters=suggested,
        n_trials=-(-n_cells // N_WORKERS),  # were it n_cells, the first to be idle would repeat what still runs
        study_name="grid",
        storage=_storage(arguments),
        load_if_exists=True,
        sampler=optuna.samplers.GridSampler(grid, seed=0),
        pruner=optuna.pruners.NopPruner(),  # the default would end trials that look worse than others
    )


def _searched(
    arguments: SearchArguments,
    hp_space: Callable[[Any], dict[str, Any]],
    hyperparameters: Callable[[Any], dict[str, Any]],
    **options: Any,
) -> Any:
    """Call Trainer's search; ``hyperparameters`` reads those of a trial before Trainer has put them into its args."""
    trainer = make_trainer(
        arguments,
        padding=False,
        frozen_layers=lambda trial: 0 if trial is None else hyperparameters(trial)["frozen_layers"],
    )
    return trainer.hyperparameter_search(
        hp_space=hp_space,
        compute_objective=lambda metrics: metrics[f"eval_{arguments.metric}"],
        direction="maximize",
        backend=arguments.backend,
        **options,
    )


def _storage(arguments: SearchArguments) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(Path(str(arguments.output_dir), "optuna.log"))))


if __name__ == "__main__":
    main()
