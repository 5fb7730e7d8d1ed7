"""The cases of the liveness tests: how each knob is put on trial. The benchmark on a GPU runs the same ones."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args

from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.task import Split, Task
from tests.fixtures_core import recipe_of, slow

Knobs = Mapping[str, Any]

PGD: Knobs = {"adversarial": "pgd"}
LIVE: Mapping[str, list[tuple[Knobs, Any]]] = {
    "max_length": [({}, 10)],
    "token_types": [({}, "zeros")],
    "cooccurrence": [({}, "add_scalar"), ({}, "embedding")],
    "reinit_pooler": [({"pooling": "pooler"}, True)],
    "reinit_layers": [({}, 1), ({}, "100%")],
    "frozen_layers": [({}, "embeddings"), ({}, 1), ({}, "100%")],
    "frozen_dropout": [({"frozen_layers": "100%"}, True)],
    "encoder_dropout": [({}, 0.2)],
    "classifier_dropout": [({}, 0.3)],
    "mixout": [({}, 0.5)],
    "multi_sample_dropout": [({}, 4)],
    "multi_sample_mode": [({"multi_sample_dropout": 4}, "chained")],
    "pooling": [
        ({}, name) for name in get_args(Recipe.model_fields["pooling"].annotation) if name != recipe_of().pooling
    ],
    "pooling_layers": [({"pooling": name}, 2) for name in ("cls_cat", "cls_cat_poolers", "mean_cat", "dynamic")],
    "head": [({}, "mlp"), ({}, "label_attention")],
    "head_width": [({"head": "mlp"}, 64)],
    "head_activation": [({"head": "mlp"}, name) for name in ("relu", "tanh", "none")],
    "head_slots": [({"head": "label_attention", "head_attention_dropout": 0.0}, 4)],
    "head_attention_dropout": [({"head": "label_attention"}, 0.5)],
    "class_weights": [({}, "balanced"), ({}, "log_counts"), ({}, (1.0, 2.0))],
    "label_smoothing": [({}, 0.1)],
    "focal_gamma": [({}, 2.0)],
    "r_drop": [({}, 1.0)],
    "adversarial": [({}, name) for name in ("fgm", "pgd", "freelb")],
    "adversarial_epsilon": [({"adversarial": "fgm"}, 0.3), (PGD, 0.3), ({"adversarial": "freelb"}, 0.3)],
    "adversarial_alpha": [(PGD, 0.2), ({"adversarial": "freelb"}, 0.2)],
    "adversarial_steps": [(PGD, 2), ({"adversarial": "freelb"}, 2)],
    "adversarial_norm": [(PGD, "text"), (PGD, "normalized"), ({"adversarial": "freelb"}, "normalized")],
    "adversarial_start": [({"adversarial": "fgm", "epochs": 2}, 2)],
    "freelb_init": [({"adversarial": "freelb"}, 0.5)],
    "epochs": [({}, 2)],
    "batch_size": [({}, 12)],
    "gradient_accumulation": [({}, 2)],
    "optimizer": [({}, "original_bert_adam")],
    "learning_rate": [({}, 1e-3)],
    "layer_decay": [({}, 0.5)],
    "adam_epsilon": [({}, 1e-4)],
    "bert_adam": [({}, True)],
    "weight_decay": [({}, 0.1)],
    "decay_exclude": [({"weight_decay": 0.1}, "none")],
    "clip_norm": [({}, 0.1)],
    "schedule": [({}, "cosine"), ({}, "constant")],
    "warmup_proportion": [({}, 0.4)],
    "lookahead_steps": [({}, 2)],
    "lookahead_alpha": [({"lookahead_steps": 2}, 0.9)],
    "ema_decay": [({}, 0.5)],
    "swa_start": [({}, 0.3)],
    "swa_every": [({"swa_start": 0.0}, 2)],
    "swa_learning_rate": [({"swa_start": 0.3}, 1e-3)],
    # At a rate of nothing every epoch is a tie, which the first one wins.
    "patience": [({"epochs": 3, "learning_rate": 1e-12}, 1)],
    "selection": [({"epochs": 3, "learning_rate": 1e-12}, "last")],
    "checkpoints": [({"epochs": 3}, 2), ({"epochs": 2, "selection": "last"}, 2)],
    "prediction_order": [({}, "both")],
    "pair_swap": [({}, "both"), ({}, "random")],
    "closure": [({}, "positives"), ({}, "both")],
    "closure_cap": [({"closure": "both"}, 2)],
    "closure_ratio": [({"closure": "both"}, "kept")],
    "outside_pairs": [({}, "positive"), ({}, "negative")],
    "precision": [({}, "bf16")],
}
"""Knob -> the other knobs that it needs, and a value that differs from the small recipe's."""


