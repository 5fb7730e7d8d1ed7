"""How often the analysis of effects is wrong, and how often it finds what is there: simulated pages, seeded."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from reports.statistics.analyse import analyse_effects
from reports.statistics.planning import plan_tests
from tests.reports.simulated import chance_to_see, full_factorial, named, simulated, with_copies


def share_found(counts: Sequence[int], n_pages: int, wanted: str, **kwargs: object) -> tuple[float, float]:
    """Return on which share of pages a term is found, and on which anything else is."""
    right = wrong = 0
    for seed in range(n_pages):
        found = set(named(analyse_effects(*simulated(counts, seed=seed, **kwargs))))  # type: ignore[arg-type]
        right += wanted in found
        wrong += bool(found - {wanted})
    return right / n_pages, wrong / n_pages


def main_effect(size: float) -> Callable[[Mapping[str, str]], float]:
    return lambda cell: size * (cell["factor 2"] == "1")


def pure_interaction(size: float) -> Callable[[Mapping[str, str]], float]:
    # The product of signs has an effect (half the difference of differences) of twice its height.
    return lambda cell: size / 2 * (1 if cell["factor 1"] == cell["factor 3"] else -1)


SIX = (2,) * 6
STANDARD_ERROR = 0.25
"""Of an effect in 64 runs of sd 1."""


class TestCalibration:
    def test_pure_noise(self) -> None:
        _, wrong = share_found(SIX, 2000, "")
        assert 60 <= wrong * 2000 <= 115

    def test_power(self) -> None:
        right, wrong = share_found(SIX, 400, "factor 2", effect=main_effect(4.5 * STANDARD_ERROR))
        assert right >= 0.85
        assert wrong <= 0.08

    def test_interaction_is_named_as_the_pair(self) -> None:
        right, wrong = share_found(SIX, 400, "factor 1 x factor 3", effect=pure_interaction(4.5 * STANDARD_ERROR))
        assert right >= 0.85
        assert wrong <= 0.08

    def test_lenth(self) -> None:
        _, wrong = share_found((2,) * 4, 1000, "")
        assert wrong <= 0.068

    @pytest.mark.parametrize(("counts", "n_seeds"), [(SIX, 1), (SIX, 2), ((2,) * 4, 1), ((3, 3, 2), 2)])
    def test_copies_do_not_make_noise_look_smaller(self, counts: tuple[int, ...], n_seeds: int) -> None:
        """Counted as runs of their own, such copies let half of all pages of noise name an effect."""
        wrong = missed = 0
        for seed in range(200):
            factors, runs = simulated(counts, n_seeds, seed=seed, shift=1.0)
            analysis = analyse_effects(factors, with_copies("factor 2", runs, 0.2, seed=seed, equal=0.8))
            wrong += bool(analysis.found)
            missed += [one.factor for one in analysis.copied] != ["factor 2"]
        assert wrong <= 19
        assert missed <= 24

    def test_runs_of_their_own_are_seldom_taken_for_copies(self) -> None:
        for counts in (SIX, (2,) * 4):
            taken = sum(bool(analyse_effects(*simulated(counts, seed=seed)).copied) for seed in range(200))
            assert taken <= 6

    @pytest.mark.slow  # 12,000 pages; the quick tests have 2,000 of one design
    @pytest.mark.parametrize(
        ("counts", "n_seeds"), [(SIX, 2), ((2,) * 5, 1), ((2,) * 4, 1), ((2,) * 3, 1), ((2, 2), 3), ((3, 3, 2), 2)]
    )
    def test_pure_noise_of_other_designs(self, counts: tuple[int, ...], n_seeds: int) -> None:
        _, wrong = share_found(counts, 2000, "", n_seeds=n_seeds, shift=3.0)
        assert wrong * 2000 <= 115

    @pytest.mark.slow  # 4,000 pages; `test_power` has 400
    def test_power_is_what_the_plan_says(self) -> None:
        plan = plan_tests(*full_factorial(SIX))
        for ratio in (3.0, 4.5):
            right, _ = share_found(SIX, 2000, "factor 2", effect=main_effect(ratio * STANDARD_ERROR))
            assert right == pytest.approx(chance_to_see(plan, ratio * STANDARD_ERROR), abs=0.03)

    @pytest.mark.slow  # 1,000 pages; `test_pure_noise` has whole sweeps
    def test_pure_noise_of_partly_failed_sweeps(self) -> None:
        wrong = 0
        for seed in range(1000):
            factors, runs = simulated(SIX, seed=seed)
            lost = set(np.random.default_rng(seed).choice(64, 6, replace=False).tolist())
            wrong += bool(analyse_effects(factors, [run for n, run in enumerate(runs) if n not in lost]).found)
        assert wrong <= 64
