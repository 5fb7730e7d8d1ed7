"""A column that tells the seed of each row: no factor, but the block of its run."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from reports.importing.imported import store
from reports.importing.notes import Layout, named_patterns, read_notes
from reports.importing.seed_columns import seed_columns
from reports.importing.tables import read_table
from reports.language.say import speaking
from reports.page import make_page
from reports.sections.context import PageContext
from reports.study.measured import measured
from reports.study.sampled import is_observational
from reports.study.view import StudyRows
from tests.reports.pages import read

COLUMNS = ["lr", "seed", "Fold"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], ("seed", "Fold")),
        (["none"], ()),
        (["lr"], ("lr",)),
        (["Fold", "seed"], ("Fold", "seed")),
    ],
)
def test_which_columns_are_taken(asked: list[str], found: tuple[str, ...]) -> None:
    assert seed_columns(asked, COLUMNS, "f1", []) == found


@pytest.mark.parametrize(
    "name", ["seed", "SEEDS", "random seed", "random-seed", "fold", "run", "种子", "随机种子", "折"]
)
def test_what_seeds_are_called(name: str) -> None:
    assert seed_columns([], ["lr", name], "f1", []) == (name,)
    assert seed_columns([], [name], "f1", []) == ()  # nothing else is left to compare
    assert seed_columns([], ["lr", f"{name} of"], "f1", []) == ()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (["sed"], "--seed: unknown column 'sed' .did you mean 'seed'..; known: lr, seed, Fold"),
        (["f1"], "--seed: column 'f1' holds the results"),
        (["dev"], "--seed and --score both name column 'dev'"),
        (["seed", "seed"], "--seed names column 'seed' twice"),
        (["none", "seed"], "--seed: unknown column 'none'"),
    ],
)
def test_columns_that_tell_no_seed(asked: list[str], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        seed_columns(asked, COLUMNS, "f1", ["dev"])


def write(folder: Path, rows: Sequence[str]) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def imported(folder: Path, rows: Sequence[str], seeds: Sequence[str] = ()) -> StudyRows:
    study = Study(folder / "study")
    store(read_table(write(folder, rows), None, seeds=seeds), study)
    return read(study)


SMALL = ["seed,lr,fold,dev,f1", "0,1,a,.1,0.5", "1,1,b,.1,0.6", "0,2,a,.2,0.7", "1,2,b,.2,0.9"]


def test_rows_of_other_seeds_are_one_recipe_run_again(tmp_path: Path) -> None:
    found = imported(tmp_path, SMALL)
    assert [factor.name for factor in found.factors] == ["lr", "dev"]
    assert tuple(found.published.seeds) == ("seed", "fold")
    assert [run.block for run in measured(found, "dev").runs] == [("a", "0"), ("b", "1")] * 2
    assert [cell[2] for cell in measured(found, "dev").cells] == [(0.5, 0.6), (0.7, 0.9)]


def test_the_table_shows_the_seed(tmp_path: Path) -> None:
    found = imported(tmp_path, SMALL)
    page = make_page(found)
    text = " ".join(page.format().split())
    assert "| index | lr | dev | seed | fold | f1 |" in text
    assert "| 2 | 1 | .1 | 1 | b | 0.6 |" in text
    assert "The seed of a row, and no factor: `seed`, `fold`." in text
    assert page.numbers()["observations"][1]["seeds"] == {"seed": "1", "fold": "b"}
    with speaking("zh"):
        assert "各行的随机种子，不是因素：`seed`" in "".join(make_page(found).format().split())


def test_a_page_with_seeds_is_read_back(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, SMALL), None, ["dev"])
    study = Study(tmp_path / "study")
    store(table, study)
    page = tmp_path / "page.md"
    page.write_text(make_page(read(study)).format(), encoding="utf-8")
    again = read_table(page, "f1", ["dev"])
    assert (again.rows, again.seeds) == (table.rows, table.seeds)


def test_a_ledger_without_seeds_is_read(tmp_path: Path) -> None:
    study = Study(tmp_path / "study")
    store(read_table(write(tmp_path, SMALL), None, seeds=["none"]), study)
    with study.driven() as ledger, ledger.connection as old:
        old.execute("DELETE FROM study WHERE key IN ('seeds', 'seal')")
        old.execute("UPDATE study SET value = json_remove(value, '$.seeds') WHERE key = 'published'")
    found = read(study)
    assert found.published.seeds == ()
    assert [row.repetition for row in found.observations] == [None] * 4


def test_rows_run_again_make_no_sample_of_a_fraction(tmp_path: Path) -> None:
    """A quarter of 32 cells, balanced; of one of its rows a run is missing."""
    quarter = [f"{a},{b},{c},{a ^ b},{a ^ c}" for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    rows = [f"{levels},{seed},0.{seed}{place}" for place, levels in enumerate(quarter) for seed in (1, 2)][1:]
    assert not is_observational(imported(tmp_path, ["a,b,c,d,e,seed,f1", *rows]))


def test_a_seed_is_not_inert(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, SMALL), None)
    with pytest.raises(RequestError, match="--inert: column 'seed' is taken as the seed of each row"):
        store(table, Study(tmp_path / "study"), ["seed"])


def test_nothing_is_left_to_compare(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="besides 'lr', 'seed', 'f1' the table needs a column to compare"):
        read_table(write(tmp_path, ["lr,seed,f1", "1,1,0.5"]), None, seeds=["lr", "seed"])


def test_notes(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("run 1 fgm seed = 7 0.9\nrun 2 pgd seed = 8 0.8\nrun 3 fgm seed = 9\n", encoding="utf-8")
    row, columns = named_patterns("", [r"row=run \d"])["row"], ["attack=(fgm|pgd)", r"seed=seed = (\d+)"]
    found = read_notes(path, Layout(row, named_patterns("--column", columns)))
    assert (found.factors, found.seeds) == (("attack",), ("seed",))
    assert [row.seeds for row in found.rows] == [{"seed": "7"}, {"seed": "8"}]
    assert [row.index for row in found.without] == ["run 3"]
    asked = Layout(row, named_patterns("--column", columns[:1]), seeds=named_patterns("--seed", columns[1:]))
    assert read_notes(path, asked) == found
    assert read_notes(path, Layout(row, named_patterns("--column", columns), seeds={})).factors == ("attack", "seed")


def table_of(effect: float, page: int) -> list[str]:
    """2^4 cells with three seeds; what a seed does to all cells has three times the noise's standard deviation."""
    noise = np.random.default_rng(page)
    shift = 3 * noise.standard_normal(3)
    rows = ["a,b,c,d,seed,f1"]
    for cell in range(16):
        levels = [cell >> place & 1 for place in range(4)]
        for seed in range(3):
            value = effect * levels[0] + shift[seed] + noise.standard_normal()
            rows.append(f"{','.join(map(str, levels))},{seed},{value:.6f}")
    return rows


def found_in(folder: Path, effect: float, page: int, seeds: Sequence[str] = ()) -> set[tuple[str, ...]]:
    folder = folder / f"{page}{''.join(seeds)}"
    folder.mkdir()
    analysis = PageContext(imported(folder, table_of(effect, page), seeds)).analysis
    assert "seed" not in {name for one in analysis.effects for name in one.factors} or seeds == ["none"]
    return {effect.factors for effect in analysis.found}


@pytest.mark.slow  # 4 s
@pytest.mark.parametrize("n_pages", [20, 200])
def test_a_seed_is_never_named(tmp_path: Path, n_pages: int) -> None:
    named = sum(bool(found_in(tmp_path, 0.0, page)) for page in range(n_pages))
    # 5 % of pages of noise name an effect; more than these does chance allow once in ten thousand times.
    assert named <= {20: 6, 200: 23}[n_pages]


@pytest.mark.slow  # 4 s
def test_an_effect_beside_a_large_effect_of_seeds_is_found(tmp_path: Path) -> None:
    """Without the blocks its error would hold what the seeds do."""
    with_blocks = [("a",) in found_in(tmp_path, 1.5, page) for page in range(20)]
    assert sum(with_blocks) >= 14
