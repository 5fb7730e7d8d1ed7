"""NEZHA (arXiv:1909.00204) on BERT's parts: transformers 5 has it no more. Importing this registers it there.

It has no position embeddings. Queries meet keys, and weights meet values, with a fixed vector added that depends on how
far apart two tokens are (section 2.1, with the sines and cosines of arXiv:1706.03762):

    score(i, j) = q_i . (k_j + a_ij) / sqrt(width of a head)        z_i = sum_j softmax_j(score(i, j)) (v_j + a_ij)
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, BertConfig, initialization
from transformers.modeling_outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    BaseModelOutputWithPoolingAndCrossAttentions,
)
from transformers.models.bert.modeling_bert import BertLayer, BertModel, BertPooler, BertPreTrainedModel

OLD_TABLES = [r"relative_positions_encoding\."]
"""Names in old checkpoints, which carry the fixed vectors."""


class NezhaConfig(BertConfig):
    """BERT's config; distances beyond ``max_relative_position`` tokens count as that distance.

    ``max_position_embeddings`` bounds nothing in the model.
    """

    model_type = "nezha"
    vocab_size: int = 21128
    max_position_embeddings: int = 8192
    max_relative_position: int = 64


def distance_vectors(max_distance: int, width: int) -> Tensor:
    """Return [2 max_distance + 1, width]: row d, of distance d - max_distance, is sin and cos of d / 10000^(2k/width).

    >>> distance_vectors(1, 2)
    tensor([[ 0.0000,  1.0000],
            [ 0.8415,  0.5403],
            [ 0.9093, -0.4161]])
    """
    rows = torch.arange(2 * max_distance + 1, dtype=torch.float32).unsqueeze(1)
    angles = rows * torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


class RelativePositions(nn.Module):
    """The fixed vectors a, which all layers and heads share."""

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.max_distance = config.max_relative_position
        self.width = config.hidden_size // config.num_attention_heads
        self.table = nn.Buffer(distance_vectors(self.max_distance, self.width), persistent=False)

    def forward(self, n_tokens: int) -> Tensor:
        """Return a of shape (tokens i, tokens j, width of a head), by the distance j - i."""
        places = torch.arange(n_tokens, device=self.table.device)
        distances = (places - places.unsqueeze(1)).clamp(-self.max_distance, self.max_distance)
        return self.table[distances + self.max_distance]


class NezhaSelfAttention(nn.Module):
    """BERT's self-attention, with vectors of distance added to keys and values."""

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.n_heads = config.num_attention_heads
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None, relative_positions: Tensor, **others: Any
    ) -> tuple[Tensor, Tensor]:
        """Return the new states and the weights (rows, heads, tokens, tokens); the mask is added to the scores.

        ``relative_positions`` has no rows and no heads, and what is multiplied by it never gets them.
        """
        rows, n_tokens, width = hidden_states.shape
        query, key, value = (
            part(hidden_states).view(rows, n_tokens, self.n_heads, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        scores = query @ key.transpose(2, 3) + torch.einsum("bhid,ijd->bhij", query, relative_positions)
        scores = scores / math.sqrt(width // self.n_heads)
        if attention_mask is not None:
            scores = scores + attention_mask
        weights = self.dropout(scores.softmax(-1))
        context = weights @ value + torch.einsum("bhij,ijd->bhid", weights, relative_positions)
        return context.transpose(1, 2).reshape(rows, n_tokens, width), weights


class NezhaEncoder(nn.Module):
    """A stack of BERT's layers with NEZHA's attention; the vectors of distance are looked up once for all of them."""

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.relative_positions = RelativePositions(config)
        self.layer = nn.ModuleList()
        for _ in range(config.num_hidden_layers):
            layer = BertLayer(config)
            layer.attention.self = NezhaSelfAttention(config)  # type: ignore[assignment]
            self.layer.append(layer)

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None, **others: Any
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """Run all layers on states of shape (rows, tokens, width); the mask is true where a key counts."""
        if attention_mask is not None:
            nothing = torch.zeros_like(attention_mask, dtype=hidden_states.dtype)
            attention_mask = nothing.masked_fill_(~attention_mask, torch.finfo(hidden_states.dtype).min)
        vectors = self.relative_positions(hidden_states.shape[1])
        for layer in self.layer:
            hidden_states = layer(hidden_states, attention_mask, relative_positions=vectors)
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=hidden_states)


class NezhaEmbeddings(nn.Module):
    """Words and segments, without positions."""

    def __init__(self, config: NezhaConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **others: Any,
    ) -> Tensor:
        """Return states of shape (rows, tokens, width); without segment ids all are in segment 0."""
        words = self.word_embeddings(input_ids) if inputs_embeds is None else inputs_embeds
        if token_type_ids is None:
            token_type_ids = torch.zeros(words.shape[:2], dtype=torch.long, device=words.device)
        states: Tensor = self.dropout(self.LayerNorm(words + self.token_type_embeddings(token_type_ids)))
        return states


class NezhaPreTrainedModel(BertPreTrainedModel):
    """What transformers asks of every model of a family."""

    config_class = NezhaConfig
    base_model_prefix = "nezha"
    # Attention is computed above, and nowhere else.
    _supports_flash_attn = False
    _supports_sdpa = False
    _supports_flex_attn = False
    _supports_attention_backend = False
    _keys_to_ignore_on_load_unexpected = OLD_TABLES

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)  # type: ignore[no-untyped-call]
        if isinstance(module, RelativePositions):  # a checkpoint is loaded into a model without values
            initialization.copy_(module.table, distance_vectors(module.max_distance, module.width))


class NezhaModel(NezhaPreTrainedModel, BertModel):
    """BertModel's interface on NEZHA's parts."""

    def __init__(self, config: NezhaConfig, add_pooling_layer: bool = True) -> None:
        BertPreTrainedModel.__init__(self, config)  # not BertModel's: it would make BERT's parts
        self.gradient_checkpointing = False
        self.embeddings = NezhaEmbeddings(config)  # type: ignore[assignment]
        self.encoder = NezhaEncoder(config)  # type: ignore[assignment]
        self.pooler = BertPooler(config) if add_pooling_layer else None
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **others: Any
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Compute as BertModel does. It uses a mask of four dimensions as it is, and would read one of two."""
        if attention_mask is not None:
            attention_mask = attention_mask[:, None, None, :].bool()
        output: BaseModelOutputWithPoolingAndCrossAttentions = super().forward(input_ids, attention_mask, **others)
        return output


AutoConfig.register(NezhaConfig.model_type, NezhaConfig, exist_ok=True)
AutoModel.register(NezhaConfig, NezhaModel, exist_ok=True)
