"""``--json``: whatever a command meets, standard output is one object, with the keys that docs/json.md names."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from runners.cli import build_parser, main, parse
from runners.programs.output import FORMAT
from tests.fixtures_core import slow

TOP = Path(__file__).parents[3]
DOCS = (TOP / "docs" / "json.md").read_text(encoding="utf-8")
TYPES: Mapping[str, Callable[[object], bool]] = {
    "text": lambda value: isinstance(value, str),
    "whole number": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
FIRST = ("format", "command", "exit_code")


def _documented() -> dict[str, dict[str, str]]:
    """Map each command to its keys and their types."""
    found: dict[str, dict[str, str]] = {}
    for section in DOCS.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        keys = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", body, re.MULTILINE))
        found |= dict.fromkeys(re.findall(r"`(\w+)`", title), keys)
    return found


DOCUMENTED = _documented()


def asked(capsys: pytest.CaptureFixture[str], *words: object, code: int = 0) -> dict[str, Any]:
    """Run a command; return the object, whose keys and types are those of the docs."""
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == code
    printed = capsys.readouterr()
    found: dict[str, Any] = json.loads(printed.out)
    command = str(words[0])
    assert tuple(found)[:3] == FIRST
    assert (found["format"], found["command"], found["exit_code"]) == (FORMAT, command, code)
    if "error" in found:
        assert tuple(found) == (*FIRST, "error")
        assert found["error"] in printed.err
        return found
    assert found.keys() - set(FIRST) == DOCUMENTED[command].keys()
    for key, kinds in DOCUMENTED[command].items():
        assert any(TYPES[kind.strip()](found[key]) for kind in kinds.split(" or ")), (command, key, found[key])
    return found


def commands() -> Iterator[str]:
    (actions,) = [one for one in build_parser()._actions if isinstance(one.choices, dict)]
    yield from (name for name, parser in actions.choices.items() if "--json" in parser.format_usage())


def test_every_command_that_has_it_is_documented() -> None:
    assert sorted(DOCUMENTED) == sorted(commands())


SPACE = """
title = "Does it help?"
[recipe]
epochs = 1
batch_size = 16
max_length = 8
[factors]
bert_adam = [false, true]
"""


@pytest.fixture
def question(project: Path, encoder_folder: Path) -> list[object]:
    Path("small.toml").write_text(SPACE)
    return ["small.toml", "--task", "task.toml", "--model", encoder_folder]


def test_a_study_from_its_plan_to_its_page(question: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    planned = asked(capsys, "plan", *question, "--study", "study")
    assert (planned["n_cells"], planned["n_trials"], planned["n_pending"]) == (2, 2, None)
    assert [cell["levels"] for cell in planned["cells"]] == [{"bert_adam": "0"}, {"bert_adam": "1"}]
    sweep = ["sweep", *question, "--study", "study", "--runner", "serial", "--keep", "best"]
    assert asked(capsys, *sweep, "--time-limit", "0.0001", code=1)["coverage"]["failed"] == 2
    assert {one["kind"] for one in asked(capsys, "verify", "study", code=1)["failures"]} == {"time_limit"}
    assert asked(capsys, "skip", "study", "--cell", "1", "--why", "a try")["left_out"]
    assert asked(capsys, "verify", "study", code=1)["skipped"] == [
        {"cell": 1, "levels": {"bert_adam": "0"}, "why": "a try"}
    ]
    assert not asked(capsys, "skip", "study", "--cell", "1", "--undo")["left_out"]
    swept = asked(capsys, *sweep, "--retry-failed")
    assert swept["complete"]
    assert swept["coverage"]["line"] == "complete: 2 planned, 2 finished, 0 failed, 0 pending"
    assert swept["best"]["trials"][0] in {trial for cell in planned["cells"] for trial in cell["trials"]}
    assert all(Path(file).is_file() for file in swept["files"])
    assert asked(capsys, "verify", "study")["complete"]
    assert asked(capsys, "status", "study")["best"] == swept["best"]
    assert asked(capsys, "stop", "study")["driver"] is None
    (file,) = asked(capsys, "report", "study", "--format", "csv", "-o", "out")["files"][:1]
    assert Path(file).is_file()
    assert asked(capsys, "plan", *question, "--study", "study")["n_pending"] == 0
    exported = asked(capsys, "export", "study", "--to", "csv", "-o", "tables")
    assert Path(exported["place"], "trials.csv").is_file()
    scored = asked(capsys, "annotate", "study", "board", "1=0.5")["scores"]
    assert [(one["before"], one["after"]) for one in scored] == [(None, 0.5)]
    Path("new.txt").write_text("Return the tensor.\n")
    predicted = asked(capsys, "predict", "study", "new.txt", "-o", "labels.csv")
    assert (predicted["rows"], Path(predicted["file"]).is_file()) == (1, True)
    assert "-o FILE" in asked(capsys, "predict", "study", "new.txt", code=2)["error"]
    assert asked(capsys, "rerun", "study", "--trial", "best")["equal"] is True
    assert len(asked(capsys, "ensemble", "study", "--cells", "1,2")["members"]) == 2


@pytest.mark.slow  # a search, a pretraining, and workers of their own
def test_the_commands_that_take_longer(question: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--study", "searched", "--trials", "2", "--runner", "serial"]
    searched = asked(capsys, "optimize", *question, *options)
    assert searched["coverage"]["finished"] == 2
    swept = asked(capsys, "sweep", *question, "--study", "swept", "--runner", "processes", "--workers", "1")
    assert swept["complete"]
    compared = asked(capsys, "compare", "searched", "swept")
    assert [pair["difference"] for pair in compared["pairs"]] == [0.0, 0.0]
    knobs = ("steps=2", "batch_size=4", "max_length=16")
    words = ["--model", question[-1], "-o", "made", *(f"--set=pretraining.{knob}" for knob in knobs)]
    assert asked(capsys, "pretrain", "task.toml", *words)["steps"] == 2


def test_what_needs_no_study(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (knob,) = asked(capsys, "knobs", "epochs")["knobs"]
    assert (knob["name"], knob["default"], knob["schema"]["type"]) == ("epochs", 3, "integer")
    assert len(asked(capsys, "knobs")["knobs"]) > 50
    assert asked(capsys, "schema", "task")["schema"]["oneOf"]
    made = asked(capsys, "init", "data.tsv", "-o", "mine.toml")
    assert (made["parts"][0]["labels_are"], made["task"]) == ("class", "mine.toml")
    Path("table.csv").write_text("a,b,seed,result\n0,0,1,0.5\n0,1,1,0.6\n1,0,1,0.7\n1,1,1,\n")
    imported = asked(capsys, "import", "table.csv", "--study", "published")
    assert (imported["rows"], imported["taken_as_seeds"]) == (3, ["seed"])
    asked(capsys, "doctor", "--study", "studies")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["verify", "nowhere"], "nowhere"),
        (["knobs", "epoch"], "did you mean 'epochs'?"),
        (["init", "nothing.csv", "-o", "task.toml"], "a data file must exist"),
    ],
)
def test_an_error_is_an_object_too(
    words: list[str], sentence: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sentence in asked(capsys, *words, code=2)["error"]


@pytest.mark.parametrize(
    ("words", "command", "sentence"),
    [
        (["plan"], "plan", "the following arguments are required: SPACE"),
        (["swep", "x"], "swep", "invalid choice: 'swep'"),
        (["plan", "x", "--no-such"], "plan", "unrecognized arguments: --no-such"),
        (["sweep", "x", "--seeds", "a"], "sweep", "seeds are whole numbers"),
        ([], None, "required: COMMAND"),
    ],
)
def test_so_is_a_word_that_no_command_takes(
    words: list[str], command: str | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert (ended.value.code, found["exit_code"], found["command"]) == (2, 2, command)
    assert sentence in found["error"]
    assert found["error"] in printed.err


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [(KeyboardInterrupt(), 130, "interrupted"), (ZeroDivisionError("x"), 70, "an error in gridsearch itself")],
)
def test_so_are_interrupts_and_errors_of_its_own(
    error: BaseException, code: int, sentence: str, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runners.commands import knobs

    def fail(arguments: object) -> None:
        print("on the way")
        raise error

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(knobs, "run", fail)
    assert sentence in asked(capsys, "knobs", code=code)["error"]


PRINTS = """
import os, sys
from runners.commands import knobs
from runners.programs.answer import Answer
def run(arguments):
    print("printed"); os.system("echo of a child"); os.write(1, b"by a library\\n")
    return Answer({"knobs": ["\\u4e2d \\U0001f600"]})
knobs.run = run
from runners.cli import main
sys.argv = ["gridsearch", "knobs", "--json"]
sys.exit(main())
"""


def test_what_others_print_goes_to_standard_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINTS],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
    )
    assert json.loads(done.stdout)["knobs"] == ["中 😀"]
    assert done.stderr.split("\n")[:3] == ["printed", "of a child", "by a library"]


@pytest.mark.parametrize("words", [["knobs", "epochs"], slow(["init", "data.tsv", "-o", "mine.toml"])])
def test_nothing_is_asked_where_standard_input_is_closed(words: list[str], project: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m runners.cli {" ".join(words)} --json <&-', sys.executable],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP)},
    )
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 0


def test_no_module_asks_a_question() -> None:
    asking = [
        path
        for room in ("gridsearch", "runners", "reports", "search_spaces")
        for path in (TOP / room).rglob("*.py")
        if re.search(r"(?<![\w.])input\(", path.read_text(encoding="utf-8"))
    ]
    assert asking == []


def test_how_a_study_was_made_does_not_tell_how_it_was_printed() -> None:
    assert parse(["sweep", "finetune64", "--json"]).words == ["sweep", "finetune64"]
