"""The ledger: the study's SQLite file, the only record of what was planned, tried and found."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsearch.canonical import canonical_json
from gridsearch.errors import NotBegunError, RequestError, StudyLockedError
from gridsearch.planning.plan import ExcludedCell, Plan
from gridsearch.planning.rungs import Standing, stand
from gridsearch.study.attempts import Attempts
from gridsearch.study.attending.attended import Attended
from gridsearch.study.attending.skips import insert_skips, skips_of
from gridsearch.study.damage.seals import seal, sealing_plan
from gridsearch.study.damage.sentences import telling_of_damage
from gridsearch.study.lease import Trace, trace_of
from gridsearch.study.manifest import (
    TRIALS,
    Manifest,
    TableManifest,
    TrialsManifest,
    difference,
    manifest_of,
    read_manifest,
)
from gridsearch.study.opening import refuse_long_path, telling_of
from gridsearch.study.row_scores import ROW_SCORES, OfRows, RowScore, kept_after, read_row_scores
from gridsearch.study.rows import (
    dev_after,
    folds_of,
    insert_cells,
    insert_epochs,
    labels_of,
    read_trial,
    same_folds,
    spell_levels,
)
from gridsearch.study.schema import SCHEMA_VERSION, make_up_to_date, up_to_date_copy, version_of
from gridsearch.study.stages import StageLedger, told_execution
from gridsearch.study.stored_logits import AUTO, Kept, array_bytes, as_kept, bytes_array, chunks_of, joined, kept_as
from gridsearch.study.survey import OVER, Coverage, Survey
from gridsearch.tasks.target import Target
from gridsearch.this_process import this_machine
from gridsearch.trial import PART, Epoch, Failure, FailureKind, Outcome, Trial

if TYPE_CHECKING:
    import numpy


class Ledger:
    """An open ledger. Opening makes the file where there is none, and brings an older one up to date.

    With ``must_exist`` it is only read, and the file stays as it is: an older one is copied before it is upgraded.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        if must_exist and not path.is_file():
            raise RequestError(f"there is no study at {path.parent}: no {path.name} in it")
        self.path = path
        self.token = ""
        """The lease of a driver; whoever writes without one answers for it."""
        self._kept_logits: Kept = "float32"
        refuse_long_path(path)
        with telling_of(path):
            # The heartbeat has a connection of its own; a short wait is all that two of them ever need.
            self.connection = sqlite3.connect(path, timeout=30, isolation_level="IMMEDIATE")
            version = self._prepared(is_read=must_exist)
        if version == 0:
            raise NotBegunError(f"nothing has been planned yet in {path.parent}")
        if version != SCHEMA_VERSION:
            raise RequestError(f"{path} has ledger schema {version}, but this version reads {SCHEMA_VERSION}")
        self.connection.row_factory = sqlite3.Row

    def _prepared(self, *, is_read: bool) -> int:
        """Bring the tables up to date, or open a copy in which they are; return their version."""
        self.connection.execute("PRAGMA foreign_keys = ON")
        if not is_read:
            make_up_to_date(self.connection)
        elif 0 < version_of(self.connection) < SCHEMA_VERSION:
            with contextlib.closing(self.connection) as old:
                self.connection = up_to_date_copy(old)
        return version_of(self.connection)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.close()

    @property
    def _attempts(self) -> Attempts:
        return Attempts(self.connection, self._writing, "attempts", "trial", "trial_states")

    @property
    def stages(self) -> StageLedger:
        """What it holds of pretrainings."""
        return StageLedger(self.connection, self._writing)

    @property
    def attended(self) -> Attended:
        """What was asked of its drivers."""
        return Attended(self.connection, self._writing_plan)

    # Who may write

    @contextlib.contextmanager
    def leased(self, name: str, token: str, last: Trace | None) -> Iterator[None]:
        """Write as the one driver of the study, until another takes over what it must believe dead.

        ``token`` is its own. ``last`` is what is known of the driver before, who is dead: any other trace is that of
        one who lives.
        """
        with self.connection as write:
            write.execute("BEGIN IMMEDIATE")
            if (found := trace_of(write)) is not None and found != last:
                raise StudyLockedError(f"the study {self.path.parent} is being driven by {found.name}")
            write.execute("INSERT OR REPLACE INTO driver VALUES (1, ?, ?, ?, 0)", (name, this_machine(), token))
        self.token = token
        try:
            yield
        finally:
            self.token = ""
            with contextlib.suppress(sqlite3.Error), self.connection as write:
                write.execute("DELETE FROM driver WHERE token = ?", (token,))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Write all of it or nothing. A driver renews its lease by it, and learns here that it has lost it."""
        with self.connection as write:
            if self.token:
                renewed = write.execute("UPDATE driver SET beats = beats + 1 WHERE token = ?", (self.token,))
                if renewed.rowcount != 1:
                    raise StudyLockedError(f"another driver has taken over the study {self.path.parent}")
            yield write

    @contextlib.contextmanager
    def _writing_plan(self, *, adds: bool = False) -> Iterator[sqlite3.Connection]:
        """Write of what was asked, all of which has one seal; ``adds``: no row is changed, but entries are."""
        with self._writing() as write, sealing_plan(write, adds=adds):
            yield write

    # What a study is about

    def manifest(self) -> Manifest:
        """Return what the study is bound to. Raises RequestError when nothing is planned yet."""
        if not self.is_begun:
            raise RequestError(f"{self.path.parent} is an empty study: nothing has been planned in it")
        rows = self.connection.execute("SELECT * FROM study")
        with telling_of_damage(self.path):
            return read_manifest({row["key"]: json.loads(row["value"]) for row in rows})

    def trials_manifest(self) -> TrialsManifest:
        """Return what a study of trials is bound to. Raises RequestError for a published table."""
        manifest = self.manifest()
        if not isinstance(manifest, TrialsManifest):
            raise RequestError(f"{self.path.parent} is an imported table: there are no trials in it")
        return manifest

    @property
    def is_begun(self) -> bool:
        """Whether anything is planned in it, or imported into it."""
        return self.connection.execute("SELECT 1 FROM study").fetchone() is not None

    def _entry(self, key: str) -> Any:
        row = self.connection.execute("SELECT value FROM study WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row["value"])

    def _set_entries(self, entries: Mapping[str, object]) -> None:
        self.connection.executemany(
            "INSERT INTO study VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            [(key, canonical_json(value)) for key, value in entries.items()],
        )

    def refuse_another_study(self, plan: Plan, sources: Mapping[str, object]) -> set[str]:
        """Return the ids of the study's trials, all of which the plan has too; else raise RequestError."""
        old = self.trial_ids()
        if self._entry("kind") not in (None, TRIALS):
            raise RequestError(f"{self.path.parent} holds a published table; a sweep needs a study of its own")
        if old - plan.trials.keys():
            what = difference(self.trials_manifest(), manifest_of(plan, sources))
            raise RequestError(f"{self.path.parent} holds another study: {what}; give this one a --study of its own")
        known = {part: self.folds(part) for (part,) in self.connection.execute("SELECT part FROM folds")}
        if old and not same_folds(known, plan.task):
            rule = "another version of scikit-learn has divided its rows into other folds"
            raise RequestError(f"{self.path.parent} cannot go on here: {rule}; its page names the version")
        return old

    def adopt(self, plan: Plan, sources: Mapping[str, object]) -> int:
        """Write a plan, or let the study grow to it; return how many trials are new to it.

        ``sources`` says how task and encoders were named, so that a row can be repeated. A plan that lacks a trial
        which the study already has is another study: refused, with the difference named, and nothing is changed.
        """
        old = self.refuse_another_study(plan, sources)
        entries, trials = manifest_of(plan, sources).to_json(), plan.trials
        with self._writing_plan() as write:
            self._set_entries(entries)
            skips = skips_of(write)
            for table in ("skipped", "cell_trials", "cells", "excluded"):
                write.execute(f"DELETE FROM {table}")
            insert_cells(write, plan.cells)
            insert_skips(write, skips)
            write.executemany("INSERT INTO labels VALUES (?, ?, ?) ON CONFLICT DO NOTHING", labels_of(plan.task))
            write.executemany("INSERT INTO folds VALUES (?, ?) ON CONFLICT DO NOTHING", folds_of(plan.task))
            write.executemany(
                "INSERT INTO excluded VALUES (?, ?)",
                [(spell_levels(cell.levels, cell.row), cell.why) for cell in plan.excluded],
            )
        return len(trials.keys() - old)

    def keep_logits(self, asked: str, n_values: int) -> None:
        """Decide how the logits of trials that finish from now on are kept.

        ``auto`` goes on as the study began; that is chosen once, by all ``n_values`` that it is to hold. Asked for by
        name, another way may follow: each matrix says how it is kept.
        """
        known = self._entry("logits")
        self._kept_logits = kept_as(known if known and asked == AUTO else asked, n_values)
        with self._writing_plan():
            self._set_entries({"logits": self._kept_logits})

    def append(self, plan: Plan, sources: Mapping[str, object]) -> None:
        """Write the last cell of a plan all the rest of which is there."""
        with self._writing_plan(adds=True) as write:
            self._set_entries(manifest_of(plan, sources).to_json())
            insert_cells(write, plan.cells[-1:])

    def exclude(self, cell: ExcludedCell) -> None:
        """Note a cell that is left out, and why."""
        about = (spell_levels(cell.levels, cell.row), cell.why)
        known = self.connection.execute("SELECT 1 FROM excluded WHERE levels = ?", about[:1]).fetchone()
        with self._writing_plan(adds=known is None) as write:
            write.execute("INSERT OR REPLACE INTO excluded VALUES (?, ?)", about)

    def cells(self) -> list[dict[str, str]]:
        """Return the levels of all cells in table order, then those of the cells left out; in a list, after "row"."""
        query = "SELECT levels FROM (SELECT * FROM cells ORDER BY position) UNION ALL SELECT levels FROM excluded"
        return [json.loads(row["levels"]) for row in self.connection.execute(query)]

    def trial(self, id_or_prefix: str) -> Trial:
        """Return the one trial whose id starts so."""
        # A range, which the index of ids serves; U+10FFFF is after whatever may follow.
        query = "SELECT * FROM trials WHERE id >= ? AND id < ? || char(1114111) LIMIT 2"
        rows = self.connection.execute(query, (id_or_prefix, id_or_prefix)).fetchall()
        if len(rows) != 1:
            raise RequestError(
                f"{'no' if not rows else 'more than one'} trial of this study starts with {id_or_prefix!r}"
            )
        return read_trial(rows[0], self.stages.one(rows[0]["encoder"]), self._entry("division"))

    def state(self, trial_id: str) -> str:
        """Return the state of one trial."""
        return str(self.connection.execute("SELECT state FROM trial_states WHERE trial = ?", (trial_id,)).fetchone()[0])

    def trial_ids(self) -> set[str]:
        """Return the ids of all trials of the study."""
        return {row["id"] for row in self.connection.execute("SELECT id FROM trials")}

    def knows(self, trial_id: str) -> bool:
        """Whether this is a trial of the study."""
        return self.connection.execute("SELECT 1 FROM trials WHERE id = ?", (trial_id,)).fetchone() is not None

    # What is left to do

    def survey(self) -> Survey:
        """Read how far the study is, all of it at once."""
        rows = self.connection.execute("SELECT * FROM trial_states")
        states = {row["trial"]: row["state"] for row in rows}
        return Survey(
            states,
            self._standing(states),
            self._attempts.n_repeated(),
            self.stages.coverage(),
            is_optimised=self._entry("optimised") is not None,
        )

    def coverage(self) -> Coverage:
        """Count the trials by state."""
        return self.survey().coverage

    def pending(self) -> set[str]:
        """Return the ids of all trials that are to run now: the unfinished ones, or what a halving's rung lacks."""
        return self.survey().pending

    def _standing(self, states: Mapping[str, str]) -> Standing | None:
        if not self._entry("halving"):
            return None
        about = self.trials_manifest()
        assert about.halving is not None
        cells: dict[int, list[str]] = {}
        for row in self.connection.execute("SELECT * FROM cell_trials ORDER BY position, replicate"):
            cells.setdefault(row["position"], []).append(row["trial"])
        firsts = {tuple(trials): position for position, trials in reversed(cells.items())}
        return stand(
            about.halving,
            {position: trials for position, trials in cells.items() if firsts[tuple(trials)] == position},
            self.curves(about.target),
            {trial for trial, state in states.items() if state in OVER},
            lower_is_better=about.target.lower_is_better,
        )

    def curves(self, selected: Target) -> dict[str, list[float | None]]:
        """Return the target on dev after each epoch of every trial; None where its numbers were not finite.

        An epoch that was run twice counts as it was first seen: what was chosen by it stays chosen on any machine.
        """
        query = (
            "SELECT trial, number, train_loss, epochs.dev FROM epochs JOIN attempts ON attempts.id = epochs.attempt "
            "WHERE state IN ('finished', 'pruned') ORDER BY number, attempts.id"
        )
        curves: dict[str, list[float | None]] = {}
        for row in self.connection.execute(query):
            curve = curves.setdefault(row["trial"], [])
            if len(curve) < row["number"]:
                curve.append(dev_after(row["train_loss"], row["dev"], selected))
        return curves

    def failures(self, trial_id: str) -> list[FailureKind]:
        """Return the kinds of a trial's failed attempts since it was last reopened, oldest first."""
        return self._attempts.failures(trial_id)

    def final_failures(self) -> list[tuple[str, str, str]]:
        """Return (trial, kind, message) of every trial that failed for good."""
        return self._attempts.final_failures()

    def dev_results(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return the dev metrics of each part at the chosen epoch of every finished trial, as they finished."""
        query = (
            "SELECT trial, part, dev FROM outcomes JOIN attempts ON attempts.id = outcomes.attempt "
            "WHERE state = 'finished' ORDER BY outcomes.rowid"  # as they were written: a clock may be set back
        )
        found: dict[str, dict[str, dict[str, float]]] = {}
        for row in self.connection.execute(query):
            found.setdefault(row["trial"], {})[row["part"]] = json.loads(row["dev"])
        return found

    def execution(self, trial_id: str) -> dict[str, Any]:
        """Return how a finished trial was executed: threads, device, micro-batches; empty when it is not finished."""
        query = "SELECT resources FROM attempts WHERE trial = ? AND state = 'finished'"
        row = self.connection.execute(query, (trial_id,)).fetchone()
        return told_execution(row["resources"]) if row else {}

    # What is tried and found

    def provenance(self, content: Mapping[str, object]) -> int:
        """Keep the versions, machine and commit of a driver's start; return their number."""
        text = canonical_json(content)
        with self._writing() as write:
            write.execute("INSERT INTO provenance (content) VALUES (?) ON CONFLICT DO NOTHING", (text,))
        row = self.connection.execute("SELECT id FROM provenance WHERE content = ?", (text,)).fetchone()
        return int(row["id"])

    def start(self, trial_id: str, provenance: int, worker: str, resources: Mapping[str, object]) -> int:
        """Lease a trial: open an attempt and return its number."""
        return self._attempts.start(trial_id, provenance, worker, resources)

    def beside(self) -> "Ledger":
        """Open the same ledger once more, for another thread of the same driver."""
        other = Ledger(self.path, must_exist=True)
        other.token = self.token
        return other

    def heartbeat(self) -> None:
        """Renew the lease: of the driver, and of every running attempt."""
        with self._writing() as write:
            self._attempts.beat(write)
            self.stages.attempts.beat(write)

    def record_epoch(self, attempt: int, epoch: Epoch) -> None:
        """Add an epoch to a running attempt."""
        with self._writing() as write:
            insert_epochs(write, attempt, [epoch])

    def finish(self, attempt: int, outcome: Outcome) -> None:
        """Close an attempt with its outcome: all of it, or nothing."""
        with self._writing() as write:
            self._attempts.close(
                write,
                attempt,
                state="finished",
                chosen_epoch=outcome.chosen_epoch,
                seconds=outcome.seconds,
                peak_bytes=outcome.peak_bytes,
                not_learned=outcome.not_learned,
            )
            insert_epochs(write, attempt, outcome.epochs)
            write.executemany(
                "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?)",
                [
                    (attempt, name, canonical_json(part.dev), _json_or_none(part.test), _json_or_none(part.train))
                    for name, part in outcome.parts.items()
                ],
            )
            for name, part in outcome.parts.items():
                for split, logits in (("dev", part.dev_logits), ("test", part.test_logits)):
                    if logits is not None:
                        self._insert_logits(write, (attempt, name, split), logits)
                if part.dev_rows is not None:
                    numbers = array_bytes(part.dev_rows.astype("int32"))
                    write.execute("INSERT INTO dev_rows VALUES (?, ?, ?)", (attempt, name, numbers))
            seal(write, "attempts", attempt)

    def logits(self, trial_id: str, split: str, part: str = PART) -> "numpy.ndarray | None":
        """Read a finished trial's logits of (rows, labels) on "dev" or "test", as kept; None where none are."""
        query = (
            "SELECT data FROM logits JOIN attempts ON attempts.id = logits.attempt "
            "WHERE trial = ? AND state = 'finished' AND part = ? AND split = ? ORDER BY chunk"
        )
        chunks = (row["data"] for row in self.connection.execute(query, (trial_id, part, split)))
        with telling_of_damage(self.path):
            found: numpy.ndarray | None = joined(chunks)
        return found

    def dev_rows(self, trial_id: str, part: str = PART) -> "numpy.ndarray | None":
        """Return the numbers of the rows that a finished trial's dev logits are of, (rows,); None without folds."""
        query = (
            "SELECT row_numbers FROM dev_rows JOIN attempts ON attempts.id = dev_rows.attempt "
            "WHERE trial = ? AND state = 'finished' AND part = ?"
        )
        return self._array(query, trial_id, part)

    def labels(self, split: str, part: str = PART) -> "numpy.ndarray | None":
        """Return the labels of the rows that outcomes are about, (rows,); None where the split has none.

        Where rows are divided into folds, those of dev are those of all rows that are divided, in their order.
        """
        return self._array("SELECT labels FROM labels WHERE split = ? AND part = ?", split, part)

    def folds(self, part: str = PART) -> "numpy.ndarray | None":
        """Return the fold of each row that is divided, (rows,); None without folds."""
        return self._array("SELECT fold_of_row FROM folds WHERE part = ?", part)

    def _array(self, query: str, *about: str) -> "numpy.ndarray | None":
        """Read the array that a query finds; None where it finds none."""
        row = self.connection.execute(query, about).fetchone()
        with telling_of_damage(self.path):
            found: numpy.ndarray | None = None if row is None else bytes_array(row[0])
        return found

    def fail(self, attempt: int, failure: Failure, *, final: bool) -> None:
        """Close an attempt with its failure; ``final`` when the trial is not to be tried again."""
        self._attempts.fail(attempt, failure, final=final)

    def prune(self, attempt: int) -> None:
        """Close an attempt that was ended early, on purpose: its epochs stay, and it satisfies no sweep."""
        with self._writing() as write:
            self._attempts.close(write, attempt, state="pruned")
            seal(write, "attempts", attempt)

    def release(self, message: str) -> int:
        """Close what a dead driver left running, to be tried again; return how many attempts at trials that were."""
        self.stages.attempts.release(message)
        return self._attempts.release(message)

    def reopen_failed(self) -> int:
        """Forgive all failures of what failed for good, so that it starts anew; return how many trials that are."""
        self.stages.attempts.reopen_failed()
        return self._attempts.reopen_failed()

    def set_yardstick(self, name: str, dev: Mapping[str, float], test: Mapping[str, float] | None) -> None:
        """Keep a cheap reference's metrics."""
        values = (name, canonical_json(dev), None if test is None else canonical_json(test))
        with self._writing_plan() as write:
            write.execute("INSERT OR REPLACE INTO yardsticks VALUES (?, ?, ?)", values)

    def scores(self) -> dict[str, dict[str, float]]:
        """Return the outside scores: name, in the order in which they were first given, to trial to value."""
        found: dict[str, dict[str, float]] = {}
        for row in self.connection.execute("SELECT * FROM scores ORDER BY rowid"):
            found.setdefault(row["name"], {})[row["trial"]] = row["value"]
        return found

    def row_scores(self) -> tuple[RowScore, ...]:
        """Return the outside scores of whole rows, as they were given."""
        return read_row_scores(self._entry(ROW_SCORES))

    def set_scores(self, name: str, values: Mapping[str, float | None], of_rows: OfRows | None = None) -> None:
        """Keep an outside score of some trials, and of rows by their trials; None takes one away. All or nothing."""
        with self._writing_plan() as write:
            for trial_id, value in values.items():
                if value is None:
                    write.execute("DELETE FROM scores WHERE trial = ? AND name = ?", (trial_id, name))
                else:
                    write.execute(
                        "INSERT INTO scores VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                        (trial_id, name, value),
                    )
            if of_rows:
                self._set_entries({ROW_SCORES: kept_after(self.row_scores(), name, of_rows)})

    def import_observations(self, manifest: TableManifest, rows: Iterable[tuple[Mapping[str, str], float]]) -> None:
        """Fill a new study with the rows of a published table."""
        with self._writing_plan() as write:
            self._set_entries(manifest.to_json())
            write.executemany(
                "INSERT INTO observations VALUES (?, ?, ?, ?)",
                [
                    (position, spell_levels(levels), manifest.response, value)
                    for position, (levels, value) in enumerate(rows, start=1)
                ],
            )

    def _insert_logits(self, write: sqlite3.Connection, where: tuple[int, str, str], logits: "numpy.ndarray") -> None:
        if self._kept_logits == "none":
            return
        chunks = chunks_of(as_kept(logits, self._kept_logits))
        rows = ((*where, number, chunk) for number, chunk in enumerate(chunks))
        write.executemany("INSERT INTO logits VALUES (?, ?, ?, ?, ?)", rows)


def _json_or_none(value: Mapping[str, float] | None) -> str | None:
    return None if value is None else canonical_json(value)
