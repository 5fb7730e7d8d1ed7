"""Contract: what a space file may say, what it means, and what is refused."""

import csv
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.encoders.card import EncoderCard
from gridsearch.errors import RequestError
from gridsearch.planning.planner import make_plan
from gridsearch.space.rules import parse_rule
from gridsearch.space.space import load_space, parse_space
from search_spaces import find_space, names_of_spaces
from tests.reports.conftest import small_task

FACTORS = "[factors]\nbert_adam = [false, true]\nreinit_layers = [0, 6]\n"


def labels(text: str) -> list[list[str]]:
    return [list(cell.levels.values()) for cell in parse_space(text, "test").cells()]


def test_cells_are_in_declaration_order_with_the_first_factor_slowest() -> None:
    assert labels(FACTORS) == [["0", "0"], ["0", "6"], ["1", "0"], ["1", "6"]]


def test_a_level_sets_the_knob_named_as_the_factor() -> None:
    cells = list(parse_space(FACTORS, "test").cells())
    assert [(cell.recipe.bert_adam, cell.recipe.reinit_layers) for cell in cells] == [
        (False, 0), (False, 6), (True, 0), (True, 6),
    ]  # fmt: skip


def test_named_levels_set_several_knobs_and_fall_back_to_the_fixed_part() -> None:
    text = """
        [recipe]
        adam_epsilon = 1e-7
        [factors.adam.levels]
        plain = { bert_adam = false }
        rough = { bert_adam = true, adam_epsilon = 1e-6 }
    """
    plain, rough = parse_space(text, "test").cells()
    assert (plain.recipe.bert_adam, plain.recipe.adam_epsilon) == (False, 1e-7)
    assert (rough.recipe.bert_adam, rough.recipe.adam_epsilon) == (True, 1e-6)


def test_column_label_and_baseline() -> None:
    space = parse_space('[factors.bert_adam]\nlabel = "bertadam"\nlevels = [true, false]\n', "test")
    assert (space.factors[0].column, space.factors[0].baseline) == ("bertadam", "0")


def test_a_space_may_name_another_baseline() -> None:
    space = parse_space('[factors.learning_rate]\nlevels = [1e-5, 5e-5]\nbaseline = "1e-05"\n', "test")
    assert space.factors[0].baseline == "1e-05"


