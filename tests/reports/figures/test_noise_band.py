"""The half-normal plot's line and band: noise looks like noise, whatever stands beside it."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.figures.drawn_from.effects import effect_points
from reports.figures.figure import EffectPoint, EffectPoints, Scale
from reports.figures.noise_band import noise_band, noise_size, placed
from reports.statistics.analyse import analyse_effects
from tests.reports.simulated import simulated

N_PAGES = 50


def nothing(levels: Mapping[str, str]) -> float:
    return 0.0


def two(levels: Mapping[str, str]) -> float:
    return 6 * (levels["factor 1"] == "1") - 4 * (levels["factor 2"] == "1")


@pytest.mark.slow  # thousands of simulated studies
@pytest.mark.parametrize(
    ("counts", "n_seeds", "effect", "scale"),
    [
        ((2, 2, 2, 2), 1, nothing, Scale.T),
        ((3, 2, 2), 2, nothing, Scale.SCORE),
        ((2, 2, 2, 2), 1, two, Scale.T),
        ((2, 2, 2, 2, 2), 1, nothing, Scale.T),
        ((2, 2, 2), 2, nothing, Scale.T),
        ((2, 2, 2, 2, 2), 1, two, Scale.T),
    ],
)
def test_noise_lies_in_its_band(
    counts: Sequence[int], n_seeds: int, effect: Callable[[Mapping[str, str]], float], scale: Scale
) -> None:
    """At least 90 of 100 points of 50 pages, beside real effects too."""
    within = []
    for seed in range(N_PAGES):
        points = effect_points(analyse_effects(*simulated(counts, n_seeds, effect, seed=seed)))
        assert points is not None
        assert points.scale is scale
        within += [place.is_within for place in placed(points) if effect is nothing or not place.point.found]
    assert len(within) > 6 * N_PAGES
    assert np.mean(within) >= 0.9


@pytest.mark.parametrize("df", [2.0, 5.0, 40.0, math.inf])
@pytest.mark.parametrize("shares_error", [True, False])
@pytest.mark.parametrize("scale", [Scale.T, Scale.SCORE])
def test_the_band_holds_19_of_20(df: float, shares_error: bool, scale: Scale) -> None:
    """One error for all terms or one for each, on few or many degrees of freedom: as often as is said."""
    from scipy.stats import norm, t

    noise = np.random.default_rng(7)
    shape = (1000, 1 if shares_error else 12)
    errors = np.ones(shape) if math.isinf(df) else np.sqrt(noise.chisquare(df, shape) / df)
    ratios = np.abs(noise.standard_normal((1000, 12)) / errors)
    if scale is Scale.SCORE and not math.isinf(df):
        ratios = norm.isf(t.sf(ratios, df))
    low, high = noise_band(EffectPoints((), scale, 1.0, None, df, shares_error), range(1, 13), [12] * 12)
    ordered = np.sort(ratios, axis=1)
    assert np.mean((low <= ordered) & (ordered <= high)) == pytest.approx(0.95, abs=0.015)


@pytest.mark.slow  # hundreds of simulated studies
@given(st.lists(st.floats(0, 5), min_size=1, max_size=30), st.integers(0, 30))
def test_points_that_are_not_found_are_ranked_among_themselves(values: list[float], n_found: int) -> None:
    """Whatever was found beside them; points, quantiles and the band's edges rise."""
    found = [EffectPoint("found", 6.0 + number, True) for number in range(n_found)]
    rest = [EffectPoint("rest", value, False) for value in values]
    places = placed(EffectPoints((*found, *rest), Scale.T, 1.0, 5.5, 20.0))
    alone = placed(EffectPoints(tuple(rest), Scale.T, 1.0, 5.5, 20.0))
    for place, other in zip(places, alone, strict=False):
        assert place.point == other.point
        assert (place.quantile, place.low, place.high) == pytest.approx((other.quantile, other.low, other.high))
    shares = [(rank + 0.5) / len(rest) for rank in range(len(rest))]
    assert [place.quantile for place in alone] == pytest.approx(
        [NormalDist().inv_cdf(0.5 + share / 2) for share in shares]
    )
    for numbers in zip(*((p.quantile, p.low, p.high) for p in places), strict=True):
        assert all(one < other for one, other in pairwise(numbers))
    assert all(place.low < place.high for place in places)


def test_the_line_is_where_noise_of_its_error_lies() -> None:
    points = (EffectPoint("a", 1.0, False),)
    assert noise_size(EffectPoints(points, Scale.T, 0.5, None, 3.0), 2.0) == 1.0
    own = EffectPoints(points, Scale.T, 1.0, None, 3.0, shares_error=False)
    assert noise_size(own, 0.6745) == pytest.approx(0.7649, abs=1e-4)  # the quartiles of t on 3 degrees of freedom
