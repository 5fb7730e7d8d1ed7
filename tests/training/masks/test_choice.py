"""What is hidden of real texts, as published and with the share that is asked for."""

import hashlib
import inspect
import pickle
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsearch.errors import RequestError
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.tasks.corpus import Corpus, EncodedCorpus, corpus_of, encode_corpus
from gridsearch.tasks.task import Task
from gridsearch.training.masking import MaskedRows, masked_rows
from gridsearch.training.masks.choice import MASKS, NGRAMS, choice_of
from tests.fixtures_core import slow
from tests.real_texts import oppo, published_tokenizer, sst2, thucnews

PUBLISHED = {
    "bernoulli": 0.15,
    "whole_word": 0.15,
    "statistical_word": 0.15,
    "daniellibin": 0.167,
    "rank18": 0.15,
    "seed002": 0.2,
    "seed000": 0.328,
}
"""Mask, or rule for stretches -> the share of tokens that it hides."""
SLOW_RULES = ("rank18", "statistical_word", "daniellibin")
"""They look at more of a text than the others."""


def recipe_of(name: str, **knobs: Any) -> PretrainingRecipe:
    mask = {"mask": "ngram", "ngram": name} if name in NGRAMS else {"mask": name}
    return PretrainingRecipe(**mask, **knobs)


def steps_of(corpus: EncodedCorpus, recipe: PretrainingRecipe, n_steps: int) -> list[MaskedRows]:
    choose = choice_of(recipe, corpus)
    rows = [np.random.default_rng(step).integers(len(corpus), size=128) for step in range(n_steps)]
    return [masked_rows(corpus, some, recipe, seed=3, step=step, choose=choose) for step, some in enumerate(rows)]


def share_of(corpus: EncodedCorpus, recipe: PretrainingRecipe, n_steps: int = 100) -> float:
    masked = steps_of(corpus, recipe, n_steps)
    return sum(int(one.chosen.sum()) for one in masked) / sum(one.n_eligible for one in masked)


def test_every_value_has_a_published_share() -> None:
    assert PUBLISHED.keys() == MASKS.keys() | NGRAMS.keys()


@pytest.fixture(scope="module")
def chinese(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return published_tokenizer(shared_data, "bert-base-chinese", tmp_path_factory.mktemp("chinese"))


@pytest.fixture(scope="module")
def english(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return published_tokenizer(shared_data, "bert-base-uncased", tmp_path_factory.mktemp("english"))


TEXTS = ("oppo", "thucnews", "sst2")


# Each mask on one kind of texts is quick, the others take as long again, twice.
@pytest.mark.slow  # 3 s
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        pytest.param(
            name,
            texts,
            marks=() if TEXTS[number % len(TEXTS)] == texts and name not in SLOW_RULES else pytest.mark.slow,
        )
        for number, name in enumerate(PUBLISHED)
        for texts in TEXTS
    ],
)
def test_shares_of_real_texts(name: str, texts: str, shared_data: Path, chinese: Any, english: Any) -> None:
    if name == "whole_word":
        pytest.importorskip("rjieba", reason="rjieba, of the extra chinese, is not installed")
    corpus = {"oppo": oppo, "thucnews": thucnews, "sst2": sst2}[texts](shared_data)
    form = {"form": "pairs", "pair_order": "random"} if corpus.pairs else {}
    encoded = encode_corpus(corpus, recipe_of(name, **form), english if texts == "sst2" else chinese)
    assert abs(share_of(encoded, recipe_of(name, **form)) - PUBLISHED[name]) < 0.01
    for rate in (0.15, 0.25):
        assert abs(share_of(encoded, recipe_of(name, rate=rate, rate_is="realised", **form)) - rate) < 0.005


