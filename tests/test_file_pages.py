"""The pages of task files and space files: their examples work, and every key that the code takes stands in them."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter

from gridsearch.space.space import Space, parse_space
from gridsearch.tasks.judging.labelling import METRICS
from gridsearch.tasks.task import Task
from gridsearch.tasks.taskfile import load_task
from reports.file_pages import MARK, PAGES, Keys, with_keys
from reports.meanings import meaning_and_example

DOCS = Path(__file__).parents[1] / "docs"
SECTIONS = [(page, keys) for page, several in PAGES.items() for keys in several]
FIELDS = [(keys, name) for _, keys in SECTIONS for name in keys.fields]


def blocks(page: str, language: str) -> list[str]:
    by_hand, _, _ = (DOCS / page).read_text(encoding="utf-8").partition(MARK)
    return re.findall(rf"```{language}\n(.*?)```", by_hand, re.DOTALL)


def rows(n_rows: int, row: str) -> str:
    return "".join(row.format(n=number, label=number % 2) for number in range(n_rows))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_older_than_the_code(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert text == with_keys(text, PAGES[page]), f"docs/{page} is stale: run `make docs`"


@pytest.mark.parametrize("page", PAGES)
def test_a_key_tells_the_kind_of_its_values_and_no_more(page: str) -> None:
    declared = (DOCS / page).read_text(encoding="utf-8").partition(MARK)[2]
    # A docstring as it was written, with its example behind two backticks, is no kind of values.
    assert "``" not in declared.replace("\\", "")


@pytest.mark.parametrize(("keys", "name"), FIELDS, ids=[f"{keys.model.__name__}.{name}" for keys, name in FIELDS])
def test_every_key_has_a_meaning_and_an_example_that_it_takes(keys: Keys, name: str) -> None:
    field = keys.fields[name]
    meaning, example = meaning_and_example(field)
    assert meaning, f"write what {name} means below the field, in three quotes"
    assert meaning.endswith("."), meaning
    is_section = any(re.match(rf"`\[+{name}\b", other.title) for _, other in SECTIONS) and not keys.title.startswith(
        "`"
    )
    if not (is_section or name == "recipe"):
        assert example, f"end what {name} means with an example in two backticks: ``{name} = ...``"
        told = tomllib.loads(example)
        assert list(told) == [name]
        declared: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        TypeAdapter(declared).validate_python(told[name])


def test_every_metric_is_told() -> None:
    text = (DOCS / "tasks.md").read_text(encoding="utf-8")
    assert [metric for metric in METRICS if metric not in text] == []


def test_the_first_task_is_read(tmp_path: Path) -> None:
    (table,), (toml, _) = blocks("tasks.md", "csv"), blocks("tasks.md", "toml")
    header, *_ = table.splitlines(keepends=True)
    (tmp_path / "reviews.csv").write_text(table + rows(60, '{n},"Text, number {n}.",{label}\n').replace(",0\n", ",1\n"))
    assert header.strip().split(",") == ["id", "review", "stars"]
    (tmp_path / "reviews.toml").write_text(toml)
    task = load_task(tmp_path / "reviews.toml")
    assert isinstance(task, Task)
    assert "Good, and quick." in {*task.train.texts, *task.dev.texts}
    assert len(task.dev) == pytest.approx(6, abs=1)
    assert task.label_names == ("1", "4", "5")


def test_the_second_task_is_read(tmp_path: Path) -> None:
    _, toml = blocks("tasks.md", "toml")
    for name in ("train", "dev", "mined_pairs"):
        (tmp_path / f"{name}.tsv").write_text(
            rows(20, f"{name} {{n}}\tanother of {name} {{n}}\t{{label}}\n") + "a\tb\t-\n"
        )
    (tmp_path / "test.tsv").write_text(rows(5, "what {n}\twhich {n}\n"))
    (tmp_path / "all_questions.txt").write_text(rows(5, "a question {n}\n"))
    (tmp_path / "questions.toml").write_text(toml)
    task = load_task(tmp_path / "questions.toml")
    assert isinstance(task, Task)
    assert (len(task.train), len(task.dev)) == (20, 20)
    assert task.label_names == ("different", "same")
    assert task.test is not None
    assert task.test.labels is None
    assert (len(task.outside), len(task.corpus_files)) == (1, 1)


SPACES = blocks("spaces.md", "toml")


def space(number: int) -> Space:
    return parse_space(SPACES[number], "example")


def test_the_first_space_has_18_trials() -> None:
    cells = list(space(0).cells())
    assert (len(cells), sum(len(cell.repetitions) for cell in cells)) == (6, 18)


def test_the_second_space_leaves_out_what_its_rule_says() -> None:
    found = space(1)
    left = [cell for cell in found.cells() if found.rule_against(cell.recipe, cell.levels) is None]
    assert (len(list(found.cells())), len(left)) == (6, 4)
    assert found.factors[0].column == "adversarial training"


def test_the_third_space_draws_from_a_range() -> None:
    drawn = list(space(2).cells())
    assert len(drawn) >= 12
    assert all(1e-5 <= cell.recipe.learning_rate <= 1e-4 for cell in drawn)


def test_the_fourth_space_has_its_rows() -> None:
    cells = list(space(3).cells())
    assert [cell.row for cell in cells] == ["plain", "mean", "mean, 5 masks"]
    assert [len(cell.repetitions) for cell in cells] == [1, 1, 2]
