"""A task: rows in two or three splits, their labels, and the metric that judges them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from gridsearch.canonical import fingerprint
from gridsearch.repetition import Division
from gridsearch.tasks.target import Target, target_of
from gridsearch.trial import PART

Kind = Literal["single", "pair"]
METRICS = ("accuracy", "f1_macro", "f1_micro", "f1_weighted", "f1_binary", "auc", "matthews", "log_loss")
OF_TWO_LABELS = ("f1_binary", "auc")
"""Metrics of one label against the other: undefined for three."""
BY_CONTRAST = (*OF_TWO_LABELS, "matthews")
"""Metrics that rows of one label cannot judge: undefined, 0 whatever is predicted, or perfect for a constant."""
POSITIVE = 1
"""Position of the positive one of two labels, where the task names none."""


@dataclass(frozen=True)
class Split:
    """Rows of one part of the data. ``pairs`` holds the second texts of a pair task; unlabelled rows have no labels."""

    texts: tuple[str, ...]
    labels: tuple[int, ...] | None
    pairs: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, positions: Iterable[int]) -> "Split":
        """Return the rows at these positions, in this order."""
        chosen = list(positions)
        return Split(
            tuple(self.texts[position] for position in chosen),
            None if self.labels is None else tuple(self.labels[position] for position in chosen),
            None if self.pairs is None else tuple(self.pairs[position] for position in chosen),
        )

    def followed_by(self, other: "Split") -> "Split":
        """Return these labelled rows and then those of another split of the same kind."""
        return Split(
            self.texts + other.texts,
            (self.labels or ()) + (other.labels or ()),
            None if self.pairs is None else self.pairs + (other.pairs or ()),
        )

    @property
    def turned(self) -> "Split":
        """The pairs with their second text first; single texts have no other order."""
        return self if self.pairs is None else replace(self, texts=self.pairs, pairs=self.texts)

    def without_rows(self) -> "Split":
        """Return the same with no row in it."""
        return self.take(())


@dataclass(frozen=True)
class Folds:
    """The fold of each row, by which it is judged; the runs of the other folds train on it."""

    division: Division
    of_rows: tuple[int, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Rows of each fold."""
        counts = Counter(self.of_rows)
        return tuple(counts[fold] for fold in range(self.division.n_folds))


@dataclass(frozen=True)
class Task:
    """The data of a study, read and checked. ``notes`` are sentences for the plan and the page (duplicates, say).

    ``positive`` is the position of the label that f1_binary is of, where there are two labels. ``corpus_files`` are
    further texts, a split for each file: a pretraining may read them, no trial does, so they change no outcome of one.

    Where ``folds`` divide the rows they are all in ``train``, and ``dev`` is empty: see :meth:`of_fold`.

    ``outside`` are pairs without labels of their own, a split for each file: trials whose knobs say so add them to
    their training rows, with a label that the knobs give them.

    ``ids``: each text is whole numbers, separated by spaces. ``token_counts`` say how often the tokens of an encoder's
    vocabulary occurred in what it was pretrained on. Both enter the identity of the encoder that reads the ids.
    """

    name: str
    kind: Kind
    metric: str
    label_names: tuple[str, ...]
    train: Split
    dev: Split
    test: Split | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)
    positive: int = POSITIVE
    corpus_files: tuple[Split, ...] = field(default=(), compare=False)
    outside: tuple[Split, ...] = field(default=(), compare=False)
    ids: bool = field(default=False, compare=False)
    token_counts: Mapping[str, int] = field(default_factory=dict, compare=False)
    folds: Folds | None = field(default=None, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that can change an outcome: every row of every split, the labels' order, the metric.

        The positive label is part of it only where it is another than by default: older fingerprints stay.
        """
        splits = [self.train, self.dev] + ([self.test] if self.test else [])
        told = [self.kind, self.metric, self.label_names, [[s.texts, s.pairs, s.labels] for s in splits]]
        return fingerprint(told if self.positive == POSITIVE else [*told, {"positive": self.positive}])

    @property
    def judged(self) -> Split:
        """The rows that results on dev are about: those of dev, or all rows where folds divide them."""
        return self.dev if self.folds is None else self.train

    @property
    def turned(self) -> "Task":
        """The task with the second text of each pair first."""
        test = None if self.test is None else self.test.turned
        return replace(self, train=self.train.turned, dev=self.dev.turned, test=test)

    def of_fold(self, fold: int) -> "Task":
        """Return what the runs of a fold train on and are judged by; without folds, the task itself."""
        if self.folds is None:
            return self
        if fold not in self._of_folds:
            place = [other == fold for other in self.folds.of_rows]
            train = self.train.take(row for row, is_judged in enumerate(place) if not is_judged)
            dev = self.train.take(row for row, is_judged in enumerate(place) if is_judged)
            self._of_folds[fold] = replace(self, train=train, dev=dev, folds=None)
        return self._of_folds[fold]

    @cached_property
    def _of_folds(self) -> dict[int, "Task"]:
        return {}

    @property
    def division(self) -> Division | None:
        """How rows are divided into folds; None where they are not."""
        return None if self.folds is None else self.folds.division

    @property
    def folds_of_rows(self) -> tuple[int, ...]:
        """The fold of each row; nothing where rows are not divided."""
        return () if self.folds is None else self.folds.of_rows

    @property
    def n_rows(self) -> dict[str, int]:
        """Rows by split; "dev" are those that judge."""
        return {"train": len(self.train), "dev": len(self.judged), "test": len(self.test) if self.test else 0}

    @property
    def parts(self) -> Mapping[str, "Task"]:
        """The tasks that a trial learns together, by name: a single task is the one part."""
        return {PART: self}

    @property
    def target(self) -> Target:
        """The number that a study of this task selects on."""
        return target_of(self.metric)

    @property
    def positive_label(self) -> str | None:
        """Name of the positive label; None where there are more than two."""
        return self.label_names[self.positive] if len(self.label_names) == 2 else None

    @property
    def metric_text(self) -> str:
        """The metric in words: f1_binary with the label that it is of."""
        return f"f1_binary of {self.positive_label!r}" if self.metric == "f1_binary" else self.metric

    @property
    def corpus(self) -> tuple[str, ...]:
        """Every training text and further one, second texts of pairs included: what an encoder may be made from."""
        splits = (self.train, *self.corpus_files)
        return tuple(text for split in splits for texts in (split.texts, split.pairs or ()) for text in texts)

    @cached_property
    def id_counts(self) -> Mapping[str, int]:
        """How often each id occurs in all texts that the task names, whatever their labels; empty where texts are text.

        Further files are among them, and outside pairs.
        """
        if not self.ids:
            return {}
        splits = [self.train, self.dev, *([self.test] if self.test else []), *self.corpus_files, *self.outside]
        texts = (text for split in splits for several in (split.texts, split.pairs or ()) for text in several)
        return Counter(word for text in texts for word in text.split())

    @cached_property
    def labels_held(self) -> dict[str, tuple[int, ...]]:
        """Positions of the labels that occur in dev and, where it is labelled, in test: what results are taken from."""
        splits = {"dev": self.judged, "test": self.test}
        return {name: tuple(sorted(set(split.labels))) for name, split in splits.items() if split and split.labels}

    @cached_property
    def label_counts(self) -> tuple[int, ...]:
        """Rows of each label in train, in the order of ``label_names``."""
        counts = Counter(self.train.labels or ())
        return tuple(counts[index] for index in range(len(self.label_names)))
