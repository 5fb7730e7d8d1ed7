from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.tasks.corpus import Corpus, EncodedCorpus, corpora_of, corpus_of, corpus_of_files, encode_corpus
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import load_task

FILES = (Split(("one more",), None), Split(("left",), None, ("right",)))
PAIRS = Task(
    name="pairs",
    kind="pair",
    metric="accuracy",
    label_names=("no", "yes"),
    train=Split(("a", "b"), (0, 1), ("c", "")),
    dev=Split(("d",), (0,), ("e",)),
    test=Split(("f", " "), None, ("g", "")),
    corpus_files=FILES,
)
OF_TRAIN, OF_ALL = (("a", "c"), ("b", "")), (("a", "c"), ("b", ""), ("d", "e"), ("f", "g"))


@pytest.mark.parametrize(
    ("which", "texts", "pairs"),
    [
        ("train", (), OF_TRAIN),
        ("all", (), OF_ALL),
        ("files", ("one more",), (("left", "right"),)),
        ("train+files", ("one more",), (*OF_TRAIN, ("left", "right"))),
        ("all+files", ("one more",), (*OF_ALL, ("left", "right"))),
    ],
)
def test_a_corpus_has_the_texts_that_are_asked_for(
    which: str, texts: tuple[str, ...], pairs: tuple[tuple[str, str], ...]
) -> None:
    assert corpus_of(PAIRS, which) == Corpus(texts, pairs)
    assert corpora_of(PAIRS)[which] == (len(texts), len(pairs))


def test_a_task_without_further_files_has_no_corpus_of_them(task: Task) -> None:
    assert task.test is not None
    n_train, n_rest = len(task.train), len(task.dev) + len(task.test)
    assert corpora_of(task) == {"train": (n_train, 0), "all": (n_train + n_rest, 0)}
    assert corpora_of(replace(task, test=None))["all"] == (n_train + len(task.dev), 0)
    for which in ("files", "train+files", "all+files"):
        with pytest.raises(RequestError, match=r"small names no further files, which corpus = .* under \[corpus\]"):
            corpus_of(task, which)


TOML = """name = "films"
kind = "single"
metric = "accuracy"
[files]
train = "train.csv"
dev = "dev.csv"
test = "test.csv"
[columns]
text = "text"
label = "label"
[corpus]
files = ["more.csv"]
"""


def test_labels_are_no_part_of_a_corpus(tmp_path: Path) -> None:
    def task_of(labels: str) -> Task:
        folder = tmp_path / labels
        folder.mkdir()
        (folder / "films.toml").write_text(TOML)
        for number, name in enumerate(("train", "dev", "test", "more")):
            rows = [f"{name} text {row},{labels[(row + number) % len(labels)]}\n" for row in range(6)]
            (folder / f"{name}.csv").write_text("".join(["text,label\n", *rows]))
        return load_task(folder / "films.toml")

    one, other = task_of("xy"), task_of("pqr")
    assert one.fingerprint != other.fingerprint
    for which in corpora_of(one):
        assert corpus_of(one, which).fingerprint == corpus_of(other, which).fingerprint
    assert len({corpus_of(one, which).fingerprint for which in corpora_of(one)}) == 5


def test_how_a_task_is_divided_is_no_part_of_all_its_texts(task: Task) -> None:
    assert task.test is not None
    divided_otherwise = replace(task, train=task.dev, dev=task.test, test=task.train)
    assert corpus_of(divided_otherwise, "all") == corpus_of(task, "all")
    assert corpus_of(divided_otherwise, "train") != corpus_of(task, "train")


def test_a_fingerprint_is_of_every_text() -> None:
    corpora = [
        Corpus(()),
        Corpus(("a",)),
        Corpus(("a", "a")),
        Corpus(("a", "b")),
        Corpus((), (("a", "b"),)),
        Corpus((), (("b", "a"),)),
        Corpus(("ab",)),
    ]
    assert len({corpus.fingerprint for corpus in corpora}) == len(corpora)


