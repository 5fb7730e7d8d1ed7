import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

from gridsearch.encoders.card import EncoderCard
from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space, parse_space
from gridsearch.tasks.lengths import Lengths, TaskLengths
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import parse_task_file
from runners.cli import main
from runners.request import divided
from search_spaces import find_space, find_task, names_of_spaces, names_of_tasks
from tests.fixtures_core import slow
from tests.training.parts.joint import joint_of


def test_built_in_tasks_are_found_and_valid() -> None:
    of_files = ["afqmc", "oppo", "rte", "sst2", "thucnews10", "tianchi"]
    without = ["docstrings", "docstring-pairs", "docstring-parts"]
    assert names_of_tasks() == [*without, *of_files]
    for name in of_files:
        assert parse_task_file(find_task(name).read_text(encoding="utf-8"), name).name == name
    assert [str(find_task(name)) for name in without] == without


def test_built_in_spaces_are_found_and_valid() -> None:
    for name in names_of_spaces():
        assert parse_space(find_space(name).read_text(encoding="utf-8"), name).factors


CARDS = {
    "tiny": EncoderCard("tiny", "a", "bert", 12, has_pooler=True, max_tokens=512, dropout=0.1),
    "minilm": EncoderCard("minilm", "b", "bert", 6, has_pooler=True, max_tokens=512, dropout=0.1),
}
ROWS = Lengths({20: 1500}, 27_000, 0)
LENGTHS = TaskLengths({"task": {"train": ROWS, "dev": ROWS}}, "[UNK]")
OF_PARTS = {"seed004"}


def plan_of(name: str, encoder: str, n_rows: int = 1500) -> Plan:
    """Plan a shipped space on pairs with two labels, which suit them all but those of several parts: these have two."""

    def texts(text: str) -> tuple[str, ...]:
        return tuple(f"{text} {number // 3}" for number in range(n_rows))

    labels = tuple(number % 2 for number in range(n_rows))
    split = Split(texts("a text"), labels, tuple(f"another {number}" for number in range(n_rows)))
    space = load_space(find_space(name))
    task = Task("pairs", "pair", "accuracy", ("different", "same"), split, split, corpus_files=(split,))
    asked = joint_of({"one": task, "other": task}) if name in OF_PARTS else task
    return make_plan(space, divided(asked, space.design.division), lambda _: CARDS[encoder], lambda card: LENGTHS)


@pytest.mark.parametrize("encoder", ["tiny", slow("minilm")])
@pytest.mark.parametrize("name", names_of_spaces())
def test_every_space_can_be_planned(name: str, encoder: str) -> None:
    plan = plan_of(name, encoder)
    # Of those that may: one repeats what was published, an encoder that takes no step reads no text, and the last two
    # are of notes whose texts were ids, which had pairs from outside, and some of whose encoders lack what others have.
    may = ("seed003", "pretraining", "competition", "seed001", "seed002")
    assert not any(cell.dead for cell in plan.cells) or name in may
    assert plan.space.title
    assert plan.baseline is not None


@pytest.mark.parametrize("name", ["finetune64", "seed003"])
@pytest.mark.parametrize(("encoder", "half"), [("tiny", 6), ("minilm", 3)])
def test_halves_of_every_encoder(name: str, encoder: str, half: int) -> None:
    """The upper half is new, the lower half frozen, and both in a quarter of the cells."""
    cells = plan_of(name, encoder).cells
    found = Counter((cell.recipe.reinit_layers, cell.recipe.frozen_layers) for cell in cells)
    assert found == dict.fromkeys(itertools.product([0, half], repeat=2), 16)


def test_finetune64_has_the_trials_that_it_had_when_it_counted_layers() -> None:
    text = find_space("finetune64").read_text(encoding="utf-8")
    counted = parse_space(text.replace('"1/2"', "6"), "finetune64")
    assert counted.text != text
    plan = plan_of("finetune64", "tiny")
    assert make_plan(counted, plan.task, lambda _: CARDS["tiny"], lambda _: LENGTHS).trials == plan.trials


