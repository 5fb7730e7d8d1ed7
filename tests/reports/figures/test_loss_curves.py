import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsearch.study.study import Study
from reports.figures.figure import LossCurve, Picture, Response
from reports.figures.loss_curves import MOST_NAMED, loss_curves_picture
from reports.language.say import speaking
from reports.page import make_page
from tests.reports.conftest import LABELS
from tests.reports.figures.test_figures import assert_legible, dashes, texts
from tests.reports.staged import OWN_SEEDS, pretrained

LOSS = Response("loss", lower_is_better=True)


def drawn(curves: list[LossCurve]) -> Picture | None:
    return loss_curves_picture("losses", "Losses.", curves, "step", LOSS)


def falling(number: int, n_points: int = 5) -> LossCurve:
    points = tuple((100.0 * step, 8 / step + number / 100) for step in range(1, n_points + 1))
    return LossCurve(f"pretraining {number}", points)


def test_every_line_is_named_and_differs() -> None:
    picture = assert_legible(drawn([falling(number) for number in range(4)]))
    assert [text for text in texts(picture) if text.startswith("pretraining")] == [
        f"pretraining {number}" for number in range(4)
    ]
    assert len(dashes(picture)) == 3, "and one without dashes"
    assert "pretraining 3: 8.03 at step 100, 1.63 at step 500." in picture.alt


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_more_than_can_be_named(lang: str) -> None:
    with speaking(lang):
        picture = assert_legible(drawn([falling(number, 100) for number in range(30)]))
    named = [text for text in texts(picture) if text.startswith("pretraining")]
    assert len(named) == MOST_NAMED
    assert any("22" in text for text in texts(picture)), "the others are counted"


def test_names_of_equal_ends_lie_apart() -> None:
    long = "a1b2c3d4 (3000 steps, learning_rate 0.0015, a name that would run out of the sheet)"
    assert_legible(drawn([LossCurve(long, ((0.0, 8.0), (10.0, 2.0)))] * MOST_NAMED))


def test_losses_of_all_sizes_have_a_logarithmic_axis() -> None:
    picture = assert_legible(drawn([LossCurve("a", ((1.0, 8.0), (2.0, 0.1)))]))
    assert {"0.1", "1"} <= {text.replace("\u2212", "-") for text in texts(picture)}


def test_nothing_to_draw_is_no_picture() -> None:
    assert drawn([]) is None
    assert drawn([LossCurve("a", ())]) is None
    assert_legible(drawn([LossCurve("a", ()), LossCurve("b", ((500.0, 3.0),))]))


@pytest.mark.slow  # many curves, drawn at random
@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            LABELS,
            st.lists(
                st.tuples(st.floats(0, 1e6), st.just(0.0) | st.floats(1e-6, 1e6)), min_size=1, max_size=5, unique=True
            ),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_whatever_was_logged_is_legible(lines: list[tuple[str, list[tuple[float, float]]]]) -> None:
    assert_legible(drawn([LossCurve(name, tuple(sorted(points))) for name, points in lines]))


@pytest.mark.slow  # 2 s
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_pretrainings_of_a_study(study: Study, lang: str) -> None:
    rows = pretrained(study, OWN_SEEDS)
    with speaking(lang):
        picture = make_page(rows, illustrated=True).pictures[-1]
    assert picture.name == "pretraining"
    assert_legible(picture)
    assert "@media screen and (prefers-color-scheme: dark)" in picture.svg
    names = [row.stage.short_id for row in rows.stages if row.log]
    assert sum(any(name in text for text in texts(picture)) for name in names) == len(names) == 4
