"""NEZHA against its formula: by hand, in plain loops, and as transformers 4 computed it, which still had the family."""

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, BertTokenizer

from gridsearch.encoders.checkpoint.config import read_config
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.families import family_name
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights, build_model, read_weights
from gridsearch.encoders.nezha import NezhaConfig, NezhaModel, NezhaSelfAttention, RelativePositions, distance_vectors
from gridsearch.errors import RequestError
from tests.fixtures_core import encoder_in, save_encoder

Array = np.ndarray


def small(**settings: Any) -> NezhaModel:
    shape = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = NezhaConfig(**{**shape, "intermediate_size": 12, "max_relative_position": 2, **settings})
    with torch.random.fork_rng():
        torch.manual_seed(4)
        model = NezhaModel(config)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter)
    return model.eval()


IDS = torch.tensor([[2, 7, 9, 7, 3, 0, 0], [2, 5, 6, 3, 8, 11, 3]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1]])
TYPES = torch.tensor([[0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1]])


def test_two_tokens_by_hand() -> None:
    """Two tokens, one head of width 2, queries = keys = values = x_0 = (1, 0), x_1 = (0, 1); sin 1 = .8415 and so on.

    a of distance -1 is (sin 0, cos 0) = (0, 1); of 0 (sin 1, cos 1) = (.8415, .5403); of 1 (sin 2, cos 2) =
    (.9093, -.4161).

    scores of token 0: (1, 0).(1.8415, .5403) = 1.8415 and (1, 0).(.9093, .5839) = .9093; over sqrt 2: 1.3021, .6430;
    softmax: 1 / (1 + e^-.6592) = .6591 and .3409; z_0 = .6591 (1.8415, .5403) + .3409 (.9093, .5839) = (1.5237, .5552)

    scores of token 1: (0, 1).(1, 1) = 1 and (0, 1).(.8415, 1.5403) = 1.5403; over sqrt 2: .7071, 1.0892;
    softmax: .4056 and .5944; z_1 = .4056 (1, 1) + .5944 (.8415, 1.5403) = (.9058, 1.3211)
    """
    config = NezhaConfig(hidden_size=2, num_attention_heads=1, max_relative_position=1)
    attention = NezhaSelfAttention(config).eval()
    with torch.no_grad():
        for part in (attention.query, attention.key, attention.value):
            part.weight.copy_(torch.eye(2))
            part.bias.zero_()
        states, weights = attention(torch.eye(2).unsqueeze(0), None, RelativePositions(config)(2))
    close = {"rtol": 0.0, "atol": 2e-4}
    torch.testing.assert_close(weights, torch.tensor([[[[0.6591, 0.3409], [0.4056, 0.5944]]]]), **close)
    torch.testing.assert_close(states, torch.tensor([[[1.5237, 0.5552], [0.9058, 1.3211]]]), **close)


def naive_distance(i: int, j: int, most: int, width: int) -> Array:
    place = min(max(j - i, -most), most) + most
    return np.array(
        [
            math.sin(place / 10000 ** (n / width)) if n % 2 == 0 else math.cos(place / 10000 ** ((n - 1) / width))
            for n in range(width)
        ]
    )


class Naive:
    """A NEZHA in plain loops over tokens and heads, float64."""

    def __init__(self, model: NezhaModel) -> None:
        self.weights = {name: parameter.detach().double().numpy() for name, parameter in model.named_parameters()}
        self.config = model.config

    def linear(self, name: str, x: Array) -> Array:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + self.config.layer_norm_eps)
        return scaled * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def attention(self, name: str, x: Array, is_text: Array) -> Array:
        width = self.config.hidden_size // self.config.num_attention_heads
        query, key, value = (self.linear(f"{name}.{part}", x) for part in ("query", "key", "value"))
        result = np.zeros_like(x)
        for head in range(self.config.num_attention_heads):
            part = slice(head * width, (head + 1) * width)
            for i in range(len(x)):
                a = [naive_distance(i, j, self.config.max_relative_position, width) for j in range(len(x))]
                scores = [
                    query[i, part] @ (key[j, part] + a[j]) / math.sqrt(width) if is_text[j] else -math.inf
                    for j in range(len(x))
                ]
                weights = np.exp(scores) / np.exp(scores).sum()
                result[i, part] = sum(weights[j] * (value[j, part] + a[j]) for j in range(len(x)))
        return result

    def __call__(self, ids: Array, types: Array, is_text: Array) -> list[Array]:
        """Return the states of the embeddings and of each layer, (tokens, width), and the pooler's output."""
        words, segments = (self.weights[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "token_type"))
        x = self.norm("embeddings.LayerNorm", words[ids] + segments[types])
        states = [x]
        for index in range(self.config.num_hidden_layers):
            name = f"encoder.layer.{index}"
            attended = self.linear(
                f"{name}.attention.output.dense", self.attention(f"{name}.attention.self", x, is_text)
            )
            x = self.norm(f"{name}.attention.output.LayerNorm", attended + x)
            inner = self.linear(f"{name}.intermediate.dense", x)
            gelu = np.vectorize(lambda u: u * (1 + math.erf(u / math.sqrt(2))) / 2)(inner)
            x = self.norm(f"{name}.output.LayerNorm", self.linear(f"{name}.output.dense", gelu) + x)
            states.append(x)
        return [*states, np.tanh(self.linear("pooler.dense", x[0]))]


