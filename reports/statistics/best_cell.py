"""The best cell: those that may be it, and what to expect of the one that came out best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from reports.statistics.maximum import scale_nodes
from reports.statistics.models import level_codes, term_columns
from reports.statistics.results import ALPHA, Array, Factor

N_NODES = 80
FARTHEST = 8.5
LARGEST = 1e6


@dataclass(frozen=True)
class CellMean:
    """The mean of a cell over ``n`` runs."""

    index: int
    mean: float
    n: int


@dataclass(frozen=True)
class Winner:
    """The best cell among several, and those that it cannot be told from.

    ``candidates`` are indexes, the best first: with 95 % chance the cell that is truly best is among them. ``margin``
    is how far behind a cell may be (None when cells have unequal numbers of runs). ``shrunken`` is what to expect of
    the best cell in new runs, None when there are too few cells; ``kept`` the share of its lead over ``expected`` that
    is kept.
    """

    best: int
    mean: float
    candidates: tuple[int, ...]
    critical_value: float
    margin: float | None
    shrunken: float | None
    expected: float | None
    kept: float | None


def winner(
    cells: Sequence[CellMean],
    sd: float,
    df: float,
    *,
    lower_is_better: bool = False,
    expected: Sequence[float] | None = None,
    n_coefficients: int = 1,
) -> Winner | None:
    """Find the best cell and those that are not distinguishable from it; None without cells.

    ``sd`` of a single run and its ``df`` are the error of the analysis of effects. ``expected`` are values that a model
    with ``n_coefficients`` estimated coefficients predicts for the cells; by default their common mean. Ties go to the
    earlier cell.
    """
    if not cells:
        return None
    means = np.array([cell.mean for cell in cells])
    runs = np.array([cell.n for cell in cells])
    scores = -means if lower_is_better else means
    best = int(scores.argmax())
    critical = best_critical_value(len(cells), df)
    reach = critical * sd * np.sqrt(1 / runs[:, None] + 1 / runs[None, :])
    near = (scores[:, None] - scores[None, :] > -reach) | np.eye(len(cells), dtype=bool)
    candidates = [row for row in np.argsort(-scores, kind="stable") if near[row].all()]
    centres = np.asarray(expected) if expected is not None else np.full(len(cells), np.average(means, weights=runs))
    shrunken, kept = shrink(means, runs, centres, n_coefficients, sd, df)
    return Winner(
        cells[best].index,
        cells[best].mean,
        tuple(cells[row].index for row in candidates),
        critical,
        float(reach[0, 0]) if np.ptp(runs) == 0 else None,
        None if shrunken is None else float(shrunken[best]),
        None if shrunken is None else float(centres[best]),
        None if kept is None else float(kept[best]),
    )


@lru_cache(maxsize=256)
def best_critical_value(n_cells: int, df: float, alpha: float = ALPHA) -> float:
    """Return d of Hsu's comparisons with the best: one-sided, against n - 1 others that share the cell compared.

    With t_j = (Z_j - Z_0) / (sqrt(2) s), P(all t_j <= d) = E_s [ integral of phi(z) Phi(z + sqrt(2) d s)^(n - 1) dz ].
    Exact for equal numbers of runs, an approximation otherwise. Source: Hsu 1984, Annals of Statistics 12, 1136-1144;
    the set of candidates is that of Gupta 1965, Technometrics 7, 225-245.

    >>> round(best_critical_value(2, 10), 3), round(best_critical_value(4, 10), 2)
    (1.812, 2.34)
    """
    if n_cells < 2:
        return 0.0
    scales, scale_weights = scale_nodes(df)
    points, weights = np.polynomial.legendre.leggauss(N_NODES)
    points = FARTHEST * points
    weights = weights * np.exp(-(points**2) / 2)
    weights = weights / weights.sum()

    def excess(value: float) -> float:
        below = ndtr(points + np.sqrt(2) * value * scales[:, None]) ** (n_cells - 1)
        return float(scale_weights @ below @ weights) - (1 - alpha)

    return float(brentq(excess, 0.0, LARGEST, xtol=1e-9, rtol=1e-12))


def shrink(
    means: Array, runs: np.ndarray, expected: Array, n_coefficients: int, sd: float, df: float
) -> tuple[Array | None, Array | None]:
    """Pull cell means towards expected values, and tell the share of the distance that is kept.

    Empirical Bayes: the distances r have variance v + tau^2, with v = sd^2 / n (times df / (df + 2), as sd is itself
    estimated), tau^2 = sum r^2 / (cells - coefficients - 2) - v, at least 0; the share kept is tau^2 / (tau^2 + v).
    For equal n this is the positive-part rule of Efron & Morris 1975, JASA 70, 311-319. None for too few cells.
    """
    n_free = len(means) - n_coefficients - 2
    if n_free < 1:
        return None, None
    variances = sd**2 / runs * df / (df + 2)
    distances = means - expected
    between = max(0.0, float(distances @ distances) / n_free - float(variances.mean()))
    kept = between / (between + variances)
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
