"""What a page says of effects, as a table: one row a contrast."""

from typing import Any

import pandas as pd

from reports.frames.trials import NUMBER, TEXT, YES_OR_NO
from reports.sections.context import PageContext
from reports.statistics.results import Comparison, Effect, term_name
from reports.study.view import StudyRows

COLUMNS = {
    **dict.fromkeys(("term", "level", "reference"), TEXT),
    **dict.fromkeys(("estimate", "standard_error", "low", "high", "p", "adjusted_p"), NUMBER),
    "found": YES_OR_NO,
}


def effects_frame(study: StudyRows) -> pd.DataFrame:
    """Return the tested effects, one row a contrast: those of a factor of several levels against its reference.

    ``term`` is a factor, called as on the page, or an interaction (``a x b``), ``level`` what it is set to,
    ``reference`` what that is held against; ``estimate`` is in units of the metric. The interval from ``low`` to
    ``high`` is simultaneous over all effects, ``p`` is of this contrast alone (missing where only the adjusted one is
    known), ``adjusted_p`` for all of them, and ``found`` says whether the page names it. No row where nothing could be
    tested; the page tells why.

    All are of the runs that learned, outside of ruinous combinations. The estimate of a factor is its average over the
    levels of all others, each counting the same. Where an interaction is found, that may differ in size and in sign
    from what the factor does at one level of another: the page's first screen says what it does with the others at
    their baseline. For two factors of two levels, the estimate of ``a x b`` is half of what the effect of ``a``
    changes by between the levels of ``b``: the effect of ``a`` at the baseline of ``b`` is its average less that.
    """
    return pd.DataFrame(_rows(study), columns=list(COLUMNS)).astype(COLUMNS)


def _rows(study: StudyRows) -> list[dict[str, Any]]:
    context = PageContext(study)
    if study.is_curve or context.is_observational:
        return []
    analysis = context.analysis
    baselines = {factor.name: factor.baseline for factor in study.factors}
    columns = {factor.name: factor.column for factor in study.factors}
    rows: list[dict[str, Any]] = []
    for effect in analysis.effects:
        several = [one for one in analysis.comparisons if (one.factor,) == effect.factors]
        if effect.df > 1 and several:
            rows += [_of_level(one, columns[one.factor]) for one in several]
        else:
            term = term_name(columns[name] for name in effect.factors)
            rows.append(_of_effect(effect, term, term_name(baselines[name] for name in effect.factors)))
    return rows


def _of_level(one: Comparison, term: str) -> dict[str, Any]:
    low, high = one.interval
    return {
        "term": term,
        "level": one.level,
        "reference": one.reference,
        "estimate": one.estimate,
        "standard_error": one.standard_error,
        "low": low,
        "high": high,
        "p": None,
        "adjusted_p": one.adjusted_p,
        "found": one.found,
    }


def _of_effect(effect: Effect, term: str, reference: str) -> dict[str, Any]:
    low, high = effect.interval or (None, None)
    return {
        "term": term,
        "level": " x ".join(effect.levels) if effect.levels else None,
        "reference": reference if effect.levels else None,
        "estimate": effect.estimate,
        "standard_error": effect.standard_error,
        "low": low,
        "high": high,
        "p": effect.p,
        "adjusted_p": effect.adjusted_p,
        "found": effect.found,
    }
