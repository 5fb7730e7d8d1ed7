"""Where the knobs of a vocabulary act, how they are spelled, and what is refused."""

from dataclasses import replace
from typing import Any

import pytest

from gridsearch.encoders.ids.vocabulary import ids_vocabulary
from gridsearch.errors import RequestError
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.recipe.prefixes import VOCABULARY
from gridsearch.recipe.recipe import finetuning_knobs, parse_recipe
from gridsearch.recipe.resolve import acting, dead_knobs, resolve
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.recipe.vocabulary.knobs import VocabularyRecipe
from gridsearch.space.space import parse_space

TEXT = TrialFacts("bert", 12, has_pooler=True, max_tokens=512, n_train_rows=1000, label_counts=(400, 600))
IDS = replace(TEXT, id_counts=(1, 3, 7, 20), has_token_counts=True)
KNOBS = {"min_count": 3, "align": "special", "start": "你"}
SCRATCH = {"pretraining.objective": "mlm", "pretraining.base": "scratch"}


def dead(facts: TrialFacts, knobs: dict[str, Any], **others: Any) -> dict[str, str]:
    recipe = resolve(parse_recipe({VOCABULARY + name: value for name, value in knobs.items()} | others, "x"), facts)
    found = dead_knobs(recipe, facts)
    return {name.removeprefix(VOCABULARY): why for name, why in found.items() if name.startswith(VOCABULARY)}


def test_all_are_dead_where_texts_are_text_or_the_encoder_knows_ids() -> None:
    assert dead(TEXT, KNOBS) == dict.fromkeys(KNOBS, "the texts are text, which the encoder's own tokenizer reads")
    kept = "the encoder's own vocabulary is one of ids, and is kept"
    assert dead(replace(IDS, knows_ids=True), KNOBS) == dict.fromkeys(KNOBS, kept)


def test_a_start_acts_where_ids_are_aligned_in_order() -> None:
    assert dead(IDS, KNOBS) == {"start": "vocabulary.align = 'special' starts from no token"}
    assert dead(IDS, KNOBS | {"align": "order"}) == {}


@pytest.mark.parametrize(
    ("facts", "others", "why"),
    [
        (IDS, SCRATCH, "pretraining.base = 'scratch' takes no row of the encoder"),
        (
            replace(IDS, is_made_of_the_texts=True),
            {},
            "the encoder is made from the same ids, so there are no rows of other tokens to take",
        ),
    ],
)
def test_nothing_is_aligned_where_no_row_is_taken(facts: TrialFacts, others: dict[str, Any], why: str) -> None:
    assert dead(facts, KNOBS | {"align": "order"}, **others) == {"align": why, "start": why}
    further = {"pretraining.objective": "mlm"}
    assert dead(IDS, KNOBS | {"align": "order"}, **further) == {}


def test_counts_that_keep_the_same_ids_are_one_spelling() -> None:
    def spelled(count: int, facts: TrialFacts = IDS) -> int:
        return acting(parse_recipe({"vocabulary.min_count": count}, "x"), facts).vocabulary.min_count

    assert [spelled(count) for count in (1, 2, 3, 4, 5, 6, 7, 8, 20)] == [1, 3, 3, 5, 5, 5, 5, 20, 20]
    ids = {"a": 1, "b": 3, "c": 7, "d": 20}
    for count in range(1, 21):
        kept = [ids_vocabulary(ids, VocabularyRecipe(min_count=one), {}).tokens for one in (count, spelled(count))]
        assert kept[0] == kept[1]
    assert spelled(9, replace(IDS, id_counts=(2, 4))) == 9, "there is no id to keep: it is refused"


@pytest.mark.parametrize(
    ("facts", "knobs", "sentence"),
    [
        (IDS, {"min_count": 21}, "vocabulary.min_count = 21 leaves no id: the most frequent one occurs 20 times"),
        (
            replace(IDS, has_token_counts=False),
            {"align": "frequency"},
            "vocabulary.align = 'frequency' needs to know how often the encoder's tokens occur: name a file of counts "
            "under [vocabulary] of the task",
        ),
        (
            replace(TEXT, knows_ids=True),
            {},
            "the encoder's vocabulary is one of ids, and the task's texts are no ids (ids = true in the task)",
        ),
    ],
)
def test_contradictions(facts: TrialFacts, knobs: dict[str, Any], sentence: str) -> None:
    recipe = parse_recipe({VOCABULARY + name: value for name, value in knobs.items()}, "x")
    with pytest.raises(RequestError) as error:
        refuse_contradictions(recipe, facts)
    assert str(error.value) == sentence
    refuse_contradictions(recipe, replace(IDS, id_counts=(30,)))


def test_whole_words_of_ids_are_refused_where_a_step_would_hide_them() -> None:
    asked = {"pretraining.objective": "mlm", "pretraining.steps": 100, "pretraining.mask": "whole_word"}
    text, ids = (replace(facts, corpora={"train": (100, 0)}) for facts in (TEXT, IDS))
    refuse_contradictions(parse_recipe(asked, "x"), text)
    with pytest.raises(RequestError, match="finds no words in texts that are ids; 'statistical_word' finds those"):
        refuse_contradictions(parse_recipe(asked, "x"), ids)
    refuse_contradictions(parse_recipe(asked | {"pretraining.mask": "statistical_word"}, "x"), ids)


def test_they_are_in_no_trials_id() -> None:
    recipe = parse_recipe({VOCABULARY + name: value for name, value in KNOBS.items()}, "x")
    assert finetuning_knobs(recipe) == finetuning_knobs(parse_recipe({}, "x"))


@pytest.mark.parametrize(
    "text",
    [
        '[recipe]\n"vocabulary.min_count" = 2\n[factors]\n"vocabulary.align" = ["none", "special"]',
        '[recipe]\nvocabulary.min_count = 2\n[factors]\nvocabulary.align = ["none", "special"]',
        '[recipe.vocabulary]\nmin_count = 2\n[factors.a.levels]\n0 = { vocabulary.align = "none" }\n'
        '1 = { vocabulary = { align = "special" } }',
    ],
)
def test_they_are_read_with_and_without_quotes(text: str) -> None:
    space = parse_space(f"{text}\n[[rules]]\nskip = \"vocabulary.align == 'x'\"\nwhy = 'none is'\n", "small")
    found = [cell.recipe.vocabulary for cell in space.cells()]
    assert found == [VocabularyRecipe(min_count=2), VocabularyRecipe(min_count=2, align="special")]
