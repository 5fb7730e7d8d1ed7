"""Rows and encoders of a run. Nothing is downloaded: a BERT-base of random weights, and a small one that learns."""

import json
import time
from pathlib import Path
from typing import Any

from bench.gpu_blocks.asked import Asked
from bench.gpu_blocks.carried import TASK
from bench.workload import SMALL128, Workload, grid_of, write_task
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights, read_weights
from gridsearch.encoders.tiny.tiny import build
from gridsearch.encoders.tiny.weights import TinyRecipe
from gridsearch.encoders.vocabulary import build_vocabulary
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.splits import sample_rows
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import DOCSTRINGS, load_task
from search_spaces import find_task

MAX_LENGTH, BATCH_ROWS = 32, 32
N_CELLS = 16
N_TOKENS = 21_128
"""As many as bert-base-chinese has; those that no title holds are called [unused1] and so on."""
BASE: dict[str, Any] = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
}
REHEARSED: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
REHEARSED_SMALL = TinyRecipe(n_layers=2, hidden_width=32, intermediate_width=32, n_positions=64, n_gathering_layers=1)


def answer(asked: Asked) -> None:
    """Make all of it."""
    begun = time.perf_counter()
    whole = whole_task(asked)
    for name, n_train, n_dev in (
        ("few", asked.size(1536, 64), asked.size(512, 32)),  # 48 steps a cell
        ("many", asked.size(8000, 96), asked.size(2000, 48)),
    ):
        folder = asked.scratch / name
        folder.mkdir()
        train, dev = sample_rows(whole.train, n_train, seed=0), sample_rows(whole.dev, n_dev, seed=0)
        write_task(folder, whole.name, whole, train, dev)
        asked.tell(**{f"rows_{name}": {"train": len(train), "dev": len(dev)}})
    asked.tell(task=whole.name, read_s=time.perf_counter() - begun)
    begun = time.perf_counter()
    n_parameters = make_base(asked, whole)
    asked.tell(base_encoder_s=time.perf_counter() - begun, base_parameters=n_parameters)
    begun = time.perf_counter()
    (small := asked.scratch / "small").mkdir()
    build(whole.corpus, asked.size(SMALL128, REHEARSED_SMALL), small, lambda sentence: None)
    asked.tell(small_encoder_s=time.perf_counter() - begun)


def whole_task(asked: Asked) -> Task:
    """Read the titles that were carried, or where there are none the built-in task."""
    data = asked.carried / "data"
    return load_task(find_task(TASK), data) if data.is_dir() else load_task(DOCSTRINGS)


def make_base(asked: Asked, whole: Task) -> int:
    """Write a BERT of random weights with the task's vocabulary; return the number of its parameters."""
    import torch
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel, BertTokenizer

    n_tokens = asked.size(N_TOKENS, 800)
    vocabulary = build_vocabulary(whole.corpus, n_tokens)
    vocabulary += [f"[unused{number}]" for number in range(1, n_tokens - len(vocabulary) + 1)]
    folder = asked.scratch / "base"
    folder.mkdir()
    torch.manual_seed(0)
    model = BertModel(BertConfig(vocab_size=n_tokens, architectures=["BertModel"], **asked.size(BASE, REHEARSED)))
    model.config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    BertTokenizer(vocab={token: index for index, token in enumerate(vocabulary)}).save_pretrained(folder)
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    return sum(parameter.numel() for parameter in model.parameters())


def workload(asked: Asked) -> Workload:
    """Return the 16 cells that speed is measured on: 2^4 as ``bench.finetune`` has it, a BERT-base, few titles."""
    folder = asked.scratch / "few"
    task = load_task(folder / "task.toml")
    n_layers = json.loads((asked.scratch / "base" / "config.json").read_text(encoding="utf-8"))["num_hidden_layers"]
    made = Workload(
        folder,
        asked.scratch / "base",
        task.name,
        task.metric,
        len(task.train),
        len(task.dev),
        base_recipe(),
        grid_of(asked.size(N_CELLS, 2), n_layers // 2),
    )
    (folder / "space.toml").write_text(made.space_text, encoding="utf-8")
    return made


def base_recipe(**knobs: object) -> Recipe:
    """Return the recipe of the cells: bf16, batches of 32 rows of at most 32 tokens, one epoch."""
    fixed = {"epochs": 1, "batch_size": BATCH_ROWS, "max_length": MAX_LENGTH, "learning_rate": 5e-5}
    return Recipe(**{**fixed, "pooling": "pooler", "clip_norm": 1.0, "precision": "bf16", **knobs})  # type: ignore[arg-type]


def read_materials(
    asked: Asked, rows: str, encoder: str, max_length: int = MAX_LENGTH
) -> tuple[EncodedTask, EncoderWeights]:
    """Return rows (few, many) and an encoder (base, small), ready to train."""
    folder = asked.scratch / encoder
    weights = read_weights(folder, read_card(encoder, folder).identity)
    task: Task = load_task(Path(asked.scratch, rows, "task.toml"))
    return encode_task(task, build_tokenizer(weights.tokenizer), max_length), weights
