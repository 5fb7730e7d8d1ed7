"""A disk that is full while a command writes: one sentence, nothing torn, and with more room the same results."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from gridsearch.trial import Failure
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, EXIT_WRONG_REQUEST, main
from runners.recorder import GridSearchError, _end_of_a_full_disk
from tests.fixtures_core import slow
from tests.runners.lasting.test_damaged_studies import SPACE, Words, results, told
from tests.runners.staging import numbers, space_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
Disk = Callable[[str, str], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Return how to mount a small disk at a folder of this name, or give it another size."""
    mounted: list[Path] = []

    def mount(name: str, size: str) -> Path:
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        how = ["-o", f"{'remount,' if place in mounted else ''}size={size}"]
        if subprocess.run(["mount", "-t", "tmpfs", *how, "tmpfs", place], check=False).returncode:
            pytest.skip("no small disk can be mounted here")
        mounted.append(place)
        return place

    yield mount
    for place in set(mounted):
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path, leave: int = 0) -> Path:
    """Fill a disk, but for so many bytes."""
    ballast = place / "ballast"
    room = os.statvfs(place)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
    os.truncate(ballast, max(0, ballast.stat().st_size - leave))
    return ballast


@pytest.fixture
def words(project: Path, encoder_folder: Path) -> Words:
    (project / "question.toml").write_text(SPACE)
    return [
        *("sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder)),
        *("--runner", "serial", "--study"),
    ]


def refused(code: int, said: str) -> None:
    assert (code, len(said.splitlines())) == (EXIT_WRONG_REQUEST, 1), said
    assert "No space left on device" in said


@pytest.mark.parametrize(("size", "keep"), [("180k", "none"), slow("500k", "all")], ids=["the ledger", "kept weights"])
def test_a_study_goes_on_when_there_is_room(
    size: str, keep: str, words: Words, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    study = disk("disk", size) / "study"
    refused(*told([*words, str(study), "--keep", keep], capsys))
    assert not list(study.glob("**/*.part")), "what was half written makes room"
    code, said = told(["verify", str(study)], capsys)
    assert code in (EXIT_INCOMPLETE, EXIT_WRONG_REQUEST), "it is whole, or was never begun"
    assert "damaged" not in said
    disk("disk", "20m")
    assert main([*words, str(study), "--keep", keep]) == EXIT_DONE
    assert main([*words, "whole"]) == EXIT_DONE
    assert results(str(study)) == results("whole")


@pytest.mark.slow  # 1.2 s
def test_a_page_that_finds_no_room_leaves_the_one_before(
    words: Words, disk: Disk, capsys: pytest.CaptureFixture[str]
) -> None:
    study = disk("disk", "4m") / "study"
    assert main([*words, str(study)]) == EXIT_DONE
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file() and path.suffix != ".lock"}
    ballast = fill(disk("disk", "4m"))
    refused(*told(["report", str(study)], capsys))
    assert {path: path.read_bytes() for path in before} == before
    assert not list(study.glob("**/*.part"))
    ballast.unlink()
    assert main(["report", str(study)]) == EXIT_DONE


@pytest.mark.slow  # 2.0 s
def test_a_cache_that_is_full_fails_nothing_that_it_serves(
    words: Words, disk: Disk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "whole", "--folds", "2"]) == EXIT_DONE
    cache = disk("full cache", "40k")
    fill(cache)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(cache))
    assert main([*words, "study", "--folds", "2"]) == EXIT_DONE
    assert results("study") == results("whole")
    assert [path.name for path in cache.rglob("*") if path.is_file()] == ["ballast"]


def test_prices_that_find_no_room_are_told_all_the_same(
    words: Words, disk: Disk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("runners.pricing.measure.SECONDS", 0.1)
    cache = disk("full cache", "40k")
    fill(cache)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(cache))
    plan = ["plan", *words[1:6], "--workers", "1"]
    assert main([*plan, "--measure"]) == EXIT_DONE
    printed = capsys.readouterr()
    assert printed.err.count("No space left on device") == 1
    assert "caution: what was measured is told here, and not kept for later: " in printed.err
    assert "set GRIDSEARCH_CACHE to another folder" in printed.err
    assert "measured here on" in printed.out
    assert main(plan) == EXIT_DONE
    assert "measured here on" not in capsys.readouterr().out


@pytest.mark.slow  # 3 s
@pytest.mark.parametrize("leave", [0, 20_000], ids=["before the first", "in an encoder"])
def test_pretrainings_go_on_when_there_is_room(
    leave: int, words: Words, disk: Disk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a worker finds full ends the sweep: it is no fault of the stage, which is not failed for good."""
    Path("question.toml").write_text(space_of('"pretraining.steps" = [4, 6]', seeds="[0]"))
    cache = disk("full cache", "1m")
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(cache))
    ballast = fill(cache, leave)
    refused(*told([*words, "study"], capsys))
    assert not list(cache.glob("**/*.draft-*"))
    ballast.unlink()
    disk("full cache", "20m")
    assert main([*words, "study"]) == EXIT_DONE
    monkeypatch.setenv("GRIDSEARCH_CACHE", "another cache")
    assert main([*words, "whole"]) == EXIT_DONE
    assert numbers("study") == numbers("whole")
    with Study(Path("study")).open() as ledger:
        assert ledger.stages.coverage().failed == 0


def test_only_a_full_disk_ends_a_sweep() -> None:
    _end_of_a_full_disk(Failure("code_error", "KeyError: 'x'"))
    with pytest.raises(GridSearchError, match=r"^OSError: No space: make room, and give the same command again$"):
        _end_of_a_full_disk(Failure("full_disk", "OSError: No space"))
    shutil.rmtree("another cache", ignore_errors=True)
