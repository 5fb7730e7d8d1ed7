import csv
import itertools
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from gridsearch.study.study import Study
from reports.figures.curves import STYLES, curves_picture
from reports.figures.dark import DARK, GROUND
from reports.figures.drawn_from.effects import effect_points, factor_means
from reports.figures.drawn_from.interactions import interaction_panels
from reports.figures.drawn_from.study import dev_run_sd, study_curves, timed_cells
from reports.figures.figure import (
    Curve,
    EffectPoint,
    EffectPoints,
    FactorMeans,
    GridCell,
    GridFactor,
    LevelPoint,
    Picture,
    Response,
    Role,
    Scale,
    TimedCell,
)
from reports.figures.half_normal import half_normal_picture
from reports.figures.heat_map import heat_map_picture
from reports.figures.interactions import interactions_picture
from reports.figures.main_effects import main_effects_picture
from reports.figures.quality_time import pareto_set, quality_time_picture
from reports.figures.shades import BEYOND, Shades, spelled
from reports.figures.style import BAND, GRID, INK, PAPER, line_style
from reports.figures.texts import FONT_SIZE, text_width
from reports.language.say import speaking
from reports.sections.figures import effect_pictures, study_pictures
from reports.statistics.analyse import analyse_effects
from reports.statistics.results import EffectAnalysis, Factor, Run
from reports.study.read import read_study
from tests.reports.conftest import LABELS, SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.pages import import_table

SVG = "{http://www.w3.org/2000/svg}"
ACCURACY = Response("accuracy on dev")
LOSS = Response("log_loss on dev", lower_is_better=True)


def texts(picture: Picture) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture.svg).iter(f"{SVG}text")]


def boxes(picture: Picture) -> list[tuple[str, float, float, float, float]]:
    """Left, top, right and bottom of every text, as wide as the widest of the fonts draws it."""
    found = []
    for element in ET.fromstring(picture.svg).iter(f"{SVG}text"):
        look = dict(part.split(": ") for part in element.get("style", "").split("; ") if part)
        size = float(look["font-size"].removesuffix("px"))
        width = text_width(element.text or "", size, bold="font-weight" in look)
        x, y = float(element.get("x", "nan")), float(element.get("y", "nan"))
        before = {"start": 0.0, "middle": width / 2, "end": width}[look.get("text-anchor", "start")]
        turned = re.search(r"rotate\(-90", element.get("transform", ""))
        # Capitals are 0.73 high; two lines may touch with their descenders.
        box = (
            (x - 0.73 * size, y - before, x, y + before)
            if turned
            else (x - before, y - 0.73 * size, x - before + width, y)
        )
        found.append((element.text or "", *box))
    return found


def assert_legible(picture: Picture | None) -> Picture:
    """No text lies on another one or leaves the sheet, and the picture is one small, self-contained element."""
    assert picture is not None
    root = ET.fromstring(picture.svg)
    width, height = float(root.get("width", "nan")), float(root.get("height", "nan"))
    assert root.tag == f"{SVG}svg"
    assert width == 700
    found = boxes(picture)
    for one, other in itertools.combinations(found, 2):
        apart = one[1] >= other[3] or other[1] >= one[3] or one[2] >= other[4] or other[2] >= one[4]
        assert apart, (one, other)
    for text, left, top, right, bottom in found:
        assert left >= 0, text
        assert right <= width + 1, text
        assert top >= 0, text
        assert bottom <= height, text
    assert root.find(f"{SVG}title").text == picture.title  # type: ignore[union-attr]
    assert root.find(f"{SVG}desc").text == picture.alt  # type: ignore[union-attr]
    for foreign in ("http:", "https:"):
        links = [value for value in re.findall(r'(?:href|src|url)\W+([^"\')]+)', picture.svg) if foreign in value]
        assert links == []
    assert picture.svg.count("<style") == 1
    assert "<metadata" not in picture.svg
    return picture


def dashes(picture: Picture) -> set[str]:
    return set(re.findall(r"stroke-dasharray: ([^;\"]+)", picture.svg))


# One real table: 64 rows, in which reinit_pooler cannot act.


