"""Two studies side by side."""

from pathlib import Path

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.compare import Comparison, ComparisonPage, compare, paired_difference
from reports.language.say import speaking
from reports.statistics.paired.cells import Seeds
from reports.study.view import StudyRows
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import import_table, read

RESULTS = {1: 0.80, 2: 0.70, 3: 0.85, 4: 0.75}


def swept(
    name: str, results: dict[int, float] = RESULTS, space: str = SMALL_SPACE, metric: str = "accuracy"
) -> StudyRows:
    writer = Writer(Study(Path(name)), small_plan(space, has_test=False, metric=metric))
    for cell, value in results.items():
        writer.finish(cell, outcome(value, metric=metric))
    return read(writer.study)


def with_seeds(name: str, n_seeds: int, design: str = "") -> StudyRows:
    """Four cells; what a seed does to all of them is a hundred times what it does to one."""
    space = f"{SMALL_SPACE}[design]\nseeds = {list(range(n_seeds))}\n{design}"
    writer = Writer(Study(Path(name)), small_plan(space, has_test=False))
    noise = np.random.default_rng(len(name))
    shifts, own = noise.normal(0, 0.05, n_seeds), noise.normal(0, 0.0005, (4, n_seeds))
    for cell in range(1, 5):
        for seed in range(n_seeds):
            value = RESULTS[cell] + float(shifts[seed] + own[cell - 1, seed])
            writer.finish(cell, outcome(value), seed)
    return read(writer.study)


def said(comparison: Comparison) -> str:
    return " ".join(ComparisonPage(comparison).format().split())


def published(text: str, name: str = "published") -> StudyRows:
    Path(f"{name}.csv").write_text(text, encoding="utf-8")
    study = Study(Path(name))
    import_table(Path(f"{name}.csv"), None, study)
    return read(study)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def indexes(comparison: Comparison) -> list[tuple[str, str]]:
    return [(pair.first.index, pair.second.index) for pair in comparison.pairs]


def test_equal_studies_differ_by_nothing() -> None:
    comparison = compare(swept("a"), swept("b"))
    assert indexes(comparison) == [("1", "1"), ("2", "2"), ("3", "3"), ("4", "4")]
    found = paired_difference(comparison)
    assert found is not None
    assert (found.mean, found.sd, found.interval, found.agreement) == (0.0, 0.0, (0.0, 0.0), pytest.approx(1.0))
    assert "4 of them are the very same trials" in ComparisonPage(comparison).format()


def test_paired_differences_by_hand() -> None:
    other = {1: 0.82, 2: 0.71, 3: 0.84}
    found = paired_difference(compare(swept("a"), swept("b", other)))
    assert found is not None
    differences = [0.02, 0.01, -0.01]
    mean = sum(differences) / 3
    sd = (sum((one - mean) ** 2 for one in differences) / 2) ** 0.5
    assert found.n == 3
    assert found.mean == pytest.approx(mean)
    assert found.sd == pytest.approx(sd)
    # 4.3027 is the 97.5 % quantile of t with 2 degrees of freedom.
    assert found.interval[1] == pytest.approx(mean + 4.302653 * sd / 3**0.5)
    assert (found.n_better, found.n_worse) == (2, 1)


def test_one_seed_makes_no_interval_of_recipes() -> None:
    """A seed that shifts all cells alike would look like a sure difference."""
    comparison = compare(with_seeds("a", 1), with_seeds("bb", 1))
    found = paired_difference(comparison)
    assert found is not None
    assert found.interval[0] > 0 or found.interval[1] < 0
    assert found.seeds == (Seeds.SINGLE, Seeds.SINGLE)
    assert "with the very same seeds, the 95 % interval" in said(comparison)
    assert "It is none of the difference between recipes" in said(comparison)


@pytest.mark.parametrize("design", ["", "seed_policy = 'distinct'"])
def test_several_seeds_are_seen(design: str) -> None:
    comparison = compare(with_seeds("a", 3, design), with_seeds("bb", 3, design))
    found = paired_difference(comparison)
    assert found is not None
    text = said(comparison)
    assert "For other cells like these and other seeds, the 95 % interval" in text
    assert "interquartile" not in text
    if design:
        assert found.seeds == (Seeds.OWN, Seeds.OWN)
        assert "every cell has seeds of its own" in text
        return
    assert found.seeds == (Seeds.SHARED, Seeds.SHARED)
    assert found.interval[0] < 0 < found.interval[1]
    assert f"{found.seeds_error:.4f} from the seeds" in text
    assert (found.seeds_error or 0.0) > 10 * found.cells_error


def test_five_seeds_have_an_interquartile_mean() -> None:
    comparison = compare(with_seeds("a", 5), with_seeds("bb", 5))
    assert paired_difference(comparison).interquartile is not None  # type: ignore[union-attr]
    assert "(interquartile means) it is" in said(comparison)


