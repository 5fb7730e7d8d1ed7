"""What is added to training pairs: what follows from them, and pairs from outside; and nothing that is judged."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.recipe.augmentation_knobs import Augmentation, augmentation_of
from gridsearch.repetition import Division
from gridsearch.tasks.augmentation.added import Added, AddedCounts, added_rows, added_to
from gridsearch.tasks.reading import reading
from gridsearch.tasks.splits import connected_rows
from gridsearch.tasks.task import Folds, Split, Task
from gridsearch.tasks.taskfile import load_task
from search_spaces import find_task
from tests.fixtures_core import recipe_of
from tests.tasks.augmentation.rows import Row, components, following, pair_of, pairs_of, rows, rows_of, split_of, words

BOTH, POSITIVES = Augmentation("both"), Augmentation("positives")
augmentations = st.builds(
    Augmentation,
    st.sampled_from(["off", "positives", "both"]),
    st.integers(2, 6),
    st.sampled_from(["free", "kept"]),
    st.sampled_from(["none", "positive", "negative"]),
)
pairs = st.lists(st.tuples(words, words), max_size=12)


def unlabelled(some: list[tuple[str, str]]) -> Split:
    return Split(tuple(text for text, _ in some), None, tuple(other for _, other in some))


def added(
    train: list[Row],
    augmentation: Augmentation = BOTH,
    judged: list[Row] | None = None,
    outside: list[tuple[str, str]] | None = None,
    positive: int = 1,
) -> Added:
    """Add to rows: those that are judged, and those outside, lie in two files each."""
    judges = [split_of((judged or [])[::2]), split_of((judged or [])[1::2])]
    half = len(outside or []) // 2
    files = [unlabelled((outside or [])[:half]), unlabelled((outside or [])[half:])]
    return added_rows(split_of(train), judges, files, augmentation, positive)


# --- on random graphs


@pytest.mark.slow  # many pairs, drawn at random
@given(rows, rows, augmentations, pairs, st.sampled_from([0, 1]))
def test_what_is_added_is_what_follows_and_is_neither_given_nor_judged(
    train: list[Row], judged: list[Row], augmentation: Augmentation, outside: list[tuple[str, str]], positive: int
) -> None:
    found = added(train, augmentation, judged, outside, positive)
    counts, new = found.counts, rows_of(found.split)
    built = new[: len(new) - counts.outside_added]
    follow = following(train, positive, augmentation.closure_cap, augmentation.closure)
    given_as = {(pair_of(text, other), label) for text, other, label in train}
    expected = {pair: label for pair, label in follow.items() if pair not in pairs_of([*train, *judged])}
    told = {pair_of(text, other): label for text, other, label in built}
    assert len(told) == len(built), "none is there twice"
    assert told.items() <= expected.items()
    if augmentation.closure_ratio == "free":
        assert told == expected
    assert Counter(follow.values()) == Counter({positive: counts.follow_positive, 1 - positive: counts.follow_negative})
    assert counts.in_conflict == sum((pair, 1 - label) in given_as for pair, label in follow.items())
    assert counts.judged == sum(pair not in pairs_of(train) and pair not in expected for pair in follow)
    assert Counter(told.values()) == Counter({positive: counts.added_positive, 1 - positive: counts.added_negative})


@given(rows, rows, augmentations, pairs)
def test_every_pair_is_counted_once(
    train: list[Row], judged: list[Row], augmentation: Augmentation, outside: list[tuple[str, str]]
) -> None:
    found = added(train, augmentation, judged, outside)
    counts = found.counts
    n_added = counts.added_positive + counts.added_negative
    left_out = counts.in_conflict + counts.given_already + counts.judged + counts.beyond_ratio
    assert counts.follow_positive + counts.follow_negative == left_out + n_added
    left_out = counts.outside_blank + counts.outside_judged + counts.outside_repeated
    assert counts.outside == left_out + counts.outside_added
    assert counts.outside == (0 if augmentation.outside_pairs == "none" else len(outside))
    assert len(found.split) == len(found.split.pairs or ()) == n_added + counts.outside_added
    assert counts.given_positive + counts.given_negative == len(train)
    assert all(type(count) is int for count in asdict(counts).values())
    found_again = components(train, 1) if augmentation.closure != "off" else []
    sizes = [len(one) for one in found_again if len(one) > 1]
    assert (counts.components, counts.largest_component) == (len(sizes), max(sizes, default=0))
    assert counts.components_above_cap == sum(size > augmentation.closure_cap for size in sizes)


@given(rows, rows, augmentations, pairs)
def test_nothing_that_is_judged_is_added(
    train: list[Row], judged: list[Row], augmentation: Augmentation, outside: list[tuple[str, str]]
) -> None:
    found = added(train, augmentation, judged, outside)
    new, n_built = rows_of(found.split), len(found.split) - found.counts.outside_added
    assert pairs_of(new) & pairs_of([*train, *judged]) == set()
    assert len(pairs_of(new)) == len(new)
    seen = {reading(text) for row in judged for text in row[:2]}
    assert all(reading(text) not in seen for row in new[n_built:] for text in row[:2])
    assert all(reading(text) for row in new for text in row[:2])


@given(rows, augmentations, pairs)
def test_what_is_added_does_not_depend_on_how_rows_are_divided_into_files(
    train: list[Row], augmentation: Augmentation, outside: list[tuple[str, str]]
) -> None:
    apart = added_rows(split_of(train), [], [unlabelled([pair]) for pair in outside], augmentation, 1)
    assert apart == added_rows(split_of(train), [], [unlabelled(outside)], augmentation, 1)


@given(rows.filter(len), st.integers(0, 1), augmentations, pairs)
def test_no_text_of_a_fold_that_judges_is_in_what_is_added(
    train: list[Row], fold: int, augmentation: Augmentation, outside: list[tuple[str, str]]
) -> None:
    """Rows with a text in common are in one fold, so what follows from the others holds none of its texts."""
    places = [0] * len(train)
    for number, group in enumerate(connected_rows(split_of(train))):
        for row in group:
            places[row] = number % 2
    task = Task("pairs", "pair", "accuracy", ("no", "yes"), split_of(train), split_of([]))
    folded = replace(task, outside=(unlabelled(outside),), folds=Folds(Division(2), tuple(places)))
    new = rows_of(added_to(folded.of_fold(fold), augmentation).split)
    judged = {reading(text) for row, place in zip(train, places, strict=True) if place == fold for text in row[:2]}
    assert judged.isdisjoint(reading(text) for row in new for text in row[:2])


@pytest.mark.slow  # many pairs, drawn at random
@given(rows)
def test_what_follows_from_all_that_is_there_is_there_already(train: list[Row]) -> None:
    """Closure is closed: nothing follows from what was added to it, but for what conflicts keep out."""
    found = added(train)
    again = added(train + rows_of(found.split))
    assert len(again.split) == 0


@given(rows)
def test_the_share_is_kept_up_to_half_a_pair(train: list[Row]) -> None:
    free, kept = added(train).counts, added(train, Augmentation("both", closure_ratio="kept")).counts
    of_given = (kept.given_positive, kept.given_negative)
    of_free, of_added = (free.added_positive, free.added_negative), (kept.added_positive, kept.added_negative)
    assert any(now == before for now, before in zip(of_added, of_free, strict=True)), "one kind is added as it is"
    for kind, other in ((0, 1), (1, 0)):
        if of_added[kind] < of_free[kind]:
            assert abs(of_added[kind] - of_added[other] * of_given[kind] / of_given[other]) <= 0.5


# --- by example


def test_a_chain_is_closed() -> None:
    found = added([("a", "b", 1), ("c", "b", 1), ("c", "d", 1)])
    assert rows_of(found.split) == [("a", "c", 1), ("a", "d", 1), ("b", "d", 1)]


def test_a_negative_pair_parts_two_components() -> None:
    train = [("a", "b", 1), ("c", "d", 1), ("b", "c", 0), ("e", "a", 0)]
    assert rows_of(added(train, POSITIVES).split) == []
    assert rows_of(added(train).split) == [("a", "c", 0), ("a", "d", 0), ("b", "d", 0), ("b", "e", 0)]


def test_two_texts_alone_make_no_other_pair() -> None:
    assert added([("a", "b", 0), ("c", "d", 1)]).split == Split((), (), ())


def test_texts_that_read_alike_are_one_and_the_first_wording_is_taken() -> None:
    found = added([("Ａ!", "b", 1), ("B ", "c", 1), ("a !", "d", 1)])
    assert rows_of(found.split) == [("Ａ!", "c", 1), ("b", "d", 1), ("c", "d", 1)]


def test_the_other_label_may_be_the_positive_one() -> None:
    found = added([("a", "b", 0), ("b", "c", 0), ("c", "d", 1)], positive=0)
    assert rows_of(found.split) == [("a", "c", 0), ("a", "d", 1), ("b", "d", 1)]


def test_a_negative_pair_within_a_component_stays_as_it_is() -> None:
    found = added([("a", "b", 1), ("b", "c", 1), ("c", "d", 1), ("c", "a", 0)])
    assert rows_of(found.split) == [("a", "d", 1), ("b", "d", 1)]
    assert found.counts.in_conflict == 1


def test_an_empty_text_joins_nothing() -> None:
    assert len(added([("a", "", 1), ("", "b", 1), ("\u200b", "c", 0), ("a", "a", 1)]).split) == 0


@pytest.mark.parametrize(("cap", "n_added"), [(4, 3), (3, 0)])
def test_a_component_above_the_cap_is_left_alone(cap: int, n_added: int) -> None:
    """No pair is built in it, nor between it and another."""
    train = [("a", "b", 1), ("b", "c", 1), ("c", "d", 1), ("x", "y", 1), ("a", "x", 0)]
    counts = added(train, Augmentation("both", cap)).counts
    assert (counts.added_positive, counts.added_negative) == (n_added, 7 if n_added else 0)
    assert (counts.components, counts.largest_component, counts.components_above_cap) == (2, 4, int(cap < 4))


@pytest.mark.parametrize("row", [("a", "c", 1), ("C ", "A", 0)])
def test_a_planted_pair_is_not_built(row: Row) -> None:
    """It follows from the training rows, stands in dev in another order, and has there whatever label."""
    train: list[Row] = [("a", "b", 1), ("b", "c", 1), ("c", "d", 0)]
    found = added(train, judged=[row])
    assert rows_of(found.split) == [("a", "d", 0), ("b", "d", 0)]
    assert found.counts.judged == 1


def test_a_planted_component_is_not_built() -> None:
    """All pairs of its texts that do not train are judged."""
    train: list[Row] = [("a", "b", 1), ("b", "c", 1), ("c", "d", 1)]
    planted: list[Row] = [("a", "c", 1), ("d", "a", 1), ("d", "b", 1)]
    found = added(train, judged=planted)
    assert len(found.split) == 0
    assert (found.counts.follow_positive, found.counts.judged, found.counts.given_already) == (6, 3, 3)


def test_outside_pairs_are_added_with_the_label_that_is_asked_for() -> None:
    outside = [("p", "q"), ("Q", "p"), ("b", "a"), ("", "r"), ("r", "z"), ("a", "r"), ("a", "c")]
    train: list[Row] = [("a", "b", 0), ("c", "d", 1)]
    for label, word in enumerate(("negative", "positive")):
        found = added(train, Augmentation(outside_pairs=word), [("Z", "y", 0)], outside)  # type: ignore[arg-type]
        assert rows_of(found.split) == [("p", "q", label), ("a", "r", label), ("a", "c", label)]
    told = {name: count for name, count in asdict(found.counts).items() if name.startswith("outside")}
    assert told == {
        "outside": 7,
        "outside_blank": 1,
        "outside_judged": 1,
        "outside_repeated": 2,
        "outside_added": 3,
    }


def test_an_outside_pair_never_contradicts_one_that_is_built() -> None:
    found = added([("a", "b", 1), ("b", "c", 1)], Augmentation("both", outside_pairs="negative"), [], [("c", "a")])
    assert rows_of(found.split) == [("a", "c", 1)]
    assert found.counts.outside_repeated == 1


@pytest.mark.parametrize("train", [Split(("a", "b"), (0, 1)), Split(("a", "b", "c"), (0, 1, 2), ("b", "c", "d"))])
def test_nothing_is_added_to_single_texts_nor_to_pairs_of_three_labels(train: Split) -> None:
    found = added_rows(train, [], [], Augmentation("both", outside_pairs="positive"), 1)
    assert (len(found.split), found.counts) == (0, AddedCounts())


# --- the knobs that say it


def test_recipes_that_add_the_same_say_the_same() -> None:
    assert augmentation_of(recipe_of()) is None
    assert augmentation_of(recipe_of(closure_cap=3, closure_ratio="kept")) is None
    assert augmentation_of(recipe_of(closure_cap=3, outside_pairs="positive")) == Augmentation(outside_pairs="positive")
    assert augmentation_of(recipe_of(closure="both", closure_cap=3, closure_ratio="kept")) == Augmentation(
        "both", 3, "kept"
    )


# --- the same in every process

SCRIPT = """
import json
from tests.tasks.augmentation.rows import split_of
from gridsearch.recipe.augmentation_knobs import Augmentation
from gridsearch.tasks.augmentation.added import added_rows
rows = [(f"t{i % 40}", f"t{(i * 7 + i // 40) % 60}", int(i % 3 > 0)) for i in range(90)]
one = added_rows(split_of(rows[:60]), [split_of(rows[60:])], [split_of(rows[70:])],
                 Augmentation("both", 30, "kept", "negative"), 1)
