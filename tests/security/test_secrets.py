"""Secrets of the environment stand nowhere: not in a study, its pages or error files, nor in what is printed."""

import sys
from pathlib import Path

import pytest

from gridsearch.training.worker import failure_of
from runners.cli import main
from runners.commands import verify
from runners.provenance import describe_run

SECRETS = {
    "FAKE_TOKEN": "tok-7391-fake",
    "HF_TOKEN": "hf_9462secret",
    "DB_PASSWORD": "pass-5820-word",
    "https_proxy": "http://me:pr0xy-3417@127.0.0.1:9",
}
WORDS = ("tok-7391-fake", "hf_9462secret", "pass-5820-word", "pr0xy-3417")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def held(text: str) -> list[str]:
    return [word for word in WORDS if word in text]


def test_a_study_holds_none(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("space.toml").write_text(
        'title = "x"\n[recipe]\nepochs = 1\nmax_length = 16\n[factors]\nfrozen_layers = [0, 1]\n'
    )
    asked = ["space.toml", "--task", f"{begun}/task.toml", "--model", f"{begun}/encoder", "--study", "study"]
    words = ["sweep", *asked, "--runner", "serial", "--keep", "best"]
    monkeypatch.setattr(sys, "argv", ["gridsearch", *words, "--x", SECRETS["https_proxy"], SECRETS["FAKE_TOKEN"]])
    assert main(words) == 0
    assert main(["report", "study", "--format", "html,md,csv,json"]) == 0

    def fail(arguments: object) -> int:
        raise KeyError(f"{SECRETS['https_proxy']} {SECRETS['HF_TOKEN']}")

    monkeypatch.setattr(verify, "run", fail)
    assert main(["verify", "study"]) == 70
    files = [path for path in Path("study").rglob("*") if path.is_file()]
    assert any(path.name.startswith("gridsearch-error") for path in files)
    for path in files:
        assert not held(path.read_bytes().decode("latin-1")), path
    assert not held("".join(capsys.readouterr()))


def test_what_is_recorded_holds_none() -> None:
    told = describe_run(["gridsearch", "sweep", *SECRETS.values()], "serial")
    assert not held(str(told))
    assert "http://me:***@127.0.0.1:9" in str(told["command"])
    failure = failure_of(OSError(f"no way to {SECRETS['https_proxy']} with {SECRETS['DB_PASSWORD']}"))
    assert not held(f"{failure.message} {failure.traceback}")
    assert "***" in failure.message


def test_a_sentence_holds_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for word in SECRETS.values():
        assert main(["status", word]) == 2
    assert not held(capsys.readouterr().err)
