"""The pairs that are added to training pairs, and an account of all that could have been."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from gridsearch.canonical import fingerprint
from gridsearch.randomness import numpy_stream
from gridsearch.recipe.augmentation_knobs import Augmentation
from gridsearch.tasks.augmentation.closure import components_of, negatives_between, positives_within
from gridsearch.tasks.augmentation.numbered import EMPTY, Numbered, numbered
from gridsearch.tasks.task import Split, Task

SAMPLE_SEED = 0
"""Which of the pairs that follow stand for all of them is the same in every trial, as the pairs themselves are."""


@dataclass(frozen=True)
class AddedCounts:
    """What became of every pair that could be added.

    The training rows have ``given_positive`` and ``given_negative``. Of their texts, positive pairs join some to
    ``components`` (of two texts or more); the largest has ``largest_component``, and ``components_above_cap`` have more
    texts than the cap. ``follow_positive`` and ``follow_negative`` are the different pairs that follow from the others,
    and each of them is either given with the other label (``in_conflict``), or given as it is (``given_already``), or a
    row of dev or test (``judged``), or left out by the ratio (``beyond_ratio``), or added.

    Each of the ``outside`` pairs has an empty text (``outside_blank``), or holds a text of dev or test
    (``outside_judged``), or is there already (``outside_repeated``), or is added.
    """

    given_positive: int = 0
    given_negative: int = 0
    components: int = 0
    largest_component: int = 0
    components_above_cap: int = 0
    follow_positive: int = 0
    follow_negative: int = 0
    in_conflict: int = 0
    given_already: int = 0
    judged: int = 0
    beyond_ratio: int = 0
    added_positive: int = 0
    added_negative: int = 0
    outside: int = 0
    outside_blank: int = 0
    outside_judged: int = 0
    outside_repeated: int = 0
    outside_added: int = 0


@dataclass(frozen=True)
class Added:
    """Pairs that are added to training rows, never one of those: positive ones that follow, negative ones, outside."""

    split: Split
    counts: AddedCounts

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every pair that is added, with its label, in order."""
        return fingerprint([self.split.texts, self.split.pairs, self.split.labels])


def added_to(task: Task, augmentation: Augmentation) -> Added:
    """Return the pairs that are added to the training rows of a task, or of a fold of one."""
    judged = [task.dev, *([task.test] if task.test else [])]
    return added_rows(task.train, judged, task.outside, augmentation, task.positive)


def added_rows(
    train: Split, judged: Sequence[Split], outside: Sequence[Split], augmentation: Augmentation, positive: int
) -> Added:
    """Return the pairs that an augmentation adds to training pairs of two labels; to other rows it adds none.

    ``judged`` are the rows of dev and test: a pair of theirs is never built, and no outside pair holds a text of
    theirs. ``positive`` is the label that joins texts. Texts and pairs are compared as they read, in either order.
    """
    labels = np.asarray(train.labels or ())
    if train.pairs is None or labels.max(initial=0) > 1:
        return Added(Split((), (), None if train.pairs is None else ()), AddedCounts())
    pairs = numbered([train, *judged, *outside])
    given, others = pairs.splits[0], pairs.splits[1:]
    of_judged = np.concatenate([np.empty((0, 2), np.int64), *others[: len(judged)]])
    is_positive = labels == positive
    counts = AddedCounts(given_positive=int(is_positive.sum()), given_negative=int((~is_positive).sum()))
    built, counts = _built(pairs, given, is_positive, of_judged, augmentation, counts)
    split = Split((), (), ())
    for keys, label in zip(built, (positive, 1 - positive), strict=True):
        first, second = pairs.pairs(keys).T.tolist()
        texts, seconds = (tuple(pairs.wordings[text] for text in side) for side in (first, second))
        split = split.followed_by(Split(texts, (label,) * len(keys), seconds))
    if augmentation.outside_pairs != "none":
        known = np.concatenate([pairs.keys(given), *built])
        chosen, counts = _outside(pairs, others[len(judged) :], of_judged, known, counts)
        label = positive if augmentation.outside_pairs == "positive" else 1 - positive
        for one, rows in zip(outside, chosen, strict=True):
            split = split.followed_by(replace(one.take(rows), labels=(label,) * len(rows)))
    return Added(split, counts)


