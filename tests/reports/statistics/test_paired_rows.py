"""Two cells on the same rows: McNemar's test, and a bootstrap that sees rows and seeds."""

from collections.abc import Sequence

import numpy as np
import pytest

from gridsearch.tasks.judging.judge import measured
from gridsearch.tasks.judging.labelling import Labelling
from reports.statistics.paired.rows import Rows, bootstrap_of_mean, mcnemar, mcnemar_of_parts, paired_bootstrap
from tests.fixtures_core import pages


def predictions(n_rows: int = 400, n_labels: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    noise = np.random.default_rng(0)
    labels = noise.integers(n_labels, size=n_rows)
    signal = np.eye(n_labels)[labels]
    return labels, 2.5 * signal + noise.normal(size=signal.shape), signal + noise.normal(size=signal.shape)


class TestMcNemar:
    def test_counts(self) -> None:
        labels = np.array([0, 0, 0, 0, 1, 1])
        right, wrong = np.array([5.0, 0.0]), np.array([0.0, 5.0])
        first = np.array([right, right, right, right, wrong, right])
        second = np.array([right, wrong, wrong, wrong, wrong, wrong])
        result = mcnemar(labels, first, second)
        assert (result.n_only_first, result.n_only_second) == (3, 1)
        assert result.p == pytest.approx(2 * (1 + 4) / 16)

    def test_same_predictions(self) -> None:
        labels, first, _ = predictions()
        assert mcnemar(labels, first, first).p == 1.0

    def test_as_statsmodels(self) -> None:
        from statsmodels.stats.contingency_tables import mcnemar as reference

        labels, first, second = predictions()
        right = [logits.argmax(axis=1) == labels for logits in (first, second)]
        table = [[int(((right[0] == a) & (right[1] == b)).sum()) for b in (True, False)] for a in (True, False)]
        assert mcnemar(labels, first, second).p == pytest.approx(reference(table, exact=True).pvalue)


class TestPairedBootstrap:
    @pytest.mark.parametrize("n_labels", [2, 3])
    @pytest.mark.parametrize("positive", [0, 1])
    def test_differences_are_those_of_the_metrics(self, n_labels: int, positive: int) -> None:
        labels, first, second = predictions(n_labels=n_labels)
        first[:40] = np.round(first[:40])
        labels[:90], second[:50, 0] = 1, 1e4  # sure mistakes too
        if n_labels == 3:
            labels[labels == 2] = 0  # an absent label, which only one of the two predicts
            first[:, 2] = -5.0
        labelling = Labelling("class", n_labels, positive, ordered=True)
        expected, other = (measured(labels, logits, labelling) for logits in (first, second))
        for metric in expected:
            result = paired_bootstrap(labels, {0: first}, {0: second}, metric, labelling=labelling, n_resamples=50)
            assert result is not None
            assert result.difference == pytest.approx(expected[metric] - other[metric]), metric

    def test_a_better_model(self) -> None:
        labels, first, second = predictions()
        result = paired_bootstrap(labels, {0: first}, {0: second})
        assert result is not None
        assert 0 < result.interval[0] < result.difference < result.interval[1]
        assert (result.n_resamples, result.n_seeds, result.seeds_error) == (2000, (1, 1), None)
        losses = paired_bootstrap(labels, {0: first}, {0: second}, "log_loss", n_resamples=200)
        assert losses is not None
        assert losses.interval[0] < losses.difference < losses.interval[1] < 0

    def test_is_repeatable_and_as_wide_as_theory_says(self) -> None:
        labels, first, second = predictions()
        result = paired_bootstrap(labels, {0: first}, {0: second}, seed=3)
        assert result == paired_bootstrap(labels, {0: first}, {0: second}, seed=3)
        assert result is not None
        gains = (first.argmax(axis=1) == labels) * 1.0 - (second.argmax(axis=1) == labels)
        width = 2 * 1.96 * gains.std() / np.sqrt(len(labels))
        assert result.interval[1] - result.interval[0] == pytest.approx(width, rel=0.1)
        assert 4 * result.rows_error == pytest.approx(width, rel=0.1)

    def test_a_cell_is_the_mean_of_its_models(self) -> None:
        labels, first, second = predictions()
        cells = ({0: first}, {0: second}, {0: first, 1: second})
        results = [paired_bootstrap(labels, models, {0: second}) for models in cells]
        assert all(results)
        assert results[1].difference == 0
        assert results[2].difference == pytest.approx(results[0].difference / 2)

    def test_undefined(self) -> None:
        assert paired_bootstrap(np.array([], dtype=int), {0: np.empty((0, 2))}, {0: np.empty((0, 2))}) is None
        ones, zeros, nothing = np.ones(10, dtype=int), {0: np.zeros((10, 2))}, {0: np.full((10, 2), np.nan)}
        assert paired_bootstrap(ones, zeros, zeros, "auc", n_resamples=10) is None
        assert paired_bootstrap(ones, nothing, zeros, n_resamples=10) is not None

    def test_many_labels_need_no_table_of_all_their_pairs(self) -> None:
        labels = np.arange(0, 50_000, 5_000)
        logits = np.zeros((len(labels), 50_000), dtype=np.float32)
        logits[np.arange(len(labels)), labels] = 1.0
        for metric in ("accuracy", "f1_macro", "matthews"):
            result = paired_bootstrap(labels, {0: logits}, {0: logits}, metric, n_resamples=5)
            assert result is not None
            assert result.difference == 0

    def test_unknown_metric(self) -> None:
        with pytest.raises(ValueError, match="'rouge'"):
            paired_bootstrap(np.array([0, 1]), {0: np.zeros((2, 2))}, {0: np.zeros((2, 2))}, "rouge")


def models(
    draw: np.random.Generator, seeds: Sequence[int], shifts: np.ndarray, of_rows: np.ndarray, noise: float
) -> dict[int, np.ndarray]:
    """One model a seed, of two labels: whether a row of label 0 is right hangs on row, seed and chance."""
    sure = 1 + of_rows + shifts[:, None] + noise * draw.standard_normal((len(seeds), len(of_rows)))
    return {seed: np.stack([one, -one], axis=1) for seed, one in zip(seeds, sure, strict=True)}


class TestSeeds:
    def test_pairs_take_out_what_a_seed_does_to_both(self) -> None:
        draw = np.random.default_rng(1)
        labels, of_rows, shifts = np.zeros(2000, dtype=int), draw.standard_normal(2000), np.array([-1.0, 0.0, 1.0])
        first = models(draw, [0, 1, 2], shifts, of_rows, 0.1)
        second = models(draw, [2, 1, 0], shifts[::-1], of_rows, 0.1)
        paired = paired_bootstrap(labels, first, second, n_resamples=200)
        apart = paired_bootstrap(labels, first, dict(zip("abc", second.values(), strict=True)), n_resamples=200)  # type: ignore[arg-type]
        assert paired is not None
        assert apart is not None
        assert paired.difference == apart.difference
        assert (paired.seeds_error or 1.0) < 0.1 * (apart.seeds_error or 0.0)

    def test_equal_seeds_add_nothing(self) -> None:
        labels, first, second = predictions()
        one = paired_bootstrap(labels, {0: first}, {0: second})
        three = paired_bootstrap(labels, dict.fromkeys(range(3), first), dict.fromkeys(range(3), second))
        assert one is not None
        assert three is not None
        assert (three.seeds_error, three.n_seeds) == (pytest.approx(0.0), (3, 3))
        assert three.interval == pytest.approx(one.interval, abs=0.003)

    def test_one_seed_of_either_says_nothing_of_others(self) -> None:
        labels, first, second = predictions()
        result = paired_bootstrap(labels, {0: first, 1: second}, {0: second}, n_resamples=100)
        assert result is not None
        assert (result.seeds_error, result.n_seeds) == (None, (2, 1))

    def test_the_interquartile_mean_needs_five_seeds(self) -> None:
        labels, first, second = predictions()
        accuracies = [(one.argmax(axis=1) == labels).mean() for one in (first, second)]
        lucky = {0: second, 1: first, 2: first, 3: first, 4: first}
        found = paired_bootstrap(labels, lucky, dict.fromkeys(range(5), second), n_resamples=10)
        assert found is not None
        assert found.interquartile == pytest.approx(accuracies[0] - accuracies[1])
        del lucky[4]
        fewer = paired_bootstrap(labels, lucky, dict.fromkeys(range(5), second), n_resamples=10)
        assert fewer is not None
        assert fewer.interquartile is None

    @pages(100, 500)  # test_crossed has the same promise for normal results
    @pytest.mark.parametrize("n_seeds", [2, 3, 5])
    @pytest.mark.parametrize(
        ("of_seeds", "shared", "of_cells", "noise"),
        [
            (0.15, 0.0, 0.5, 0.3),
            (0.15, 0.5, 0.5, 0.3),
            (0.4, 0.0, 0.5, 0.3),
            (0.05, 0.0, 0.5, 0.5),
            (0.0, 0.0, 0.0, 0.5),
        ],
    )
    def test_recipes_that_are_alike_are_rarely_told_apart(
        self, n_seeds: int, of_seeds: float, shared: float, of_cells: float, noise: float, n_pages: int
    ) -> None:
        draw, seeds, labels, covered = np.random.default_rng(n_seeds), range(n_seeds), np.zeros(300, dtype=int), 0
        for _ in range(n_pages):
            rows, common = draw.standard_normal(300), draw.standard_normal(n_seeds)
            cells = []
            for _ in range(2):
                own = draw.standard_normal(n_seeds)
                shifts = of_seeds * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
                cells.append(models(draw, seeds, shifts, rows + of_cells * draw.standard_normal(300), noise))
            found = paired_bootstrap(labels, *cells, n_resamples=200)
            assert found is not None
            covered += found.interval[0] <= 0 <= found.interval[1]
        # 93 % of 500 is 465; 450 is what chance would leave below in 0.5 % of such tests, and 86 of 100.
        assert covered >= (450 if n_pages == 500 else 86)


class TestParts:
    """The mean over parts, whose rows are drawn by themselves."""

    def test_one_part_is_the_part(self) -> None:
        labels, first, second = predictions()
        alone = paired_bootstrap(labels, {0: first}, {0: second}, "f1_macro", n_resamples=50)
        rows = Rows(labels, {0: first}, {0: second}, "f1_macro")
        assert bootstrap_of_mean([rows], "f1_macro", n_resamples=50) == alone

    def test_the_difference_is_the_mean_and_errors_add_up(self) -> None:
        parts = [Rows(labels, {0: one}, {0: two}) for labels, one, two in (predictions(400, 3), predictions(100, 5))]
        alone = [bootstrap_of_mean([one], "accuracy") for one in parts]
        both = bootstrap_of_mean(parts, "mean accuracy")
        assert both is not None
        known = [one for one in alone if one is not None]
        assert both.metric == "mean accuracy"
        assert both.difference == pytest.approx(np.mean([one.difference for one in known]))
        assert both.rows_error == pytest.approx(np.hypot(*(one.rows_error for one in known)) / 2, rel=0.05)

    def test_a_part_of_one_row_adds_no_error_that_nobody_knows(self) -> None:
        labels, first, second = predictions()
        single = Rows(labels[:1], {0: first[:1], 1: first[:1]}, {0: second[:1], 1: second[:1]})
        many = Rows(labels, {0: first, 1: second}, {0: second, 1: second})
        alone, both = bootstrap_of_mean([many], ""), bootstrap_of_mean([many, single], "")
        assert alone is not None
        assert both is not None
        assert both.rows_error == pytest.approx(alone.rows_error / 2)

    def test_a_part_in_which_the_metric_is_undefined(self) -> None:
        labels, first, second = predictions(40, 2)
        good = Rows(labels, {0: first}, {0: second}, "auc")
        zeros = Rows(np.zeros(40, dtype=int), {0: first}, {0: second}, "auc")
        assert bootstrap_of_mean([good, zeros], "", n_resamples=10) is None

    def test_rows_of_all_parts_are_counted_together(self) -> None:
        parts = [predictions(400, 3), predictions(100, 5)]
        alone, both = [mcnemar(*one) for one in parts], mcnemar_of_parts(parts)
        assert both.n_rows == 500
        assert both.n_only_first == sum(one.n_only_first for one in alone)
        assert both.n_only_second == sum(one.n_only_second for one in alone)

    @pytest.mark.slow  # hundreds of bootstraps; the errors that add up above are what the interval is made of
    @pytest.mark.parametrize("sizes", [(300, 30), (300, 300, 300)])
    def test_recipes_that_are_alike_in_every_part_are_rarely_told_apart(self, sizes: tuple[int, ...]) -> None:
        draw, seeds, covered = np.random.default_rng(len(sizes)), range(3), 0
        for _ in range(300):
            parts = []
            for n_rows in sizes:
                rows = draw.standard_normal(n_rows)
                cells = [models(draw, seeds, 0.15 * draw.standard_normal(3), rows, 0.3) for _ in range(2)]
                parts.append(Rows(np.zeros(n_rows, dtype=int), *cells))
            found = bootstrap_of_mean(parts, "", n_resamples=200)
            assert found is not None
            covered += found.interval[0] <= 0 <= found.interval[1]
        assert covered >= 267  # 89 %: chance alone leaves 95 % below that in one of 10,000 such tests
