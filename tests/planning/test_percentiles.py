"""A longest length that is a percentile is a number before anything has an id: that of the cell's own encoder."""

import pytest

from gridsearch.encoders.card import EncoderCard
from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.tasks.lengths import Lengths, TaskLengths
from tests.reports.conftest import small_task

FACTOR = "[factors]\nbert_adam = [false, true]\n"
LONG = Lengths({20: 80, 50: 15, 600: 5}, 5_000, 0)
SHORT = Lengths({5: 100}, 300, 0)
LENGTHS = {"one": LONG, "other": Lengths({90: 100}, 8_800, 88)}


def plan_of(text: str, max_tokens: int = 512) -> Plan:
    def describe(name: str) -> EncoderCard:
        return EncoderCard(name, f"identity of {name}", "bert", 12, has_pooler=True, max_tokens=max_tokens)

    def lengths(card: EncoderCard) -> TaskLengths:
        train = LENGTHS[card.name]
        return TaskLengths({"task": {"train": train, "dev": Lengths({9_999: 1}, 9_997, 0)}}, "[UNK]")

    return make_plan(parse_space(text, "asked"), small_task(), describe, lengths)


def recipe(settings: str) -> str:
    return f'[recipe]\nencoder = "one"\n{settings}\n'


@pytest.mark.parametrize(
    ("percentile", "max_tokens", "n_tokens"),
    [("p80", 512, 24), ("p1", 512, 24), ("p81", 512, 56), ("p95", 512, 56), ("p96", 512, 512), ("p100", 8192, 512),
     ("p95", 40, 40)],
)  # fmt: skip
def test_it_is_rounded_up_within_what_is_read(percentile: str, max_tokens: int, n_tokens: int) -> None:
    plan = plan_of(recipe(f'max_length = "{percentile}"') + FACTOR, max_tokens)
    assert {cell.recipe.max_length for cell in plan.cells} == {n_tokens}
    assert [one.percentiles for one in plan.texts] == [{percentile: n_tokens}]


def test_short_texts_get_some_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LENGTHS, "one", SHORT)
    assert plan_of(recipe('max_length = "p50"') + FACTOR).cells[0].recipe.max_length == 16


def test_trials_are_those_of_the_number() -> None:
    asked, spelled = (plan_of(recipe(f"max_length = {value}") + FACTOR) for value in ('"p95"', "56"))
    assert list(asked.trials) == list(spelled.trials)


def test_each_encoder_has_its_own() -> None:
    plan = plan_of('[recipe]\nmax_length = "p95"\n[factors]\nencoder = ["one", "other"]\n')
    assert [cell.recipe.max_length for cell in plan.cells] == [56, 96]
    told = [(one.encoder, one.cut, one.enough, one.cut_percent, one.unknown_percent) for one in plan.texts]
    assert told == [("one", ((56, 5),), (56, 5), 5, 0), ("other", ((96, 0),), (96, 0), 0, 1)]


def test_levels_may_be_percentiles_and_rules_see_the_number() -> None:
    rule = '[[rules]]\nskip = "max_length > 56"\nwhy = "long"\n'
    plan = plan_of(recipe("") + f'[factors]\nmax_length = ["p80", "p95", "p99"]\n{rule}')
    assert [(cell.levels["max_length"], cell.recipe.max_length) for cell in plan.cells] == [("p80", 24), ("p95", 56)]
    assert [cell.why for cell in plan.excluded] == ["long"]
    assert [one.cut for one in plan.texts] == [((24, 20), (56, 5))]


def test_two_spellings_of_one_length_are_one_recipe() -> None:
    with pytest.raises(RequestError, match=r"are the same recipe: max_length = p95 is 56$"):
        plan_of(recipe("") + '[factors]\nmax_length = [56, "p95"]\n')


def test_a_pretraining_reads_as_far() -> None:
    settings = '"pretraining.objective" = "mlm"\n"pretraining.steps" = 3\n"pretraining.max_length" = "p95"'
    for base in ("encoder", "scratch"):
        plan = plan_of(recipe(f'{settings}\n"pretraining.base" = "{base}"\nmax_length = "p80"') + FACTOR)
        (stage,) = plan.stages.values()
        assert (stage.recipe.max_length, plan.cells[0].recipe.max_length) == (56, 24)
        assert [(one.encoder, one.cut) for one in plan.texts] == [("one", ((24, 20),))]


@pytest.mark.parametrize("value", ['"p0"', '"p101"', '"95%"', '"p9.5"', '""', '"P95"', "true", "12.5"])
def test_other_spellings_are_refused_in_a_sentence(value: str) -> None:
    with pytest.raises(RequestError) as caught:
        plan_of(recipe(f"max_length = {value}") + FACTOR)
    assert "max_length: input should be a valid integer or " in str(caught.value)
    assert "pattern" not in str(caught.value)
