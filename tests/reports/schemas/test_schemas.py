"""The schemas of space and task files: what gridsearch takes they take, and of what it refuses, most they refuse."""

import json
import math
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from gridsearch.errors import RequestError
from gridsearch.recipe.recipe import Recipe, knobs, parse_recipe
from gridsearch.space.space import parse_space
from gridsearch.tasks.parts.joint_file import PartFile
from gridsearch.tasks.taskfile import parse_task_file
from reports.schemas.schema import KINDS, schema_of
from runners.cli import main
from tests.fixtures_core import slow
from tests.fuzz import trees
from tests.fuzz.test_grammar import LONGER, SPACES

TOP = Path(__file__).parents[3]
PARSERS: dict[str, Callable[[str, str], object]] = {"space": parse_space, "task": parse_task_file}
SHIPPED = [
    *(("space", path) for path in sorted(TOP.glob("search_spaces/*.toml"))),
    *(("space", path) for path in sorted(TOP.glob("reports/published/*/*.toml"))),
    *(("task", path) for path in sorted(TOP.glob("search_spaces/tasks/*.toml"))),
]


@cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(kind))


def takes(kind: str, tree: object) -> bool:
    return bool(validator(kind).is_valid(tree))


def examples() -> list[tuple[str, str]]:
    """Return the whole files in the README and in docs/, with their kind."""
    found = []
    for page in (TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))):
        for block in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            tree = tomllib.loads(block)
            if "factors" in tree:
                found.append(("space", block))
            elif {"files", "parts"} & tree.keys() and "name" in tree:
                found.append(("task", block))
    return found


@pytest.mark.parametrize("kind", [slow("space"), "task"])  # a hundred kilobytes against the schema of schemas
def test_they_are_schemas(kind: str) -> None:
    Draft202012Validator.check_schema(schema_of(kind))


@pytest.mark.parametrize(("kind", "path"), SHIPPED, ids=[f"{kind} {path.stem}" for kind, path in SHIPPED])
def test_every_file_that_comes_with_it_is_taken(kind: str, path: Path) -> None:
    validator(kind).validate(tomllib.loads(path.read_text(encoding="utf-8")))


def test_every_example_of_the_docs_is_taken() -> None:
    kinds = [kind for kind, _ in examples()]
    assert kinds.count("space") > 3
    assert kinds.count("task") > 2
    for kind, block in examples():
        validator(kind).validate(tomllib.loads(block))


