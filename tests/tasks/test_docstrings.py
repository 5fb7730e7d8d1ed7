import errno
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gridsearch.cache import cache_folder
from gridsearch.canonical import fingerprint
from gridsearch.errors import RequestError
from gridsearch.installed import NOT_NEEDED
from gridsearch.tasks.built_in import docstrings, library_text
from gridsearch.tasks.built_in.library_text import DISTRIBUTIONS, MASK, mask_names
from gridsearch.tasks.task import Task

PRINT_FINGERPRINT = (
    "import sys; from gridsearch.tasks.built_in.docstrings import load; from gridsearch.canonical import fingerprint;"
    "task = load(); print(task.fingerprint, fingerprint(list(task.corpus)));"
    "assert not {'torch', 'transformers', 'ray', 'optuna', 'pandas', 'sklearn'} & set(sys.modules)"
)


@pytest.fixture
def task(docstrings_task: Task) -> Task:
    return docstrings_task


@pytest.fixture
def of_two(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Leave two small libraries, which are read in a moment, and return their task, kept in a cache of its own."""
    two = {library: DISTRIBUTIONS[library] for library in ("optuna", "sklearn")}
    monkeypatch.setattr(library_text, "DISTRIBUTIONS", two)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path_factory.mktemp("of two")))
    return docstrings.load()


def start_loader(cache: Path, hash_seed: int) -> "subprocess.Popen[str]":
    environment = os.environ | {"GRIDSEARCH_CACHE": str(cache), "PYTHONHASHSEED": str(hash_seed)}
    return subprocess.Popen(
        [sys.executable, "-c", PRINT_FINGERPRINT], env=environment, text=True, stdout=subprocess.PIPE
    )


def finish(process: "subprocess.Popen[str]") -> str:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return output.strip()


def of_all(task: Task) -> str:
    """Return what names the rows, and what names the texts that an encoder may be made from."""
    return f"{task.fingerprint} {fingerprint(list(task.corpus))}"


def test_splits_are_balanced_and_of_the_declared_size(task: Task) -> None:
    assert task.test is not None
    assert [len(split) for split in (task.train, task.dev, task.test)] == [1500, 600, 600]
    for split in (task.train, task.dev, task.test):
        assert split.labels is not None
        assert len(set(Counter(split.labels).values())) == 1
    assert task.label_names == ("torch", "transformers", "ray", "optuna", "pandas", "sklearn")


def test_no_sentence_occurs_twice_in_or_across_splits(task: Task) -> None:
    assert task.test is not None
    texts = [text.casefold() for split in (task.train, task.dev, task.test) for text in split.texts]
    assert len(set(texts)) == len(texts)


def test_further_sentences_have_no_label_and_are_none_of_the_rows(task: Task) -> None:
    assert task.test is not None
    (further,) = task.corpus_files
    assert further.labels is None
    texts = [text.casefold() for text in further.texts]
    rows = {text.casefold() for split in (task.train, task.dev, task.test) for text in split.texts}
    assert len(set(texts)) == len(texts) > len(task.train)
    assert not rows & set(texts)
    assert task.corpus == task.train.texts + further.texts


def test_all_docstrings_of_a_file_are_found_where_statements_nest(tmp_path: Path) -> None:
    blocks = ("if a:", "for a in b:", "while a:", "with a:", "try:", "match a:\n    case 1:")
    lines = ['"""A module that has docstrings."""']
    for number, block in enumerate(blocks):
        head = block.splitlines()
        inner = "    " * len(head)
        lines += [*head, f"{inner}def found_{number}():", f'{inner}    """Docstring of the block {number}."""']
        lines += ["except E:", "    class F:", '        """Docstring of a handler."""'] if block == "try:" else []
        tail = {"if a:": "else:", "for a in b:": "else:", "while a:": "else:", "try:": "finally:"}.get(block)
        lines += [] if tail is None else [tail, "    async def g():", f'        """Docstring after {number}."""']
    source = tmp_path / "module.py"
    source.write_text("\n".join(lines), encoding="utf-8")
    found = [sentence for sentences in library_text.docstrings_of(source) for sentence in sentences]
    assert len(found) == len(set(found)) == 1 + len(blocks) + 1 + 4


def test_no_library_is_named(task: Task) -> None:
    assert task.test is not None
    names = re.compile(
        r"torch|hugging ?face|\btransformers\b|\bray\b|optuna|pandas|\bpd\b|sklearn|scikit", re.IGNORECASE
    )
    texts = [text for split in (task.train, task.dev, task.test, *task.corpus_files) for text in split.texts]
    assert [text for text in texts if names.search(text)] == []
    assert any(MASK in text for text in texts)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("an array of tensors", "an array of tensors"),
        ("is_torch_available and TorchTrainer", "is_LIB_available and LIBTrainer"),
        ("ray.tune and `ray_remote_args`, RayActorError", "LIB.tune and `LIB_remote_args`, LIBActorError"),
        ("a transformer or Hugging Face Transformers", "a transformer or LIB LIB"),
        ("pd.DataFrame, np.ndarray", "LIB.DataFrame, np.ndarray"),
    ],
)
def test_masks_names_also_inside_identifiers_but_not_inside_words(text: str, masked: str) -> None:
    assert mask_names(text) == masked


@pytest.mark.slow  # four processes read the library anew
def test_processes_that_load_at_once_agree_and_import_no_library(tmp_path: Path, task: Task) -> None:
    processes = [start_loader(tmp_path, hash_seed) for hash_seed in (1, 2)]
    assert [finish(process) for process in processes] == [of_all(task)] * 2
    assert len(list((tmp_path / "tasks").iterdir())) == 1, "no draft is left behind"


@pytest.mark.slow  # reads the library anew; tests/runners/lasting has damaged files of every kind
def test_a_torn_cache_is_read_anew(tmp_path: Path, of_two: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = (cache_folder() / "tasks").glob("docstrings-*.json")
    content = whole.read_text(encoding="utf-8")
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    torn = tmp_path / "tasks" / whole.name
    torn.parent.mkdir()
    torn.write_text(content[:1000], encoding="utf-8")
    assert of_all(docstrings.load()) == of_all(of_two)
    assert torn.read_text(encoding="utf-8") == content


@pytest.mark.slow  # reads the library anew
def test_a_cache_that_cannot_be_written_costs_nothing_but_time(
    tmp_path: Path, of_two: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("no folder")
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "a file"))
    assert of_all(docstrings.load()) == of_all(of_two)


@pytest.mark.slow  # reads the library anew
def test_a_full_disk_leaves_no_draft(tmp_path: Path, of_two: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    write = Path.write_text

    def to_a_full_disk(path: Path, text: str, **settings: Any) -> int:
        write(path, text[:1000], **settings)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", to_a_full_disk)
        assert of_all(docstrings.load()) == of_all(of_two)
    assert list((tmp_path / "tasks").iterdir()) == []


def test_a_missing_library_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    monkeypatch.setitem(DISTRIBUTIONS, "sklearn", "no-such-distribution")
    with pytest.raises(RequestError, match="sklearn is not installed: `pip install no-such-distribution`"):
        docstrings.load()


@pytest.mark.slow  # a process reads the library anew
def test_without_ray_and_optuna_the_others_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    for label in NOT_NEEDED:
        monkeypatch.setitem(DISTRIBUTIONS, label, "no-such-distribution")
    task = docstrings.load()
    assert task.label_names == ("torch", "transformers", "pandas", "sklearn")
    assert Counter(task.train.labels) == dict.fromkeys(range(4), 250)
    assert "not installed, and so no labels here: ray, optuna" in task.notes


def test_too_few_sentences_are_refused() -> None:
    plenty = [f"sentence number {number} of this library" for number in range(500)]
    with pytest.raises(RequestError, match="installed optuna hold 3"):
        docstrings._choose_rows({"torch": plenty, "optuna": ["one two", "three", "four"]})


def test_a_sentence_of_two_libraries_is_dropped() -> None:
    ours = [f"ours {number}" for number in range(100)]
    theirs = [f"theirs {number}" for number in range(100)]
    splits = docstrings._choose_rows({"torch": [*ours, "Both"], "ray": [*theirs, "both"]})
    texts = [text for split in splits for text in split.texts]
    assert sorted(texts) == sorted(ours + theirs)
