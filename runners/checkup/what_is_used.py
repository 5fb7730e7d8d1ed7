"""A sweep's defaults on this machine: what it takes when it is told nothing, asked of the parts that decide it."""

from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True)
class Used:
    """The defaults of a sweep here. ``gpus_per_trial`` is 0 where trials run on cores."""

    runner: str
    workers: int
    threads_per_trial: int
    gpus: list[str]
    gpus_per_trial: float
    precision: str
    precision_of_wide_encoders: str
    wide_encoders_from: int
    minilm_installed: bool


def what_is_used() -> Used | None:
    """Ask for the defaults; None where a package is missing without which they cannot be told."""
    try:
        from gridsearch.encoders.files import MINILM_PACKAGE
        from gridsearch.recipe.recipe import Recipe
        from runners.backends.chosen import default_runner
        from runners.cli import build_parser
        from runners.precision import N_WIDE, prefers_bf16
        from runners.pricing.forecast import worker_allotment

        sweep = build_parser().parse_args(["sweep", "any"])
        here = worker_allotment(sweep)
        narrow = Recipe().precision
    except ImportError:
        return None
    return Used(
        runner=sweep.runner or default_runner(),
        workers=here.n_workers,
        threads_per_trial=here.threads,
        gpus=list(here.gpus),
        gpus_per_trial=here.n_gpus,
        precision=narrow,
        precision_of_wide_encoders="bf16" if prefers_bf16() else narrow,
        wide_encoders_from=N_WIDE,
        minilm_installed=find_spec(MINILM_PACKAGE) is not None,
    )
