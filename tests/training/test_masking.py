from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.tasks.batches import collate
from gridsearch.tasks.corpus import Corpus, EncodedCorpus, corpus_of, encode_corpus
from gridsearch.tasks.task import Task
from gridsearch.training.masking import IS_RANDOM, MaskedRows, masked_rows
from tests.fixtures_core import write_tokenizer

PAIRED = PretrainingRecipe(form="both", pair_order="random", next_sentence=True)


def rows_of_steps(corpus: EncodedCorpus, recipe: PretrainingRecipe, n_steps: int = 40) -> list[MaskedRows]:
    return [masked_rows(corpus, np.arange(len(corpus)), recipe, seed=0, step=step) for step in range(n_steps)]


def row_in(rows: MaskedRows, number: int) -> list[int]:
    start, end = rows.rows.starts[number : number + 2]
    originals: list[int] = rows.originals[start:end].tolist()
    return originals


def same(one: MaskedRows, other: MaskedRows) -> bool:
    return all(
        np.array_equal(a, b)
        for a, b in (
            (one.rows.ids, other.rows.ids),
            (one.rows.starts, other.rows.starts),
            (one.originals, other.originals),
            (one.chosen, other.chosen),
        )
    )


@pytest.fixture(scope="module")
def words(tokenizer: Any) -> list[str]:
    """Return words that are a token each."""
    return [word for word in tokenizer.get_vocab() if word.isalpha() and len(word) > 2][:60]


@pytest.fixture(scope="module")
def pairs(tokenizer: Any, words: list[str]) -> EncodedCorpus:
    """Return 30 pairs of a word each, in the order in which they stand."""
    corpus = Corpus((), tuple((words[2 * i], words[2 * i + 1]) for i in range(30)))
    return encode_corpus(corpus, PretrainingRecipe(form="pairs", pair_order="random"), tokenizer)


# --- how much is hidden, and by what


def refuse_other_shares(corpus: EncodedCorpus, recipe: PretrainingRecipe, tokenizer: Any, n_steps: int) -> None:
    n_chosen, n_may, kinds = 0, 0, Counter[str]()
    for step in range(n_steps):
        rows = np.random.default_rng(step).integers(len(corpus), size=128)
        masked = masked_rows(corpus, rows, recipe, seed=3, step=step)
        is_special = np.isin(masked.originals, tokenizer.all_special_ids)
        assert not (masked.chosen & is_special).any()
        assert np.array_equal(masked.rows.ids[~masked.chosen], masked.originals[~masked.chosen])
        seen = masked.rows.ids[masked.chosen]
        assert np.isin(seen[seen != tokenizer.mask_token_id], tokenizer.all_special_ids).sum() == 0
        n_chosen, n_may = n_chosen + len(seen), n_may + int((~is_special).sum())
        kinds["mask"] += int((seen == tokenizer.mask_token_id).sum())
        kinds["kept"] += int((seen == masked.targets).sum())
    assert abs(n_chosen / n_may - recipe.rate) < 0.01
    expected = {"mask": recipe.mask_share, "kept": 1 - recipe.mask_share - recipe.random_share}
    for kind, share in expected.items():
        assert abs(kinds[kind] / n_chosen - share) < 0.01, kind


@pytest.mark.slow  # 0.4 s
@pytest.mark.parametrize(
    "knobs", [{}, {"rate": 0.4, "mask_share": 0.5, "random_share": 0.5}, {"mask_share": 0.0, "random_share": 0.0}]
)
def test_rate_and_shares_on_docstrings(docstrings_task: Task, tokenizer: Any, knobs: dict[str, float]) -> None:
    recipe = PretrainingRecipe(max_length=64, **knobs)
    refuse_other_shares(encode_corpus(corpus_of(docstrings_task, "train"), recipe, tokenizer), recipe, tokenizer, 40)


