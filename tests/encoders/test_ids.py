"""Encoders of ids: which numbers are tokens, which rows they take, and that heads and tokenizers follow them."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForMaskedLM, AutoModelForPreTraining

from gridsearch.encoders.checkpoint.anatomy import word_table
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.files import read_card
from gridsearch.encoders.ids.alignment import DRAWN, OwnTokens, own_tokens, rows_taken, tokens_with_special
from gridsearch.encoders.ids.encoder import with_ids
from gridsearch.encoders.ids.known import knows_ids
from gridsearch.encoders.ids.start import start_of_ids
from gridsearch.encoders.ids.tokenizer import ids_tokenizer
from gridsearch.encoders.ids.vocabulary import IdsVocabulary, ids_vocabulary
from gridsearch.encoders.load import EncoderWeights, build_model
from gridsearch.encoders.pretraining.masked_lm import build_masked_lm
from gridsearch.encoders.pretraining.masked_lm_files import encoder_files_of
from gridsearch.encoders.pretraining.published_head import read_base
from gridsearch.encoders.pretraining.scratch import scratch_tokenizer, scratch_weights
from gridsearch.errors import RequestError
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.recipe.vocabulary.knobs import VocabularyRecipe
from tests.encoder_of_vocabulary import encoder_of
from tests.encoders.masked_lm_folders import WORDS, save_headed, tokens_of
from tests.fixtures_core import by_family

ROOT = Path(__file__).parents[2]
ID_COUNTS = {"7": 9, "12": 9, "5": 20, "100": 3, "31": 1}
RANKED = ("5", "7", "12", "100", "31")
ALIGNED: list[dict[str, str]] = [
    {"align": "none"},
    {"align": "special"},
    {"align": "frequency"},
    {"align": "order", "start": "ab"},
]
TOKEN_COUNTS = {"ba": 5, "aa": 100, "ff": 70, "[UNK]": 1000, "zz": 10_000, "ab": 5, "cc": 0}
"""Of the tokens of the encoders below, and of one that they lack."""
BY_FREQUENCY = ["aa", "ff", "ab", "ba"]


def vocabulary(min_count: int = 1, **knobs: str) -> IdsVocabulary:
    recipe = VocabularyRecipe.model_validate({"min_count": min_count, **knobs})
    return ids_vocabulary(ID_COUNTS, recipe, TOKEN_COUNTS)


@pytest.fixture(scope="module")
def bases(once: Any) -> Mapping[str, Path]:
    """Return a checkpoint of every family with the head that it was pretrained with."""

    def make(top: Path) -> None:
        for name, family in FAMILIES.items():
            kind = AutoModelForPreTraining if family.next_sentence else AutoModelForMaskedLM
            save_headed(top / name, name, kind)

    top = once("headed families", make)
    return {name: top / name for name in FAMILIES}


def base_of(folder: Path) -> EncoderWeights:
    return read_base(folder, "a base")


# --- which ids are tokens


@pytest.mark.parametrize(("least", "n"), [(1, 5), (2, 4), (3, 4), (4, 3), (9, 3), (10, 1), (20, 1), (21, 0)])
def test_frequent_ids_are_tokens_by_count_and_number(least: int, n: int) -> None:
    assert vocabulary(least).tokens == RANKED[:n]


@given(st.dictionaries(st.integers(0, 10**30).map(str), st.integers(1, 9)), st.integers(1, 9))
def test_no_frequent_id_is_left_out_and_no_rare_one_in(counts: dict[str, int], least: int) -> None:
    tokens = ids_vocabulary(counts, VocabularyRecipe(min_count=least), {}).tokens
    assert set(tokens) == {token for token, count in counts.items() if count >= least}
    assert list(tokens) == sorted(tokens, key=lambda token: (-counts[token], int(token)))


# --- which rows they take


def own() -> OwnTokens:
    tokens = ["[PAD]", "x", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "!", "你", "好", "吗"]
    roles = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return OwnTokens({token: row for row, token in enumerate(tokens)}, {**roles, "mask_token": "[MASK]"})


def rows_of(**knobs: str) -> dict[str, int]:
    counts = {"吗": 3, "x": 5, "你": 3, "[CLS]": 99, "nowhere": 50, "!": 0}
    made = ids_vocabulary(ID_COUNTS, VocabularyRecipe.model_validate({"min_count": 1, **knobs}), counts)
    return dict(zip(tokens_with_special(own(), made), rows_taken(own(), made), strict=True))


SPECIAL_ROWS = {"[PAD]": 0, "[UNK]": 2, "[CLS]": 3, "[SEP]": 4, "[MASK]": 5}


def test_none_takes_nothing_and_special_the_special_rows() -> None:
    assert set(rows_of(align="none").values()) == {DRAWN}
    assert rows_of(align="special") == SPECIAL_ROWS | dict.fromkeys(RANKED, DRAWN)


def test_the_rth_most_frequent_id_takes_the_row_of_the_rth_most_frequent_token() -> None:
    """Special tokens are not ranked, nor tokens that the encoder lacks; of equal counts the first row goes first."""
    expected = {"5": 1, "7": 7, "12": 9, "100": DRAWN, "31": DRAWN}
    assert rows_of(align="frequency") == SPECIAL_ROWS | expected


@pytest.mark.parametrize(
    ("start", "rows"), [("!", [6, 7, 8, 9, DRAWN]), ("你", [7, 8, 9, DRAWN, DRAWN]), ("x", [1, 6, 7, 8, 9])]
)
def test_in_order_from_a_start(start: str, rows: list[int]) -> None:
    assert rows_of(align="order", start=start) == SPECIAL_ROWS | dict(zip(RANKED, rows, strict=True))


@pytest.mark.parametrize(("start", "what"), [("没", "none of it"), ("[CLS]", "a special token of it")])
def test_a_start_that_is_no_ordinary_token_is_refused(start: str, what: str) -> None:
    sentence = f"vocabulary.start must be an ordinary token of the encoder's vocabulary, but '{start}' is {what}"
    with pytest.raises(RequestError) as error:
        rows_of(align="order", start=start)
    assert str(error.value) == sentence


def test_counts_of_other_tokens_are_refused() -> None:
    made = ids_vocabulary(ID_COUNTS, VocabularyRecipe(align="frequency"), {"the": 3, "[CLS]": 4})
    with pytest.raises(RequestError, match="count no token of this encoder's vocabulary"):
        rows_taken(own(), made)


@given(st.permutations(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d"]), st.integers(0, 40))
def test_padding_keeps_its_id_and_no_token_is_lost(order: list[str], n_ids: int) -> None:
    roles = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    known = OwnTokens({token: row for row, token in enumerate(order)}, roles)
    made = ids_vocabulary({str(n): 1 for n in range(n_ids)}, VocabularyRecipe(min_count=1, align="special"), {})
    if order.index("[PAD]") > n_ids + 3:
        with pytest.raises(RequestError, match="padding token"):
            tokens_with_special(known, made)
        return
    tokens = tokens_with_special(known, made)
    assert tokens.index("[PAD]") == order.index("[PAD]")
    assert sorted(tokens) == sorted([*roles.values(), *made.tokens])
    special = [token for token in tokens if token in roles.values() and token != "[PAD]"]
    assert special == [token for token in order if token in special]


# --- its identity, known before it is made


def test_whatever_changes_the_encoder_changes_its_identity_and_nothing_else() -> None:
    def identity(base: str = "files-0", least: int = 1, counts: Any = TOKEN_COUNTS, **knobs: str) -> str:
        recipe = VocabularyRecipe.model_validate({"min_count": least, **knobs})
        return ids_vocabulary(ID_COUNTS, recipe, counts).identity(base)

    kinds = [identity(**one) for one in (*ALIGNED, {"align": "order"}, {"base": "files-1"}, {"least": 4})]
    assert len(set(kinds)) == len(kinds)
    assert identity(least=2) == identity(least=3), "the same ids are kept"
    assert identity(start="ab") == identity(), "nothing starts anywhere"
    assert identity(counts={"aa": 1}) == identity(), "nothing is ranked"
    assert identity(counts={"aa": 1}, align="frequency") != identity(align="frequency")


def test_an_encoder_stays_what_it_is_where_texts_are_text(bases: Mapping[str, Path]) -> None:
    card = read_card("mine", bases["bert"])
    assert start_of_ids(card, {}, VocabularyRecipe(), {}) is card
    assert start_of_ids(card, ID_COUNTS, VocabularyRecipe(), {}).identity.startswith("ids-")


# --- the encoder, of every family


@pytest.mark.parametrize("knobs", ALIGNED, ids=str)
@pytest.mark.parametrize("family", by_family())
def test_rows_are_the_encoders_or_drawn(bases: Mapping[str, Path], family: str, knobs: dict[str, str]) -> None:
    base, made = base_of(bases[family]), vocabulary(**knobs)
    encoder = with_ids(base, made)
    known = own_tokens(base.tokenizer)
    tokens, rows = tokens_with_special(known, made), rows_taken(known, made)
    words = {"frequency": BY_FREQUENCY, "order": WORDS[1:]}.get(knobs["align"], [])
    for token, word in zip(made.tokens, words, strict=False):
        assert rows[tokens.index(token)] == tokens_of(family).index(word)
    old, new = base.state[word_table(base.config)], encoder.state[word_table(encoder.config)]
    assert new.dtype == np.float32
    assert new.shape == (len(tokens), old.shape[1])
    for place, row in enumerate(rows):
        if row != DRAWN:
            assert np.array_equal(new[place], old[row])
        elif tokens[place] == known.padding:
            assert not new[place].any()
        else:
            assert 0.01 < new[place].std() < 0.04
    assert {name for name in encoder.state if encoder.state[name] is not base.state[name]} == {
        word_table(encoder.config)
    }
    assert encoder.config["vocab_size"] == len(tokens)
    assert build_model(encoder, None).get_input_embeddings().weight.shape[0] == len(tokens)  # type: ignore[union-attr]


@pytest.mark.parametrize("family", by_family())
def test_the_head_follows_the_same_rows(bases: Mapping[str, Path], family: str) -> None:
    base, made = base_of(bases[family]), vocabulary(align="order", start="fd")
    encoder = with_ids(base, made)
    known = own_tokens(base.tokenizer)
    rows = np.asarray(rows_taken(known, made))
    assert (rows[-2:] == DRAWN).all(), "three words stand from the start on"
    followed = {name for name in base.head if encoder.head[name].shape != base.head[name].shape}
    assert any(name.endswith("bias") for name in followed) or family == "eurobert"
    for name, array in encoder.head.items():
        if name not in followed:
            assert array is base.head[name]
            continue
        assert np.array_equal(array[rows != DRAWN], base.head[name][rows[rows != DRAWN]])
        is_table = array.ndim > 1  # an output layer of its own
        assert array[rows == DRAWN].std() < 0.04 if is_table else not array[rows == DRAWN].any()
    together = bool(FAMILIES[family].next_sentence) and encoder.config.get("type_vocab_size", 2) > 1
    model = build_masked_lm(encoder, dropout=None, next_sentence=together, seed=0).eval()
    before = build_masked_lm(base, dropout=None, next_sentence=together, seed=0).eval()
    ids = build_tokenizer(encoder.tokenizer)("5 7 12", return_tensors="pt")["input_ids"]
    words = build_tokenizer(base.tokenizer)("fd fe ff", return_tensors="pt")["input_ids"]
    positions = torch.tensor([1, 2, 3])
    with torch.no_grad():
        new, old = (one({"input_ids": given}, positions) for one, given in ((model, ids), (before, words)))
    assert torch.allclose(new[:, rows != DRAWN], old[:, rows[rows != DRAWN]], atol=1e-6)


@pytest.mark.parametrize("family", by_family())
def test_around_texts_stands_what_the_encoder_knows(bases: Mapping[str, Path], family: str) -> None:
    base = base_of(bases[family])
    before, after = build_tokenizer(base.tokenizer), build_tokenizer(with_ids(base, vocabulary(2)).tokenizer)
    for texts, ids in ((("ab cd",), ("12 5",)), (("ab cd", "ba"), ("12 5", "100"))):
        one, other = before(*texts), after(*ids)
        assert one.keys() == other.keys()
        assert one.get("token_type_ids") == other.get("token_type_ids")
        words = dict(zip(["ab", "cd", "ba"], ["12", "5", "100"], strict=True))
        spelled = [words.get(token, token) for token in before.convert_ids_to_tokens(one["input_ids"])]
        assert after.convert_ids_to_tokens(other["input_ids"]) == spelled
    assert after.pad_token_id == before.pad_token_id
    assert after.model_max_length == before.model_max_length
    cut = after("12 5 7 12 5 7", "100 100 5", truncation="longest_first", max_length=8)["input_ids"]
    assert len(cut) == 8


@pytest.mark.parametrize("family", by_family())
def test_a_number_is_never_split_and_a_rare_one_is_unknown(bases: Mapping[str, Path], family: str) -> None:
    made = vocabulary(2)
    tokenizer = build_tokenizer(ids_tokenizer(base_of(bases[family]).tokenizer, made))
    for text in ("5", "7 12 100", "31", "51", "127", "1 2 3", "  5   7 ", "9" * 300):
        found = tokenizer.convert_ids_to_tokens(tokenizer(text, add_special_tokens=False)["input_ids"])
        assert found == [word if word in made.tokens else tokenizer.unk_token for word in text.split()]


@pytest.mark.parametrize("family", ["bert", "roberta", "electra", "albert", "nezha"])
@pytest.mark.parametrize("base", ["bert", "roberta"])
def test_an_encoder_from_scratch_reads_them_too(bases: Mapping[str, Path], base: str, family: str) -> None:
    encoder = with_ids(base_of(bases[base]), vocabulary(2))
    recipe = PretrainingRecipe(base="scratch", family=family, layers=1, width=16, heads=2)
    scratch = scratch_weights(encoder, recipe, 0)
    assert len(scratch.state[word_table(scratch.config)]) == len(encoder.state[word_table(encoder.config)])
    tokenizer = build_tokenizer(scratch.tokenizer)
    assert tokenizer("12 5", "31")["input_ids"] == build_tokenizer(encoder.tokenizer)("12 5", "31")["input_ids"]
    types = tokenizer("12 5", "31").get("token_type_ids")
    assert types is None if family == "roberta" else set(types) == {0, 1}
    assert scratch_tokenizer(encoder.tokenizer, family).keys() == scratch.tokenizer.keys()


@pytest.mark.parametrize("family", by_family())
def test_what_was_pretrained_on_ids_is_known_to_read_them(
    bases: Mapping[str, Path], tmp_path: Path, family: str
) -> None:
    """Else its word vectors would be drawn anew where it is given to the next study."""
    base = base_of(bases[family])
    encoder = with_ids(base, vocabulary())
    model = build_masked_lm(encoder, dropout=None, next_sentence=False, seed=0)
    for name, content in encoder_files_of(model, encoder).items():
        (tmp_path / name).write_bytes(content)
    card = read_card("mine", tmp_path)
    assert card.knows_ids
    assert start_of_ids(card, ID_COUNTS, VocabularyRecipe(), {}) is card
    assert not read_card("base", bases[family]).knows_ids
    again = base_of(tmp_path)
    assert np.array_equal(again.state[word_table(again.config)], encoder.state[word_table(encoder.config)])
    assert build_tokenizer(again.tokenizer)("12 5", "7") == build_tokenizer(encoder.tokenizer)("12 5", "7")


@pytest.mark.parametrize(
    ("content", "is_known"),
    [("[PAD]\n[UNK]\n12\n29\n", True), ("[PAD]\n12\nab\n", False), ("[PAD]\n[UNK]\n", False), ("12\n-1\n", False)],
)
def test_a_published_vocabulary_of_ids_is_known(tmp_path: Path, content: str, is_known: bool) -> None:
    (tmp_path / "vocab.txt").write_text(content)
    assert knows_ids(tmp_path) is is_known


@pytest.mark.parametrize("content", ["", "[]", '{"model": {}}', '{"model": {"vocab": [["a", 0.1]]}}'])
def test_a_tokenizer_that_says_nothing_of_ids(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    assert not knows_ids(tmp_path)


PROCESS = """
import sys
from pathlib import Path
import torch
from tests.encoders.test_ids import checksums
torch.set_num_threads(4)
torch.manual_seed(4)
print(checksums(Path(sys.argv[1])))
"""


def checksums(folder: Path) -> list[str]:
    """Return the checksum of an encoder with each alignment: weights and tokenizer."""
    made = [with_ids(read_base(folder, "x"), vocabulary(**knobs)) for knobs in ALIGNED]
    contents = [
        b"".join(
            [one.state[word_table(one.config)].tobytes(), *(one.tokenizer[name] for name in sorted(one.tokenizer))]
        )
        for one in made
    ]
    return [hashlib.sha256(content).hexdigest() for content in contents]


@pytest.mark.slow  # 16 s
def test_every_process_makes_the_same(bases: Mapping[str, Path]) -> None:
    before = torch.get_rng_state()
    here = checksums(bases["bert"])
    assert torch.equal(before, torch.get_rng_state())
    command = [sys.executable, "-c", PROCESS, str(bases["bert"])]
    there = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, cwd=ROOT).stdout
    assert there.splitlines()[-1] == str(here)
    assert len(set(here)) == len(ALIGNED)


# --- the real thing


@pytest.mark.slow  # reads the published ids
def test_gaiics_ids_take_rows_of_bert_base_chinese(shared_data: Path, tmp_path: Path) -> None:
    """Those of round 1's tests."""
    folder = encoder_of(shared_data / "vocab" / "bert-base-chinese.vocab.txt", tmp_path / "bert")
    gaiic = shared_data / "gaiic2021_track3"
    words = [
        word
        for name in ("gaiic_track3_round1_testA_20210228.tsv", "gaiic_track3_round1_testB_20210317.tsv")
        for word in (gaiic / name).read_text().split()
    ]
    id_counts = Counter(words)
    token_counts = json.loads((gaiic / "bert_token_counts.json").read_text(encoding="utf-8"))
    base = base_of(folder)
    ids = own_tokens(base.tokenizer).ids
    most = max(id_counts, key=lambda word: (id_counts[word], -int(word)))
    for knobs, first in (
        ({"align": "frequency"}, max((t for t in ids if t in token_counts), key=lambda t: token_counts[t])),
        ({"align": "order"}, "!"),
        ({"align": "order", "start": "你"}, "你"),
    ):
        made = ids_vocabulary(id_counts, VocabularyRecipe.model_validate(knobs), token_counts)
        assert all(id_counts[token] >= 5 for token in made.tokens)
        assert made.tokens[0] == most
        tokens = tokens_with_special(own_tokens(base.tokenizer), made)
        assert tokens[:6] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", most]
        encoder = with_ids(base, made)
        taken = rows_taken(own_tokens(base.tokenizer), made)
        assert taken[:6] == [0, 100, 101, 102, 103, ids[first]]
        assert np.array_equal(
            encoder.state[word_table(encoder.config)][5], base.state[word_table(base.config)][ids[first]]
        )
        assert len(set(taken)) == len(taken), "no row is taken twice"
