"""Folds that favour some cells whatever the seed: several seeds do not say several times what one fold's rows say."""

from dataclasses import replace

import numpy as np
import pytest

from gridsearch.repetition import Repetition
from reports.statistics.analyse import analyse_effects
from reports.statistics.noise.folds import one_run_a_fold
from reports.statistics.results import Factor, Run
from tests.reports.simulated import full_factorial


def noise(share: float, *, seed: int, n_seeds: int = 3, n_folds: int = 3) -> tuple[tuple[Factor, ...], list[Run]]:
    """Make up a page of pure noise on eight cells: ``share`` of a run's variance is its fold's, whatever the seed."""
    factors, cells = full_factorial((2, 2, 2))
    random = np.random.default_rng(seed)
    of_fold = random.standard_normal((n_folds, len(cells))) * share**0.5
    own = random.standard_normal((n_seeds, n_folds, len(cells))) * (1 - share) ** 0.5
    blocks = random.standard_normal((n_seeds, n_folds, 1))
    values = of_fold + own + blocks
    return factors, [
        Run(levels, Repetition(number, fold), float(values[number, fold, place]))
        for number in range(n_seeds)
        for fold in range(n_folds)
        for place, levels in enumerate(cells)
    ]


def test_what_a_fold_does_to_cells_counts_once() -> None:
    factors, runs = noise(0.8, seed=0)
    merged = one_run_a_fold(factors, runs)
    assert len(merged) == 24
    assert {run.block for run in merged} == {Repetition(0, fold) for fold in range(3)}
    for one in merged:
        fold = one.block.fold if isinstance(one.block, Repetition) else None
        alike = [run.value for run in runs if run.levels == one.levels and getattr(run.block, "fold", None) == fold]
        assert one.value == pytest.approx(np.mean(np.array(alike, dtype=float)))
    analysis = analyse_effects(factors, runs)
    assert (analysis.n_averaged, analysis.n_results, analysis.plan.n_blocks) == (48, 72, 3)


def test_the_same_whatever_the_order_and_with_runs_missing() -> None:
    factors, runs = noise(0.8, seed=1)
    known = [run for place, run in enumerate(runs) if place not in (3, 40)]
    one, other = one_run_a_fold(factors, known), one_run_a_fold(factors, known[::-1])

    def by_place(several: list[Run]) -> dict[str, float | None]:
        return {f"{run.block} {sorted(run.levels.items())}": run.value for run in several}

    assert by_place(one).keys() == by_place(other).keys()
    assert list(by_place(one).values()) == pytest.approx([by_place(other)[name] for name in by_place(one)])


@pytest.mark.parametrize(("n_seeds", "n_folds"), [(1, 4), (4, 1)])
def test_folds_alone_and_seeds_alone_stay_as_they_are(n_seeds: int, n_folds: int) -> None:
    factors, runs = noise(0.8, seed=2, n_seeds=n_seeds, n_folds=n_folds)
    assert one_run_a_fold(factors, runs) == runs
    nameless = [replace(run, block=None) for run in runs]
    assert one_run_a_fold(factors, nameless) == nameless


def test_where_folds_do_nothing_to_single_cells_mostly_every_run_counts() -> None:
    merged = [len(one_run_a_fold(*noise(0.0, seed=seed))) == 24 for seed in range(200)]
    assert 0.15 < np.mean(merged) < 0.35, "one case of four, by the rule"


@pytest.mark.slow  # 80 analyses
def test_pages_of_noise_name_an_effect_no_more_often() -> None:
    found = [bool(analyse_effects(*noise(0.5, seed=seed)).found) for seed in range(80)]
    assert np.mean(found) < 0.12, "28 % where every run counts"