def test_a_space_may_name_its_task() -> None:
    assert parse_space(FACTORS, "test").task is None
    assert parse_space(f'task = "mine.toml"\n{FACTORS}', "test").with_design(seeds=[1]).task == "mine.toml"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('tasks = "rte"\n' + FACTORS, "unknown section 'tasks' (did you mean 'task'?)"),
        ("task = 5\n" + FACTORS, "task must be the name of a task or the path of its TOML file, but is 5"),
        ('task = ""\n' + FACTORS, "task must be the name of a task or the path of its TOML file, but is ''"),
        ("[factors]\nbertadam = [0, 1]\n", "unknown knob 'bertadam' (did you mean 'bert_adam'?)"),
        ("[recipe]\nlearning_rat = 1e-5\n" + FACTORS, "unknown knob 'learning_rat' (did you mean 'learning_rate'?)"),
        ("[factors]\nbert_adam = []\n", "levels must be a list of values or a table of named levels, and not empty"),
        ("[factors]\nbert_adam = [true, true]\n", "levels must differ"),
        ("[factors]\nlearning_rate = [1e-5, 0.00001]\n", "levels must differ"),
        ("[factors]\nweight_decay = [0, 0.0]\n", "levels '0' and '0.0' are the same"),
        (
            '[factors]\nbert_adam = ["False", true]\n',
            "bert_adam: input should be a valid boolean (true or false), but got 'False'",
        ),
        ("[factors]\nbert_adam = [0, 1]\n", "bert_adam: input should be a valid boolean (true or false), but got 0"),
        ("[factors]\nepochs = [1.5]\n", "epochs: input should be a valid integer"),
        ("[factors]\nepochs = [0, 1]\n", "epochs: input should be greater than or equal to 1, but got 0"),
        ("[factors]\nweight_decay = [nan]\n", "weight_decay: input should be a finite number"),
        ('[factors]\nprecision = ["fp16"]\n', "precision: input should be 'fp32' or 'bf16'"),
        (
            "[factors.learning_rate]\nrange = { low = 1e-5, high = 1e-4 }\n",
            "kind = 'full' needs levels, and the range of learning_rate has no end of them",
        ),
        ("[recipe]\nbert_adam = true\n" + FACTORS, "bert_adam is varied by factor bert_adam"),
        ("[factors.a.levels]\nx = { epochs = 1 }\n[factors.b.levels]\ny = { epochs = 2 }\n", "both set epochs"),
        ("[factors.a.levels]\nx = {}\n", "level 'x' must set knobs"),
        ("[factors.a.levels]\nx = 3\n", "level 'x' must set knobs"),
        (
            FACTORS + '[design]\nkind = "fractional"\n',
            "kind: input should be 'full', 'fraction', 'one-at-a-time', 'list' or 'random'",
        ),
        (FACTORS + "[design]\nseeds = []\n", "seeds: list should have at least 1 item"),
        (FACTORS + "[design]\nseeds = [1, 1]\n", "seeds must differ"),
        (FACTORS + '[design]\non_ded = "collapse"\n', "on_ded: extra inputs are not permitted"),
        (FACTORS + '[[rules]]\nskip = "reinit_layer > 0"\nwhy = "x"\n', "did you mean 'reinit_layers'?"),
        (FACTORS + '[[rules]]\nskip = "reinit_layers >"\nwhy = "x"\n', "cannot be read"),
        (FACTORS + '[[rules]]\nskip = "bert_adam"\n', "a rule has a text `skip` and a text `why`"),
        (FACTORS + "[desing]\n", "unknown section 'desing' (did you mean 'design'?)"),
        ("", "a space needs at least one factor"),
        ("factors = 3", "[factors] must be a table"),
        ("[factors", "is not TOML"),
        ('[factors.bert_adam]\nlevels = [true, false]\nbaseline = "2"\n', "unknown baseline level '2'; known: 1, 0"),
        ("[factors.bert_adam]\nlevels = [true, false]\nlable = 1\n", "unknown key 'lable' (did you mean 'label'?)"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        list(parse_space(text, "test").cells())
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


RULE_NAMES = ["frozen_layers", "bert_adam", "pooling", "factor.attack", "weight_decay"]
SCOPE = {"frozen_layers": 6, "bert_adam": True, "pooling": "cls", "factor.attack": "fgm", "weight_decay": 0.01}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("frozen_layers > 0", True),
        ("frozen_layers > 0 and not bert_adam", False),
        ("not (frozen_layers > 0 and bert_adam)", False),
        ("pooling == 'cls' or false", True),
        ("pooling in ['mean', 'pooler']", False),
        ("pooling not in ['mean', 'pooler']", True),
        ("0 < frozen_layers <= 6", True),
        ("factor.attack != 'none'", True),
        ("weight_decay == 0.01", True),
        ("frozen_layers > -1", True),
        ("bert_adam == true", True),
    ],
)
def test_rules(rule: str, holds: bool) -> None:
    assert parse_rule(rule, RULE_NAMES)(SCOPE) is holds


