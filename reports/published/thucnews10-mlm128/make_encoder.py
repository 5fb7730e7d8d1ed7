"""Make this study's encoder from THUCNews' own training titles: tiny's recipe, wider, then masked words for longer.

    python make_encoder.py DATA_DIR FOLDER

DATA_DIR holds thucnews10/ (see search_spaces/tasks/thucnews10.toml). Needs the development dependencies (accelerate).
"""

import sys
import tempfile
from pathlib import Path

import torch
from transformers import (
    BertForMaskedLM,
    BertModel,
    BertTokenizer,
    DataCollatorForLanguageModeling,
    Trainer,
    TrainingArguments,
    set_seed,
)

from gridsearch.encoders.tiny.tiny import build
from gridsearch.encoders.tiny.weights import TinyRecipe
from gridsearch.tasks.taskfile import load_task
from search_spaces import find_task

RECIPE = TinyRecipe(
    hidden_width=128,
    n_heads=2,
    intermediate_width=512,
    n_positions=64,
    n_tokens_most=6000,
    n_texts_most=45_000,
    embedding_std=0.02,
    n_steps_most=0,  # masked words follow
)
N_STEPS, BATCH_SIZE, LEARNING_RATE, MASKED = 3000, 64, 1e-3, 0.15


def main(data_dir: Path, folder: Path) -> None:
    """Write the encoder's folder."""
    torch.set_num_threads(1)
    set_seed(0)
    corpus = load_task(find_task("thucnews10"), data_dir).corpus
    with tempfile.TemporaryDirectory() as scratch:
        start = Path(scratch, "start")
        start.mkdir()
        build(corpus, RECIPE, start, print)
        tokenizer = BertTokenizer.from_pretrained(start)
        model = BertForMaskedLM.from_pretrained(start)
        encoded = tokenizer(list(corpus), truncation=True, max_length=RECIPE.n_positions)["input_ids"]
        trainer = Trainer(
            model,
            TrainingArguments(
                output_dir=str(Path(scratch, "trainer")),
                max_steps=N_STEPS,
                per_device_train_batch_size=BATCH_SIZE,
                learning_rate=LEARNING_RATE,
                weight_decay=0.01,
                warmup_steps=N_STEPS // 10,
                train_sampling_strategy="group_by_length",
                logging_steps=100,
                save_strategy="no",
                report_to="none",
                use_cpu=True,
                disable_tqdm=True,
            ),
            train_dataset=[{"input_ids": ids} for ids in encoded],
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED),
        )
        trainer.train()
        encoder = BertModel.from_pretrained(start)  # with tiny's pooler, which masked words do not train
        encoder.load_state_dict(model.bert.state_dict(), strict=False)
    encoder.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
