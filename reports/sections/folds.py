"""What a result over folds is, and whether it is out of fold."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reports.formats.markdown import escape, listed, plural
from reports.formats.table import metric_text
from reports.language.say import say
from reports.study.view import CellRow, Pooled, StudyRows


def times_text(study: StudyRows) -> str:
    """Say how often a cell is run: rows of a list may name seeds of their own, and more or fewer of them."""
    n_folds = study.about.division.n_folds if study.about.division else 1
    several = sorted({len({one.seed for one in cell.replicates}) for cell in study.cells})
    several = several or [len(study.about.design.seeds)]
    seeds = plural(several[0], "seed")
    if len(several) > 1:
        seeds = say("{fewest} to {most} seeds", fewest=several[0], most=several[-1])
    if n_folds == 1:
        return seeds
    return say("{seeds} x {folds}", seeds=seeds, folds=plural(n_folds, "fold"))


def texts_of_folds(study: StudyRows, choice: str) -> list[str]:
    """Say what the columns of a folded study are; ``choice`` names the epoch that is judged."""
    several = study.n_runs > 1
    return [
        say(
            "{what}, at {choice}{mean}{spread}.",
            what=_what(study),
            choice=choice,
            mean=say(", mean over seeds") if several else "",
            spread=say("; `sd` is over `n` seeds") if several else "",
        ),
        say(
            "`fold mean` and `fold sd` are of what the runs of single folds have on dev; a cell has a result where all "
            "its folds are there."
        ),
        out_of_fold_text(study),
    ]


def _what(study: StudyRows) -> str:
    metric, n_rows = metric_text(study, escape), sum(one.entry.n_rows["dev"] for one in study.about.judged)
    if not study.has_test:
        return say("`result` is {metric} of all {n} rows, each judged by the run of its fold", metric=metric, n=n_rows)
    if study.predicts_numbers:
        return say(
            "`result` is {metric} on test, by the mean over folds of what is predicted, `dev` that of all {n} rows, "
            "each judged by the run of its fold",
            metric=metric,
            n=n_rows,
        )
    return say(
        "`result` is {metric} on test, by the mean over folds of the probabilities, `dev` that of all {n} rows, each "
        "judged by the run of its fold",
        metric=metric,
        n=n_rows,
    )


def out_of_fold_text(study: StudyRows) -> str:
    """Say whether the rows that judge a run chose its epoch, too: then it is a dev result, and not out of fold."""
    chosen = [cell.index for cell in study.cells if _is_chosen_by_dev(cell.recipe)]
    if not chosen:
        return say("No epoch was chosen by the rows that judge it, so what is told of dev is out of fold.")
    where = say(" of {cells}", cells=listed("cell", chosen)) if len(chosen) < len(study.cells) else ""
    return say(
        "What is told of dev{where} is not out of fold, and a little too good: each fold's rows chose the epoch that "
        "they judge (with `selection = {last}` none is chosen).",
        where=where,
        last='"last"',
    )


ROUNDING = 1e-9


def apart_text(study: StudyRows) -> str:
    """Say where all rows together give less than any fold alone: its runs score rows on scales of their own.

    Source: Forman & Scholz 2010, Apples-to-Apples in Cross-Validation Studies, SIGKDD Explorations 12 (1), 49-57.
    """
    apart = [cell.index for cell in study.cells if any(_is_apart(study, cell, run) for run in cell.pooled or ())]
    if not apart:
        return ""
    return say(
        "All rows together give a worse {metric} than every single fold does in {cells}: the runs of different folds "
        "do not score rows on one scale, and this metric compares rows of all folds. `fold mean` does not see it; the "
        "mean of such runs suffers from it.",
        metric=escape(study.metric),
        cells=listed("cell", apart),
    )


def _is_apart(study: StudyRows, cell: CellRow, run: Pooled) -> bool:
    folds = [one.dev for one in cell.finished if one.trial in run.trials and one.dev is not None]
    sign = 1 if study.lower_is_better else -1
    return sign * run.dev > max(sign * dev for dev in folds) + ROUNDING


def _is_chosen_by_dev(recipe: Mapping[str, Any]) -> bool:
    """Whether dev decides after which epoch a run is judged."""
    if recipe.get("epochs") == 1:
        return False
    return recipe.get("selection") == "best" or recipe.get("patience", "none") != "none"


def numbers_of_folds(cell: CellRow) -> dict[str, Any]:
    """Return the spread over single folds, and each seed's run over all of them; nothing where there are no folds."""
    if cell.pooled is None:
        return {}
    return {"folds": asdict(cell.folds), "pooled": [asdict(run) for run in cell.pooled]}
