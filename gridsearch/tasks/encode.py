"""Tokenise a task once: flat arrays that any number of trials and workers can share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from gridsearch.recipe.augmentation_knobs import Augmentation, PairSwap
from gridsearch.recipe.evaluation_knobs import PredictionOrder
from gridsearch.recipe.trial_facts import Rows
from gridsearch.tasks.augmentation.added import added_to
from gridsearch.tasks.judging.codes import CLASSES, Codes
from gridsearch.tasks.judging.labelling import POSITIVE, Labelling, labelling_of
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Split
from gridsearch.trial import PART

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ROWS_AT_ONCE = 10_000
"""Rows that one call of the tokenizer gets: its answer is lists of Python numbers, ten times as large as the arrays."""
UNLABELLED = -1
"""The label of a row that has none, among others that have some."""
_TURNED: Final = " turned"
"""How the name of a split ends whose rows are those of another in the other order."""


@dataclass(frozen=True)
class EncodedSplit:
    """Rows of token ids, laid end to end: row i is ``ids[starts[i]:starts[i + 1]]``, special tokens included.

    ``types`` are the segment ids, or None where the tokenizer has none; ``labels`` is None for unlabelled rows.
    ``sides`` tells of a pair's tokens which text they are of, 1 or 2, and 0 of what the tokenizer put around the texts;
    ``shared`` marks those that the other text holds too (special ones never). Both are None for single texts.
    ``states`` are what frozen layers give for each token, (tokens, hidden width), where they are known. ``turned`` are
    the same rows with the two texts in the other order, where both orders are asked for.

    ``part_of_row``: the number of the part that each row is of, int8; None where there is one part. Labels are numbered
    within their part then, and are ``UNLABELLED`` in the rows of a part without any.
    """

    ids: np.ndarray
    types: np.ndarray | None
    starts: np.ndarray
    labels: np.ndarray | None
    sides: np.ndarray | None = None
    shared: np.ndarray | None = None
    states: np.ndarray | None = None
    turned: "EncodedSplit | None" = None
    part_of_row: np.ndarray | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row; of a few rows, ask :meth:`lengths_of`."""
        return np.diff(self.starts)

    def lengths_of(self, rows: np.ndarray) -> np.ndarray:
        """Tokens of some rows, in the order given; it costs what these rows are, not all."""
        lengths: np.ndarray = self.starts[rows + 1] - self.starts[rows]
        return lengths

    def __len__(self) -> int:
        return len(self.starts) - 1

    def tokens_of(self, rows: np.ndarray) -> np.ndarray:
        """Return where the tokens of some rows lie, row by row in the order given."""
        return laid_end_to_end(self.starts[rows], self.lengths_of(rows))

    def take(self, rows: np.ndarray) -> "EncodedSplit":
        """Copy some of the rows, in the order given."""
        tokens = self.tokens_of(rows)
        return EncodedSplit(
            ids=self.ids[tokens],
            types=None if self.types is None else self.types[tokens],
            sides=None if self.sides is None else self.sides[tokens],
            shared=None if self.shared is None else self.shared[tokens],
            states=None if self.states is None else self.states[tokens],
            starts=np.concatenate([[0], np.cumsum(self.lengths_of(rows))]).astype(np.int64),
            labels=None if self.labels is None else self.labels[rows],
            turned=None if self.turned is None else self.turned.take(rows),
            part_of_row=None if self.part_of_row is None else self.part_of_row[rows],
        )

    def followed_by(self, other: "EncodedSplit") -> "EncodedSplit":
        """Return these rows and then those of another split, which knows the same of its tokens."""
        return EncodedSplit(
            ids=np.concatenate([self.ids, other.ids]),
            types=_both(self.types, other.types),
            sides=_both(self.sides, other.sides),
            shared=_both(self.shared, other.shared),
            starts=np.concatenate([self.starts, self.starts[-1] + other.starts[1:]]),
            labels=_both(self.labels, other.labels),
            turned=None if self.turned is None or other.turned is None else self.turned.followed_by(other.turned),
            part_of_row=_both(self.part_of_row, other.part_of_row),
        )


