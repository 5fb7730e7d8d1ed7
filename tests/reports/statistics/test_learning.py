"""Which settings decide whether a run learns: what is named on pages whose truth is known, and how often wrongly."""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from reports.statistics.learning import shuffled
from reports.statistics.learning.learning import Count, where_not_learned
from reports.statistics.results import Factor, Run
from tests.fixtures_core import pages
from tests.reports.simulated import full_factorial

Levels = Mapping[str, str]
Page = tuple[tuple[Factor, ...], list[Run]]


def made(
    counts: Sequence[int],
    n_seeds: int,
    chance: Callable[[Levels], float],
    *,
    seed: int = 0,
    along: Collection[str] = (),
    alike: float = 1.0,
    shift: float = 0.0,
) -> Page:
    """Let runs of a full factorial fail with a chance; those that differ in ``along`` alone share a part of their luck.

    ``alike`` is the correlation of their luck, ``shift`` the sd of what a seed does to all of its runs.
    """
    factors, cells = full_factorial(counts)
    noise = np.random.default_rng(seed)
    of_seed = [shift * noise.standard_normal() for _ in range(n_seeds)]
    shared: dict[object, float] = {}
    runs = []
    for cell in cells:
        for number in range(n_seeds):
            key = number, frozenset(item for item in cell.items() if item[0] not in along)
            mine, ours = noise.standard_normal(), shared.setdefault(key, noise.standard_normal())
            luck = np.sqrt(alike) * ours + np.sqrt(1 - alike) * mine + of_seed[number]
            runs.append(Run(cell, number, None, bool(norm.cdf(luck / np.sqrt(1 + shift**2)) >= chance(cell))))
    return factors, runs


def failing(counts: Sequence[int], n_seeds: int, failed: Callable[[Levels, int], bool]) -> Page:
    factors, cells = full_factorial(counts)
    return factors, [Run(cell, seed, None, not failed(cell, seed)) for cell in cells for seed in range(n_seeds)]


def at(**levels: str) -> Callable[[Levels], bool]:
    """Whether a cell is at these levels, given as ``f1="1"``."""
    return lambda cell: all(cell[f"factor {name[1:]}"] == level for name, level in levels.items())


