"""A regression for rows that no design laid out: drawn at random, proposed by an optimiser, or picked by hand.

It describes which levels went together with which results. The standard errors bear unequal variances (HC3; MacKinnon &
White 1985, Journal of Econometrics 29, 305-325) unless single rows decide a coefficient, where they are the usual ones;
the intervals are Bonferroni's for all coefficients together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.statistics.results import ALPHA, Array, Reason

LEAST_DF = 3
"""With fewer degrees of freedom left the intervals would be as wide as the page."""
MOST_LEVERAGE = 0.9
"""A row that alone decides a coefficient (the only one with its level) has no residual to be robust by."""
DECADE = 10.0
"""A positive number that varies by more than this factor is regressed on its logarithm."""


@dataclass(frozen=True)
class Predictor:
    """What one factor was in each row: its ``labels``, and its ``numbers`` where a straight line shall be drawn."""

    name: str
    labels: tuple[str, ...]
    baseline: str
    numbers: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Coefficient:
    """How much better or worse the result was on average at ``level`` than at ``reference``, the others held fixed.

    Of a number these are the ends of what was tried, and the line between them is straight (``log``: in the logarithm).
    ``found``: the simultaneous interval excludes 0.
    """

    factor: str
    level: str
    reference: str
    log: bool
    n: int
    estimate: float
    standard_error: float
    interval: tuple[float, float]
    found: bool


@dataclass(frozen=True)
class Regression:
    """All coefficients; ``why_not`` tells why nothing could be estimated.

    ``sd`` is of a row around the regression; ``robust`` tells how the standard errors were made.
    ``confounded`` factors move together with those before them, ``constant`` ones do not move; they are left out.
    """

    n: int
    why_not: Reason = Reason.NONE
    df: int = 0
    r_squared: float = math.nan
    sd: float = math.nan
    robust: bool = True
    coefficients: tuple[Coefficient, ...] = ()
    confounded: tuple[str, ...] = ()
    constant: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Column:
    factor: str
    level: str
    reference: str
    log: bool
    values: Array
    n: int


def regress(predictors: Sequence[Predictor], values: Sequence[float | None]) -> Regression:
    """Regress the finite values on the main effects of all factors that can be told apart."""
    from scipy import stats
    from statsmodels.api import OLS

    kept = [row for row, value in enumerate(values) if value is not None and math.isfinite(value)]
    y = np.array([values[row] for row in kept], dtype=float)
    if len(kept) < 2:
        return Regression(len(kept), Reason.ONE_RESULT if kept else Reason.NO_RESULT)
    columns: list[_Column] = []
    confounded, constant = [], []
    for predictor in predictors:
        mine = _columns(predictor, kept)
        if not mine:
            constant.append(predictor.name)
        elif np.linalg.matrix_rank(_matrix([*columns, *mine], len(kept))) < 1 + len(columns) + len(mine):
            confounded.append(predictor.name)
        else:
            columns += mine
    about = Regression(len(kept), confounded=tuple(confounded), constant=tuple(constant))
    df = len(kept) - 1 - len(columns)
    if not columns:
        return _without(about, Reason.NO_FACTOR)
    if df < LEAST_DF:
        return _without(about, Reason.NO_ROOM)
    if np.ptp(y) == 0:
        return _without(about, Reason.ALL_SAME)
    fitted = OLS(y, _matrix(columns, len(kept))).fit()
    robust = float(fitted.get_influence().hat_matrix_diag.max()) < MOST_LEVERAGE
    if robust:
        fitted = fitted.get_robustcov_results("HC3", use_t=True)
    critical = float(stats.t.ppf(1 - ALPHA / (2 * len(columns)), df))
    coefficients = []
    for column, estimate, error in zip(columns, fitted.params[1:], fitted.bse[1:], strict=True):
        low, high = estimate - critical * error, estimate + critical * error
        coefficients.append(
            Coefficient(
                column.factor,
                column.level,
                column.reference,
                column.log,
                column.n,
                float(estimate),
                float(error),
                (float(low), float(high)),
                bool(low > 0 or high < 0),
            )
        )
    return Regression(
        len(kept),
        df=df,
        r_squared=float(fitted.rsquared),
        sd=math.sqrt(float(fitted.ssr) / df),
        robust=robust,
        coefficients=tuple(coefficients),
        confounded=about.confounded,
        constant=about.constant,
    )


def _without(about: Regression, why_not: Reason) -> Regression:
    return Regression(about.n, why_not, confounded=about.confounded, constant=about.constant)


def _matrix(columns: Sequence[_Column], n_rows: int) -> Array:
    return np.column_stack([np.ones(n_rows), *(column.values for column in columns)])


def _columns(predictor: Predictor, kept: Sequence[int]) -> list[_Column]:
    labels = [predictor.labels[row] for row in kept]
    present = list(dict.fromkeys(labels))
    if len(present) < 2:
        return []
    if predictor.numbers is not None:
        return [_line(predictor, np.array([predictor.numbers[row] for row in kept]), labels)]
    reference = predictor.baseline if predictor.baseline in present else present[0]
    return [
        _Column(
            predictor.name,
            label,
            reference,
            False,
            np.array([one == label for one in labels], dtype=float),
            labels.count(label),
        )
        for label in present
        if label != reference
    ]


def _line(predictor: Predictor, numbers: Array, labels: Sequence[str]) -> _Column:
    """Scale a number to 0 at its smallest and 1 at its largest value: the coefficient is over all that was tried."""
    low, high = int(numbers.argmin()), int(numbers.argmax())
    log = bool(numbers[low] > 0 and numbers[high] / numbers[low] > DECADE)
    scaled = np.log(numbers) if log else numbers
    scaled = (scaled - scaled[low]) / (scaled[high] - scaled[low])
    return _Column(predictor.name, labels[high], labels[low], log, scaled, len(labels))
