"""Small studies whose trials start from pretrainings, put together by hand: numbers that no training made."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gridsearch.planning.plan import Plan
from gridsearch.stage import LogPoint, Stage, StageOutcome, make_stage
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.trial import Failure, Trial, make_trial
from reports.study.view import StudyRows
from tests.reports.conftest import PROVENANCE, Writer, describe, outcome, small_plan
from tests.reports.pages import read

STEPS = """
title = "Does pretraining help?"
[recipe]
epochs = 2
"pretraining.objective" = "mlm"
"pretraining.base" = "scratch"
"pretraining.layers" = 4
"pretraining.width" = 128
"pretraining.heads" = 2
"pretraining.learning_rate" = 1.5e-3
[factors]
"pretraining.steps" = [0, 1500, 3000]
[design]
seeds = [0, 1]
"""
OWN_SEEDS = STEPS.replace('"mlm"', '"mlm"\n"pretraining.seed" = "trial"')


def staged_plan(space: str = STEPS) -> Plan:
    """A plan whose trials start from what their recipes ask for."""
    plan = small_plan(space)

    def staged(trial: Trial) -> Trial:
        if trial.recipe.pretraining.objective == "none":
            return trial
        base = describe(trial.recipe.encoder).identity
        stage = make_stage(
            trial.recipe.pretraining, trial_seed=trial.seed, precision="fp32", base=base, corpus="0123", n_rows=6400
        )
        return make_trial(trial.recipe, seed=trial.seed, task=trial.task, encoder=base, stage=stage)

    cells = [replace(cell, trials=tuple(map(staged, cell.trials))) for cell in plan.cells]
    return replace(plan, cells=tuple(cells))


def log_of(stage: Stage, every: int = 500) -> tuple[LogPoint, ...]:
    """A loss that falls from about 8 towards 2."""
    return tuple(
        LogPoint(step, step / 50, 2 + 6 / (1 + step / 500), 1e-4 * (1 - step / 6000), 0.1 * step)
        for step in range(every, stage.last_step + 1, every)
    )


class StageWriter(Writer):
    """Fills the ledger's stages too."""

    def __init__(self, study: Study, plan: Plan) -> None:
        super().__init__(study, plan)
        trials = [trial for cell in plan.cells for trial in cell.trials if trial.stage is not None]
        self.stages = list({trial.stage.id: trial.stage for trial in trials if trial.stage is not None}.values())

    def make(
        self,
        number: int,
        *,
        found: bool = False,
        log: Iterable[LogPoint] | None = None,
        zero_shot: Mapping[str, float] | None = None,
    ) -> None:
        """Finish a stage, by its place: 0.1 s a step."""
        stage = self.stages[number]
        seconds = 0.1 * stage.last_step
        points = log_of(stage) if log is None else tuple(log)
        made = StageOutcome(points, f"checksum-{number}", seconds, seconds, 2**20, zero_shot=zero_shot)
        with Ledger(self.study.ledger_path) as ledger:
            ledger.stages.finish(self.begin(number, ledger), made.as_found() if found else made)

    def fail_stage(self, number: int, failure: Failure, *, final: bool) -> None:
        """Close an attempt with its failure; it lasted 30 seconds."""
        with Ledger(self.study.ledger_path) as ledger:
            attempt = self.begin(number, ledger)
            for point in log_of(self.stages[number])[:1]:
                ledger.stages.record(attempt, point)
            ledger.stages.attempts.fail(attempt, failure, final=final)
            with ledger.connection as write:
                query = "UPDATE stage_attempts SET started = 1000, heartbeat = 1030, ended = 1030 WHERE id = ?"
                write.execute(query, (attempt,))

    def begin(self, number: int, ledger: Ledger) -> int:
        """Open an attempt."""
        return ledger.stages.attempts.start(
            self.stages[number].id, ledger.provenance(PROVENANCE), "desk:1", {"threads": 2, **self.resources}
        )


def pretrained(study: Study, space: str = STEPS) -> StudyRows:
    """All stages made and all trials finished: the longer the pretraining, the better."""
    writer = StageWriter(study, staged_plan(space))
    for number in range(len(writer.stages)):
        writer.make(number)
    finish_all(writer)
    return read(study)


def finish_all(writer: StageWriter) -> None:
    """Finish every trial."""
    for cell in writer.plan.cells:
        for replicate, trial in enumerate(cell.trials):
            gain = trial.recipe.pretraining.steps / 3000 * 0.05 if trial.stage is not None else 0.0
            noise = int(trial.id[:4], 16) / 2**16 / 100
            writer.finish(cell.index, outcome(0.73 + gain + noise, 0.73 + gain + noise), replicate)
