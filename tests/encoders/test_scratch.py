"""An encoder from scratch: what its card says, what its numbers are, and that it reads the tokens of another."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModel

from gridsearch.encoders import nezha  # noqa: F401  teaches transformers the family
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights, build_model, read_weights
from gridsearch.encoders.pretraining.masked_lm import build_masked_lm
from gridsearch.encoders.pretraining.masked_lm_files import encoder_files_of
from gridsearch.encoders.pretraining.scratch import scratch_card, scratch_tokenizer, scratch_weights
from gridsearch.errors import RequestError
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from tests.encoders.masked_lm_folders import save_headed
from tests.fixtures_core import encoder_in

ROOT = Path(__file__).parents[2]
MADE = ("bert", "roberta", "electra", "albert", "nezha")


def pretraining(family: str = "bert", **settings: Any) -> PretrainingRecipe:
    return PretrainingRecipe(**{"family": family, "layers": 2, "width": 32, "heads": 2, **settings})


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scratch") / "bert"
    save_headed(folder, "bert", AutoModel)
    return folder


def write(encoder: EncoderWeights, folder: Path) -> Path:
    model = build_masked_lm(encoder, dropout=None, next_sentence=False, seed=0)
    folder.mkdir()
    for name, content in encoder_files_of(model, encoder).items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("max_length", [128, 600])
@pytest.mark.parametrize("family", MADE)
def test_the_card_is_that_of_its_files(bert: Path, tmp_path: Path, family: str, max_length: int) -> None:
    card, knobs = read_card("mine", bert), pretraining(family, layers=3, max_length=max_length)
    said = scratch_card(replace(card, notes=("a note on the other",)), knobs)
    assert (said.name, said.identity, said.n_layers, said.max_tokens) == (
        card.name,
        card.identity,
        3,
        max(512, max_length),
    )
    found = read_card("mine", write(scratch_weights(encoder_in(bert), knobs, 0), tmp_path / "made"))
    assert replace(found, identity=card.identity) == said


def test_heads_divide_the_width() -> None:
    card = EncoderCard("x", "y", "bert", 2, True, 512)
    with pytest.raises(RequestError, match=r"pretraining.heads must divide pretraining.width, but they are 12 and 32"):
        scratch_card(card, pretraining(heads=12))


@pytest.mark.parametrize("family", MADE)
def test_the_shape_is_as_asked(bert: Path, family: str) -> None:
    encoder = scratch_weights(encoder_in(bert), pretraining(family, width=48, heads=3, layers=3), 0)
    config = build_model(encoder, None).config
    assert (config.hidden_size, config.num_attention_heads, config.num_hidden_layers) == (48, 3, 3)
    assert config.intermediate_size == 4 * 48
    assert config.vocab_size == len(encoder.state["embeddings.word_embeddings.weight"]) == encoder_vocabulary(bert)
    assert config.pad_token_id == 0


def encoder_vocabulary(folder: Path) -> int:
    return int(encoder_in(folder).config["vocab_size"])


def test_alberts_word_vectors_are_narrow(bert: Path) -> None:
    wide = scratch_weights(encoder_in(bert), pretraining("albert", width=256), 0)
    assert wide.state["embeddings.word_embeddings.weight"].shape[1] == 128


@pytest.mark.parametrize("family", MADE)
def test_numbers_are_drawn_as_published(bert: Path, family: str) -> None:
    encoder = scratch_weights(encoder_in(bert), pretraining(family, width=64), 0)
    for name, array in encoder.state.items():
        assert array.dtype == np.float32
        if name.endswith("bias"):
            assert not array.any(), name
        elif array.ndim == 1:
            assert (array == 1).all(), name
        elif len(array) > 2:
            assert 0.018 < array.std() < 0.022, name
    assert not encoder.state["embeddings.word_embeddings.weight"][0].any()
    pooler = {name for name, _ in build_model(encoder, None).named_parameters() if name.startswith("pooler.")}
    assert set(encoder.missing) == pooler
    assert bool(pooler) == FAMILIES[family].has_pooler
    assert not encoder.head


PROCESS = """
import sys
from pathlib import Path
import torch
from tests.encoders.test_scratch import checksums
torch.set_num_threads(4)
torch.manual_seed(4)
print(checksums(Path(sys.argv[1])))
"""


def checksums(folder: Path) -> list[str]:
    """Return the checksum of an encoder of each family, its config included."""
    made = [scratch_weights(read_weights(folder, "x"), pretraining(family), 7) for family in MADE]
    numbers = [b"".join(one.state[name].tobytes() for name in sorted(one.state)) for one in made]
    contents = [part + one.tokenizer["config.json"] for part, one in zip(numbers, made, strict=True)]
    return [hashlib.sha256(content).hexdigest() for content in contents]


@pytest.mark.slow  # starts processes that import torch
def test_every_process_makes_the_same(bert: Path) -> None:
    before = torch.get_rng_state()
    here = checksums(bert)
    assert torch.equal(before, torch.get_rng_state())
    command = [sys.executable, "-c", PROCESS, str(bert)]
    there = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, cwd=ROOT).stdout
    assert there.splitlines()[-1] == str(here)
    assert len(set(here)) == len(MADE)


def test_seeds_make_different_ones(bert: Path) -> None:
    one, other = (scratch_weights(encoder_in(bert), pretraining(), seed) for seed in (0, 1))
    name = "encoder.layer.0.output.dense.weight"
    assert not np.array_equal(one.state[name], other.state[name])


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("family", MADE)
def test_the_tokens_are_the_others(tmp_path: Path, family: str, named: bool) -> None:
    """Also where a family's own tokenizer would look for other files."""
    save_headed(tmp_path / "base", "bert", AutoModel)
    if not named:
        (tmp_path / "base" / "tokenizer_config.json").unlink()
    base = encoder_in(tmp_path / "base")
    made = scratch_weights(base, pretraining(family), 0)
    folder = write(made, tmp_path / "made")
    given = "ab cd [MASK] zz", "fa AB"
    expected = build_tokenizer(base.tokenizer)(*given)["input_ids"]
    without_weights = scratch_tokenizer(base.tokenizer, family)
    assert {name for name in made.tokenizer if made.tokenizer[name] != without_weights[name]} == {"config.json"}
    for files in (without_weights, made.tokenizer, read_weights(folder, "x").tokenizer):
        tokens = build_tokenizer(files)(*given)
        assert tokens["input_ids"] == expected
        assert ("token_type_ids" in tokens) == (family != "roberta")
    kept = set(base.tokenizer) - {"config.json", "tokenizer_config.json"}
    assert all(made.tokenizer[name] == base.tokenizer[name] for name in kept)