@pytest.mark.parametrize(
    "rule",
    [
        "__import__('os')", "bert_adam.real", "pooling[0] == 'c'", "frozen_layers + 1 > 0", "lambda: 1", "",
        "[x for x in []]", "1 if bert_adam else 2", "frozen_layers", "pooling > 0", "f'{pooling}'",
        "factor.unknown == 1", "(bert_adam := true)",
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(RequestError):
        parse_rule(rule, RULE_NAMES)(SCOPE)


def test_a_share_of_the_depth_and_a_rule_on_it(plan_of) -> None:
    text = '[factors]\nreinit_layers = [0, "50%"]\n[[rules]]\nskip = "reinit_layers == 6"\nwhy = "told"\n'
    plan = plan_of(text)
    assert [cell.recipe.reinit_layers for cell in plan.cells] == [0]
    assert [(dict(cell.levels), cell.why) for cell in plan.excluded] == [({"reinit_layers": "50%"}, "told")]


@pytest.mark.parametrize("levels", ['[6, "50%"]', '["1/2", "50%"]', '["2/4", "1/2"]'])
def test_a_share_that_equals_a_number_is_the_same_level(plan_of, levels: str) -> None:
    with pytest.raises(RequestError, match="are the same recipe"):
        plan_of(f"[factors]\nreinit_layers = {levels}\n")


@pytest.mark.parametrize("value", ["0.5", '"0.5"', '"3/2"', '"1/0"', '"101%"', '"half"', "-1"])
@pytest.mark.parametrize("knob", ["reinit_layers", "frozen_layers", "pooling_layers"])
def test_what_is_no_share_is_told_how_one_is_written(knob: str, value: str) -> None:
    with pytest.raises(RequestError, match=r'a share of the depth, as "1/2" or "50%"'):
        parse_space(f"[factors]\n{knob} = [{value}]\n", "test")


def of_depth(n_layers: int) -> EncoderCard:
    return EncoderCard(f"of {n_layers}", f"id {n_layers}", "bert", n_layers, has_pooler=True, max_tokens=512)


@pytest.mark.parametrize(
    ("n_layers", "share", "n_shared"),
    [(12, "1/2", 6), (6, "1/2", 3), (5, "1/2", 2), (5, "50%", 2), (12, "1/3", 4), (12, "33%", 3), (2, "1/2", 1)],
)
def test_shares_are_whole_layers_rounded_down(n_layers: int, share: str, n_shared: int) -> None:
    """So that two halves are never more than the encoder has."""
    text = f'[factors]\nreinit_layers = [0, "{share}"]\nfrozen_layers = [0, "{share}"]\n'
    plan = make_plan(parse_space(text, "test"), small_task(), lambda _: of_depth(n_layers))
    found = [(cell.recipe.reinit_layers, cell.recipe.frozen_layers) for cell in plan.cells]
    assert found == list(itertools.product([0, n_shared], repeat=2))
    assert plan.depths == (n_layers,)
    counted = text.replace(f'"{share}"', str(n_shared))
    assert make_plan(parse_space(counted, "test"), small_task(), lambda _: of_depth(n_layers)).trials == plan.trials


@pytest.mark.parametrize(
    ("n_layers", "share", "n_needed"), [(1, "1/2", 2), (1, "50%", 2), (2, "1/3", 3), (12, "8%", 13)]
)
@pytest.mark.parametrize(
    "where",
    ['[factors]\nreinit_layers = [0, "{}"]', '[recipe]\nfrozen_layers = "{}"\n[factors]\nbert_adam = [false, true]'],
)
def test_a_share_of_less_than_a_layer_is_refused_with_the_way_out(
    where: str, n_layers: int, share: str, n_needed: int
) -> None:
    space = parse_space(where.format(share), "test")
    said = (
        f"_layers = {share} of the encoder's {n_layers} layers? is less than one layer: choose an encoder of {n_needed}"
    )
    with pytest.raises(RequestError, match=said):
        make_plan(space, small_task(), lambda _: of_depth(n_layers))


def test_a_share_is_that_of_each_cells_encoder() -> None:
    text = '[factors]\nencoder = ["of 12", "of 6"]\nfrozen_layers = [0, "1/2"]\n'
    text += '[[rules]]\nskip = "frozen_layers == 6"\nwhy = "told"\n'
    plan = make_plan(parse_space(text, "test"), small_task(), lambda name: of_depth(int(name.split()[1])))
    assert [cell.recipe.frozen_layers for cell in plan.cells] == [0, 0, 3]
    assert [dict(cell.levels) for cell in plan.excluded] == [{"encoder": "of 12", "frozen_layers": "1/2"}]
    assert plan.depths == (12, 6)


@pytest.mark.parametrize(("form", "sentence"), [
    ("model = 3", "model must be a built-in encoder, a folder or a Hugging Face name, but is 3"),
    ('model = "tiny"\n[recipe]\nencoder = "tiny"', "model and encoder under .recipe. are the same thing"),
])  # fmt: skip
def test_a_model_that_a_space_cannot_name(form: str, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        parse_space(f"{form}\n[factors]\nbert_adam = [false, true]\n", "test")


def test_a_model_beside_a_factor_of_encoders_is_refused() -> None:
    with pytest.raises(RequestError, match="factor encoder names an encoder for every cell: leave model = 'tiny' out"):
        parse_space('model = "tiny"\n[factors]\nencoder = ["tiny", "minilm"]\n', "test")


@pytest.mark.parametrize("name", names_of_spaces())
def test_shipped_spaces_load(name: str) -> None:
    assert list(load_space(find_space(name)).cells())


def test_finetune64_is_the_seeds_table_row_by_row() -> None:
    cells = list(load_space(find_space("finetune64")).cells())
    halves = ["0", "1/2"]
    expected = list(itertools.product("01", "01", "01", halves, halves, ["0.0", "0.1"]))
    assert [tuple(cell.levels.values()) for cell in cells] == expected
    assert cells[0].recipe.model_dump() | {"x": 0} == {**cells[0].recipe.model_dump(), "x": 0}
    off, on = cells[0].recipe, cells[63].recipe
    assert (off.bert_adam, off.weight_decay, off.reinit_pooler) == (False, 0.0, False)
    assert (off.reinit_layers, off.frozen_layers, off.warmup_proportion) == (0, 0, 0.0)
    assert (on.bert_adam, on.weight_decay, on.reinit_pooler) == (True, 0.01, True)
    assert (on.reinit_layers, on.frozen_layers, on.warmup_proportion) == ("1/2", "1/2", 0.1)


@pytest.mark.parametrize("name", ["finetune64", "seed003"])
def test_rows_agree_with_the_published_table(name: str, shared_data: Path) -> None:
    with (shared_data.parent / "reference" / "seed64.csv").open() as file:
        published = [list(row.values())[1:-1] for row in csv.DictReader(file)]
    space = load_space(find_space(name))
    # The published encoder had twelve layers.
    levels = [[{"1/2": "6"}.get(label, label) for label in cell.levels.values()] for cell in space.cells()]
    assert levels == published
    assert [factor.column for factor in space.factors] == [
        "bertadam", "weight_decay", "reinit_pooler", "reinit_layers", "frozen_layers", "warmup_proportion",
    ]  # fmt: skip


@given(st.lists(st.floats(1e-7, 1.0), min_size=1, max_size=5, unique=True), st.permutations([False, True]))
def test_any_levels_come_back_as_they_were_declared(rates: list[float], switch: list[bool]) -> None:
    spelled = ", ".join(repr(rate) for rate in rates)
    text = f"[factors]\nlearning_rate = [{spelled}]\nbert_adam = [{', '.join(str(s).lower() for s in switch)}]\n"
    cells = list(parse_space(text, "test").cells())
    found = [(cell.recipe.learning_rate, cell.recipe.bert_adam) for cell in cells]
    assert found == list(itertools.product(rates, switch))


def test_a_factor_may_be_called_as_a_group_of_knobs_is() -> None:
    text = """
        [factors.pretraining.levels]
        none = { "pretraining.objective" = "none" }
        some = { pretraining.objective = "mlm", pretraining.steps = 10 }
        [factors]
        vocabulary.min_count = [1, 5]
    """
    space = parse_space(text, "test")
    assert [factor.name for factor in space.factors] == ["pretraining", "vocabulary.min_count"]
    assert labels(text) == [["none", "1"], ["none", "5"], ["some", "1"], ["some", "5"]]
