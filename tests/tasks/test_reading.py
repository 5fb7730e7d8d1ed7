"""What reads alike: whatever a usual tokenizer cannot tell apart, and not much more."""

import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.encoders.files import minilm_folder
from gridsearch.tasks.reading import in_any_order, reading, readings_of
from gridsearch.tasks.task import Split, Task
from tests.fixtures_core import write_tokenizer

NASTY = (
    "aAbB ,.!'-_\t\n\r\x00\x85\x1c\xa0\xad\u200b\u200d\u2028\u3000\ufeff\ufffd\u0301\u0308éÉßİıſςΣ"
    "中国⼀㈱Ａ，。１1가각ｶﾞガ…‗´€😀"
)
texts = st.lists(st.text(NASTY, max_size=5) | st.text(max_size=5), min_size=2, max_size=40)


def tokenizers(shared_data: Path, folder: Path, own: Any) -> dict[str, Any]:
    """Return minilm's, the tests' own, and Google's of two languages, cased and uncased."""
    found = {"own": own, "minilm": build_tokenizer(tokenizer_files(minilm_folder()))}
    for name in ("bert-base-uncased", "bert-base-chinese"):
        vocabulary = (shared_data / "vocab" / f"{name}.vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
        for is_lower in (True, False):
            write_tokenizer(folder / name, vocabulary, do_lower_case=is_lower)
            settings = {"config.json": b'{"model_type": "bert"}'}
            files = {path.name: path.read_bytes() for path in (folder / name).iterdir()}
            found[f"{name} {is_lower}"] = build_tokenizer(settings | files)
    return found


@pytest.fixture(scope="module")
def known(shared_data: Path, tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> dict[str, Any]:
    return tokenizers(shared_data, tmp_path_factory.mktemp("tokenizers"), tokenizer)


def refuse_other_readings(tokenizer: Any, texts: list[str]) -> None:
    """Texts of equal ids must read alike. Unknown words all have one id: whether they are the same cannot be told."""
    by_ids: dict[tuple[int, ...], set[str]] = defaultdict(set)
    for text, ids in zip(texts, tokenizer(texts)["input_ids"], strict=True):
        if tokenizer.unk_token_id not in ids:
            by_ids[tuple(ids)].add(reading(text))
    assert [readings for readings in by_ids.values() if len(readings) > 1] == []


@given(texts)
def test_texts_of_equal_ids_read_alike(known: dict[str, Any], texts: list[str]) -> None:
    for tokenizer in known.values():
        refuse_other_readings(tokenizer, texts)


@pytest.mark.slow  # 1.5 s
def test_real_texts_of_equal_ids_read_alike(known: dict[str, Any], shared_data: Path, task: Task) -> None:
    real = [text for text in task.train.texts for text in (text, text.upper(), f" {text} ", text.replace(" ", "\xa0"))]
    for file in ("glue/SST-2/dev.tsv", "thucnews10/dev.txt", "glue/RTE/dev.tsv"):
        real += (shared_data / file).read_text(encoding="utf-8").split("\n")[:800]
    for tokenizer in known.values():
        refuse_other_readings(tokenizer, real)


@given(st.text(NASTY) | st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_a_normal_form_reads_as_the_text_does(text: str, form: Any) -> None:
    """SentencePiece tokenizers see compatible forms alone."""
    assert reading(unicodedata.normalize(form, text)) == reading(text)


@given(st.text(NASTY) | st.text())
def test_a_reading_reads_as_itself(text: str) -> None:
    assert reading(reading(text)) == reading(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Film", "the film"),
        ("a  b\t", "a b"),
        ("wow!", "wow !"),
        ("naïve", "naive"),
        ("zero\u200bwidth", "zerowidth"),
        ("不 错", "不错"),
        ("好，ＢＥＲＴ", "好,bert"),
        ("Straße", "STRASSE"),
    ],
)
def test_what_reads_alike(one: str, other: str) -> None:
    assert reading(one) == reading(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a b", "ab"), ("12 3", "1 23"), ("good", "good!"), ("😀", "😡"), ("की", "का"), ("", "a"), ("大", "太")],
)
def test_what_does_not(one: str, other: str) -> None:
    assert reading(one) != reading(other)


def test_pairs() -> None:
    rows = readings_of(Split(("A", "b", "b"), None, ("B", "a", "c")))
    assert rows == [("a", "b"), ("b", "a"), ("b", "c")]
    assert [in_any_order(row) for row in rows] == [("a", "b"), ("a", "b"), ("b", "c")]
    assert in_any_order(("a", None)) == ("a", None)
