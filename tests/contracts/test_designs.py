"""Contracts: which cells a design asks for, how a list names them, and how studies grow from one design to another."""

import itertools
import json
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.space.design import alias_texts, parse_design
from gridsearch.space.factor import Factor, Level
from gridsearch.space.fraction import MOST_FACTORS, aliased_effects, fraction_columns, fraction_runs
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study

FACTORS = """
[factors]
reinit_layers = [0, 6, 3]
bert_adam = [true, false]
epochs = [3, 4]
"""
LIST = (
    FACTORS
    + """
[design]
kind = "list"
seeds = [0, 1]
rows = [
    { row = "plain" },
    { row = "adam", bert_adam = true },
    { row = "all of it", bert_adam = "1", reinit_layers = 6, epochs = "4" },
]
"""
)


def design(kind: str, more: str = "") -> str:
    return f'{FACTORS}[design]\nkind = "{kind}"\n{more}\n'


def labels(text: str) -> list[str]:
    return [" ".join(cell.levels.values()) for cell in parse_space(text, "test").cells()]


def test_one_at_a_time_is_the_baseline_and_then_each_other_level() -> None:
    assert labels(design("one-at-a-time")) == ["0 0 3", "6 0 3", "3 0 3", "0 1 3", "0 0 4"]


def test_rows_name_what_departs_from_the_baseline() -> None:
    cells = list(parse_space(LIST, "test").cells())
    assert [(cell.row, *cell.levels.values()) for cell in cells] == [
        ("plain", "0", "0", "3"), ("adam", "0", "1", "3"), ("all of it", "6", "1", "4"),
    ]  # fmt: skip
    assert (cells[2].recipe.reinit_layers, cells[2].recipe.bert_adam, cells[2].recipe.epochs) == (6, True, 4)


