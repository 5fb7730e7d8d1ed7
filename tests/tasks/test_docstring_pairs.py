import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.installed import NOT_NEEDED
from gridsearch.tasks.built_in import docstring_pairs, library_text
from gridsearch.tasks.built_in.docstring_pairs import DIFFERENT, N_DOCSTRINGS_LEAST, N_DOCSTRINGS_PER_FILE, SAME
from gridsearch.tasks.built_in.library_text import DISTRIBUTIONS, MASK, docstrings_of, source_files
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import load_task
from gridsearch.tasks.tfidf_yardstick import tfidf_yardstick
from reports.language.say import retold, speaking

PRINT_FINGERPRINT = (
    "import sys; from gridsearch.tasks.built_in.docstring_pairs import load;"
    "from gridsearch.tasks.built_in.library_text import DISTRIBUTIONS;"
    "[DISTRIBUTIONS.pop(one) for one in sys.argv[1].split()]; print(load().fingerprint);"
    "assert not {'torch', 'transformers', 'ray', 'optuna', 'pandas', 'sklearn'} & set(sys.modules)"
)
LIBRARIES = ("torch", "pandas")
LARGE = ("torch", "transformers", "ray", "pandas")
"""Those that take seconds to read."""


@pytest.fixture
def task(docstring_pairs_task: Task) -> Task:
    return docstring_pairs_task


def splits_of(task: Task) -> list[Split]:
    assert task.test is not None
    return [task.train, task.dev, task.test]


def pairs_of(split: Split, label: int) -> list[tuple[str, str]]:
    assert split.labels is not None
    assert split.pairs is not None
    rows = zip(split.texts, split.pairs, split.labels, strict=True)
    return [(first, second) for first, second, one in rows if one == label]


def test_splits_are_balanced_and_of_the_declared_size(task: Task) -> None:
    counts = [Counter(split.labels) for split in splits_of(task)]
    assert counts == [{DIFFERENT: n, SAME: n} for n in (750, 300, 300)]
    assert (task.kind, task.metric, task.label_names) == ("pair", "auc", ("different", "same"))
    assert task.positive_label == "same"


def test_no_sentence_is_in_two_splits(task: Task) -> None:
    held = [{text.casefold() for text in (*split.texts, *(split.pairs or ()))} for split in splits_of(task)]
    assert sum(map(len, held)) == len(set().union(*held))


def test_either_text_alone_says_nothing(task: Task) -> None:
    for split in splits_of(task):
        same, different = pairs_of(split, SAME), pairs_of(split, DIFFERENT)
        for side in (0, 1):
            assert sorted(pair[side] for pair in same) == sorted(pair[side] for pair in different)
        texts = [text for pair in same for text in pair]
        assert len({text.casefold() for text in texts}) == len(texts), "a sentence is in one pair of each label"
        assert not set(same) & set(different)


def test_what_is_the_same_stands_in_one_docstring_of_the_sources(task: Task) -> None:
    held = {
        (sentences[0], later)
        for path in source_files("optuna", "docstring-pairs")
        for sentences in docstrings_of(path)
        for later in sentences[1:]
    }
    firsts = {first for first, _ in held}
    of_optuna = [pair for pair in pairs_of(task.train, SAME) if pair[0] in firsts]
    assert len(of_optuna) > 20
    assert set(of_optuna) <= held
    different = {pair for split in splits_of(task) for pair in pairs_of(split, DIFFERENT)}
    assert not different & held


def test_no_library_is_named(task: Task) -> None:
    names = re.compile(
        r"torch|hugging ?face|\btransformers\b|\bray\b|optuna|pandas|\bpd\b|sklearn|scikit", re.IGNORECASE
    )
    texts = [text for split in splits_of(task) for text in (*split.texts, *(split.pairs or ()))]
    assert [text for text in texts if names.search(text)] == []
    assert any(MASK in text for text in texts)


def test_words_in_common_tell_something_and_not_all(task: Task) -> None:
    yardstick = tfidf_yardstick(task)
    assert 0.6 < yardstick.dev["auc"] < 0.8


