"""Whole words, as each kind of tokenizer cuts them: Chinese ones are the segmenter's, all others the tokenizer's."""

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.words.whole import whole_words
from tests.fixtures_core import write_tokenizer
from tests.real_texts import oppo, published_tokenizer, thucnews

rjieba = pytest.importorskip("rjieba", reason="rjieba, of the extra chinese, is not installed")

CHINESE = ["我想听周杰伦的歌", "小布小布，今天天气怎么样？", "买了件T恤 在iphone手机上", "A股大涨3%", "你好"]
ENGLISH = ["unbelievable things, isn't it?", "the index of a map"]


def words(texts: list[str], tokenizer: Any) -> list[list[str]]:
    """Return the words of each text, cut out of it from the first character of one to the first of the next."""
    begins, found, place = whole_words(texts, tokenizer), [], 0
    for text in texts:
        offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        of_text = begins[place : place + len(offsets)]
        place += len(offsets)
        starts = [first for (first, _), is_first in zip(offsets, of_text, strict=True) if is_first]
        found.append([text[first:end].strip() for first, end in pairwise([*starts, len(text)])])
    assert place == len(begins)
    return found


@pytest.fixture(scope="module")
def in_characters(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a tokenizer to which each Chinese character is a word, as bert-base-chinese."""
    from transformers import BertTokenizer

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    some = sorted(set("".join(CHINESE)) | set("abcdefghijklmnopqrstuvwxyz"))
    pieces = [*special, *some, *(f"##{one}" for one in some if one.isascii()), "un", "##believ", "##able", "the"]
    folder = tmp_path_factory.mktemp("characters")
    write_tokenizer(folder, pieces)
    return BertTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def in_pieces() -> Any:
    """Return a tokenizer of SentencePiece's kind, to which a sentence without spaces is one word."""
    from transformers import XLMRobertaTokenizer

    several = ["▁", "▁我", "想听", "周杰", "伦的歌", "小布", "今天", "天气", "怎么样", "，", "？", "the", "▁the", "▁un"]
    single = sorted(set("".join(CHINESE + ENGLISH)) - {" ", *several})
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -20.0)]
    scored = [(piece, -float(len(several))) for piece in single] + [(piece, -1.0) for piece in several]
    return XLMRobertaTokenizer(vocab=[*special, *scored])


@pytest.fixture(scope="module")
def in_bytes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a tokenizer of bytes, of which a Chinese character is up to three tokens."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaTokenizer

    folder, special = tmp_path_factory.mktemp("bytes"), ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    maker = ByteLevelBPETokenizer()
    maker.train_from_iterator([*CHINESE, *ENGLISH], vocab_size=300, special_tokens=special, show_progress=False)
    maker.save_model(str(folder))
    return RobertaTokenizer.from_pretrained(folder)


def test_each_character_a_token(in_characters: Any) -> None:
    assert words(CHINESE + ENGLISH, in_characters) == [
        ["我", "想", "听", "周杰伦", "的", "歌"],
        ["小布", "小布", "，", "今天天气", "怎么样", "？"],
        ["买", "了", "件", "T恤", "在", "iphone", "手机", "上"],
        ["A股", "大涨", "3", "%"],
        ["你好"],
        ["unbelievable", "things", ",", "isn", "'", "t", "it", "?"],
        ["the", "index", "of", "a", "map"],
    ]


def test_pieces_of_several_characters(in_pieces: Any) -> None:
    """A token that goes over the end of a word joins the two, and punctuation is no part of its neighbours."""
    assert words(CHINESE[:2] + ENGLISH[1:], in_pieces) == [
        ["我", "想听", "周杰伦的歌"],
        ["小布", "小布", "，", "今天天气", "怎么样", "？"],
        ["the", "index", "of", "a", "map"],
    ]


def test_parts_of_a_character(in_bytes: Any) -> None:
    assert len(in_bytes("听", add_special_tokens=False)["input_ids"]) > 1
    found = words(CHINESE[:2] + ENGLISH[1:], in_bytes)
    assert found[:2] == [["我", "想", "听", "周杰伦", "的", "歌"], ["小布", "小布", "，", "今天天气", "怎么样", "？"]]
    assert found[2] == ["the", "index", "of", "a", "map"]


@given(st.lists(st.text(alphabet="小布你好天气怎么样听歌ab1 ，.", max_size=12), max_size=5))
def test_words_are_cut_as_the_segmenter_cuts(in_characters: Any, texts: list[str]) -> None:
    """Between two Chinese characters it decides, whatever is around them."""
    begins, place = whole_words(texts, in_characters), 0
    for text in texts:
        starts = {first for _, first, _ in rjieba.tokenize(text, "default", True)}
        offsets = in_characters(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        for number, (first, _) in enumerate(offsets):
            if number == 0 or (
                text[first - 1] >= "一" and text[first] >= "一" and "，" not in text[first - 1 : first + 1]
            ):
                assert begins[place + number] == (number == 0 or first in starts)
        place += len(offsets)


def test_a_thousand_real_sentences(shared_data: Path, tmp_path: Path) -> None:
    """Words joined again are the segmenter's, but for letters and digits, which are the tokenizer's."""
    tokenizer = published_tokenizer(shared_data, "bert-base-chinese", tmp_path)
    pairs, headlines = oppo(shared_data, 250).pairs, thucnews(shared_data, 500).texts
    texts = [text for text in (*headlines, *(text for pair in pairs for text in pair)) if text.strip()]
    assert len(texts) == 1000
    n_words, n_alike = 0, 0
    for found, text in zip(words(texts, tokenizer), texts, strict=True):
        theirs = [word for word in rjieba.cut(text) if word.strip()]
        n_words, n_alike = n_words + len(found), n_alike + len(set(found) & set(theirs))
        for word in found:
            if all("一" <= one <= "\u9fff" for one in word):
                assert word in theirs
    assert n_alike > 0.9 * n_words


def test_who_cannot_find_words_is_told(
    in_characters: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import BertJapaneseTokenizer

    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abc"]))
    slow = BertJapaneseTokenizer(str(tmp_path / "vocab.txt"), word_tokenizer_type="basic")
    with pytest.raises(
        RequestError, match=r"tells where in a text its tokens lie, which BertJapaneseTokenizer does not"
    ):
        whole_words(["a"], slow)
    monkeypatch.setitem(sys.modules, "rjieba", None)
    assert whole_words(["the index", ""], tokenizer).all()
    assert len(whole_words([], tokenizer)) == len(whole_words(["", " "], tokenizer)) == 0
    with pytest.raises(RequestError, match=r"not installed: pip install 'gridsearch\[chinese\]'$"):
        whole_words(["the index", "你好"], in_characters)


def test_what_transformers_makes_of_chinese(in_characters: Any) -> None:
    """Why this is not left to its collator: of a sentence it hides all or nothing."""
    from transformers import DataCollatorForLanguageModeling

    settings = {"whole_word_mask": True, "mask_replace_prob": 1, "random_replace_prob": 0, "return_tensors": "np"}
    collator = DataCollatorForLanguageModeling(in_characters, seed=0, **settings)
    row = in_characters(CHINESE[0], return_offsets_mapping=True, return_special_tokens_mask=True)
    n_hidden = {int((collator([dict(row)])["labels"] != -100).sum()) for _ in range(50)}
    assert n_hidden == {0, len(CHINESE[0])}
    assert np.flatnonzero(whole_words(CHINESE[:1], in_characters)).tolist() == [0, 1, 2, 3, 6, 7]
