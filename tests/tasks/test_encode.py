from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.tasks import encode
from gridsearch.tasks.encode import EncodedPart, EncodedSplit, encode_split, encode_task, shared_tokens, sides_of
from gridsearch.tasks.task import Split, Task


def rows_in(flat: np.ndarray, split: EncodedSplit) -> list[list[int]]:
    return [flat[split.starts[row] : split.starts[row + 1]].tolist() for row in range(len(split))]


def test_single_texts_are_what_the_tokenizer_says(task: Task, tokenizer: Any) -> None:
    split = encode_split(task.train, tokenizer, 24)
    assert rows_in(split.ids, split) == [
        tokenizer(text, truncation=True, max_length=24)["input_ids"] for text in task.train.texts
    ]
    assert split.labels is not None
    assert split.labels.tolist() == list(task.train.labels or ())
    assert len(split) == len(task.train)
    assert split.lengths.max() == 24


@pytest.mark.parametrize("max_length", [4, 10, 64])
def test_pairs_have_segments_and_the_longer_text_is_cut(tokenizer: Any, max_length: int) -> None:
    first = ("Return the integer indices that would sort the index.", "Map", "")
    second = ("Map", "Return the integer indices that would sort the index.", "Map")
    split = encode_split(Split(first, (0, 1, 0), second), tokenizer, max_length)
    assert split.types is not None
    for row, (one, other) in enumerate(zip(first, second, strict=True)):
        theirs = tokenizer(one, other, truncation="longest_first", max_length=max_length)
        assert rows_in(split.ids, split)[row] == theirs["input_ids"]
        assert rows_in(split.types, split)[row] == theirs["token_type_ids"]
    assert split.lengths.max() <= max_length


