"""A pretraining in this process: for the command of that name, and where the cache lost what a trial starts from."""

from collections.abc import Callable

from gridsearch.stage import LogPoint, Stage, StageOutcome
from gridsearch.training.execution import Execution, to_the_end
from gridsearch.training.materials import Materials
from gridsearch.training.pretraining import pretraining


def pretrain_here(
    stage: Stage, materials: Materials, execution: Execution, on_point: Callable[[LogPoint], None]
) -> StageOutcome:
    """Make a stage's encoder, or find it in the cache."""
    return to_the_end(pretraining(stage, materials.corpus_of(stage), materials.base_of(stage), execution), on_point)
