"""``gridsearch status``: how far a sweep is, told from its ledger."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from gridsearch.errors import NotBegunError
from gridsearch.stage import short_id_of
from gridsearch.study.lease import driver_elsewhere
from gridsearch.study.ledger import Ledger
from gridsearch.study.manifest import SearchEntry
from gridsearch.study.study import DriverNote, Study
from gridsearch.study.survey import Survey
from gridsearch.study.versions import caution_about
from reports.formats.markdown import seconds_text
from reports.page import best_line
from runners.attending.wishing import asked_of, told_skips, told_wish
from runners.cli import EXIT_DONE, Arguments
from runners.progress.outlook import read_outlook
from runners.progress.time_left import time_left
from runners.progress.words import rung_text, stage_text, time_left_text
from runners.provenance import ONLY_FOLDS


def run(arguments: Arguments) -> int:
    """Print what runs or is prepared, the time left at the pace of late, the best result, and the certificate."""
    study = Study(Path(arguments.study))
    note = study.driver_note()
    try:
        with study.open() as ledger:
            study.refuse_no_trials(ledger)
            survey = ledger.survey()
            print("\n".join(_lines(ledger, survey, note)))
    except NotBegunError:
        if note is None or not note.doing:
            raise
        print(_preparing(note))
    return EXIT_DONE


def _lines(ledger: Ledger, survey: Survey, note: DriverNote | None) -> Iterator[str]:
    elsewhere = "" if note else driver_elsewhere(ledger.connection)
    coverage = survey.coverage if note or elsewhere else survey.coverage.left_alone()
    if (asked := asked_of(ledger, note)) is not None:
        yield f"{told_wish(asked)}: nothing new begins, and the trials that run go on to their end"
    search = ledger.trials_manifest().search
    if note is not None:
        yield from _at_work(ledger, survey, note, search)
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
    if line := best_line(ledger):
        yield line
    yield from told_skips(ledger)
    if caution := caution_about(ledger.connection):
        yield f"caution: {caution}"
    yield str(coverage)


def _at_work(ledger: Ledger, survey: Survey, note: DriverNote, search: SearchEntry | None) -> Iterator[str]:
    """Say what a living driver does: what runs and how far it is, or what is prepared; and the time that is left."""
    now = time.time()
    outlook = read_outlook(ledger, survey, now, _only(ledger))
    if search is not None and search.trials is not None:
        outlook = outlook.proposing(search.trials)
    running = {one.name: one for one in outlook.courses if one.ended is None}
    waiting = {name: work for name, work in outlook.works.items() if name not in running}
    points = {stage: point for stage, _, _, point in ledger.stages.running()}
    for name, course in running.items():
        if name in points:
            who, how_far = f"pretraining {short_id_of(name)}", stage_text(points[name], round(course.work.n_units))
        else:
            who, how_far = name[:8], f"epoch {course.n_done + 1:g} of {course.work.n_units:g}"
        yield f"{who} on {course.worker}: {how_far}, for {seconds_text(max(0.0, now - course.began))}"
    if not running and note.doing and max((one.began for one in outlook.courses), default=0.0) < note.since:
        yield _preparing(note)
    elif (waiting or running) and (search is None or search.trials is not None):
        yield time_left_text(time_left(outlook.courses, waiting, now, outlook.prices))


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