@pytest.mark.slow  # 0.9 s
def test_rate_and_shares_on_chinese_pairs(shared_data: Path, tmp_path: Path) -> None:
    vocabulary = (shared_data / "vocab" / "bert-base-chinese.vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    write_tokenizer(tmp_path, vocabulary)
    settings = {"config.json": b'{"model_type": "bert"}'}
    tokenizer = build_tokenizer(settings | {path.name: path.read_bytes() for path in tmp_path.iterdir()})
    lines = (shared_data / "oppo_xiaobu_plain" / "dev.txt").read_text(encoding="utf-8").split("\n")[:3000]
    fields = [line.split("\t") for line in lines]
    recipe = PretrainingRecipe(form="both", pair_order="random", next_sentence=True)
    corpus = encode_corpus(Corpus((), tuple((one, other) for one, other, _ in fields)), recipe, tokenizer)
    refuse_other_shares(corpus, recipe, tokenizer, 80)


# --- what a step's numbers follow from


def test_a_step_is_the_same_whenever_it_is_taken(pairs: EncodedCorpus) -> None:
    once, again = rows_of_steps(pairs, PAIRED, 4), rows_of_steps(pairs, PAIRED, 4)
    assert all(same(one, other) for one, other in zip(once, again, strict=True))
    assert not any(same(one, other) for one, other in pairwise(once))
    other_seed = masked_rows(pairs, np.arange(len(pairs)), PAIRED, seed=1, step=0)
    assert not same(once[0], other_seed)


def test_no_knob_shifts_the_numbers_of_another(pairs: EncodedCorpus) -> None:
    usual = PAIRED.model_copy(update={"next_sentence": False})
    step = rows_of_steps(pairs, usual, 1)[0]
    shares = rows_of_steps(pairs, usual.model_copy(update={"mask_share": 0.1}), 1)[0]
    assert np.array_equal(step.chosen, shares.chosen)
    rarer = rows_of_steps(pairs, usual.model_copy(update={"rate": 0.05}), 1)[0]
    assert np.array_equal(step.originals, rarer.originals)
    assert not (rarer.chosen & ~step.chosen).any()
    asked = rows_of_steps(pairs, PAIRED, 1)[0]
    assert asked.follows is not None
    assert step.follows is None
    for number in range(len(pairs)):
        # Two words of a token each: what is replaced is as long, so that the same tokens are chosen.
        first, second = row_in(step, number)[1], row_in(step, number)[3]
        assert row_in(asked, number)[1] == first
        assert (row_in(asked, number)[3] == second) == (asked.follows[number] != IS_RANDOM)
    assert np.array_equal(asked.chosen, step.chosen)


# --- what a model gets


@given(st.integers(0, 50), st.lists(st.integers(0, 29), min_size=1, max_size=9), st.sampled_from([None, 5, 12]))
def test_positions_are_those_of_the_padded_rows(
    pairs: EncodedCorpus, step: int, rows: list[int], width: int | None
) -> None:
    recipe = PretrainingRecipe(form="pairs", rate=0.5)
    masked = masked_rows(pairs, np.asarray(rows), recipe, seed=0, step=step)
    batch = collate(masked.rows, np.arange(len(masked)), pairs.pad_id, torch.device("cpu"), width)
    positions = torch.from_numpy(masked.positions(width))
    assert batch["input_ids"].flatten()[positions].tolist() == masked.rows.ids[masked.chosen].tolist()
    originals = torch.full_like(batch["input_ids"], pairs.pad_id)
    is_token = batch.get("attention_mask", torch.ones_like(originals)).bool()
    originals[is_token] = torch.from_numpy(masked.originals)
    assert originals.flatten()[positions].tolist() == masked.targets.tolist()
    assert len(masked.targets) == len(positions) == masked.chosen.sum()


@given(st.integers(0, 20), st.permutations(range(12)), st.integers(0, 12))
def test_parts_of_a_step_are_the_whole(pairs: EncodedCorpus, step: int, rows: list[int], cut: int) -> None:
    whole = masked_rows(pairs, np.asarray(rows), PAIRED, seed=0, step=step)
    parts = [whole.take(np.arange(0, cut)), whole.take(np.arange(cut, 12))]
    for read in (lambda part: part.rows.ids, lambda part: part.targets, lambda part: part.follows):
        assert np.concatenate([read(part) for part in parts]).tolist() == read(whole).tolist()


texts = st.sampled_from(["map", "the index", "a deep map", "", "\u2603", "sort the values of a map by the index"])


@pytest.mark.slow  # many rows, drawn at random
@given(
    st.lists(texts, max_size=4),
    st.lists(st.tuples(texts, texts), max_size=5),
    st.builds(
        PretrainingRecipe,
        form=st.sampled_from(["single", "pairs", "both"]),
        pair_order=st.sampled_from(["as_is", "both", "random"]),
        next_sentence=st.booleans(),
        token_types=st.sampled_from(["segments", "zeros"]),
        rate=st.floats(0.01, 0.99),
        max_length=st.integers(4, 20),
    ),
    st.integers(0, 2**40),
)
def test_whatever_is_read_words_alone_are_hidden(
    tokenizer: Any, single: list[str], some: list[tuple[str, str]], recipe: PretrainingRecipe, step: int
) -> None:
    corpus = encode_corpus(Corpus((*single, "the index"), tuple(some)), recipe, tokenizer)
    masked = masked_rows(corpus, np.arange(len(corpus)), recipe, seed=step, step=step)
    split = masked.rows
    assert len(split) == len(corpus)
    assert split.lengths.max() <= recipe.max_length
    assert len(split.ids) == len(masked.originals) == len(masked.chosen) == split.starts[-1]
    assert split.types is not None
    assert len(split.types) == len(split.ids)
    assert split.types.max() <= (recipe.token_types == "segments" and recipe.form != "single")
    assert not np.isin(masked.targets, tokenizer.all_special_ids).any()
    assert np.array_equal(split.ids[~masked.chosen], masked.originals[~masked.chosen])
    assert (masked.originals[split.starts[:-1]] == tokenizer.cls_token_id).all()
    assert (masked.originals[split.starts[1:] - 1] == tokenizer.sep_token_id).all()
    n_joined = recipe.n_rows(*(0, len(some))) - (2 * len(some) if recipe.form != "pairs" else 0)
    if masked.follows is None:
        assert not recipe.next_sentence
    else:
        assert (masked.follows == -100).tolist() == [True] * (len(corpus) - n_joined) + [False] * n_joined


# --- pairs


def test_the_order_is_drawn_at_each_reading(pairs: EncodedCorpus, tokenizer: Any) -> None:
    recipe = PretrainingRecipe(form="pairs", pair_order="random")
    as_is = rows_of_steps(pairs, PretrainingRecipe(form="pairs"), 1)[0]
    n_turned = np.zeros(len(pairs))
    for masked in rows_of_steps(pairs, recipe, 200):
        for number in range(len(pairs)):
            cls, first, sep, second, end = row_in(as_is, number)
            assert row_in(masked, number) in ([cls, first, sep, second, end], [cls, second, sep, first, end])
            n_turned[number] += row_in(masked, number)[1] == second
    assert abs(n_turned.mean() / 200 - 0.5) < 0.03
    assert (abs(n_turned / 200 - 0.5) < 0.2).all()


def test_segment_ids_of_a_pair_that_is_turned_round_are_those_of_its_texts(tokenizer: Any) -> None:
    texts = "the index of a map", "map"
    recipe = PretrainingRecipe(form="pairs", pair_order="random")
    corpus = encode_corpus(Corpus((), (texts,)), recipe, tokenizer)
    theirs = [tokenizer(one, other) for one, other in (texts, texts[::-1])]
    expected = {(tuple(row["input_ids"]), tuple(row["token_type_ids"])) for row in theirs}
    found = {
        (tuple(masked.originals.tolist()), tuple((masked.rows.types if masked.rows.types is not None else []).tolist()))
        for masked in rows_of_steps(corpus, recipe)
    }
    assert found == expected


@pytest.mark.slow  # 1.0 s
@pytest.mark.parametrize("order", ["as_is", "both", "random"])
def test_half_of_the_pairs_get_the_second_text_of_another(tokenizer: Any, words: list[str], order: Any) -> None:
    """Turned round, it is another's first text: a wrong kind of text would tell that it is a random one."""
    texts = tuple((words[2 * i], words[2 * i + 1]) for i in range(30))
    recipe = PretrainingRecipe(form="pairs", pair_order=order, next_sentence=True)
    corpus = encode_corpus(Corpus(("the index",), texts), recipe, tokenizer)
    ids = {pair: tuple(tokenizer.convert_tokens_to_ids(pair)) for pair in texts}
    known = set(ids.values()) | ({pair[::-1] for pair in ids.values()} if order != "as_is" else set())
    firsts = {first for first, _ in ids.values()}
    n_random, n_pairs, partners = 0, 0, Counter[int]()
    for masked in rows_of_steps(corpus, recipe, 400):
        assert masked.follows is not None
        assert masked.follows[0] == -100
        for number in range(1, len(corpus)):
            _, first, _, second, _ = row_in(masked, number)
            assert ((first, second) in known) == (masked.follows[number] == 0)
            assert (first in firsts) != (second in firsts)
            n_random += int(masked.follows[number])
            n_pairs += 1
            partners[second] += int(masked.follows[number])
    assert abs(n_random / n_pairs - 0.5) < 0.03
    assert len(partners) == (30 if order == "as_is" else 60)
    assert max(partners.values()) < 2 * min(partners.values())


def test_a_text_that_many_pairs_share_is_no_random_one_for_them(tokenizer: Any) -> None:
    recipe = PretrainingRecipe(form="pairs", next_sentence=True)
    pairs = (("the", "map"), ("index", "map"), ("deep", "map"), ("return", "index"))
    corpus = encode_corpus(Corpus((), pairs), recipe, tokenizer)
    map_id, index_id = (tokenizer.convert_tokens_to_ids(word) for word in ("map", "index"))
    for masked in rows_of_steps(corpus, recipe):
        assert masked.follows is not None
        for number, own in enumerate((map_id, map_id, map_id, index_id)):
            assert (row_in(masked, number)[-2] == own) == (masked.follows[number] == 0)
    alone = encode_corpus(Corpus((), pairs[:3]), recipe, tokenizer)
    for masked in rows_of_steps(alone, recipe):
        assert masked.follows is not None
        assert not masked.follows.any()
        assert [row_in(masked, number)[-2] for number in range(3)] == [map_id] * 3


def test_a_random_second_text_is_cut_with_its_new_first_one(tokenizer: Any) -> None:
    recipe = PretrainingRecipe(form="pairs", next_sentence=True, max_length=9)
    pairs = (("the index", "map"), ("the", "a deep map of the index of a map"))
    corpus = encode_corpus(Corpus((), pairs), recipe, tokenizer)
    seen = set()
    for masked in rows_of_steps(corpus, recipe):
        assert masked.follows is not None
        for number, (first, _) in enumerate(pairs):
            second = pairs[number if masked.follows[number] == 0 else 1 - number][1]
            expected = tokenizer(first, second, truncation="longest_first", max_length=9)
            assert row_in(masked, number) == expected["input_ids"]
            seen.add((number, int(masked.follows[number])))
    assert len(seen) == 4