SPACE = """
title = "a"
[recipe.pretraining]
steps = 40
[recipe]
parts.order = "random"
"vocabulary.align" = "special"
[factors]
epochs = [1, 2]
pretraining.rate = [0.1, 0.2]
frozen_layers = [0, "50%", "embeddings"]
[factors.attack]
label = "attack"
baseline = "plain"
levels = { plain = { adversarial = "none" }, fgm = { adversarial = "fgm", pretraining.objective = "mlm" } }
[factors.learning_rate]
range = { low = 1e-5, high = 1e-4, log = true }
[design]
kind = "random"
cells = 3
[[rules]]
skip = "epochs > 1"
why = "b"
"""
LISTED = """
title = "a"
task = "docstrings"
[factors]
epochs = [1, 2]
[design]
kind = "list"
seeds = [0, 1]
rows = [{ row = "one" }, { row = "two", epochs = 2, seeds = [3, 4] }, { row = "three", epochs = 2, seed = 5 }]
"""
TASK = """
name = "a"
kind = "single"
metric = "accuracy"
[files]
train = "train.csv"
dev = 0.1
[columns]
text = "text"
label = 1
"""
PARTS = """
name = "two"
[target]
part = "a"
[[parts]]
name = "a"
weight = 2.0
kind = "single"
metric = "accuracy"
files = { train = "train.csv" }
columns = { text = 0, label = 1 }
"""
WRONG = [
    ("space", SPACE, "title =", "titel ="),
    ("space", SPACE, 'title = "a"', "title = 3"),
    ("space", SPACE, "steps = 40", "step = 40"),
    ("space", SPACE, "steps = 40", "steps = 1.5"),
    ("space", SPACE, "parts.order", "parts.ordre"),
    ("space", SPACE, 'align" = "special"', 'align" = true'),
    ("space", SPACE, "epochs = [1, 2]", "epoch = [1, 2]"),
    ("space", SPACE, "epochs = [1, 2]", 'epochs = ["a", 2]'),
    ("space", SPACE, "epochs = [1, 2]", "epochs = []"),
    ("space", SPACE, "epochs = [1, 2]", "epochs = 1"),
    ("space", SPACE, "epochs = [1, 2]", "seed = [1, 2]"),
    ("space", SPACE, "pretraining.rate", "pretraining.rat"),
    ("space", SPACE, '"50%"', '"half"'),
    ("space", SPACE, "baseline =", "base ="),
    ("space", SPACE, 'label = "attack"', 'label = "trial"'),
    ("space", SPACE, 'adversarial = "none"', 'adversary = "none"'),
    ("space", SPACE, 'adversarial = "none"', 'adversarial = "fmg"'),
    ("space", SPACE, 'pretraining.objective = "mlm"', "pretraining.objective = 1"),
    ("space", SPACE, "log = true", 'log = "yes"'),
    ("space", SPACE, "high =", "hi ="),
    ("space", SPACE, "low = 1e-5", "low = -1"),
    ("space", SPACE, "cells = 3", "cells = 0"),
    ("space", SPACE, "cells = 3", "cell = 3"),
    ("space", SPACE, 'why = "b"', 'because = "b"'),
    ("space", SPACE, 'why = "b"', 'why = ""'),
    ("space", SPACE, "epochs = [1, 2]", "epochs = [1, 1]"),
    ("space", SPACE, "[factors.attack]", "[factors.row]"),
    ("space", SPACE, 'fgm = { adversarial = "fgm", pretraining.objective = "mlm" }', "fgm = {}"),
    (
        "space",
        SPACE,
        'levels = { plain = { adversarial = "none" }, fgm = { adversarial = "fgm", pretraining.objective = "mlm" } }',
        "levels = {}",
    ),
    ("space", SPACE, "range =", "levels = [1e-5, 1e-4]\nrange ="),
    ("space", LISTED, 'task = "docstrings"', 'task = ""'),
    ("space", LISTED, "epochs = [1, 2]", "epochs = {}"),
    ("space", LISTED, "seeds = [0, 1]", "seeds = [0, 0]"),
    ("space", LISTED, "seeds = [3, 4]", "seeds = [3, 3]"),
    ("space", LISTED, "seed = 5", "seed = 0.5"),
    ("space", LISTED, 'row = "one"', 'row = " "'),
    ("space", LISTED, '{ row = "one" }', "{}"),
    ("task", TASK, "name =", "nam ="),
    ("task", TASK, 'kind = "single"', 'kind = "double"'),
    ("task", TASK, '"accuracy"', '"acuracy"'),
    ("task", TASK, "train =", "trian ="),
    ("task", TASK, 'text = "text"', "text = true"),
    ("task", PARTS, "weight = 2.0", "weight = -1.0"),
    ("task", PARTS, "weight =", "wait ="),
    ("task", PARTS, 'part = "a"', 'parts = "a"'),
    ("task", PARTS, "[target]", "metric = 'accuracy'\n[target]"),
]


@pytest.mark.parametrize(
    ("kind", "text", "right", "wrong"), WRONG, ids=[f"{right} to {wrong}" for _, _, right, wrong in WRONG]
)
def test_what_is_wrong_is_refused(kind: str, text: str, right: str, wrong: str) -> None:
    """By the schema as by what reads the file; and nothing is wrong before."""
    assert takes(kind, tomllib.loads(text))
    PARSERS[kind](text, "test")
    changed = text.replace(right, wrong)
    assert changed != text
    assert not takes(kind, tomllib.loads(changed))
    if "title" not in wrong or wrong == "titel =":  # any title is taken, and spelled as a text
        with pytest.raises(RequestError):
            PARSERS[kind](changed, "test")


