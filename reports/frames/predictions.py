"""What finished trials say of each row, as a table: one row a row of dev or test."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from gridsearch.errors import RequestError
from gridsearch.study.ledger import Ledger
from gridsearch.study.task_entry import Judged
from gridsearch.tasks.judging.judge import probabilities
from reports.frames.trials import TEXT, WHOLE, refuse_without_trials
from reports.study.view import StudyRows

MOST_ROWS = 2 * 10**7
"""A table of more rows than these is refused: with three labels it would take more than a gigabyte."""


def predictions_frame(
    ledger: Ledger, study: StudyRows, trials: Collection[str] | None = None, split: str | None = None
) -> pd.DataFrame:
    """Return one row for each row that a finished trial judged at its chosen epoch; of some ``trials``, or a ``split``.

    ``trial``, ``seed`` and ``fold`` say whose it is, ``part`` of which part of a task of several, ``split`` and ``row``
    (from 0, in the order of the task; over all divided rows where there are folds) of which row. ``label`` is the true
    one, missing where test has none, ``predicted`` what the trial says, and ``p_LABEL`` with which probability. Rows
    with several labels have ``has_LABEL`` and ``p_LABEL`` of each; numbers have ``label`` and ``predicted`` alone.

    Raises RequestError for an imported table, for a trial that is none, where no logits were kept, and for more than
    20,000,000 rows: name some trials then.
    """
    refuse_without_trials(study)
    finished = {one.trial: one for cell in study.cells for one in cell.replicates if one.state == "finished"}
    asked = _asked(finished, trials)
    splits = ("dev", "test") if split is None else (split,)
    n_rows = len(asked) * sum(
        one.entry.n_rows[name] // (study.about.division.n_folds if study.about.division and name == "dev" else 1)
        for one in study.about.parts
        for name in splits
    )
    if n_rows > MOST_ROWS:
        raise RequestError(f"the predictions of {len(asked)} trials are {n_rows:,} rows: name some of the trials")
    frames = [
        frame
        for trial in asked
        for one in study.about.parts
        for name in splits
        if (frame := _of_trial(ledger, study, one, trial, name)) is not None
    ]
    if asked and not frames:
        raise RequestError(f"{study.folder} keeps no logits, so it is not known what trials say of single rows")
    if not frames:
        kinds = {
            "trial": TEXT,
            "seed": WHOLE,
            "fold": WHOLE,
            "split": TEXT,
            "row": WHOLE,
            "label": TEXT,
            "predicted": TEXT,
        }
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    found = pd.concat(frames, ignore_index=True)
    about = found["trial"].map
    found.insert(1, "seed", about({trial: one.seed for trial, one in finished.items()}))
    found.insert(2, "fold", about({trial: one.fold for trial, one in finished.items()}))
    return found


def _asked(finished: Mapping[str, object], trials: Collection[str] | None) -> list[str]:
    """Return the finished trials that are meant, by the first digits of their ids."""
    if trials is None:
        return list(finished)
    if isinstance(trials, str):
        trials = [trials]
    found = []
    for wanted in trials:
        known = [trial for trial in finished if trial.startswith(wanted)]
        if len(known) != 1:
            raise RequestError(f"{'no' if not known else 'more than one'} finished trial starts with {wanted!r}")
        found += known
    return list(dict.fromkeys(found))


def _of_trial(ledger: Ledger, study: StudyRows, one: Judged, trial: str, split: str) -> pd.DataFrame | None:
    logits = ledger.logits(trial, split, one.part)
    if logits is None:
        return None
    rows = ledger.dev_rows(trial, one.part) if split == "dev" else None
    rows = np.arange(len(logits)) if rows is None else rows
    labels = ledger.labels(split, one.part)
    truth = None if labels is None or not len(labels) else labels[rows]
    said = probabilities(logits, one.entry.labels_are)
    several = {"part": one.part} if study.about.task.parts else {}
    columns = dict(_columns(one, truth, said))
    return pd.DataFrame({"trial": trial, **several, "split": split, "row": rows, **columns})


def _columns(one: Judged, truth: np.ndarray | None, said: np.ndarray) -> Iterator[tuple[str, object]]:
    names, kind = list(one.entry.label_names), one.entry.labels_are
    if kind == "score":
        yield "label", np.full(len(said), np.nan) if truth is None else truth
        yield "predicted", said[:, 0]
        return
    if kind == "class":
        yield "label", _named(np.full(len(said), -1) if truth is None else truth.astype(np.intp), names)
        yield "predicted", _named(said.argmax(axis=1), names)
    else:
        for place, name in enumerate(names):
            yield (
                f"has_{name}",
                pd.array([pd.NA] * len(said) if truth is None else truth[:, place] > 0, dtype="boolean"),
            )
    for place, name in enumerate(names):
        yield f"p_{name}", said[:, place]


def _named(codes: "np.ndarray[tuple[int], np.dtype[np.intp]]", names: Sequence[str]) -> "pd.Categorical[str]":
    return pd.Categorical.from_codes(codes, categories=pd.Index(names))
