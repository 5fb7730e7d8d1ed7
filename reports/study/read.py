"""From an open ledger to plain typed rows: all that a page may know. Here, and in read_stages.py, reports speak SQL."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gridsearch.planning.rungs import Standing
from gridsearch.space.factor import ROW
from gridsearch.study.damage.judge import refuse_damaged
from gridsearch.study.ledger import Ledger
from gridsearch.study.manifest import Manifest, PublishedRows, TableManifest, TrialsManifest
from gridsearch.study.opening import one_moment
from gridsearch.study.rows import dev_after
from gridsearch.study.survey import Survey
from gridsearch.tasks.judging.guesses import guess_of
from gridsearch.tasks.learned import Guess, below_the_others
from reports.study.failed_attempt import FailedAttempt
from reports.study.pooled import Pool
from reports.study.read_stages import HELD_SECONDS, read_stages
from reports.study.view import (
    CellRow,
    LeftOutCell,
    Observation,
    Predictions,
    Provenance,
    Replicate,
    StudyRows,
    Timing,
    Yardstick,
)

_REPLICATES = """
SELECT cell_trials.position, trials.id AS trial, trials.seed, trials.fold, trial_states.state,
       attempts.id AS attempt, attempts.chosen_epoch, attempts.seconds, attempts.peak_bytes, attempts.not_learned,
       attempts.resources, provenance.content AS provenance
FROM cell_trials
JOIN trials ON trials.id = cell_trials.trial
JOIN trial_states ON trial_states.trial = trials.id
LEFT JOIN attempts ON attempts.id = coalesce(
    (SELECT id FROM attempts AS one WHERE one.trial = trials.id AND one.state = 'finished'),
    (SELECT max(id) FROM attempts AS one WHERE one.trial = trials.id AND one.state = 'pruned'))
LEFT JOIN provenance ON provenance.id = attempts.provenance
ORDER BY cell_trials.position, cell_trials.replicate
"""
_FAILURES = """
SELECT attempts.id, attempts.trial, failure_kind, message, final, trial_states.state
FROM attempts JOIN trial_states ON trial_states.trial = attempts.trial
WHERE attempts.state = 'failed' ORDER BY attempts.id
"""
_HELD = f"SELECT *, {HELD_SECONDS} AS held FROM attempts"
_PROVENANCE = f"""
SELECT provenance.id, content, count(tried.id) AS n_attempts, min(started) AS started, max(ended) AS ended,
       total(held * coalesce(resources ->> 'threads', 1)) AS core_seconds,
       total(held * coalesce(resources ->> 'gpus', 0)) AS gpu_seconds
FROM provenance LEFT JOIN ({_HELD}) AS tried ON tried.provenance = provenance.id
GROUP BY provenance.id ORDER BY provenance.id
"""
_FINISHED = "SELECT provenance, trial, seconds FROM attempts WHERE state = 'finished' ORDER BY id"
_TIMING = f"""
SELECT min(started) AS started, max(ended) AS ended, count(*) AS n_attempts, count(DISTINCT worker) AS n_workers,
       coalesce(sum(seconds), 0.0) AS finished_seconds,
       total(held) AS held_seconds, total(CASE WHEN state = 'failed' THEN held END) AS failed_seconds,
       total(held * coalesce(resources ->> 'threads', 1)) AS core_seconds,
       total(held * coalesce(resources ->> 'gpus', 0)) AS gpu_seconds