def test_seed003_averages_over_padding_as_the_published_code_did() -> None:
    assert {cell.recipe.pooling for cell in plan_of("seed003", "tiny").cells} == {"first_last_avg_unmasked"}


LARGE = {"seed000", "seed001", "seed002", "seed003", "seed004", "competition", "masks", "pairs"}
"""A few seconds each as they stand: `make test` plans them for a small task alone."""
FOR_PAIRS = {"class_weights", "competition", "masks", "pairs", "pretraining", "seed000", "seed001", "seed002"}


@pytest.mark.parametrize("name", [slow(name) if name in LARGE else name for name in names_of_spaces()])
def test_every_space_can_be_planned_as_it_stands(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRIDSEARCH_DATA", raising=False)
    assert main(["plan", name]) == 0
    told = capsys.readouterr().out
    rows = "2100 (in" if load_space(find_space(name)).design.folds else "1500 train"
    task = "docstring-pairs" if name in FOR_PAIRS else "docstrings"
    assert ("docstring-parts: 2 parts" if name in OF_PARTS else f"task     {task}: {rows}") in told
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.slow  # the pairs are 34,000
@pytest.mark.parametrize("name", ["seed000", "seed001", "seed002", "adversarial"])
def test_spaces_for_pairs_can_be_planned_on_real_ones(name: str, shared_data: Path, tmp_path: Path) -> None:
    assert main(["plan", name, "--task", "afqmc", "--data-dir", str(shared_data), "--study", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("seed001", []),
        ("seed002", ["kfold-8 kfold-12"]),
    ],
)
def test_rows_of_the_notes_that_are_the_same_recipe(name: str, groups: list[str]) -> None:
    assert [" ".join(cell.row for cell in group) for group in plan_of(name, "tiny").same_rows] == groups


@pytest.mark.slow  # reads 34,000 pairs; the built-in ones are planned quickly
def test_pretraining_is_planned_on_the_pairs_that_it_was_written_for(shared_data: Path, tmp_path: Path) -> None:
    assert (
        main(["plan", "pretraining", "--task", "oppo", "--data-dir", str(shared_data), "--study", str(tmp_path)]) == 0
    )


def test_seed002_is_every_row_of_the_notes(shared_data: Path) -> None:
    notes = (shared_data.parent / "seeds" / "002_nezha_kfold.md").read_text(encoding="utf-8")
    cells = plan_of("seed002", "tiny").cells
    assert [cell.row for cell in cells] == re.findall(r"^(kfold-\d+)", notes, re.MULTILINE)
    for cell, line in zip(cells, re.findall(r"^kfold-\d+ .*", notes, re.MULTILINE), strict=True):
        recipe = cell.recipe
        assert recipe.adversarial in line
        assert str(recipe.adversarial_epsilon) in line
        assert (recipe.multi_sample_dropout == 8) == ("mutil-sample" in line)
        assert ("cat" in recipe.pooling) == ("cls cat" in line)
        assert (recipe.cooccurrence == "add_scalar") == ("co-ocurrence" in line or " ids " in line)
        assert f"dropout {recipe.classifier_dropout}" in line or cell.row == "kfold-9"
        assert recipe.batch_size == (24 if "pgd" in line else 64)
        named = re.findall(r"randomseed = (\d+)", line)
        assert named in ([], [str(cell.trials[0].seed)])


def test_a_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.touch()
    monkeypatch.chdir(tmp_path)
    assert find_task(str(path)) == find_space(str(path)) == path
    assert find_task("mine.toml") == Path("mine.toml")


def test_unknown_names() -> None:
    with pytest.raises(
        RequestError,
        match=r"unknown task 'sst3' \(did you mean 'sst2'\?\); known: docstrings, docstring-pairs, docstring-parts",
    ):
        find_task("sst3")
    with pytest.raises(RequestError, match=r"unknown space 'finetune46' .*or the path of a TOML file"):
        find_space("finetune46")


@pytest.mark.parametrize("name", ["none.toml", "folder/none"])
def test_paths_without_a_file(name: str) -> None:
    with pytest.raises(
        RequestError,
        match=f"there is no task file '{name}'; built-in names: docstrings, docstring-pairs, docstring-parts",
    ):
        find_task(name)
