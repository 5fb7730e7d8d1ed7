"""Which rows train and which judge: duplicates, a share of the training rows as dev, a sample of them."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gridsearch.errors import RequestError
from gridsearch.randomness import derived_seed
from gridsearch.tasks.task import Split

Key = tuple[str, str | None]


def take(split: Split, positions: Iterable[int]) -> Split:
    """Return the rows at these positions, in this order."""
    chosen = list(positions)
    return Split(
        tuple(split.texts[position] for position in chosen),
        None if split.labels is None else tuple(split.labels[position] for position in chosen),
        None if split.pairs is None else tuple(split.pairs[position] for position in chosen),
    )


def keys_of(split: Split) -> list[Key]:
    """Return what makes two rows the same: the text, or the text and its pair in this order."""
    return list(zip(split.texts, split.pairs or [None] * len(split), strict=True))


def judge_duplicates(train: Split, others: Mapping[str, Split], drop: bool) -> tuple[Split, list[str]]:
    """Count the rows of train that stand in another split too, or twice in train, and leave them out if asked to.

    The first of several rows with the same text and label is kept. A text with two labels keeps both: which of them
    is right cannot be known here. Rows of dev and test are never left out: they define the task.
    """
    keys, labels = keys_of(train), _labels(train)
    repeated = _repeats(list(zip(keys, labels, strict=True)))
    shared = {name: _shared(keys, split) for name, split in others.items()}
    notes = _notes_on_others(others)
    counts = [f"{len(found)} also in {name}" for name, found in shared.items() if found]
    counts += [f"{len(repeated)} repeated"] if repeated else []
    if drop and counts:
        out = repeated.union(*shared.values())
        train = take(train, (position for position in range(len(keys)) if position not in out))
        notes.insert(0, f"{len(out)} of {len(keys)} training rows left out as duplicates ({', '.join(counts)})")
    elif counts:
        remedy = "drop_duplicates = true under [files] leaves them out"
        notes.insert(0, f"duplicates among {len(keys)} training rows: {', '.join(counts)}; {remedy}")
    if conflicts := _conflicts(train):
        notes.append(f"{conflicts} training texts carry two labels or more; their rows are kept")
    return train, notes


def share_out(train: Split, share: float, seed: int) -> tuple[Split, Split]:
    """Split off a stratified share of the rows; return the rest and the share, each in the order of the file.

    Rows that have a text in common (of a pair: either of the two) stay together, so that none is trained and judged on.

    Raises:
        RequestError: no row can be split off, or no row would be left.
    """
    labels = _labels(train)
    room = {label: min(max(1, round(count * share)), count - 1) for label, count in Counter(labels).items()}
    stream = random.Random(derived_seed(seed, "split", "dev"))
    chosen: set[int] = set()
    for group in sorted(_groups(train), key=lambda _: stream.random()):
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
    return take(train, rest), take(train, sorted(chosen))


def sample_rows(train: Split, n_rows: int, seed: int) -> Split:
    """Return a stratified sample in the order of the file: each label keeps its share of the rows, and at least one.

    Raises:
        RequestError: fewer rows are asked for than there are labels.
    """
    by_label = defaultdict(list)
    for position, label in enumerate(_labels(train)):
        by_label[label].append(position)
    if n_rows < len(by_label):
        raise RequestError(f"train_rows must be at least the number of labels, {len(by_label)}; it is {n_rows}")
    if n_rows >= len(train):
        return train
    chosen: list[int] = []
    for label, quota in _quotas({label: len(rows) for label, rows in by_label.items()}, n_rows).items():
        stream = random.Random(derived_seed(seed, "split", "train_rows", label))
        chosen += sorted(by_label[label], key=lambda _: stream.random())[:quota]
    return take(train, sorted(chosen))


def _quotas(counts: Mapping[int, int], n_rows: int) -> dict[int, int]:
    """Share out rows in proportion (largest remainders), at least one to each label."""
    total = sum(counts.values())
    exact = {label: count * n_rows / total for label, count in counts.items()}
    quotas = {label: max(1, int(value)) for label, value in exact.items()}
    while (missing := n_rows - sum(quotas.values())) != 0:
        step = 1 if missing > 0 else -1
        free = [label for label in quotas if (quotas[label] < counts[label] if missing > 0 else quotas[label] > 1)]
        quotas[max(free, key=lambda label: (step * (exact[label] - quotas[label]), -label))] += step
    return quotas


def _labels(split: Split) -> tuple[int, ...]:
    if split.labels is None:
        raise ValueError("training rows have labels")
    return split.labels


def _shared(keys: Sequence[Key], other: Split) -> set[int]:
    known = set(keys_of(other))
    return {position for position, key in enumerate(keys) if key in known}


def _repeats(rows: Sequence[tuple[Key, int]]) -> set[int]:
    seen: set[tuple[Key, int]] = set()
    repeats = set()
    for position, row in enumerate(rows):
        if row in seen:
            repeats.add(position)
        seen.add(row)
    return repeats


def _conflicts(train: Split) -> int:
    labels_of = defaultdict(set)
    for key, label in zip(keys_of(train), _labels(train), strict=True):
        labels_of[key].add(label)
    return sum(len(labels) > 1 for labels in labels_of.values())


def _notes_on_others(others: Mapping[str, Split]) -> list[str]:
    if "dev" in others and "test" in others and (found := _shared(keys_of(others["dev"]), others["test"])):
        return [f"{len(found)} dev rows stand in test too; they are kept"]
    return []


def _groups(split: Split) -> list[list[int]]:
    """Return the connected components: rows that share a text, directly or over others. An empty one links none."""
    parent: dict[object, object] = {}

    def root(node: object) -> object:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = node = parent[above]
        return node

    for position, key in enumerate(keys_of(split)):
        for text in filter(None, key):
            parent[root(text)] = root(position)
    groups = defaultdict(list)
    for position in range(len(split)):
        groups[root(position)].append(position)
    return list(groups.values())