LASTING = ("adversarial", "freelb", "swa", "lookahead", "checkpoints", "patience")
"""How knobs begin that take several passes a step, or several epochs."""


def first_quick(cases: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return cases of a test that begin with the knob: of each knob the first is quick, unless it lasts."""
    found, known = [], set[str]()
    for knob, *rest in cases:
        is_quick = knob not in known and not knob.startswith(LASTING)
        found.append((knob, *rest) if is_quick else slow(knob, *rest))
        known.add(knob)
    return found


DEAD: Mapping[str, tuple[Knobs, ...]] = {
    "token_types": ({"token_types": "zeros"},),
    "cooccurrence": ({"cooccurrence": "embedding"}, {"cooccurrence": "add_scalar"}),
    "reinit_pooler": (
        {"reinit_pooler": True, "pooling": "cls"},
        {"reinit_pooler": True, "pooling": "mean"},
        {"reinit_pooler": True, "pooling": "cls_cat_poolers"},
    ),
    "decay_exclude": (
        {"decay_exclude": "none", "weight_decay": 0.0},
        {"decay_exclude": "none", "weight_decay": 0.1, "frozen_layers": "100%", "batch_size": 512, "epochs": 1},
    ),
    "frozen_dropout": (
        {"frozen_dropout": True},
        {"frozen_dropout": True, "frozen_layers": 2, "encoder_dropout": 0.0},
    ),
    "encoder_dropout": ({"encoder_dropout": 0.5, "frozen_layers": "100%"},),
    "multi_sample_dropout": ({"multi_sample_dropout": 4, "classifier_dropout": 0.0},),
    "multi_sample_mode": ({"multi_sample_mode": "chained"},),
    "pooling_layers": ({"pooling_layers": 2},),
    "head_width": ({"head_width": 64},),
    "head_activation": ({"head_activation": "tanh"},),
    "head_slots": ({"head_slots": 4}, {"head": "mlp", "head_slots": 4}),
    "head_attention_dropout": ({"head_attention_dropout": 0.5},),
    "class_weights": ({"class_weights": (2.0, 2.0)},),
    "r_drop": (
        {"r_drop": 1.0, "classifier_dropout": 0.0, "encoder_dropout": 0.0},
        {"r_drop": 1.0, "classifier_dropout": 0.0, "frozen_layers": "100%"},
    ),
    "adversarial": (
        {"adversarial": "fgm", "frozen_layers": 1},
        {"adversarial": "pgd", "frozen_layers": "embeddings"},
        {"adversarial": "freelb", "adversarial_steps": 1},
    ),
    "adversarial_epsilon": (
        {"adversarial_epsilon": 0.3},
        {"adversarial": "freelb", "adversarial_steps": 1, "freelb_init": 0.5, "adversarial_epsilon": 0.3},
    ),
    "adversarial_alpha": (
        {"adversarial": "freelb", "adversarial_steps": 1, "freelb_init": 0.5, "adversarial_alpha": 0.2},
        {"adversarial_alpha": 0.2},
        {"adversarial": "fgm", "adversarial_alpha": 0.2},
    ),
    "adversarial_steps": (
        {"adversarial_steps": 2},
        {"adversarial": "fgm", "adversarial_steps": 2},
    ),
    "adversarial_norm": ({"adversarial_norm": "text"},),
    "adversarial_start": ({"adversarial_start": 2},),
    "freelb_init": ({"freelb_init": 0.5}, {"adversarial": "pgd", "freelb_init": 0.5}),
    "gradient_accumulation": ({"gradient_accumulation": 2, "batch_size": 512},),
    "layer_decay": ({"layer_decay": 0.5, "frozen_layers": "100%", "pooling": "pooler"},),
    "bert_adam": ({"bert_adam": True, "optimizer": "original_bert_adam"},),
    "schedule": (
        {"schedule": "constant", "batch_size": 512, "epochs": 1},
        {"schedule": "cosine", "batch_size": 512, "epochs": 2},
        {"schedule": "cosine", "swa_start": 0.0, "swa_learning_rate": 1e-3},
    ),
    "warmup_proportion": (
        {"warmup_proportion": 0.01},
        {"warmup_proportion": 0.5, "swa_start": 0.0, "swa_learning_rate": 1e-3},
        {
            "warmup_proportion": 0.5,
            "swa_start": 0.0,
            "swa_learning_rate": 1e-3,
            "optimizer": "original_bert_adam",
        },
    ),
    "lookahead_steps": ({"lookahead_steps": 3, "lookahead_alpha": 1.0},),
    "lookahead_alpha": ({"lookahead_alpha": 0.9},),
    "swa_start": ({"swa_start": 0.9}, {"swa_start": 0.0, "swa_every": 6}),
    "swa_every": ({"swa_every": 2},),
    "swa_learning_rate": ({"swa_learning_rate": 1e-3},),
    "patience": ({"patience": 1, "learning_rate": 1e-12},),
    "selection": ({"selection": "last", "epochs": 1},),
    "checkpoints": (
        {"checkpoints": 2, "epochs": 1},
        {"checkpoints": 2, "epochs": 3, "selection": "last", "lookahead_steps": 6},
        {"checkpoints": 2, "epochs": 3, "selection": "last", "swa_start": 0.0, "swa_every": 5},
    ),
    "prediction_order": ({"prediction_order": "both"},),
    "pair_swap": ({"pair_swap": "both"}, {"pair_swap": "random"}),
    "closure": ({"closure": "positives"}, {"closure": "both"}),
    "closure_cap": ({"closure_cap": 3}, {"closure": "both", "closure_cap": 3}),
    "closure_ratio": ({"closure_ratio": "kept"}, {"closure": "both", "closure_ratio": "kept"}),
    "outside_pairs": ({"outside_pairs": "positive"}, {"outside_pairs": "negative"}),
}
"""Knob -> recipes in which it is set and cannot act, on single texts."""

WITH_IT: Mapping[str, str] = {
    "lookahead_steps": "lookahead_",
    "swa_start": "swa_",
    "closure_cap": "closure",
    "closure_ratio": "closure",
}
"""Knob -> how the names of its settings begin, where not with its own."""

WITHOUT_POOLER = (
    *("electra", "distilbert", "deberta-v2", "deberta", "modernbert", "eurobert", "roformer", "convbert", "nomic_bert"),
    "gte",
)
WITHOUT_SEGMENTS = (
    *("roberta", "xlm-roberta", "distilbert", "deberta-v2", "deberta", "camembert", "modernbert", "eurobert"),
    *("xlm-roberta-xl", "roberta-prelayernorm", "mpnet", "gte", "jina_embeddings_v3"),
)
NOT_HERE: Mapping[tuple[str, Any], tuple[tuple[str, ...], str]] = {
    ("token_types", "zeros"): (WITHOUT_SEGMENTS, "has no segment embeddings"),
    ("reinit_pooler", True): (WITHOUT_POOLER, "encoder has none; choose cls or mean"),
    ("pooling", "pooler"): (WITHOUT_POOLER, "encoder has none; choose cls or mean"),
    ("reinit_layers", 1): (("albert",), "must be 0 or all 3"),
    ("frozen_layers", 1): (("albert",), "must be 0 or all 3"),
    ("layer_decay", 0.5): (("albert",), "whose layers are one"),
    ("precision", "bf16"): (("deberta",), "overflows in it"),
}
"""Families on which a case is refused, and why: in a contradiction's sentence, or as the reason why it cannot act."""


def pairs_of(task: Task) -> Task:
    """Return 24 pairs to train and 8 for dev, of two labels of unequal number; some words are in both texts.

    Positive and negative pairs follow from some of those to train, and two more pairs are outside.
    """

    def paired(split: Split, rows: range) -> Split:
        texts = [split.texts[row] for row in rows]
        others = tuple(f"{texts[row - 1][:30]} {text[:20]}" for row, text in enumerate(texts))
        return Split(tuple(texts), tuple(int((split.labels or ())[row] > 0) for row in rows), others)

    train, dev = paired(task.train, range(0, 96, 4)), paired(task.dev, range(0, 30, 4))
    outside = Split(task.dev.texts[1:3], None, task.dev.texts[5:7])
    names = ("the first", "another")
    return replace(task, kind="pair", label_names=names, train=linked(train), dev=dev, test=None, outside=(outside,))


def linked(train: Split) -> Split:
    """Let three texts be joined by two positive pairs, and a negative pair have one of them, another one of a pair."""
    labels, others = train.labels or (), train.pairs or ()
    first, second, third, *_ = (row for row, label in enumerate(labels) if label == 1)
    one, another, *_ = (row for row, label in enumerate(labels) if label == 0)
    texts = list(train.texts)
    texts[second], texts[one], texts[another] = others[first], others[second], others[third]
    return replace(train, texts=tuple(texts))
