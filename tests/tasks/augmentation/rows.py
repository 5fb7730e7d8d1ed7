"""Rows of pairs for tests of what is added to them; and what follows from them, told again by other means."""

from collections.abc import Iterable, Sequence
from itertools import combinations, product

from hypothesis import strategies as st

from gridsearch.tasks.reading import reading
from gridsearch.tasks.task import Split

Row = tuple[str, str, int]
Pair = tuple[str, ...]

WORDINGS = ["a", "A", " a", "b", "B", "b ", "c", "d", "D", "e", "f", "g", "h", "i", "j", "k", "", "\u200b"]
"""Some read alike, and two hold nothing to read."""
words = st.sampled_from(WORDINGS)
rows = st.lists(st.tuples(words, words, st.sampled_from([0, 1])), max_size=30)


def split_of(some: Iterable[Row]) -> Split:
    """Return pairs with their labels."""
    listed = list(some)
    return Split(*(tuple(row[column] for row in listed) for column in (0, 2, 1)))  # type: ignore[arg-type]


def rows_of(split: Split) -> list[Row]:
    return list(zip(split.texts, split.pairs or (), split.labels or (), strict=True))


def pair_of(text: str, other: str) -> Pair:
    """Return the two texts as they read, in one order."""
    return tuple(sorted((reading(text), reading(other))))


def pairs_of(some: Iterable[Row]) -> set[Pair]:
    return {pair_of(text, other) for text, other, _ in some}


def components(train: Sequence[Row], positive: int) -> list[frozenset[str]]:
    """Return the texts that positive pairs join, by joining sets one pair after another; others are alone."""
    readable = [(pair_of(text, other), label) for text, other, label in train if reading(text) and reading(other)]
    found = [frozenset([text]) for text in sorted({text for pair, _ in readable for text in pair})]
    for pair, label in readable:
        if label == positive:
            held = [one for one in found if one & set(pair)]
            found = [one for one in found if one not in held] + [frozenset().union(*held)]
    return found


def following(train: Sequence[Row], positive: int, cap: int, kinds: str) -> dict[Pair, int]:
    """Return every pair that follows from others, given ones among them, with its label."""
    if kinds == "off":
        return {}
    small = [one for one in components(train, positive) if len(one) <= cap]
    found = {pair: positive for one in small for pair in combinations(sorted(one), 2)}
    for text, other, label in train if kinds == "both" else ():
        sides = [one for read in pair_of(text, other) for one in small if read in one]
        if label != positive and len(sides) == 2 and sides[0] != sides[1]:
            found |= {pair_of(*both): 1 - positive for both in product(*sides)}
    return found