def test_the_second_text_is_segment_one(tokenizer: Any) -> None:
    split = encode_split(Split(("sort the index",), (0,), ("the map",)), tokenizer, 64)
    assert split.types is not None
    ids, types = rows_in(split.ids, split)[0], rows_in(split.types, split)[0]
    n_first = ids.index(tokenizer.sep_token_id) + 1
    assert types == [0] * n_first + [1] * (len(ids) - n_first)
    assert ids.count(tokenizer.sep_token_id) == 2
    assert types[-1] == 1


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.integers(4, 20))
def test_any_text_keeps_its_place_and_its_marks(tokenizer: Any, texts: list[str], max_length: int) -> None:
    split = encode_split(Split(tuple(texts), None), tokenizer, max_length)
    assert len(split) == len(texts)
    assert split.labels is None
    for row in rows_in(split.ids, split):
        assert 2 <= len(row) <= max_length
        assert (row[0], row[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)


def test_a_task_without_a_test(task: Task, tokenizer: Any) -> None:
    assert encode_task(replace(task, test=None), tokenizer, 24).test is None


def test_an_unlabelled_test_has_rows_and_no_labels(task: Task, tokenizer: Any) -> None:
    encoded = encode_task(replace(task, test=Split(("sort the index",), None)), tokenizer, 24)
    assert encoded.test is not None
    assert (len(encoded.test), encoded.test.labels) == (1, None)


def test_what_is_known_of_the_task_comes_along(task: Task, tokenizer: Any) -> None:
    encoded = encode_task(task, tokenizer, 24)
    assert (encoded.pad_id, encoded.n_labels, encoded.target) == (tokenizer.pad_token_id, 3, task.target)
    assert encoded.parts == (EncodedPart("task", 3, "f1_macro"),)


# --- words that both texts of a pair hold


def marked(split: EncodedSplit, tokenizer: Any) -> list[list[str]]:
    assert split.shared is not None
    rows = zip(rows_in(split.ids, split), rows_in(split.shared, split), strict=True)
    return [
        tokenizer.convert_ids_to_tokens([i for i, mark in zip(ids, marks, strict=True) if mark]) for ids, marks in rows
    ]


def sides_told_by(encoding: Any) -> list[int]:
    return [0 if text is None else text + 1 for text in encoding.sequence_ids]


def naive_marks(ids: list[int], texts: list[int | None]) -> list[int]:
    return [
        int(text is not None and any(i == other and t == 1 - text for i, t in zip(ids, texts, strict=True)))
        for other, text in zip(ids, texts, strict=True)
    ]


def test_shared_words_are_marked_in_both_texts(tokenizer: Any) -> None:
    pairs = Split(("sort the index", "sort", "a map"), (0, 1, 0), ("index of the index", "map", ""))
    split = encode_split(pairs, tokenizer, 64)
    assert marked(split, tokenizer) == [["the", "index", "index", "the", "index"], [], []]


@pytest.mark.parametrize("max_length", [12, 24, 40])
@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_marks_are_those_of_the_final_ids(
    task: Task, family_folders: dict[str, Path], family: str, max_length: int
) -> None:
    """On what cutting leaves, for tokenizers with segment ids and without; checked token by token."""
    tokenizer = build_tokenizer(tokenizer_files(family_folders[family]))
    texts = task.train.texts[:40]
    others = tuple(f"{texts[row - 1]} {text[:25]}" for row, text in enumerate(texts))
    split = encode_split(Split(texts, None, others), tokenizer, max_length)
    assert split.shared is not None
    theirs = tokenizer(list(texts), list(others), truncation="longest_first", max_length=max_length)
    assert split.sides is not None
    assert rows_in(split.sides, split) == [sides_told_by(encoding) for encoding in theirs.encodings]
    n_marked = 0
    for row, marks in enumerate(rows_in(split.shared, split)):
        assert marks == naive_marks(theirs["input_ids"][row], theirs.encodings[row].sequence_ids)
        n_marked += sum(marks)
    assert n_marked > 5


def test_unknown_and_special_tokens_in_a_text_are_no_shared_words(tokenizer: Any) -> None:
    split = encode_split(Split(("map \u2603 [SEP] index",), None, ("map \u2604 [SEP] index",)), tokenizer, 64)
    assert tokenizer.unk_token_id in split.ids
    assert rows_in(split.ids, split)[0].count(tokenizer.sep_token_id) == 4
    assert marked(split, tokenizer) == [["map", "index", "map", "index"]]


@pytest.fixture(scope="module")
def byte_tokenizer(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return RoBERTa's own kind: bytes, a space before most words, two separators between texts, no segments."""
    from tokenizers import ByteLevelBPETokenizer

    maker = ByteLevelBPETokenizer()
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    maker.train_from_iterator(task.train.texts, vocab_size=400, special_tokens=specials, show_progress=False)
    folder = tmp_path_factory.mktemp("bytes")
    maker.save_model(str(folder))
    (folder / "config.json").write_text('{"model_type": "roberta", "type_vocab_size": 1}')
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "RobertaTokenizer"}')
    return build_tokenizer(tokenizer_files(folder))


@pytest.mark.parametrize("max_length", [12, 40])
def test_marks_between_two_separators(task: Task, byte_tokenizer: Any, max_length: int) -> None:
    texts = task.train.texts[:40]
    others = tuple(f"Use {text[5:30]}" for text in texts)
    split = encode_split(Split(texts, None, others), byte_tokenizer, max_length)
    assert split.types is None
    assert split.shared is not None
    theirs = byte_tokenizer(list(texts), list(others), truncation="longest_first", max_length=max_length)
    assert theirs["input_ids"][0].count(byte_tokenizer.sep_token_id) == 3
    assert split.sides is not None
    assert rows_in(split.sides, split) == [sides_told_by(encoding) for encoding in theirs.encodings]
    for row, marks in enumerate(rows_in(split.shared, split)):
        assert marks == naive_marks(theirs["input_ids"][row], theirs.encodings[row].sequence_ids)
    assert split.shared.sum() > 20


SMALL_TEXTS = st.sampled_from(["", "map", "sort the index", "a [SEP] b", "\u2603 the map of the index"])


@pytest.mark.parametrize("kind", ["WordPiece", "bytes"])
@given(rows=st.lists(st.tuples(SMALL_TEXTS, SMALL_TEXTS), min_size=1, max_size=6), max_length=st.integers(4, 16))
def test_every_token_is_of_its_text(
    tokenizer: Any, byte_tokenizer: Any, kind: str, rows: list[tuple[str, str]], max_length: int
) -> None:
    """Empty ones, too, and those of which cutting leaves nothing; a written special token is its text's."""
    told_by = tokenizer if kind == "WordPiece" else byte_tokenizer
    firsts, seconds = zip(*rows, strict=True)
    max_length += kind == "bytes"  # which has one special token more
    split = encode_split(Split(firsts, None, seconds), told_by, max_length)
    theirs = told_by(list(firsts), list(seconds), truncation="longest_first", max_length=max_length)
    assert split.sides is not None
    assert split.sides.dtype == np.int8
    expected = [sides_told_by(encoding) for encoding in theirs.encodings]
    if not any(1 in row for row in expected):  # no first text, which second ones could be told from
        expected = [[min(side, 1) for side in row] for row in expected]
    assert rows_in(split.sides, split) == expected


def test_tokenizers_without_rust(tmp_path: Path) -> None:
    """Nothing but the mask of special tokens is asked of a tokenizer, and slow ones have it too."""
    from transformers import BertJapaneseTokenizer

    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]))
    tokenizer = BertJapaneseTokenizer(str(tmp_path / "vocab.txt"), word_tokenizer_type="basic")
    assert not tokenizer.is_fast
    split = encode_split(Split(("a b c", "a z"), None, ("c c a", "z b")), tokenizer, 32)
    assert marked(split, tokenizer) == [["a", "c", "c", "c", "a"], []]


