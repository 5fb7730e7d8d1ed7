"""The outlook of a study: what its ledger knows of the work that is left, of its cost, and of how work went so far."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from statistics import median

from gridsearch.canonical import canonical_json
from gridsearch.encoders.pretraining.made import RECORD, folder_of
from gridsearch.planning.cost_groups import cost_key, start_of
from gridsearch.planning.stage_groups import stage_cost_of
from gridsearch.recipe.recipe import Recipe
from gridsearch.stage import LogPoint, Stage
from gridsearch.study.ledger import Ledger
from gridsearch.study.rows import read_recipe
from gridsearch.study.survey import Survey
from gridsearch.trial import Trial
from runners.progress.time_left import MOST_OBSERVATIONS, STEP, Course, Kind, Work

PROPOSALS = "proposals"
"""What the trials are called that a search has yet to propose."""


@dataclass(frozen=True)
class Outlook:
    """What runs or is to run, by its id; forecast seconds of a unit by kind; and attempts of late, by Unix time.

    ``stages`` are the ids of pretrainings among the works. The counts are of trials.
    """

    works: Mapping[str, Work]
    prices: Mapping[Kind, float]
    courses: Sequence[Course]
    n_planned: int
    n_done: int
    n_failed: int = 0
    stages: frozenset[str] = frozenset()

    def proposing(self, n_planned: int, n_epochs: float | None = None) -> "Outlook":
        """Add the trials that a search has yet to propose: so many are planned altogether.

        Each has so many epochs; by default as many as those that are known.
        """
        known = [work.n_units for work in (*self.works.values(), *(one.work for one in self.courses))]
        n_units = median(known or [1.0]) if n_epochs is None else n_epochs
        proposed = _unknown(PROPOSALS, n_units, n_planned - self.n_planned)
        return replace(self, works={**self.works, **proposed}, n_planned=n_planned)


def read_outlook(ledger: Ledger, survey: Survey, now: float, only: Collection[str] | None = None) -> Outlook:
    """Read the outlook of a study, or of some of its trials, at a moment of Unix time."""
    kinds = _Kinds(ledger)
    chosen = survey.states if only is None else {trial: survey.states[trial] for trial in only}
    due = survey.pending & chosen.keys()
    if survey.is_optimised:  # a search does not go back to what it has pruned
        due = {trial for trial in due if chosen[trial] != "pruned"}
    works = {trial: work for trial, work in kinds.of_trials.items() if trial in due}
    counts = replace(survey, states=chosen).coverage
    outlook = Outlook(
        works,
        _prices(ledger, kinds),
        _courses(ledger, kinds, now),
        counts.planned,
        counts.finished + counts.pruned,
        counts.failed,
    )
    if (standing := survey.standing) is not None:
        n_planned, lacking = standing.n_trials, standing.lacking
        works = {trial: replace(work, n_units=float(lacking[trial])) for trial, work in works.items()}
        outlook = replace(
            outlook, works=works | _later_rungs(survey), n_planned=n_planned, n_done=n_planned - len(lacking)
        )
    stages = kinds.stages_before(works)
    return replace(outlook, works={**stages, **outlook.works}, stages=frozenset(stages))


def work_of_trial(trial: Trial) -> Work:
    """Return what a trial takes."""
    after = None if trial.stage is None else trial.stage.id
    return Work(Kind(cost_key(start_of(trial), trial.recipe)), trial.recipe.epochs, after)


def work_of_stage(stage: Stage) -> Work:
    """Return what a pretraining takes, from its first step on."""
    return Work(Kind(canonical_json(stage_cost_of(stage)), STEP), stage.last_step)


def course_of_stage(name: str, work: Work, log: Sequence[LogPoint], now: float) -> Course:
    """Return the course of a pretraining that has come so far just now: of all attempts at it, as its log tells."""
    began = now - log[-1].seconds
    return Course(name, work, began, [(point.step, began + point.seconds) for point in log if point.seconds > 0])


def _later_rungs(survey: Survey) -> dict[str, Work]:
    """Return the trials of rungs that have not begun: nobody knows yet which."""
    standing = survey.standing
    assert standing is not None
    n_runs = standing.n_trials / len(standing.members[-1])
    found: dict[str, Work] = {}
    for number, rung in enumerate(standing.halving.rungs[len(standing.members) :], start=len(standing.members) + 1):
        found |= _unknown(f"rung {number}", rung.epochs, round(rung.n_cells * n_runs))
    return found


def _unknown(name: str, n_units: float, count: int) -> dict[str, Work]:
    """Return so many trials of which nobody knows which they will be, under one name."""
    return {name: Work(Kind(None), n_units, count=count)} if count > 0 else {}


class _Kinds:
    """What each trial and each pretraining of a ledger costs the same as."""

    def __init__(self, ledger: Ledger) -> None:
        self.stages: dict[str, Stage] = ledger.stages.all()
        self._states = ledger.stages.states()
        self.of_trials: dict[str, Work] = {}
        self._encoders: dict[str, str] = {}

        @cache
        def kind(recipe_text: str, trial_id: str, encoder: str) -> tuple[Kind, Recipe]:
            recipe = read_recipe(recipe_text, trial_id)
            stage = self.stages.get(encoder)
            return Kind(cost_key(encoder if stage is None else stage.base, recipe)), recipe

        first: dict[str, str] = {}
        for row in ledger.connection.execute("SELECT id, recipe, encoder FROM trials ORDER BY id"):
            key, recipe = kind(row["recipe"], first.setdefault(row["recipe"], row["id"]), row["encoder"])
            after = row["encoder"] if row["encoder"] in self.stages else None
            self.of_trials[row["id"]] = Work(key, recipe.epochs, after)

    def of_stage(self, stage: Stage) -> Work:
        """Return what a pretraining takes: the steps from the checkpoint before it, where that is made first."""
        earlier = [one for one in self.stages.values() if one.run == stage.run and one.last_step < stage.last_step]
        nearest = max(earlier, key=lambda one: one.last_step, default=None)
        work = work_of_stage(stage)
        return work if nearest is None else replace(work, after=nearest.id, before=nearest.last_step)

    def stages_before(self, works: Mapping[str, Work]) -> dict[str, Work]:
        """Return the pretrainings that some trials wait for and that are not made yet."""
        found: dict[str, Work] = {}
        for name in {work.after for work in works.values() if work.after is not None}:
            stage: Stage | None = self.stages[name]
            while stage is not None and self._is_to_be_made(stage.id):
                found[stage.id] = work = self.of_stage(stage)
                stage = None if work.after is None else self.stages[work.after]
        return dict(sorted(found.items(), key=lambda item: item[1].n_units))

    def _is_to_be_made(self, stage_id: str) -> bool:
        state = self._states.get(stage_id)
        return state == "running" or (state == "planned" and not (folder_of(stage_id) / RECORD).is_file())


def _prices(ledger: Ledger, kinds: _Kinds) -> dict[Kind, float]:
    """Return what the latest forecast foresaw of a unit of each kind; empty where none was measured."""
    for row in ledger.connection.execute("SELECT content FROM provenance ORDER BY id DESC"):
        if (foreseen := json.loads(row["content"]).get("predicted")) is None:
            continue
        works = [(kinds.of_trials.get(one["trials"][0]), one["seconds"]) for one in foreseen["groups"]]
        stages = [(kinds.stages.get(name), seconds) for name, seconds in foreseen.get("pretraining", {}).items()]
        works += [(kinds.of_stage(stage), seconds) for stage, seconds in stages if stage is not None]
        units = [(work, seconds, work.n_units - work.before) for work, seconds in works if work is not None]
        return {work.kind: seconds / count for work, seconds, count in units if count > 0 and seconds > 0}
    return {}


def _courses(ledger: Ledger, kinds: _Kinds, now: float) -> list[Course]:
    """Read the attempts of late, at trials and at pretrainings."""
    found = [*_courses_of_trials(ledger.connection, kinds), *_courses_of_stages(ledger, kinds, now)]
    return sorted(found, key=lambda one: one.began)


_LATEST = "SELECT * FROM {} WHERE worker != 'none' ORDER BY id DESC LIMIT " + str(MOST_OBSERVATIONS)


def _courses_of_trials(connection: sqlite3.Connection, kinds: _Kinds) -> Iterator[Course]:
    latest, epochs = _LATEST.format("attempts"), dict[int, list[float]]()
    query = (
        "SELECT attempt, train_seconds + dev_seconds FROM epochs WHERE attempt IN (SELECT id FROM ({})) ORDER BY number"
    )
    for attempt, seconds in connection.execute(query.format(latest)):
        epochs.setdefault(attempt, []).append(seconds)
    for row in connection.execute(latest):
        # When an epoch ended is not kept, but how long it took; the rest is taken for the trial's start.
        ends = list(accumulate(epochs.get(row["id"], [])))
        start = row["started"] if row["ended"] is None or not ends else max(row["started"], row["ended"] - ends[-1])
        marks = [(float(number), start + end) for number, end in enumerate(ends, start=1)]
        is_whole = row["state"] in ("finished", "pruned") and bool(marks)
        work = kinds.of_trials[row["trial"]]
        yield Course(row["trial"], work, row["started"], marks, row["ended"], is_whole, row["worker"])


def _courses_of_stages(ledger: Ledger, kinds: _Kinds, now: float) -> Iterator[Course]:
    for row in ledger.connection.execute(_LATEST.format("stage_attempts")):
        if row["found"]:
            continue
        work, log = kinds.of_stage(kinds.stages[row["stage"]]), ledger.stages.log(row["id"])
        course = Course(row["stage"], work, row["started"])
        if log:
            latest = min(now, row["started"] + log[-1].seconds) if row["ended"] is None else row["ended"]
            course = course_of_stage(row["stage"], work, log, latest)
        yield replace(course, ended=row["ended"], is_whole=row["state"] == "finished", worker=row["worker"])
