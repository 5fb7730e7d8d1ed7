"""Writes a small BERT of random weights that has a given vocabulary: what a pretraining from scratch takes it from.

``python -m tests.encoder_of_vocabulary VOCABULARY FOLDER``; VOCABULARY is a vocab.txt.
"""

import sys
from pathlib import Path

import torch

from tests.fixtures_core import bert_config, save_encoder


def encoder_of(vocabulary: Path, folder: Path, **settings: object) -> Path:
    """Write it; ``settings`` are those of the config that are not as in other tests."""
    from transformers import BertModel

    words = vocabulary.read_text(encoding="utf-8").split("\n")[:-1]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = BertModel(bert_config(len(words), **settings))
    return save_encoder(model, folder, words)


if __name__ == "__main__":
    print(encoder_of(Path(sys.argv[1]), Path(sys.argv[2])))
