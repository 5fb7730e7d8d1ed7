"""The built-in task ``docstrings``: which of the installed libraries does this sentence of a docstring come from?

A sentence is the first one of a docstring, or of a later paragraph of prose: optuna has too few of the former.
Beside the rows stand further sentences, without labels: what an encoder may be made from, or pretrained on.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from gridsearch.errors import RequestError
from gridsearch.tasks.built_in.kept_splits import kept_splits
from gridsearch.tasks.built_in.library_text import (
    MASK,
    N_SENTENCES_PER_FILE,
    docstrings_of,
    installed_versions,
    is_usable,
    missing_libraries,
    rank,
    source_files,
    spell_versions,
)
from gridsearch.tasks.task import Split, Task

NAME = "docstrings"

N_TRAIN_PER_LABEL, N_DEV_PER_LABEL, N_TEST_PER_LABEL = 250, 100, 100
N_PER_LABEL = N_TRAIN_PER_LABEL + N_DEV_PER_LABEL + N_TEST_PER_LABEL
N_PER_LABEL_LEAST = 90  # another version of a library may hold fewer; below this the task says nothing
N_CANDIDATES_PER_LABEL = N_PER_LABEL + 100  # some also occur in another library, and are dropped
N_FURTHER_PER_LABEL = 300  # beside the candidates that are left over; more made no better word vectors


def load() -> Task:
    """Return the task: 250 rows of each library for training, 100 for dev and 100 for the test, and further sentences.

    All depend on the installed libraries' versions only. They are read once and then kept in the cache folder.

    Raises:
        RequestError: a library is not installed, or holds too few sentences.
    """
    versions = installed_versions(NAME)
    train, dev, test, further = kept_splits(NAME, versions, lambda: _read(list(versions)))
    notes = [
        f"sentences of docstrings, the libraries' names masked as {MASK}, read from {spell_versions(versions)}; "
        f"{len(further):,} more of them have no label: what an encoder may be made from"
    ]
    if missing := missing_libraries(versions):
        notes.append(f"not installed, and so no labels here: {missing}")
    return Task(NAME, "single", "f1_macro", tuple(versions), train, dev, test, tuple(notes), corpus_files=(further,))


def _read(labels: Sequence[str]) -> list[Split]:
    """Read the sources: return the rows of train, dev and test, and the further sentences."""
    candidates: dict[str, list[str]] = {}
    found: list[str] = []
    for label in labels:
        sentences = _sentences(label)
        candidates[label] = _take(sentences, N_CANDIDATES_PER_LABEL)
        found += [*candidates[label], *_take(sentences, N_FURTHER_PER_LABEL)]
    rows = _choose_rows(candidates)
    labelled = {text.casefold() for split in rows for text in split.texts}
    others = {text.casefold(): text for text in found if text.casefold() not in labelled}
    return [*rows, Split(tuple(sorted(others.values(), key=rank)), None)]


def _take(sentences: Iterator[list[str]], n_least: int) -> list[str]:
    """Take whole files until there are enough sentences, or no more files."""
    taken: list[str] = []
    while len(taken) < n_least and (of_file := next(sentences, None)) is not None:
        taken += of_file
    return taken


def _sentences(label: str) -> Iterator[list[str]]:
    """Yield the cleaned and masked sentences of each file of a library, none of them twice."""
    seen: set[str] = set()
    for path in source_files(label, NAME):
        found = {text for sentences in docstrings_of(path) for text in sentences}
        fresh = sorted((text for text in found if is_usable(text) and text.casefold() not in seen), key=rank)
        distinct: dict[str, str] = {}
        for text in fresh[:N_SENTENCES_PER_FILE]:
            distinct.setdefault(text.casefold(), text)
        seen.update(distinct)
        yield list(distinct.values())


def _choose_rows(candidates: dict[str, list[str]]) -> list[Split]:
    """Drop what occurs in two libraries and return the rows of train, dev and test, chosen and shuffled by hash."""
    n_libraries = Counter(text.casefold() for texts in candidates.values() for text in texts)
    chosen = {
        label: [text for text in texts if n_libraries[text.casefold()] == 1] for label, texts in candidates.items()
    }
    n_each = min(N_PER_LABEL, *map(len, chosen.values()))
    if n_each < N_PER_LABEL_LEAST:
        label = min(chosen, key=lambda name: len(chosen[name]))
        raise RequestError(
            f"the task {NAME!r} needs {N_PER_LABEL_LEAST} different sentences of each library, but the sources "
            f"of the installed {label} hold {n_each}: install another version of it, or name another task"
        )
    dev_start = n_each * N_TRAIN_PER_LABEL // N_PER_LABEL
    test_start = n_each * (N_TRAIN_PER_LABEL + N_DEV_PER_LABEL) // N_PER_LABEL
    return [
        _split(chosen, start, stop) for start, stop in ((0, dev_start), (dev_start, test_start), (test_start, n_each))
    ]


def _split(chosen: dict[str, list[str]], start: int, stop: int) -> Split:
    rows = [
        (text, index) for index, texts in enumerate(chosen.values()) for text in sorted(texts, key=rank)[start:stop]
    ]
    rows.sort(key=lambda row: rank("row " + row[0]))
    return Split(tuple(text for text, _ in rows), tuple(label for _, label in rows))