class PartRows(NamedTuple):
    """Training rows of a part by their numbers; each pair is there again, turned, so many rows further on, if any."""

    rows: np.ndarray
    turned_after: int = 0


@dataclass(frozen=True)
class EncodedPart:
    """A part of a task, or all of a single one: which rows and labels are its own, and by which metric it is judged.

    Of a model's logits, its own are those of ``n_labels`` from ``first_label`` on. ``weight`` is its loss's given one.
    """

    name: str
    n_labels: int
    metric: str
    positive: int = POSITIVE
    is_pair: bool = False
    number: int = 0
    first_label: int = 0
    weight: float = 1.0
    codes: Codes = CLASSES
    own_metric: OwnMetric | None = None

    @property
    def labelling(self) -> Labelling:
        """What its labels are."""
        return labelling_of(self.codes.kind, self.n_labels, self.metric, self.positive, self.own_metric)

    @property
    def labels(self) -> slice:
        """Where its logits are."""
        return slice(self.first_label, self.first_label + self.n_labels)

    def rows_of(self, split: EncodedSplit) -> np.ndarray:
        """Return the numbers of its rows in a split."""
        return np.arange(len(split)) if split.part_of_row is None else np.flatnonzero(split.part_of_row == self.number)

    def codes_of(self, split: EncodedSplit) -> np.ndarray | None:
        """Return the labels of its rows as they are coded; None where they have none."""
        if split.labels is None or split.part_of_row is None:
            return split.labels
        labels: np.ndarray = split.labels[self.rows_of(split)]
        return None if (labels == UNLABELLED).all() else labels

    def labels_of(self, split: EncodedSplit) -> np.ndarray | None:
        """Return what its rows hold, as metrics are computed from it; None where they have no labels."""
        codes = self.codes_of(split)
        return None if codes is None else self.codes.truth(codes, self.n_labels)

    def of_logits(self, logits: np.ndarray, split: EncodedSplit) -> np.ndarray:
        """Return what logits of all rows and labels, (rows, labels), say of its own."""
        return logits if split.part_of_row is None else logits[self.rows_of(split), self.labels]


