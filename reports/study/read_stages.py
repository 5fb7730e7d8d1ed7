"""From an open ledger to the stages of a study; read.py reads all else."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping

from gridsearch.stage import LogPoint
from gridsearch.study.ledger import Ledger
from reports.study.failed_attempt import FailedAttempt
from reports.study.stage_rows import StageRow, Start

HELD_SECONDS = "max(0, CASE WHEN state = 'failed' THEN min(ended, heartbeat + 10) ELSE ended END - started)"
"""How long an attempt lasted. Where its driver died, the next one closed it, hours later perhaps: it ended with its
last heartbeat."""

# What a finished attempt says that it took: one that found the encoder made took nothing.
_COSTS = f"""
SELECT stage, count(*) AS n_attempts, total(took) AS seconds,
       total(took * coalesce(resources ->> 'threads', 1)) AS core_seconds,
       total(took * coalesce(resources ->> 'gpus', 0)) AS gpu_seconds,
       coalesce(max(CASE WHEN state = 'finished' THEN id END), max(id)) AS attempt
FROM (SELECT *, coalesce(seconds, {HELD_SECONDS}) AS took FROM stage_attempts) GROUP BY stage
"""
_STAGES = f"""
SELECT stage_states.stage, stage_states.state, coalesce(n_attempts, 0) AS n_attempts, costs.attempt,
       coalesce(costs.seconds, 0.0) AS seconds, coalesce(core_seconds, 0.0) AS core_seconds,
       coalesce(gpu_seconds, 0.0) AS gpu_seconds, coalesce(found, 0) AS found, run_seconds, peak_bytes, checksum,
       zero_shot
FROM stage_states LEFT JOIN ({_COSTS}) AS costs ON costs.stage = stage_states.stage
LEFT JOIN stage_attempts ON stage_attempts.id = costs.attempt
"""
_STARTS = """
SELECT trials.encoder AS stage, trials.id AS trial, trials.seed, cell_trials.position
FROM cell_trials JOIN trials ON trials.id = cell_trials.trial JOIN stages ON stages.id = trials.encoder
ORDER BY cell_trials.position, cell_trials.replicate
"""
_FAILURES = """
SELECT stage, failure_kind, message, final AND NOT forgiven AS final, stage_states.state
FROM stage_attempts JOIN stage_states USING (stage) WHERE stage_attempts.state = 'failed' ORDER BY id
"""


def read_stages(ledger: Ledger) -> tuple[StageRow, ...]:
    """Read the pretrainings of a study, in the order in which they were planned."""
    stages = ledger.stages.all()
    if not stages:
        return ()
    about = {row["stage"]: dict(row) for row in ledger.connection.execute(_STAGES)}
    starts, logs = _starts(ledger.connection), _logs(ledger.connection)
    failures = _failures(ledger.connection, starts)
    found = []
    for name, stage in stages.items():
        apart = ("stage", "attempt", "found", "zero_shot")
        values = {key: value for key, value in about[name].items() if key not in apart}
        scores = about[name]["zero_shot"]
        found.append(
            StageRow(
                stage,
                starts=starts.get(name, ()),
                log=logs.get(about[name]["attempt"], ()),
                failures=failures.get(name, ()),
                found=bool(about[name]["found"]),
                zero_shot=None if scores is None else json.loads(scores),
                **values,
            )
        )
    return tuple(found)


def _logs(connection: sqlite3.Connection) -> dict[int, tuple[LogPoint, ...]]:
    """Return the log of each attempt."""
    logs: dict[int, list[LogPoint]] = defaultdict(list)
    for row in connection.execute("SELECT * FROM stage_log ORDER BY attempt, step"):
        values = dict(row)
        logs[values.pop("attempt")].append(LogPoint(**values))
    return {attempt: tuple(points) for attempt, points in logs.items()}


def _starts(connection: sqlite3.Connection) -> dict[str, tuple[Start, ...]]:
    """Return the trials that start from each stage."""
    cells: dict[str, dict[tuple[str, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in connection.execute(_STARTS):
        cells[row["stage"]][row["trial"], row["seed"]].append(row["position"])
    return {
        stage: tuple(Start(trial, seed, tuple(positions)) for (trial, seed), positions in trials.items())
        for stage, trials in cells.items()
    }


def _failures(
    connection: sqlite3.Connection, starts: Mapping[str, tuple[Start, ...]]
) -> dict[str, tuple[FailedAttempt, ...]]:
    """Return the failed attempts at each stage, with the cells that start from it."""
    found: dict[str, list[FailedAttempt]] = defaultdict(list)
    for row in connection.execute(_FAILURES):
        cells = {cell for start in starts.get(row["stage"], ()) for cell in start.cells}
        failure = FailedAttempt(
            trial=row["stage"],
            cells=tuple(sorted(cells)),
            kind=row["failure_kind"],
            message=row["message"] or "",
            final=bool(row["final"]),
            trial_state=row["state"],
        )
        found[row["stage"]].append(failure)
    return {stage: tuple(several) for stage, several in found.items()}
