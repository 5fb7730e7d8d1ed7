"""The part that both peers share: a fine-tune as users of Hugging Face's Trainer write it, with the bench's recipe."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, f1_score
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EvalPrediction,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
)
from transformers.utils import logging

from gridsearch.optimizers.adam import AdamWithoutBiasCorrection

METRICS: dict[str, Callable[..., float]] = {"accuracy": accuracy_score, "f1_macro": partial(f1_score, average="macro")}
RESULTS = "results.json"
"""What a peer writes into its output folder: a list of pairs, the hyperparameters and the best epoch's dev metric."""


@dataclass
class Arguments(TrainingArguments):
    """Trainer's arguments, and the script's own. Knobs of the grid are fields: Trainer ignores those that are none.

    ``data`` is a folder with train.jsonl and dev.jsonl, of objects with a text and a label.
    """

    model: str = ""
    data: str = ""
    metric: str = "accuracy"
    max_length: int = 64
    frozen_layers: int = 0
    bert_adam: bool = False


class FineTuner(Trainer):
    """Trainer with the optimizer that the grid asks for."""

    args: Arguments

    def create_optimizer(self, model: nn.Module | None = None) -> Any:
        """Make the optimizer; in a search, Trainer has put the trial's hyperparameters into ``args`` before."""
        own = (AdamWithoutBiasCorrection, {"lr": self.args.learning_rate, "eps": self.args.adam_epsilon})
        self.optimizer_cls_and_kwargs = own if self.args.bert_adam else None
        return super().create_optimizer(model)


def make_trainer(
    arguments: Arguments, padding: str | bool, frozen_layers: Callable[[Any], int], **more: Any
) -> FineTuner:
    """Read and tokenise the rows; ``frozen_layers`` tells a trial's, or those of no search from None."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    rows = {name: read_rows(Path(arguments.data, f"{name}.jsonl")) for name in ("train", "dev")}
    names = sorted({row["label"] for row in rows["train"]})

    def tokenised(split: str) -> list[dict[str, Any]]:
        texts = [row["text"] for row in rows[split]]
        encoded = tokenizer(texts, truncation=True, max_length=arguments.max_length, padding=padding)
        labels = [names.index(row["label"]) for row in rows[split]]
        return [
            {**dict(zip(encoded, values, strict=True)), "labels": label}
            for *values, label in zip(*encoded.values(), labels, strict=True)
        ]

    def metrics(prediction: EvalPrediction) -> dict[str, float]:
        found = METRICS[arguments.metric](prediction.label_ids, np.argmax(prediction.predictions, axis=1))
        return {arguments.metric: float(found)}

    return FineTuner(
        model_init=lambda trial=None: make_model(arguments.model, len(names), frozen_layers(trial)),
        args=arguments,
        train_dataset=tokenised("train"),
        eval_dataset=tokenised("dev"),
        processing_class=tokenizer,
        compute_metrics=metrics,
        **more,
    )


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def make_model(folder: str, n_labels: int, frozen_layers: int) -> PreTrainedModel:
    """Load a BERT with a classifier on its pooler; the embeddings and bottom layers that are frozen do not drop."""
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=n_labels)
    if frozen_layers:
        for part in (model.bert.embeddings, *model.bert.encoder.layer[:frozen_layers]):
            part.requires_grad_(False)
            for module in part.modules():
                if isinstance(module, nn.Dropout):
                    module.p = 0.0
    return model


def write_results(arguments: Arguments, results: list[tuple[dict[str, Any], float]]) -> None:
    """Leave the results where the bench looks for them."""
    Path(str(arguments.output_dir), RESULTS).write_text(json.dumps(results), encoding="utf-8")
