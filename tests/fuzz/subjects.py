"""What is mutated, and the command that reads it. Each makes the files of a case in the working folder."""

import json
import os
import shutil
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Final, TypeAlias

from search_spaces import find_space, find_task, names_of_spaces
from tests.fuzz import ledgers, odd, raw, tables, trees, world
from tests.fuzz.words import of_any_command

Subject: TypeAlias = Callable[[Random, Path], list[str]]
"""Makes a case of the world in a folder, and returns the words of its command."""


def _toml(random: Random, text: str) -> bytes:
    """Mutate a TOML file by its structure, by its bytes, or by both."""
    content = text.encode()
    if random.random() < 0.65:
        content = trees.toml(trees.mutated(random, tomllib.loads(text))).encode("utf-8", "replace")
    return raw.mutated(random, content, 2) if random.random() < 0.4 else content


def _put(random: Random, name: str, content: bytes) -> None:
    """Write a file; seldom, something that is no file stands in its place."""
    path = Path(name)
    match random.randrange(60):
        case 0:
            path.mkdir()
        case 1:
            path.symlink_to(path.name)
        case 2:
            pass
        case _:
            path.write_bytes(content)


def space(random: Random, begun: Path) -> list[str]:
    names = [name for name in names_of_spaces() if name != "seed004"]
    texts = [world.SPACE, *(find_space(name).read_text(encoding="utf-8") for name in names), *ODD_SPACES]
    _put(random, "space.toml", _toml(random, random.choice(texts)))
    return ["plan", "space.toml", "--task", f"{begun}/task.toml", "--model", f"{begun}/encoder"]


def task(random: Random, begun: Path) -> list[str]:
    for name in ("train.tsv", "dev.tsv"):
        shutil.copy(begun / name, name)
    built_in = (find_task(name).read_text(encoding="utf-8") for name in ("afqmc", "rte", "sst2", "tianchi"))
    _put(random, "task.toml", _toml(random, random.choice([world.TASK] * 4 + ODD_TASKS * 2 + [*built_in])))
    return ["plan", f"{begun}/space.toml", "--task", "task.toml", "--model", f"{begun}/encoder"]


def data(random: Random, begun: Path) -> list[str]:
    names = random.choice((("id", "text", "label"), ("text", "label"), ("text", "second", "label"), ("label", "text")))
    found = [
        tables.write(random, Path(), stem, tables.mutated(random, tables.rows(random, names)))
        for stem in ("train", "dev")
    ]
    files = found[: random.choice((1, 1, 1, 2))]
    if random.random() < 0.5:
        kind = random.choice(([], ["--kind", "multilabel"], ["--kind", "score"], ["--drop-unlabelled"]))
        return ["init", *files, *kind, "-o", "out.toml"]
    text = world.TASK.replace("train.tsv", files[0]).replace('"dev.tsv"', f'"{files[-1]}"' if files[1:] else "0.25")
    Path("task.toml").write_text(text, encoding="utf-8")
    return ["plan", f"{begun}/space.toml", "--task", "task.toml", "--model", f"{begun}/encoder"]


def study(random: Random, begun: Path) -> list[str]:
    kind = random.choice(("swept", "swept", "swept", "table", "curve"))
    shutil.copytree(begun / "studies" / kind, "study")
    own = [path for path in Path("study").rglob("*") if path.is_file() and "figures" not in path.parts]
    if kind == "swept" and random.random() < 0.3:
        _spoil(random, random.choice([path for path in own if "weights" in path.parts]))
        return ["predict", "study", f"{begun}/dev.tsv"]
    if random.random() < 0.05:
        _spoil(random, random.choice(own))
    else:
        ledgers.mutate(random, Path("study/ledger.sqlite"))
    other = str(begun / "studies" / random.choice(("swept", "table", "curve")))
    return random.choice(
        (
            *(
                ["verify", "study"],
                ["status", "study"],
                ["report", "study"],
                ["report", "study", "--format", "json,csv"],
            ),
            *(["compare", "study", other], ["compare", other, "study"], ["predict", "study", f"{begun}/dev.tsv"]),
            *(
                ["predict", "study", f"{begun}/dev.tsv", "--cell", "2"],
                ["ensemble", "study"],
                ["report", "study", "--lang", "zh"],
            ),
            ["annotate", "study", "board", "1=0.5"],
        )
    )


