"""What is said of an encoder's files is said in Chinese, too."""

import pytest
from transformers import BertTokenizer

from gridsearch.encoders.checkpoint.anatomy import Anatomy
from gridsearch.encoders.checkpoint.casing import casing_note
from gridsearch.encoders.checkpoint.inspection import _unused_note, unknown_note
from gridsearch.encoders.families import FAMILIES
from reports.language.say import retold, speaking

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@pytest.mark.parametrize(("words", "lowers"), [(("Berlin", "paris"), True), (("berlin", "paris"), False)])
def test_notes_on_capitals(words: tuple[str, ...], lowers: bool) -> None:
    vocabulary = {word: number for number, word in enumerate((*SPECIAL, *words))}
    note = casing_note(BertTokenizer(vocab=vocabulary, do_lower_case=lowers), "mine")
    assert note
    assert casing_note(BertTokenizer(vocab=vocabulary, do_lower_case=not lowers), "mine") == ""
    with speaking("zh"):
        assert retold(note).startswith("mine 的分词器")


def test_notes_on_families_that_are_not_known() -> None:
    note = unknown_note("mine", "splinter", FAMILIES["bert"])
    with speaking("zh"):
        assert retold(note).startswith("mine 所属的 splinter 系列在此未经描述：哪些权重是嵌入（embeddings）")


def test_notes_on_weights_that_are_left_out() -> None:
    note = _unused_note(Anatomy({}, (), {}, ("encoder.layer.9.weight", "another")), "mine")
    with speaking("zh"):
        assert retold(note).startswith("mine 的权重中有 2 个未使用")
