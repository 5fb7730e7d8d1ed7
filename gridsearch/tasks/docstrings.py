"""The built-in task ``docstrings``: which of the installed libraries does this sentence of a docstring come from?

Real text that needs no download: it is read from the source files of the project's own dependencies, which are parsed
and never imported. The libraries' names are masked, so that a model has to learn what each library speaks about.
A sentence is the first one of a docstring, or of a later paragraph of prose: optuna has too few of the former.
"""

import ast
import contextlib
import hashlib
import inspect
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from gridsearch.cache import cache_folder
from gridsearch.canonical import fingerprint
from gridsearch.errors import RequestError
from gridsearch.installed import NOT_NEEDED, installed_version
from gridsearch.tasks.task import Split, Task

Rows = list[tuple[str, int]]
"""A split on its way: sentences with the index of their label."""

READING_RULE = 1
"""Raise it whenever a change below could change a row: it is part of the cache's key."""

DISTRIBUTIONS = {
    "torch": "torch",
    "transformers": "transformers",
    "ray": "ray",
    "optuna": "optuna",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
}
"""Label (the name that is imported) -> name of the distribution that installs it."""

N_TRAIN_PER_LABEL, N_DEV_PER_LABEL, N_TEST_PER_LABEL = 250, 100, 100
N_PER_LABEL = N_TRAIN_PER_LABEL + N_DEV_PER_LABEL + N_TEST_PER_LABEL
N_PER_LABEL_LEAST = 90  # another version of a library may hold fewer; below this the task says nothing
N_CANDIDATES_PER_LABEL = N_PER_LABEL + 100  # some also occur in another library, and are dropped
N_SENTENCES_PER_FILE = 24  # a few generated files hold hundreds of docstrings that are all alike
N_BYTES_PER_FILE = 200_000  # larger files take long to parse and are mostly generated
N_WORDS_LEAST, N_WORDS_MOST = 4, 40

MASK = "LIB"
_EXCLUDED_FOLDERS = re.compile(r"^(tests?|testing|_?vendor(ed)?|_?externals?|third_?party|thirdparty_files|_private)$")
_NAMES = re.compile(
    # Inside identifiers as well: `is_torch_available`, `RaySklearnTrainer`, `OptunaSearch`.
    r"py_?torch|libtorch|torch|hugging[ _-]?face|transformers|optuna|pandas|scikit[ _-]?learn|sklearn|anyscale"
    # Short names only as whole words or as a hump of a CamelCase name: "array" must stay.
    r"|(?<![a-z])ray(?![a-z])|(?-i:Ray(?=[A-Z]))|(?<![a-z])(hf|pd)(?![a-z])",
    re.IGNORECASE,
)
_PROSE = re.compile(r"[A-Z`][^\n]*[^:\n]$", re.MULTILINE)  # neither "Parameters:" nor an indented list
_ROLE = re.compile(r":[a-z:]+:`~?([^`<]*)[^`]*`")  # :class:`~package.Name` -> package.Name
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\"'(\[])|(?<=[^.]\.)$")


def load() -> Task:
    """Return the task: 250 rows of each library for training, 100 for dev and 100 for the test.

    Rows depend on the installed libraries' versions only. They are read once and then kept in the cache folder.

    Raises:
        RequestError: a library is not installed, or holds too few sentences.
    """
    versions = _installed_versions()
    path = cache_folder() / "tasks" / f"docstrings-{fingerprint([READING_RULE, versions])}.json"
    splits = _read_cache(path)
    if splits is None:
        splits = _choose_rows({label: list(_candidates(label)) for label in versions})
        _write_cache(path, splits)
    train, dev, test = (Split(tuple(text for text, _ in rows), tuple(label for _, label in rows)) for rows in splits)
    source = ", ".join(f"{label} {installed}" for label, installed in versions.items())
    notes = [f"sentences of docstrings, the libraries' names masked as {MASK}, read from {source}"]
    if missing := [label for label in DISTRIBUTIONS if label not in versions]:
        notes.append(f"not installed, and so no labels here: {', '.join(missing)}")
    return Task("docstrings", "single", "f1_macro", tuple(versions), train, dev, test, tuple(notes))


def mask_names(text: str) -> str:
    """Replace the libraries' names, also inside identifiers, by one and the same word.

    >>> mask_names("A RayTrainer for PyTorch arrays, see torch.nn and `is_sklearn_estimator`")
    'A LIBTrainer for LIB arrays, see LIB.nn and `is_LIB_estimator`'
    """
    return _NAMES.sub(MASK, text)


def opening_sentences(docstring: str) -> list[str]:
    """Return the first sentence of a docstring and of its later paragraphs of prose, each as one line.

    >>> opening_sentences("Fit :class:`~sklearn.svm.SVC`,\\n    e.g. on X. Stop.\\n\\n    Uses C++.\\n\\n    x : int")
    ['Fit sklearn.svm.SVC, e.g. on X.', 'Uses C++.']
    """
    summary, *others = inspect.cleandoc(docstring).split("\n\n")
    prose = [text for text in others if _PROSE.match(text) and "\n " not in text]
    sentences = [_first_sentence(summary)] + [_first_sentence(text) for text in prose]
    return sentences[:1] + [sentence for sentence in sentences[1:] if sentence.endswith(".")]