def _spoil(random: Random, path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    if path.suffix == ".json" and random.random() < 0.7:
        tree = trees.mutated(random, json.loads(content), 2)
        content = json.dumps(tree, default=str).encode("utf-8", "surrogatepass")
    else:
        content = raw.mutated(random, content, 2)
    _put(random, str(path), content)


def inputs(random: Random, begun: Path) -> list[str]:
    names = random.choice((("id", "text", "label"), ("text",), ("id", "text"), ("label", "words")))
    table = tables.mutated(random, tables.rows(random, names, n_rows=6))
    found = tables.write(random, Path(), "new", table)
    where = random.choice(([], ["-o", "out.csv"], ["-o", "out.jsonl"], ["-o", "out.tsv"]))
    return ["predict", str(begun / "studies/swept"), found, *where]


def imported(random: Random, begun: Path) -> list[str]:
    match random.randrange(4):
        case 0:
            _put(random, "table.md", raw.mutated(random, world.TABLE.encode()))
            return [
                "import",
                "table.md",
                "--study",
                "study",
                *random.choice(([], ["--score", "dev"], ["--seed", "none"])),
            ]
        case 1:
            table = tables.mutated(random, tables.rows(random, ("id", "label", "result"), n_rows=6))
            table = [[*row[:2], index / 7 if index else row[-1]] for index, row in enumerate(table)]
            name = tables.write(random, Path(), "table", table, ("csv", "tsv"))
            return [
                "import",
                name,
                "--study",
                "study",
                *random.choice(([], ["--response", "result"], ["--inert", "label"])),
            ]
        case 2:
            _put(random, "notes.md", raw.mutated(random, world.NOTES.encode()))
            more = ["--column", "attack=(fgm|pgd)", "--score", r"dev=dev (\S+)"]
            return ["import", "notes.md", "--study", "study", "--rows", r"run \d", *more]
    _put(random, "train.log", raw.mutated(random, world.LOG.encode()))
    return ["import", "train.log", "--study", "study", "--curve", random.choice(("epoch", "step"))]


def encoder(random: Random, begun: Path) -> list[str]:
    shutil.copytree(begun / "encoder", "encoder")
    _spoil(random, random.choice([path for path in Path("encoder").iterdir() if path.is_file()]))
    return ["plan", f"{begun}/space.toml", "--task", f"{begun}/task.toml", "--model", "encoder"]


def words(random: Random, begun: Path) -> list[str]:
    for name in ("train.tsv", "dev.tsv", "space.toml", "task.toml", "table.md", "notes.md", "train.log"):
        shutil.copy(begun / name, name)
    shutil.copytree(begun / "studies/swept", "study")
    os.symlink(begun / "encoder", "encoder")
    return of_any_command(random)


SUBJECTS: Final[Mapping[str, Subject]] = {
    one.__name__: one for one in (space, task, data, study, inputs, imported, encoder, words)
}

ODD_SPACES: Final = [
    """
title = "Levels, ranges, rules"
task = "docstrings"
[recipe]
epochs = 2
max_length = "p95"
"pretraining.objective" = "mlm"
"pretraining.steps" = 4
[factors.rate]
column = "lr"
range = { low = 1e-5, high = 1e-3, log = true }
[factors.attack]
baseline = "none"
[factors.attack.levels]
none = { adversarial = "none" }
fgm = { adversarial = "fgm", adversarial_epsilon = 0.5 }
[factors.rate.levels]
a = { learning_rate = 1e-4 }
[design]
kind = "random"
cells = 5
seeds = [0, 1]
on_dead = "collapse"
[[rules]]
skip = "factor.attack == 'fgm' and epochs > 1 or not frozen_layers in [1, 2]"
why = "because"
""",
    """
title = "Rows"
[recipe]
epochs = 1
[factors]
reinit_layers = [0, "50%"]
pooling = ["cls", "mean", "max"]
[design]
kind = "list"
rows = [{ reinit_layers = "0", pooling = "mean" }, { reinit_layers = "50%", pooling = "cls" }]
folds = 3
on_dead = "replicate"
seed_policy = "distinct"
""",
    """
title = "A fraction"
[recipe]
epochs = 1
[factors]
bert_adam = [false, true]
frozen_layers = [0, 1]
weight_decay = [0.0, 0.01]
reinit_pooler = [false, true]
[design]
kind = "fraction"
resolution = 4
order_seed = 3
on_dead = "collapse"
""",
]
ODD_TASKS: Final = [
    """
name = "parts"
kind = "multi"
[target]
part = "one"
[[parts]]
name = "one"
kind = "single"
metric = "f1_macro"
weight = 2.0
[parts.files]
train = "train.tsv"
dev = "dev.tsv"
[parts.columns]
text = "text"
label = "label"
[[parts]]
name = "two"
kind = "single"
metric = "accuracy"
[parts.files]
train = "train.tsv"
dev = 0.2
[parts.columns]
text = "text"
label = "label"
""",
    """
name = "more"
kind = "single"
metric = "f1_binary"
[files]
train = "train.tsv"
dev = 0.25
test = "dev.tsv"
format = "tsv"
split_seed = 3
drop_duplicates = true
[columns]
header = true
separator = "\\t"
quoting = false
text = 1
label = 2
[labels]
names = ["good", "bad"]
positive = "good"
ignore = ["-"]
[corpus]
files = ["dev.tsv"]
""",
]
__all__ = ["SUBJECTS", "Subject", "odd"]
