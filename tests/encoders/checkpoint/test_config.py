"""``config.json``: what is refused in it, and how."""

import json
import shutil
from pathlib import Path

import pytest

from gridsearch.encoders.files import read_card
from gridsearch.errors import RequestError


@pytest.fixture
def copied(bert_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bert_folder, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"model_type": None}, 'does not say what family the encoder is of: write "model_type": "bert" into it'),
        ({"model_type": "gpt2"}, "gpt2 is a decoder, in which a token sees only those before it"),
        ({"is_decoder": True}, "describes a decoder"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantised weights cannot be trained"),
        ({"auto_map": {"AutoModel": "own.Own"}}, "which is not run here; if .* take auto_map out of config.json"),
        ({"num_attention_heads": 3}, "the width must be a multiple of the number of attention heads, but .* 32 and 3"),
        ({"num_attention_heads": 0}, "num_attention_heads must be 1 or more, but is 0"),
        ({"hidden_size": "32"}, "hidden_size must be a whole number, but is '32'"),
        ({"layer_norm_eps": "x"}, "layer_norm_eps must be a number, but is 'x'"),
        ({"vocab_size": None}, "vocab_size must be a whole number, but is None"),
        ({"hidden_act": "gelux"}, "hidden_act = 'gelux' is no activation that is known"),
        ({"num_hidden_layers": 0}, "an encoder has one layer or more, but its config.json says 0"),
    ],
)
def test_settings_of_no_encoder(copied: Path, settings: dict[str, object], told: str) -> None:
    path = copied / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    (copied / "own.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(RequestError, match=told) as caught:
        read_card("x", copied)
    assert "\n" not in str(caught.value)


def test_code_that_stands_for_something_else_does_no_harm(copied: Path) -> None:
    path = copied / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoConfig": "own.Own"}}))
    read_card("x", copied)
