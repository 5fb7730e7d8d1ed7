"""Which weights are loaded as what they are, and what is said of the others: by a plan as by a sweep."""

import argparse
import json
import os
import pickle
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import BertModel

from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights, read_weights
from gridsearch.errors import RequestError
from tests.fixtures_core import encoder_in

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{64 * '0'}\nsize 440473133\n"
State = Mapping[str, Tensor]


@pytest.fixture
def copied(bert_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bert_folder, tmp_path / "copy"))


@pytest.fixture
def state(bert_folder: Path) -> State:
    found: State = BertModel.from_pretrained(bert_folder).state_dict()
    return found


def write(folder: Path, state: State) -> None:
    tensors = {name: tensor.clone().contiguous() for name, tensor in state.items()}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def write_pickle(folder: Path, content: object, **save: Any) -> None:
    (folder / "model.safetensors").unlink(missing_ok=True)
    torch.save(content, folder / "pytorch_model.bin", **save)


def edit_config(folder: Path, **settings: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def assert_refused(folder: Path, told: str) -> None:
    """By who plans and by who loads: in the same words, which are one line."""
    sentences = []
    for read in (read_card, lambda name, folder: read_weights(folder, name)):
        with pytest.raises(RequestError, match=told) as caught:
            read("x", folder)
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]
    assert "\n" not in sentences[0]


def assert_read(folder: Path, encoder: EncoderWeights) -> None:
    assert read_card("x", folder).notes == ()
    found = encoder_in(folder)
    assert found.missing == ()
    assert list(found.state) == list(encoder.state)
    assert all(np.array_equal(found.state[name], array) for name, array in encoder.state.items())


@pytest.mark.parametrize("prefix", ["bert.", "module.", "module.bert.", "model.bert.", "0.auto_model.", "encoder."])
def test_whatever_stands_before_the_names(copied: Path, state: State, encoder: EncoderWeights, prefix: str) -> None:
    write(copied, {f"{prefix}{name}": tensor for name, tensor in state.items()} | {"classifier.bias": torch.zeros(2)})
    assert_read(copied, encoder)


@pytest.mark.parametrize(
    "nest",
    [
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}, "lr": 1e-3}},
        lambda state: {"state_dict": {f"model.bert.{name}": tensor for name, tensor in state.items()}},
        lambda state: {name: torch.nn.Parameter(tensor) for name, tensor in state.items()},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_within_a_training_checkpoint(
    copied: Path, state: State, encoder: EncoderWeights, nest: Callable[[State], object], zipped: bool
) -> None:
    write_pickle(copied, nest(state), _use_new_zipfile_serialization=zipped)
    assert_read(copied, encoder)


def test_names_of_tensorflow(copied: Path, state: State, encoder: EncoderWeights) -> None:
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    write(copied, {next((n.replace(k, v) for k, v in old.items() if k in n), n): one for n, one in state.items()})
    assert_read(copied, encoder)


def test_pickles_in_several_files(copied: Path, state: State, encoder: EncoderWeights) -> None:
    (copied / "model.safetensors").unlink()
    files = {name: f"pytorch_model-0000{1 + number % 2}-of-00002.bin" for number, name in enumerate(state)}
    for file in set(files.values()):
        torch.save({name: state[name] for name in state if files[name] == file}, copied / file)
    (copied / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": files}))
    assert_read(copied, encoder)
    (copied / "pytorch_model-00002-of-00002.bin").unlink()
    assert_refused(copied, r"lacks pytorch_model-00002-of-00002\.bin, of 2 files of weights that .*: download what is")


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "config.json", "vocab.txt"])
def test_git_lfs_pointers(copied: Path, name: str) -> None:
    if name == "pytorch_model.bin":
        (copied / "model.safetensors").unlink()
    (copied / name).write_text(POINTER)
    what = "the weights" if name.startswith(("model", "pytorch")) else "the file itself|a part of the tokenizer"
    with pytest.raises(RequestError, match=rf"{name} is a Git LFS pointer, not ({what}): git lfs pull$"):
        read_card("x", copied)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty: download it again"),
        (b"<!DOCTYPE html><html></html>", "is a web page, not the weights: download the file itself"),
        (b"Entry not found", "is no (safetensors file|file that torch wrote): download it again"),
    ],
)
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_what_a_download_left(copied: Path, name: str, content: bytes, told: str) -> None:
    (copied / "model.safetensors").unlink()
    (copied / name).write_bytes(content)
    assert_refused(copied, told)


def test_half_a_download(copied: Path) -> None:
    path = copied / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert_refused(copied, f"is cut off: {len(content) // 2:,} of {len(content):,} bytes are there; download it again")


