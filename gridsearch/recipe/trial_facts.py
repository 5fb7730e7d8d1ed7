"""Facts of an encoder and a task, known before anything is trained: enough to tell whether a knob can act."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AddedNumbers:
    """Pairs that a recipe adds to the training rows, of all folds together: those that ``follow`` from others.

    ``beyond_ratio`` are left out by it, ``outside`` come from outside files.
    """

    follow: int
    beyond_ratio: int
    outside: int


@dataclass(frozen=True)
class TrialFacts:
    """Depth and parts of the encoder, size and labels of the training rows.

    ``shares_layers``: all layers are one (ALBERT). ``pooler_is_pretrained``: the checkpoint has weights for its pooler.
    ``n_token_types``: segment embeddings of the encoder; below 2 it cannot tell the texts of a pair apart by them.
    ``corpora``: what a pretraining may read, by the names of its knob, each with its single texts and its pairs.

    ``id_counts``: how often the ids occur that the texts are, each number once, rising; empty where texts are text.
    ``has_token_counts``: the task says how often the encoder's tokens occur. ``knows_ids``: the encoder's own
    vocabulary is one of ids. ``is_made_of_the_texts``: it has seen no others.

    ``n_outside_pairs``: those of files that the task names beside its rows, which may be added to the training rows.
    ``n_added``: what the recipe's own knobs add to the training rows; None where they add none, or it is not known.
    """

    family: str
    n_layers: int
    has_pooler: bool
    max_tokens: int
    n_train_rows: int
    label_counts: tuple[int, ...]
    dropout: float | None = None
    shares_layers: bool = False
    pooler_is_pretrained: bool = True
    n_token_types: int = 2
    is_pair: bool = False
    corpora: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    id_counts: tuple[int, ...] = ()
    has_token_counts: bool = False
    knows_ids: bool = False
    is_made_of_the_texts: bool = False
    n_outside_pairs: int = 0
    n_added: AddedNumbers | None = None

    @property
    def n_labels(self) -> int:
        """Number of classes."""
        return len(self.label_counts)
