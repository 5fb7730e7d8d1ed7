"""Training of ``tiny``: [CLS] learns to tell the words of its text, and the pooler then spreads what it tells.

The stage has no labels and hides a part of the words, so what [CLS] tells of them it has to conclude from the others.
It passes through all layers, and trains them; the word vectors stay, because a few hundred texts make better ones by
counting (docs/log.md). It is bounded: so many steps of so many texts and tokens, whatever the texts are.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from gridsearch.encoders.vocabulary import SPECIAL_TOKENS

if TYPE_CHECKING:
    from transformers import BertModel

PAD, _, CLS, SEP, MASK = range(len(SPECIAL_TOKENS))

N_TEXTS_A_STEP, N_TOKENS_OF_A_TEXT = 32, 48
N_READINGS_MOST = 3  # of a text; few texts are soon known by heart
LEARNING_RATE, BETAS, WEIGHT_DECAY, WARMUP = 2e-3, (0.9, 0.98), 0.01, 0.1
HIDDEN_SHARE = 0.3

N_TEXTS_SPREAD = 2000  # whose summaries tell how summaries differ
VARIANCE_LEAST = 0.01  # of the mean one: what summaries hardly differ in is noise, and is spread no further


def teach(model: "BertModel", token_ids: Sequence[Sequence[int]], n_steps_most: int, seed: int) -> None:
    """Train the layers to tell from [CLS] which words a text has. Embeddings and pooler stay as they are.

    ``token_ids`` are those of the texts, without special tokens.
    """
    batches = _batches(token_ids)
    n_steps = min(n_steps_most, N_READINGS_MOST * len(batches))
    stream = torch.Generator().manual_seed(seed)
    words = nn.Linear(model.config.hidden_size, model.config.vocab_size)
    with torch.no_grad():
        words.weight.copy_(functional.normalize(model.embeddings.word_embeddings.weight))
        words.bias.copy_(_logits_of_frequencies(token_ids, model.config.vocab_size))
    trained = [*model.encoder.parameters(), *words.parameters()]
    updates = torch.optim.AdamW(trained, lr=LEARNING_RATE, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True)
    model.requires_grad_(False)
    model.encoder.requires_grad_(True)
    model.eval()  # without dropout: there is little time
    for step, batch in enumerate(_in_turn(batches, n_steps, stream)):
        rows = _rows([token_ids[text] for text in batch])
        of_text = rows >= len(SPECIAL_TOKENS)
        hidden = of_text & (torch.rand(rows.shape, generator=stream) < HIDDEN_SHARE)
        states = model(input_ids=rows.masked_fill(hidden, MASK), attention_mask=(rows != PAD).long())
        loss = functional.cross_entropy(
            words(states.last_hidden_state[:, 0]), _shares(rows, of_text, words.out_features)
        )
        updates.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        updates.param_groups[0]["lr"] = LEARNING_RATE * min(1, (step + 1) / (WARMUP * n_steps)) * (1 - step / n_steps)
        updates.step()
    model.requires_grad_(True)


def spread(model: "BertModel", token_ids: Sequence[Sequence[int]]) -> None:
    """Set the pooler such that what it makes of the texts' summaries has mean 0 and, in every direction, one variance.

    Most of a summary is the same for all texts. What differs would else be learned from slowly: by Adam, whose steps
    have one size, and through tanh, which is flat where the common part has taken it.
    """
    chosen = token_ids[:: math.ceil(len(token_ids) / N_TEXTS_SPREAD)]
    model.eval()
    with torch.no_grad():
        batches = (_rows([chosen[text] for text in batch]) for batch in _batches(chosen))
        summaries = torch.cat([_summaries(model, rows) for rows in batches]).double()
        mean = summaries.mean(dim=0)
        variances, directions = torch.linalg.eigh((summaries - mean).T @ (summaries - mean) / len(summaries))
        variances = variances.clamp(min=0)
        least = max(VARIANCE_LEAST * float(variances.mean()), 1e-6)
        weight = directions @ torch.diag((variances + least).rsqrt()) @ directions.T
        model.get_parameter("pooler.dense.weight").copy_(weight)
        model.get_parameter("pooler.dense.bias").copy_(-weight @ mean)


def _summaries(model: "BertModel", rows: Tensor) -> Tensor:
    """Return [texts, width]: the states of [CLS]."""
    states: Tensor = model(input_ids=rows, attention_mask=(rows != PAD).long()).last_hidden_state
    return states[:, 0]


def _logits_of_frequencies(token_ids: Sequence[Sequence[int]], n_tokens: int) -> Tensor:
    tokens = torch.tensor([token for text in token_ids for token in text], dtype=torch.long)
    counts = torch.bincount(tokens, minlength=n_tokens) + 0.5
    return (counts / counts.sum()).log()


def _batches(token_ids: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return positions of texts that are about as long as each other, in batches."""
    by_length = sorted(range(len(token_ids)), key=lambda text: min(len(token_ids[text]), N_TOKENS_OF_A_TEXT))
    return [by_length[start : start + N_TEXTS_A_STEP] for start in range(0, len(by_length), N_TEXTS_A_STEP)]


def _in_turn(batches: Sequence[list[int]], n_steps: int, stream: torch.Generator) -> Iterator[list[int]]:
    """Yield so many batches: all of them in random order, and again."""
    for step in range(n_steps):
        if step % len(batches) == 0:
            order = torch.randperm(len(batches), generator=stream).tolist()
        yield batches[order[step % len(batches)]]


def _rows(texts: Sequence[Sequence[int]]) -> Tensor:
    """Return [texts, tokens]: the texts between their special tokens, with padding behind shorter ones."""
    framed = [torch.tensor([CLS, *text[:N_TOKENS_OF_A_TEXT], SEP]) for text in texts]
    return nn.utils.rnn.pad_sequence(framed, batch_first=True, padding_value=PAD)


def _shares(rows: Tensor, of_text: Tensor, n_tokens: int) -> Tensor:
    """Return [texts, tokens of the vocabulary]: the same for each word of a text, 1 in sum; 0 where there is none."""
    present = torch.zeros(len(rows), n_tokens).scatter_reduce_(1, rows, of_text.float(), "amax")
    return present / present.sum(dim=1, keepdim=True).clamp(min=1)
