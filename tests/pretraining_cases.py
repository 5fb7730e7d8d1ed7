"""How each knob of a pretraining is put on trial: the other knobs that it needs, and a value."""

from collections.abc import Mapping
from typing import Any

Knobs = Mapping[str, Any]

SCRATCH: Knobs = {"base": "scratch", "layers": 1, "width": 16, "heads": 2}
PAIRS: Knobs = {"form": "pairs"}

LIVE: Mapping[str, list[tuple[Knobs, Any]]] = {
    "objective": [(PAIRS, "mlm_label")],
    "base": [({"layers": 1, "width": 16, "heads": 2}, "scratch")],
    "family": [(SCRATCH, name) for name in ("roberta", "electra", "albert", "nezha")],
    "layers": [(SCRATCH, 2)],
    "width": [(SCRATCH, 32)],
    "heads": [(SCRATCH, 4)],
    "take_layers": [({}, (2,)), ({}, (1, 2, 2))],
    "corpus": [({}, name) for name in ("all", "files", "train+files", "all+files")],
    "form": [({}, "pairs"), ({}, "both")],
    "pair_order": [(PAIRS, "both"), (PAIRS, "random")],
    "max_length": [({}, 8)],
    "token_types": [(PAIRS, "zeros")],
    "mask": [({}, name) for name in ("whole_word", "statistical_word", "ngram")],
    "ngram": [({"mask": "ngram"}, name) for name in ("rank18", "seed002", "seed000")],
    "rate": [({}, 0.3)],
    "rate_is": [({"mask": "ngram"}, "realised")],
    "mask_share": [({}, 0.4)],
    "random_share": [({}, 0.2)],
    "next_sentence": [(PAIRS, True)],
    "steps": [({}, 5)],
    "epochs": [({}, 2)],
    "checkpoint": [({}, 2)],
    "batch_size": [({}, 8)],
    "learning_rate": [({}, 1e-3)],
    "schedule": [({}, "cosine"), ({}, "constant")],
    "warmup_proportion": [({}, 0.5)],
    "weight_decay": [({}, 0.5)],
    "adam_beta2": [({}, 0.9)],
    "clip_norm": [({}, 0.1)],
    "lookahead_steps": [({}, 2)],
    "lookahead_alpha": [({"lookahead_steps": 2}, 0.9)],
    "dropout": [({}, 0.5)],
    "seed": [({}, 3), ({}, "trial")],
}
"""Knob -> the other knobs that it needs, and a value that differs from the small pretraining's."""

DEAD: Mapping[str, tuple[Knobs, ...]] = {
    "objective": ({"steps": 0},),
    **{
        name: ({"objective": "none"},)
        for name in ("base", "steps", "epochs", "checkpoint", "seed", "corpus", "mask", "dropout")
    },
    "take_layers": ({"objective": "none"}, SCRATCH),
    **{name: ({"objective": "none"}, {}) for name in ("family", "layers", "width", "heads")},
    **{name: ({}, {"form": "single"}) for name in ("pair_order", "token_types", "next_sentence")},
    **{
        name: ({**SCRATCH, "steps": 0},)
        for name in (
            "max_length",
            "rate",
            "mask_share",
            "random_share",
            "batch_size",
            "learning_rate",
            "weight_decay",
            "adam_beta2",
            "clip_norm",
            "lookahead_steps",
            "form",
        )
    },
    "schedule": ({"steps": 1}, {"warmup_proportion": 0.8}),
    "warmup_proportion": ({"steps": 4, "warmup_proportion": 0.2},),
    "lookahead_alpha": ({},),
    "ngram": ({}, {"mask": "whole_word"}, {**SCRATCH, "steps": 0, "mask": "ngram"}),
    "rate_is": ({}, {**SCRATCH, "steps": 0, "mask": "ngram"}),
}
"""Knob -> pretrainings in which it is set and cannot act."""
