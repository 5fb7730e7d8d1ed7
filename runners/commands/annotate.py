"""``gridsearch annotate``: outside scores of trials, one more column of the table."""

import math
from collections.abc import Mapping
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.space.factor import RESERVED_COLUMNS
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from reports.formats.markdown import one_line
from reports.formats.table import CSV_COLUMNS, train_column
from reports.study.read import read_study
from reports.study.view import StudyRows
from runners.cli import EXIT_DONE, Arguments


def run(arguments: Arguments) -> int:
    """Keep, replace or remove the scores, all or none, and say what was done."""
    study = Study(Path(arguments.study))
    with study.open() as ledger:
        if not ledger.trial_ids():
            raise RequestError(f"{study.folder} is an imported table: import --score keeps its other columns")
    with study.driven(print) as ledger:
        rows = read_study(ledger)
        _check_name(arguments.name, rows)
        known = rows.scores.get(arguments.name, {})
        scores = _scores(arguments.scores, rows, ledger)
        _check_removals(scores, known, arguments.name, rows)
        ledger.set_scores(arguments.name, scores)
    for trial_id, score in scores.items():
        print(f"{arguments.name} of {_place(trial_id, rows)}: {_change(known.get(trial_id), score)}")
    print(f"gridsearch report {study.folder} writes the page anew")
    return EXIT_DONE


def _check_name(name: str, rows: StudyRows) -> None:
    if not name or name != one_line(name).strip():
        raise RequestError(f"a score needs a name of one line, without blanks around it, but got {name!r}")
    if name in (*RESERVED_COLUMNS, *CSV_COLUMNS, train_column(rows), *(factor.column for factor in rows.factors)):
        raise RequestError(f"a score must not be called {name!r}: the table has such a column")


def _scores(texts: list[str], rows: StudyRows, ledger: Ledger) -> dict[str, float | None]:
    """Read ROW=SCORE; a score of None is to be removed."""
    scores: dict[str, float | None] = {}
    for text in texts:
        key, equals, number = (part.strip() for part in text.partition("="))
        if not key or not equals:
            raise RequestError(f"a score is given as ROW=SCORE, such as 12=0.8778, but got {text!r}")
        trial_id = _trial_id(key, rows, ledger)
        if trial_id in scores:
            raise RequestError(f"two scores are given for {_place(trial_id, rows)}")
        scores[trial_id] = _number(number) if number else None
    return scores


def _check_removals(scores: Mapping[str, float | None], known: Mapping[str, float], name: str, rows: StudyRows) -> None:
    for trial_id, score in scores.items():
        if score is None and trial_id not in known:
            raise RequestError(f"{_place(trial_id, rows)} has no score {name!r} to remove")


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RequestError(f"a score must be a number, but is {text!r}")
    return number


def _trial_id(key: str, rows: StudyRows, ledger: Ledger) -> str:
    """Find the trial that is meant: by a row's index if there is such a row, else by the first digits of its id."""
    cell = next((cell for cell in rows.cells if str(cell.index) == key), None)
    if cell is None:
        try:
            trial_id = ledger.trial(key).id
        except RequestError as error:
            raise RequestError(f"{error}, and no row has that index") from None
    elif len(cell.replicates) > 1:
        repetitions = [one.repetition for one in cell.replicates]
        trials = ", ".join(f"{one.trial[:8]} ({one.repetition.name(repetitions)})" for one in cell.replicates)
        raise RequestError(f"row {key} has {len(cell.replicates)} trials, and a score is of one of them: {trials}")
    else:
        trial_id = cell.replicates[0].trial
    state = next(one.state for cell in rows.cells for one in cell.replicates if one.trial == trial_id)
    if state != "finished":
        raise RequestError(f"only a finished trial can have a score, but {_place(trial_id, rows)} is {state}")
    return trial_id


def _place(trial_id: str, rows: StudyRows) -> str:
    places = [str(cell.index) for cell in rows.cells if any(one.trial == trial_id for one in cell.replicates)]
    return f"row {' = '.join(places)} (trial {trial_id[:8]})"


def _change(before: float | None, after: float | None) -> str:
    if after is None:
        return f"removed, was {before:g}"
    return f"{after:g}" if before is None else f"{after:g}, in place of {before:g}"