def _first_sentence(paragraph: str) -> str:
    line = " ".join(_ROLE.sub(r"\1", paragraph).split())
    return _SENTENCE_END.split(line)[0].removeprefix("* ").strip()


def _installed_versions() -> dict[str, str]:
    """Return the version of each library that is installed.

    Without one that trials do not need, the task has fewer labels, and a fingerprint of its own.
    """
    versions = {}
    for label, distribution in DISTRIBUTIONS.items():
        if found := installed_version(distribution):
            versions[label] = found
        elif label not in NOT_NEEDED:
            raise RequestError(
                f"the task 'docstrings' reads the sources of {', '.join(DISTRIBUTIONS)}, but {label} is not "
                f"installed: `pip install {distribution}`, or name another task"
            )
    return versions


def _candidates(label: str) -> Iterator[str]:
    """Yield distinct, cleaned and masked sentences of one library, until there are enough."""
    seen: set[str] = set()
    for path in _source_files(label):
        found = {mask_names(text) for docstring in _docstrings(path) for text in opening_sentences(docstring)}
        fresh = sorted((text for text in found if _is_usable(text) and text.casefold() not in seen), key=_rank)
        for text in fresh[:N_SENTENCES_PER_FILE]:
            if text.casefold() not in seen:
                seen.add(text.casefold())
                yield text
        if len(seen) >= N_CANDIDATES_PER_LABEL:
            return


def _source_files(label: str) -> list[Path]:
    """Return a library's source files, tests left out, in an order that is scattered over the package.

    The order is that of the hashes of the relative paths: the same on every file system.
    """
    spec = find_spec(label)  # a top-level name is located without being executed
    if spec is None or not spec.submodule_search_locations:
        raise RequestError(f"the task 'docstrings' reads source files, but {label} is not installed as a package")
    root = Path(spec.submodule_search_locations[0])
    files = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not _EXCLUDED_FOLDERS.match(name)]
        files += [Path(folder, name) for name in names if name.endswith(".py") and not name.startswith("test_")]
    return sorted(files, key=lambda path: _rank(path.relative_to(root).as_posix()))


def _docstrings(path: Path) -> Iterator[str]:
    """Yield the docstrings of a file's public and private modules, classes and functions."""
    if path.stat().st_size > N_BYTES_PER_FILE:
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # a template, or meant for another version of Python
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node, clean=False) or ""


def _is_usable(text: str) -> bool:
    n_words = len(re.findall(r"[A-Za-z]{2,}", text))
    licence_or_markup = re.search(r"copyright|licen[sc]e|https?:|>>>|={4}|-{4}", text, re.IGNORECASE)
    return N_WORDS_LEAST <= n_words <= N_WORDS_MOST and len(text) <= 300 and licence_or_markup is None


def _choose_rows(candidates: dict[str, list[str]]) -> list[Rows]:
    """Drop what occurs in two libraries and return the rows of train, dev and test.

    Chosen and shuffled by hash, which needs no random generator and no order of the input.
    """
    n_libraries = Counter(text.casefold() for texts in candidates.values() for text in texts)
    chosen = {
        label: [text for text in texts if n_libraries[text.casefold()] == 1] for label, texts in candidates.items()
    }
    n_each = min(N_PER_LABEL, *map(len, chosen.values()))
    if n_each < N_PER_LABEL_LEAST:
        label = min(chosen, key=lambda name: len(chosen[name]))
        raise RequestError(
            f"the task 'docstrings' needs {N_PER_LABEL_LEAST} different sentences of each library, but the sources "
            f"of the installed {label} hold {n_each}: install another version of it, or name another task"
        )
    dev_start = n_each * N_TRAIN_PER_LABEL // N_PER_LABEL
    test_start = n_each * (N_TRAIN_PER_LABEL + N_DEV_PER_LABEL) // N_PER_LABEL
    return [
        _rows(chosen, start, stop) for start, stop in ((0, dev_start), (dev_start, test_start), (test_start, n_each))
    ]


def _rows(chosen: dict[str, list[str]], start: int, stop: int) -> Rows:
    rows = [
        (text, index) for index, texts in enumerate(chosen.values()) for text in sorted(texts, key=_rank)[start:stop]
    ]
    return sorted(rows, key=lambda row: _rank("row " + row[0]))


def _rank(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read_cache(path: Path) -> list[Rows] | None:
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return [[(text, label) for text, label in rows] for rows in splits]


def _write_cache(path: Path, splits: list[Rows]) -> None:
    """Write beside the file and rename: a reader sees all of it or nothing, and two writers write the same.

    A folder that cannot be written, or a full disk, costs the next reader some seconds and nobody anything else.
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=path.name, ignore_cleanup_errors=True) as folder:
            draft = Path(folder, path.name)
            draft.write_text(json.dumps(splits, ensure_ascii=False), encoding="utf-8")
            draft.replace(path)
