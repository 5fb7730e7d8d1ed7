"""Rows that no design laid out get a regression, and are told from designs."""

import math
from pathlib import Path

import numpy as np
import pytest

from gridsearch.study.study import Study
from reports.page import make_page
from reports.sections.context import PageContext
from reports.sections.effects.reasons_text import no_regression_text
from reports.sections.figures import pictures_of
from reports.sections.observational import Observational
from reports.statistics.observational import Predictor, regress
from reports.statistics.results import Reason
from reports.study.sampled import is_observational, study_regression
from reports.study.view import StudyRows
from tests.reports.conftest import Writer, outcome, small_plan
from tests.reports.pages import import_table, read


def sample(n_rows: int, seed: int, effect: float = 0.0) -> tuple[list[Predictor], list[float]]:
    """A rate on a log scale that matters, a switch that may, a count that does not, and noise of 0.01."""
    draw = np.random.default_rng(seed)
    rates, switches, counts = (
        10 ** draw.uniform(-5, -3, n_rows),
        draw.integers(2, size=n_rows),
        draw.integers(9, size=n_rows),
    )
    values = 0.8 + 0.05 * (np.log10(rates) + 5) / 2 + effect * switches + draw.normal(0, 0.01, n_rows)
    predictors = [
        Predictor("rate", tuple(f"{rate:.6g}" for rate in rates), "", tuple(rates)),
        Predictor("switch", tuple(map(str, switches)), "0"),
        Predictor("count", tuple(map(str, counts)), "", tuple(map(float, counts))),
    ]
    return predictors, list(values)


def test_finds_what_is_there() -> None:
    found = regress(*sample(60, seed=1, effect=-0.03))
    rate, switch, count = found.coefficients
    assert (rate.log, rate.found) == (True, True)
    assert rate.estimate == pytest.approx(0.05, abs=0.01)
    assert (switch.level, switch.reference, switch.found) == ("1", "0", True)
    assert switch.estimate == pytest.approx(-0.03, abs=0.01)
    assert (count.log, count.found) == (False, False)
    assert found.sd == pytest.approx(0.01, rel=0.3)


def test_is_the_regression_of_statsmodels() -> None:
    from statsmodels.api import OLS

    (rate, switch, _), values = sample(30, seed=2)
    low, high = (math.log(end(rate.numbers)) for end in (min, max))
    columns = [
        [1, (math.log(x) - low) / (high - low), int(label)]
        for x, label in zip(rate.numbers, switch.labels, strict=True)
    ]
    reference = OLS(values, columns).fit(cov_type="HC3")
    found = regress([rate, switch], values)
    assert [one.estimate for one in found.coefficients] == pytest.approx(list(reference.params[1:]))
    assert [one.standard_error for one in found.coefficients] == pytest.approx(list(reference.bse[1:]))
    assert found.r_squared == pytest.approx(reference.rsquared)


def test_names_nothing_on_most_samples_of_noise() -> None:
    draw = np.random.default_rng(5)
    n_false = 0
    for seed in range(400):
        predictors, _ = sample(40, seed)
        n_false += any(one.found for one in regress(predictors, list(draw.normal(size=40))).coefficients)
    assert n_false <= 33  # 5 % of 400, and three standard deviations


def test_what_moves_together_is_left_out_and_named() -> None:
    labels = tuple("ab" * 10)
    predictors = [
        Predictor("first", labels, "a"),
        Predictor("same", tuple(label.upper() for label in labels), "A"),
        Predictor("still", ("x",) * 20, "x"),
    ]
    found = regress(predictors, list(np.random.default_rng(0).normal(size=20)))
    assert (found.confounded, found.constant) == (("same",), ("still",))
    assert [one.factor for one in found.coefficients] == ["first"]


def test_a_level_of_a_single_row_has_the_noise_of_all() -> None:
    """HC3 would divide its residual, which is zero, by zero."""
    draw = np.random.default_rng(4)
    labels = (*"ab" * 10, "c")
    found = regress([Predictor("factor", labels, "a")], [0.9, *draw.normal(0.9, 0.01, 20)])
    assert not found.robust
    single = found.coefficients[1]
    assert (single.level, single.n) == ("c", 1)
    assert single.standard_error == pytest.approx(found.sd * (1 + 1 / 10) ** 0.5)
    assert regress([Predictor("factor", tuple("ab" * 10), "a")], list(draw.normal(size=20))).robust


@pytest.mark.parametrize(
    ("labels", "values", "why"),
    [
        ("ab", [0.5, None], Reason.ONE_RESULT),
        ("aaa", [0.5, 0.6, 0.7], Reason.NO_FACTOR),
        ("abcd", [0.5, 0.6, 0.7, 0.8], Reason.NO_ROOM),
        ("ababab", [0.5] * 6, Reason.ALL_SAME),
        ("ababab", [0.5, math.nan, None, 0.5, math.inf, None], Reason.NO_ROOM),
    ],
)
def test_says_why_it_cannot(labels: str, values: list[float | None], why: Reason) -> None:
    found = regress([Predictor("factor", tuple(labels), "a")], values)
    assert found.why_not is why
    assert no_regression_text(why)
    assert found.coefficients == ()


def published(rows: list[str], folder: Path) -> StudyRows:
    (folder / "table.csv").write_text("\n".join(rows), encoding="utf-8")
    study = Study(folder / "published")
    import_table(folder / "table.csv", None, study)
    return read(study)


def test_designs_are_told_from_samples(tmp_path: Path) -> None:
    factorial = [f"{a},{b},{c},0.{a}{b}{c}" for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    half = [row for row in factorial if (int(row[0]) + int(row[2]) + int(row[4])) % 2]
    picked = ["0,0,0,0.5", "1,0,0,0.6", "2,1,0,0.4", "2,1,1,0.5", "2,1,2,0.5"]
    for name, rows, expected in (
        ("a", factorial, False),
        ("b", half, False),
        ("c", factorial[:7], False),
        ("d", picked, True),
    ):
        (tmp_path / name).mkdir()
        assert is_observational(published(["x,y,z,result", *rows], tmp_path / name)) is expected, name


def test_a_swept_design_is_none(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.finish(1, outcome(0.8, 0.8))
    assert not is_observational(read(writer.study))


def test_the_page_of_picked_rows(tmp_path: Path) -> None:
    """Forty rows of a hand-picked table: epsilon matters, attack and pooling do not."""
    draw = np.random.default_rng(3)
    rows = ["attack,epsilon,pooling,layers,result"]
    for number in range(40):
        epsilon = 0.1 * (1 + draw.integers(8))
        result = 0.9 + 0.02 * epsilon + draw.normal(0, 0.001)
        attack, pooling = ("fgm", "pgd", "none")[number % 3], ("cls", "mean")[draw.integers(2)]
        rows.append(f"{attack},{epsilon:.1f},{pooling},{draw.integers(9)},{result:.4f}")
    study = published(rows, tmp_path)
    assert [one.factor for one in study_regression(study).coefficients if one.found] == ["epsilon"]
    text = make_page(study).format()
    assert "## What matters" not in text
    assert not {picture.name for picture in pictures_of(PageContext(study))} & {
        "half_normal",
        "main_effects",
        "interactions",
    }
    assert make_page(study).numbers()["effects"] is None
    assert make_page(study).numbers()["regression"]["coefficients"][2]["found"] is True
    section = Observational(PageContext(study)).format()
    assert section in text
    assert "**Observational**" in section
    assert "no proof that they are the cause" in section.replace("\n", " ")
    assert max(len(line) for line in section.splitlines() if not line.startswith("|")) <= 80
