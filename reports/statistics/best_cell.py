"""The best cell: those that may be it, and what to expect of the one that came out best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from scipy.special import stdtrit

from reports.statistics.models import level_codes, term_columns
from reports.statistics.results import ALPHA, Array, Factor
from reports.statistics.ties import EXACT, behind


@dataclass(frozen=True)
class CellMean:
    """The mean of a cell over ``n`` runs, adjusted for the seeds that it ran with."""

    index: int
    mean: float
    n: int


@dataclass(frozen=True)
class Winner:
    """The best cell among several, and those that it cannot be told from.

    ``leader`` came out best. ``best`` is the same, unless its runs that learned are beaten by more than chance explains
    where those of the same seeds are compared: then it is the best by these. ``candidates`` are indexes, the best
    first: with 95 % chance the cell that is truly best is among them. ``close`` are those of them no further from the
    best than one standard error of that difference. ``shrunken`` is what to expect of the best cell in new runs, None
    when there are too few cells; ``kept`` the share of its lead over ``expected`` that is kept.
    """

    leader: int
    best: int
    mean: float
    candidates: tuple[int, ...]
    close: tuple[int, ...]
    shrunken: float | None
    expected: float | None
    kept: float | None


def winner(
    cells: Sequence[CellMean],
    covariance: Array,
    df: float,
    *,
    lower_is_better: bool = False,
    expected: Sequence[float] | None = None,
    n_coefficients: int = 1,
    ranking: Sequence[int] = (),
) -> Winner | None:
    """Find the best cell and those that are not distinguishable from it; None without cells.

    ``covariance`` is that of the cells' means, so that runs of one seed are compared as pairs, and each cell by noise
    of its own. A cell is no candidate if another one is better by more than chance explains: one-sided t tests against
    all others, 5 % for all of them together (Sidak 1967, JASA 62, 626-633). The set of candidates is that of Gupta
    1965, Technometrics 7, 225-245. ``expected`` are values that a model with ``n_coefficients`` estimated
    coefficients predicts for the cells; by default their common mean. ``ranking`` has the indexes as the study ranks
    them, the best first: the first of these cells came out best. Without, these means decide, and ties go to the
    earlier cell.
    """
    if not cells:
        return None
    means = np.array([cell.mean for cell in cells])
    scores = -means if lower_is_better else means
    steps = np.array(behind(scores.tolist()))
    rows = {cell.index: row for row, cell in enumerate(cells)}
    leader = next((rows[index] for index in ranking if index in rows), int(steps.argmin()))
    variances = np.diag(covariance)
    errors = np.sqrt(np.maximum(variances[:, None] + variances[None, :] - 2 * covariance, 0.0))
    leads = scores[:, None] - scores[None, :]
    beaten = leads > best_critical_value(len(cells), df) * errors + EXACT * float(np.ptp(scores))
    best = int(steps.argmin()) if beaten[:, leader].any() else leader
    order = [best, *(int(row) for row in np.argsort(steps, kind="stable") if row != best)]
    candidates = [row for row in order if not beaten[:, row].any() or row == best]
    close = [row for row in candidates if leads[best, row] <= errors[best, row]]
    centres = np.asarray(expected) if expected is not None else np.full(len(cells), _mean(cells))
    shrunken, kept = shrink(means, variances, centres, n_coefficients, df)
    return Winner(
        cells[leader].index,
        cells[best].index,
        cells[best].mean,
        tuple(cells[row].index for row in candidates),
        tuple(cells[row].index for row in close),
        None if shrunken is None else float(shrunken[best]),
        None if shrunken is None else float(centres[best]),
        None if kept is None else float(kept[best]),
    )


def _mean(cells: Sequence[CellMean]) -> float:
    return float(np.average([cell.mean for cell in cells], weights=[cell.n for cell in cells]))


def best_critical_value(n_cells: int, df: float, alpha: float = ALPHA) -> float:
    """Return how many standard errors another cell has to lead by, when it is one of n - 1 that might.

    >>> round(best_critical_value(2, 10), 3), round(best_critical_value(4, 10), 2)
    (1.812, 2.46)
    """
    if n_cells < 2:
        return 0.0
    return float(stdtrit(df, (1 - alpha) ** (1 / (n_cells - 1))))


def shrink(
    means: Array, variances: Array, expected: Array, n_coefficients: int, df: float
) -> tuple[Array | None, Array | None]:
    """Pull cell means towards expected values, and tell the share of the distance that is kept.

    Empirical Bayes: the distances r have variance v + tau^2, with v that of a mean (times df / (df + 2), as it is
    itself estimated), tau^2 = sum r^2 / (cells - coefficients - 2) - v, at least 0; tau^2 / (tau^2 + v) is kept.
    For equal v this is the positive-part rule of Efron & Morris 1975, JASA 70, 311-319. None for too few cells.
    """
    n_free = len(means) - n_coefficients - 2
    if n_free < 1:
        return None, None
    shares = variances * df / (df + 2)
    distances = means - expected
    between = max(0.0, float(distances @ distances) / n_free - float(shares.mean()))
    kept = between / (between + shares)
    return np.asarray(expected + kept * distances), np.asarray(kept)


def expected_means(
    factors: Sequence[Factor],
    levels: Sequence[Mapping[str, str]],
    means: Sequence[float],
    runs: Sequence[int],
    found: Sequence[Sequence[str]],
) -> tuple[Array, int]:
    """Predict cell means from the effects that were found, with all that they contain, by weighted least squares.

    Returns the predictions and the number of coefficients. As centres to shrink to, they are closer to the truth than
    the common mean wherever any effect is real.
    """
    positions = {factor.name: number for number, factor in enumerate(factors)}
    codes = {
        number: level_codes(len(factor.labels))[[factor.labels.index(row[factor.name]) for row in levels]]
        for number, factor in enumerate(factors)
    }
    terms = {
        part
        for names in found
        for term in [tuple(sorted(positions[name] for name in names))]
        for part in chain.from_iterable(combinations(term, size) for size in range(1, len(term) + 1))
    }
    matrix = np.column_stack([np.ones(len(levels)), *(term_columns(codes, term) for term in sorted(terms))])
    weights = np.sqrt(np.asarray(runs, dtype=float))
    solved = np.linalg.lstsq(matrix * weights[:, None], np.asarray(means) * weights, rcond=None)
    return np.asarray(matrix @ solved[0]), int(solved[2])
