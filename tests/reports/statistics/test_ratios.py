"""Ratios of pairs that are told from 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from reports.statistics.paired.ratios import p_of_ratios

RATIOS = st.lists(st.lists(st.floats(0.01, 100), max_size=6), max_size=5)


@given(RATIOS)
def test_chances_are_chances_and_turning_ratios_round_changes_none(families: list[list[float]]) -> None:
    found = p_of_ratios(families)
    assert [p is None for p in found] == [len(ratios) < 2 for ratios in families]
    assert all(0 <= p <= 1 for p in found if p is not None)
    turned = p_of_ratios([[1 / ratio for ratio in ratios] for ratios in families])
    for p, other in zip(found, turned, strict=True):
        assert p == pytest.approx(other, abs=1e-6)


def test_one_list_is_an_ordinary_t_test() -> None:
    ratios = [0.5, 0.7, 1.1, 0.6]
    assert p_of_ratios([ratios]) == [pytest.approx(ttest_1samp(np.log(ratios), 0).pvalue)]


def test_of_pages_of_noise_about_five_in_a_hundred_name_a_level() -> None:
    """Six factors of a 16-cell design, with times that are slow by accident now and then."""
    source = np.random.default_rng(0)
    n_named = 0
    for _ in range(400):
        times = source.lognormal(0, 0.1, (6, 8)) * np.where(source.random((6, 8)) < 0.1, 3.0, 1.0)
        others = source.lognormal(0, 0.1, (6, 8)) * np.where(source.random((6, 8)) < 0.1, 3.0, 1.0)
        n_named += any(p is not None and p < 0.05 for p in p_of_ratios((times / others).tolist()))
    assert n_named <= 0.08 * 400
