import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModel

from gridsearch.encoders.checkpoint.tokenizer import tokenizer_files
from gridsearch.encoders.files import MINILM_WEIGHTS_SHA256, locate, minilm_folder, read_card
from gridsearch.encoders.load import describe
from gridsearch.encoders.tiny import tiny
from gridsearch.encoders.tiny.weights import TinyRecipe
from gridsearch.errors import RequestError
from tests.fixtures_core import N_LAYERS


@pytest.fixture
def copied(bert_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bert_folder, tmp_path / "copy"))


def edit_config(folder: Path, **settings: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_the_card_says_what_a_plan_needs(bert_folder: Path) -> None:
    card = read_card("mine", bert_folder)
    assert (card.name, card.family, card.n_layers, card.has_pooler, card.max_tokens) == (
        "mine",
        "bert",
        N_LAYERS,
        True,
        64,
    )


@pytest.mark.parametrize("kind", ["zipped", "legacy", "sharded", "safetensors"])
@pytest.mark.parametrize("family", ["bert", "albert"])
def test_a_pretrained_pooler_is_seen_in_every_kind_of_checkpoint(
    family_folders: dict[str, Path], tmp_path: Path, family: str, kind: str
) -> None:
    model = AutoModel.from_pretrained(family_folders[family])
    for number, pooler_is_pretrained in enumerate((True, False)):
        folder = Path(shutil.copytree(family_folders[family], tmp_path / str(number)))
        (folder / "model.safetensors").unlink()
        names = [name for name in model.state_dict() if pooler_is_pretrained or not name.startswith("pooler.")]
        state = {f"{family}.{name}": model.state_dict()[name] for name in names}
        if kind == "safetensors":
            save_file(state, folder / "model.safetensors")
        elif kind == "sharded":
            save_file(state, folder / "model-00001-of-00001.safetensors")
            index = {"weight_map": dict.fromkeys(state, "model-00001-of-00001.safetensors")}
            (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        else:
            torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=kind == "zipped")
        assert read_card("x", folder).pooler_is_pretrained is pooler_is_pretrained


@pytest.mark.parametrize("keep", [0, 5, 5000])
@pytest.mark.parametrize("name", ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"])
def test_the_card_of_torn_weights(copied: Path, name: str, keep: int) -> None:
    weights = (copied / "model.safetensors").read_bytes()
    (copied / "model.safetensors").unlink()
    (copied / name).write_bytes(weights[:keep])
    with pytest.raises(RequestError, match=r": (download it again|save it in UTF-8)|; download it again"):
        read_card("x", copied)


def test_the_identity_is_neither_the_name_nor_the_place(bert_folder: Path, copied: Path) -> None:
    assert read_card("a name", bert_folder).identity == read_card("another", copied).identity


def test_files_that_are_no_part_of_the_encoder_do_not_count(bert_folder: Path, copied: Path) -> None:
    (copied / "README.md").write_text("a model card")
    (copied / "optimizer.pt").write_bytes(b"x")
    assert read_card("x", copied).identity == read_card("x", bert_folder).identity


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt"])
def test_one_bit_makes_another_encoder(bert_folder: Path, copied: Path, name: str) -> None:
    flip_last_byte(copied / name)
    assert read_card("x", copied).identity != read_card("x", bert_folder).identity


@pytest.mark.parametrize(
    "change",
    [
        {"config": {"hidden_dropout_prob": 0.3}},
        {"tokenizer": {"do_lower_case": False}},
    ],
)
def test_settings_make_another_encoder(bert_folder: Path, copied: Path, change: dict[str, dict[str, object]]) -> None:
    for kind, settings in change.items():
        path = copied / ("config.json" if kind == "config" else "tokenizer_config.json")
        path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    assert read_card("x", copied).identity != read_card("x", bert_folder).identity


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (
            lambda folder: shutil.rmtree(folder),
            "lacks config.json, and model.safetensors or pytorch_model.bin, and vocab.txt or tokenizer.json",
        ),
        (lambda folder: (folder / "config.json").unlink(), "copy lacks config.json$"),
        (lambda folder: (folder / "config.json").write_text("{"), "no whole JSON: it goes wrong in line 1, column 2"),
        (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe"), "is not in UTF-8"),
        (lambda folder: (folder / "config.json").write_text("[]"), "is not an object"),
        (lambda folder: (folder / "model.safetensors").unlink(), "copy lacks model.safetensors or pytorch_model.bin$"),
        (lambda folder: (folder / "vocab.txt").unlink(), "copy lacks vocab.txt or tokenizer.json$"),
        (
            lambda folder: edit_config(folder, model_type="gpt2"),
            "gpt2 is a decoder, in which a token sees only those before it",
        ),
        (lambda folder: edit_config(folder, model_type="brt"), "did you mean 'bert'"),
    ],
)
def test_a_folder_that_is_no_encoder(copied: Path, broken: object, reason: str) -> None:
    assert callable(broken)
    broken(copied)
    with pytest.raises(RequestError, match=reason):
        read_card("x", copied)


def test_a_config_without_its_depth_has_that_of_its_class(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    del config["num_hidden_layers"]
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(RequestError, match=r"they have 4 layers, config\.json says 12"):
        read_card("x", copied)


def test_a_depth_that_is_no_number(copied: Path) -> None:
    edit_config(copied, num_hidden_layers="4")
    with pytest.raises(RequestError, match="num_hidden_layers must be a whole number, but is '4'"):
        read_card("x", copied)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere/at/all", "a/b/c"])
def test_a_folder_that_is_not_there(name: str) -> None:
    with pytest.raises(RequestError, match=f"there is no encoder folder {name}"):
        locate(name)


def test_a_folder_is_found_by_its_path(bert_folder: Path) -> None:
    assert describe(str(bert_folder), ()).identity == read_card("x", bert_folder).identity


def test_the_tokenizer_in_memory_is_its_files(bert_folder: Path) -> None:
    files = tokenizer_files(bert_folder)
    assert set(files) == {"config.json", "tokenizer_config.json", "vocab.txt"}
    assert files["vocab.txt"] == (bert_folder / "vocab.txt").read_bytes()


def test_minilms_weights_are_the_pinned_ones() -> None:
    content = (minilm_folder() / "model.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == MINILM_WEIGHTS_SHA256


def test_minilms_card() -> None:
    card = describe("minilm", ())
    assert (card.family, card.n_layers, card.has_pooler, card.max_tokens) == ("bert", 6, True, 512)
    assert (card.pooler_is_pretrained, card.n_token_types, card.shares_layers) == (True, 2, False)


def test_the_card_of_tiny_is_that_of_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    recipe = TinyRecipe(n_layers=3, hidden_width=16, intermediate_width=16, n_tokens_most=50, n_gathering_layers=2)
    texts = ["the cat sleeps", "the cat runs", "a dog runs"]
    before = tiny.card(texts, recipe)
    made = read_card("tiny", tiny.folder(texts, recipe))
    assert replace(made, identity=before.identity, notes=before.notes, is_made_of_the_texts=True) == before
