"""Differences over seeds and items: what is drawn with what, and how often the interval covers the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.statistics.paired.cells import Seeds, paired_cells
from reports.statistics.paired.crossed import Source, crossed, interquartile_difference, parts

SEEDS = st.lists(st.integers(0, 6), min_size=2, max_size=6, unique=True)


@given(SEEDS, SEEDS)
def test_parts_sum_to_the_difference_and_can_be_drawn_from(first: list[int], second: list[int]) -> None:
    draw = np.random.default_rng(len(first) + 10 * len(second))
    mine, theirs = draw.standard_normal((len(first), 4)), draw.standard_normal((len(second), 4))
    found = parts((first, mine), (second, theirs))
    assert np.allclose(sum(part.sum(axis=0) for part in found), mine.mean(axis=0) - theirs.mean(axis=0))
    assert min(map(len, found)) >= 2
    n_pairs = len(set(first) & set(second))
    n_alone = [len(first) - n_pairs, len(second) - n_pairs]
    if 1 not in (n_pairs, *n_alone):
        assert sum(map(len, found)) == n_pairs + sum(n_alone)


@given(st.integers(2, 5), st.integers(3, 9))
def test_no_noise_of_seeds_leaves_the_interval_of_the_items(n_seeds: int, n_items: int) -> None:
    values = np.tile(np.random.default_rng(n_items).standard_normal(n_items), (n_seeds, 1)) / n_seeds
    items = Source(float(np.var(values.sum(axis=0), ddof=1)) / n_items, n_items - 1)
    found = crossed(
        0.0,
        [values.mean(axis=1)],
        [values],
        items=items,
        variance_of=lambda one: np.var(one, axis=-1, ddof=1) / n_items,
    )
    assert found.interval[1] == pytest.approx(items.half_width)
    assert found.seeds_error == pytest.approx(0.0)


def test_without_noise_of_items_it_is_students_interval() -> None:
    values = np.array([0.1, 0.3, 0.4])
    found = crossed(
        0.8,
        [values],
        [np.tile(values[:, None], (1, 50))],
        items=Source(0.0, 49),
        variance_of=lambda one: np.var(one, axis=-1),
    )
    # 4.3027 is the 97.5 % quantile of t with 2 degrees of freedom.
    assert found.interval[1] - 0.8 == pytest.approx(4.302653 * 3**0.5 * np.std(values, ddof=1))


def test_the_interquartile_mean() -> None:
    ten = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 9.0])
    assert interquartile_difference(ten, np.zeros(5)) == pytest.approx(1.0)
    assert interquartile_difference(ten, np.zeros(4)) is None


class TestPairedCells:
    def sides(
        self, draw: np.random.Generator, n_cells: int, n_seeds: int, of_seeds: float, of_cells: float, *, paired: bool
    ) -> list[list[dict[object, float]]]:
        """Two studies that differ by nothing on average; noise of a run has standard deviation 1."""
        found = []
        for study in range(2):
            shifts = of_seeds * draw.standard_normal(n_seeds)
            cells = of_cells * draw.standard_normal(n_cells)
            values = cells[:, None] + shifts + draw.standard_normal((n_cells, n_seeds))
            seeds = range(n_seeds) if paired else [(study, seed) for seed in range(n_seeds)]
            found.append([dict(zip(seeds, row, strict=True)) for row in values.tolist()])
        return found

    @pytest.mark.slow  # 2 s
    @pytest.mark.parametrize("n_seeds", [2, 3, 5])
    @pytest.mark.parametrize(
        ("of_seeds", "of_cells", "paired"), [(1.0, 0.5, True), (1.0, 0.0, False), (0.0, 1.0, True)]
    )
    def test_studies_that_are_alike_are_rarely_told_apart(
        self, n_seeds: int, of_seeds: float, of_cells: float, paired: bool
    ) -> None:
        draw, covered, by_cells = np.random.default_rng(n_seeds), 0, 0
        for _ in range(600):
            sides = self.sides(draw, 16, n_seeds, of_seeds, of_cells, paired=paired)
            found = paired_cells(*sides, lower_is_better=False)
            assert found is not None
            assert found.seeds_error is not None
            covered += found.interval[0] <= 0 <= found.interval[1]
            by_cells += abs(found.mean) <= Source(found.cells_error**2, 15).half_width
        # 93 % of 600 is 558; below 543 chance leaves 1 % of such tests.
        assert covered >= 543
        if of_seeds:
            assert by_cells <= 0.8 * 600  # what an interval over cells alone covers

    def test_one_seed_is_told(self) -> None:
        sides = self.sides(np.random.default_rng(0), 8, 1, 1.0, 0.0, paired=True)
        found = paired_cells(*sides, lower_is_better=False)
        assert found is not None
        assert (found.seeds, found.seeds_error) == ((Seeds.SINGLE, Seeds.SINGLE), None)

    def test_seeds_of_their_own_are_noise_of_cells(self) -> None:
        first = [{f"a{cell}": float(cell)} for cell in range(4)]
        second = [{f"b{cell}": cell + 0.1 * cell} for cell in range(4)]
        found = paired_cells(first, second, lower_is_better=False)
        assert found is not None
        assert (found.seeds, found.seeds_error) == ((Seeds.OWN, Seeds.OWN), None)
        shared = [{0: cell - 1.0, 1: cell + 1.0} for cell in range(4)]
        mixed = paired_cells(shared, second, lower_is_better=False)
        assert mixed is not None
        assert mixed.seeds == (Seeds.SHARED, Seeds.OWN)
        assert mixed.seeds_error == pytest.approx(1.0)

    def test_published_rows_do_not_tell_their_seeds(self) -> None:
        found = paired_cells([{None: 0.5}, {None: 0.6}], [{0: 0.5, 1: 0.4}, {0: 0.6, 1: 0.7}], lower_is_better=False)
        assert found is not None
        assert (found.seeds, found.seeds_error) == ((Seeds.UNKNOWN, Seeds.SHARED), None)

    def test_a_failed_run_leaves_its_cell_out_of_the_seeds_alone(self) -> None:
        draw = np.random.default_rng(5)
        first, second = self.sides(draw, 16, 3, 1.0, 0.5, paired=True)
        whole = paired_cells(first, second, lower_is_better=False)
        del first[0][2]
        lacking = paired_cells(first, second, lower_is_better=False)
        assert whole is not None
        assert lacking is not None
        assert lacking.n == 16
        assert lacking.seeds_error == pytest.approx(whole.seeds_error, rel=0.5)

    def test_one_cell_is_no_comparison(self) -> None:
        assert paired_cells([{0: 0.5}], [{0: 0.6}], lower_is_better=False) is None
