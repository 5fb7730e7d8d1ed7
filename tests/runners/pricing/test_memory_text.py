"""The lines of ``plan`` about memory: one for each kind of trial, with what makes it one."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gridsearch.encoders.load import describe
from gridsearch.planning.cost_groups import groups_of
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.tasks.taskfile import load_task
from runners.pricing.memory_text import N_LISTED, memory_lines
from tests.runners.pricing.test_price_cache import PRICE

ATTACKS = """
[recipe]
batch_size = 64
[factors.attack.levels]
none = { adversarial = "none" }
fgm = { adversarial = "fgm", adversarial_epsilon = 0.1 }
"pgd 0.2" = { adversarial = "pgd", adversarial_epsilon = 0.2, batch_size = 24 }
"pgd 0.5" = { adversarial = "pgd", adversarial_epsilon = 0.5, batch_size = 24 }
"""


def groups(space: str, encoder_folder: Path):
    task = load_task(Path("task.toml"))
    asked = parse_space(space, "test").with_fixed({"encoder": str(encoder_folder), "max_length": 24})
    return groups_of(make_plan(asked, task, partial(describe, corpus=task.corpus)))


def priced(n: int, of: str = "process"):
    """Return prices, the last of which needs most memory."""
    return [replace(PRICE, peak_bytes=(number + 1) * 10**9, peak_of=of) for number in range(n)]


@pytest.mark.usefixtures("project")
def test_a_line_a_kind_with_what_differs(encoder_folder: Path) -> None:
    found = groups(ATTACKS, encoder_folder)
    lines = memory_lines(found, priced(len(found)))
    text = "\n".join(lines)
    assert lines[0].startswith("memory   peak of a trial, in its process's memory, as there is no GPU: Python")
    kinds = [line.strip() for line in lines if " GB  " in line]
    assert len(kinds) == len(found)
    assert kinds[0].startswith(f"{len(found)}.0 GB"), "the largest first"
    assert [line for line in kinds if "adversarial = pgd" in line and "batch_size = 24" in line]
    assert [line for line in kinds if "adversarial = fgm" in line and "batch_size = 64" in line]
    assert "weight_decay" not in text
    assert max(map(len, text.splitlines())) <= 80
    one_size = [replace(PRICE, peak_bytes=2 * 10**9, peak_of="process")] * len(found)
    (line,) = memory_lines(found, one_size)
    assert line.replace("\n         ", " ").endswith("part of it; 2.0 GB whatever the kind")
    assert "in the GPU's memory:" in memory_lines(found, priced(len(found), "device"))[0]
    assert "at most" in memory_lines(found, priced(len(found), "process, at most"))[0]


@pytest.mark.usefixtures("project")
def test_one_kind_is_any_trial_and_what_an_older_version_measured_says_nothing(encoder_folder: Path) -> None:
    found = groups("[factors]\nlearning_rate = [1e-5, 2e-5]\n", encoder_folder)
    assert memory_lines(found, priced(1))[-1].split() == ["1.0", "GB", "any"]
    assert memory_lines(found, [PRICE]) == []


@pytest.mark.usefixtures("project")
def test_many_kinds_are_cut_to_the_largest(encoder_folder: Path) -> None:
    found = groups(f"[factors]\nbatch_size = {list(range(1, N_LISTED + 3))}\n", encoder_folder)
    lines = memory_lines(found, priced(len(found)))
    assert lines[-1].strip() == "... and 2 other kinds of trials take less"
    assert sum(" GB  " in line for line in lines) == N_LISTED