@pytest.mark.parametrize("most", [1, 3, 64])
def test_against_plain_loops(most: int) -> None:
    model = small(max_relative_position=most)
    with torch.no_grad():
        output = model(IDS, attention_mask=MASK, token_type_ids=TYPES, output_hidden_states=True)
    for row in range(2):
        *states, pooled = Naive(model)(IDS[row].numpy(), TYPES[row].numpy(), MASK[row].numpy())
        assert len(output.hidden_states) == len(states) == 3
        for mine, expected in zip(output.hidden_states, states, strict=True):
            np.testing.assert_allclose(mine[row].numpy(), expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(output.pooler_output[row].numpy(), pooled, rtol=1e-4, atol=1e-5)


def test_as_transformers_4_computed_it() -> None:
    """The numbers of NezhaModel of transformers 4.57.1, with weights that can be written down."""
    model = small(vocab_size=20)
    with torch.no_grad():
        for number, (_, parameter) in enumerate(sorted(model.named_parameters())):
            places = torch.arange(parameter.numel(), dtype=torch.float64)
            parameter.copy_(torch.sin(0.37 * places**2 + number).view(parameter.shape))
        output = model(IDS, attention_mask=MASK, token_type_ids=TYPES)
    first = [
        [1.59162, 0.95919, 0.86807, 0.29757, 0.38162, 0.65373, 0.82618],
        [1.61380, 1.44669, 1.12319, 0.80395, 0.50158, 0.38837, 0.67167],
    ]
    pooled = [-0.98324, -0.97306, 0.70353, -0.99894, 0.32218, -0.60084, -0.55082, -0.47342]
    close = {"rtol": 0.0, "atol": 2e-5}
    torch.testing.assert_close(output.last_hidden_state[..., 0], torch.tensor(first), **close)
    torch.testing.assert_close(output.pooler_output[0], torch.tensor(pooled), **close)


def test_only_distances_count() -> None:
    """A text behind padding has the states that it has before padding, even where distances are clipped."""
    model = small()
    behind, before = torch.zeros(1, 12, dtype=torch.long), torch.zeros(1, 12, dtype=torch.long)
    behind[0, 5:], before[0, :7] = IDS[1], IDS[1]
    with torch.no_grad():
        moved = model(behind, attention_mask=(behind > 0).long()).last_hidden_state[0, 5:]
        still = model(before, attention_mask=(before > 0).long()).last_hidden_state[0, :7]
    torch.testing.assert_close(moved, still, rtol=1e-4, atol=1e-5)


def test_order_counts() -> None:
    model = small()
    with torch.no_grad():
        one, other = (model(torch.tensor([[2, *words, 3]])).pooler_output for words in ([7, 9, 5], [9, 7, 5]))
    assert (one - other).abs().max() > 1e-2


@pytest.mark.parametrize("n_tokens", [1, 5, 300])
def test_any_length(n_tokens: int) -> None:
    """No length is too long: distances are clipped, and there are no positions."""
    assert (
        small(max_position_embeddings=4)(torch.ones(1, n_tokens, dtype=torch.long)).last_hidden_state.isfinite().all()
    )


def test_in_bfloat16() -> None:
    model = small()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(IDS, attention_mask=MASK)
    output.pooler_output.float().sum().backward()
    full = model(IDS, attention_mask=MASK).last_hidden_state
    torch.testing.assert_close(output.last_hidden_state.float(), full, rtol=0.0, atol=0.15)
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_weights_of_attention_are_dropped() -> None:
    model = small(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.5).train()
    assert not torch.equal(model(IDS).last_hidden_state, model(IDS).last_hidden_state)


def test_nothing_large_is_made() -> None:
    """No tensor has rows, heads, both tokens and the width at once, forward or backward."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Largest(TorchDispatchMode):
        n_numbers = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            if isinstance(result, Tensor):
                self.n_numbers = max(self.n_numbers, result.numel())
            return result

    rows, n_tokens, n_heads, width = 6, 40, 4, 2
    model = small(num_attention_heads=n_heads)
    with Largest() as largest:
        model(torch.ones(rows, n_tokens, dtype=torch.long)).last_hidden_state.sum().backward()
    assert largest.n_numbers == rows * n_heads * n_tokens**2
    assert largest.n_numbers < rows * n_heads * n_tokens**2 * width


# --- checkpoints


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, vocabulary: list[str]) -> Path:
    model = small(vocab_size=len(vocabulary))
    return save_encoder(model, tmp_path_factory.mktemp("nezha") / "checkpoint", vocabulary)


@pytest.fixture
def copied(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


def same_weights(one: EncoderWeights, other: EncoderWeights) -> bool:
    return one.state.keys() == other.state.keys() and all(
        np.array_equal(array, other.state[name]) for name, array in one.state.items()
    )


def as_old_port(folder: Path, prefix: str, **save: Any) -> None:
    """Turn a checkpoint into what pretraining scripts wrote: a pickle, a prefix, heads, and the table beside."""
    state = NezhaModel.from_pretrained(folder).state_dict()
    (folder / "model.safetensors").unlink()
    old = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    for index in range(2):
        table = f"{prefix}encoder.layer.{index}.attention.self.relative_positions_encoding.positions_encoding"
        old[table] = torch.zeros(512, 512, 4)
    old["cls.predictions.bias"] = torch.zeros(30)
    torch.save(old, folder / "pytorch_model.bin", **save)


@pytest.mark.parametrize("prefix", ["", "nezha.", "bert."])
@pytest.mark.parametrize("zipped", [True, False])
def test_old_checkpoints(checkpoint: Path, copied: Path, prefix: str, zipped: bool) -> None:
    as_old_port(copied, prefix, _use_new_zipfile_serialization=zipped)
    old = encoder_in(copied)
    assert old.missing == ()
    assert same_weights(old, encoder_in(checkpoint))
    assert read_card("x", copied).pooler_is_pretrained


OLD_CONFIGS: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
    lambda config: config,
    lambda config: config | {"model_type": "bert", "use_relative_position": True},
    lambda config: {k: v for k, v in config.items() if k != "model_type"} | {"use_relative_position": True},
]


@pytest.mark.parametrize("change", OLD_CONFIGS)
def test_old_configs(checkpoint: Path, copied: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    path = copied / "config.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    (copied / "tokenizer_config.json").unlink()
    card, old = read_card("x", copied), encoder_in(copied)
    assert (card.family, card.n_layers, card.max_tokens, card.n_token_types) == ("nezha", 2, 8192, 2)
    assert same_weights(old, encoder_in(checkpoint))
    model = build_model(old, None)
    assert isinstance(model, NezhaModel)
    assert model.config.max_relative_position == 2
    assert isinstance(build_tokenizer(old.tokenizer), BertTokenizer)


def test_a_bert_stays_a_bert(copied: Path) -> None:
    path = copied / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "bert", "use_relative_position": False}))
    assert family_name(read_config(copied)) == "bert"


def test_the_auto_classes_know_it(checkpoint: Path) -> None:
    """A checkpoint is loaded into a model without values: the table, which no file holds, has to be made after."""
    model = AutoModel.from_pretrained(checkpoint)
    assert isinstance(model, NezhaModel)
    assert isinstance(AutoConfig.from_pretrained(checkpoint), NezhaConfig)
    torch.testing.assert_close(model.encoder.relative_positions.table, distance_vectors(2, 4), rtol=0.0, atol=0.0)
    built = build_model(encoder_in(checkpoint), None).eval()
    assert torch.equal(built(IDS).last_hidden_state, model.eval()(IDS).last_hidden_state)


def test_the_table_is_no_weight() -> None:
    assert not [name for name in small().state_dict() if "relative" in name]


PLAN = """
import sys
from pathlib import Path
from gridsearch.encoders.files import read_card
print(read_card("x", Path(sys.argv[1])).family, sorted({"torch", "transformers"} & set(sys.modules)))
"""


def test_a_plan_needs_no_torch(copied: Path) -> None:
    """Once the files have been looked at."""
    as_old_port(copied, "bert.")
    assert read_card("x", copied).notes == ()
    done = subprocess.run([sys.executable, "-c", PLAN, str(copied)], capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=1) == ["nezha", "[]\n"]


def test_weights_of_nothing_are_refused(copied: Path) -> None:
    as_old_port(copied, "other.")
    weights = copied / "pytorch_model.bin"
    state = torch.load(weights)
    torch.save({name.replace("word_embeddings", "words"): tensor for name, tensor in state.items()}, weights)
    with pytest.raises(RequestError, match=r"hold no embeddings\.word_embeddings\.weight, which every nezha has"):
        read_weights(copied, "x")