@dataclass(frozen=True)
class EncodedTask:
    """A task as one tokenizer sees it, cut to one longest length: the rows of all its parts, those of the first first.

    ``train_orders``: the training rows stand in so many orders, all of them in one and then all in the other.
    ``dev_rows`` are the numbers of the dev rows among those that are divided into folds; None where dev is the task's.
    ``n_own`` of the training rows, the first ones, are the task's own as they stand; None where all of them are.
    ``target`` is the number by which epochs are selected.
    """

    train: EncodedSplit
    dev: EncodedSplit
    test: EncodedSplit | None
    pad_id: int
    parts: tuple[EncodedPart, ...]
    target: Target
    dev_rows: np.ndarray | None = None
    train_orders: int = 1
    n_own: int | None = None

    @property
    def n_labels(self) -> int:
        """Labels of all parts together: the width of a model's logits."""
        return sum(part.n_labels for part in self.parts)

    @property
    def train_parts(self) -> list[PartRows]:
        """The training rows of each part, in the first order in which they stand."""
        n_rows = len(self.train) // self.train_orders
        found = []
        for part in self.parts:
            rows = part.rows_of(self.train)
            found.append(PartRows(rows[rows < n_rows], n_rows if self.train_orders > 1 and part.is_pair else 0))
        return found

    def rows_an_epoch(self, pair_swap: PairSwap) -> Rows:
        """Training rows that an epoch reads: in a random order, each pair in one of the two in which it is there."""
        sizes = tuple(
            len(one.rows) * (2 if one.turned_after and pair_swap != "random" else 1) for one in self.train_parts
        )
        return sizes if len(sizes) > 1 else sizes[0]

    @property
    def own_train(self) -> EncodedSplit:
        """The training rows without what an augmentation puts behind them."""
        return self.train if self.n_own is None else self.train.take(np.arange(self.n_own))

    @property
    def splits(self) -> dict[str, EncodedSplit]:
        """Train, dev and, where there is one, test, by these names; and what is turned of each, behind it."""
        found: dict[str, EncodedSplit | None] = {}
        for name, split in (("train", self.train), ("dev", self.dev), ("test", self.test)):
            found |= {name: split, name + _TURNED: None if split is None else split.turned}
        return {name: split for name, split in found.items() if split is not None}

    def with_splits(self, change: Callable[[str, EncodedSplit], EncodedSplit]) -> "EncodedTask":
        """Return the task with each of its :attr:`splits` changed, given its name."""

        def changed(name: str, split: EncodedSplit) -> EncodedSplit:
            turned = None if split.turned is None else change(name + _TURNED, split.turned)
            return replace(change(name, split), turned=turned)

        test = None if self.test is None else changed("test", self.test)
        return replace(self, train=changed("train", self.train), dev=changed("dev", self.dev), test=test)

    def with_turned(self, turned: "EncodedTask") -> "EncodedTask":
        """Return the task with each split's pairs in the other order, too, which are those of ``turned``."""
        test = None if self.test is None else replace(self.test, turned=turned.test)
        train, dev = replace(self.train, turned=turned.train), replace(self.dev, turned=turned.dev)
        return replace(self, train=train, dev=dev, test=test)

    def of_fold(self, folds: np.ndarray, fold: int) -> "EncodedTask":
        """Return what a fold's runs read, where all rows are in train: the fold's rows are dev, and train the others.

        ``folds`` has the fold of each row.
        """
        rows = np.flatnonzero(folds == fold)
        train, dev = self.train.take(np.flatnonzero(folds != fold)), self.train.take(rows)
        if self.train.part_of_row is not None:  # numbers within the part
            rows = rows - np.searchsorted(self.train.part_of_row, self.train.part_of_row[rows])
        return replace(self, train=train, dev=dev, dev_rows=rows)

    def with_added(self, added: EncodedSplit) -> "EncodedTask":
        """Return the task with these rows behind those of train."""
        return replace(self, train=self.train.followed_by(added), n_own=len(self.train))

    def in_orders(self, *, train: bool, judged: bool) -> "EncodedTask":
        """Keep both orders of pairs where they are read: of train, whose rows then stand in both, and of dev and test.

        Row i of n training rows is turned as row n + i.
        """
        trained, n_own = replace(self.train, turned=None), self.n_own
        if train:
            assert self.train.turned is not None, "a single text has no other order"
            trained, n_own = trained.followed_by(self.train.turned), n_own or len(self.train)
        dev = self.dev if judged else replace(self.dev, turned=None)
        test = self.test if judged or self.test is None else replace(self.test, turned=None)
        return replace(self, train=trained, dev=dev, test=test, train_orders=1 + train, n_own=n_own)


