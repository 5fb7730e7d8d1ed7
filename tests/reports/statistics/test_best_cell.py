"""The best cell, and the cells it cannot be told from."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_t

from reports.statistics.analyse import analysed
from reports.statistics.best_cell import CellMean, Winner, best_critical_value, shrink, winner
from reports.statistics.results import Array
from reports.study.measured import Measured, winner_by_effects
from tests.reports.seed64 import POOLER, read_seed64


def cells(means: list[float], n: int = 1) -> list[CellMean]:
    return [CellMean(index, mean, n) for index, mean in enumerate(means, 1)]


def independent(n_cells: int, sd: float) -> Array:
    return np.asarray(sd**2 * np.eye(n_cells))


class TestSeed64:
    def winner(self, shared_data: Path) -> Winner:
        factors, runs = read_seed64(shared_data)
        acting: dict[tuple[str, ...], list[int]] = {}
        for place, run in enumerate(runs, start=1):
            acting.setdefault(tuple(v for name, v in run.levels.items() if name not in POOLER), []).append(place)
        rows = tuple(
            (places[0], runs[places[0] - 1].levels, tuple(runs[place - 1].value or 0.0 for place in places))
            for places in acting.values()
        )
        analysis, fitted = analysed(factors, runs, POOLER)
        about = Measured(tuple(factors), tuple(runs), POOLER, rows, 0)
        found = winner_by_effects(about, analysis, fitted, lower_is_better=False)
        assert found is not None
        return found

    def test_rows_that_differ_in_nothing_are_one(self, shared_data: Path) -> None:
        """By replicates alone, as 32 recipes of two runs each, 11 cannot be told from the best."""
        found = self.winner(shared_data)
        assert found.best == 50
        assert 9 <= len(found.candidates) <= 14
        assert not {37, 53, 55} & set(found.candidates)

    def test_expect_less_of_the_best(self, shared_data: Path) -> None:
        found = self.winner(shared_data)
        assert found.expected is not None
        assert found.expected < (found.shrunken or 0) < found.mean


class TestWinner:
    def test_no_cell(self) -> None:
        assert winner([], independent(0, 1.0), 5) is None

    def test_one_cell(self) -> None:
        found = winner(cells([0.5]), independent(1, 1.0), 5)
        assert found is not None
        assert (found.best, found.candidates, found.shrunken) == (1, (1,), None)

    def test_ties_go_to_the_earlier(self) -> None:
        found = winner(cells([0.5, 0.7, 0.7]), independent(3, 1e-9), 5)
        assert found is not None
        assert (found.best, found.candidates) == (2, (2, 3))

    def test_what_a_fit_rounds_differently_is_a_tie(self) -> None:
        found = winner(cells([0.5, 0.7, 0.7 + 2e-16, 0.1 + 0.6]), independent(4, 1e-9), 5)
        assert found is not None
        assert (found.best, found.close) == (2, (2, 3, 4))

    def test_losses(self) -> None:
        found = winner(cells([0.5, 0.4, 0.9, 0.45]), independent(4, 0.05), 50, lower_is_better=True)
        assert found is not None
        assert (found.best, found.candidates) == (2, (2, 4, 1))

    def test_unequal_numbers_of_runs(self) -> None:
        many = [CellMean(1, 10.0, 20), CellMean(2, 9.0, 20), CellMean(3, 9.0, 1)]
        found = winner(many, np.diag([1 / 20, 1 / 20, 1.0]), 40)
        assert found is not None
        assert found.candidates == (1, 3)

    def test_runs_of_one_seed_are_compared_as_pairs(self) -> None:
        """A seed that moves all cells alike hides nothing."""
        shared = 0.01**2 * np.eye(3) + 1.0
        found = winner(cells([0.5, 0.6, 0.7]), shared, 40)
        assert found is not None
        assert found.candidates == (3,)

    def test_each_cell_is_judged_by_noise_of_its_own(self) -> None:
        found = winner(cells([0.7, 0.6, 0.5]), np.diag([0.01, 0.01, 1.0]) ** 2, 40)
        assert found is not None
        assert found.candidates == (1, 3)
        assert found.close == (1, 3)

    @pytest.mark.parametrize(("n_cells", "df"), [(2, 5), (4, 10), (8, 30)])
    def test_critical_value(self, n_cells: int, df: int) -> None:
        """Never less than what others that share the cell compared with need (Hsu 1984)."""
        others = n_cells - 1
        together = multivariate_t(shape=0.5 * (np.eye(others) + 1), df=df, seed=0)
        assert together.cdf([best_critical_value(n_cells, df)] * others) >= 0.949

    def test_the_truly_best_is_among_the_candidates(self) -> None:
        noise = np.random.default_rng(0)
        missed = 0
        for _ in range(1000):
            sd = np.sqrt(noise.chisquare(20) / 20)
            found = winner(cells(noise.standard_normal(16).tolist()), independent(16, float(sd)), 20)
            # All are equally good; the first stands for the one that is best by a hair.
            missed += found is not None and 1 not in found.candidates
        assert 15 <= missed <= 60

    def test_shrunken_is_closer_than_the_maximum(self) -> None:
        noise = np.random.default_rng(0)
        plain, shrunken = [], []
        for _ in range(500):
            truth = noise.standard_normal(64)
            seen = truth + noise.standard_normal(64)
            found = winner(cells(seen.tolist()), independent(64, 1.0), 42)
            assert found is not None
            plain.append(found.mean - truth[found.best - 1])
            shrunken.append((found.shrunken or 0.0) - truth[found.best - 1])
        assert np.mean(plain) > 1.0
        assert abs(np.mean(shrunken)) < 0.15

    def test_noise_alone_is_shrunk_to_the_mean(self) -> None:
        means = np.array([1.0, 1.1, 0.9, 1.05, 0.95, 1.0])
        shrunken, kept = shrink(means, np.full(6, 25.0), np.full(6, 1.0), 1, 30)
        assert shrunken is not None
        assert kept is not None
        assert shrunken.tolist() == [1.0] * 6
        assert kept.tolist() == [0.0] * 6
