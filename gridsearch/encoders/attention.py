"""Attention for short texts on a CPU, in transformers' place for it: the encoder families that ask there get it.

torch's own has no quick kernel for training with dropout, one for bfloat16 that is slower than the plain products, and
a softmax that goes number by number through rows of fewer than 16.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, eager_mask, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from gridsearch.encoders.dropout import drop

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NAME, OWN_CODE = "gridsearch", "gridsearch-own-code"
N_KEYS_LEAST = 16
"""Shorter rows of scores are padded to this: softmax works on so many numbers at once."""
N_SCORES_MOST = 2**24
"""More of them are left to torch's kernel, which keeps none, where neither gradients nor dropout need them."""
FAR_BELOW = -1e30
"""Added to the scores of keys that are masked: exp gives 0, and a row without any other key no nan."""


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Return what each token gathers, of shape (rows, tokens, heads, width), and no weights: as transformers asks it.

    Queries, keys and values have the shape (rows, heads, tokens, width); the mask is true where a key counts.
    Several heads of queries may share keys and values.
    """
    n_keys, n_sharing = key.shape[2], getattr(module, "num_key_value_groups", 1)
    n_scores = query[..., 0].numel() * n_keys
    needs_scores = dropout > 0 or torch.is_grad_enabled() or n_scores <= N_SCORES_MOST
    if query.device.type != "cpu" or not needs_scores:
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **others)
    key, value = repeat_kv(key, n_sharing), repeat_kv(value, n_sharing)
    n_more = max(0, N_KEYS_LEAST - n_keys)
    if n_more:
        key, value = pad(key, (0, 0, 0, n_more)), pad(value, (0, 0, 0, n_more))
        if attention_mask is None:
            attention_mask = torch.ones(1, 1, 1, n_keys, dtype=torch.bool)
        attention_mask = pad(attention_mask, (0, n_more), value=False)
    scores = torch.matmul(query * (scaling or query.shape[-1] ** -0.5), key.transpose(2, 3)).float()
    if attention_mask is not None:
        scores = scores + torch.zeros(attention_mask.shape).masked_fill_(~attention_mask, FAR_BELOW)
    weights = torch.softmax(scores, dim=-1).to(value.dtype)
    if dropout > 0:
        weights = drop(weights, dropout)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), None


def attention_mask(
    *, attention_mask: Tensor | None = None, allow_is_bidirectional_skip: bool = False, **others: Any
) -> Tensor | None:
    """Return a mask of shape (rows, 1, tokens, tokens) where one is given: as transformers makes it.

    By itself it would look whether anything is masked, and wait for the device at every batch. ``collate`` knows, and
    gives no mask where nothing is.
    """
    skip = allow_is_bidirectional_skip and attention_mask is None
    return sdpa_mask(attention_mask=attention_mask, allow_is_bidirectional_skip=skip, **others)


def added_mask(
    *, attention_mask: Tensor | None = None, allow_is_bidirectional_skip: bool = False, **others: Any
) -> Tensor | None:
    """Return the mask that other families add to scores, made without looking whether anything is masked."""
    skip = allow_is_bidirectional_skip and attention_mask is None
    return eager_mask(attention_mask=attention_mask, allow_is_bidirectional_skip=skip, **others)


def with_quick_attention(model: "PreTrainedModel") -> None:
    """Let a model attend with this where it would with torch's own; other families' attention is their own code."""
    if model.config._attn_implementation == "eager":
        ALL_MASK_ATTENTION_FUNCTIONS.register(OWN_CODE, added_mask)
        model.config._attn_implementation_internal = OWN_CODE
    if model.config._attn_implementation == "sdpa":
        ALL_ATTENTION_FUNCTIONS.register(NAME, attention)
        ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, attention_mask)
        model.set_attn_implementation(NAME)
