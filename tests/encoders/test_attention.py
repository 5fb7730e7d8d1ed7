"""Attention gives what torch's own gives, whatever the lengths, and a model asks it wherever it would ask torch's."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from gridsearch.encoders import attention as module_of_attention
from gridsearch.encoders.attention import NAME, OWN_CODE, attention
from gridsearch.encoders.load import EncoderWeights, build_model, load

INTERFACED = (
    *(
        "bert",
        "ernie",
        "roberta",
        "xlm-roberta",
        "camembert",
        "electra",
        "albert",
        "distilbert",
        "modernbert",
        "eurobert",
    ),
    *("xlm-roberta-xl", "roberta-prelayernorm", "nomic_bert", "gte", "jina_embeddings_v3"),
)
OWN = ("deberta-v2", "deberta", "nezha", "roformer", "megatron-bert", "mpnet", "convbert", "big_bird", "rembert")


def heads(n_tokens: int, precision: torch.dtype = torch.float32) -> list[Tensor]:
    torch.manual_seed(n_tokens)
    return [torch.randn(3, n_tokens, 2, 8).to(precision).transpose(1, 2).requires_grad_() for _ in range(3)]


def mask_of(n_tokens: int) -> Tensor:
    """Rows of all tokens, of half of them, and of one."""
    lengths = torch.tensor([n_tokens, (n_tokens + 1) // 2, 1])
    return (torch.arange(n_tokens) < lengths[:, None])[:, None, None, :].expand(3, 1, n_tokens, n_tokens)


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("n_tokens", [1, 2, 9, 15, 16, 17, 31, 33, 70])
def test_as_torchs_own(n_tokens: int, masked: bool) -> None:
    mask = mask_of(n_tokens) if masked else None
    found = []
    for attend in (attention, sdpa_attention_forward):
        inputs = heads(n_tokens)
        output, _ = attend(nn.Module(), *inputs, mask, scaling=0.3, is_causal=False)
        (output * torch.arange(8.0)).sum().backward()
        found.append([output, *(one.grad for one in inputs)])
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-5)


def test_bfloat16_is_nearer_to_float32_than_its_own_rounding() -> None:
    inputs = heads(20, torch.bfloat16)
    exact, _ = attention(nn.Module(), *(one.float() for one in inputs), mask_of(20))
    rounded, _ = attention(nn.Module(), *inputs, mask_of(20))
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), exact, rtol=2e-2, atol=2e-2)


def test_weights_are_dropped_and_scaled() -> None:
    """With values of 1, a token's output is the sum of its weights that were kept: 1 on average."""
    query, key, _ = heads(40)
    torch.manual_seed(0)
    output, _ = attention(nn.Module(), query, key, torch.ones(3, 2, 40, 8), mask_of(40), dropout=0.2)
    assert output.std() > 0.01
    assert abs(output[0].mean() - 1) < 0.05
    assert {0.0, 1.25} == set(output[2].flatten().unique().round(decimals=4).tolist())  # one key: kept or not


def test_texts_whose_scores_are_too_many_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = heads(24)
    with torch.inference_mode():
        expected, _ = attention(nn.Module(), *inputs, mask_of(24))
        monkeypatch.setattr(module_of_attention, "N_SCORES_MOST", 0)
        found, _ = attention(nn.Module(), *inputs, mask_of(24))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow  # loads every family
def test_families_that_ask_get_it(family_folders: dict[str, Path]) -> None:
    asked = {}
    for family, folder in family_folders.items():
        model = build_model(load(str(folder), (), lambda sentence: None), None)
        asked[family] = model.config._attn_implementation
    assert asked == dict.fromkeys(INTERFACED, NAME) | dict.fromkeys(OWN, OWN_CODE)


def test_the_padding_of_a_batch_changes_no_text(encoder: EncoderWeights) -> None:
    """Whether the longest text of a batch has 9 tokens or 30: below and above the least number of keys."""
    model = build_model(encoder, None).eval()
    ids = torch.arange(5, 14)[None]
    with torch.inference_mode():
        short = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        padded = nn.functional.pad(ids, (0, 21))
        long = model(input_ids=padded, attention_mask=(padded > 0).long()).last_hidden_state[:, :9]
    torch.testing.assert_close(short, long, rtol=1e-4, atol=1e-5)