@pytest.mark.slow  # four processes read the library anew
def test_processes_that_load_at_once_agree_and_import_no_library(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {library: name for library, name in DISTRIBUTIONS.items() if library not in LARGE}
    monkeypatch.setattr(library_text, "DISTRIBUTIONS", few)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
    task = docstring_pairs.load()
    environments = [os.environ | {"GRIDSEARCH_CACHE": str(tmp_path), "PYTHONHASHSEED": seed} for seed in ("1", "2")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT_FINGERPRINT, " ".join(LARGE)], env=one, text=True, stdout=subprocess.PIPE
        )
        for one in environments
    ]
    told = [process.communicate(timeout=600)[0].strip() for process in processes]
    assert told == [task.fingerprint] * 2
    assert len(list((tmp_path / "tasks").iterdir())) == 1, "no draft is left behind"


def test_it_is_found_by_its_name() -> None:
    assert load_task("docstring-pairs", train_rows=60).label_counts == (30, 30)


@pytest.mark.slow  # a process reads the library anew
@pytest.mark.parametrize(
    ("others", "n_each"),
    [
        (("pandas", "sklearn"), range(400, 500)),
        (("torch", "transformers", "pandas", "sklearn"), [750]),
    ],
    ids=["two", "all"],
)
def test_without_ray_and_optuna_the_others_fill_it(
    others: Sequence[str], n_each: Sequence[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path))
    names = {one: "no-such-distribution" if one in NOT_NEEDED else name for one, name in DISTRIBUTIONS.items()}
    few = {library: name for library, name in names.items() if library in (*others, *NOT_NEEDED)}
    monkeypatch.setattr(library_text, "DISTRIBUTIONS", few)
    task = docstring_pairs.load()
    of_one_label, of_another = task.label_counts
    assert of_one_label == of_another
    assert of_one_label in n_each
    with speaking("zh"):
        assert [retold(note) for note in task.notes][1:] == ["未安装，因而未读：ray, optuna"]
        assert retold(task.notes[0]).startswith("句对，取自同一个 docstring，或同一个库的两个 docstring；库名以 LIB")


def docstring(number: int) -> list[str]:
    return [f"This opens the docstring number {number}.", "No.", f"This goes on with number {number}."]


def in_files(docstrings: Sequence[Sequence[str]]) -> dict[str, list[Sequence[Sequence[str]]]]:
    """Deal docstrings out to two libraries, a few to a file."""
    starts = range(0, len(docstrings), 2 * N_DOCSTRINGS_PER_FILE)
    files = [docstrings[start : start + 2 * N_DOCSTRINGS_PER_FILE] for start in starts]
    return {library: [file[place :: len(LIBRARIES)] for file in files] for place, library in enumerate(LIBRARIES)}


@pytest.mark.slow  # many copies, drawn at random
@given(st.lists(st.tuples(st.integers(0, 399), st.integers(0, 399), st.sampled_from([0, 2])), max_size=60))
def test_no_pair_is_called_what_it_is_not(copies: list[tuple[int, int, int]]) -> None:
    docstrings = [docstring(number) for number in range(400)]
    for into, out_of, place in copies:
        docstrings[into] = [*docstrings[into], docstring(out_of)[place]]
    together = {(first, second) for one in docstrings for first in one for second in one}
    library_of = {text: place % 2 for place in range(400) for text in docstring(place)}
    held: set[str] = set()
    for split in docstring_pairs._choose_rows(in_files(docstrings)):
        same, different = pairs_of(split, SAME), pairs_of(split, DIFFERENT)
        assert len(same) == len(different)
        assert set(same) <= together
        assert not set(different) & together
        assert all(library_of[first] == library_of[second] for first, second in different)
        texts = {text for pair in same for text in pair}
        assert not held & texts
        held |= texts


def test_a_library_with_one_docstring_gives_no_pair() -> None:
    files = in_files([docstring(number) for number in range(600)])
    lonely = ["This is the one docstring of optuna.", "Nothing in its own library is different from it."]
    splits = docstring_pairs._choose_rows(files | {"optuna": [[lonely]]})
    assert sum(map(len, splits)) == 2 * 600
    assert not any(lonely[0] in split.texts for split in splits)


def test_too_few_docstrings_are_refused() -> None:
    files = in_files([docstring(number) for number in range(N_DOCSTRINGS_LEAST - 1)])
    with pytest.raises(
        RequestError, match=f"needs 270 docstrings .* sources of torch, pandas hold {N_DOCSTRINGS_LEAST - 1}"
    ):
        docstring_pairs._choose_rows(files)
