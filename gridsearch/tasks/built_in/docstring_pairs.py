"""The built-in task ``docstring-pairs``: are these two sentences of one docstring?

The first text opens a docstring, the second a later paragraph of prose: of the same docstring, or of another one of the
same library, so that the library's own words give nothing away. Nor does either text alone: each sentence stands in one
pair that is the same and in one that is different.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple, TypeAlias

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

NAME = "docstring-pairs"
LABELS = ("different", "same")
DIFFERENT, SAME = range(2)

File: TypeAlias = Sequence[Sequence[str]]
"""The docstrings of a source file: of each, its opening sentences."""

N_TRAIN, N_DEV, N_TEST = 750, 300, 300  # docstrings; each gives a row of either label
N_DOCSTRINGS = N_TRAIN + N_DEV + N_TEST
N_DOCSTRINGS_LEAST = 270  # other versions of the libraries may hold fewer; below this the task says nothing
N_CANDIDATES_PER_LIBRARY = 450  # some have a sentence that occurs elsewhere too, and are dropped
N_DOCSTRINGS_PER_FILE = N_SENTENCES_PER_FILE // 2


class Docstring(NamedTuple):
    """What is taken of a docstring: the sentence that opens it, and one that opens a later paragraph."""

    library: str
    opening: str
    later: str


def load() -> Task:
    """Return the task: of each label 750 rows for training, 300 for dev and 300 for the test.

    Rows depend on the installed libraries' versions only. They are read once and then kept in the cache folder.

    Raises:
        RequestError: a library is not installed, or they hold too few docstrings.
    """
    versions = installed_versions(NAME)
    train, dev, test = kept_splits(
        NAME, versions, lambda: _choose_rows({library: list(_files(library)) for library in versions})
    )
    notes = [
        "pairs of sentences, of one docstring or of two of the same library, the libraries' names masked as "
        f"{MASK}, read from {spell_versions(versions)}"
    ]
    if missing := missing_libraries(versions):
        notes.append(f"not installed, and so not read: {missing}")
    return Task(NAME, "pair", "auc", LABELS, train, dev, test, tuple(notes), positive=SAME)


def _files(library: str) -> Iterator[File]:
    """Yield one library's files, each with its docstrings in shuffled order, until they hold enough candidates."""
    n_candidates = 0
    for path in source_files(library, NAME):
        file = sorted(docstrings_of(path), key=lambda sentences: rank("\n".join(sentences)))
        yield file
        n_usable = sum(any(map(is_usable, one[1:])) for one in file if one and is_usable(one[0]))
        n_candidates += min(n_usable, N_DOCSTRINGS_PER_FILE)
        if n_candidates >= N_CANDIDATES_PER_LIBRARY:
            return


def _choose_rows(files: Mapping[str, Sequence[File]]) -> list[Split]:
    """Return the rows of train, dev and test. Each split has docstrings of its own, chosen and shuffled by hash.

    A sentence that two docstrings have is left out: a pair of it could be of one docstring and be called different.
    """
    n_docstrings = Counter(
        text
        for file in (file for of_library in files.values() for file in of_library)
        for sentences in file
        for text in {text.casefold() for text in sentences}
    )
    found = [
        sorted(_docstrings(library, of_library, n_docstrings), key=lambda one: rank(one.opening))
        for library, of_library in files.items()
    ]
    in_turn = [one for of_libraries in zip_longest(*found) for one in of_libraries if one]  # of each library alike
    chosen = sorted(in_turn[:N_DOCSTRINGS], key=lambda one: rank("split " + one.opening))
    if len(chosen) < N_DOCSTRINGS_LEAST:
        raise RequestError(
            f"the task {NAME!r} needs {N_DOCSTRINGS_LEAST} docstrings of two sentences that no other one has, but the "
            f"sources of {', '.join(files)} hold {len(chosen)}: install other versions of them, or name another task"
        )
    dev_start = len(chosen) * N_TRAIN // N_DOCSTRINGS
    test_start = len(chosen) * (N_TRAIN + N_DEV) // N_DOCSTRINGS
    return [_split(chosen[:dev_start]), _split(chosen[dev_start:test_start]), _split(chosen[test_start:])]


def _docstrings(library: str, files: Sequence[File], n_docstrings: Mapping[str, int]) -> Iterator[Docstring]:
    """Yield what can be taken of the docstrings: two usable sentences that no other docstring has."""

    def is_good(text: str) -> bool:
        return is_usable(text) and n_docstrings[text.casefold()] == 1

    for file in files:
        opened = (one for one in file if one and is_good(one[0]))
        pairs = ((one[0], later) for one in opened if (later := next(filter(is_good, one[1:]), None)))
        yield from (Docstring(library, *pair) for pair in islice(pairs, N_DOCSTRINGS_PER_FILE))


def _split(docstrings: Sequence[Docstring]) -> Split:
    """Pair each opening with its own later sentence, and with that of the next docstring of its library."""
    rows = []
    for library in dict.fromkeys(one.library for one in docstrings):
        ring = [one for one in docstrings if one.library == library]
        for one, following in zip(ring, [*ring[1:], ring[0]], strict=True):
            if one is not following:  # the only one of its library
                rows += [(one.opening, one.later, SAME), (one.opening, following.later, DIFFERENT)]
    rows.sort(key=lambda row: rank(f"row {row[0]}\n{row[1]}"))
    texts, pairs, labels = zip(*rows, strict=True)
    return Split(texts, labels, pairs)
