"""What is said of a family is what transformers does with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gridsearch.encoders.families import FAMILIES, dropout, family_in, family_name, max_tokens, n_layers, n_token_types
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import build_model
from gridsearch.errors import RequestError
from tests.fixtures_core import by_family, encoder_in, family_config, family_settings
from tests.liveness_cases import WITHOUT_POOLER, WITHOUT_SEGMENTS

WITHOUT_TYPES = {"distilbert", "deberta-v2", "deberta", "modernbert", "eurobert", "mpnet"}
WITHOUT_POSITIONS = {"nezha", "deberta-v2", "modernbert", "eurobert", "nomic_bert", "gte", "jina_embeddings_v3"}
"""They have distances only, here: none is too long for them."""
PUBLISHED: Mapping[str, dict[str, Any]] = {
    # Keys of google-bert/bert-base-chinese, FacebookAI/roberta-base, google/electra-small-discriminator,
    # albert/albert-base-v2, nghuyong/ernie-3.0-base-zh, distilbert/distilbert-base-uncased, microsoft/deberta-v3-base.
    "bert": {"num_hidden_layers": 12, "max_position_embeddings": 512, "type_vocab_size": 2},
    "roberta": {"num_hidden_layers": 12, "max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1},
    "electra": {"num_hidden_layers": 12, "max_position_embeddings": 512, "type_vocab_size": 2},
    "albert": {"num_hidden_layers": 12, "max_position_embeddings": 512, "num_hidden_groups": 1, "inner_group_num": 1},
    "ernie": {"num_hidden_layers": 12, "max_position_embeddings": 2048, "type_vocab_size": 4},
    "distilbert": {"n_layers": 6, "max_position_embeddings": 512, "sinusoidal_pos_embds": False},
    "deberta-v2": {"num_hidden_layers": 12, "max_position_embeddings": 512, "type_vocab_size": 0},
}


@pytest.mark.parametrize("family", by_family())
def test_what_a_config_leaves_out_is_as_in_transformers(family: str) -> None:
    config, bare = family_config(family), {"model_type": family}
    assert n_layers(bare, "x") == config.num_hidden_layers
    assert n_token_types(bare, "x") == getattr(config, "type_vocab_size", 0)
    assert {key: getattr(config, key) for key in FAMILIES[family].dropouts} == FAMILIES[family].dropouts
    assert dropout(bare, "x") == (None if family == "gte" else next(iter(FAMILIES[family].dropouts.values())))
    n_reserved = 0 if FAMILIES[family].pad_token_id is None else config.pad_token_id + 1
    assert max_tokens(bare, "x") == config.max_position_embeddings - n_reserved


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("bert", (12, 512, 2)),
        ("roberta", (12, 512, 1)),
        ("electra", (12, 512, 2)),
        ("albert", (12, 512, 2)),
        ("ernie", (12, 2048, 4)),
        ("distilbert", (6, 512, 0)),
        ("deberta-v2", (12, 512, 0)),
    ],
)
def test_published_configs(family: str, expected: tuple[int, int, int]) -> None:
    config = PUBLISHED[family] | {"model_type": family}
    assert (n_layers(config, "x"), max_tokens(config, "x"), n_token_types(config, "x")) == expected


def test_both_names_of_distilberts_depth() -> None:
    for key in ("n_layers", "num_hidden_layers"):
        assert n_layers({"model_type": "distilbert", key: 4}, "x") == 4
        assert family_config("distilbert", **{key: 4}).n_layers == 4


def test_segments_of_distilbert_are_not_taken_from_a_leftover() -> None:
    assert n_token_types({"model_type": "distilbert", "type_vocab_size": 2}, "x") == 0


@pytest.mark.parametrize(
    ("config", "expected"),
    [({}, 0.1), ({"hidden_dropout_prob": 0.1}, 0.1), ({"hidden_dropout_prob": 0.2}, None), ({"dropout": 0.5}, 0.1)],
)
def test_dropout_where_it_is_one_number(config: dict[str, Any], expected: float | None) -> None:
    assert dropout({"model_type": "bert"} | config, "x") == expected


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"model_type": "bert"}, "bert"),
        ({"model_type": "nezha"}, "nezha"),
        ({"model_type": "bert", "use_relative_position": True}, "nezha"),
        ({"use_relative_position": True}, "nezha"),
        ({"model_type": "bert", "use_relative_position": False}, "bert"),
        ({}, "none"),
    ],
)
def test_names(config: dict[str, Any], name: str) -> None:
    assert family_name(config) == name


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"model_type": "brt"}, "here: unknown encoder family 'brt' .did you mean 'bert'"),
        ({}, "here: unknown encoder family 'none'; known: bert, "),
        (
            {"model_type": "albert", "num_hidden_groups": 2},
            "here: num_hidden_groups of albert encoders must be 1, but is 2",
        ),
        ({"model_type": "albert", "inner_group_num": 3}, "inner_group_num of albert encoders must be 1, but is 3"),
        (
            {"model_type": "bert", "position_embedding_type": "relative_key"},
            "position_embedding_type of bert encoders must be 'absolute', but is 'relative_key'",
        ),
    ],
)
def test_encoders_that_would_be_something_else(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        family_in(config, "here")


# --- small models of all families


def inputs_of(rows: list[list[int]], pad_id: int) -> dict[str, Tensor]:
    width = max(map(len, rows))
    ids = [row + [pad_id] * (width - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (width - len(row)) for row in rows]
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}


@pytest.mark.parametrize("family", FAMILIES)
def test_cards(family_folders: dict[str, Path], family: str) -> None:
    card = read_card("mine", family_folders[family])
    assert (card.family, card.n_layers, card.max_tokens, card.dropout) == (family, 3, 64, 0.1)
    assert card.has_pooler is card.pooler_is_pretrained is (family not in WITHOUT_POOLER)
    assert card.n_token_types == (0 if family in WITHOUT_TYPES else 1 if family in WITHOUT_SEGMENTS else 2)
    assert card.shares_layers is (family == "albert")


@pytest.mark.parametrize("family", by_family())
def test_the_states_of_every_layer(family_folders: dict[str, Path], family: str) -> None:
    model = build_model(encoder_in(family_folders[family]), None).eval()
    pad_id = int(model.config.pad_token_id)
    assert pad_id == family_settings()[family].get("pad_token_id", 0)
    long, short = list(range(5, 15)), list(range(20, 26))
    with torch.no_grad():
        output = model(**inputs_of([long, short], pad_id), output_hidden_states=True)
        alone = model(**inputs_of([short], pad_id))
    assert [states.shape for states in output.hidden_states] == [(2, 10, 32)] * 4
    assert torch.equal(output.hidden_states[-1], output.last_hidden_state)
    torch.testing.assert_close(output.last_hidden_state[1:, :6], alone.last_hidden_state, rtol=1e-4, atol=1e-5)
    if family in WITHOUT_POOLER:
        assert output.get("pooler_output") is None
    else:
        weight, bias = (dict(model.named_parameters())[name] for name in pooler_names(family))
        expected = torch.tanh(output.last_hidden_state[:, 0] @ weight.T + bias)
        torch.testing.assert_close(output.pooler_output, expected, rtol=1e-4, atol=1e-5)


def pooler_names(family: str) -> tuple[str, str]:
    start = "pooler" if family in ("albert", "big_bird") else "pooler.dense"
    return f"{start}.weight", f"{start}.bias"


@pytest.mark.parametrize("family", by_family())
def test_the_longest_input_is_the_longest(family_folders: dict[str, Path], family: str) -> None:
    model = build_model(encoder_in(family_folders[family]), None).eval()
    n_most = read_card("mine", family_folders[family]).max_tokens
    with torch.no_grad():
        model(**inputs_of([[5] * n_most], 0))
        if family not in WITHOUT_POSITIONS:
            with pytest.raises((IndexError, RuntimeError)):
                model(**inputs_of([[5] * (n_most + 1)], 0))


IN_HALF = [family for family in FAMILIES if not FAMILIES[family].overflows_in_half]


@pytest.mark.parametrize("family", by_family(IN_HALF))
def test_in_bfloat16(family_folders: dict[str, Path], family: str) -> None:
    model = build_model(encoder_in(family_folders[family]), 0.0)
    inputs = inputs_of([list(range(5, 15)), list(range(20, 26))], 0)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(**inputs).last_hidden_state
    half.float().square().sum().backward()
    torch.testing.assert_close(half.float(), model(**inputs).last_hidden_state, rtol=0.0, atol=0.1)
