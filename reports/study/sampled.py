"""Rows that no design laid out: told from designs, and regressed on their levels."""

import math
from collections import Counter
from collections.abc import Mapping

from gridsearch.study.manifest import FactorEntry
from reports.statistics.observational import Predictor, Regression, regress
from reports.study.view import StudyRows

PLANNED = frozenset({"full", "fraction", "one-at-a-time", "list"})
"""Designs whose rows were laid out before any result."""
FEWEST_NUMBERS = 5
"""A number with at least so many values is taken for a straight line; with fewer, each value is a level."""


def is_observational(study: StudyRows) -> bool:
    """Tell whether the rows are a sample and no design.

    A published table that lacks more than half of its combinations, and whose factors are not balanced against each
    other, was picked row by row.
    """
    if not study.is_imported:
        return study.about.design.kind not in PLANNED
    rows = [tuple(row.levels.values()) for row in study.observations]
    n_combinations = math.prod(len(factor.levels) for factor in study.factors)
    return len(study.factors) > 1 and len(set(rows)) * 2 < n_combinations and not _is_balanced(study)


def _is_balanced(study: StudyRows) -> bool:
    """Whether any two factors have each pair of their levels equally often, as a fraction has.

    Rows that were run again count once.
    """
    names = [factor.name for factor in study.factors]
    distinct = {tuple(row.levels[name] for name in names): row.levels for row in study.observations}.values()
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            counts = Counter((levels[first], levels[second]) for levels in distinct)
            n_pairs = len({one for one, _ in counts}) * len({other for _, other in counts})
            if len(counts) < n_pairs or len(set(counts.values())) > 1:
                return False
    return True


def study_regression(study: StudyRows) -> Regression:
    """Regress the result of every row on its levels; cells that share their trials are one row."""
    if study.is_imported:
        rows: list[tuple[Mapping[str, str], float | None]] = [(row.levels, row.value) for row in study.observations]
    else:
        distinct = {cell.trials: cell for cell in reversed(study.cells)}
        rows = [(cell.levels, cell.result.mean) for cell in reversed(distinct.values())]
    predictors = [_predictor(factor, tuple(levels[factor.name] for levels, _ in rows)) for factor in study.factors]
    return regress(predictors, [value for _, value in rows])


def _predictor(factor: FactorEntry, labels: tuple[str, ...]) -> Predictor:
    return Predictor(factor.name, labels, factor.baseline, _numbers(labels))


def _numbers(labels: tuple[str, ...]) -> tuple[float, ...] | None:
    """Read the labels as numbers; None where one is none, or they are few."""
    try:
        numbers = tuple(float(label) for label in labels)
    except ValueError:
        return None
    return numbers if len(set(numbers)) >= FEWEST_NUMBERS and all(map(math.isfinite, numbers)) else None
