"""A task: rows in two or three splits, their labels, and the metric that judges them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Literal

from gridsearch.canonical import fingerprint
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.repetition import Division
from gridsearch.tasks.judging.codes import CLASSES, Codes
from gridsearch.tasks.judging.labelling import POSITIVE, Labelling, labelling_of
from gridsearch.tasks.target import Target, target_of
from gridsearch.trial import PART

if TYPE_CHECKING:
    import numpy as np

    from gridsearch.tasks.judging.own_metric import OwnMetric

Kind = Literal["single", "pair"]
"""What the texts of a row are."""


@dataclass(frozen=True)
class Split:
    """Rows of one part of the data. ``pairs`` holds the second texts of a pair task; unlabelled rows have no labels.

    A label is the position of a class, or else a code: see `gridsearch.tasks.judging.codes`.
    """

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

    ``codes`` say what the labels of rows stand for, where these are not one class a row; ``label_separator`` stands
    between several labels of one cell, and ``empty_is_none`` says that an empty cell is a row without any. ``positive``
    is the position of the label that f1_binary is of, where there are two classes. ``corpus_files`` are further texts,
    a split for each file: a pretraining may read them, no trial does, so they change no outcome of one.

    Where ``folds`` divide the rows they are all in ``train``, and ``dev`` is empty: see :meth:`of_fold`.

    ``outside`` are pairs without labels of their own, a split for each file: trials whose knobs say so add them to
    their training rows, with a label that the knobs give them.

    ``ids``: each text is whole numbers, separated by spaces. ``token_counts`` say how often the tokens of an encoder's
    vocabulary occurred in what it was pretrained on. Both enter the identity of the encoder that reads the ids.

    ``own_metric`` is the metric, where it is a function of the user's own: see `gridsearch.tasks.judging.with_metric`.
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
    codes: Codes = CLASSES
    label_separator: str | None = field(default=None, compare=False)
    empty_is_none: bool = field(default=False, compare=False)
    own_metric: "OwnMetric | None" = field(default=None, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that can change an outcome: every row of every split, the labels' order, the metric.

        The positive label is part of it only where it is another than by default, and so are codes, and what is known
        of a function of the user's own: older fingerprints stay.
        """
        splits = [self.train, self.dev] + ([self.test] if self.test else [])
        told = [self.kind, self.metric, self.label_names, [[s.texts, s.pairs, s.labels] for s in splits]]
        further: dict[str, object] = {} if self.positive == POSITIVE else {"positive": self.positive}
        if self.labels_are != "class":
            further[self.labels_are] = self.codes.combinations or self.codes.scores
        if (own := self.own_metric) is not None:
            further["own_metric"] = [own.name, own.version, own.source]
        return fingerprint([*told, further] if further else told)

    @property
    def labels_are(self) -> LabelKind:
        """What the labels are: one class a row, several labels, or a number."""
        return self.codes.kind

    @property
    def labelling(self) -> Labelling:
        """What the labels are, and what a model says of a row."""
        return labelling_of(self.labels_are, len(self.label_names), self.metric, self.positive, self.own_metric)

    def truth(self, split: Split) -> "np.ndarray | None":
        """Return what the rows of a split hold, as metrics are computed from it; None where they are unlabelled."""
        return None if split.labels is None else self.codes.truth(split.labels, len(self.label_names))

    @cached_property
    def strata(self) -> tuple[int, ...]:
        """The group of each training row, for samples to be alike."""
        return self.codes.strata(self.train.labels or ())

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
        """Name of the positive one of two classes; None where there are more, or no classes."""
        return self.label_names[self.positive] if len(self.label_names) == 2 and self.labels_are == "class" else None

    @property
    def metric_text(self) -> str:
        """The metric in words: f1_binary and average_precision with the label that they are of."""
        is_of_one = self.metric in ("f1_binary", "average_precision") and self.positive_label is not None
        return f"{self.metric} of {self.positive_label!r}" if is_of_one else self.metric

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
        """Positions of the labels that occur in dev and, where it is labelled, in test: what results are taken from.

        Of a task of numbers it is empty.
        """
        splits = {"dev": self.judged, "test": self.test}
        there = {name: split for name, split in splits.items() if split and split.labels}
        if self.labels_are == "score":
            return {}
        return {name: tuple(sorted(self._label_counts(split))) for name, split in there.items()}

    @cached_property
    def label_counts(self) -> tuple[int, ...]:
        """Rows of each label in train, in the order of ``label_names``; of a task of numbers, all its rows."""
        if self.labels_are == "score":
            return (len(self.train),)
        counts = self._label_counts(self.train)
        return tuple(counts[index] for index in range(len(self.label_names)))

    def _label_counts(self, split: Split) -> Counter[int]:
        if not self.codes.combinations:
            return Counter(split.labels or ())
        return Counter(chain.from_iterable(self.codes.combinations[code] for code in split.labels or ()))
