"""Rows that are put together from texts are those that the tokenizer itself makes, whichever it is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.tasks.corpus import Corpus, EncodedCorpus, encode_corpus
from gridsearch.tasks.joining import cut_to
from gridsearch.tasks.task import Task
from tests.fixtures_core import some_quick

KINDS = ("bert", "cut left", "japanese", "roberta", "xlm-roberta", "deberta-v2")


@pytest.fixture(scope="module")
def tokenizers(task: Task, tokenizer: Any, bert_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return tokenizers of words, bytes and pieces, with one and two separators, with segment ids and without."""
    from tokenizers import ByteLevelBPETokenizer, SentencePieceUnigramTokenizer
    from transformers import BertJapaneseTokenizer, DebertaV2Tokenizer, RobertaTokenizer, XLMRobertaTokenizer

    folder, special = tmp_path_factory.mktemp("tokenizers"), ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghi"]))
    in_bytes = ByteLevelBPETokenizer()
    in_bytes.train_from_iterator(task.train.texts, vocab_size=400, special_tokens=special, show_progress=False)
    in_bytes.save_model(str(folder))
    maker = SentencePieceUnigramTokenizer()
    maker.train_from_iterator(
        task.train.texts, vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    pieces = [(piece, score) for piece, score in json.loads(maker.to_str())["model"]["vocab"]]
    cut_left = build_tokenizer(tokenizer_files(bert_folder))
    cut_left.truncation_side = "left"
    return {
        "bert": tokenizer,
        "cut left": cut_left,
        "japanese": BertJapaneseTokenizer(str(folder / "vocab.txt"), word_tokenizer_type="basic"),
        "roberta": RobertaTokenizer.from_pretrained(folder),
        "xlm-roberta": XLMRobertaTokenizer(vocab=pieces),
        "deberta-v2": DebertaV2Tokenizer(vocab=pieces),
    }


def rows_in(corpus: EncodedCorpus, row_texts: list[tuple[int, int]]) -> list[tuple[list[int], list[int] | None]]:
    read = corpus.read(np.asarray(row_texts)).rows
    return [
        (read.ids[start:end].tolist(), None if read.types is None else read.types[start:end].tolist())
        for start, end in zip(read.starts[:-1], read.starts[1:], strict=True)
    ]


words = st.sampled_from(["sort", "the index", "a b c d", "Map", "[SEP]", "</s>", " ", "\u2603", "deep "])
texts = st.lists(words | st.text(max_size=12), max_size=6).map("".join)


@pytest.mark.parametrize("kind", some_quick(KINDS, 0))
@given(st.lists(texts, min_size=1, max_size=5), st.integers(5, 24))
def test_rows_are_what_the_tokenizer_says(tokenizers: Any, kind: str, some: list[str], max_length: int) -> None:
    tokenizer = tokenizers[kind]
    distinct = list(dict.fromkeys(["sort a b", *some]))
    recipe = PretrainingRecipe(form="both", max_length=max_length)
    corpus = encode_corpus(Corpus(tuple(distinct)), recipe, tokenizer)
    numbers = range(len(distinct))
    row_texts = [(one, other) for one in numbers for other in (-1, *numbers)]
    for (one, other), (ids, types) in zip(row_texts, rows_in(corpus, row_texts), strict=True):
        second = None if other < 0 else [distinct[other]]
        theirs = tokenizer([distinct[one]], second, truncation="longest_first", max_length=max_length)
        assert [ids] == theirs["input_ids"]
        assert types is theirs.get("token_type_ids") is None or [types] == theirs["token_type_ids"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_words_of_texts_may_be_hidden(tokenizers: Any, kind: str) -> None:
    tokenizer = tokenizers[kind]
    sep, text = tokenizer.sep_token, "a b d"
    corpus = encode_corpus(Corpus((f"a b {sep} d", text)), PretrainingRecipe(form="both"), tokenizer)
    read = corpus.read(np.asarray([[0, -1], [0, 1]]))
    kept = read.rows.ids[read.may_be_chosen]
    assert len(kept) > 8 or kind == "japanese"
    assert not np.isin(kept, tokenizer.all_special_ids).any()
    assert np.isin(read.rows.ids[~read.may_be_chosen], tokenizer.all_special_ids).all()
    assert (read.rows.ids == tokenizer.sep_token_id).sum() >= 4


@pytest.mark.parametrize("odd_to_first", [False, True])
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 30))
def test_the_longer_text_is_cut_first(odd_to_first: bool, first: int, second: int, room: int) -> None:
    lengths = (np.asarray([value]) for value in (room, first, second))
    left = [int(part[0]) for part in cut_to(*lengths, odd_to_first=odd_to_first)]
    one, other = first, second
    while one + other > room:
        one, other = (one - 1, other) if one > other else (one, other - 1)
    assert left == [one, other] if odd_to_first else sorted(left) == sorted([one, other])
    assert left[0] <= first
    assert left[1] <= second


def test_a_corpus_travels_as_plain_arrays(tokenizer: Any) -> None:
    import pickle

    corpus = encode_corpus(Corpus(("sort the index",), (("sort", "a map"),)), PretrainingRecipe(form="both"), tokenizer)
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(corpus, protocol=5, buffer_callback=buffers.append)
    copy = pickle.loads(content, buffers=buffers)
    arrays = {name: value for name, value in vars(corpus).items() if isinstance(value, np.ndarray)}
    assert len(buffers) == len(arrays) == 9
    assert all(np.array_equal(getattr(copy, name), array) for name, array in arrays.items())
    assert len(content) < 2_000