@pytest.fixture
def seed_rows(reference: Path) -> list[dict[str, str]]:
    with (reference / "seed64.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def seed_factors(seed_rows: list[dict[str, str]]) -> list[Factor]:
    names = [name for name in seed_rows[0] if name not in ("index", "result")]
    return [Factor(name, tuple(dict.fromkeys(row[name] for row in seed_rows)), seed_rows[0][name]) for name in names]


@pytest.fixture
def seed_analysis(seed_rows: list[dict[str, str]], seed_factors: list[Factor]) -> EffectAnalysis:
    runs = [
        Run({factor.name: row[factor.name] for factor in seed_factors}, None, float(row["result"])) for row in seed_rows
    ]
    return analyse_effects(seed_factors, runs, ["reinit_pooler"])


def seed_map(rows: Sequence[dict[str, str]], factors: Sequence[Factor]) -> Picture | None:
    cells = [
        GridCell(row["index"], row, float(row["result"]), row["index"] == "50", row["index"] == "1") for row in rows
    ]
    return heat_map_picture([GridFactor(f.name, f.labels) for f in factors], cells, ACCURACY)


@pytest.mark.slow  # 0.9 s
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_effects_of_64_rows(seed_analysis: EffectAnalysis, seed_factors: list[Factor], lang: str) -> None:
    with speaking(lang):
        pictures = effect_pictures(seed_analysis, seed_factors, ACCURACY)
    assert [picture.name for picture in pictures] == ["half-normal", "main-effects", "interactions"]
    for picture in pictures:
        assert len(assert_legible(picture).svg) < 60_000
    names, means, panels = map(texts, pictures)
    assert any(re.fullmatch(r"reinit_layers −(19|20|21)\.\d+", name) for name in names), "in standard errors"
    assert ("95 % band of noise" in names) == (lang == "en")
    assert any(name.startswith("bertadam × frozen_layers × warmup_proportion −4.") for name in names)
    assert "weight_decay" in means
    assert {"frozen_layers = 0", "frozen_layers = 6"} <= set(panels)
    assert ("effect found" in names) == (lang == "en")
    assert ("baseline level" in means) == (lang == "en")
    assert "reinit_layers −" in pictures[0].alt


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_map_of_64_rows_prints_all_values(
    seed_rows: list[dict[str, str]], seed_factors: list[Factor], lang: str
) -> None:
    with speaking(lang):
        picture = assert_legible(seed_map(seed_rows, seed_factors))
    assert len(picture.svg) < 60_000
    printed = {f"{float(row['result']):.4f}" for row in seed_rows}
    assert sum(text in printed for text in texts(picture)) >= 64
    assert "0.9281" in picture.alt


def test_a_fraction_leaves_places_empty(seed_rows: list[dict[str, str]], seed_factors: list[Factor]) -> None:
    half = [row for row in seed_rows if int(row["index"]) % 3 == 1]
    assert {"0.9376", "no result"} <= set(texts(assert_legible(seed_map(half, seed_factors))))
    sparse = [row for row in seed_rows if row["index"] in ("1", "20", "33", "62")]
    assert seed_map(sparse, seed_factors) is None


def test_interaction_means_are_those_of_the_rows(
    seed_rows: list[dict[str, str]], seed_factors: list[Factor], seed_analysis: EffectAnalysis
) -> None:
    """A triple, and the pairs that it does not hold."""
    panels = interaction_panels(seed_analysis, seed_factors)
    assert [panel.given for panel in panels][:2] == [(("frozen_layers", "0"),), (("frozen_layers", "6"),)]
    assert {panel.term for panel in panels} == {"bertadam × frozen_layers × warmup_proportion"}
    for panel in panels:
        for level, line in zip(panel.line_levels, panel.means, strict=True):
            for point in line:
                wanted = {panel.across: point.level, panel.lines: level, **dict(panel.given)}
                rows = [float(row["result"]) for row in seed_rows if wanted.items() <= row.items()]
                assert point.mean == pytest.approx(sum(rows) / len(rows), abs=1e-9)


def test_bars_overlap_unless_a_factor_was_found(seed_analysis: EffectAnalysis, seed_factors: list[Factor]) -> None:
    factors = factor_means(seed_analysis, seed_factors)
    assert [factor.factor for factor in factors if not factor.found] == ["bertadam", "weight_decay"]
    for factor in factors:
        low, high = sorted(factor.levels, key=lambda point: point.mean)
        assert low.half_width is not None
        assert high.half_width is not None
        assert (low.mean + low.half_width < high.mean - high.half_width) == factor.found


def test_levels_stay_in_declared_order(seed_analysis: EffectAnalysis, seed_factors: list[Factor]) -> None:
    columns = {"warmup_proportion": "预热比例"}
    last = factor_means(seed_analysis, seed_factors, columns)[-1]
    assert (last.factor, [point.level for point in last.levels]) == ("预热比例", ["0.0", "0.1"])


# A made study with three and four levels, whose labels are hostile.

HOSTILE = [
    Factor("学习率", ("1e-05", "2e-05", "5e-05"), "1e-05"),
    Factor("attack <b>&$x_1$", ("none", "fgm", "$\\alpha$", "对抗训练"), "none"),
    Factor("a_very_long_factor_name_that_never_ends_at_all", ("off", "a level with quite a long label"), "off"),
]


@pytest.fixture(scope="module")
def hostile_analysis() -> EffectAnalysis:
    rng = random.Random(5)
    names = [factor.name for factor in HOSTILE]
    runs = [
        Run(
            dict(zip(names, levels, strict=True)),
            seed,
            0.5
            + 0.05 * (levels[0] == "5e-05")
            - 0.03 * (levels[1] == "fgm") * (levels[2] != "off")
            + rng.gauss(0, 0.008),
        )
        for levels in itertools.product(*(factor.labels for factor in HOSTILE))
        for seed in (0, 1, 2)
    ]
    return analyse_effects(HOSTILE, runs)


def test_more_than_two_levels_are_compared_by_p_values(hostile_analysis: EffectAnalysis) -> None:
    points = effect_points(hostile_analysis)
    assert points is not None
    assert (points.scale, points.limit) == (Scale.SCORE, None)
    with speaking("zh"):
        pictures = effect_pictures(hostile_analysis, HOSTILE, Response("验证集上的准确率"))
    for picture in pictures:
        assert_legible(picture)
    assert "学习率" in texts(pictures[0])
    assert {"对抗训练", "attack <b>&$x_1$", "$\\alpha$", "验证集上的准确率"} <= set(texts(pictures[1]))
    assert "attack <b>&$x_1$" in texts(pictures[2])


def test_unequal_errors_are_put_on_one_scale(seed_rows: list[dict[str, str]], seed_factors: list[Factor]) -> None:
    runs = [
        Run({factor.name: row[factor.name] for factor in seed_factors}, None, float(row["result"]))
        for row in seed_rows
        if row["index"] not in ("3", "17", "40")
    ]
    points = effect_points(analyse_effects(seed_factors, runs, ["reinit_pooler"]))
    assert points is not None
    assert (points.scale, points.noise) == (Scale.T, 1.0)
    assert_legible(half_normal_picture(points, ACCURACY))


def test_nothing_tested_is_no_picture() -> None:
    factors = [Factor("a", ("0", "1"), "0"), Factor("b", ("0", "1"), "0")]
    for runs in ([], [Run({"a": "0", "b": "1"}, None, 0.5)], [Run({"a": "0", "b": "1"}, None, None)]):
        assert effect_pictures(analyse_effects(factors, runs), factors, ACCURACY) == ()


def test_crowded_effects_keep_their_names_apart() -> None:
    rng = random.Random(1)
    points = tuple(
        EffectPoint(f"factor_{a} × factor_{b}", rng.choice((-1, 1)) * rng.uniform(0.002, 0.01), True)
        for a, b in itertools.combinations(range(9), 2)
    )
    picture = assert_legible(half_normal_picture(EffectPoints(points, Scale.EFFECT, 0.0004, 0.0013), LOSS))
    assert sum("×" in text for text in texts(picture)) >= 15
    assert picture.alt.count("×") == 36


# Quality against time.


def test_the_pareto_set_is_what_nothing_beats() -> None:
    cells = [
        TimedCell("1", 5, 0.9),
        TimedCell("2", 4, 0.9),
        TimedCell("3", 6, 0.95),
        TimedCell("4", 6, 0.95),
        TimedCell("5", 9, 0.6),
    ]
    assert [cell.name for cell in pareto_set(cells)] == ["2", "3"]
    assert [cell.name for cell in pareto_set(cells, lower_is_better=True)] == ["2", "5"]


def test_the_pareto_set_and_the_baseline_are_named() -> None:
    cells = [
        TimedCell("1", 40, 0.9, is_baseline=True),
        TimedCell("12", 20, 0.88),
        TimedCell("3", 60, 0.91),
        TimedCell("4", 61, 0.8),
    ]
    picture = assert_legible(quality_time_picture(cells, ACCURACY, 0.01))
    assert {"12", "1", "3", "training time of one run (seconds)"} <= set(texts(picture))
    assert "4" not in texts(picture)
    assert "12 (20.0 seconds, 0.880), 1 (40.0 seconds, 0.900), 3 (60.0 seconds, 0.910)" in picture.alt
    assert "± one standard deviation of a run (0.010)" in texts(picture)


def test_a_run_far_off_that_did_not_learn_does_not_squeeze_the_others() -> None:
    cells = [TimedCell(str(n), 20 + n, 0.9 + n / 1000) for n in range(9)] + [TimedCell("9", 10, 0.1, not_learned=True)]
    picture = assert_legible(quality_time_picture(cells, ACCURACY))
    assert "did not learn, off the axis (1)" in texts(picture)
    assert "9 (" not in picture.alt
    assert not any(text.startswith("0.1") for text in texts(picture))


@pytest.mark.parametrize("span", [1.0, 19.0, 25.0, 1e6])
def test_times_of_any_span_have_an_axis(span: float) -> None:
    cells = [TimedCell("1", 3.0, 0.5), TimedCell("2", 3.0 * span, 0.6)]
    assert_legible(quality_time_picture(cells, LOSS))


# Learning curves.


def test_curves_are_named_and_differ_in_dashes_and_markers() -> None:
    curves = [
        Curve("cell 50", (Role.BEST,), (0.80, 0.90, 0.94), 3),
        Curve("cell 1", (Role.BASELINE,), (0.78, 0.89, 0.93), 2),
        Curve("cell 55", (Role.WORST,), (0.70, None, 0.92), 3),
        Curve("cell 9", (Role.NOT_LEARNED,), (0.5, float("nan"), 0.1), 1, not_learned=True),
    ]
    picture = assert_legible(curves_picture(curves, ACCURACY))
    assert {"best: cell 50", "baseline: cell 1", "worst: cell 55", "did not learn: cell 9", "epoch"} <= set(
        texts(picture)
    )
    looks = STYLES.values()
    assert len({style.color for style in looks}) == len({style.marker for style in looks}) == len(looks)
    # In the key and in the plot, one pattern for each but the solid one.
    assert len(dashes(picture)) == 4
    assert "cell 9: 0.50 after epoch 1, 0.10 after epoch 3" in picture.alt


def test_one_cell_may_be_best_worst_and_baseline() -> None:
    curve = Curve("cell 1", (Role.BEST, Role.WORST, Role.BASELINE), (0.5,), 1)
    assert "best, worst, baseline: cell 1" in texts(assert_legible(curves_picture([curve], ACCURACY)))


def test_many_long_curves() -> None:
    curves = [
        Curve(f"组合 {n}", (Role.NOT_LEARNED,), tuple(0.5 + n / 9e3 for _ in range(300)), None, True) for n in range(40)
    ]
    with speaking("zh"):
        picture = assert_legible(curves_picture(curves, LOSS))
    assert len(picture.svg) < 250_000


# Heat maps.


def grid(*sizes: int) -> tuple[list[GridFactor], list[GridCell]]:
    factors = [
        GridFactor(f"factor_{place}", tuple(f"{n / 10:g}" for n in range(size))) for place, size in enumerate(sizes)
    ]
    cells = [
        GridCell(str(number), {f.name: level for f, level in zip(factors, levels, strict=True)}, 0.5 + number / 1e4)
        for number, levels in enumerate(itertools.product(*(f.levels for f in factors)))
    ]
    return factors, cells


@pytest.mark.parametrize("sizes", [(2,), (9,), (2, 2), (3, 4, 2), (10, 10, 10), (2,) * 10, (64,), (2, 31)])
def test_grids_of_every_shape(sizes: tuple[int, ...]) -> None:
    assert_legible(heat_map_picture(*grid(*sizes), ACCURACY))


def test_not_learned_failed_and_equal_cells() -> None:
    factors, cells = grid(2, 3)
    odd = [
        GridCell("1", cells[0].levels, 0.1, not_learned=True),
        GridCell("2", cells[1].levels, None),
        GridCell("3", cells[2].levels, float("nan")),
        GridCell("4", cells[3].levels, 0.5, is_best=True, is_baseline=True),
        GridCell("5", cells[4].levels, 0.5),
        GridCell("6", cells[4].levels, 0.7),
    ]
    picture = assert_legible(heat_map_picture(factors, odd, LOSS))
    assert {"0.100†", "0.500", "0.600", "no result", "† did not learn", "best", "baseline"} <= set(texts(picture))


def shade(picture: Picture, text: str) -> str:
    """The colour upon which a text stands; of several, the first."""
    found = ""
    x, y = next(
        (float(one.get("x", "nan")), float(one.get("y", "nan")))
        for one in ET.fromstring(picture.svg).iter(f"{SVG}text")
        if one.text == text
    )
    for path in ET.fromstring(picture.svg).iter(f"{SVG}path"):
        numbers = [float(one) for one in re.findall(r"[-\d.]+", path.get("d", ""))]
        fill = re.search(r"fill: (#\w+)", path.get("style", ""))
        if fill and min(numbers[::2]) < x < max(numbers[::2]) and min(numbers[1::2]) < y < max(numbers[1::2]):
            found = fill[1]
    return found


@pytest.mark.parametrize(("learned", "decimals"), [([0.7, 0.7], 2), ([0.3, 0.1 + 0.2], 3), ([0.7], 2)])
def test_equal_cells_that_learned_are_told_from_those_that_did_not(learned: list[float], decimals: int) -> None:
    factors, cells = grid(2, 2)
    shown = [replace(cell, value=value) for cell, value in zip(cells, learned, strict=False)]
    shown += [replace(cells[place], value=place / 10 - 0.1, not_learned=True) for place in (2, 3)]
    picture = assert_legible(heat_map_picture(factors, shown, ACCURACY))
    best, worse, worst = f"{learned[0]:.{decimals}f}", f"{0.2:.{decimals}f}†", f"{0.1:.{decimals}f}†"
    assert len({shade(picture, text) for text in (best, worse, worst)}) == 3
    assert shade(picture, best) == Shades(0.0, 1.0, lower_is_better=False).color(1.0), "the best is the brightest"
    assert texts(picture).count("0.2" if decimals == 2 else "0.20") == 1, "the bar has ticks"


def test_one_value_has_a_tick() -> None:
    factors, cells = grid(2, 2)
    picture = assert_legible(heat_map_picture(factors, [replace(cell, value=0.7) for cell in cells], ACCURACY))
    assert texts(picture).count("0.7000") == 5


def test_what_did_not_learn_is_not_shown_as_the_worst_that_did() -> None:
    factors, cells = grid(2, 2)
    for sign, response in ((1, ACCURACY), (-1, LOSS)):
        shown = [replace(cell, value=value) for cell, value in zip(cells, (0.6, 0.7, 0.8), strict=False)]
        shown.append(replace(cells[3], value=0.7 - 0.2 * sign, not_learned=True))
        picture = assert_legible(heat_map_picture(factors, shown, response))
        assert shade(picture, f"{0.7 - 0.2 * sign:.3f}†") == spelled(BEYOND)
        assert shade(picture, f"{0.7 - 0.1 * sign:.3f}") != spelled(BEYOND)
        assert "†" in texts(picture), "below the bar"


def test_no_grid_is_no_map() -> None:
    factors, cells = grid(2, 2)
    assert heat_map_picture(factors, [], ACCURACY) is None
    assert heat_map_picture(factors, cells[:1], ACCURACY) is None
    assert heat_map_picture([], cells, ACCURACY) is None
    assert heat_map_picture(factors, [GridCell("1", cells[0].levels, None), cells[1]][:1], ACCURACY) is None
    assert heat_map_picture(*grid(70, 70), ACCURACY) is None


# What holds for all figures.


def examples() -> list[Picture | None]:
    factors = [FactorMeans("学习率", (LevelPoint("1e-05", 0.5, 0.01), LevelPoint("2e-05", 0.6, None)), True)]
    points = EffectPoints(
        (EffectPoint("学习率", 0.1, True), EffectPoint("冻结层", 0.01, False)), Scale.EFFECT, 0.01, 0.05
    )
    return [
        half_normal_picture(points, ACCURACY),
        main_effects_picture(factors, 0.55, ACCURACY),
        quality_time_picture([TimedCell("1", 1.0, 0.5), TimedCell("2", 2.0, 0.4)], ACCURACY),
        curves_picture([Curve("组合 1", (Role.BEST,), (0.1, 0.2))], ACCURACY),
        heat_map_picture(*grid(2, 3), ACCURACY),
    ]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_same_data_are_the_same_bytes(lang: str) -> None:
    with speaking(lang):
        assert examples() == examples()


def test_a_matplotlibrc_changes_nothing() -> None:
    import matplotlib as mpl

    plain = examples()
    hostile = {"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path", "axes.grid": True, "figure.dpi": 300}
    with mpl.rc_context(hostile):  # type: ignore[arg-type]
        assert examples() == plain
        assert mpl.rcParams["font.size"] == 30


def test_ids_of_two_figures_never_meet_in_a_page() -> None:
    ids = [set(re.findall(r'\bid="([^"]+)"', picture.svg)) for picture in examples() if picture]
    assert all(one.isdisjoint(other) for one, other in itertools.combinations(ids, 2))
    used = [set(re.findall(r"#([a-z][0-9a-f]{10})\b", picture.svg)) for picture in examples() if picture]
    assert all(names <= known for names, known in zip(used, ids, strict=True))


@pytest.mark.slow  # 4 s
def test_matplotlib_is_loaded_when_a_figure_is_drawn_and_pyplot_never() -> None:
    code = """
import sys
from reports.sections.figures import effect_pictures
from reports.figures.quality_time import quality_time_picture
from reports.figures.figure import Response, TimedCell
assert "matplotlib" not in sys.modules
assert quality_time_picture([TimedCell("1", 1.0, 0.5)], Response("accuracy"))
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours."""
    channels = ([int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)] for color in (one, other))
    linear = ([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color] for color in channels)
    low, high = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in linear)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_has_one_that_shows_on_dark_screens() -> None:
    known = {color.lower() for color in DARK}
    for picture in examples():
        assert picture is not None
        drawn = picture.svg.split("</style>")[1]
        texts_in = re.findall(r"<text style=\"[^\"]*fill: (#\w+)", drawn)
        if picture.name != "heat-map":
            assert set(re.findall(r"(?:fill|stroke): (#\w+)", drawn)) <= known
            assert set(texts_in) == {INK}
    assert contrast(DARK[INK], GROUND) >= 4.5
    faint = {PAPER, GRID, BAND}
    assert [color for color, dark in DARK.items() if color not in faint and contrast(dark, GROUND) < 3] == []


