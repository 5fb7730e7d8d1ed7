"""Sentences of the installed libraries' docstrings: real text that needs no download.

It is read from the source files of the project's own dependencies, which are parsed and never imported. The libraries'
names are masked, so that a model has to learn what each library speaks about.
"""

import ast
import hashlib
import inspect
import os
import re
from collections import deque
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from gridsearch.errors import RequestError
from gridsearch.installed import NOT_NEEDED, installed_version

DISTRIBUTIONS = {
    "torch": "torch",
    "transformers": "transformers",
    "ray": "ray",
    "optuna": "optuna",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
}
"""Library (the name that is imported) -> name of the distribution that installs it."""

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


def installed_versions(task: str) -> dict[str, str]:
    """Return the version of each library that is installed, for the task of that name.

    Without one that trials do not need, the task has fewer sentences, and a fingerprint of its own.

    Raises:
        RequestError: another one is missing.
    """
    versions = {}
    for library, distribution in DISTRIBUTIONS.items():
        if found := installed_version(distribution):
            versions[library] = found
        elif library not in NOT_NEEDED:
            raise RequestError(
                f"the task {task!r} reads the sources of {', '.join(DISTRIBUTIONS)}, but {library} is not "
                f"installed: `pip install {distribution}`, or name another task"
            )
    return versions


def missing_libraries(versions: Mapping[str, str]) -> str:
    """Name the libraries that are not installed, with commas between them."""
    return ", ".join(library for library in DISTRIBUTIONS if library not in versions)


def spell_versions(versions: Mapping[str, str]) -> str:
    """Say what the sentences are read from.

    >>> spell_versions({"torch": "2.11.0", "pandas": "3.0.1"})
    'torch 2.11.0, pandas 3.0.1'
    """
    return ", ".join(f"{library} {installed}" for library, installed in versions.items())


def source_files(library: str, task: str) -> list[Path]:
    """Return a library's source files, tests left out, in an order that is scattered over the package.

    The order is that of the hashes of the relative paths: the same on every file system.
    """
    spec = find_spec(library)  # a top-level name is located without being executed
    if spec is None or not spec.submodule_search_locations:
        raise RequestError(f"the task {task!r} reads source files, but {library} is not installed as a package")
    root = Path(spec.submodule_search_locations[0])
    files = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not _EXCLUDED_FOLDERS.match(name)]
        files += [Path(folder, name) for name in names if name.endswith(".py") and not name.startswith("test_")]
    return sorted(files, key=lambda path: rank(path.relative_to(root).as_posix()))


def docstrings_of(path: Path) -> Iterator[list[str]]:
    """Yield the opening sentences of each docstring of a file, with the names masked: public and private alike."""
    if path.stat().st_size > N_BYTES_PER_FILE:
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # a template, or meant for another version of Python
        return
    for node in _statements(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield [mask_names(text) for text in opening_sentences(ast.get_docstring(node, clean=False) or "")]


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield a module and all statements in it, in the order of ``ast.walk``, which takes thrice the time of parsing:
    most of what it visits are expressions, and these hold no docstring.
    """
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        yield (node := waiting.popleft())
        for within in ("body", "handlers", "orelse", "finalbody", "cases"):
            waiting.extend(getattr(node, within, ()))


def is_usable(text: str) -> bool:
    """Tell whether a sentence is prose of a fair length, neither a licence nor markup."""
    n_words = len(re.findall(r"[A-Za-z]{2,}", text))
    licence_or_markup = re.search(r"copyright|licen[sc]e|https?:|>>>|={4}|-{4}", text, re.IGNORECASE)
    return N_WORDS_LEAST <= n_words <= N_WORDS_MOST and len(text) <= 300 and licence_or_markup is None


def rank(text: str) -> str:
    """Return what texts are sorted by to be shuffled: no random generator, and no order of the input."""
    return hashlib.sha256(text.encode()).hexdigest()