def _built(
    pairs: Numbered,
    given: np.ndarray,
    is_positive: np.ndarray,
    judged: np.ndarray,
    augmentation: Augmentation,
    counts: AddedCounts,
) -> tuple[tuple[np.ndarray, np.ndarray], AddedCounts]:
    """Return the keys of the positive and of the negative pairs that are built, each rising."""
    none = np.empty(0, np.int64)
    if augmentation.closure == "off":
        return (none, none), counts
    cap = augmentation.closure_cap
    components = components_of(given[is_positive], len(pairs.wordings))
    follow = [pairs.keys(positives_within(components, cap)), none]
    if augmentation.closure == "both":
        follow[1] = pairs.keys(negatives_between(components, given[~is_positive], cap))
    held = pairs.keys(given[is_positive]), pairs.keys(given[~is_positive])
    # A negative pair that follows is never given as positive: that would have made the two components one.
    in_conflict = [np.isin(keys, other) for keys, other in zip(follow, reversed(held), strict=True)]
    already = [np.isin(keys, own) & ~out for keys, own, out in zip(follow, held, in_conflict, strict=True)]
    new = [keys[~out & ~own] for keys, out, own in zip(follow, in_conflict, already, strict=True)]
    free = [np.sort(keys[~np.isin(keys, pairs.keys(judged))]) for keys in new]
    kept = free if augmentation.closure_ratio == "free" else _in_ratio(free, counts)
    sizes = components.sizes[components.sizes >= 2]
    return (kept[0], kept[1]), replace(
        counts,
        components=len(sizes),
        largest_component=int(sizes.max(initial=0)),
        components_above_cap=int((sizes > cap).sum()),
        follow_positive=len(follow[0]),
        follow_negative=len(follow[1]),
        in_conflict=sum(int(out.sum()) for out in in_conflict),
        given_already=sum(int(own.sum()) for own in already),
        judged=sum(map(len, new)) - sum(map(len, free)),
        beyond_ratio=sum(map(len, free)) - sum(map(len, kept)),
        added_positive=len(kept[0]),
        added_negative=len(kept[1]),
    )


def _in_ratio(built: Sequence[np.ndarray], counts: AddedCounts) -> list[np.ndarray]:
    """Leave out of one kind what is too many for the share of the training rows, up to half a pair."""
    given = counts.given_positive, counts.given_negative
    kept = list(built)
    for kind, other in ((0, 1), (1, 0)):
        if len(built[kind]) * given[other] > len(built[other]) * given[kind]:
            n_kept = (2 * len(built[other]) * given[kind] + given[other]) // (2 * given[other])
            drawn = numpy_stream(SAMPLE_SEED, "augmentation", "closure_ratio").random(len(built[kind]))
            kept[kind] = built[kind][np.sort(np.argsort(drawn, kind="stable")[:n_kept])]
    return kept


def _outside(
    pairs: Numbered, files: Sequence[np.ndarray], judged: np.ndarray, known: np.ndarray, counts: AddedCounts
) -> tuple[list[list[int]], AddedCounts]:
    """Return the rows of each outside file that are added; ``known`` are the keys of pairs that are there already."""
    rows = np.concatenate([np.empty((0, 2), np.int64), *files])
    is_blank = (rows == EMPTY).any(axis=1)
    is_judged = np.isin(rows, judged).any(axis=1) & ~is_blank
    keys, places = pairs.keys(rows), np.flatnonzero(~is_blank & ~is_judged)
    first = places[np.unique(keys[places], return_index=True)[1]]
    added = np.sort(first[~np.isin(keys[first], known)])
    starts = np.cumsum([0, *map(len, files)])
    chosen = [added[(added >= begin) & (added < end)] - begin for begin, end in pairwise(starts)]
    return [of_file.tolist() for of_file in chosen], replace(
        counts,
        outside=len(rows),
        outside_blank=int(is_blank.sum()),
        outside_judged=int(is_judged.sum()),
        outside_repeated=len(places) - len(added),
        outside_added=len(added),
    )
