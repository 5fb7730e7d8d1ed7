"""Contract: the ledger's schema, the states of a trial, and what no sequence of writes can break."""

import contextlib
import errno
import fcntl
import itertools
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsearch.canonical import canonical_json
from gridsearch.errors import GridSearchError, RequestError, StudyLockedError
from gridsearch.recipe.recipe import knobs
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.study.survey import Coverage
from gridsearch.trial import (
    FAILURE_KINDS,
    NO_FAULT,
    PART,
    Epoch,
    Failure,
    FailureKind,
    Outcome,
    PartOutcome,
    Retry,
    retry_after,
)
from reports.study.read import read_study

SMALL = Path(__file__).with_name("small.toml").read_text()

# Old ledgers are read by new versions only as long as this holds; a change of it is a new schema version.
GOLDEN_COLUMNS = {
    "study": "key value",
    "cells": "position levels recipe dead",
    "excluded": "levels why",
    "trials": "id recipe seed fold task encoder",
    "cell_trials": "position replicate trial",
    "provenance": "id content",
    "attempts": "id trial state provenance driver worker resources started heartbeat ended chosen_epoch seconds "
    "peak_bytes not_learned failure_kind final forgiven message traceback seal",
    "epochs": "attempt number train_loss train_seconds dev_seconds dev",
    "outcomes": "attempt part dev test train",
    "dev_rows": "attempt part row_numbers",
    "folds": "part fold_of_row",
    "logits": "attempt part split chunk data",
    "labels": "split part labels",
    "scores": "trial name value",
    "driver": "place name machine token beats",
    "yardsticks": "name dev test",
    "observations": "position levels response value",
    "skipped": "position why",
    "stages": "id run recipe seed precision base corpus last_step total_steps labels",
    "stage_attempts": "id stage state provenance driver worker resources started heartbeat ended seconds run_seconds "
    "peak_bytes found checksum failure_kind final forgiven message traceback zero_shot seal",
    "stage_log": "attempt step epoch loss learning_rate seconds hidden_share",
}


def outcome(value: float = 0.5, not_learned: str = "") -> Outcome:
    metrics = {"accuracy": value}
    epochs = tuple(Epoch(number, 0.7, 1.0, 0.1, {PART: metrics}) for number in (1, 2))
    logits = np.array([[0.25, -1.5]], dtype=np.float32)
    return Outcome(epochs, 2, {PART: PartOutcome(metrics, logits, metrics, logits)}, 2.5, 10**9, not_learned)


@pytest.fixture
def ledger(tmp_path: Path, plan_of):
    with Study(tmp_path / "study").driven() as opened:
        opened.adopt(plan_of(SMALL), {})
        yield opened


def run(ledger: Ledger, trial: str) -> int:
    return ledger.start(trial, ledger.provenance({"host": "here"}), "worker", {"gpus": 0.5})


def columns(ledger: Ledger) -> dict[str, str]:
    tables = [row["name"] for row in ledger.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: " ".join(row["name"] for row in ledger.connection.execute(f"PRAGMA table_info({name})"))
        for name in tables
    }


def indexes(ledger: Ledger) -> set[str]:
    return {row["name"] for row in ledger.connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}


def test_schema(ledger: Ledger) -> None:
    assert columns(ledger) == GOLDEN_COLUMNS
    assert ledger.connection.execute("PRAGMA user_version").fetchone()[0] == 7


def test_no_question_about_all_trials_reads_all_attempts_for_each_of_them(ledger: Ledger) -> None:
    """Quadratic costs hide in small studies: what counts is that an index answers whatever is asked trial by trial."""
    asked: list[str] = []
    ledger.connection.set_trace_callback(asked.append)
    trial = min(ledger.pending())
    ledger.coverage()
    ledger.final_failures()
    ledger.failures(trial)
    ledger.trial(trial[:8])
    read_study(ledger)
    ledger.connection.set_trace_callback(None)
    queries = {statement for statement in asked if statement.startswith(("SELECT", "\nSELECT", "--"))}
    assert len(queries) > 10
    for query in queries:
        plan = [row["detail"] for row in ledger.connection.execute(f"EXPLAIN QUERY PLAN {query}")]
        correlated = False
        for step in plan:
            correlated = correlated or "CORRELATED" in step
            assert not (correlated and step.startswith("SCAN")), (query, plan)
    of_one_trial = ledger.connection.execute(
        "EXPLAIN QUERY PLAN SELECT failure_kind FROM attempts WHERE trial = ? AND state = 'failed'", ("x",)
    ).fetchall()
    assert "SEARCH attempts USING INDEX attempts_of_trial (trial=? AND state=?)" in [
        row["detail"] for row in of_one_trial
    ]


