"""``gridsearch status``: how far a sweep is, told from its ledger."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gridsearch.errors import NotBegunError
from gridsearch.stage import short_id_of
from gridsearch.study.attending.stop_wish import stop_wish
from gridsearch.study.lease import driver_elsewhere
from gridsearch.study.ledger import Ledger
from gridsearch.study.manifest import SearchEntry
from gridsearch.study.study import DriverNote, Study
from gridsearch.study.survey import Coverage, Survey
from gridsearch.study.versions import caution_about
from reports.formats.markdown import seconds_text
from reports.sections.results import best_sentence
from reports.study.read import read_study
from reports.study.view import StudyRows
from runners.attending.wishing import asked_of, told_skips, told_wish
from runners.cli import Arguments
from runners.programs.answer import Answer
from runners.programs.facts import best_facts, skip_facts
from runners.progress.outlook import read_outlook
from runners.progress.time_left import TimeLeft, time_left
from runners.progress.words import rung_text, stage_text, time_left_text
from runners.provenance import ONLY_FOLDS


def run(arguments: Arguments) -> Answer:
    """Tell what runs or is prepared, the time left at the pace of late, the best result, and the certificate."""
    study = Study(Path(arguments.study))
    note = study.driver_note()
    try:
        with study.open() as ledger:
            study.refuse_no_trials(ledger)
            survey = ledger.survey()
            elsewhere = "" if note else driver_elsewhere(ledger.connection)
            work = None if note is None else _at_work(ledger, survey, note, ledger.trials_manifest().search)
            rows = read_study(ledger)
            text = "\n".join(_lines(ledger, survey, elsewhere, work, rows))
            facts = _facts(ledger, survey, elsewhere, work, rows)
    except NotBegunError:
        if note is None or not note.doing:
            raise
        asked = stop_wish(study.folder, note.token) is not None
        doing = AtWork(note, is_preparing=True).facts()
        return Answer({"study": study.folder, **doing, **NOT_PLANNED, "stop_asked": asked}, _preparing(note))
    return Answer({"study": study.folder, **facts}, text)


@dataclass(frozen=True)
class Runs:
    """A trial or a pretraining that runs: who computes it, how many of its units (epochs, steps) it has, how long."""

    what: str
    name: str
    worker: str
    done: float
    of: float
    seconds: float
    text: str


@dataclass(frozen=True)
class AtWork:
    """What a living driver does. ``left`` is None where it is not known, or not asked for (``tells_left``)."""

    note: DriverNote
    runs: tuple[Runs, ...] = ()
    is_preparing: bool = False
    left: TimeLeft | None = None
    tells_left: bool = False

    def facts(self) -> Mapping[str, Any]:
        """Return it for programs."""
        return {
            "driver": self.note.name,
            "preparing": self.note.doing if self.is_preparing else None,
            "running": [
                {one.what: one.name, "worker": one.worker, "done": one.done, "of": one.of, "seconds": one.seconds}
                for one in self.runs
            ],
            "seconds_left": self.left,
        }


NOT_PLANNED: Final[Mapping[str, Any]] = {
    "settled": False,
    "coverage": None,
    "metric": None,
    "best": None,
    "skipped": [],
    "caution": None,
}
NOBODY: Final[Mapping[str, Any]] = {"driver": None, "preparing": None, "running": [], "seconds_left": None}


def _coverage(survey: Survey, elsewhere: str, work: AtWork | None) -> Coverage:
    return survey.coverage if work or elsewhere else survey.coverage.left_alone()


def _facts(ledger: Ledger, survey: Survey, elsewhere: str, work: AtWork | None, rows: StudyRows) -> Mapping[str, Any]:
    asked = asked_of(ledger, None if work is None else work.note)
    doing = NOBODY if work is None else work.facts()
    coverage = _coverage(survey, elsewhere, work)
    return {
        **doing,
        "driver": doing["driver"] or elsewhere or None,
        "stop_asked": asked is not None,
        "settled": coverage.settled,
        "coverage": coverage.to_json(),
        "metric": rows.metric,
        "best": best_facts(rows),
        "skipped": skip_facts(ledger),
        "caution": caution_about(ledger.connection) or None,
    }


def _lines(ledger: Ledger, survey: Survey, elsewhere: str, work: AtWork | None, rows: StudyRows) -> Iterator[str]:
    coverage = _coverage(survey, elsewhere, work)
    if (asked := asked_of(ledger, None if work is None else work.note)) is not None:
        yield f"{told_wish(asked)}: nothing new begins, and the trials that run go on to their end"
    search = ledger.trials_manifest().search
    if work is not None:
        yield from _work_lines(work)
    elif elsewhere:
        yield f"driven by {elsewhere}; whether it still is cannot be told from this machine"
    elif (stop := ledger.attended.stopped()) is not None:
        yield f"its driver has ended in order: {told_wish(stop)}; the same command goes on from here"
    elif not coverage.settled:
        yield "nobody is at work on it: the same command goes on from here"
    if search is not None:
        yield _search_text(search, coverage.planned)
    if survey.standing is not None:
        yield rung_text(survey.standing)
    if line := best_sentence(rows):
        yield line
    yield from told_skips(ledger)
    if caution := caution_about(ledger.connection):
        yield f"caution: {caution}"
    yield str(coverage)


def _at_work(ledger: Ledger, survey: Survey, note: DriverNote, search: SearchEntry | None) -> AtWork:
    """Find out what a living driver does: what runs and how far, or what is prepared; and the time that is left."""
    now = time.time()
    outlook = read_outlook(ledger, survey, now, _only(ledger))
    if search is not None and search.trials is not None:
        outlook = outlook.proposing(search.trials)
    running = {one.name: one for one in outlook.courses if one.ended is None}
    waiting = {name: work for name, work in outlook.works.items() if name not in running}
    points = {stage: point for stage, _, _, point in ledger.stages.running()}
    runs = []
    for name, course in running.items():
        seconds = max(0.0, now - course.began)
        if name in points:
            what, who, point = "pretraining", f"pretraining {short_id_of(name)}", points[name]
            done, how_far = float(point.step if point else 0), stage_text(point, round(course.work.n_units))
        else:
            what, who, done = "trial", name[:8], course.n_done
            how_far = f"epoch {done + 1:g} of {course.work.n_units:g}"
        text = f"{who} on {course.worker}: {how_far}, for {seconds_text(seconds)}"
        runs.append(Runs(what, name, course.worker, done, course.work.n_units, seconds, text))
    if not running and note.doing and max((one.began for one in outlook.courses), default=0.0) < note.since:
        return AtWork(note, is_preparing=True)
    if (waiting or running) and (search is None or search.trials is not None):
        left = time_left(outlook.courses, waiting, now, outlook.prices)
        return AtWork(note, tuple(runs), left=left, tells_left=True)
    return AtWork(note, tuple(runs))


def _work_lines(work: AtWork) -> Iterator[str]:
    for one in work.runs:
        yield one.text
    if work.is_preparing:
        yield _preparing(work.note)
    elif work.tells_left:
        yield time_left_text(work.left)


def _preparing(note: DriverNote) -> str:
    # A clock may have been set back.
    return f"preparing: {note.doing}, for {seconds_text(max(0.0, time.time() - note.since))}"


def _search_text(search: SearchEntry, n_proposed: int) -> str:
    """Say how far a search is: what is proposed of its budget."""
    if search.trials is None:
        return f"Optuna's search, of {search.hours:g} h: {n_proposed} trials are proposed so far"
    return f"Optuna's search: {n_proposed} of {search.trials} trials are proposed so far"


def _only(ledger: Ledger) -> set[str] | None:
    """Return the trials that the latest driver was asked for; None where that is all of them."""
    query = "SELECT content FROM provenance ORDER BY id DESC LIMIT 1"
    row = ledger.connection.execute(query).fetchone()
    folds = json.loads(row["content"]).get(ONLY_FOLDS) if row else None
    if folds is None:
        return None
    marks = ", ".join("?" * len(folds))
    return {row["id"] for row in ledger.connection.execute(f"SELECT id FROM trials WHERE fold IN ({marks})", folds)}
