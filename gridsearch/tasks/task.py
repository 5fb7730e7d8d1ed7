"""A task: rows in two or three splits, their labels, and the metric that judges them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from gridsearch.canonical import fingerprint

Kind = Literal["single", "pair"]
METRICS = ("accuracy", "f1_macro", "f1_micro", "f1_weighted", "f1_binary", "auc", "matthews", "log_loss")


@dataclass(frozen=True)
class Split:
    """Rows of one part of the data. ``pairs`` holds the second texts of a pair task; unlabelled rows have no labels."""

    texts: tuple[str, ...]
    labels: tuple[int, ...] | None
    pairs: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True)
class Task:
    """The data of a study, read and checked. ``notes`` are sentences for the plan and the page (duplicates, say)."""

    name: str
    kind: Kind
    metric: str
    label_names: tuple[str, ...]
    train: Split
    dev: Split
    test: Split | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that can change an outcome: every row of every split, the labels' order, the metric."""
        splits = [self.train, self.dev] + ([self.test] if self.test else [])
        return fingerprint([self.kind, self.metric, self.label_names, [[s.texts, s.pairs, s.labels] for s in splits]])

    @property
    def corpus(self) -> tuple[str, ...]:
        """Every training text, second texts of pairs included: what an encoder may be made from."""
        return (*self.train.texts, *(self.train.pairs or ()))

    @property
    def label_counts(self) -> tuple[int, ...]:
        """Rows of each label in train, in the order of ``label_names``."""
        labels = self.train.labels or ()
        return tuple(labels.count(index) for index in range(len(self.label_names)))