@pytest.mark.slow  # thousands of shades
def test_shades_and_what_is_written_on_them_stay_what_they_are() -> None:
    shades = Shades(0.0, 1.0, lower_is_better=False)
    values = [place / 2000 for place in range(2001)]
    upon = {shades.ink(value) for value in values}
    assert ({shades.color(value) for value in values} | upon) & {color.lower() for color in DARK} == set()
    assert min(contrast(shades.color(value), shades.ink(value)) for value in values) >= 4.5


def test_chinese_is_text_for_the_readers_font() -> None:
    with speaking("zh"):
        pictures = [assert_legible(picture) for picture in examples()]
    half_normal, main_effects, *_ = pictures
    assert "Noto Sans CJK SC" in half_normal.svg
    assert "纯噪声" in texts(half_normal)
    assert "学习率" in texts(main_effects)
    assert text_width("学习率") == 3 * FONT_SIZE


def test_neighbouring_lines_differ_in_colour_dashes_and_marker() -> None:
    styles = [line_style(number) for number in range(280)]
    assert len(set(map(repr, styles))) == 280
    for one, other in itertools.pairwise(styles):
        assert one.color != other.color
        assert one.dashes != other.dashes
        assert one.marker != other.marker


def test_nothing_to_draw_is_no_picture() -> None:
    assert half_normal_picture(EffectPoints((), Scale.EFFECT, 1.0, None), ACCURACY) is None
    assert main_effects_picture([], 0.5, ACCURACY) is None
    assert main_effects_picture([FactorMeans("a", (), False)], 0.5, ACCURACY) is None
    assert interactions_picture([], ACCURACY) is None
    assert quality_time_picture([], ACCURACY) is None
    assert quality_time_picture([TimedCell("1", 0.0, 0.5), TimedCell("2", 1.0, float("nan"))], ACCURACY) is None
    assert curves_picture([], ACCURACY) is None
    assert (
        curves_picture([Curve("1", (Role.BEST,), ()), Curve("2", (Role.WORST,), (None, float("nan")))], ACCURACY)
        is None
    )


