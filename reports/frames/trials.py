"""Cells, trials and epochs of a study as tables: one row a cell, a trial, an epoch.

Columns of a factor are called as on the page and hold the labels of its levels, in declared order; a factor with a
range has its numbers.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gridsearch.errors import RequestError
from gridsearch.space.factor import ROW
from gridsearch.study.ledger import Ledger
from gridsearch.study.rows import dev_after
from reports.study.parts import metrics_by_name
from reports.study.view import CellRow, StudyRows

TEXT, WHOLE, NUMBER, YES_OR_NO = "str", "int64", "float64", "bool"
"""The dtypes of columns."""
_OF_CELLS = {
    "state": TEXT,
    "n": WHOLE,
    **dict.fromkeys(("result", "result_sd", "dev", "dev_sd", "train_seconds_per_epoch"), NUMBER),
    "not_learned": WHOLE,
}
_RUN = {"trial": TEXT, "seed": WHOLE, "fold": WHOLE}
_OF_TRIALS = {
    **_RUN,
    "state": TEXT,
    **dict.fromkeys(("dev", "test", "chosen_epoch", "epochs"), NUMBER),
    "not_learned": TEXT,
    **dict.fromkeys(("train_seconds_per_epoch", "seconds", "peak_bytes"), NUMBER),
}
_OF_EPOCHS = {
    **_RUN,
    "epoch": WHOLE,
    "is_chosen": YES_OR_NO,
    **dict.fromkeys(("train_loss", "dev", "train_seconds", "dev_seconds"), NUMBER),
}
"""What a table without a row has as columns."""
CELL = "cell"
"""The column that cells, trials and epochs share: the index of the cell on the page."""
_EPOCHS = """
SELECT attempts.trial, attempts.chosen_epoch, epochs.number, epochs.train_loss, epochs.train_seconds,
       epochs.dev_seconds, epochs.dev
FROM epochs JOIN attempts ON attempts.id = epochs.attempt
WHERE attempts.state = 'finished' OR attempts.id IN (
    SELECT max(id) FROM attempts AS one WHERE {} AND NOT EXISTS (
        SELECT 1 FROM attempts WHERE trial = one.trial AND state = 'finished') GROUP BY trial)