FROM ({_HELD})
"""


def read_study(ledger: Ledger, part: str = "") -> StudyRows:
    """Read all rows as of one moment, while a driver may be writing; of a ``part``, as if it were selected on.

    Raises RequestError when nothing is planned, where there is no such part, and where results are damaged.
    """
    with one_moment(ledger.connection):
        refuse_damaged(ledger.connection, ledger.path, "a page is made of it")
        manifest = ledger.manifest() if not part else ledger.trials_manifest().of_part(part)
        rows = ledger.connection.execute
        survey = ledger.survey()
        guesses: dict[str, Guess] = {}
        cells: tuple[CellRow, ...] = ()
        yardsticks: tuple[Yardstick, ...] = ()
        observations: tuple[Observation, ...] = ()
        if isinstance(manifest, TableManifest):
            observations = _observations(ledger.connection, manifest.rows)
        else:
            metric, found = manifest.target.name, rows("SELECT * FROM yardsticks ORDER BY name")
            yardsticks = tuple(_yardstick(row, metric) for row in found)
            guesses = _guesses(ledger, manifest)
            cells = _with_those_below_the_others(_cells(ledger, manifest), guesses, manifest)
        study = StudyRows(
            folder=ledger.path.parent,
            manifest=manifest,
            cells=cells,
            excluded=tuple(
                LeftOutCell(levels, row["why"], name)
                for row in rows("SELECT * FROM excluded")
                for levels, name in [_levels_and_row(row["levels"])]
            ),
            failures=_failures(ledger.connection, cells),
            yardsticks=yardsticks,
            observations=observations,
            provenance=_provenance(ledger.connection),
            timing=Timing(**dict(rows(_TIMING).fetchone())),
            coverage=survey.coverage,
            scores=ledger.scores(),
            row_scores=ledger.row_scores(),
            skips=ledger.attended.skips(),
            standing=_standing(ledger, survey, manifest),
            guesses=guesses,
            whole=ledger.trials_manifest() if part else None,
            stages=read_stages(ledger),
        )
        return replace(study, predictions=_predictions(ledger, study))


def _cells(ledger: Ledger, manifest: TrialsManifest) -> tuple[CellRow, ...]:
    connection = ledger.connection
    outcomes = _outcomes(connection)
    epochs = {row["attempt"]: row for row in connection.execute(
        "SELECT attempt, count(*) AS n_epochs, avg(train_seconds) AS train, avg(dev_seconds) AS dev "
        "FROM epochs GROUP BY attempt"
    )}  # fmt: skip
    curves: dict[int, list[float | None]] = defaultdict(list)
    for row in connection.execute("SELECT attempt, train_loss, dev FROM epochs ORDER BY attempt, number"):
        curves[row["attempt"]].append(dev_after(row["train_loss"], row["dev"], manifest.target))
    # The worker judged the study's target: of another part it said nothing.
    is_judged = {one.part for one in manifest.judged} <= {one.part for one in ledger.trials_manifest().judged}
    replicates: dict[int, list[Replicate]] = defaultdict(list)
    for row in connection.execute(_REPLICATES):
        one = _replicate(row, outcomes, epochs, curves, manifest)
        replicates[row["position"]].append(one if is_judged else replace(one, not_learned=""))
    pool = None if manifest.division is None else Pool(ledger, manifest)
    return tuple(
        CellRow(
            index=row["position"],
            levels=levels,
            recipe=json.loads(row["recipe"]),
            dead=json.loads(row["dead"]),
            replicates=tuple(replicates[row["position"]]),
            has_test=manifest.has_test,
            row=name,
            pooled=None if pool is None else pool.runs(replicates[row["position"]]),
        )
        for row in connection.execute("SELECT * FROM cells ORDER BY position")
        for levels, name in [_levels_and_row(row["levels"])]
    )


def _guesses(ledger: Ledger, manifest: TrialsManifest) -> dict[str, Guess]:
    """Return what a guess reaches on dev, by part; nothing where an old ledger has no labels, or it is unknown."""
    found = {}
    for one in manifest.parts:
        labels = ledger.labels("dev", one.part)
        if labels is not None and one.entry.own_metric is None:
            found[one.part] = guess_of(one.metric, labels, one.entry.labelling)
    return found


def _with_those_below_the_others(
    cells: tuple[CellRow, ...], guesses: Mapping[str, Guess], manifest: TrialsManifest
) -> tuple[CellRow, ...]:
    """Mark the runs that did not learn as only the others show."""
    judging = {one.part: guesses[one.part] for one in manifest.judged if one.part in guesses}
    if len(judging) < len(manifest.judged):
        return cells
    below = below_the_others({one.trial: one.dev_metrics for cell in cells for one in cell.finished}, judging)
    return tuple(
        replace(
            cell,
            replicates=tuple(
                replace(one, not_learned=one.not_learned or below.get(one.trial, "")) for one in cell.replicates
            ),
        )
        for cell in cells
    )


def _standing(ledger: Ledger, survey: Survey, manifest: Manifest) -> Standing | None:
    """Tell how far a halving is; where nothing was left behind, nothing is to be said of it.

    What was chosen was chosen by the study's target; what is told of the epochs is what the page is about.
    """
    if survey.standing is None or not {"pruned", "planned", "running"} & set(survey.states.values()):
        return None
    assert isinstance(manifest, TrialsManifest)
    return replace(survey.standing, curves=ledger.curves(manifest.target))


def _levels_and_row(text: str) -> tuple[dict[str, str], str]:
    """Take apart what the ledger keeps together: the levels of a cell, and its name where the design is a list."""
    levels = json.loads(text)
    return levels, levels.pop(ROW, "")


ByPart = dict[str, dict[str, float]]
_SPLITS = ("dev", "test", "train")


def _outcomes(connection: sqlite3.Connection) -> dict[int, dict[str, ByPart]]:
    """Metrics on each split of each part, by attempt; without the parts that a split was not measured of."""
    found: dict[int, dict[str, ByPart]] = {}
    for row in connection.execute("SELECT attempt, part, dev, test, train FROM outcomes ORDER BY attempt, rowid"):
        of_splits = found.setdefault(row["attempt"], {split: {} for split in _SPLITS})
        for split, results in of_splits.items():
            if row[split] is not None:
                results[row["part"]] = json.loads(row[split])
    return found


def _replicate(
    row: sqlite3.Row,
    outcomes: Mapping[int, Mapping[str, ByPart]],
    epochs: Mapping[int, sqlite3.Row],
    curves: Mapping[int, list[float | None]],
    manifest: TrialsManifest,
) -> Replicate:
    about = (row["trial"], row["seed"], row["fold"], row["state"])
    if row["state"] != "finished":
        if row["attempt"] is None:
            return Replicate(*about)
        curve = tuple(curves.get(row["attempt"], ()))
        return Replicate(*about, dev_by_epoch=curve, n_epochs=len(curve))
    dev, test, train = (outcomes[row["attempt"]][split] for split in _SPLITS)
    epoch, selected = epochs[row["attempt"]], manifest.target
    judged = {one.part for one in manifest.judged}
    return Replicate(
        *about,
        dev=selected.of(dev),
        test=selected.of(test) if judged <= test.keys() else None,
        train=selected.of(train) if judged <= train.keys() else None,
        dev_metrics=dev,
        test_metrics=test,
        train_metrics=train,
        dev_by_epoch=tuple(curves[row["attempt"]]),
        chosen_epoch=row["chosen_epoch"],
        n_epochs=epoch["n_epochs"],
        train_seconds_per_epoch=epoch["train"],
        dev_seconds_per_epoch=epoch["dev"],
        seconds=row["seconds"],
        peak_bytes=row["peak_bytes"],
        not_learned=row["not_learned"] or "",
        terms=_terms(json.loads(row["provenance"]), json.loads(row["resources"])),
    )


def _terms(provenance: Mapping[str, Any], resources: Mapping[str, Any]) -> str:
    """Put together whatever makes the times of two trials incomparable."""
    machine = [provenance.get(key) for key in ("host", "processor", "gpus")]
    return repr(machine + [resources.get(key) for key in ("device", "threads", "gpus", "micro_batch_divisor")])


def _predictions(ledger: Ledger, study: StudyRows) -> Predictions | None:
    """Read what two cells are compared by, and not the logits of a thousand; None unless both are there."""
    best, baseline = next(iter(study.ranking), None), study.baseline
    if best is None or baseline is None or best is baseline:
        return None
    parts = [one.part for one in study.about.judged]
    labels = {part: found for part in parts if (found := ledger.labels(study.split, part)) is not None}
    if len(labels) < len(parts):
        return None
    pool = Pool(ledger, study.about)
    said = {run.trial: pool.of_run(run, study.split) for cell in (best, baseline) for run in cell.runs}
    return Predictions(labels, {trial: found for trial, found in said.items() if found is not None})


def _provenance(connection: sqlite3.Connection) -> tuple[Provenance, ...]:
    seconds: dict[int, dict[str, float]] = defaultdict(dict)
    for row in connection.execute(_FINISHED):
        seconds[row["provenance"]][row["trial"]] = row["seconds"]
    found = []
    for row in connection.execute(_PROVENANCE):
        values = dict(row)
        number, content = values.pop("id"), json.loads(values.pop("content"))
        found.append(Provenance(content=content, seconds=seconds[number], **values))
    return tuple(found)


def _failures(connection: sqlite3.Connection, cells: tuple[CellRow, ...]) -> tuple[FailedAttempt, ...]:
    indexes: dict[str, list[int]] = defaultdict(list)
    for cell in cells:
        for replicate in cell.replicates:
            indexes[replicate.trial].append(cell.index)
    return tuple(
        FailedAttempt(
            trial=row["trial"],
            cells=tuple(indexes[row["trial"]]),
            kind=row["failure_kind"],
            message=row["message"] or "",
            final=bool(row["final"]),
            trial_state=row["state"],
        )
        for row in connection.execute(_FAILURES)
    )


def _yardstick(row: sqlite3.Row, metric: str) -> Yardstick:
    dev, test = json.loads(row["dev"]), json.loads(row["test"] or "{}")
    return Yardstick(row["name"], dev.get(metric), test.get(metric), dev, test)


def _observations(connection: sqlite3.Connection, published: PublishedRows) -> tuple[Observation, ...]:
    rows = connection.execute("SELECT * FROM observations ORDER BY position").fetchall()
    return tuple(
        Observation(
            index=published.index[place],
            levels=json.loads(row["levels"]),
            value=row["value"],
            text=published.response[place],
            scores=published.scores[place] if published.scores else {},
            seeds=published.seeds[place] if published.seeds else {},
        )
        for place, row in enumerate(rows)
    )
