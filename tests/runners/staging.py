"""Small studies whose trials start from pretrainings, in earnest: a stage of an encoder from scratch takes a moment."""

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from gridsearch.encoders.load import EncoderWeights, describe
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.stage import LogPoint, Stage, StageOutcome
from gridsearch.study.study import Study
from gridsearch.tasks.corpus import EncodedCorpus
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.execution import Execution
from gridsearch.training.pretraining import pretraining
from runners.request import divided

SPACE = """
title = "Does pretraining help?"
[recipe]
epochs = 1
learning_rate = 3e-3
batch_size = 16
max_length = 16
"pretraining.objective" = "mlm"
"pretraining.base" = "scratch"
"pretraining.layers" = 1
"pretraining.width" = 16
"pretraining.heads" = 2
"pretraining.batch_size" = 8
"pretraining.max_length" = 16
"pretraining.learning_rate" = 5e-3
"pretraining.dropout" = 0.1
{recipe}
[factors]
{factors}
[design]
seeds = {seeds}
"""
STEPS = '"pretraining.steps" = [0, 4, 6]'
OWN_SEEDS = '"pretraining.seed" = "trial"'


def space_of(factors: str = STEPS, recipe: str = "", seeds: str = "[0, 1]") -> str:
    """Return the text of a space whose trials start from a pretraining each; ``recipe`` and ``factors`` are lines."""
    return SPACE.format(factors=factors, recipe=recipe, seeds=seeds)


def without_pretraining(space: str) -> str:
    """Take every line about pretraining out of a space."""
    return "".join(line for line in space.splitlines(keepends=True) if not line.startswith('"pretraining.'))


def plan_of(encoder: Path, *lines: str, task: str = "task.toml", **more_lines: str) -> Plan:
    """Plan such a space on a task of the folder."""
    return plan_of_space(encoder, space_of(*lines, **more_lines), task)


def plan_of_space(encoder: Path, space: str, task: str = "task.toml") -> Plan:
    """Plan a space on a task of the folder."""
    asked = parse_space(space, "staged").with_fixed({"encoder": str(encoder)})
    data = divided(load_task(Path(task)), asked.design.division)
    return make_plan(asked, data, partial(describe, corpus=data.corpus))


def rows(query: str, study: str = "study") -> list[tuple[Any, ...]]:
    """Ask the ledger of a study."""
    with Study(Path(study)).open() as ledger:
        return [tuple(row) for row in ledger.connection.execute(query)]


def attempts(study: str = "study") -> list[tuple[str, str, str | None, int | None]]:
    """Return every attempt at a stage, in order: the stage, its state, the kind of a failure, whether it was found."""
    return rows("SELECT stage, state, failure_kind, found FROM stage_attempts ORDER BY id", study)


def numbers(study: str = "study") -> dict[str, Any]:
    """Return all that a study's trials and stages came to, without what clocks and memory say."""
    with Study(Path(study)).open() as ledger:
        trials = {
            trial: (
                sorted(parts.items()),
                logits.tobytes() if (logits := ledger.logits(trial, "dev")) is not None else b"",
            )
            for trial, parts in ledger.dev_results().items()
        }
    losses = rows(
        "SELECT stage, checksum, step, loss FROM stage_attempts JOIN stage_log ON attempt = stage_attempts.id "
        "WHERE state = 'finished' ORDER BY stage, step",
        study,
    )
    return {"trials": trials, "stages": losses}


@dataclass
class Counting:
    """Pretrains, and counts the stages that were begun, in order; something may happen after a step, and at the end."""

    begun: list[str] = field(default_factory=list)
    at_point: Callable[[Stage, LogPoint], None] = lambda stage, point: None
    at_end: Callable[[], object] = lambda: None

    def __call__(
        self, stage: Stage, corpus: EncodedCorpus, base: EncoderWeights, execution: Execution
    ) -> Generator[LogPoint, None, StageOutcome]:
        """Do as ``pretraining`` does."""
        self.begun.append(stage.id)
        with contextlib.closing(pretraining(stage, corpus, base, execution)) as points:
            while True:
                try:
                    point = next(points)
                except StopIteration as stop:
                    outcome: StageOutcome = stop.value
                    self.at_end()
                    return outcome
                try:
                    self.at_point(stage, point)
                except Exception as error:
                    points.throw(error)  # what goes wrong does so in the training, which is not closed in order
                yield point