def test_seeds_of_published_tables() -> None:
    rows = ["bertadam,seed,result"] + [f"{level},{seed},0.{level}{seed}" for level in (0, 1) for seed in (1, 2)]
    first = published("\n".join(rows), "first")
    known = compare(first, published("\n".join(rows).replace("0.1", "0.3"), "second"))
    assert len(known.pairs) == 2
    assert paired_difference(known).seeds == (Seeds.SHARED, Seeds.SHARED)  # type: ignore[union-attr]
    unknown = compare(first, published("bertadam,result\n0,0.5\n1,0.7\n", "third"))
    assert "Which of the published rows share a seed is not known" in said(unknown)


def test_lower_may_be_better() -> None:
    first = swept("a", {1: 0.5, 2: 0.6}, metric="log_loss")
    found = paired_difference(compare(first, swept("b", {1: 0.4, 2: 0.5}, metric="log_loss")))
    assert found is not None
    assert (found.n_better, found.n_worse) == (2, 0)


def test_a_factor_of_one_study_alone_must_be_at_its_baseline() -> None:
    wider = swept(
        "b", dict.fromkeys(range(1, 9), 0.8), SMALL_SPACE + "[factors.warmup_proportion]\nlevels = [0.0, 0.5]"
    )
    comparison = compare(swept("a"), wider)
    assert indexes(comparison) == [("1", "1"), ("2", "3"), ("3", "5"), ("4", "7")]
    assert comparison.columns == ("bertadam", "frozen_layers")


def test_a_published_table_is_matched_by_columns_and_numbers() -> None:
    table = "index,frozen_layers,bertadam,result\n7,6.0,1,0.9\n8,0,0,0.8\n9,0,0,0.6\n"
    comparison = compare(swept("a"), published(table))
    assert indexes(comparison) == [("1", "8"), ("4", "7")]
    assert comparison.pairs[0].second.value == pytest.approx(0.7)  # two rows with the same levels
    assert "not known here" in ComparisonPage(comparison).format()


def test_different_measures_are_not_subtracted() -> None:
    comparison = compare(swept("a"), swept("b", metric="f1_macro"))
    assert paired_difference(comparison) is None
    text = ComparisonPage(comparison).format()
    assert "not subtracted" in text
    assert "B-A" not in text


def test_the_terminal_has_80_columns() -> None:
    page = ComparisonPage(compare(swept("a"), swept("b", {1: 0.82, 2: 0.71, 3: 0.84})))
    assert max(map(len, page.format(for_terminal=True).splitlines())) <= 80
    assert "| 1 " not in page.format(for_terminal=True).split("matters")[0]


def test_few_results() -> None:
    text = ComparisonPage(compare(swept("a", {1: 0.8}), swept("b", {}))).format()
    assert "Fewer than two" in text
    assert "A has no tested effects" in text


def test_in_chinese() -> None:
    with speaking("zh"):
        text = ComparisonPage(compare(swept("a"), swept("b"))).format()
    assert text.startswith("# 两个研究的比较")


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ("bertadam,result\n5,0.5\n", "no cell in common: no equal levels of the columns in both \\(bertadam\\)"),
        ("colour,result\nred,0.5\n", "no cell in common"),
    ],
)
def test_nothing_in_common(other: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        compare(swept("a"), published(other))


def test_a_study_is_not_compared_with_itself() -> None:
    study = swept("a")
    with pytest.raises(RequestError, match="two studies, but both are a"):
        compare(study, study)


IN_SHARES = '[factors]\nreinit_layers = [0, "1/2"]\n'


def test_shares_of_the_depth_are_compared_with_numbers_of_layers() -> None:
    """The encoder of these studies has 12 layers."""
    shares, numbers = (
        swept("shares", {1: 0.8, 2: 0.7}, IN_SHARES),
        swept("numbers", {1: 0.8, 2: 0.6}, IN_SHARES.replace('"1/2"', "6")),
    )
    for first, second in ((shares, numbers), (numbers, shares)):
        assert indexes(compare(first, second)) == [("1", "1"), ("2", "2")]
    others = swept("others", {1: 0.8, 2: 0.6}, IN_SHARES.replace('"1/2"', "3"))
    assert indexes(compare(shares, others)) == [("1", "1")]
    table = published("reinit_layers,result\n0,0.8\n6,0.7\n")
    assert indexes(compare(shares, table)) == [("1", "1"), ("2", "2")]


def test_shares_are_compared_with_shares() -> None:
    half = swept("half", {1: 0.8, 2: 0.7}, IN_SHARES)
    assert indexes(compare(half, swept("other", {1: 0.8, 2: 0.7}, IN_SHARES))) == [("1", "1"), ("2", "2")]


def test_what_else_differs_is_said() -> None:
    longer = swept("longer", space=SMALL_SPACE.replace("epochs = 2", "epochs = 5"))
    text = said(compare(swept("short"), longer))
    assert "Apart from what is in the table they differ in epochs (2 in A, 5 in B)." in text
    assert "differ in" not in said(compare(swept("one"), swept("two")))
