"""``gridsearch import`` as it is typed."""

import re
import shlex
from pathlib import Path

import pytest

from runners.cli import build_parser, main

TABLE = "| lr | seed | dev | f1 |\n|---|---|---|---|\n| 1 | 1 | 0.5 | 0.6 |\n| 2 | 1 | 0.6 | |\n| 3 | 1 | | 0.7? |\n"
NOTES = "run 1 fgm 0.1 dev 0.5 0.6\nrun 2 pgd 0.1 dev 0.6\nrun 3 fgm 0.1 dev 0.4 0.7\n"
LOG = "{'loss': 2.0, 'epoch': 1.0}\n{'loss': 1.0, 'epoch': 2.0}\n{'loss': nan, 'epoch': 3.0}\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("table.md", TABLE), ("notes.md", NOTES), ("train.log", LOG)):
        Path(name).write_text(text)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["table.md", "--response", "f1", "--score", "dev"],
            "2 rows imported into studies/table\n"
            "column 'seed' is taken as the seed of each row, and is no factor; `--seed none` makes it one\n"
            "2 of 3 rows have a number in f1; without one: row 2 (2).\n"
            "page: studies/table/page.html\ntext: studies/table/page.md\n",
        ),
        (
            ["table.md", "--response", "f1", "--seed", "none", "--inert", "seed"],
            "2 rows imported into studies/table\n"
            "2 of 3 rows have a number in f1; without one: row 2 (2).\n"
            "page: studies/table/page.html\ntext: studies/table/page.md\n",
        ),
        (
            [
                *("notes.md", "--study", "s", "--rows", r"run \d", "--column", "attack=(fgm|pgd)"),
                *("--score", r"dev=dev (\S+)", "--response", r"f1=dev \S+ (\S+)"),
            ],
            "2 rows imported into s\n2 of 3 rows have a number in f1; without one: row run 2.\n"
            "page: s/page.html\ntext: s/page.md\n",
        ),
        (
            ["train.log", "--curve", "epoch"],
            "2 points imported into studies/train\n"
            "left out, because loss is not finite: epoch 3.0 (nan)\n"
            "page: studies/train/page.html\ntext: studies/train/page.md\n",
        ),
    ],
)
def test_it_says_what_it_did(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", *words]) == 0
    assert capsys.readouterr().out == said


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train.log", "--curve", "epoch", "--inert", "x"], "--inert has no meaning beside --curve"),
        (["train.log", "--curve", "epoch", "--seed", "x"], "--seed has no meaning beside --curve"),
        (["train.log", "--curve", "epoch", "--table", "1"], "--table has no meaning beside --curve"),
        (["train.log", "--curve", "epoch", "--column", "a=x"], "--column has no meaning beside --curve"),
        (["train.log", "--curve", "epoch", "--rows", "x"], "--curve has no meaning beside --rows"),
        (["notes.md", "--rows", "run", "--table", "1"], "--table has no meaning beside --rows"),
        (["notes.md", "--column", "a=x"], "--column reads notes, and needs --rows REGEX too"),
        (["notes.md", "--rows", "(", "--column", "a=x"], "--rows: '(' is no regular expression: missing )"),
        (["notes.md", "--rows", "run", "--column", "a=x", "--response", "f1=["], "--response f1: '[' is no regular"),
        (["notes.md", "--rows", "run", "--column", "a=x", "--inert", "b"], "--inert: unknown column to compare 'b'"),
        (
            ["notes.md", "--rows", "run", "--column", "a=x", "--score", "b"],
            "--score takes NAME=REGEX here, but got 'b'",
        ),
        (["table.md", "--response", "f2"], "unknown column 'f2'; known: lr, seed, dev, f1"),
        (["table.md", "--seed", "f1"], "--seed: column 'f1' holds the results"),
        (["table.md", "--seed", "sed"], "--seed: unknown column 'sed' (did you mean 'seed'?); known: lr, seed, dev"),
        (["table.md", "--seed", "dev", "--score", "dev"], "--seed and --score both name column 'dev'"),
        (["table.md", "--seed", "lr", "--inert", "lr"], "--inert: column 'lr' is taken as the seed of each row"),
        (["notes.md", "--rows", "run", "--column", "a=x", "--seed", "b"], "--seed takes NAME=REGEX here, but got 'b'"),
        (["table.md", "--table", "2"], "--table must be between 1 and 1"),
        (["none.md"], "none.md cannot be read: No such file or directory"),
        (["."], ". is a folder with neither runs of transformers' Trainer nor a table: name a file"),
    ],
)
def test_contradictions(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", *words, "--study", "made"]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not Path("made").exists()


@pytest.mark.parametrize("option", ["--curve", "--response", "--rows", "--table"])
def test_what_can_be_one_thing_is_given_once(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["import", "table.md", option, "1", option, "2"])
    assert stopped.value.code == 2
    assert f"argument {option}: may be given only once" in capsys.readouterr().err


def test_the_documents_examples_are_understood() -> None:
    text = (Path(__file__).parents[2] / "docs" / "importing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines]
    assert [words[:2] for words in commands] == [["gridsearch", "import"]] * 7 + [["gridsearch", "annotate"]]
    for words in commands:
        build_parser().parse_args(words[1:])