VALUES = [
    *(True, False, -1, 0, 1, 2, 3, 4, 64, 97, 8193, 2**63, 0.0, 0.1, 0.5, 1.0, 1.5, -0.5, 1e9, math.inf),
    *("", "a", "none", "all", "1/2", "50%", "101%", "0%", "p95", "p101", "checkpoint", "trial", "last", "balanced"),
    *([], [1], [1, 2], [0.5, 1.0], [0], ["a"], [[1]], {}, {"a": 1}),
]


@pytest.mark.parametrize("name", knobs())
def test_a_knob_takes_the_same_values(name: str) -> None:
    declared = schema_of_knob(name)
    for value in [*VALUES, getattr(Recipe(), name)]:
        plain = list(value) if isinstance(value, tuple) else value
        by_schema = declared.is_valid(plain)
        try:
            parse_recipe({name: plain}, "test")
        except RequestError:
            # To JSON 1.0 is a whole number, and it has no infinity.
            assert not by_schema or value in (0.0, 1.0, 1e9, math.inf) or value == [], (value, "taken by the schema")
        else:
            assert by_schema, (value, "refused by the schema")


@cache
def schema_of_knob(name: str) -> Draft202012Validator:
    return Draft202012Validator(validator("space").schema["$defs"]["Recipe"]["properties"][name])


def accepted(kind: str, tree: dict[str, Any]) -> dict[str, Any] | None:
    """Return a tree as TOML has it, where it is taken by what reads the file; else None."""
    try:
        text = trees.toml(tree)
        PARSERS[kind](text, "test")
    except RequestError:
        return None
    return tomllib.loads(text)


@pytest.mark.slow  # hundreds of spaces, which take long to draw; mutants are the quick ones
@settings(max_examples=LONGER, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(SPACES)
def test_what_the_grammar_makes_and_gridsearch_takes_is_taken(tree: dict[str, Any]) -> None:
    if (taken := accepted("space", tree)) is not None:
        validator("space").validate(taken)


@pytest.mark.parametrize("kind", KINDS)
def test_mutants_that_gridsearch_takes_are_taken(kind: str) -> None:
    random, files = Random(0), [tomllib.loads(path.read_text(encoding="utf-8")) for one, path in SHIPPED if one == kind]
    files += [tomllib.loads(text) for text in ((SPACE,) if kind == "space" else (TASK, PARTS))]
    n_taken = n_refused = 0
    for _ in range(300):
        tree = trees.mutated(random, random.choice(files))
        taken = accepted(kind, tree) if isinstance(tree, dict) else None
        if taken is None:
            n_refused += 1
        elif not _is_lenient(kind, taken):
            n_taken += 1
            validator(kind).validate(taken)
    assert n_taken > 20
    assert n_refused > 20


def _is_lenient(kind: str, tree: dict[str, Any]) -> bool:
    """Whether what reads the file makes something of a wrong type: any title is spelled; "1" is a number in a task."""
    if kind == "space":
        return not isinstance(tree.get("title", ""), str)
    try:
        for part in tree.get("parts", [tree]):
            PartFile.model_validate_json(json.dumps(part), strict=True)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_prints_it(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", kind]) == 0
    assert json.loads(capsys.readouterr().out) == schema_of(kind)


def test_torch_is_not_loaded_for_it() -> None:
    heavy = {"torch", "transformers", "ray", "pandas", "matplotlib", "scipy"}
    code = (
        f"import sys; from runners.cli import main; main(['schema', 'task']); main(['schema', 'space'])\n"
        f"assert not {heavy!r} & set(sys.modules), set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