ORDER BY attempts.trial, epochs.number
"""


def cells_frame(study: StudyRows) -> pd.DataFrame:
    """Return one row a cell: what it is, its state, and mean, standard deviation and number of its runs.

    ``result`` is the study's metric on test where test has labels, else on dev; ``dev`` is what the best is chosen by.
    ``n`` counts the runs of ``result``, ``result_sd`` is missing below two. Of an imported table: one row a row of it,
    with the index and the result that it has there, and its own scores.
    """
    if study.is_imported:
        return _observations_frame(study)
    rows = [
        {
            **_what(study, cell),
            "state": cell.state,
            "n": cell.result.n,
            "result": cell.result.mean,
            "result_sd": cell.result.sd,
            "dev": cell.dev.mean,
            "dev_sd": cell.dev.sd,
            **({"train": cell.train.mean} if study.has_train else {}),
            **({"fold_mean": cell.folds.mean, "fold_sd": cell.folds.sd} if study.is_folded else {}),
            "train_seconds_per_epoch": cell.train_seconds_per_epoch.mean,
            "not_learned": sum(len(trials) for trials in cell.not_learned.values()),
        }
        for cell in study.cells
    ]
    return _framed(study, rows, _OF_CELLS)


def trials_frame(study: StudyRows) -> pd.DataFrame:
    """Return one row a trial of each cell: a trial that several cells share has a row in each.

    ``dev`` and ``test`` are the study's metric at the chosen epoch, ``dev_accuracy`` and the like all metrics there.
    What is not known of a trial that is not finished is missing. ``not_learned`` says why a run is no better than a
    guess. Outside scores (`annotate`) stand in the last columns. Raises RequestError for an imported table.
    """
    refuse_without_trials(study)
    rows = []
    for cell in study.cells:
        for one in cell.replicates:
            splits = {"dev": one.dev_metrics, "test": one.test_metrics, "train": one.train_metrics}
            measures = {
                f"{split}_{name}": value
                for split, found in splits.items()
                for name, value in metrics_by_name(found).items()
            }
            rows.append(
                {
                    **_what(study, cell),
                    "trial": one.trial,
                    "seed": one.seed,
                    "fold": one.fold,
                    "state": one.state,
                    "dev": one.dev,
                    "test": one.test,
                    "chosen_epoch": one.chosen_epoch,
                    "epochs": one.n_epochs,
                    "not_learned": one.not_learned,
                    "train_seconds_per_epoch": one.train_seconds_per_epoch,
                    "seconds": one.seconds,
                    "peak_bytes": one.peak_bytes,
                    **measures,
                    **{name: by_trial.get(one.trial) for name, by_trial in study.scores.items()},
                }
            )
    frame = _framed(study, rows, _OF_TRIALS)
    whole = dict.fromkeys(("chosen_epoch", "epochs", "peak_bytes"), "Int64")
    return frame.astype(whole)


def epochs_frame(ledger: Ledger, study: StudyRows, *, of_latest: bool = False) -> pd.DataFrame:
    """Return one row an epoch of each trial that ended, of each cell: also of those that were pruned.

    With ``of_latest``, of each that has begun: of one that did not end, those of its latest attempt.

    ``dev`` is what the study selects by, ``dev_accuracy`` and the like are all metrics after the epoch; ``is_chosen``
    marks the one whose results count. Raises RequestError for an imported table.
    """
    refuse_without_trials(study)
    of_trial: dict[str, list[dict[str, Any]]] = {}
    counts = "TRUE" if of_latest else "state = 'pruned'"
    for row in ledger.connection.execute(_EPOCHS.format(counts)):
        metrics = metrics_by_name(json.loads(row["dev"]))
        of_trial.setdefault(row["trial"], []).append(
            {
                "epoch": row["number"],
                "is_chosen": row["number"] == row["chosen_epoch"],
                "train_loss": row["train_loss"],
                "dev": dev_after(row["train_loss"], row["dev"], study.about.target),
                "train_seconds": row["train_seconds"],
                "dev_seconds": row["dev_seconds"],
                **{f"dev_{name}": value for name, value in metrics.items()},
            }
        )
    rows = [
        {**_what(study, cell), "trial": one.trial, "seed": one.seed, "fold": one.fold, **epoch}
        for cell in study.cells
        for one in cell.replicates
        for epoch in of_trial.get(one.trial, ())
    ]
    return _framed(study, rows, _OF_EPOCHS)


def refuse_without_trials(study: StudyRows) -> None:
    """Raise RequestError for an imported table: nothing is known of its runs but what the table says."""
    if study.is_imported:
        raise RequestError(f"{study.folder} is an imported table: it has cells, and neither trials nor epochs")


def _what(study: StudyRows, cell: CellRow) -> dict[str, Any]:
    """Say which cell it is: its index, its name in a list, its levels."""
    named = {ROW: cell.row} if study.is_list else {}
    return {CELL: cell.index, **named, **{factor.column: cell.levels[factor.name] for factor in study.factors}}


def _observations_frame(study: StudyRows) -> pd.DataFrame:
    rows = [
        {
            CELL: place,
            "index": one.index,
            **{factor.column: one.levels[factor.name] for factor in study.factors},
            "result": one.value,
            **one.seeds,
            **one.scores,
        }
        for place, one in enumerate(study.observations, start=1)
    ]
    return _framed(study, rows, {"index": TEXT, "result": NUMBER})


def _framed(study: StudyRows, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Put rows together; levels are ordered categories of their labels, or the numbers of a range.

    ``columns`` are those beside the cell and its levels that there are without any row. A column in which nothing is
    known is one of numbers: texts are always known.
    """
    if not rows:
        levels = {factor.column: TEXT for factor in study.factors}
        kinds = {CELL: WHOLE, **levels, **columns}
        frame = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    else:
        frame = pd.DataFrame(list(rows))
        frame = frame.astype({name: NUMBER for name in frame if frame[name].isna().all()})
    for factor in study.factors:
        labels = frame[factor.column]
        frame[factor.column] = (
            pd.Categorical(labels, categories=list(factor.levels), ordered=True)
            if factor.range is None
            else pd.to_numeric(labels)
        )
    return frame