def state(ledger: Ledger, trial: str) -> str:
    return ledger.connection.execute("SELECT state FROM trial_states WHERE trial = ?", (trial,)).fetchone()["state"]


def test_states(ledger: Ledger) -> None:
    first, second, *_ = sorted(ledger.pending())
    assert state(ledger, first) == "planned"
    attempt = run(ledger, first)
    assert state(ledger, first) == "running"
    ledger.fail(attempt, Failure("lost_worker", "gone"), final=False)
    assert state(ledger, first) == "planned"
    assert ledger.failures(first) == ["lost_worker"]
    ledger.finish(run(ledger, first), outcome())
    assert state(ledger, first) == "finished"
    ledger.fail(run(ledger, second), Failure("code_error", "bad"), final=True)
    assert state(ledger, second) == "failed"
    assert ledger.coverage() == Coverage(planned=4, finished=1, failed=1, running=0, pending=2, repeated=0)
    assert str(ledger.coverage()) == "incomplete: 4 planned, 1 finished, 1 failed, 2 pending"
    assert ledger.reopen_failed() == 1
    assert state(ledger, second) == "planned"


def test_a_trial_never_finishes_twice_nor_runs_twice_at_once(ledger: Ledger) -> None:
    trial = min(ledger.pending())
    attempt = run(ledger, trial)
    with pytest.raises(sqlite3.IntegrityError):
        run(ledger, trial)
    ledger.finish(attempt, outcome())
    with pytest.raises(GridSearchError, match="is not running"):
        ledger.finish(attempt, outcome())
    again = run(ledger, trial)
    with pytest.raises(sqlite3.IntegrityError):
        ledger.finish(again, outcome())
    assert ledger.coverage().finished == 1
    n_outcomes = ledger.connection.execute("SELECT count(*) FROM outcomes").fetchone()[0]
    assert n_outcomes == 1, "the refused finish left nothing behind"


OLD = Path(__file__).with_name("schema_2.sql").read_text(encoding="utf-8")
"""A ledger as version 0.1 wrote it: two trials finished, one failed, one that runs."""


def old_ledger(folder: Path, version: int) -> Path:
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "ledger.sqlite")) as connection:
        connection.executescript(OLD)
        if version == 1:
            connection.executescript("DROP TABLE labels; DROP TABLE scores; PRAGMA user_version = 1")
    return folder / "ledger.sqlite"


def what_it_says(ledger: Ledger) -> object:
    first, second = ledger.dev_results()
    study = read_study(ledger)
    assert [why for cell in study.cells for why in cell.not_learned] == ["one label for all"]
    assert [cell.result.mean for cell in study.cells[:2]] == [0.5, 0.75]
    for trial, value in ((first, 0.5), (second, 0.75)):
        np.testing.assert_array_equal(ledger.logits(trial, "dev"), np.array([[0.25, -1.5]], dtype=np.float32) * value)
        np.testing.assert_array_equal(ledger.logits(trial, "test"), np.array([[0.5, -3.0]], dtype=np.float32))
    assert ledger.coverage() == Coverage(planned=4, finished=2, failed=1, running=1, pending=0, repeated=0)
    return ledger.manifest(), ledger.dev_results(), ledger.final_failures(), ledger.scores(), ledger.cells()


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_ledger_is_read_as_it_is_and_upgraded_when_it_is_written(
    version: int, ledger: Ledger, tmp_path: Path
) -> None:
    path = old_ledger(tmp_path / "old", version)
    before = path.read_bytes()
    with Study(path.parent).open() as read:
        said = what_it_says(read)
        with pytest.raises(sqlite3.OperationalError):
            read.release("written")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    with Ledger(path) as upgraded:
        assert what_it_says(upgraded) == said
        assert upgraded.release("its driver died") == 1
        upgraded.finish(run(upgraded, min(upgraded.pending())), outcome())
        assert columns(upgraded) == columns(ledger)
        assert indexes(upgraded) == indexes(ledger)
    with Study(path.parent).open() as again:
        assert again.coverage().finished == 3
    assert path.read_bytes() != before


