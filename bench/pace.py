"""How fast the machine itself is just now: the same training steps, timed before and after each system."""

import statistics
import time

import torch
from transformers import BertConfig, BertForSequenceClassification

N_STEPS = 10
ROWS, TOKENS = 32, 24


def step_seconds() -> float:
    """Return the median wall seconds of a step of a random encoder, 6 layers of 384, in float32 on every core.

    It calls nothing of this project: a change of the code cannot move it, only other work on the machine can. Not in
    bfloat16: where a processor has no instructions for it, one step takes seconds.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=5000, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
            )
        ).train()
        words = torch.randint(5000, (ROWS, TOKENS))
        labels = torch.randint(2, (ROWS,))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
        seconds = []
        for _ in range(N_STEPS):
            begun = time.perf_counter()
            model(input_ids=words, labels=labels).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)
