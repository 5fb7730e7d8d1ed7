"""Whatever a command meets, it ends with the right code and one sentence; tried by injection."""

import errno
import os
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gridsearch.errors import GridSearchError, RequestError
from gridsearch.study import opening
from gridsearch.study.study import Study
from runners.cli import EXIT_INTERNAL_ERROR, EXIT_INTERRUPTED, EXIT_WRONG_REQUEST, main
from runners.commands import knobs, verify
from runners.endings import interrupts, reasons


def full() -> None:
    with open("/dev/full", "w") as file:
        file.write("x")


def raised(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def full_ledger() -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("PRAGMA max_page_count = 1")
        connection.execute("CREATE TABLE one (a)")
        connection.execute("CREATE TABLE other (a)")


def no_database() -> None:
    Path("x.sqlite").write_text("not a database, but long enough to be taken for one" * 40)
    sqlite3.connect("x.sqlite").execute("SELECT * FROM sqlite_master")


def deep() -> None:
    deep()


def rust_full() -> None:
    raise type("SafetensorError", (Exception,), {})("I/O error: No space left on device (os error 28)")


IN_THE_WAY: dict[str, tuple[Callable[[], object], str]] = {
    "a wrong request": (raised(RequestError("a knob is missing")), "a knob is missing"),
    "anything of ours": (raised(GridSearchError("no epoch is left")), "no epoch is left"),
    "full": (full, "No space left on device: make room"),
    "full, by name": (
        raised(OSError(errno.ENOSPC, "No space left on device", "here/x")),
        r"here/x: No space left on de",
    ),
    "a quota": (
        raised(OSError(errno.EDQUOT, "Disk quota exceeded", "here/x")),
        "here/x: Disk quota exceeded: make room",
    ),
    "full, in Rust": (rust_full, "No space left on device: make room"),
    "full, in SQLite": (full_ledger, "No space left on device: make room"),
    "read-only": (raised(OSError(errno.EROFS, "Read-only file system", "x")), "x: Read-only file system"),
    "no permission": (raised(PermissionError(errno.EACCES, "Permission denied", "x")), "x: Permission denied"),
    "a file for a folder": (lambda: Path("/dev/null/x").mkdir(), "/dev/null/x: a file is where a folder is to be"),
    "a file in the way": (lambda: Path("/dev/null").mkdir(), "/dev/null: a file is where a folder is to be"),
    "a long name": (lambda: Path("x" * 300).touch(), r"^gridsearch knobs: x{40}\.\.\.x{20}: File name too long$"),
    "an error of Python's alone": (raised(OSError("bad handshake")), "input or output: bad handshake"),
    "no library": (
        raised(OSError("libcudart.so.12: cannot open shared object file: No such file or directory")),
        "a library cannot be loaded .*libcudart.so.12.*: install the build of its package",
    ),
    "a package without its library": (
        raised(ImportError("libtorch_cpu.so: undefined symbol", name="torch._C")),
        "a package cannot be loaded .*undefined symbol.*gridsearch doctor",
    ),
    "a package that is not there": (
        raised(ModuleNotFoundError("No module named 'scipy'", name="scipy")),
        "No module name",
    ),
    "Ray that is not there": (
        raised(ModuleNotFoundError("No", name="ray")),
        r"pip install 'ray\[tune\]'`, or take --run",
    ),
    "no memory": (raised(MemoryError()), "memory does not suffice"),
    "no memory, of the system": (raised(OSError(errno.ENOMEM, "Cannot allocate memory")), "memory does not suffice"),
    "no memory, in torch": (
        raised(
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried")
        ),
        "memory does not suffice",
    ),
    "no threads": (raised(RuntimeError("can't start new thread")), "no more threads"),
    "no database": (no_database, "the ledger cannot be written or read: file is not a database"),
    "a database that is locked": (raised(sqlite3.OperationalError("database is locked")), "database is locked"),
}


def meet(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knobs, "run", lambda arguments: act() or 0)


@pytest.mark.parametrize(("act", "sentence"), IN_THE_WAY.values(), ids=IN_THE_WAY.keys())
def test_what_is_in_the_way_is_one_sentence_and_code_2(
    act: Callable[[], object], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    meet(act, monkeypatch)
    assert main(["knobs"]) == EXIT_WRONG_REQUEST
    printed, told = capsys.readouterr()
    assert (printed, len(told.splitlines())) == ("", 1)
    assert told.startswith("gridsearch knobs: ")
    assert re.search(sentence, told.strip()), told


OUR_OWN: dict[str, Callable[[], object]] = {
    "a key": raised(KeyError("x")),
    "an assertion": raised(AssertionError()),
    "a recursion": deep,
    "several lines": raised(ValueError("one\ntwo")),
    "Chinese": raised(ValueError("中文…")),
    "an import of ours": raised(ImportError("cannot import name 'x'", name="gridsearch.trial")),
    "an exit": raised(SystemExit(3)),
    "a group": raised(ExceptionGroup("several", [ValueError("x"), KeyError("y")])),
}


@pytest.mark.parametrize("act", OUR_OWN.values(), ids=OUR_OWN.keys())
def test_an_error_of_our_own_is_one_line_with_a_file(
    act: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    meet(act, monkeypatch)
    assert main(["knobs"]) == EXIT_INTERNAL_ERROR == 70
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    (file,) = tmp_path.iterdir()
    assert told.startswith("gridsearch knobs: an error in gridsearch itself: ")
    assert told.endswith(f"; please report it with {file} and what `gridsearch doctor --json` prints\n")
    text = file.read_text(encoding="utf-8")
    assert re.search(r"^gridsearch [0-9.]+, Python 3", text)
    assert "Traceback (most recent call last)" in text
    assert file.name.startswith("gridsearch-error-")


def test_the_file_lies_in_the_study_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "a study"
    study.mkdir()
    monkeypatch.setattr(verify, "run", lambda arguments: {}["x"])
    assert main(["verify", str(study)]) == EXIT_INTERNAL_ERROR
    (file,) = study.iterdir()
    assert f"report it with '{file}' and" in capsys.readouterr().err


def test_without_a_place_for_the_file_the_line_says_where_it_happened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/dev/null")
    meet(lambda: {}["x"], monkeypatch)
    assert main(["knobs"]) == EXIT_INTERNAL_ERROR
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert re.search(rf"KeyError: 'x' \({re.escape(__file__)}:\d+\); its traceback could not be written", told)


@pytest.mark.parametrize("command", ["knobs", "verify"])
def test_an_interrupt_is_130_whatever_a_library_makes_of_it(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(arguments: object) -> int:
        try:
            os.kill(os.getpid(), interrupts.signal.SIGTERM)
        except KeyboardInterrupt:
            raise ImportError("numpy could not be imported") from None
        return 0

    monkeypatch.setattr({"knobs": knobs, "verify": verify}[command], "run", interrupted)
    before = interrupts.signal.getsignal(interrupts.signal.SIGTERM)
    assert main([command, *(["study"] if command == "verify" else [])]) == EXIT_INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"
    assert interrupts.signal.getsignal(interrupts.signal.SIGTERM) == before
    # The next command in this process knows nothing of it.
    monkeypatch.setattr(verify, "run", lambda arguments: {}["x"])
    assert main(["verify", "study"]) == EXIT_INTERNAL_ERROR


def test_ray_that_exits_while_it_starts_is_an_interrupt(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    meet(raised(SystemExit(interrupts.signal.SIGTERM)), monkeypatch)
    assert main(["knobs"]) == EXIT_INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


def test_what_was_ignored_stays_ignored() -> None:
    signal = interrupts.signal
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.interruptible():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGHUP, before)
        interrupts.forget_interrupts()


def test_a_full_disk_names_the_folder_and_how_to_choose_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    study = tmp_path / "study"
    room = {"study": 0, "cache": 2**30, "temporary": 100}
    monkeypatch.setattr(reasons, "_free_bytes", lambda folder: room[folder.name])
    told = reasons.sentence_about(OSError(errno.ENOSPC, "No space left on device"), study)
    assert told == (
        f"the study {study} and the temporary folder {tmp_path}/temporary: No space left on device: make room, or name "
        "another folder with --study, or set TMPDIR to another folder, and give the same command again"
    )
    told = reasons.sentence_about(OSError(errno.ENOSPC, "No space left", str(tmp_path / "cache" / "x" / "y")), study)
    assert told == (
        f"{tmp_path}/cache/x/y: No space left: make room, or set GRIDSEARCH_CACHE to another folder, and give the same "
        "command again"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["plan", os.fsdecode(b"caf\xe9.toml")], "is not in utf-8: give it another name"),
        (["init", "train.csv", os.fsdecode(b"d\xe9v.csv"), "-o", "x.toml"], "is not in utf-8"),
        (["sweep", "finetune64", "--study", os.fsdecode(b"\xff")], "is not in utf-8"),
    ],
)
def test_names_that_cannot_be_are_told_and_nothing_is_made(
    words: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == EXIT_WRONG_REQUEST
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_path_too_long_for_sqlite_is_told_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    n_left = opening.PATH_BYTES - len(os.fsencode(tmp_path / "ledger.sqlite")) - 1
    for n_more in (1, 0):
        study = Study(Path("d" * 200, "e" * (n_left - 201 + n_more)))
        if n_more:
            with pytest.raises(RequestError, match="has 505 bytes, and SQLite takes 504 at most"), study.driven():
                pass
            assert not list(tmp_path.iterdir())
    with study.driven() as ledger:
        ledger.heartbeat()


def test_a_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["plan", "finetune64"]) == EXIT_WRONG_REQUEST
    assert "the folder that this was started in is gone" in capsys.readouterr().err


NUL = "\\u0000"
TASK = 'name = "x"\nkind = "single"\nmetric = "accuracy"\n[columns]\ntext = 0\nlabel = 1\n'


@pytest.mark.parametrize(
    ("space", "task"),
    [
        ("", f'{TASK}[files]\ntrain = "a{NUL}.tsv"\n'),
        ("", f'{TASK}[files]\ntrain = "rows.tsv"\ndev = "a{NUL}.tsv"\n'),
        ("", f'{TASK}[labels]\nfile = "a{NUL}"\n[files]\ntrain = "rows.tsv"\ndev = 0.5\n'),
        (f'task = "a{NUL}.toml"\n', ""),
        (f'model = "a{NUL}"\n', ""),
    ],
)
def test_a_path_that_no_file_can_have_is_told(
    space: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.tsv").write_text("good one\ta\nbad one\tb\n" * 9, encoding="utf-8")
    Path("space.toml").write_text(f"{space}[factors]\nbert_adam = [false, true]\n", encoding="utf-8")
    Path("task.toml").write_text(task, encoding="utf-8")
    words = ["--task", "task.toml"] if task else []
    assert main(["plan", "space.toml", *words]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "NUL" in told or "a\\x00" in told
