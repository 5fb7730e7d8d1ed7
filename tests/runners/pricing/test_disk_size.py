"""What ``plan`` says of the disk, held against what sweeps in earnest leave there, and have there at any moment."""

import contextlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from gridsearch.cache import cache_folder
from gridsearch.planning.plan import Plan
from gridsearch.study.ledger_size import ledger_size
from gridsearch.study.study import Study
from reports.page import write_page
from runners.backends.serial import SerialRunner
from runners.cli import main
from runners.pricing.disk_size import DiskSize, WeightsSize, bytes_below, disk_size, shortages
from runners.pricing.forecast import made_stages
from tests.runners.driving import sweep
from tests.runners.staging import plan_of_space, space_of

TRIALS = """
title = "Weights of several sizes"
[recipe]
epochs = 2
learning_rate = 3e-3
batch_size = 32
max_length = 16
[factors]
pooling = ["cls", "cls_cat"]
checkpoints = [1, 2]
frozen_layers = [0, 1]
[design]
seeds = [0]
"""


class Usage(NamedTuple):
    """As ``shutil.disk_usage`` tells it, in bytes."""

    total: int
    used: int
    free: int


@dataclass
class Watched:
    """The bytes of a folder: the most that it was seen to have."""

    most: int = 0


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Look at a folder every few milliseconds."""
    found, over = Watched(), threading.Event()

    def look() -> None:
        while not over.wait(0.003):
            found.most = max(found.most, bytes_below(folder))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
        found.most = max(found.most, bytes_below(folder))


def foretold(plan: Plan, study: Study, keep: str = "none") -> DiskSize:
    n_bytes = ledger_size(plan, "auto").total_bytes
    return disk_size(plan, study, made_stages(plan), keep=keep, ledger_bytes=n_bytes, n_workers=1)


@pytest.mark.slow  # sweeps in earnest, eight trials each
@pytest.mark.parametrize("keep", ["best", "top-3", "all"])
def test_a_study_keeps_to_what_was_foretold_with_its_weights(project: Path, encoder_folder: Path, keep: str) -> None:
    plan, study = plan_of_space(encoder_folder, TRIALS), Study(Path("study"))
    size = foretold(plan, study, keep)
    with watched(study.folder) as seen:
        sweep(plan, study, SerialRunner(), keep=keep)
        write_page(study)
    in_the_end = bytes_below(study.folder)
    weights = bytes_below(study.weights_folder)
    assert size.weights.n == {"best": 2, "top-3": 4, "all": len(plan.trials)}[keep]
    assert weights <= seen.most <= size.study_bytes < 3 * in_the_end
    assert weights <= size.weights.total_bytes


@pytest.mark.slow  # pretrainings in earnest, and trials that start from them
@pytest.mark.parametrize("checkpoints", ['[2, 4, "last"]', "[2, 4]"], ids=["to the last step", "and not to it"])
def test_the_cache_keeps_to_what_was_foretold_of_pretrainings(
    project: Path, encoder_folder: Path, checkpoints: str
) -> None:
    lines = '"pretraining.steps" = 6\n"pretraining.lookahead_steps" = 2\n"pretraining.seed" = "trial"'
    space = space_of(f'"pretraining.checkpoint" = {checkpoints}', lines)
    plan, study = plan_of_space(encoder_folder, space), Study(Path("study"))
    size = foretold(plan, study, "all")
    before = bytes_below(cache_folder())
    with watched(cache_folder()) as seen:
        sweep(plan, study, SerialRunner(), keep="all", save_seconds=0.0)
    added = bytes_below(cache_folder()) - before
    assert size.n_encoders == len(plan.stages)
    assert added <= size.cache_bytes < 3 * added
    assert seen.most - before <= size.cache_bytes + size.passing_bytes
    assert bytes_below(study.folder) <= size.study_bytes < 3 * bytes_below(study.folder)
    again = foretold(plan, study, "all")
    assert (again.n_encoders, again.passing_bytes) == (0, 0)


def test_a_plan_says_the_bound_and_where_there_is_too_little_room_for_it(
    project: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plan", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "here"]

    def told(*more: str) -> str:
        assert main([*words, *more]) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "no weights, as --keep is none" in told()
    usage = shutil.disk_usage(project)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(usage.total, usage.total - 1_500_000, 1_500_000))
    assert "caution the disk" not in told()
    found = told("--keep", "all")
    assert "weights with --keep all: 8 times" in found
    assert "caution the disk of the study, here, has 1.5 MB free, and up to" in found
    assert "name another folder with --study, or keep fewer weights with --keep" in found
    assert not Path("here").exists()


def test_a_cache_on_another_disk_is_told_of_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [place for place in map(Path, ("/dev/shm", "/tmp", "/")) if place.stat().st_dev != tmp_path.stat().st_dev]
    if not others:
        pytest.skip("this machine has one disk")
    studies, caches = tmp_path / "studies", others[0]
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(caches / "gridsearch-none"))
    size = DiskSize(3000, 0, WeightsSize(0, 0, 0), 0, 1, 5000, 2000)
    free = {studies.parent: 2999, caches: 7000}
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(9999, 0, free[Path(place)]))
    assert list(shortages(size, Study(studies))) == [(studies, 3000, 2999)]
    free |= {studies.parent: 3000, caches: 6999}
    assert list(shortages(size, Study(studies))) == [(caches / "gridsearch-none", 7000, 6999)]