def test_a_thousand_cells() -> None:
    rng = random.Random(2)
    cells = [TimedCell(str(n), rng.lognormvariate(5, 1.5), rng.gauss(0.9, 0.01), n == 1) for n in range(1000)]
    assert_legible(quality_time_picture(cells, ACCURACY, 0.01))
    points = EffectPoints(tuple(EffectPoint(f"f{n}", rng.gauss(0, 1), n < 30) for n in range(1000)), Scale.T, 1.0, 4.0)
    assert_legible(half_normal_picture(points, ACCURACY))


@pytest.mark.slow  # many labels, drawn at random
@settings(max_examples=12)
@given(name=LABELS, level=LABELS)
def test_any_label_is_valid_xml(name: str, level: str) -> None:
    levels = (LevelPoint(level, 0.5, 0.1), LevelPoint("0", 0.6, 0.1))
    picture = assert_legible(main_effects_picture([FactorMeans(name, levels, True)], 0.5, Response(name[:20])))
    assert ET.fromstring(picture.svg) is not None


# From a ledger.


def test_a_small_study(study: Study) -> None:
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\nseeds = [0, 1]\n"))
    for cell in (1, 2, 3, 4):
        for replicate in (0, 1):
            not_learned = "every dev row gets the same label" if (cell, replicate) == (2, 0) else ""
            result = outcome(
                0.8 + cell / 100 + replicate / 50, 0.7 + cell / 100, seconds=2.0 / cell, not_learned=not_learned
            )
            writer.finish(cell, result, replicate)
    with study.open() as ledger:
        rows = read_study(ledger)
    epochs = {replicate.trial: (0.5, replicate.dev) for cell in rows.cells for replicate in cell.finished}
    pictures = study_pictures(rows, epochs)
    assert [picture.name for picture in pictures] == ["heat-map", "quality-time", "curves"]
    with speaking("zh"):
        pictures_in_chinese = study_pictures(rows, epochs)
    for picture in (*pictures, *pictures_in_chinese):
        assert_legible(picture)
    assert {"bertadam", "frozen_layers", "accuracy on test, brighter is better", "0.7400"} <= set(texts(pictures[0]))
    assert {"4", "1", "accuracy on dev"} <= set(texts(pictures[1]))
    assert {"best: cell 4, seed 0", "worst, baseline: cell 1, seed 1", "did not learn: cell 2, seed 0"} <= set(
        texts(pictures[2])
    )
    assert [cell.seconds for cell in timed_cells(rows)] == pytest.approx([4.0, 2.0, 4 / 3, 1.0])
    assert dev_run_sd(rows) == pytest.approx(0.02 / 2**0.5)
    assert [curve.not_learned for curve in study_curves(rows, epochs)] == [False] * 4 + [True]


def test_an_unfinished_study_has_no_pictures(study: Study) -> None:
    Writer(study, small_plan())
    with study.open() as ledger:
        assert study_pictures(read_study(ledger)) == ()


def test_a_published_table_has_a_map(study: Study, seeds: Path) -> None:
    import_table(seeds / "003_finetune64.md", None, study)
    with study.open() as ledger:
        (picture,) = study_pictures(read_study(ledger))
    assert {"0.9405", "best", "baseline", "result, brighter is better"} <= set(texts(assert_legible(picture)))
