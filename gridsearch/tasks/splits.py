"""Which rows train and which judge: duplicates, a share of the training rows as dev, a sample of them."""

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from gridsearch.errors import RequestError
from gridsearch.randomness import derived_seed
from gridsearch.tasks.reading import Reading, in_any_order, readings_of
from gridsearch.tasks.task import Split

SAME_TEXTS = "texts that differ only in case, accents, width or spacing count as the same"
SAME_PAIRS = f"{SAME_TEXTS}, and so does a pair in the other order"


def judge_duplicates(train: Split, others: Mapping[str, Split], drop: bool) -> tuple[Split, list[str]]:
    """Count the rows of train that stand in another split too, or twice in train, and leave them out if asked to.

    Texts are compared by what a tokenizer reads, and pairs in both orders. The first of several rows with the same text
    and label is kept. A text with two labels keeps both: which of them is right cannot be known here. (Whether one text
    follows from the other depends on their order, so a pair carries two labels only where it does in one order.)
    Rows of dev and test are never left out: they define the task.
    """
    in_order, labels = readings_of(train), _labels(train)
    rows = [in_any_order(row) for row in in_order]
    known = {name: [in_any_order(row) for row in readings_of(split)] for name, split in others.items()}
    repeated = _repeats(list(zip(rows, labels, strict=True)))
    shared = {name: _shared(rows, held) for name, held in known.items()}
    counts = [f"{len(found)} also in {name}" for name, found in shared.items() if found]
    counts += [f"{len(repeated)} repeated"] if repeated else []
    notes = []
    if drop and counts:
        out = repeated.union(*shared.values())
        notes.append(f"{len(out)} of {len(rows)} training rows left out as duplicates ({', '.join(counts)})")
        kept = [place for place in range(len(rows)) if place not in out]
        train, in_order, labels = train.take(kept), [in_order[place] for place in kept], [labels[p] for p in kept]
    elif counts:
        remedy = "drop_duplicates = true under [files] leaves them out"
        notes.append(f"duplicates among {len(rows)} training rows: {', '.join(counts)}; {remedy}")
    notes += _notes_on_others(known)
    if conflicts := _conflicts(in_order, labels):
        notes.append(f"{conflicts} training texts carry two labels or more; their rows are kept")
    if notes:
        notes.append(SAME_TEXTS if train.pairs is None else SAME_PAIRS)
    return train, notes


def share_out(train: Split, share: float, seed: int, strata: Sequence[int] | None = None) -> tuple[Split, Split]:
    """Split off a stratified share of the rows; return the rest and the share, each in the order of the file.

    ``strata`` are the groups of rows of which each gives its share; by default their labels.

    Rows that have a text in common (of a pair: either of the two) stay together, so that none is trained and judged on.

    Raises:
        RequestError: no row can be split off, or no row would be left.
    """
    labels = _labels(train) if strata is None else strata
    room = {label: min(max(1, round(count * share)), count - 1) for label, count in Counter(labels).items()}
    stream = random.Random(derived_seed(seed, "split", "dev"))
    chosen: set[int] = set()
    for group in sorted(connected_rows(train), key=lambda _: stream.random()):
        wanted = Counter(labels[position] for position in group)
        if all(room[label] >= count for label, count in wanted.items()):
            chosen.update(group)
            for label, count in wanted.items():
                room[label] -= count
    if not chosen:
        raise RequestError(
            f"dev = {share} must split off a row, but none of the {len(train)} can be: "
            "each label has a single row, or all rows hang together by common texts; give dev a file"
        )
    rest = (position for position in range(len(train)) if position not in chosen)
    return train.take(rest), train.take(sorted(chosen))


def sample_rows(train: Split, n_rows: int, seed: int, strata: Sequence[int] | None = None) -> Split:
    """Return a stratified sample in the order of the file: each label keeps its share of the rows, and at least one.

    ``strata`` are groups of rows in place of labels.

    Raises:
        RequestError: fewer rows are asked for than there are labels.
    """
    by_label = defaultdict(list)
    for position, label in enumerate(_labels(train) if strata is None else strata):
        by_label[label].append(position)
    if n_rows < len(by_label):
        what = "labels" if strata is None or strata == train.labels else "groups of rows that a sample draws from"
        raise RequestError(f"train_rows must be at least the number of {what}, {len(by_label)}; it is {n_rows}")
    if n_rows >= len(train):
        return train
    chosen: list[int] = []
    for label, quota in _quotas({label: len(rows) for label, rows in by_label.items()}, n_rows).items():
        stream = random.Random(derived_seed(seed, "split", "train_rows", label))
        chosen += sorted(by_label[label], key=lambda _: stream.random())[:quota]
    return train.take(sorted(chosen))


def _quotas(counts: Mapping[int, int], n_rows: int) -> dict[int, int]:
    """Share out rows in proportion (largest remainders), at least one to each label."""
    total = sum(counts.values())
    exact = {label: count * n_rows / total for label, count in counts.items()}
    quotas = {label: max(1, int(value)) for label, value in exact.items()}
    missing = n_rows - sum(quotas.values())
    step = 1 if missing > 0 else -1
    waiting: list[tuple[float, int]] = []

    def wait(label: int) -> None:
        if quotas[label] < counts[label] if step > 0 else quotas[label] > 1:
            heapq.heappush(waiting, (-step * (exact[label] - quotas[label]), label))

    for label in quotas:
        wait(label)
    for _ in range(abs(missing)):
        _, label = heapq.heappop(waiting)
        quotas[label] += step
        wait(label)
    return quotas


def _labels(split: Split) -> Sequence[int]:
    if split.labels is None:
        raise ValueError("training rows have labels")
    return split.labels


def _shared(rows: Sequence[Reading], others: Iterable[Reading]) -> set[int]:
    held = set(others)
    return {position for position, row in enumerate(rows) if row in held}


def _repeats(rows: Iterable[Hashable]) -> set[int]:
    seen: set[Hashable] = set()
    repeats = set()
    for position, row in enumerate(rows):
        if row in seen:
            repeats.add(position)
        seen.add(row)
    return repeats


def _conflicts(rows: Sequence[Reading], labels: Sequence[int]) -> int:
    labels_of = defaultdict(set)
    for row, label in zip(rows, labels, strict=True):
        labels_of[row].add(label)
    return sum(len(labels) > 1 for labels in labels_of.values())


def _notes_on_others(known: Mapping[str, Sequence[Reading]]) -> list[str]:
    found = _shared(known.get("dev", ()), known.get("test", ()))
    return [f"{len(found)} dev rows stand in test too; they are kept"] if found else []


def connected_rows(split: Split) -> list[list[int]]:
    """Return the connected components: rows that share a text, directly or over others.

    An empty text links no rows but those that hold nothing else: they are the same row.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_rows = len(split)
    numbers: dict[str, int] = {}
    links = [
        (position, n_rows + numbers.setdefault(text, len(numbers)))
        for position, row in enumerate(readings_of(split))
        for text in {*filter(None, row)} or {""}
    ]
    rows, texts = zip(*links, strict=True)
    n_nodes = n_rows + len(numbers)
    _, component = connected_components(coo_array(([1] * len(links), (rows, texts)), shape=(n_nodes, n_nodes)), False)
    groups = defaultdict(list)
    for position, number in enumerate(component[:n_rows].tolist()):
        groups[number].append(position)
    return list(groups.values())