def test_an_upgrade_that_is_cut_off_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old_ledger(tmp_path / "old", 2)
    monkeypatch.setattr("gridsearch.study.schema._chunk_logits", lambda write: write.execute("SELECT * FROM nowhere"))
    with pytest.raises(RequestError, match="no such table: nowhere"):
        Ledger(path)
    monkeypatch.undo()
    with Study(path.parent).open() as read:
        what_it_says(read)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE attempts SET state = 'done'",
        "UPDATE attempts SET state = 'finished'",
        "UPDATE attempts SET state = 'failed', ended = 1",
        "UPDATE attempts SET ended = 1",
    ],
)
def test_impossible_states_are_refused_by_the_file_itself(ledger: Ledger, change: str) -> None:
    run(ledger, min(ledger.pending()))
    with pytest.raises(sqlite3.IntegrityError), ledger.connection as write:
        write.execute(change)


def test_an_outcome_comes_back_as_it_was(ledger: Ledger) -> None:
    trial = min(ledger.pending())
    ledger.finish(run(ledger, trial), outcome(0.1 + 0.2))
    assert ledger.dev_results() == {trial: {PART: {"accuracy": 0.1 + 0.2}}}
    for split in ("dev", "test"):
        np.testing.assert_array_equal(ledger.logits(trial, split), np.array([[0.25, -1.5]], dtype=np.float32))
    assert ledger.logits("no trial", "dev") is None
    assert ledger.trial(trial[:8]).id == trial


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (10, 3), (11, 3), (40, 1)])
def test_logits_of_any_size_come_back(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]) -> None:
    """SQLite takes 10^9 bytes at most in a blob, and in a row: chunks of the same table have no such limit."""
    monkeypatch.setattr("gridsearch.study.stored_logits.CHUNK_BYTES", 2 * shape[1] * 4 + 3)
    ledger.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 400)
    trial, logits = min(ledger.pending()), np.random.default_rng(0).normal(size=shape).astype(np.float32)
    part = PartOutcome({"accuracy": 0.5}, logits, None, -logits)
    ledger.finish(run(ledger, trial), replace(outcome(), parts={PART: part}))
    np.testing.assert_array_equal(ledger.logits(trial, "dev"), logits)
    np.testing.assert_array_equal(ledger.logits(trial, "test"), -logits)
    n_chunks = ledger.connection.execute("SELECT count(*) FROM logits WHERE split = 'dev'").fetchone()[0]
    assert n_chunks == max(1, -(-shape[0] // 2))


def test_knobs_that_are_younger_than_a_recipe_are_neutral_in_it(ledger: Ledger, monkeypatch) -> None:
    """Its id was made without them; a default may be another value than the neutral one some day."""
    trial = ledger.trial(min(ledger.pending()))
    old = trial.recipe.model_dump(exclude={"adversarial", "schedule", "classifier_dropout"})
    with ledger.connection as write:
        write.execute("UPDATE trials SET recipe = ? WHERE id = ?", (canonical_json(old), trial.id))
    assert ledger.trial(trial.id) == trial
    # A knob without a neutral value has its default; a knob with one never has.
    changed = {name: replace(knob, neutral="fgm") if name == "adversarial" else knob for name, knob in knobs().items()}
    monkeypatch.setattr("gridsearch.study.rows.knobs", lambda: changed)
    recipe = ledger.trial(trial.id).recipe
    assert (recipe.adversarial, recipe.schedule, recipe.classifier_dropout) == ("fgm", "linear", 0.1)


def test_a_recipe_of_a_later_version_is_refused(ledger: Ledger) -> None:
    trial = ledger.trial(min(ledger.pending()))
    with ledger.connection as write:
        write.execute("UPDATE trials SET recipe = ?", (canonical_json(trial.recipe.model_dump() | {"of_2050": 1}),))
    with pytest.raises(RequestError, match=f"the recipe of trial {trial.short_id}: unknown knob 'of_2050'"):
        ledger.trial(trial.id)


def test_a_loss_that_is_no_number_is_kept_as_none(ledger: Ledger) -> None:
    attempt = run(ledger, min(ledger.pending()))
    ledger.record_epoch(attempt, Epoch(1, float("nan"), 1.0, 0.1, {PART: {"accuracy": 0.5}}))
    assert ledger.connection.execute("SELECT train_loss FROM epochs").fetchone()[0] is None


def test_what_a_dead_driver_left_running_is_tried_again(ledger: Ledger) -> None:
    trial = min(ledger.pending())
    run(ledger, trial)
    assert ledger.release("its driver died") == 1
    assert trial in ledger.pending()
    assert retry_after(ledger.failures(trial)) == Retry()


def test_unknown_and_ambiguous_trials(ledger: Ledger) -> None:
    with pytest.raises(RequestError, match="no trial of this study starts with 'zzz'"):
        ledger.trial("zzz")
    with pytest.raises(RequestError, match="more than one trial"):
        ledger.trial("")


def test_a_second_driver_is_refused(tmp_path: Path, ledger: Ledger) -> None:
    code = (
        "from gridsearch.study.study import Study; from pathlib import Path\n"
        f"with Study(Path({str(tmp_path / 'study')!r})).driven(): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "StudyLockedError" in done.stderr
    assert "is being driven by process" in done.stderr


def as_copied(study: Study, folder: Path, change: str) -> Study:
    """Copy a study that is being driven, as another machine would see it: no lock of this kernel is on it."""
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "ledger.sqlite")) as copy:
        with contextlib.closing(sqlite3.connect(study.ledger_path)) as source:
            source.backup(copy)
        with copy:
            copy.execute(change)
    return Study(folder)


ELSEWHERE = {
    "another kernel": "UPDATE driver SET machine = 'another', name = 'process 7 on elsewhere'",
    "another host": "UPDATE attempts SET driver = 'elsewhere'",
}


@pytest.mark.parametrize("change", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("clock", [-86400.0, -90.0, 0.0, 90.0])
def test_a_driver_on_another_machine_is_seen_by_what_it_writes_and_not_by_its_clock(
    change: str, clock: float, tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ledger, min(ledger.pending()))
    study = as_copied(Study(tmp_path / "study"), tmp_path / "copy", change)
    monkeypatch.setattr("gridsearch.study.lease.WATCH_SECONDS", 60.0)
    stop, now = threading.Event(), time.time()

    def beat() -> None:
        number = 0
        while not stop.wait(0.05):
            number += 1
            with contextlib.closing(sqlite3.connect(study.ledger_path)) as theirs, theirs:
                theirs.execute("UPDATE attempts SET heartbeat = ?", (now + clock + number,))

    other = threading.Thread(target=beat)
    other.start()
    said: list[str] = []
    try:
        with pytest.raises(StudyLockedError, match=r"is being driven by .* on elsewhere"), study.driven(said.append):
            pass
    finally:
        stop.set()
        other.join()
    assert "drove this study last" in said[0]
    assert not study.driver(), "who was refused holds no lock, and has not signed the lock file"
    assert study.lock_path.read_text() == ""


@pytest.mark.parametrize("change", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("clock", [-86400.0, 86400.0])
def test_a_dead_driver_of_another_machine_is_taken_over_whatever_its_clock_said(
    change: str, clock: float, tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ledger, min(ledger.pending()))
    study = as_copied(Study(tmp_path / "study"), tmp_path / "copy", change)
    with contextlib.closing(sqlite3.connect(study.ledger_path)) as theirs, theirs:
        theirs.execute("UPDATE attempts SET heartbeat = ?", (time.time() + clock,))
    monkeypatch.setattr("gridsearch.study.lease.WATCH_SECONDS", 0.5)
    with study.driven() as taken_over:
        assert taken_over.coverage().running == 1


def test_a_dead_driver_of_this_machine_is_taken_over_at_once(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ledger, min(ledger.pending()))
    study = as_copied(Study(tmp_path / "study"), tmp_path / "copy", "UPDATE driver SET name = 'process 7 on here'")
    monkeypatch.setattr("gridsearch.study.lease.time.sleep", lambda seconds: pytest.fail("it waits"))
    with study.driven() as taken_over:
        assert taken_over.coverage().running == 1


def test_of_two_drivers_that_start_at_the_same_time_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk whose locks do nothing: neither sees a trace of the other before it opens the ledger."""
    monkeypatch.setattr("gridsearch.study.study.fcntl.flock", lambda lock, how: None)
    study, last = Study(tmp_path / "study"), Study._last_driver
    with study.driven():
        monkeypatch.setattr(Study, "_last_driver", lambda self, say, lock_holds: None)
        with pytest.raises(StudyLockedError, match="is being driven by process"), study.driven():
            pass
    monkeypatch.setattr(Study, "_last_driver", last)
    with study.driven():
        pass


def test_where_a_disk_has_no_locks_the_ledger_alone_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(lock: object, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("gridsearch.study.study.fcntl.flock", no_locks)
    monkeypatch.setattr("gridsearch.study.lease.WATCH_SECONDS", 60.0)
    study = Study(tmp_path / "study")
    with study.driven() as ledger:
        writer = threading.Timer(0.5, lambda: ledger.beside().heartbeat())
        writer.start()
        with pytest.raises(StudyLockedError, match="is being driven by process"), study.driven():
            pass
        writer.join()


def test_a_driver_that_was_taken_over_writes_no_more(tmp_path: Path, ledger: Ledger) -> None:
    """It was suspended for longer than anyone waits, and wakes up."""
    attempt = run(ledger, min(ledger.pending()))
    with contextlib.closing(sqlite3.connect(ledger.path)) as theirs, theirs:
        theirs.execute("UPDATE driver SET token = 'theirs'")
    for write in (
        lambda: ledger.finish(attempt, outcome()),
        ledger.heartbeat,
        ledger.beside().heartbeat,
        lambda: ledger.release("interrupted"),
    ):
        with pytest.raises(StudyLockedError, match="another driver has taken over the study"):
            write()
    assert ledger.coverage().running == 1


def test_a_driver_that_ends_in_order_leaves_no_trace(tmp_path: Path) -> None:
    study = Study(tmp_path / "study")
    with study.driven() as ledger:
        assert ledger.connection.execute("SELECT count(*) FROM driver").fetchone()[0] == 1
    with study.driven() as ledger, contextlib.suppress(KeyboardInterrupt):
        raise KeyboardInterrupt
    with Ledger(study.ledger_path) as ledger:
        assert ledger.connection.execute("SELECT count(*) FROM driver").fetchone()[0] == 0


def test_a_clock_that_is_set_back_makes_no_attempt_end_before_it_began(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = sorted(ledger.pending())
    for trial, set_back in ((first, 0.0), (second, 3600.0)):
        attempt, now = run(ledger, trial), time.time() - set_back
        monkeypatch.setattr("gridsearch.study.attempts.time.time", lambda now=now: now)
        ledger.heartbeat()
        ledger.finish(attempt, outcome())
        monkeypatch.undo()
    (n_wrong,) = ledger.connection.execute(
        "SELECT count(*) FROM attempts WHERE ended < started OR heartbeat < started"
    ).fetchone()
    assert n_wrong == 0
    assert list(ledger.dev_results()) == [first, second], "in the order in which they finished"
    assert read_study(ledger).timing.held_seconds >= 0


def test_asking_who_drives_does_not_keep_a_driver_out(tmp_path: Path, ledger: Ledger) -> None:
    study = Study(tmp_path / "study")
    assert study.driver().startswith("process ")
    assert Study(tmp_path / "other").driver() == ""
    other = Study(tmp_path / "other")
    with other.driven():
        pass
    with other.lock_path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        threading.Timer(0.3, lock.close).start()
        with other.driven():
            assert other.driver()


def test_outside_scores_are_kept_by_trial_replaced_and_removed(ledger: Ledger) -> None:
    first, second, *_ = sorted(ledger.trial_ids())
    ledger.set_scores("leaderboard", {first: 0.8778, second: 0.871})
    ledger.set_scores("jury", {second: 3.0})
    ledger.set_scores("leaderboard", {first: 0.884897, second: None})
    assert ledger.scores() == {"leaderboard": {first: 0.884897}, "jury": {second: 3.0}}
    assert list(ledger.scores()) == ["leaderboard", "jury"]
    with pytest.raises(sqlite3.IntegrityError):
        ledger.set_scores("leaderboard", {first: 0.5, "no trial": 0.5})
    assert ledger.scores()["leaderboard"] == {first: 0.884897}, "all or nothing"


def test_reading_never_makes_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    with pytest.raises(RequestError, match="has not begun: nothing is planned in it"):
        Study(tmp_path).open()
    assert (tmp_path / "ledger.sqlite").stat().st_size == 0


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="there is no study at"):
        Study(tmp_path / "nothing").open()
    (tmp_path / "ledger.sqlite").write_text("this is a text that is long enough to be looked at as a database header")
    with pytest.raises(RequestError, match="is not a ledger"):
        Study(tmp_path).open()


def test_a_ledger_of_another_version_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    ledger.connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RequestError, match="has ledger schema 99, but this version reads 7"):
        Study(tmp_path / "study").open()


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([], Retry()),
        (["lost_driver"] * 9, Retry()),
        (["lost_worker"], Retry()),
        (["lost_worker"] * 2, Retry()),
        (["lost_worker"] * 3, None),
        (["out_of_memory"], Retry(alone=True)),
        (["out_of_memory"] * 2, Retry(alone=True, micro_batch_divisor=2)),
        (["out_of_memory"] * 3, Retry(alone=True, micro_batch_divisor=4)),
        (["out_of_memory"] * 4, None),
        (["out_of_memory", "lost_worker"], Retry(alone=True)),
        (["killed"], Retry(alone=True)),
        (["killed"] * 2, Retry(alone=True, micro_batch_divisor=2)),
        (["killed"] * 3, Retry(alone=True, micro_batch_divisor=4)),
        (["killed"] * 4, None),
        (["killed", "out_of_memory", "killed"], Retry(alone=True, micro_batch_divisor=4)),
        (["killed", "out_of_memory", "out_of_memory", "killed"], None),
        (["lost_worker", "killed", "lost_worker"], Retry(alone=True)),
        (["lost_worker", "killed", "lost_worker", "lost_worker"], None),
        (["killed", "time_limit"], None),
        (["code_error"], None),
        (["bad_data"], None),
        (["time_limit"], None),
    ],
)
def test_failures_are_retried_by_their_kind(failures: list, expected: Retry | None) -> None:
    assert retry_after(failures) == expected


@pytest.mark.slow  # many sequences, drawn at random
@given(st.lists(st.sampled_from([kind for kind in FAILURE_KINDS if kind not in NO_FAULT]), min_size=6, max_size=6))
def test_any_failures_come_to_an_end_and_batches_only_get_smaller(kinds: list[FailureKind]) -> None:
    """Six attempts at most, whatever they die of; what is tried alone stays alone."""
    retries = [retry_after(kinds[:n_failed]) for n_failed in range(7)]
    assert retries[0] == Retry()
    assert retries[6] is None
    first_end = retries.index(None)
    assert set(retries[first_end:]) == {None}, "failed for good is for good"
    tried = [retry for retry in retries if retry is not None]
    assert all(after.alone >= before.alone for before, after in itertools.pairwise(tried))
    divisors = [retry.micro_batch_divisor for retry in tried]
    assert divisors == sorted(divisors)
    assert divisors[-1] <= 4


MOVES = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["start", "finish", "fail", "final", "release"])), max_size=30
)


@settings(max_examples=40)
@given(moves=MOVES)
def test_no_sequence_of_events_breaks_the_certificate(moves: list, tmp_path_factory, request) -> None:
    from gridsearch.encoders.card import EncoderCard
    from gridsearch.planning.planner import make_plan
    from gridsearch.space.space import parse_space
    from gridsearch.tasks.task import Split, Task

    split = Split(tuple("abcdefghij"), (0, 1) * 5)
    task = Task("t", "single", "accuracy", ("n", "y"), split, split)
    plan = make_plan(
        parse_space(SMALL.replace("0.1]", "0.5]"), "s"), task, lambda _: EncoderCard("tiny", "x", "bert", 12, True, 512)
    )
    trials = list(plan.trials)
    with Ledger(tmp_path_factory.mktemp("ledger") / "ledger.sqlite") as ledger:
        ledger.adopt(plan, {})
        running: dict[str, int] = {}
        for number, move in moves:
            trial = trials[number]
            if move == "start" and trial not in running and state(ledger, trial) == "planned":
                running[trial] = run(ledger, trial)
            elif move == "finish" and trial in running:
                ledger.finish(running.pop(trial), outcome())
            elif move in ("fail", "final") and trial in running:
                ledger.fail(running.pop(trial), Failure("code_error", "x"), final=move == "final")
            elif move == "release":
                assert ledger.release("x") == len(running)
                running.clear()
            found = ledger.coverage()
            assert found.planned == 4 == found.finished + found.failed + found.running + found.pending
            assert found.running == len(running)
            assert found.complete == (found.finished == 4)
            assert ledger.pending() == {t for t in trials if state(ledger, t) in ("planned", "running", "pruned")}