def _both(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    return None if one is None or other is None else np.concatenate([one, other])


def encode_task(
    task: AnyTask,
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    prediction_order: PredictionOrder = "as_is",
    pair_swap: PairSwap = "off",
    augmentation: Augmentation | None = None,
) -> EncodedTask:
    """Tokenise every split; pairs are joined as the tokenizer does, the longer text cut first.

    Those of dev and test are there in both orders where ``prediction_order`` says so, those of train where
    ``pair_swap`` does. Pairs that an ``augmentation`` adds stand behind those of train.
    """
    has_pairs = any(part.kind == "pair" for part in task.parts.values())
    judged, train = prediction_order == "both", pair_swap != "off"
    encoded = _as_they_stand(task, tokenizer, max_length)
    if has_pairs and (judged or train):
        encoded = encoded.with_turned(_as_they_stand(task.turned, tokenizer, max_length))
    if augmentation is not None and not isinstance(task, JointTask):
        rows = added_to(task, augmentation).split
        added = encode_added(rows, encoded.train, tokenizer, max_length)
        if encoded.train.turned is not None:
            turned = encode_added(rows.turned, encoded.train.turned, tokenizer, max_length)
            added = replace(added, turned=turned)
        encoded = encoded.with_added(added)
    return encoded.in_orders(train=train and has_pairs, judged=judged)


def encode_added(
    rows: Split, train: EncodedSplit, tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> EncodedSplit:
    """Tokenise pairs that are added to those of ``train``; there may be none."""
    return encode_split(rows, tokenizer, max_length) if len(rows) else replace(train, turned=None).take(np.arange(0))


def _as_they_stand(task: AnyTask, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> EncodedTask:
    if isinstance(task, JointTask):
        parts = {name: _as_they_stand(part, tokenizer, max_length) for name, part in task.parts.items()}
        return joined(parts, task.weights, task.target)
    train = encode_split(task.train, tokenizer, max_length)
    return EncodedTask(
        train=train,
        dev=encode_split(task.dev, tokenizer, max_length) if len(task.dev) else train.take(np.arange(0)),
        test=None if task.test is None else encode_split(task.test, tokenizer, max_length),
        pad_id=int(tokenizer.pad_token_id),
        parts=(
            EncodedPart(
                PART,
                len(task.label_names),
                task.metric,
                task.positive,
                task.kind == "pair",
                codes=task.codes,
                own_metric=task.own_metric,
            ),
        ),
        target=task.target,
    )


def joined(tasks: Mapping[str, EncodedTask], weights: Mapping[str, float], target: Target) -> EncodedTask:
    """Put the parts of a task together: their rows one after the other, their labels side by side."""
    parts: list[EncodedPart] = []
    for number, (name, task) in enumerate(tasks.items()):
        first_label = sum(part.n_labels for part in parts)
        parts.append(replace(task.parts[0], name=name, number=number, first_label=first_label, weight=weights[name]))
    has_pairs = any(part.is_pair for part in parts)
    train, dev, test = (
        _joined_split([getattr(task, name) for task in tasks.values()], has_sides=has_pairs)
        for name in ("train", "dev", "test")
    )
    assert train is not None, "every part has training rows"
    assert dev is not None, "and dev, be it without rows"
    return EncodedTask(train, dev, test, next(iter(tasks.values())).pad_id, tuple(parts), target)


def _joined_split(splits: Sequence[EncodedSplit | None], *, has_sides: bool) -> EncodedSplit | None:
    """Put the rows of parts together; None where no part has any of this split."""
    there = [(number, split) for number, split in enumerate(splits) if split is not None]
    named = [_of_part(number, split, has_sides=has_sides) for number, split in there]
    return reduce(EncodedSplit.followed_by, named) if named else None


def _of_part(number: int, split: EncodedSplit, *, has_sides: bool) -> EncodedSplit:
    """Say of which part rows are, and what is known of some part's rows or tokens: of these, that it is nothing."""
    n_rows, nothing = len(split), np.zeros(len(split.ids), dtype=np.int8)
    return replace(
        split,
        labels=np.full(n_rows, UNLABELLED, dtype=np.int64) if split.labels is None else split.labels,
        sides=nothing if has_sides and split.sides is None else split.sides,
        shared=nothing if has_sides and split.shared is None else split.shared,
        part_of_row=np.full(n_rows, number, dtype=np.int8),
    )


def part_alone(task: EncodedTask, part: EncodedPart) -> EncodedTask:
    """Return the task that a part is by itself."""
    numbers = {name: part.rows_of(split) for name, split in task.splits.items()}

    def alone(name: str, split: EncodedSplit) -> EncodedSplit:
        own = replace(split, turned=None).take(numbers[name])
        own = own if part.is_pair else replace(own, sides=None, shared=None)
        return replace(own, labels=part.codes_of(split), part_of_row=None)

    taken = task.with_splits(alone)
    test = None if taken.test is None or not len(taken.test) else taken.test
    train = taken.train
    if task.train_orders > 1 and not part.is_pair:  # a single text is there twice, and has one order
        train = train.take(np.arange(len(train) // task.train_orders))
    return replace(
        taken,
        train=train,
        test=test,
        parts=(replace(part, number=0, first_label=0),),
        target=Target(((part.name, part.metric),)),
        dev_rows=None if task.dev_rows is None else task.dev_rows[part.rows_of(task.dev)],
        train_orders=task.train_orders if part.is_pair else 1,
        n_own=None if task.n_own is None else int((numbers["train"] < task.n_own).sum()),
    )


def _encode_turned(split: Split, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> EncodedSplit | None:
    """Tokenise pairs with their second text first; a single text has no other order."""
    return None if split.pairs is None else encode_split(split.turned, tokenizer, max_length)


def encode_split(
    split: Split, tokenizer: "PreTrainedTokenizerBase", max_length: int, prediction_order: PredictionOrder = "as_is"
) -> EncodedSplit:
    """Tokenise one split; its pairs in both orders where ``prediction_order`` says so."""
    flat, starts = tokenised(split, tokenizer, max_length, return_special_tokens_mask=split.pairs is not None)
    ids, types = flat["input_ids"], flat.get("token_type_ids")
    sides = shared = None
    if split.pairs is not None:
        sides = sides_of(flat["special_tokens_mask"].astype(np.bool_), starts)
        shared = shared_tokens(ids, sides, starts)
        # Two unknown words need not be the same one; nor is a "[SEP]" that somebody wrote a word.
        shared[np.isin(ids, tokenizer.all_special_ids)] = 0
    return EncodedSplit(
        ids=ids,
        types=None if types is None else types.astype(np.int8),
        starts=starts,
        labels=None if split.labels is None else np.asarray(split.labels, dtype=np.int64),
        sides=sides,
        shared=shared,
        turned=_encode_turned(split, tokenizer, max_length) if prediction_order == "both" else None,
    )


def laid_end_to_end(begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the positions of stretches, each of which begins somewhere and has a length, one after the other."""
    ends = np.cumsum(lengths)
    positions: np.ndarray = np.repeat(begins - (ends - lengths), lengths) + np.arange(lengths.sum())
    return positions


def tokenised(
    split: Split, tokenizer: "PreTrainedTokenizerBase", max_length: int, **wishes: bool
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return what the tokenizer gives, by its name for it, laid end to end; and where each row starts.

    ``wishes`` are further arguments of the tokenizer, such as ``return_special_tokens_mask``.
    """
    parts: dict[str, list[np.ndarray]] = {}
    lengths: list[int] = []
    for start in range(0, len(split), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        encoded = tokenizer(
            list(split.texts[rows]),
            None if split.pairs is None else list(split.pairs[rows]),
            truncation="longest_first",
            max_length=max_length,
            return_attention_mask=False,
            **wishes,
        )
        lengths += map(len, encoded["input_ids"])
        for name, of_rows in encoded.items():
            parts.setdefault(name, []).append(np.fromiter(chain.from_iterable(of_rows), dtype=np.int32))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}, starts


def sides_of(is_special: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Tell which text of its pair each token is of: int8, 1 or 2, and 0 for special ones. Laid end to end.

    ``is_special`` tells what the tokenizer put around the texts. These tokens tell the texts apart, because not every
    tokenizer gives segment ids: fewest of them stand before a first text. (Where all first texts are empty there is
    nothing to tell the second ones by, and they count as first.)
    """
    n_before = np.concatenate([[0], np.cumsum(is_special)])
    n_in_row = n_before[1:] - np.repeat(n_before[starts[:-1]], np.diff(starts))
    of_texts = n_in_row[~is_special]
    sides = np.zeros(len(is_special), dtype=np.int8)
    sides[~is_special] = np.where(of_texts == of_texts.min(initial=len(is_special)), 1, 2)
    return sides


def shared_tokens(ids: np.ndarray, sides: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Mark tokens that the other text of their pair holds too, on what is left of both after cutting: int8, 0 or 1.

    All arrays are laid end to end; ``sides`` as :func:`sides_of` gives them.
    """
    row = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    token_of_row = row * (int(ids.max(initial=0)) + 1) + ids
    first, second = sides == 1, sides == 2
    shared = np.zeros(len(ids), dtype=np.int8)
    shared[first] = np.isin(token_of_row[first], token_of_row[second])
    shared[second] = np.isin(token_of_row[second], token_of_row[first])
    return shared