print(json.dumps([one.split.texts, one.split.pairs, one.split.labels]))
"""


@pytest.mark.slow  # starts processes
def test_what_is_added_is_the_same_whatever_the_seed_of_hashes() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(json.loads(told[0])[0]) > 20


# --- real pairs


@pytest.mark.slow  # 3 s
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # All labelled pairs of OPPO are in its one file, of which a task makes dev.
        (
            "oppo",
            AddedCounts(
                given_positive=3037,
                given_negative=6963,
                components=2869,
                largest_component=5,
                follow_positive=3224,
                follow_negative=7242,
                given_already=9996,
                added_positive=190,
                added_negative=280,
            ),
        ),
        (
            "afqmc",
            AddedCounts(
                given_positive=10573,
                given_negative=23761,
                components=10424,
                largest_component=17,
                components_above_cap=1,
                follow_positive=10715,
                follow_negative=24274,
                given_already=34304,
                added_positive=159,
                added_negative=526,
            ),
        ),
    ],
)
def test_what_follows_from_published_pairs(name: str, expected: AddedCounts, shared_data: Path) -> None:
    """None of it stands in dev or test, and none is given with two labels."""
    task = load_task(find_task(name), shared_data)
    train, judged = task.train, [task.dev, *([task.test] if task.test else [])]
    if name == "oppo":
        train, judged = split_of([*rows_of(task.train), *rows_of(task.dev)]), []
    counts = added_rows(train, judged, [], BOTH, task.positive).counts
    assert counts == expected