@pytest.mark.parametrize("vocabulary_of", ["bert", "roberta", "albert", "nezha", "deberta-v2"])
def test_a_roberta_counts_its_positions_from_padding(tmp_path: Path, vocabulary_of: str) -> None:
    """Whatever id the other encoder pads with, the longest text has a position for each of its tokens."""
    save_headed(tmp_path, vocabulary_of, AutoModel)
    base = encoder_in(tmp_path)
    pad_id = build_tokenizer(base.tokenizer).pad_token_id
    encoder = scratch_weights(base, pretraining("roberta"), 0)
    assert encoder.config["pad_token_id"] == pad_id
    assert len(encoder.state["embeddings.position_embeddings.weight"]) == 512 + pad_id + 1
    assert not encoder.state["embeddings.position_embeddings.weight"][pad_id].any()
    model = build_model(encoder, None)
    assert model(torch.full((1, 512), 9)).last_hidden_state.shape == (1, 512, 32)


@pytest.mark.parametrize("family", MADE)
def test_transformers_reads_the_folder(bert: Path, tmp_path: Path, family: str) -> None:
    folder = write(scratch_weights(encoder_in(bert), pretraining(family), 0), tmp_path / "made")
    assert AutoConfig.from_pretrained(folder).model_type == family
    assert AutoModel.from_pretrained(folder).config.hidden_size == 32
