"""A pretrained encoder's folder is read by transformers and by us, and every number in it stays to the last bit."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForPreTraining

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.files import minilm_folder, read_card
from gridsearch.encoders.load import build_model, read_weights
from gridsearch.encoders.pretraining.masked_lm import MaskedLM, build_masked_lm
from gridsearch.encoders.pretraining.masked_lm_files import encoder_files_of
from gridsearch.encoders.pretraining.published_head import read_base
from tests.encoders.masked_lm_folders import IDS, POSITIONS, at_positions, inputs_of, save_headed
from tests.fixtures_core import by_family


def pretrained(folder: Path, *, next_sentence: bool = False) -> tuple[MaskedLM, dict[str, bytes]]:
    """Build the model of a folder and move every weight that training would, as a pretraining does."""
    base = read_base(folder, "x")
    model = build_masked_lm(base, dropout=None, next_sentence=next_sentence, seed=0).eval()
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.01)
    return model, encoder_files_of(model, base)


def write(files: Mapping[str, bytes], folder: Path) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def with_info(kind: Any, folder: Path) -> tuple[Any, dict[str, Any]]:
    model, info = kind.from_pretrained(folder, output_loading_info=True)
    return model.eval(), info


def same(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one, other) and one.dtype == other.dtype


@pytest.mark.parametrize("kind", [AutoModel, AutoModelForMaskedLM])
@pytest.mark.parametrize("family", by_family())
def test_there_and_back(tmp_path: Path, family: str, kind: Any) -> None:
    """From a base with a pooler and no head, and from one with a head and no pooler."""
    save_headed(tmp_path / "base", family, kind)
    model, files = pretrained(tmp_path / "base")
    folder = write(files, tmp_path / "made")
    whole, lacks = with_info(AutoModelForMaskedLM, folder)
    prefix, architecture = FAMILIES[family].prefix or family, model.architecture
    assert (whole.base_model_prefix, type(whole).__name__) == (prefix, architecture)
    assert json.loads(files["config.json"])["architectures"] == [architecture]
    assert not lacks["missing_keys"] | lacks["mismatched_keys"]
    assert all(".pooler." in name for name in lacks["unexpected_keys"])
    state = whole.state_dict()
    poolers = {name for name in model.published() if ".pooler." in name}
    assert all(same(p.detach(), state[name]) for name, p in model.published().items() if name not in poolers)

    inner, lacks = with_info(AutoModel, folder)
    # BigBird's ForMaskedLM has one, too.
    has_pooler = (kind is AutoModel or family == "big_bird") and bool(poolers)
    assert {f"{prefix}.{name}" for name in lacks["missing_keys"]} == (set() if has_pooler else poolers)
    again = read_base(folder, "y")
    remade = build_masked_lm(again, dropout=None, next_sentence=False, seed=9).eval()
    with torch.no_grad():
        inputs = inputs_of(whole)
        assert same(model(inputs, POSITIONS), remade(inputs, POSITIONS))
        if not FAMILIES[family].reads_padding:  # theirs does; and their attention rounds otherwise
            expected = at_positions(whole(**inputs).logits)
            torch.testing.assert_close(model(inputs, POSITIONS), expected, rtol=0.0, atol=1e-6)
        assert same(inner(**inputs).last_hidden_state, whole.base_model(**inputs).last_hidden_state)
    assert encoder_files_of(remade, again) == files


@pytest.mark.parametrize("family", by_family())
def test_names_are_those_that_transformers_writes(tmp_path: Path, family: str) -> None:
    save_headed(tmp_path / "base", family, AutoModelForMaskedLM)
    _, files = pretrained(tmp_path / "base")
    made = write(files, tmp_path / "made")
    whole = AutoModelForMaskedLM.from_pretrained(made)
    whole.save_pretrained(tmp_path / "theirs")
    mine, theirs = (load_file(folder / "model.safetensors") for folder in (made, tmp_path / "theirs"))
    assert mine.keys() == theirs.keys()
    assert all(same(tensor, theirs[name]) for name, tensor in mine.items())


@pytest.mark.parametrize("family", by_family())
def test_a_trial_starts_from_what_was_trained(tmp_path: Path, family: str) -> None:
    save_headed(tmp_path / "base", family, AutoModel)
    model, files = pretrained(tmp_path / "base")
    encoder = read_weights(write(files, tmp_path / "made"), "y")
    assert encoder.missing == ()
    trained = model.encoder.state_dict()
    assert encoder.state.keys() == trained.keys()
    assert all(np.array_equal(array, trained[name].numpy()) for name, array in encoder.state.items())
    with torch.no_grad():
        built = build_model(encoder, None).eval()
        assert same(built(IDS).last_hidden_state, model.encoder(IDS).last_hidden_state)


@pytest.mark.parametrize("family", by_family())
def test_the_card_and_the_tokenizer_stay(tmp_path: Path, family: str) -> None:
    save_headed(tmp_path / "base", family, AutoModel)
    _, files = pretrained(tmp_path / "base")
    card, base = read_card("x", write(files, tmp_path / "made")), read_card("x", tmp_path / "base")
    assert card.identity != base.identity
    assert replace(card, identity=base.identity) == base
    others = files.keys() - {"config.json", "model.safetensors"}
    assert others == {"vocab.txt", "tokenizer_config.json"}
    assert all(files[name] == (tmp_path / "base" / name).read_bytes() for name in others)
    given = "ab cd ef", "fa"
    mine, theirs = (build_tokenizer(read_weights(tmp_path / name, "x").tokenizer) for name in ("made", "base"))
    assert mine(*given).data == theirs(*given).data


def test_the_base_may_be_a_pair_teller(tmp_path: Path) -> None:
    """What told pairs is kept with a pretraining that trains it, and so is the pooler below, which the base lacks."""
    save_headed(tmp_path / "base", "bert", AutoModelForMaskedLM)
    model, files = pretrained(tmp_path / "base", next_sentence=True)
    folder = write(files, tmp_path / "made")
    whole, lacks = with_info(AutoModelForPreTraining, folder)
    assert not lacks["missing_keys"]
    again = build_masked_lm(read_base(folder, "y"), dropout=None, next_sentence=True, seed=5).eval()
    with torch.no_grad():
        mine, remade = (one.both({"input_ids": IDS}, POSITIONS) for one in (model, again))
        assert all(same(one, other) for one, other in zip(mine, remade, strict=True))
        torch.testing.assert_close(mine[1], whole(IDS).seq_relationship_logits, rtol=0.0, atol=1e-6)
    assert read_card("x", folder).pooler_is_pretrained
    assert with_info(AutoModelForMaskedLM, folder)[1]["missing_keys"] == set()


def test_a_pooler_that_nothing_trained_is_left_out(tmp_path: Path) -> None:
    save_headed(tmp_path / "base", "bert", AutoModelForMaskedLM)
    _, files = pretrained(tmp_path / "base")
    folder = write(files, tmp_path / "made")
    assert read_weights(folder, "x").missing == ("pooler.dense.bias", "pooler.dense.weight")
    assert not read_card("x", folder).pooler_is_pretrained


@pytest.mark.parametrize("key", ["dtype", "torch_dtype"])
def test_a_base_in_half_precision(tmp_path: Path, key: str) -> None:
    """transformers loads weights in the precision that a config names: ours are float32."""
    theirs = save_headed(tmp_path / "base", "bert", AutoModel)
    theirs.half().save_pretrained(tmp_path / "base")
    path = tmp_path / "base" / "config.json"
    config = json.loads(path.read_text())
    assert config.pop("dtype") == "float16"
    path.write_text(json.dumps({**config, key: "float16", "auto_map": {"AutoConfig": "x.Y"}}))
    model, files = pretrained(tmp_path / "base")
    assert "auto_map" not in json.loads(files["config.json"])
    inner = AutoModel.from_pretrained(write(files, tmp_path / "made"))
    assert all(same(p.detach(), inner.get_parameter(name).detach()) for name, p in model.encoder.named_parameters())


def test_an_old_nezha_becomes_a_present_one(tmp_path: Path) -> None:
    theirs = save_headed(tmp_path / "base", "nezha", AutoModel)
    state = {f"bert.{name}": tensor for name, tensor in theirs.state_dict().items()}
    (tmp_path / "base" / "model.safetensors").unlink()
    torch.save(state, tmp_path / "base" / "pytorch_model.bin")
    path = tmp_path / "base" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "bert", "use_relative_position": True}))
    model, files = pretrained(tmp_path / "base")
    folder = write(files, tmp_path / "made")
    assert read_card("x", folder).family == "nezha"
    whole, lacks = with_info(AutoModelForMaskedLM, folder)
    assert not lacks["missing_keys"]
    with torch.no_grad():
        assert same(at_positions(whole(IDS).logits), model({"input_ids": IDS}, POSITIONS))
    assert read_weights(folder, "x").missing == ()


@pytest.mark.slow  # loads published weights
def test_minilm(tmp_path: Path) -> None:
    """A published encoder, whose own files name a class without a head."""
    folder = Path(shutil.copytree(minilm_folder(), tmp_path / "base"))
    model, files = pretrained(folder)
    made = write(files, tmp_path / "made")
    whole, lacks = with_info(AutoModelForMaskedLM, made)
    assert not lacks["missing_keys"]
    assert read_weights(made, "x").missing == ()
    assert same(whole.get_output_embeddings().weight.detach(), model.word_embeddings.weight.detach())
    text = "what is the weather like"
    mine, theirs = (build_tokenizer(read_weights(name, "x").tokenizer) for name in (made, folder))
    assert mine(text)["input_ids"] == theirs(text)["input_ids"]