def test_plain_files_hold_a_text_a_line(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_bytes("b, \u2028c\r\n\r\na\tx\n".encode("utf-8-sig"))
    (tmp_path / "two.txt").write_text("c")
    assert corpus_of_files([tmp_path / "one.txt", tmp_path / "two.txt"]) == Corpus(("a\tx", "b, \u2028c", "c"))
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(RequestError, match=r"empty.txt holds no text to pretrain on$"):
        corpus_of_files([tmp_path / "one.txt", tmp_path / "empty.txt"])
    with pytest.raises(RequestError, match=r"none.txt cannot be read: No such file"):
        corpus_of_files([tmp_path / "none.txt"])
    (tmp_path / "gb.txt").write_bytes("你好\n".encode("gb18030"))
    with pytest.raises(RequestError, match=r"gb.txt is not utf-8: .*; save it as UTF-8"):
        corpus_of_files([tmp_path / "gb.txt"])


# --- as a tokenizer sees it


def texts_in(corpus: EncodedCorpus, tokenizer: Any) -> list[str]:
    read = corpus.read(corpus.row_texts).rows
    bounds = zip(read.starts[:-1], read.starts[1:], strict=True)
    return [" ".join(tokenizer.convert_ids_to_tokens(read.ids[start:end])) for start, end in bounds]


SMALL = Corpus(("the index",), (("index", "map"), ("the", "")))
JOINED = ["[CLS] index [SEP] map [SEP]", "[CLS] the [SEP] [SEP]"]
TURNED = ["[CLS] map [SEP] index [SEP]", "[CLS] [SEP] the [SEP]"]
EACH = [f"[CLS] {text}[SEP]" for text in ("index ", "map ", "the ", "")]
ALONE = ["[CLS] the index [SEP]"]


@pytest.mark.parametrize(
    ("form", "order", "expected"),
    [
        ("single", "as_is", ALONE + EACH),
        ("pairs", "as_is", ALONE + JOINED),
        ("pairs", "random", ALONE + JOINED),
        ("pairs", "both", ALONE + JOINED + TURNED),
        ("both", "as_is", ALONE + EACH + JOINED),
        ("both", "both", ALONE + EACH + JOINED + TURNED),
    ],
)
def test_forms_and_orders_give_their_rows(tokenizer: Any, form: str, order: str, expected: list[str]) -> None:
    recipe = PretrainingRecipe(form=form, pair_order=order)
    corpus = encode_corpus(SMALL, recipe, tokenizer)
    assert texts_in(corpus, tokenizer) == expected
    turned = corpus.are_turned(np.arange(len(corpus)))
    assert [row for row, is_turned in zip(expected, turned, strict=True) if is_turned] == (
        TURNED if order == "both" else []
    )


texts = st.sampled_from(["sort", "the index", "a map", "", " ", "\u2603", "sort the values of a map by the index"])


@given(
    st.lists(texts, max_size=6),
    st.lists(st.tuples(texts, texts), max_size=6),
    st.sampled_from(["single", "pairs", "both"]),
    st.sampled_from(["as_is", "both", "random"]),
    st.integers(4, 24),
)
def test_the_number_of_rows_is_known_before_there_is_a_tokenizer(
    tokenizer: Any, single: list[str], pairs: list[tuple[str, str]], form: Any, order: Any, max_length: int
) -> None:
    corpus = Corpus((*single, "the"), tuple(pairs))
    recipe = PretrainingRecipe(form=form, pair_order=order, max_length=max_length)
    encoded = encode_corpus(corpus, recipe, tokenizer)
    assert len(encoded) == recipe.n_rows(*corpus.sizes) == len(encoded.lengths)
    assert np.array_equal(encoded.lengths, encoded.read(encoded.row_texts).rows.lengths)
    assert encoded.lengths.max() <= max_length


@pytest.mark.slow  # many pairs, drawn at random
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_both_orders_are_the_same_rows_whichever_way_pairs_stand(tokenizer: Any, pairs: list[tuple[str, str]]) -> None:
    recipe = PretrainingRecipe(form="both", pair_order="both")
    turned = [(second, first) for first, second in pairs]
    rows = [
        texts_in(encode_corpus(Corpus(("the",), tuple(some)), recipe, tokenizer), tokenizer) for some in (pairs, turned)
    ]
    assert Counter(rows[0]) == Counter(rows[1])


def test_segment_ids_are_those_of_the_texts_or_none(tokenizer: Any) -> None:
    recipe = PretrainingRecipe(form="pairs", pair_order="both")
    types = {
        name: encode_corpus(SMALL, recipe.model_copy(update={"token_types": name}), tokenizer)
        for name in ("segments", "zeros")
    }
    read = {name: corpus.read(corpus.row_texts).rows.types for name, corpus in types.items()}
    of_rows = [[0] * 4, [0, 0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1, 1], [0, 0, 1, 1]]
    assert read["segments"] is not None
    assert read["segments"].tolist() == [value for row in of_rows for value in row]
    assert read["zeros"] is not None
    assert not read["zeros"].any()


def test_what_a_pretraining_cannot_read(tokenizer: Any) -> None:
    from transformers import BertTokenizer, RobertaTokenizer

    recipe = PretrainingRecipe()
    for empty in (Corpus(()), Corpus(("", " ")), Corpus((), (("", " "),))):
        with pytest.raises(RequestError, match=r"^more.txt holds no text to pretrain on$"):
            encode_corpus(empty, recipe, tokenizer, "more.txt")
    with pytest.raises(RequestError, match=r"holds no text to pretrain on: the tokenizer knows no word of it"):
        encode_corpus(Corpus(("\u2603", "[SEP]")), recipe, tokenizer)
    with pytest.raises(RequestError, match=r"has no mask token, so nothing can be hidden"):
        encode_corpus(SMALL, recipe, BertTokenizer(vocab={"[UNK]": 0, "map": 1}, mask_token=None))
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"adehimnpxt"]
    two_separators = RobertaTokenizer(vocab={name: number for number, name in enumerate(names)}, merges=[])
    with pytest.raises(RequestError, match=r"room for a text beside 4 special tokens, but is 4$"):
        encode_corpus(SMALL, PretrainingRecipe(form="pairs", max_length=4), two_separators)
    assert len(encode_corpus(SMALL, PretrainingRecipe(max_length=4), two_separators)) == 5
