"""``gridsearch annotate``: outside scores of trials and of whole rows, one more column of the table."""

from pathlib import Path
from typing import TypeAlias

from gridsearch.errors import RequestError
from gridsearch.space.factor import RESERVED_COLUMNS
from gridsearch.study.ledger import Ledger
from gridsearch.study.row_scores import RowScore, score_of_row
from gridsearch.study.study import Study
from gridsearch.tasks.columns.numbers import finite_number
from reports.formats.markdown import one_line
from reports.formats.table import CSV_COLUMNS, train_column
from reports.study.named import find_cell
from reports.study.read import read_study
from reports.study.view import StudyRows
from runners.cli import Arguments
from runners.programs.answer import Answer, lines

Place: TypeAlias = tuple[str, ...]
"""What a score is of: the ids of one trial, or of all trials of a row."""


def run(arguments: Arguments) -> Answer:
    """Keep, replace or remove the scores, all or none, and say what was done."""
    study = Study(Path(arguments.study))
    with study.open() as ledger:
        if not ledger.trial_ids():
            raise RequestError(f"{study.folder} is an imported table: import --score keeps its other columns")
    with study.driven(print) as ledger:
        rows = read_study(ledger)
        _check_name(arguments.name, rows)
        scores = _scores(arguments.scores, rows, ledger)
        known = {place: _known(place, arguments.name, rows) for place in scores}
        for place, score in scores.items():
            if score is None and known[place] is None:
                raise RequestError(f"{_spell(place, rows)} has no score {arguments.name!r} to remove")
        of_trials = {place[0]: score for place, score in scores.items() if len(place) == 1}
        # What a row got when it had fewer trials is replaced, or removed, with the rest.
        of_rows: dict[Place, float | None] = {
            own.trials: None for place in scores if (own := _of_row(place, arguments.name, rows))
        }
        of_rows |= {place: score for place, score in scores.items() if len(place) > 1}
        ledger.set_scores(arguments.name, of_trials, of_rows)
    text = lines(
        *(
            f"{arguments.name} of {_spell(place, rows)}: {_change(known[place], score)}"
            for place, score in scores.items()
        ),
        f"gridsearch report {study.folder} writes the page anew",
    )
    changes = [{"trials": place, "before": known[place], "after": score} for place, score in scores.items()]
    return Answer({"study": study.folder, "name": arguments.name, "scores": changes}, text)


def _check_name(name: str, rows: StudyRows) -> None:
    if not name or name != one_line(name).strip():
        raise RequestError(f"a score needs a name of one line, without blanks around it, but got {name!r}")
    if name in (*RESERVED_COLUMNS, *CSV_COLUMNS, train_column(rows), *(factor.column for factor in rows.factors)):
        raise RequestError(f"a score must not be called {name!r}: the table has such a column")


def _scores(texts: list[str], rows: StudyRows, ledger: Ledger) -> dict[Place, float | None]:
    """Read ROW=SCORE; a score of None is to be removed."""
    scores: dict[Place, float | None] = {}
    for text in texts:
        key, equals, number = (part.strip() for part in text.partition("="))
        if not key or not equals:
            raise RequestError(f"a score is given as ROW=SCORE, such as 12=0.8778, but got {text!r}")
        place = _place(key, rows, ledger)
        if place in scores:
            raise RequestError(f"two scores are given for {_spell(place, rows)}")
        scores[place] = _number(number) if number else None
    return scores


def _known(place: Place, name: str, rows: StudyRows) -> float | None:
    """Return the score that a trial has, or a row as a whole."""
    own = _of_row(place, name, rows)
    return rows.scores.get(name, {}).get(place[0]) if own is None else own.value


def _of_row(place: Place, name: str, rows: StudyRows) -> RowScore | None:
    """Return the score of a row as a whole; a single trial has none of that kind."""
    if len(place) == 1:
        return None
    return score_of_row(rows.row_scores, name, place, [cell.trials for cell in rows.cells])


def _number(text: str) -> float:
    if (number := finite_number(text)) is None:
        raise RequestError(f"a score must be a number, but is {text!r}")
    return number


def _place(key: str, rows: StudyRows, ledger: Ledger) -> Place:
    """Find what is meant: all trials of the row with this index or name, else the trial whose id begins so."""
    if (cell := find_cell(rows, key)) is not None:
        place = tuple(sorted(set(cell.trials)))
    else:
        try:
            place = (ledger.trial(key).id,)
        except RequestError as error:
            raise RequestError(f"{error}, and no row has that index") from None
    states = {one.trial: one.state for cell in rows.cells for one in cell.replicates}
    for trial_id in place:
        if (state := states[trial_id]) == "finished":
            continue
        if len(place) == 1:
            raise RequestError(f"only a finished trial can have a score, but {_spell(place, rows)} is {state}")
        n_finished = sum(states[one] == "finished" for one in place)
        rule = "only a row whose trials are all finished can have a score"
        raise RequestError(f"{rule}, but of row {key} {n_finished} of {len(place)} are; name a trial by its id instead")
    return place


def _spell(place: Place, rows: StudyRows) -> str:
    wanted = set(place)
    of_one = [cell for cell in rows.cells if wanted & set(cell.trials)]
    cells = of_one if len(place) == 1 else [cell for cell in of_one if wanted == set(cell.trials)]
    what = f"trial {place[0][:8]}" if len(place) == 1 else f"{len(place)} trials"
    return f"row {' = '.join(str(cell.index) for cell in cells)} ({what})"


def _change(before: float | None, after: float | None) -> str:
    if after is None:
        return f"removed, was {before:g}"
    return f"{after:g}" if before is None else f"{after:g}, in place of {before:g}"
