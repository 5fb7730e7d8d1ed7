"""``gridsearch status``: how far a sweep is, told from its ledger."""

import time
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.stage import short_id_of
from gridsearch.study.lease import driver_elsewhere
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.study.survey import Coverage
from reports.formats.markdown import seconds_text
from reports.page import best_line
from runners.cli import EXIT_DONE, Arguments
from runners.progress import rung_text


def run(arguments: Arguments) -> int:
    """Print what runs, the time left at the present pace, the best result so far, and the certificate."""
    study = Study(Path(arguments.study))
    with study.open() as ledger:
        survey = ledger.survey()
        if not survey.states:
            raise RequestError(f"{study.folder} holds no plan (an imported table, or a sweep that never began)")
        coverage, standing, driver = survey.coverage, survey.standing, study.driver()
        running = ledger.connection.execute("SELECT * FROM attempts WHERE state = 'running' ORDER BY id").fetchall()
        if driver:
            for row in running:
                print(f"{row['trial'][:8]} on {row['worker']}: for {seconds_text(_since(row['started']))}")
            for stage_id, worker, started, point in ledger.stages.running():
                how_far = f", step {point.step}, loss {point.loss:.3f}" if point else ""
                since = seconds_text(_since(started))
                print(f"pretraining {short_id_of(stage_id)} on {worker}: for {since}{how_far}")
            if standing is None and (left := _seconds_left(ledger, coverage)):
                print(f"about {seconds_text(left)} left")
        elif elsewhere := driver_elsewhere(ledger.connection):
            print(f"driven by {elsewhere}; whether it still is cannot be told from this machine")
        elif not coverage.settled:
            print("nobody is at work on it: the same sweep command goes on from here")
        if standing is not None:
            print(rung_text(standing))
        if line := best_line(ledger):
            print(line)
    print(coverage)
    return EXIT_DONE


def _seconds_left(ledger: Ledger, coverage: Coverage) -> float | None:
    """Take the pace of the trials that finished since the latest start of a driver; None before the first has."""
    query = (
        "SELECT min(started), sum(state = 'finished') FROM attempts "
        "WHERE provenance = (SELECT provenance FROM attempts ORDER BY id DESC LIMIT 1)"
    )
    begun, n_finished = ledger.connection.execute(query).fetchone()
    if not n_finished:
        return None
    return float(_since(begun) / n_finished * (coverage.pending + coverage.running))


def _since(moment: float) -> float:
    """Seconds since a moment of the driver's clock, which may be ahead of this one."""
    return max(0.0, time.time() - moment)