class TestPlace:
    def test_a_pair_that_ruins_training(self) -> None:
        ruined = at(f1="1", f5="0")
        factors, runs = failing((2,) * 6, 1, lambda cell, _: ruined(cell) and not at(f2="1", f3="1", f4="1")(cell))
        found = where_not_learned(factors, runs)
        assert found.place is not None
        assert found.place.levels == {"factor 1": "1", "factor 5": "0"}
        assert found.place.inside == Count(14, 16, found.place.inside.interval)
        assert (found.place.elsewhere.n_not_learned, found.place.elsewhere.n) == (0, 48)
        assert found.place.adjusted_p < 0.01
        assert [(dict(levels), count.n_not_learned, count.n) for levels, count in found.place.next_to_it] == [
            ({"factor 1": "0", "factor 5": "0"}, 0, 16),
            ({"factor 1": "1", "factor 5": "1"}, 0, 16),
        ]

    @pytest.mark.parametrize("level", ["0", "1"])
    @pytest.mark.parametrize("n_spared", range(6))
    def test_of_two_levels_the_one_with_the_failures(self, level: str, n_spared: int) -> None:
        """Both are as clear: rounding must not choose."""
        factors, cells = full_factorial((2,) * 5)
        ruined = [number for number, cell in enumerate(cells) if cell["factor 4"] == level][n_spared:]
        runs = [Run(cell, 0, None, number not in ruined) for number, cell in enumerate(cells)]
        place = where_not_learned(factors, runs).place
        assert place is not None
        assert place.levels["factor 4"] == level

    def test_three_levels_together(self) -> None:
        factors, runs = failing((2,) * 6, 2, lambda cell, _: at(f1="1", f3="1", f4="0")(cell))
        place = where_not_learned(factors, runs).place
        assert place is not None
        assert place.levels == {"factor 1": "1", "factor 3": "1", "factor 4": "0"}

    def test_one_level_that_saves_training(self) -> None:
        factors, runs = failing((3, 2, 2), 3, lambda cell, seed: cell["factor 1"] != "2" and seed != 1)
        place = where_not_learned(factors, runs).place
        assert place is not None
        assert place.levels == {"factor 1": "2"}
        assert (place.inside.n_not_learned, place.elsewhere.n_not_learned) == (0, 16)

    @pytest.mark.slow  # 3 s
    def test_two_of_64_are_chance(self) -> None:
        factors, cells = full_factorial((2,) * 6)
        for second in range(1, 64):
            runs = [Run(cell, 0, None, number not in (0, second)) for number, cell in enumerate(cells)]
            assert where_not_learned(factors, runs).place is None

    def test_copies_are_one_failure(self) -> None:
        """Four runs failed with one seed: a factor that changes nothing may have made two of them."""
        factors, runs = failing((2,) * 4, 1, lambda cell, _: at(f1="1", f2="1")(cell))
        assert where_not_learned(factors, runs).place is None
        alone = [Run({**run.levels}, number, None, run.learned) for number, run in enumerate(runs)]
        found = where_not_learned(factors, alone).place
        assert found is not None
        assert found.levels == {"factor 1": "1", "factor 2": "1"}

    @pytest.mark.parametrize("learned", [True, False])
    def test_nothing_is_asked_where_all_runs_fare_alike(self, learned: bool) -> None:
        factors, runs = failing((2, 2), 2, lambda *_: not learned)
        found = where_not_learned(factors, runs)
        assert (found.total.n_not_learned, found.place, found.factors) == (0 if learned else 8, None, ())


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.booleans(), min_size=16, max_size=16),
    st.permutations(range(16)),
    st.sampled_from([(2, 2, 2), (4, 2)]),
)
def test_what_always_holds(learned: list[bool], order: list[int], counts: tuple[int, ...]) -> None:
    """Counts add up, and the order of runs changes no count."""
    factors, cells = full_factorial(counts)
    runs = [Run(cells[number // 2], number % 2, None, one) for number, one in enumerate(learned)]
    found, again = where_not_learned(factors, runs), where_not_learned(factors, [runs[place] for place in order])
    assert found.total == again.total
    assert found.total.n == 16
    for factor in found.factors:
        assert sum(count.n for count in factor.by_level.values()) == 16
        assert sum(count.n_not_learned for count in factor.by_level.values()) == found.total.n_not_learned
        assert 0 < factor.adjusted_p <= 1
    assert [one.by_level for one in found.factors] == [one.by_level for one in again.factors]
    if found.place:
        assert found.place.inside.n + found.place.elsewhere.n == 16
        assert found.place.adjusted_p <= 0.05


def share_named(
    n_pages: int, counts: Sequence[int], n_seeds: int, chance: Callable[[Levels], float], **kwargs: object
) -> float:
    pages = (made(counts, n_seeds, chance, seed=seed, **kwargs) for seed in range(n_pages))  # type: ignore[arg-type]
    return sum(where_not_learned(*page).place is not None for page in pages) / n_pages


COPIES = [{}, {"along": ["factor 2"]}, {"along": ["factor 2"], "alike": 0.9}, {"along": ["factor 2"], "alike": 0.6}]


class TestCalibration:
    @pytest.fixture(autouse=True)
    def _few_draws(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shuffled, "N_DRAWS", 499)

    @pytest.mark.slow  # 1.0 s
    @pytest.mark.parametrize("kwargs", COPIES[:2])
    def test_noise(self, kwargs: dict[str, object]) -> None:
        assert share_named(60, (2,) * 5, 1, lambda _: 0.2, **kwargs) <= 0.10

    @pytest.mark.slow  # 2 s
    def test_power(self) -> None:
        ruined = at(f1="1", f3="1")
        assert share_named(40, (2,) * 6, 1, lambda cell: 0.8 if ruined(cell) else 0.01) >= 0.95

    @pytest.mark.slow  # 4 s
    def test_copies_along_several_factors_have_to_be_named(self) -> None:
        named = [0, 0]
        for seed in range(60):
            factors, runs = made((2,) * 6, 1, lambda _: 0.2, seed=seed, along=["factor 2", "factor 5"])
            for place, alike in enumerate([(), ("factor 2", "factor 5")]):
                named[place] += where_not_learned(factors, runs, alike).place is not None
        assert named[0] >= 10
        assert named[1] <= 6

    @pages(100, 400)
    @pytest.mark.parametrize("chance", [0.05, 0.2, 0.5])
    @pytest.mark.parametrize("kwargs", [*COPIES, {"shift": 1.5}])
    @pytest.mark.parametrize(("counts", "n_seeds"), [((2,) * 6, 1), ((2,) * 4, 2), ((2,) * 3, 4), ((3, 3, 2), 2)])
    def test_noise_of_other_designs(
        self, counts: tuple[int, ...], n_seeds: int, kwargs: dict[str, object], chance: float, n_pages: int
    ) -> None:
        """At most 5 %: of 400 pages, no more than 30 with 98 % chance; of 100, no more than 10."""
        assert share_named(n_pages, counts, n_seeds, lambda _: chance, **kwargs) <= (0.075 if n_pages == 400 else 0.10)

    @pages(100, 400)
    @pytest.mark.parametrize(
        ("ruined", "chance", "least"),
        [({"f1": "1"}, 0.4, 0.6), ({"f1": "1", "f3": "1"}, 0.4, 0.25), ({"f1": "1", "f3": "1"}, 0.8, 0.95)],
    )
    def test_what_is_named_is_what_matters(
        self, ruined: dict[str, str], chance: float, least: float, n_pages: int
    ) -> None:
        """The settings themselves, and seldom one beside them that does nothing."""
        wanted = {(f"factor {name[1:]}", level) for name, level in ruined.items()}
        right = wrong = 0
        for seed in range(n_pages):
            factors, runs = made((2,) * 6, 1, lambda cell: chance if at(**ruined)(cell) else 0.01, seed=seed)
            place = where_not_learned(factors, runs).place
            named = set(place.levels.items()) if place else set()
            right += named == wanted
            wrong += bool(named - wanted)
        assert right / n_pages >= least
        assert wrong / n_pages <= 0.05
