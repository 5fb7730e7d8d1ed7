"""Lengths are counted once on a machine, by the tokenizer that reads the texts later."""

import json
from pathlib import Path

import pytest

from gridsearch.cache import cache_folder
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.encoders.load import describe, encoder_folder
from gridsearch.tasks.lengths import count_lengths
from gridsearch.tasks.task import Split
from gridsearch.tasks.taskfile import load_task
from reports.texts_read import first_lines
from runners import lengths as counted
from runners.cli import build_parser, main
from runners.lengths import lengths_of
from runners.request import read_asked
from runners.schedules.search import OptunaSearch
from runners.schedules.search_settings import Search

IDS = Split(("1 2 3 4", "1 2 2 2 1", "7"), (0, 1, 0))


def test_they_are_counted_once(project: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = load_task("task.toml")
    card = describe(str(encoder_folder), task.corpus)
    first = lengths_of(card, task)
    with monkeypatch.context() as patch:
        patch.setattr(counted, "count_lengths", lambda *_: pytest.fail("they are kept"))
        assert lengths_of(card, task) == first
    (kept,) = (cache_folder() / "lengths").iterdir()
    for broken in ("", "[]", '{"parts": 3}', json.dumps({"parts": {"task": {"train": 1}}, "unknown": ""})):
        kept.write_text(broken)
        assert lengths_of(card, task) == first


def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(
    project: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = load_task("task.toml")
    card = describe(str(encoder_folder), task.corpus)
    first = lengths_of(card, task)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(project / "task.toml" / "cache"))
    assert lengths_of(card, task) == first


@pytest.mark.slow  # makes tiny of other texts
def test_those_of_tiny_need_no_tiny(project: Path) -> None:
    task = load_task("task.toml")
    found = lengths_of(describe("tiny", task.corpus), task)
    assert not (cache_folder() / "encoders").exists()
    folder = encoder_folder("tiny", task.corpus, lambda sentence: None)
    assert found == count_lengths(task, build_tokenizer(tokenizer_files(folder)))


@pytest.fixture
def short(project: Path) -> Path:
    text = (project / "question.toml").read_text().split("[factors]")[0].replace("epochs = 2", "epochs = 1")
    (project / "short.toml").write_text(f"{text.replace('= 24', '= 4')}[factors]\nbert_adam = [false, true]\n")
    return project


@pytest.mark.slow  # 1.6 s
def test_what_is_hardly_read_is_the_first_thing_said(
    short: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["short.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    assert main(["plan", *words]) == 0
    told = capsys.readouterr().out
    first = "caution: small bert cuts 100 % of the training rows, which have more tokens"
    assert told.startswith(first)
    asked = read_asked(build_parser().parse_args(["optimize", *words, "--trials", "1"]))
    assert first_lines(OptunaSearch(asked, asked.study, Search(n_trials=1), {}).texts)[0].startswith(first)
    assert main(["sweep", *words, "--runner", "serial"]) == 0
    assert capsys.readouterr().out.startswith(first)
    title, _, caution, *_ = (short / "study" / "page.md").read_text().splitlines()
    assert (title[:2], caution[:11]) == ("# ", "**Caution: ")
    assert "of the training rows" in (short / "study" / "page.html").read_text().split("<nav")[0]
    assert main(["report", "study", "--lang", "zh"]) == 0
    assert (short / "study" / "page.md").read_text().splitlines()[2].startswith("**注意：训练数据中有 100 %")


@pytest.mark.slow  # 2.0 s
def test_a_percentile_is_told_and_resumed(
    short: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["short.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    percentile = ["--set", "max_length=p90"]
    assert main(["plan", *words, *percentile]) == 0
    told = " ".join(capsys.readouterr().out.split())
    length = told.split("at max_length ")[1].split()[0]
    assert f"at max_length {length} (the 90th percentile of their lengths)" in told
    assert f"max_length = {length} design" in told
    assert main(["sweep", *words, *percentile, "--runner", "serial"]) == 0
    assert main(["sweep", *words, "--set", f"max_length={length}", "--runner", "serial"]) == 0
    assert main(["sweep", *words, *percentile, "--runner", "serial"]) == 0
    assert "complete: 2 planned, 2 finished" in capsys.readouterr().out
    page = " ".join((short / "study" / "page.md").read_text().split())
    assert f"`max_length = {length}`" in page
    assert f"at max_length {length} (the 90th percentile of their lengths)" in page


def test_folds_are_cut_alike(short: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["short.toml", "--task", "task.toml", "--model", str(encoder_folder), "--set", "max_length=p90"]
    assert main(["plan", *words, "--folds", "3"]) == 0
    assert " ".join(capsys.readouterr().out.split()).count("(the 90th percentile") == 1


def test_texts_that_are_ids(project: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{n % 2}\t{n} 7 7 8 {'9 ' * (n % 3)}\n" for n in range(40))
    (project / "data.tsv").write_text("which one?\tthe text\n" + rows)
    text = (project / "task.toml").read_text()
    (project / "task.toml").write_text(text.replace("[files]", "ids = true\n[files]"))
    (project / "ids.toml").write_text('[recipe]\nmax_length = "p95"\n[factors]\n"vocabulary.min_count" = [1, 2]\n')
    assert main(["plan", "ids.toml", "--task", "task.toml", "--model", str(encoder_folder)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "of their tokens, 0 % are [UNK]" in told
    assert "are [UNK]: " in told
    assert "vocabulary.min_count says how often an id has to occur to be a token" in told