@pytest.mark.slow  # 1.8 s
@pytest.mark.parametrize("form", ["single", "pairs"])
def test_a_thousand_sentences_in_whole_words(form: Any, shared_data: Path, chinese: Any) -> None:
    """No word is hidden in part, no sentence or pair as a whole; and over some steps every word is hidden once."""
    rjieba = pytest.importorskip("rjieba", reason="rjieba, of the extra chinese, is not installed")
    corpus = Corpus((), oppo(shared_data, 1000).pairs) if form == "pairs" else Corpus(thucnews(shared_data, 1000).texts)
    recipe = PretrainingRecipe(mask="whole_word", form=form)
    encoded = encode_corpus(corpus, recipe, chinese)
    assert len(encoded) == 1000
    words = []  # of Chinese characters: their row, and their tokens in it
    for row in range(1000):
        place = 1
        for text in corpus.pairs[row] if form == "pairs" else corpus.texts[row : row + 1]:
            for word in rjieba.cut(text):
                tokens = chinese.tokenize(word)
                if all("一" <= one <= "\u9fff" for one in word) and chinese.unk_token not in tokens:
                    words.append((row, slice(place, place + len(tokens))))
                place += len(tokens)
            place += 1
        assert place == encoded.lengths[row]
    n_hidden, n_of_several = np.zeros(1000), 0
    for step in range(20):
        masked = masked_rows(encoded, np.arange(1000), recipe, seed=0, step=step)
        rows = [masked.chosen[start:end] for start, end in pairwise(masked.rows.starts.tolist())]
        may = np.split(~np.isin(masked.originals, chinese.all_special_ids), masked.rows.starts[1:-1])
        for row, chosen in enumerate(rows):
            assert not (chosen & ~may[row]).any()
            assert not chosen[may[row]].all()
            n_hidden[row] += chosen.sum()
        for row, tokens in words:
            of_word = rows[row][tokens].tolist()
            assert len(set(of_word)) == 1
            n_of_several += of_word[0] and len(of_word) > 1
    assert (n_hidden > 0).mean() > 0.95
    assert n_of_several > 10_000


@pytest.mark.parametrize(
    "name", [slow(name) if name in SLOW_RULES else name for name in PUBLISHED if name != "bernoulli"]
)
def test_the_share_that_is_asked_for_on_small_texts(docstrings_task: Task, tokenizer: Any, name: str) -> None:
    recipe = recipe_of(name, rate=0.2, rate_is="realised", max_length=24)
    corpus = encode_corpus(corpus_of(docstrings_task, "train"), recipe, tokenizer)
    assert abs(share_of(corpus, recipe) - 0.2) < 0.01


def test_a_share_that_cannot_be_hidden(tokenizer: Any) -> None:
    recipe = PretrainingRecipe(mask="whole_word", rate=0.6, rate_is="realised")
    corpus = encode_corpus(Corpus(("the index", "a map")), recipe, tokenizer)
    sentence = (
        r"^pretraining.mask = 'whole_word' hides 0.50 of these texts at most, but a pretraining.rate of 0.6 is to be r"
    )
    with pytest.raises(RequestError, match=sentence):
        choice_of(recipe, corpus)


def test_words_are_marked_where_they_are_hidden_alone(tokenizer: Any) -> None:
    for name in PUBLISHED:
        recipe = recipe_of(name)
        corpus = encode_corpus(Corpus(("the index",)), recipe, tokenizer)
        assert (corpus.begins_word is not None) == (recipe.mask_of_words != "bernoulli") == ("word" in name)


def digest_of(corpus: EncodedCorpus, recipe: PretrainingRecipe) -> str:
    masked = [masked_rows(corpus, np.arange(len(corpus)), recipe, seed=5, step=step) for step in range(3)]
    return hashlib.sha256(b"".join(one.chosen.tobytes() + one.rows.ids.tobytes() for one in masked)).hexdigest()


DIGESTS = """
import hashlib, pickle, sys
import numpy as np
from pathlib import Path
from gridsearch.training.masking import masked_rows
{digest_of}
for corpus, recipe in pickle.loads(Path(sys.argv[1]).read_bytes()):
    print(digest_of(corpus, recipe))
"""


@pytest.mark.slow  # 13 s
def test_another_process_hides_the_same(task: Task, tokenizer: Any, tmp_path: Path) -> None:
    """With the share that is asked for: the number of the rule is found anew there."""
    recipes = [recipe_of(name, rate_is="realised", max_length=16) for name in PUBLISHED]
    work = [(encode_corpus(corpus_of(task, "train"), one, tokenizer), one) for one in recipes]
    handed = tmp_path / "work.pickle"
    handed.write_bytes(pickle.dumps(work))
    code = "from __future__ import annotations\n" + DIGESTS.format(digest_of=inspect.getsource(digest_of))
    done = subprocess.run([sys.executable, "-c", code, str(handed)], capture_output=True, text=True, check=True)
    here = [digest_of(*one) for one in work]
    assert done.stdout.split() == here
    assert len(set(here)) == len(PUBLISHED)
