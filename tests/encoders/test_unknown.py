"""Encoders of families that are not described: run by what is found in them, or refused in one sentence."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel

from gridsearch.encoders import surgery
from gridsearch.encoders.families import FAMILIES, family_in
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import build_model
from gridsearch.encoders.unknown import found
from gridsearch.errors import RequestError
from gridsearch.planning.planner import trial_facts
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.tasks.task import Task
from tests.encoders.masked_lm_folders import TOKENS
from tests.fixtures_core import encoder_in, recipe_of, save_encoder
from tests.liveness_bench import Bench

SHAPE = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48}
IDS = dict.fromkeys([f"{name}_token_id" for name in ("pad", "bos", "eos", "cls", "sep", "mask", "question")], 0)


def saved(folder: Path, family: str, tokens: list[str], **settings: Any) -> Path:
    config = AutoConfig.for_model(family, vocab_size=len(tokens), max_position_embeddings=66, **SHAPE, **settings)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = AutoModel.from_config(config)
    return save_encoder(model, folder, tokens, tokenizer_class="BertTokenizer")


@pytest.mark.parametrize("family", [family for family in FAMILIES if not FAMILIES[family].shares_layers])
def test_what_is_found_is_what_is_known(family: str, family_folders: dict[str, Path]) -> None:
    """Of the families that are described: what a look at a model finds, but where it cannot know better."""
    known, model = FAMILIES[family], build_model(encoder_in(family_folders[family]), None)
    looked = found._look_at(model, None, "here")
    assert (looked.layers, looked.words, looked.embeddings) == (known.layers, known.words, known.embeddings)
    assert looked.has_pooler == known.has_pooler
    assert looked.pad_token_id == known.pad_token_id
    assert looked.dropouts.keys() == known.dropouts.keys()
    if family != "deberta-v2":  # its norm behind the layers is that of its distances
        assert looked.final_norm == known.final_norm


@pytest.mark.slow  # 2 s
def test_a_family_that_is_not_known_is_run(tmp_path: Path, vocabulary: list[str], task: Task) -> None:
    on = Bench(saved(tmp_path, "splinter", vocabulary, **IDS), task)
    card = read_card(str(tmp_path), tmp_path)
    assert card.notes[0].startswith(f"the family of {tmp_path.name}, splinter, is not known here")
    plain = on.numbers(on.resolved())
    for knobs in ({"reinit_layers": 1}, {"frozen_layers": 2}, {"encoder_dropout": 0.3}, {"adversarial": "fgm"}):
        assert on.refusal(on.resolved(**knobs)) == ""
        assert on.numbers(on.resolved(**knobs)) != plain
    recipe = recipe_of(**{"pretraining.objective": "mlm", "pretraining.steps": 2})
    with pytest.raises(RequestError, match="needs the head with which splinter tells tokens, and that is not known"):
        refuse_contradictions(recipe, trial_facts(card, task))


def test_parts_that_were_found_are_drawn_and_frozen(tmp_path: Path) -> None:
    model = build_model(encoder_in(saved(tmp_path, "ultrabert", TOKENS, **IDS)), None)
    surgery.freeze(model, 1)
    still = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert still == {name for name, _ in model.named_parameters() if name.startswith(("embed_tokens.", "layers.0."))}
    surgery.reinit_layers(model, 1, 0.02, seed=0)
    assert model.get_parameter("norm.weight").eq(1).all()


@pytest.mark.parametrize(
    ("family", "settings", "sentence"),
    [
        ("fnet", {}, "fnet, and padding changes the states of its tokens"),
        ("qwen3", IDS | {"num_key_value_heads": 2, "head_dim": 16}, "qwen3 is a decoder, in which a token sees only"),
        ("canine", {}, "canine has no table of token vectors"),
        ("flaubert", {}, "flaubert is not known here, and it has not one list of its layers but 4"),
    ],
)
def test_what_cannot_be_an_encoder_is_refused(
    tmp_path: Path, family: str, settings: dict[str, Any], sentence: str
) -> None:
    saved(tmp_path, family, TOKENS, **settings)
    with pytest.raises(RequestError, match=sentence):
        read_card("mine", tmp_path)


def test_a_decoder_that_is_called_an_encoder_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it computes: a token's state must know of those behind it."""
    from transformers.models.auto import modeling_auto

    monkeypatch.setitem(modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES, "qwen3", "Qwen3ForMaskedLM")
    found._found_in.cache_clear()
    saved(tmp_path, "qwen3", TOKENS, **IDS, num_key_value_heads=2, head_dim=16)
    with pytest.raises(RequestError, match="sees only those before it"):
        read_card("mine", tmp_path)
    found._found_in.cache_clear()


def test_an_encoder_with_a_decoder_is_refused() -> None:
    with pytest.raises(RequestError, match="t5 is an encoder with a decoder"):
        family_in({"model_type": "t5"}, "here")
