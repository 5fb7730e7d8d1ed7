"""The stages of a ledger: what was planned of them, tried and found. Written by the driver alone, as all of it."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from gridsearch.canonical import canonical_json
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.stage import LogPoint, Stage, StageOutcome
from gridsearch.study.attempts import Attempts, Writing
from gridsearch.study.damage.seals import seal

LOGGED = tuple(field.name for field in fields(LogPoint))
"""What is kept of a point of a log: the columns of its table."""


@dataclass(frozen=True)
class StageCoverage:
    """The certificate of the stages: how many there are, and in which state each of them is.

    What only those trials need that are left out is none of the ``planned``. ``found`` of the finished ones had been
    made before, by another study or driver; ``repeated`` finished twice.
    """

    planned: int
    finished: int
    failed: int
    running: int
    pending: int
    found: int
    repeated: int

    @property
    def complete(self) -> bool:
        """Everything planned is there, and nothing was made twice."""
        return self.finished == self.planned and self.repeated == 0

    def __str__(self) -> str:
        found = f" ({self.found} made before)" if self.found else ""
        others = {"failed": self.failed, "running": self.running, "pending": self.pending}
        others["finished more than once"] = self.repeated
        told = "".join(f", {count} {name}" for name, count in others.items() if count)
        return f"{self.planned} pretraining{'s' * (self.planned != 1)}, {self.finished} finished{found}{told}"


class StageLedger:
    """The part of a ledger that is about stages; see schema.sql."""

    def __init__(self, connection: sqlite3.Connection, writing: Writing) -> None:
        self._connection, self._writing = connection, writing
        self.attempts = Attempts(connection, writing, "stage_attempts", "stage", "stage_states")

    def all(self) -> dict[str, Stage]:
        """Return every stage by its id."""
        return {row["id"]: read_stage(row) for row in self._connection.execute("SELECT * FROM stages ORDER BY rowid")}

    def one(self, identity: str) -> Stage | None:
        """Return the stage that makes this encoder; None where none does."""
        rows = self._rows("SELECT * FROM stages WHERE id = ?", identity)
        return read_stage(rows[0]) if rows else None

    def of_run(self, run: str) -> list[Stage]:
        """Return all stages that are steps of one training, the earliest first."""
        return [read_stage(row) for row in self._rows("SELECT * FROM stages WHERE run = ? ORDER BY last_step", run)]

    def state(self, stage_id: str) -> str:
        """Return the state of one stage; empty where the ledger has none of this id."""
        rows = self._rows("SELECT state FROM stage_states WHERE stage = ?", stage_id)
        return str(rows[0]["state"]) if rows else ""

    def checksum(self, stage_id: str) -> str:
        """Return the checksum of what a finished stage has made; empty where it is not finished."""
        rows = self._rows("SELECT checksum FROM stage_attempts WHERE stage = ? AND state = 'finished'", stage_id)
        return str(rows[0]["checksum"]) if rows else ""

    def execution(self, stage_id: str) -> dict[str, Any]:
        """Return how a stage was executed that was made here, be it lost again; else nothing."""
        query = (
            "SELECT resources FROM stage_attempts WHERE stage = ? AND found = 0 "
            "AND (state = 'finished' OR failure_kind = 'lost_encoder') ORDER BY id DESC LIMIT 1"
        )
        return next((told_execution(row["resources"]) for row in self._rows(query, stage_id)), {})

    def states(self) -> dict[str, str]:
        """Return the state of every stage: planned, running, finished, failed, skipped."""
        return {row["stage"]: row["state"] for row in self._connection.execute("SELECT * FROM stage_states")}

    def coverage(self) -> StageCoverage:
        """Count the stages by state."""
        states = Counter(self.states().values())
        found = "SELECT count(*) FROM stage_attempts WHERE state = 'finished' AND found = 1"
        return StageCoverage(
            planned=states.total() - states["skipped"],
            finished=states["finished"],
            failed=states["failed"],
            running=states["running"],
            pending=states["planned"],
            found=int(self._connection.execute(found).fetchone()[0]),
            repeated=self.attempts.n_repeated(),
        )

    def why_failed(self, stage_id: str) -> str:
        """Say why a stage failed for good."""
        return next((message for stage, _, message in self.attempts.final_failures() if stage == stage_id), "")

    def running(self) -> list[tuple[str, str, float, LogPoint | None]]:
        """Return (stage, worker, Unix seconds of the start, how far it is) of every attempt that runs."""
        attempts = self._connection.execute("SELECT * FROM stage_attempts WHERE state = 'running' ORDER BY id")
        query = "SELECT * FROM stage_log WHERE attempt = ? ORDER BY step DESC LIMIT 1"
        return [
            (one["stage"], one["worker"], one["started"], next(map(_point, self._rows(query, one["id"])), None))
            for one in attempts.fetchall()
        ]

    def log(self, attempt: int) -> list[LogPoint]:
        """Return how far an attempt has come, point by point."""
        return [_point(row) for row in self._rows("SELECT * FROM stage_log WHERE attempt = ? ORDER BY step", attempt)]

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._connection.execute(query, values).fetchall()

    def record(self, attempt: int, point: LogPoint) -> None:
        """Add a point to the log of a running attempt."""
        with self._writing() as write:
            _insert_log(write, attempt, [point])

    def finish(self, attempt: int, outcome: StageOutcome) -> None:
        """Close an attempt with its outcome: all of it, or nothing."""
        with self._writing() as write:
            self.attempts.close(
                write,
                attempt,
                state="finished",
                seconds=outcome.seconds,
                run_seconds=outcome.run_seconds,
                peak_bytes=outcome.peak_bytes,
                found=int(outcome.found),
                checksum=outcome.checksum,
                zero_shot=None if outcome.zero_shot is None else canonical_json(outcome.zero_shot),
            )
            write.execute("DELETE FROM stage_log WHERE attempt = ?", (attempt,))
            _insert_log(write, attempt, outcome.log)
            seal(write, "stage_attempts", attempt)

    def forget(self, stage_id: str, why: str) -> None:
        """Note that what a stage made is gone, so that it is made again."""
        with self._writing() as write:
            write.execute(
                "UPDATE stage_attempts SET state = 'failed', checksum = NULL, failure_kind = 'lost_encoder', "
                "final = 0, forgiven = 1, message = ? WHERE stage = ? AND state = 'finished'",
                (why, stage_id),
            )


def insert_stages(write: sqlite3.Connection, stages: Iterable[Stage]) -> None:
    """Plan stages; those that are planned already stay as they are."""
    write.executemany(
        "INSERT INTO stages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                stage.id,
                stage.run,
                canonical_json(stage.recipe.model_dump()),
                stage.seed,
                stage.precision,
                stage.base,
                stage.corpus,
                stage.last_step,
                stage.total_steps,
                stage.labels,
            )
            for stage in stages
        ],
    )


def told_execution(resources: str) -> dict[str, Any]:
    """Read, out of an attempt's resources, how it was executed: threads, device, micro-batches."""
    facts = json.loads(resources)
    return {key: facts[key] for key in ("threads", "device", "micro_batch_divisor") if key in facts}


def read_stage(row: sqlite3.Row) -> Stage:
    """Read a stage. Knobs that are younger than its recipe are neutral in it: its id was made without them."""
    others = {name: row[name] for name in ("id", "run", "seed", "precision", "base", "corpus", "labels")}
    steps = {name: row[name] for name in ("last_step", "total_steps")}
    told: dict[str, Any] = json.loads(row["recipe"])
    told |= {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
    return Stage(recipe=PretrainingRecipe.model_construct(**told), **others, **steps)


def _point(row: sqlite3.Row) -> LogPoint:
    return LogPoint(**{name: row[name] for name in LOGGED})


def _insert_log(write: sqlite3.Connection, attempt: int, points: Iterable[LogPoint]) -> None:
    write.executemany(
        f"INSERT INTO stage_log VALUES ({', '.join('?' * (1 + len(LOGGED)))}) ON CONFLICT DO NOTHING",
        [(attempt, *(getattr(point, name) for name in LOGGED)) for point in points],
    )
