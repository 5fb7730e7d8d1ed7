"""The analysis of effects: on a published table, against a reference implementation, and on what cannot be tested."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from reports.statistics import maximum
from reports.statistics.analyse import analyse_effects
from reports.statistics.planning import plan_tests
from reports.statistics.results import Alias, EffectAnalysis, ErrorKind, Factor, Note, Reason, Run
from reports.statistics.sensitivity import same_budget, seeds_needed
from tests.reports.seed64 import POOLER, half, read_seed64
from tests.reports.simulated import chance_to_see, full_factorial, named, simulated, with_copies
from tests.reports.statistics.alike import alike


class TestSeed64:
    @pytest.fixture
    def analysis(self, shared_data: Path) -> EffectAnalysis:
        return analyse_effects(*read_seed64(shared_data), inert=POOLER)

    def test_error_is_that_of_the_dead_factor(self, analysis: EffectAnalysis) -> None:
        error = analysis.plan.error
        assert error is not None
        assert (error.kind, error.df, analysis.plan.n_tests) == (ErrorKind.INERT, 32, 25)
        assert analysis.plan.inert == POOLER
        assert analysis.sd == pytest.approx(0.00102, abs=5e-5)

    def test_main_effect(self, analysis: EffectAnalysis) -> None:
        effect = analysis.found[0]
        assert (effect.name, effect.levels) == ("reinit_layers", ("6",))
        assert effect.estimate == pytest.approx(-0.0051, abs=5e-5)
        assert effect.standard_error == pytest.approx(0.00025, abs=3e-5)

    def test_harm_is_tied_to_no_warm_up_and_unfrozen_layers(self, analysis: EffectAnalysis) -> None:
        assert {"bertadam x warmup_proportion", "bertadam x frozen_layers x warmup_proportion"} <= named(
            analysis
        ).keys()
        split = {
            (one.given["frozen_layers"], one.given["warmup_proportion"]): one
            for one in analysis.conditional
            if one.factor == "bertadam" and len(one.given) == 2
        }
        assert split["0", "0.0"].estimate == pytest.approx(-0.0044, abs=5e-5)
        assert split["6", "0.0"].estimate == pytest.approx(-0.0003, abs=1e-4)
        assert [levels for levels, one in split.items() if one.found] == [("0", "0.0")]

    def test_half_finds_the_same_and_names_aliases(self, shared_data: Path) -> None:
        factors, runs = read_seed64(shared_data)
        whole, part = analyse_effects(factors, runs), analyse_effects(factors, half(factors, runs))
        # Thirty-two runs of one seed tell too little of the noise to find it, and that it is the largest.
        surest = min(part.effects, key=lambda effect: effect.adjusted_p).name
        assert list(named(whole))[:1] == [surest] == ["reinit_layers"]
        sizes = {effect.name: abs(effect.estimate or 0) for effect in part.effects}
        assert sorted(named(whole), key=sizes.__getitem__, reverse=True) == list(named(whole))
        assert part.plan.resolution == 6
        assert part.plan.words == (Alias(tuple(factor.name for factor in factors), 1),)
        aliases = {term.factors: term.aliases for term in part.plan.terms}
        rest = ("reinit_pooler", "reinit_layers", "frozen_layers", "warmup_proportion")
        assert aliases["bertadam", "weight_decay"] == (Alias(rest, 1),)

    def test_half_with_the_dead_factor_is_a_full_factorial(self, shared_data: Path) -> None:
        factors, runs = read_seed64(shared_data)
        analysis = analyse_effects(factors, half(factors, runs), POOLER)
        assert analysis.plan.words == ()
        assert analysis.found[0].name == "reinit_layers"
        assert analysis.plan.error is not None
        assert analysis.plan.error.kind is ErrorKind.SPARSE

    def test_one_failed_run_changes_little(self, shared_data: Path) -> None:
        factors, runs = read_seed64(shared_data)
        runs[20] = Run(runs[20].levels, None, math.nan)
        analysis = analyse_effects(factors, runs, POOLER)
        assert (analysis.n_dropped, analysis.plan.orthogonal) == (1, False)
        assert named(analysis)["reinit_layers"] == pytest.approx(-0.0051, abs=1e-4)
        assert "bertadam x frozen_layers x warmup_proportion" in named(analysis)


class TestCriticalValues:
    @pytest.mark.parametrize(("n_tests", "df"), [(1, 1), (1, 30), (2, 3), (6, 20), (10, 60)])
    def test_studentized_maximum_modulus(self, n_tests: int, df: int) -> None:
        critical = maximum.critical_value(n_tests, df)
        together = multivariate_t(shape=np.eye(n_tests), df=df, seed=0)
        inside = together.cdf([critical] * n_tests, lower_limit=[-critical] * n_tests)
        assert inside == pytest.approx(0.95, abs=1e-3)

    def test_maximum_of_many_simulated(self) -> None:
        noise = np.random.default_rng(0)
        largest = np.abs(noise.standard_normal((100_000, 21))).max(axis=1)
        largest /= np.sqrt(noise.chisquare(10, 100_000) / 10)
        assert maximum.critical_value(21, 10) == pytest.approx(np.quantile(largest, 0.95), rel=0.01)

    def test_small_p_values_keep_their_digits(self) -> None:
        assert maximum.adjusted_p(np.array([40.0]), 21, 60)[0] == pytest.approx(21 * 4.3e-45, rel=0.1)


class TestAgainstStatsmodels:
    """The linear model, as an independent formula interface fits it."""

    @pytest.mark.parametrize("counts", [(3, 2, 2), (3, 4)])
    def test_unbalanced(self, counts: tuple[int, ...]) -> None:
        from statsmodels.formula.api import ols

        factors, runs = simulated(counts, 3, lambda cell: 0.8 * int(cell["factor 1"]), shift=2.0)
        del runs[7], runs[12]
        analysis = analyse_effects(factors, runs)
        names = {factor.name: f"f{number}" for number, factor in enumerate(factors)}
        frame = pd.DataFrame(
            [{names[n]: v for n, v in run.levels.items()} | {"block": run.block, "y": run.value} for run in runs]
        )
        formula = "y ~ C(block, Sum) + " + " * ".join(f"C({name}, Sum)" for name in names.values())
        params = ols(formula, frame).fit().params
        for one in analysis.comparisons:
            mine = [value for name, value in params.items() if name.startswith(f"C({names[one.factor]}, Sum)[")
                    and ":" not in name]  # fmt: skip
            levels = [*mine, -sum(mine)]
            assert one.estimate == pytest.approx(levels[int(one.level)] - levels[0])
        assert {one.factor for one in analysis.comparisons} == {f.name for f in factors if len(f.labels) > 2}

    def test_marginal_means(self) -> None:
        factors, runs = simulated((3, 2), 2, lambda cell: float(cell["factor 1"]), sd=0.01)
        runs = [Run(run.levels, None, run.value) for run in runs]
        analysis = analyse_effects(factors, runs[:-1])
        cells: dict[tuple[str, ...], list[float]] = {}
        for run in runs[:-1]:
            cells.setdefault(tuple(run.levels.values()), []).append(run.value or 0.0)
        mean = {mean.level: mean.mean for mean in analysis.means if mean.factor == "factor 1"}
        assert mean["1"] == pytest.approx(np.mean([np.mean(cells["1", level]) for level in "01"]))
        step = next(one for one in analysis.comparisons if (one.factor, one.level) == ("factor 1", "2"))
        assert (step.reference, step.found) == ("0", True)
        assert step.interval[0] < 2.0 < step.interval[1]


class TestCannotTest:
    FACTORS = (Factor("a", ("0", "1"), "0"), Factor("b", ("0", "1"), "0"))

    def runs(self, *values: float | None) -> list[Run]:
        return [Run({"a": str(n // 2 % 2), "b": str(n % 2)}, None, value) for n, value in enumerate(values)]

    @pytest.mark.parametrize(
        ("values", "why"),
        [
            ((), Reason.NO_RESULT),
            ((1.0,), Reason.ONE_RESULT),
            ((None, math.nan, math.inf, 1.0), Reason.ONE_RESULT),
            ((1.0, 2.0, 3.0, 4.0), Reason.NONE_REPEATED),
            ((1.0, 2.0, 3.0, None, 5.0), Reason.FEW_REPEATED),
            ((1.0, 1.0, 1.0, 1.0) * 3, Reason.ALL_SAME),
            ((0.0,) * 12, Reason.ALL_SAME),
        ],
    )
    def test_says_why(self, values: tuple[float | None, ...], why: Reason) -> None:
        analysis = analyse_effects(self.FACTORS, self.runs(*values))
        assert analysis.why_not is why
        assert analysis.effects == ()
        json.dumps(asdict(analysis), allow_nan=False)

    def test_repeated_runs_that_seeds_explain_are_repeated_all_the_same(self) -> None:
        """Cell 1 has both seeds, the others one each: what the seeds do to all takes all that it tells."""
        factors = (Factor("a", ("0", "1", "2"), "0"),)
        rows = [("0", 0, 1.0), ("0", 1, 2.0), ("1", 0, 4.0), ("2", 1, 3.0)]
        analysis = analyse_effects(factors, [Run({"a": level}, seed, value) for level, seed, value in rows])
        assert analysis.why_not is Reason.FEW_REPEATED

    def test_no_factor(self) -> None:
        assert analyse_effects((), [Run({}, 0, 1.0), Run({}, 1, 2.0)]).why_not is Reason.NO_FACTOR

    def test_only_factors_that_cannot_act(self) -> None:
        analysis = analyse_effects(self.FACTORS[:1], self.runs(1.0, 2.0, 3.0, 4.0), ("a",))
        assert analysis.why_not is Reason.NO_FACTOR

    def test_constant_factor_is_left_out(self) -> None:
        runs = [Run({"a": "0", "b": str(n % 2)}, n // 2, math.sin(n)) for n in range(8)]
        analysis = analyse_effects(self.FACTORS, runs)
        assert analysis.plan.constant == ("a",)
        assert [effect.name for effect in analysis.effects] == ["b"]

    def test_copies_are_no_replicates(self) -> None:
        analysis = analyse_effects(self.FACTORS, self.runs(*((1.0, 2.0, 3.0, 5.0) * 3)))
        assert (analysis.n_copies, analysis.plan.n_runs) == (8, 4)
        assert analysis.why_not is Reason.NONE_REPEATED

    def test_noise_of_zero(self) -> None:
        factors, runs = simulated((2, 2), 3, lambda cell: float(cell["factor 1"]), sd=0.0, shift=1.0)
        assert analyse_effects(factors, runs).why_not is Reason.NO_NOISE

    @pytest.mark.slow  # many tables, drawn at random
    @settings(max_examples=150)
    @given(st.data())
    def test_anything_is_an_answer(self, data: st.DataObject) -> None:
        factors, cells = full_factorial(data.draw(st.lists(st.integers(1, 3), max_size=4)))
        values = st.sampled_from([0.5, 0.5, 0.6, 0.7, None, math.nan]) | st.floats(-1e3, 1e3)
        run = st.builds(Run, st.sampled_from(cells), st.sampled_from([None, 0, 1, 2]), values)
        runs = data.draw(st.lists(run, max_size=60))
        inert = data.draw(st.sets(st.sampled_from(factors), max_size=2)) if factors else set()
        analysis = analyse_effects(factors, runs, [factor.name for factor in inert])
        json.dumps(asdict(analysis), allow_nan=False)
        assert bool(analysis.why_not) == (not analysis.effects)
        assert all(0 <= effect.p <= effect.adjusted_p <= 1 for effect in analysis.effects)

    def test_unknown_level_is_refused(self) -> None:
        with pytest.raises(ValueError, match="levels of a are"):
            analyse_effects(self.FACTORS, [Run({"a": "2", "b": "0"}, None, 1.0)])

    def test_one_at_a_time_without_replicates(self) -> None:
        factors, cells = one_at_a_time(4)
        assert plan_tests(factors, cells).why_not is Reason.NONE_REPEATED


def one_at_a_time(n_factors: int) -> tuple[tuple[Factor, ...], list[dict[str, str]]]:
    factors, cells = full_factorial((2,) * n_factors)
    return factors, [cell for cell in cells if sum(level != "0" for level in cell.values()) < 2]


class TestAlike:
    """Runs of one seed that are alike, to any degree."""

    @pytest.mark.parametrize(("counts", "n_seeds"), [((2,) * 6, 1), ((2,) * 6, 2), ((2, 3, 2), 4)])
    def test_copies_are_seen_and_told(self, counts: tuple[int, ...], n_seeds: int) -> None:
        factors, runs = simulated(counts, n_seeds, lambda cell: 2.0 * (cell["factor 1"] == "1"), seed=3)
        analysis = analyse_effects(factors, with_copies("factor 2", runs, 0.05, seed=3, equal=0.7))
        told = next(one for one in analysis.likeness if one.factor == "factor 2")
        assert (told.correlation or 0) > 0.8
        assert 0 < told.n_equal < told.n_pairs
        assert told.largest < 0.3
        assert "factor 1" in named(analysis)
        assert analysis.n_results == len(runs)

    def test_exact_copies_leave_nothing_of_a_factor(self) -> None:
        factors, runs = simulated((2,) * 6, 2)
        analysis = analyse_effects(factors, with_copies("factor 2", runs, 0.0))
        told = next(one for one in analysis.likeness if one.factor == "factor 2")
        assert (told.correlation or 0) > 0.99
        assert (told.largest, told.n_equal) == (0, told.n_pairs)
        assert not any("factor 2" in effect.factors for effect in analysis.found)

    def test_a_steady_effect_of_a_near_copy_is_found(self) -> None:
        """Half of a standard deviation in every pair is no copy, however much the pairs are alike otherwise."""
        factors, runs = simulated((2,) * 6, 2)
        shifted = [
            replace(run, value=(run.value or 0.0) + 0.5 * (run.levels["factor 2"] == "1"))
            for run in with_copies("factor 2", runs, 0.05)
        ]
        found = {effect.name: effect for effect in analyse_effects(factors, shifted).found}
        assert found["factor 2"].estimate == pytest.approx(0.5, abs=0.05)
        assert found["factor 2"].interval is not None
        assert found["factor 2"].interval[1] - found["factor 2"].interval[0] < 0.5

    def test_the_same_runs_give_the_same_answer(self) -> None:
        factors, runs = simulated((2,) * 5, 2)
        assert analyse_effects(factors, runs) == analyse_effects(factors, runs)

    @pytest.mark.slow  # many tables, drawn at random
    @settings(max_examples=30)
    @given(st.floats(1e-3, 1e3), st.floats(-10, 10), st.permutations(range(32)))
    def test_units_and_order_do_not_matter(self, unit: float, zero: float, order: list[int]) -> None:
        factors, runs = simulated((2,) * 4, 2, lambda cell: 2.0 * (cell["factor 1"] == "1"))
        other = [replace(runs[place], value=unit * ((runs[place].value or 0.0) + zero)) for place in order]
        for one, same in zip(
            analyse_effects(factors, runs).effects, analyse_effects(factors, other).effects, strict=True
        ):
            assert same.adjusted_p == pytest.approx(one.adjusted_p, abs=1e-6)
            assert same.estimate == pytest.approx(unit * (one.estimate or 0.0), rel=1e-6, abs=1e-9 * unit)


class TestWhereTrainingSucceeds:
    def test_runs_that_did_not_learn_are_in_no_effect(self) -> None:
        factors, runs = simulated((2,) * 5, 2)
        spoiled = [
            replace(run, value=-50.0, learned=False) if place % 13 == 0 else run for place, run in enumerate(runs)
        ]
        kept = [run for run in spoiled if run.learned]
        analysis = analyse_effects(factors, spoiled)
        assert replace(analysis, n_not_learned=0) == analyse_effects(factors, kept)
        assert (analysis.n_not_learned, analysis.n_results) == (5, 64)

    @pytest.mark.parametrize("n_seeds", [1, 2])
    def test_a_ruinous_combination_is_named_and_set_aside(self, n_seeds: int) -> None:
        block = {"factor 1": "1", "factor 3": "1", "factor 4": "0"}

        def ruined(cell: Mapping[str, str]) -> float:
            depth = 20.0 + 20.0 * (cell["factor 5"] == "1") + 20.0 * (cell["factor 6"] == "1")
            return 3.0 * (cell["factor 2"] == "1") - depth * (block.items() <= cell.items())

        analysis = analyse_effects(*simulated((2,) * 6, n_seeds, ruined, seed=1))
        (found,) = analysis.ruined
        assert found.levels == block
        assert found.n_runs == 8 * n_seeds
        assert found.expected - found.mean == pytest.approx(40.0, abs=2.0)
        assert named(analysis)["factor 2"] == pytest.approx(3.0, abs=1.0)
        assert not any({"factor 1", "factor 3"} & set(effect.factors) for effect in analysis.found)

    @pytest.mark.parametrize("n_seeds", [1, 2])
    def test_one_that_only_lies_lower_is_an_interaction(self, n_seeds: int) -> None:
        """Noise that cells share may move a whole block, so depth alone proves nothing before the test of effects."""
        block = {"factor 1": "1", "factor 3": "1", "factor 4": "0"}
        analysis = analyse_effects(
            *simulated((2,) * 6, n_seeds, lambda cell: -15.0 * (block.items() <= cell.items()), seed=1)
        )
        (found,) = analysis.ruined
        assert (found.levels, found.is_left_out, analysis.n_ruined) == (block, False, 0)
        assert "factor 1 x factor 3 x factor 4" in named(analysis)

    @pytest.mark.slow  # 8 s
    def test_shared_noise_is_no_ruin(self) -> None:
        """Half of the factors change next to nothing, so each combination of the others is one draw of noise."""
        for seed in range(20):
            assert not analyse_effects(*alike((2,) * 6, 1, [0.9] * 3 + [0.0] * 3, seed=seed)).ruined

    def test_two_levels_that_ruin_together_are_an_interaction(self) -> None:
        def ruined(cell: Mapping[str, str]) -> float:
            return -15.0 * (cell["factor 1"] == cell["factor 3"] == "1")

        analysis = analyse_effects(*simulated((2,) * 6, 2, ruined))
        assert analysis.ruined == ()
        assert "factor 1 x factor 3" in named(analysis)

    def test_unequal_noise_is_found_and_used(self) -> None:
        factors, runs = simulated((2,) * 6, 2)
        unequal = [
            replace(run, value=(run.value or 0.0) * (10.0 if run.levels["factor 2"] == "1" else 1.0)) for run in runs
        ]
        found = analyse_effects(factors, unequal).unequal
        assert found is not None
        assert found.factors == ("factor 2",)
        (noisy, most), (quiet, least) = found.groups
        assert (noisy, quiet) == ({"factor 2": "1"}, {"factor 2": "0"})
        assert most / least == pytest.approx(10, rel=0.4)
        assert analyse_effects(factors, runs).unequal is None


class TestDesigns:
    def test_seeds_are_blocks(self) -> None:
        factors, runs = simulated((2, 2, 2), 3, shift=100.0)
        analysis = analyse_effects(factors, runs)
        assert analysis.sd == pytest.approx(1.0, rel=0.5)
        assert analysis.plan.error is not None
        assert analysis.plan.error.df == 7 * 2

    def test_own_seeds_are_no_blocks(self) -> None:
        factors, runs = simulated((2, 2, 2), 3)
        own = [Run(run.levels, number, run.value) for number, run in enumerate(runs)]
        analysis = analyse_effects(factors, own)
        assert (analysis.plan.n_blocks, analysis.plan.error and analysis.plan.error.df) == (1, 8 * 2)

    def test_one_at_a_time_compares_with_the_baseline(self) -> None:
        factors, cells = one_at_a_time(4)
        noise = np.random.default_rng(0)
        values = {
            (n, seed): 3.0 * cell["factor 2"].count("1") + noise.normal()
            for n, cell in enumerate(cells)
            for seed in range(5)
        }
        runs = [Run(cells[n], seed, value) for (n, seed), value in values.items()]
        analysis = analyse_effects(factors, runs)
        mean = [np.mean([values[n, seed] for seed in range(5)]) for n in range(5)]
        baseline, second = mean[0], mean[next(n for n, cell in enumerate(cells) if cell["factor 2"] == "1")]
        assert named(analysis) == {"factor 2": pytest.approx(second - baseline)}
        assert analysis.effects[1].standard_error == pytest.approx((analysis.sd or 0) * math.sqrt(2 / 5))
        assert Note.MAIN_EFFECTS_ALONE in analysis.plan.notes

    def test_resolution_four_merges_pairs(self) -> None:
        factors, cells = full_factorial((2, 2, 2, 2))
        part = [cell for cell in cells if sum(level == "1" for level in cell.values()) % 2 == 0]
        plan = plan_tests(factors, part, 3)
        assert plan.resolution == 4
        assert plan.n_tests == 7
        pair = next(term for term in plan.terms if term.factors == ("factor 1", "factor 2"))
        assert pair.aliases == (Alias(("factor 3", "factor 4"), 1),)

    def test_the_other_half_has_the_other_sign(self) -> None:
        factors, cells = full_factorial((2, 2, 2))
        part = [cell for cell in cells if sum(level == "1" for level in cell.values()) % 2 == 1]
        noise = np.random.default_rng(0)
        runs = [Run(cell, seed, 5.0 * int(cell["factor 1"]) + noise.normal()) for cell in part for seed in range(8)]
        assert analyse_effects(factors, runs).found[0].aliases == (Alias(("factor 2", "factor 3"), 1),)
        even = [cell for cell in cells if cell not in part]
        assert plan_tests(factors, even, 3).terms[0].aliases == (Alias(("factor 2", "factor 3"), -1),)

    def test_of_a_saturated_fraction_few_contrasts_are_taken_to_be_real(self) -> None:
        factors, cells = full_factorial((2,) * 7)
        level = [{name: int(label) for name, label in cell.items()} for cell in cells]
        part = [
            cell
            for cell, x in zip(cells, level, strict=True)
            if (x["factor 4"] == x["factor 1"] ^ x["factor 2"])
            and (x["factor 5"] == x["factor 1"] ^ x["factor 3"])
            and (x["factor 6"] == x["factor 2"] ^ x["factor 3"])
            and (x["factor 7"] == x["factor 1"] ^ x["factor 2"] ^ x["factor 3"])
        ]
        plan = plan_tests(factors, part)
        assert (plan.n_cells, plan.n_tests, plan.resolution) == (8, 7, 3)
        assert plan.error is not None
        assert plan.error.kind is ErrorKind.SPARSE

    def test_cells_left_out_by_a_rule(self) -> None:
        factors, runs = simulated((2, 2, 2, 2), 3)
        kept = [run for run in runs if not (run.levels["factor 1"] == "1" and run.levels["factor 2"] == "1")]
        plan = analyse_effects(factors, kept).plan
        lost = [term.factors for term in plan.not_tested]
        assert ("factor 1", "factor 2") in lost
        assert ("factor 1", "factor 3") not in lost

    def test_random_cells_test_main_effects_only(self) -> None:
        factors, cells = full_factorial((2,) * 6)
        chosen = np.random.default_rng(3).choice(64, 16, replace=False)
        plan = plan_tests(factors, [cells[number] for number in chosen])
        assert {len(term.factors) for term in plan.terms} == {1}
        assert plan.error is not None
        assert plan.error.kind is ErrorKind.INTERACTIONS

    @pytest.mark.slow  # 1.1 s
    def test_a_thousand_rows(self) -> None:
        factors, runs = simulated(
            (3, 3, 3, 3, 4, 3), 1, lambda cell: 2.0 * (cell["factor 3"] == cell["factor 5"] == "2")
        )
        analysis = analyse_effects(factors, runs)
        assert analysis.plan.n_runs == 972
        assert "factor 3 x factor 5" in {effect.name for effect in analysis.found}
        split = {
            (one.level, one.given["factor 5"]): one.estimate for one in analysis.conditional if one.factor == "factor 3"
        }
        assert split["2", "2"] == pytest.approx(2.0, abs=0.6)
        assert split["2", "1"] == pytest.approx(0.0, abs=0.6)


class TestPlan:
    def test_error_terms(self) -> None:
        def kind(counts: Sequence[int], n_seeds: int) -> ErrorKind | None:
            error = plan_tests(*full_factorial(counts), n_seeds).error
            return error and error.kind

        assert kind((2,) * 6, 1) is ErrorKind.SPARSE
        assert kind((2,) * 6, 2) is ErrorKind.REPLICATES
        assert kind((2,) * 3, 1) is ErrorKind.SPARSE
        assert kind((3, 2), 1) is ErrorKind.INTERACTIONS
        assert kind((2, 2), 1) is None

    def test_plan_is_what_the_analysis_does(self) -> None:
        factors, runs = simulated((2, 2, 3), 2)
        plan = plan_tests(factors, [run.levels for run in runs if run.block == 0], 2)
        assert analyse_effects(factors, runs).plan == plan

    @pytest.mark.parametrize("counts", [(2, 2, 2, 2), (3, 4)])
    def test_scaling_of_seeds(self, counts: tuple[int, ...]) -> None:
        factors, cells = full_factorial(counts)
        numbers = (1, 2, 3, 5)
        for number in numbers:
            size = plan_tests(factors, cells, number).smallest_effect_in_sd
            assert size is not None
            assert seeds_needed(factors, cells, size * (1 + 1e-6)) == number
            assert seeds_needed(factors, cells, size * (1 - 1e-6)) == number + 1

    def test_seeds_needed(self) -> None:
        factors, cells = full_factorial((2,) * 5)
        needed = seeds_needed(factors, cells, 0.5)
        assert needed is not None
        fewer, enough = (plan_tests(factors, cells, number).smallest_effect_in_sd for number in (needed - 1, needed))
        assert (enough or 0) <= 0.5 < (fewer or 0)
        assert seeds_needed(factors, cells, 1e-6) is None
        assert seeds_needed(factors, [], 1.0) is None

    @pytest.mark.parametrize("counts", [(2,) * 6, (2,) * 4, (3, 4)])
    def test_smallest_effect_is_found_in_80_percent(self, counts: tuple[int, ...]) -> None:
        plan = plan_tests(*full_factorial(counts))
        assert plan.smallest_effect_in_sd is not None
        assert chance_to_see(plan, plan.smallest_effect_in_sd) == pytest.approx(0.8, abs=1e-3)

    def test_same_budget(self) -> None:
        whole, part = same_budget(*full_factorial((2,) * 6))
        assert [(one.n_cells, one.n_seeds, one.plan.n_runs) for one in (whole, part)] == [(64, 1, 64), (32, 2, 64)]
        assert part.plan.resolution == 6
        assert part.plan.error is not None
        assert part.plan.error.kind is ErrorKind.REPLICATES
        assert len(same_budget(*full_factorial((3, 4)))) == 1
