"""Words of tokens that nobody can read: planted ones are found, and in tokens drawn by chance there are none."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.tasks.corpus import Corpus, encode_corpus
from gridsearch.tasks.words.statistical import LEAST_COUNT, statistical_words
from tests.real_texts import oppo, published_tokenizer


def found_in(texts: list[list[int]], special: int = -1) -> list[list[tuple[int, ...]]]:
    """Return the words of texts of numbers; ``special`` may not be hidden."""
    ids = np.asarray([one for text in texts for one in text], dtype=np.int32)
    starts = np.cumsum([0, *map(len, texts)])
    may, apart = ids != special, np.zeros(len(ids), dtype=np.bool_)
    apart[starts[:-1][np.diff(starts) > 0]] = True
    apart |= ~may
    apart[1:] |= ~may[:-1]
    begins = statistical_words(ids, may, apart)
    found = []
    for start, end in pairwise(starts):
        firsts = [start + place for place in np.flatnonzero(begins[start:end])]
        found.append([tuple(ids[one:two].tolist()) for one, two in pairwise([*firsts, end])])
    return found


def drawn(n_texts: int, n_distinct: int, exponent: float = 0.0, length: int = 10) -> list[list[int]]:
    """Return texts of independent tokens, by Zipf's law with an exponent: 0 has all tokens alike."""
    shares = 1 / np.arange(1, n_distinct + 1) ** exponent
    stream = np.random.default_rng(0)
    texts: list[list[int]] = stream.choice(n_distinct, size=(n_texts, length), p=shares / shares.sum()).tolist()
    return texts


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_planted_words_are_found(exponent: float) -> None:
    planted = [(1001, 1002), (1003, 1004, 1005), (1006, 1007, 1008, 1009), (5, 1010), (1011, 1012)]
    texts, stream = drawn(3000, 400, exponent), np.random.default_rng(1)
    for number, text in enumerate(texts[:200]):
        place = int(stream.integers(len(text)))
        text[place:place] = planted[number % len(planted)]
    for number, words in enumerate(found_in(texts)):
        expected = [planted[number % len(planted)]] if number < 200 else []
        assert [word for word in words if len(word) > 1] == expected


@pytest.mark.parametrize(
    ("n_texts", "n_distinct", "exponent"),
    [(500, 50, 0.0), (20_000, 2000, 0.0), (10_000, 300, 0.0), (20_000, 20_000, 1.0)],
)
def test_chance_has_no_words(n_texts: int, n_distinct: int, exponent: float) -> None:
    words = [word for text in found_in(drawn(n_texts, n_distinct, exponent)) for word in text]
    assert sum(len(word) > 1 for word in words) < 0.001 * len(words)


def test_what_is_rare_is_no_word() -> None:
    for count, is_word in ((LEAST_COUNT - 1, False), (LEAST_COUNT, True)):
        texts = drawn(500, 100)
        for text in texts[:count]:
            text[3:3] = (1001, 1002)
        assert ((1001, 1002) in found_in(texts)[0]) == is_word


def test_a_word_goes_across_no_text_and_no_special_token() -> None:
    """Two tokens that always follow one another, one at a text's end and one at the next one's beginning."""
    texts = [text for one, other in zip(drawn(300, 100), drawn(300, 100), strict=True) for text in (one, other)]
    for one, other in zip(texts[::2], texts[1::2], strict=True):
        one.append(1001)
        other.insert(0, 1002)
    assert all(len(word) == 1 for text in found_in(texts) for word in text)
    for text in texts:
        text[4:4] = (1003, 1000, 1004)
    assert all(len(word) == 1 for text in found_in(texts, special=1000) for word in text)


@given(st.lists(st.lists(st.integers(0, 3), max_size=9), max_size=60))
def test_every_token_is_in_one_word_of_four_at_most(texts: list[list[int]]) -> None:
    found = found_in(texts, special=0)
    assert [[one for word in words for one in word] for words in found] == texts
    assert all(1 <= len(word) <= 4 and (len(word) == 1 or 0 not in word) for words in found for word in words)


@pytest.mark.parametrize("side", ["right", "left"])
def test_what_is_left_of_a_word_is_one(bert_folder: Path, side: str) -> None:
    """Where a longest row cuts texts, words are those of the whole texts all the same."""
    tokenizer: Any = build_tokenizer(tokenizer_files(bert_folder))
    tokenizer.truncation_side = side
    words = [
        word for word in tokenizer.get_vocab() if word.isalpha() and len(word) > 2 and word not in ("the", "index")
    ]
    stream = np.random.default_rng(0)
    drawn = [stream.choice(words, size=3).tolist() for _ in range(400)]
    texts = tuple(
        " ".join([*some[:1], "the", "index", *some[1:]] if row < 20 else some) for row, some in enumerate(drawn)
    )
    for n_left, expected in {
        "right": {5: [1, 1, 0, 1, 1], 3: [1, 1, 0], 2: [1, 1]},
        "left": {5: [1, 1, 0, 1, 1], 4: [1, 0, 1, 1], 3: [1, 1, 1]},
    }[side].items():
        recipe = PretrainingRecipe(mask="statistical_word", max_length=n_left + 2)
        corpus = encode_corpus(Corpus(texts), recipe, tokenizer)
        rows = corpus.read(corpus.row_texts)
        assert rows.begins_word is not None
        for row in range(20):
            start, end = rows.rows.starts[row : row + 2]
            assert rows.begins_word[start:end].tolist() == [1, *expected, 1]


@pytest.mark.slow  # 3 s
def test_words_of_real_queries(shared_data: Path, tmp_path: Path) -> None:
    """Most words of several characters are such to a segmenter."""
    rjieba = pytest.importorskip("rjieba", reason="rjieba, of the extra chinese, is not installed")
    tokenizer = published_tokenizer(shared_data, "bert-base-chinese", tmp_path)
    texts = [text for pair in oppo(shared_data, 9000).pairs for text in pair if text.isalpha() and not text.isascii()]
    words, theirs = (
        [word for text, of_text in zip(texts, found, strict=True) for word in of_text if len(word) > 1]
        for found in (
            [
                ["".join(tokenizer.convert_ids_to_tokens(list(word))) for word in of_text]
                for of_text in found_in([tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts])
            ],
            [rjieba.cut(text) for text in texts],
        )
    )
    alike = len(set(words) & set(theirs)) / len(set(words))
    assert alike > 0.4
    assert len(words) > 0.5 * len(theirs)
