"""Studies whose files are damaged between two commands: results are as they were, or a sentence says what is wrong."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from reports.study.read import read_study
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, EXIT_WRONG_REQUEST, main
from tests.fixtures_core import slow
from tests.runners.lasting.damage import DAMAGES, flip

SPACE = "[recipe]\nepochs = 1\nbatch_size = 32\nmax_length = 8\n[factors]\nbert_adam = [false, true]\n"
Words = list[str]


@pytest.fixture
def words(project: Path, encoder_folder: Path) -> Words:
    """Return the words of a sweep that has been done."""
    (project / "question.toml").write_text(SPACE)
    shutil.copytree(encoder_folder, "bert")
    words = ["sweep", "question.toml", "--task", "task.toml", "--model", "./bert", "--runner", "serial", "--study"]
    assert main([*words, "study", "--keep", "all"]) == EXIT_DONE
    return words


def results(study: str) -> tuple[object, ...]:
    """Return all that a study found, without the clock."""
    with Study(Path(study)).open() as ledger:
        rows = read_study(ledger)
        logits = [ledger.logits(trial, split) for trial in sorted(ledger.dev_results()) for split in ("dev", "test")]
        cells = [(cell.levels, sorted(cell.trials), cell.result) for cell in rows.cells]
        labels = ledger.labels("dev")
        assert labels is not None
        return (
            cells,
            ledger.dev_results(),
            rows.yardsticks,
            [b"" if one is None else one.tobytes() for one in (*logits, labels)],
        )


def told(words: Words, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = main(words)
    return code, capsys.readouterr().err


@pytest.mark.slow  # each damage, for each of three commands
def test_a_damaged_ledger_is_named_in_one_sentence_or_as_it_was(
    words: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    before = results("study")
    for name, damage in DAMAGES.items():
        for command in (["verify", "copy"], ["report", "copy"], [*words, "copy"]):
            shutil.copytree("study", "copy")
            damage(Path("copy/ledger.sqlite"))
            code, said = told(command, capsys)
            if code == EXIT_WRONG_REQUEST:
                assert len(said.splitlines()) == 1, (name, command, said)
                assert "copy" in said, (name, command, said)
            else:
                assert (code, results("copy")) == (EXIT_DONE, before), (name, command)
            shutil.rmtree("copy")


@pytest.mark.parametrize("n_bits", [60, pytest.param(1500, marks=pytest.mark.slow)])  # 1,500 take a minute
def test_no_bit_of_a_ledger_changes_a_result_unseen(
    words: Words, n_bits: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before, draw, n_seen = results("study"), random.Random(n_bits), 0
    whole = Path("study/ledger.sqlite").read_bytes()
    filled = [place for place, byte in enumerate(whole) if byte]
    for place in draw.sample(filled, n_bits):
        shutil.copytree("study", "copy", ignore=shutil.ignore_patterns("weights", "figures"))
        flip(Path("copy/ledger.sqlite"), place / len(whole), draw.randrange(8))
        code, said = told(["verify", "copy"], capsys)
        assert code in (EXIT_DONE, EXIT_INCOMPLETE, EXIT_WRONG_REQUEST), (place, said)
        if code == EXIT_WRONG_REQUEST:
            n_seen += 1
            assert len(said.splitlines()) == 1, (place, said)
        elif code == EXIT_DONE:
            assert results("copy") == before, place
        shutil.rmtree("copy")
    assert n_seen > n_bits / 4, "else nothing was damaged"


def test_a_ledger_that_is_damaged_where_sqlite_does_not_look_is_not_driven_on(
    words: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect("study/ledger.sqlite") as write:
        write.execute("UPDATE outcomes SET dev = replace(dev, '0.', '1.') WHERE attempt = 1")
    for command in (["verify", "study"], ["report", "study"], [*words, "study"]):
        code, said = told(command, capsys)
        assert code == EXIT_WRONG_REQUEST
        assert "study/ledger.sqlite is damaged (the results of trial " in said
        assert "put a copy of it in its place, or begin again with another --study" in said


@pytest.mark.slow  # 1.3 s
def test_kept_weights_that_are_damaged_are_trained_again(words: Words, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "study", "data.tsv", "-o", "whole.csv"]) == EXIT_DONE
    for folder in Path("study/weights").iterdir():
        flip(folder / "classifier.safetensors")
    code, said = told(["predict", "study", "data.tsv", "-o", "again.csv"], capsys)
    assert code == EXIT_DONE
    assert "classifier.safetensors is damaged, or not there: it is not what was written: training it again" in said
    assert Path("again.csv").read_bytes() == Path("whole.csv").read_bytes()
    assert "training it again" not in told(["predict", "study", "data.tsv"], capsys)[1]


@pytest.mark.parametrize("name", ["pytorch_model.bin", slow("config.json"), slow("tokenizer.json")])
def test_an_encoder_that_has_changed_is_seen_when_a_study_goes_on(
    name: str, words: Words, capsys: pytest.CaptureFixture[str]
) -> None:
    before = results("study")
    with Study(Path("study")).open() as ledger:
        trial = min(ledger.trial_ids())
    whole = Path("bert", name).read_bytes()
    damages: dict[str, Callable[[Path], object]] = DAMAGES
    for damage in damages.values():
        damage(Path("bert", name))
        for command in ([*words, "study"], ["rerun", "study", "--trial", trial]):
            code, said = told(command, capsys)
            assert (code, len(said.splitlines())) == (EXIT_WRONG_REQUEST, 1), said
            assert "encoder" in said or "bert" in said, said
        assert results("study") == before
        shutil.rmtree("bert/" + name) if Path("bert", name).is_dir() else Path("bert", name).unlink()
        Path("bert", name).write_bytes(whole)
    assert main([*words, "study"]) == EXIT_DONE