def test_rows_may_be_tables_of_their_own() -> None:
    text = FACTORS + '[design]\nkind = "list"\n[[design.rows]]\nrow = "a"\nepochs = 4\n[[design.rows]]\nrow = "b"\n'
    assert labels(text) == ["0 0 4", "0 0 3"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ('kind = "list"', 'a list needs rows, such as rows = [{ row = "first"'),
        ('kind = "list"\nrows = []', "a list needs rows"),
        ('kind = "list"\nrows = [{ epochs = 4 }]', "row number 1 needs a name"),
        ('kind = "list"\nrows = [{ row = "a" }, { row = " " }]', "row number 2 needs a name"),
        (
            'kind = "list"\nrows = [{ row = "a", epoch = 4 }]',
            "row 'a': unknown factor 'epoch' (did you mean 'epochs'?)",
        ),
        ('kind = "list"\nrows = [{ row = "a", epochs = 5 }]', "row 'a': unknown level of epochs 5; known: 3, 4"),
        ('kind = "list"\nrows = [{ row = "a" }, { row = "a", epochs = 4 }]', "2 rows are called 'a'"),
        ('kind = "list"\nrows = 3', "rows: input should be a valid list"),
        ('rows = [{ row = "a" }]', "only kind = 'list' has rows, but kind is 'full'"),
        ("resolution = 4", "only kind = 'fraction' has resolution, but kind is 'full'"),
        ('kind = "fraction"', "a fraction needs its resolution"),
        ('kind = "fraction"\nresolution = 2', "resolution: input should be greater than or equal to 3"),
        ('kind = "fraction"\nresolution = 4', "factors of two levels, but reinit_layers has 0, 6, 3"),
        ('kind = "random"', "a random design needs its number of cells, such as cells = 20"),
        ('kind = "random"\ncells = 0', "cells: input should be greater than or equal to 1"),
        ("cells = 20", "only kind = 'random' has cells, but kind is 'full'"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(more: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_space(f"{FACTORS}[design]\n{more}\n", "test")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "kind", ["full", "one-at-a-time", 'fraction"\nresolution = "4', 'list"\nrows = [{ row = "a" }]\non_dead = "refuse']
)
def test_no_design_of_levels_takes_a_range(kind: str) -> None:
    text = f'[factors.learning_rate]\nrange = {{ low = 1e-5, high = 1e-4 }}\n[design]\nkind = "{kind}"\n'
    with pytest.raises(RequestError, match="needs levels, and the range of learning_rate has no end of them"):
        list(parse_space(text.replace('"4"', "4"), "test").cells())


@pytest.mark.parametrize("factors", ["[factors.row]\nlevels = [1]", '[factors.epochs]\nlabel = "row"\nlevels = [1, 2]'])
def test_row_is_not_the_name_of_a_factor(factors: str) -> None:
    with pytest.raises(RequestError, match=r"'row' is what a list|has a column 'row' of its own"):
        parse_space(factors.replace("levels = [1]", "levels = { a = { epochs = 1 } }"), "test")


def test_rows_of_one_recipe_share_their_trials(plan_of) -> None:
    plan = plan_of(LIST.replace('{ row = "plain" },', '{ row = "plain" }, { row = "more data" },'))
    assert [cell.row for cell in plan.cells] == ["plain", "more data", "adam", "all of it"]
    assert plan.cells[0].trials == plan.cells[1].trials
    assert len(plan.trials) == 3 * 2
    assert [[cell.row for cell in group] for group in plan.same_rows] == [["plain", "more data"]]
    assert plan.baseline is plan.cells[0]


def test_a_list_need_not_hold_the_baseline(plan_of) -> None:
    plan = plan_of(LIST.replace('{ row = "plain" },', ""))
    assert plan.baseline is None
    assert len(plan.in_running_order(set(plan.trials))) == 4


def test_other_designs_refuse_cells_of_one_recipe(plan_of) -> None:
    text = '[factors]\nencoder_dropout = ["checkpoint", 0.1]\n[design]\nkind = "one-at-a-time"\n'
    with pytest.raises(RequestError, match=r"cell encoder_dropout = checkpoint and cell .* are the same recipe"):
        plan_of(text)


def test_errors_name_the_row(plan_of) -> None:
    with pytest.raises(RequestError, match=r"small, row 'b': reinit_pooler cannot act: pooling = 'cls' never uses"):
        plan_of('[factors]\nreinit_pooler = [false, true]\n[design]\nkind = "list"\n'
                'rows = [{ row = "a" }, { row = "b", reinit_pooler = true }]\n')  # fmt: skip
    with pytest.raises(RequestError, match=r"small, row 'deep': frozen and re-initialised layers may not exceed"):
        plan_of('[factors]\nreinit_layers = [0, 13]\n[design]\nkind = "list"\n'
                'rows = [{ row = "deep", reinit_layers = 13 }]\n')  # fmt: skip


RULE = '[[rules]]\nskip = "bert_adam"\nwhy = "known"\n'


@pytest.mark.parametrize(
    ("text", "planned", "excluded"),
    [(design("one-at-a-time"), 4, [""]), (LIST, 1, ["adam", "all of it"]), (design("full"), 6, [""] * 6)],
)
def test_rules_apply_to_every_design(plan_of, text: str, planned: int, excluded: list[str]) -> None:
    plan = plan_of(text + RULE)
    assert len(plan.cells) == planned
    assert [cell.row for cell in plan.excluded] == excluded


def test_one_at_a_time_the_baseline_runs_first(plan_of) -> None:
    plan = plan_of(design("one-at-a-time", "seeds = [0, 1]"))
    order = plan.in_running_order(set(plan.trials))
    assert {trial.id for trial in order[:2]} == {trial.id for trial in plan.cells[0].trials}
    assert {trial.id for trial in order} == set(plan.trials)


def grow(folder: Path, plan) -> int:
    with Study(folder).driven() as ledger:
        return ledger.adopt(plan, {})


def test_studies_grow_from_design_to_design(tmp_path: Path, plan_of) -> None:
    """A list, all of whose rows are one change away, then one at a time, then all combinations: nothing runs twice."""
    first = FACTORS + '[design]\nkind = "list"\nrows = [{ row = "a" }, { row = "b", bert_adam = true }]\n'
    assert grow(tmp_path / "study", plan_of(first)) == 2
    assert grow(tmp_path / "study", plan_of(design("one-at-a-time"))) == 3
    assert grow(tmp_path / "study", plan_of(design("full"))) == 12 - 5
    with pytest.raises(RequestError, match="some of its cells are no longer asked for"):
        grow(tmp_path / "study", plan_of(design("one-at-a-time")))


def test_a_fraction_grows_to_all_combinations(tmp_path: Path, plan_of) -> None:
    text = FACTORS.replace(", 3]", "]") + '[design]\nkind = "fraction"\nresolution = 3\n'
    assert grow(tmp_path / "study", plan_of(text)) == 4
    assert grow(tmp_path / "study", plan_of(FACTORS.replace(", 3]", "]"))) == 4


@pytest.mark.parametrize("change", ['{ row = "adam", epochs = 4 }', '{ row = "other", epochs = 4 }'])
def test_a_changed_row_is_named(tmp_path: Path, plan_of, change: str) -> None:
    grow(tmp_path / "study", plan_of(LIST))
    with pytest.raises(RequestError, match="row 'adam' is no longer listed as it was"):
        grow(tmp_path / "study", plan_of(LIST.replace('{ row = "adam", bert_adam = true }', change)))


def test_a_row_may_be_renamed_and_added(tmp_path: Path, plan_of) -> None:
    grow(tmp_path / "study", plan_of(LIST))
    assert grow(tmp_path / "study", plan_of(LIST.replace('"adam",', '"without correction",'))) == 0
    assert grow(tmp_path / "study", plan_of(LIST.replace("rows = [", 'rows = [{ row = "new", epochs = 4 },'))) == 2


def test_the_ledger_keeps_the_names_of_rows(tmp_path: Path, plan_of) -> None:
    grow(tmp_path / "study", plan_of(LIST.replace('"plain" }', '"plain" }, { row = "again" }') + RULE))
    with Study(tmp_path / "study").open() as ledger:
        cells = [
            json.loads(row["levels"]) for row in ledger.connection.execute("SELECT * FROM cells ORDER BY position")
        ]
        excluded = [json.loads(row["levels"]) for row in ledger.connection.execute("SELECT levels FROM excluded")]
    assert cells[1] == {"row": "again", "reinit_layers": "0", "bert_adam": "0", "epochs": "3"}
    assert [levels["row"] for levels in excluded] == ["adam", "all of it"]


def test_the_smallest_fractions_are_those_of_the_textbooks() -> None:
    """Base factors for 3 to 11 factors: Montgomery, Design and Analysis of Experiments, table 8.14."""
    assert [max(fraction_columns(n, 3)).bit_length() for n in range(3, 12)] == [2, 3, 3, 3, 3, 4, 4, 4, 4]
    assert [max(fraction_columns(n, 4)).bit_length() for n in range(3, 12)] == [3, 3, 4, 4, 4, 4, 5, 5, 5]
    assert [max(fraction_columns(n, 5)).bit_length() for n in range(3, 12)] == [3, 4, 4, 5, 6, 6, 7, 7, 7]


@pytest.mark.parametrize(("n_factors", "resolution"), list(itertools.product((2, 3, 5, 7, 11, 17), (3, 4, 5))))
def test_a_fraction_has_its_resolution_and_is_balanced(n_factors: int, resolution: int) -> None:
    columns = fraction_columns(n_factors, resolution)
    for size in range(1, resolution):
        for word in itertools.combinations(columns, size):
            value = 0
            for column in word:
                value ^= column
            assert value, "a word that is too short"
    runs = fraction_runs(columns)
    assert len(set(runs)) == len(runs)
    assert runs[0] == (0,) * n_factors
    for place in range(n_factors):
        assert sum(run[place] for run in runs) * 2 == len(runs)
    if resolution == 5:
        assert aliased_effects(columns) == []


def test_a_fraction_of_five_factors_tells_its_two_factor_interactions_apart() -> None:
    """16 runs are needed for resolution 4, and they can have 5."""
    assert len(fraction_runs(fraction_columns(5, 4))) == 16
    assert alias_texts("abcde", 4) == []


def test_cells_of_a_fraction_stand_in_table_order_with_the_baseline_among_them(plan_of) -> None:
    text = "[factors]\nbert_adam = [true, false]\nreinit_layers = [0, 6]\nepochs = [3, 4]\n"
    plan = plan_of(text + '[design]\nkind = "fraction"\nresolution = 3\n')
    assert [" ".join(cell.levels.values()) for cell in plan.cells] == ["1 0 4", "1 6 3", "0 0 3", "0 6 4"]
    assert plan.baseline is plan.cells[2]


def test_too_many_factors_for_a_fraction() -> None:
    many = [Factor(f"f{n}", f"f{n}", (Level("0", {}), Level("1", {})), "0") for n in range(MOST_FACTORS + 1)]
    with pytest.raises(RequestError, match=f"at most {MOST_FACTORS} factors, but there are {MOST_FACTORS + 1}"):
        parse_design({"kind": "fraction", "resolution": 3}, many, "test")
