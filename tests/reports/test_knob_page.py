import inspect
import re

import pytest

from gridsearch.errors import RequestError
from gridsearch.recipe.knob import NO_NEUTRAL
from gridsearch.recipe.knob_group import KnobGroup
from gridsearch.recipe.prefixes import PARTS, PREFIXES
from gridsearch.recipe.pretraining.knobs import PREFIX
from gridsearch.recipe.recipe import Recipe, knobs
from reports.knob_page import GROUPS, grouped, knob_texts, knobs_for_terminal, recipe_page
from runners.cli import main


def test_every_knob_is_on_the_page_once_and_in_order() -> None:
    found = re.findall(r"^- `([\w.]+) = ", recipe_page(), re.MULTILINE)
    assert found == list(Recipe.model_fields)


def test_groups_are_those_of_the_class() -> None:
    groups = [group for group in reversed(Recipe.__mro__) if issubclass(group, KnobGroup) and group is not KnobGroup]
    source = "".join(map(inspect.getsource, groups))
    # The knobs with prefixes are made of classes of their own, whose comments may divide them further.
    expected = [(title, first) for first, title in GROUPS.items() if not first.startswith((*PREFIXES, PARTS))]
    assert re.findall(r"^    # (.*)\.\n    (\w+):", source, re.MULTILINE) == expected
    assert [name for name in knobs() if name.startswith(PREFIX)] == [
        text.name for text in grouped()["Pretraining, before the trial"]
    ]
    assert sum(map(len, grouped().values())) == len(knobs())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("bert_adam", "true, false"),
        ("epochs", "a whole number from 1, up to 1000"),
        ("learning_rate", "a number above 0, up to 1"),
        ("clip_norm", 'a number above 0, "none"'),
        ("frozen_layers", 'a whole number from 0, a share such as "1/2" or "50%", "embeddings"'),
        ("class_weights", '"none", "balanced", "log_counts", a list, each item a number above 0'),
        ("encoder", "a text"),
        ("precision", '"fp32", "bf16"'),
    ],
)
def test_values_in_words(name: str, values: str) -> None:
    assert knob_texts()[name].values == values


def test_a_default_is_neutral_wherever_there_is_a_neutral_value() -> None:
    """The page says so."""
    defaults = Recipe()
    assert [n for n, k in knobs().items() if k.neutral is not NO_NEUTRAL and k.neutral != getattr(defaults, n)] == []
    assert knob_texts()["epochs"].acts_always
    assert not knob_texts()["schedule"].acts_always


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("reinit_pooler", "pooling = 'cls' never uses the pooler"),
        ("decay_exclude", "weight_decay = 0 leaves nothing to exclude"),
        ("lookahead_alpha", "lookahead_steps = 0 is no Lookahead"),
        ("patience", ""),
        ("weight_decay", ""),
        ("warmup_proportion", ""),
        ("class_weights", ""),
    ],
)
def test_what_cannot_act_alone(name: str, reason: str) -> None:
    assert knob_texts()[name].idle == reason


def test_the_list_fits_a_terminal() -> None:
    text = knobs_for_terminal(None)
    assert [line for line in text.split("\n") if len(line) > 80] == []
    assert knobs_for_terminal("reinit_layers").split("\n") == [
        "reinit_layers = 0",
        "    draw the top layers anew: their number, or a share of the depth.",
        '    Values: a whole number from 0, a share such as "1/2" or "50%".',
        "    Source: arXiv:2006.05987, section 5.",
    ]
    assert knobs_for_terminal("reinit_layers") in text


def test_an_unknown_knob() -> None:
    with pytest.raises(RequestError, match="unknown knob 'reinit_layer' \\(did you mean 'reinit_layers'\\?\\)"):
        knobs_for_terminal("reinit_layer")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knobs", "reinit_layers"]) == 0
    assert capsys.readouterr().out.startswith("reinit_layers = 0\n")
    assert main(["knobs", "reinit"]) == 2
    assert capsys.readouterr().err.startswith("gridsearch knobs: unknown knob 'reinit'")


def test_why_most_knobs_of_a_group_cannot_act_is_told_once() -> None:
    section = recipe_page().split("## Pretraining, before the trial\n")[1].split("\n## ")[0]
    words = " ".join(section.split())
    assert words.startswith("With all else at its default, none can act: pretraining.objective = 'none' ")
    assert words.count("trains nothing") == 1
    assert "it cannot act: pretraining.objective = 'none' trains nothing" in " ".join(
        knobs_for_terminal("pretraining.rate").split()
    )


@pytest.mark.parametrize("title", GROUPS.values())
def test_none_of_a_group_can_act_where_that_is_said(title: str) -> None:
    _, section = recipe_page().split(f"## {title}\n")
    words, texts = " ".join(section.split("\n## ")[0].split()), grouped()[title]
    for told, some in (("none can act", texts), ("none but the first can act", texts[1:])):
        if told in words:
            assert [one.name for one in some if not one.idle and "," in one.values] == []
