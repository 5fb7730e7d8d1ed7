"""Facts of an encoder and a task, known before anything is trained: enough to tell whether a knob can act."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class AddedNumbers:
    """Pairs that a recipe adds to the training rows, of all folds together: those that ``follow`` from others.

    ``beyond_ratio`` are left out by it, ``outside`` come from outside files.
    """

    follow: int
    beyond_ratio: int
    outside: int


LabelKind = Literal["class", "multilabel", "score"]
"""What the labels of rows are: one of several classes, any number of labels, or a number."""

Rows = int | tuple[int, ...]
"""Training rows that an epoch reads: their number, or that of each of several parts."""


@dataclass(frozen=True)
class PartFacts:
    """A part: its training rows, those of each label, whether they are pairs, its loss's weight, and its labels."""

    n_train_rows: int
    label_counts: tuple[int, ...]
    is_pair: bool
    weight: float = 1.0
    labels_are: LabelKind = "class"


@dataclass(frozen=True)
class TrialFacts:
    """Depth and parts of the encoder, size and labels of the training rows.

    ``shares_layers``: all layers are one (ALBERT). ``pooler_is_pretrained``: the checkpoint has weights for its pooler.
    ``has_mask_token``: its tokenizer can hide a token, as a pretraining does. ``has_token_head``: its head that tells
    tokens is known. ``has_final_norm``: a norm stands behind its last layer, and is frozen with none.
    ``overflows_in_half``: the encoder's code cannot be run in bfloat16.
    ``n_token_types``: segment embeddings of the encoder; below 2 it cannot tell the texts of a pair apart by them.
    ``corpora``: what a pretraining may read, by the names of its knob, each with its single texts and its pairs.

    ``id_counts``: how often the ids occur that the texts are, each number once, rising; empty where texts are text.
    ``has_token_counts``: the task says how often the encoder's tokens occur. ``knows_ids``: the encoder's own
    vocabulary is one of ids. ``is_made_of_the_texts``: it has seen no others.

    ``n_outside_pairs``: those of files that the task names beside its rows, which may be added to the training rows.
    ``n_added``: what the recipe's own knobs add to the training rows; None where they add none, or it is not known.

    ``parts``: what is known of each of several; empty for a single task. ``n_train_rows`` are those of all parts then,
    ``label_counts`` their labels' one after the other, and ``is_pair`` is true where any part is one of pairs.
    ``labels_are`` is what the labels of a single task are.
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
    has_mask_token: bool = True
    has_token_head: bool = True
    has_final_norm: bool = False
    overflows_in_half: bool = False
    n_token_types: int = 2
    is_pair: bool = False
    corpora: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    id_counts: tuple[int, ...] = ()
    has_token_counts: bool = False
    knows_ids: bool = False
    is_made_of_the_texts: bool = False
    n_outside_pairs: int = 0
    n_added: AddedNumbers | None = None
    parts: tuple[PartFacts, ...] = ()
    labels_are: LabelKind = "class"

    @property
    def rows(self) -> Rows:
        """Training rows that an epoch reads, of each part where there are several."""
        return tuple(part.n_train_rows for part in self.parts) or self.n_train_rows

    @property
    def has_single_texts(self) -> bool:
        """Whether some rows are no pairs."""
        return not all(part.is_pair for part in self.parts) if self.parts else not self.is_pair

    @property
    def by_part(self) -> tuple[PartFacts, ...]:
        """The same of each part: a single task is the one part."""
        alone = PartFacts(self.n_train_rows, self.label_counts, self.is_pair, labels_are=self.labels_are)
        return self.parts or (alone,)

    @property
    def label_kinds(self) -> frozenset[LabelKind]:
        """What the labels of the parts are."""
        return frozenset(part.labels_are for part in self.by_part)

    @property
    def n_labels(self) -> int:
        """Number of classes."""
        return len(self.label_counts)
