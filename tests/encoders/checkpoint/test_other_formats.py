"""Folders and files that are no encoder as it is trained here, each with the way out."""

import json
import shutil
from pathlib import Path

import pytest

from gridsearch.encoders.files import locate, read_card
from gridsearch.errors import RequestError


@pytest.fixture
def copied(bert_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bert_folder, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tf_model.h5", r"weights for TensorFlow alone \(tf_model.h5\); .* from_tf=True\)"),
        ("bert_model.ckpt.index", r"for TensorFlow alone .* --tf_checkpoint \S*/bert_model.ckpt --config"),
        ("model.ckpt-100.index", r"for TensorFlow alone .* --tf_checkpoint \S*/model.ckpt-100 --config"),
        ("flax_model.msgpack", r"weights for Flax alone .* from_flax=True\)"),
        ("model.onnx", "in the format ONNX alone .*, which cannot be trained: take the encoder's model.safetensors"),
        ("onnx/model.onnx", "in the format ONNX alone"),
        ("model-q4.gguf", "in the format GGUF"),
        ("openvino_model.xml", "in the format OpenVINO"),
        ("best.pt", "lacks .*: if best.pt holds its weights, rename it to pytorch_model.bin"),
        ("weights.safetensors", "lacks .*: if weights.safetensors holds its weights, rename it to model.safetensors"),
    ],
)
def test_weights_for_others(copied: Path, name: str, told: str) -> None:
    (copied / "model.safetensors").unlink()
    (copied / name).parent.mkdir(exist_ok=True)
    (copied / name).write_bytes(b"x")
    with pytest.raises(RequestError, match=told):
        read_card("x", copied)


def test_a_config_under_its_old_name(copied: Path) -> None:
    (copied / "config.json").rename(copied / "bert_config.json")
    with pytest.raises(RequestError, match=r'lacks config\.json: if bert_config\.json .* "model_type": "bert" into it'):
        read_card("x", copied)


def test_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "bert-base-uncased"}))
    with pytest.raises(RequestError, match=r"is an adapter of bert-base-uncased .* no whole encoder"):
        read_card("x", tmp_path)


@pytest.mark.parametrize(
    ("beside", "told"), [("modules.json", "is a sentence-transformers folder"), ("x", "no encoder")]
)
def test_a_folder_around_an_encoders(bert_folder: Path, tmp_path: Path, beside: str, told: str) -> None:
    shutil.copytree(bert_folder, tmp_path / "0_Transformer")
    (tmp_path / beside).write_text("[]")
    with pytest.raises(RequestError, match=rf"{told}.* lies in \S*/0_Transformer: name that folder"):
        read_card("x", tmp_path)


def test_a_link_to_nothing(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    (copied / "model.safetensors").symlink_to("/nowhere/blob")
    with pytest.raises(RequestError, match=r"model\.safetensors is a link to /nowhere/blob, which is not there"):
        read_card("x", copied)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("encoder.zip", "is a packed file: unpack it, and name the folder"),
        ("encoder.tar.gz", "is a packed file: unpack it, and name the folder"),
        ("model.safetensors", "is a file, but an encoder is a folder with .*; if it is one of these, name its folder"),
        ("notes.txt", "is a file, but an encoder is a folder with config.json"),
    ],
)
def test_a_file_in_place_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(b"x")
    with pytest.raises(RequestError, match=told):
        locate(name)


@pytest.mark.parametrize("name", ["my-bert-bse", "./my-bert-bse"])
def test_a_folder_of_nearly_that_name(
    bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bert_folder, "my-bert-base")
    with pytest.raises(RequestError, match=r"\(did you mean the folder my-bert-base\?\)"):
        locate(name)