class Runs:
    """What a pickle does when it is loaded with its code."""

    def __init__(self, traces: Path) -> None:
        self.traces = traces

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.traces),)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("what", ["a model", "settings beside", "an attack", "a bare pickle"])
def test_pickled_objects_are_told_and_not_run(copied: Path, bert_folder: Path, what: str, zipped: bool) -> None:
    traces = copied / "it ran"
    model = BertModel.from_pretrained(bert_folder)
    contents = {
        "a model": model,
        "settings beside": {"state_dict": model.state_dict(), "args": argparse.Namespace(epochs=3)},
        "an attack": {"state_dict": model.state_dict(), "x": Runs(traces)},
    }
    write_pickle(copied, contents.get(what, {}), _use_new_zipfile_serialization=zipped)
    if what == "a bare pickle":
        (copied / "pytorch_model.bin").write_bytes(pickle.dumps({"x": Runs(traces)}))
    assert_refused(copied, "is a pickled model, or has other objects in it .*, not a state_dict; to load it is to run")
    assert not traces.exists()


def test_weights_of_two_encoders(copied: Path, state: State) -> None:
    write_pickle(copied, {"model": dict(state), "ema": dict(state)})
    assert_refused(copied, "hold 2 encoders, named 'ema.' and 'model.': save the one that is meant")


@pytest.mark.parametrize("prefix", ["roberta.", "model.roberta.", "albert."])
def test_weights_of_another_family(copied: Path, state: State, prefix: str) -> None:
    """A RoBERTa counts its positions otherwise, with tensors of the same names."""
    write(copied, {f"{prefix}{name}": tensor for name, tensor in state.items()})
    assert_refused(copied, rf"named as those of {prefix.split('.')[-2]} \({prefix}emb.*says model_type 'bert'")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"vocab_size": 9999},
            'word_embeddings: [0-9]+ rows in the weights, 9999 in .*, or write "vocab_size": ',
        ),
        ({"max_position_embeddings": 99}, r"position_embeddings: 64 rows in the weights, 99 in config\.json"),
        ({"type_vocab_size": 1}, r"token_type_embeddings: 2 rows in the weights, 1 in config\.json"),
        ({"hidden_size": 64}, r"word_embeddings: [0-9]+ x 32 in the weights, [0-9]+ x 64 in config\.json"),
    ],
)
def test_sizes_that_differ(copied: Path, settings: dict[str, int], told: str) -> None:
    edit_config(copied, **settings)
    assert_refused(copied, told)


def test_a_tensor_that_is_missing(copied: Path, state: State) -> None:
    write(copied, {name: one for name, one in state.items() if name != "encoder.layer.1.output.dense.bias"})
    assert_refused(copied, r"lack encoder\.layer\.1\.output\.dense\.bias, of the [0-9]+ tensors that config\.json")


def test_an_adapter_that_was_not_merged(copied: Path, state: State) -> None:
    query = "encoder.layer.0.attention.self.query"
    split = {name.replace(f"{query}.weight", f"{query}.base_layer.weight"): one for name, one in state.items()}
    write(copied, split | {f"{query}.lora_A.default.weight": torch.zeros(2, 32)})
    assert_refused(copied, rf"lack {query}\.weight: a LoRA adapter stands beside .*merge_and_unload\(\)")


def test_what_the_config_has_no_place_for_is_told(copied: Path, state: State) -> None:
    edit_config(copied, num_hidden_layers=3)
    (note,) = read_card("here/mine", copied).notes
    assert note.startswith("of the weights of mine, 16 inside the encoder are left out")
    assert "(encoder.layer.3." in note
    assert len([name for name in encoder_in(copied).state if name.startswith("encoder.layer.")]) == 3 * 16


def test_what_is_computed_from_the_config_is_no_loss(copied: Path, state: State) -> None:
    write(copied, dict(state) | {"embeddings.position_ids": torch.arange(64)})
    assert read_card("x", copied).notes == ()


@pytest.mark.parametrize(("value", "told"), [(float("nan"), "not finite"), (float("inf"), "not finite")])
def test_numbers_that_are_none(copied: Path, state: State, value: float, told: str) -> None:
    broken = {**state, "pooler.dense.bias": torch.full((32,), value)}
    write(copied, broken)
    assert_refused(copied, rf"are {told} \(pooler\.dense\.bias holds nan or infinity\)")


def test_quantised_weights(copied: Path, state: State) -> None:
    write(copied, {**state, "pooler.dense.weight": torch.zeros(32, 32, dtype=torch.int8)})
    assert_refused(copied, r"are quantised \(pooler\.dense\.weight is of int8\)")


@pytest.mark.parametrize("weight_map", [3, {}, {"a": "../elsewhere.safetensors"}, {"a": 1}])
def test_an_index_of_nothing(copied: Path, weight_map: object) -> None:
    (copied / "model.safetensors").unlink()
    (copied / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(RequestError, match="does not say which files the weights are in"):
        read_card("x", copied)
