"""The best cell, and the cells it cannot be told from."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_t

from reports.statistics.analyse import analyse_effects
from reports.statistics.best_cell import CellMean, best_critical_value, expected_means, shrink, winner
from tests.reports.seed64 import POOLER, read_seed64


def cells(means: list[float], n: int = 1) -> list[CellMean]:
    return [CellMean(index, mean, n) for index, mean in enumerate(means, 1)]


class TestSeed64:
    def test_best_rows_do_not_differ(self, shared_data: Path) -> None:
        factors, runs = read_seed64(shared_data)
        analysis = analyse_effects(factors, runs, POOLER)
        rows = cells([run.value or 0.0 for run in runs])
        assert analysis.sd is not None
        found = winner(rows, analysis.sd, 32)
        assert found is not None
        assert (found.best, found.mean) == (50, 0.9405)
        assert min(rows, key=lambda row: row.mean).index == 55
        assert found.candidates[:4] == (50, 35, 58, 17)
        assert {2, 18} < set(found.candidates)
        assert not {55, 56, 64} & set(found.candidates)

    def test_expect_less_of_the_best(self, shared_data: Path) -> None:
        factors, runs = read_seed64(shared_data)
        analysis = analyse_effects(factors, runs, POOLER)
        rows = cells([run.value or 0.0 for run in runs])
        expected, n_coefficients = expected_means(
            factors,
            [run.levels for run in runs],
            [row.mean for row in rows],
            [1] * 64,
            [effect.factors for effect in analysis.found],
        )
        assert analysis.sd is not None
        found = winner(rows, analysis.sd, 32, expected=expected.tolist(), n_coefficients=n_coefficients)
        assert found is not None
        # The mean of the four rows that share what can matter to row 50 is .9388 or .9390.
        assert found.expected == pytest.approx(0.9390, abs=4e-4)
        assert found.expected < (found.shrunken or 0) < 0.9405


class TestWinner:
    def test_no_cell(self) -> None:
        assert winner([], 1.0, 5) is None

    def test_one_cell(self) -> None:
        found = winner(cells([0.5]), 1.0, 5)
        assert found is not None
        assert (found.best, found.candidates, found.shrunken) == (1, (1,), None)

    def test_ties_go_to_the_earlier(self) -> None:
        found = winner(cells([0.5, 0.7, 0.7]), 1e-9, 5)
        assert found is not None
        assert (found.best, found.candidates) == (2, (2, 3))

    def test_losses(self) -> None:
        found = winner(cells([0.5, 0.4, 0.9, 0.45]), 0.05, 50, lower_is_better=True)
        assert found is not None
        assert (found.best, found.candidates) == (2, (2, 4, 1))

    def test_unequal_numbers_of_runs(self) -> None:
        many = [CellMean(1, 10.0, 20), CellMean(2, 9.0, 20), CellMean(3, 9.0, 1)]
        found = winner(many, 1.0, 40)
        assert found is not None
        assert (found.candidates, found.margin) == ((1, 3), None)

    @pytest.mark.parametrize(("n_cells", "df"), [(2, 5), (4, 10), (8, 30)])
    def test_critical_value(self, n_cells: int, df: int) -> None:
        others = n_cells - 1
        together = multivariate_t(shape=0.5 * (np.eye(others) + 1), df=df, seed=0)
        assert together.cdf([best_critical_value(n_cells, df)] * others) == pytest.approx(0.95, abs=1e-3)

    def test_the_truly_best_is_among_the_candidates(self) -> None:
        noise = np.random.default_rng(0)
        missed = 0
        for _ in range(1000):
            sd = np.sqrt(noise.chisquare(20) / 20)
            found = winner(cells(noise.standard_normal(16).tolist()), float(sd), 20)
            # All are equally good; the first stands for the one that is best by a hair.
            missed += found is not None and 1 not in found.candidates
        assert missed == pytest.approx(50, abs=21)

    def test_shrunken_is_closer_than_the_maximum(self) -> None:
        noise = np.random.default_rng(0)
        plain, shrunken = [], []
        for _ in range(500):
            truth = noise.standard_normal(64)
            seen = truth + noise.standard_normal(64)
            found = winner(cells(seen.tolist()), 1.0, 42)
            assert found is not None
            plain.append(found.mean - truth[found.best - 1])
            shrunken.append((found.shrunken or 0.0) - truth[found.best - 1])
        assert np.mean(plain) > 1.0
        assert abs(np.mean(shrunken)) < 0.15

    def test_noise_alone_is_shrunk_to_the_mean(self) -> None:
        means = np.array([1.0, 1.1, 0.9, 1.05, 0.95, 1.0])
        shrunken, kept = shrink(means, np.ones(6, dtype=int), np.full(6, 1.0), 1, 5.0, 30)
        assert shrunken is not None
        assert kept is not None
        assert shrunken.tolist() == [1.0] * 6
        assert kept.tolist() == [0.0] * 6