@given(
    st.lists(
        st.tuples(st.lists(st.integers(5, 12), max_size=6), st.lists(st.integers(5, 12), max_size=6)),
        min_size=1,
        max_size=6,
    )
)
def test_marks_are_symmetric_and_as_counted(pairs: list[tuple[list[int], list[int]]]) -> None:
    def encoded(rows: list[tuple[list[int], list[int]]]) -> list[list[int]]:
        ids = [[2, *one, 3, *other, 3] for one, other in rows]
        special = [[True, *[False] * len(one), True, *[False] * len(other), True] for one, other in rows]
        starts = np.concatenate([[0], np.cumsum([len(row) for row in ids])])
        sides = sides_of(np.concatenate(special), starts)
        flat = shared_tokens(np.concatenate(ids).astype(np.int32), sides, starts)
        return [flat[starts[row] : starts[row + 1]].tolist() for row in range(len(rows))]

    turned = encoded([(other, one) for one, other in pairs])
    for (one, other), marks, swapped in zip(pairs, encoded(pairs), turned, strict=True):
        assert marks == [0, *(int(i in other) for i in one), 0, *(int(i in one) for i in other), 0]
        assert swapped == [0, *(int(i in one) for i in other), 0, *(int(i in other) for i in one), 0]


def test_single_texts_share_nothing(task: Task, tokenizer: Any) -> None:
    split = encode_split(task.train, tokenizer, 24, "both")
    assert (split.shared, split.sides, split.turned) == (None, None, None)


# --- both orders of a pair


@pytest.mark.parametrize("max_length", [7, 64])
def test_the_other_order_is_what_the_tokenizer_makes_of_it(tokenizer: Any, max_length: int) -> None:
    firsts, seconds = ("sort the index of the map", "map", ""), ("return the map", "the index of a map", "index")
    split = encode_split(Split(firsts, (0, 1, 1), seconds), tokenizer, max_length, "both")
    other = encode_split(Split(seconds, (0, 1, 1), firsts), tokenizer, max_length)
    assert split.turned is not None
    rows = np.array([2, 0])
    for one, expected in ((split.turned, other), (split.take(rows).turned, other.take(rows))):
        assert one is not None
        for name in ("ids", "types", "starts", "labels", "sides", "shared"):
            np.testing.assert_array_equal(getattr(one, name), getattr(expected, name))
        assert one.turned is None
    assert encode_split(Split(firsts, None, seconds), tokenizer, max_length).turned is None


def paired(split: Split) -> Split:
    return replace(split, pairs=split.texts[::-1])


@pytest.fixture
def pairs(task: Task) -> Task:
    test = paired(task.test or task.dev)
    return replace(task, kind="pair", train=paired(task.train), dev=paired(task.dev), test=test)


def test_what_is_trained_on_is_read_in_one_order(pairs: Task, tokenizer: Any) -> None:
    one, both = (encode_task(pairs, tokenizer, 24, order) for order in ("as_is", "both"))
    assert {*both.splits} - {*one.splits} == {"dev turned", "test turned"}
    for name, split in one.splits.items():
        np.testing.assert_array_equal(both.splits[name].ids, split.ids)


@pytest.mark.parametrize("swap", ["both", "random"])
def test_swapped_pairs_follow_those_as_they_stand(pairs: Task, tokenizer: Any, swap: Any) -> None:
    plain, swapped = encode_task(pairs, tokenizer, 24), encode_task(pairs, tokenizer, 24, "as_is", swap)
    n_rows, turned = len(plain.train), encode_split(pairs.train.turned, tokenizer, 24)
    first, second = swapped.train.take(np.arange(n_rows)), swapped.train.take(np.arange(n_rows, 2 * n_rows))
    for name in ("ids", "types", "starts", "labels", "sides", "shared"):
        np.testing.assert_array_equal(getattr(first, name), getattr(plain.train, name))
        np.testing.assert_array_equal(getattr(second, name), getattr(turned, name))
    assert {*swapped.splits} == {*plain.splits}, "what is judged is read as it stands"


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), min_size=1, max_size=9), st.integers(1, 4))
def test_how_many_rows_are_tokenised_at_once_changes_nothing(
    tokenizer: Any, texts: list[tuple[str, str]], n_at_once: int
) -> None:
    firsts, seconds = zip(*texts, strict=True)
    split = Split(firsts, None, seconds)
    whole = encode_split(split, tokenizer, 12)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encode, "ROWS_AT_ONCE", n_at_once)
        parts = encode_split(split, tokenizer, 12)
    for name, array in vars(whole).items():
        assert array is getattr(parts, name) is None or np.array_equal(array, getattr(parts, name)), name
        assert array is None or array.dtype == getattr(parts, name).dtype
