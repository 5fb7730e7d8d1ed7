"""No file runs code: what would do so stands nowhere in the package, and bombs of every kind are refused."""

import ast
import os
import pickle
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gridsearch.errors import RequestError
from gridsearch.space.rules import parse_rule
from gridsearch.tasks.tables import unpacked
from runners.cli import main
from tests.fuzz.watched import wrong_of

ROOT = Path(__file__).parents[2]
PACKAGES = ("gridsearch", "runners", "reports", "search_spaces")
NEVER = {
    *("eval", "exec", "compile", "__import__"),
    *("pickle.load", "pickle.Unpickler", "joblib.load", "pd.read_pickle", "pandas.read_pickle", "shelve.open"),
    *("marshal.loads", "yaml.load", "os.system", "cloudpickle.load", "cloudpickle.loads"),
}
OF_INTEREST = re.compile(r"eval|exec|compile|__import__|pickle|load|marshal|trust_remote_code|os\.system|shell")
UNPICKLES_ITS_OWN = {"runners/backends/shared_memory.py", "gridsearch/tasks/judging/own_metric.py"}
"""They read from the memory of their own processes, and what their driver has sent, never from a file of a folder."""


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)) if OF_INTEREST.search(text) else ():
                if isinstance(node, ast.Call):
                    yield str(path.relative_to(ROOT)), ast.unparse(node.func), node


def test_nothing_is_called_that_runs_what_a_file_holds() -> None:
    found = [(path, name, {one.arg: ast.unparse(one.value) for one in node.keywords}) for path, name, node in calls()]
    assert len(found) > 500
    assert not [(path, name) for path, name, _ in found if name in NEVER]
    assert {path for path, name, _ in found if name == "pickle.loads"} == UNPICKLES_ITS_OWN
    assert {given.get("weights_only") for _, name, given in found if name == "torch.load"} == {"True"}
    assert {given.get("allow_pickle") for _, name, given in found if name == "np.load"} == {"False"}
    trusting = [given["trust_remote_code"] for _, _, given in found if "trust_remote_code" in given]
    assert set(trusting) == {"False"}
    assert not [(path, name) for path, name, given in found if given.get("shell") == "True"]


class Bomb:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("it ran",)


def _npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)


WRITERS: dict[str, Callable[[Path], object]] = {
    "a pickle": lambda path: path.write_bytes(pickle.dumps([Bomb()])),
    "an old pickle": lambda path: path.write_bytes(pickle.dumps([Bomb()], protocol=0)),
    "what torch saved": lambda path: torch.save({"x": Bomb()}, path),
    "an array of objects": _npy,
}
PLACES = {
    "data": ("bomb.csv", ["init", "bomb.csv", "-o", "out.toml"]),
    "a workbook": ("bomb.xlsx", ["init", "bomb.xlsx", "-o", "out.toml"]),
    "a table in Parquet": ("bomb.parquet", ["init", "bomb.parquet", "-o", "out.toml"]),
    "an input of predict": ("bomb.tsv", ["predict", "study", "bomb.tsv"]),
    "a table to import": ("bomb.md", ["import", "bomb.md", "--study", "new"]),
    "a space": ("bomb.toml", ["plan", "bomb.toml"]),
    "a ledger": ("study/ledger.sqlite", ["report", "study"]),
    "kept weights": ("study/weights/{}/classifier.safetensors", ["predict", "study", "dev.tsv"]),
    "the card of kept weights": ("study/weights/{}/gridsearch.json", ["predict", "study", "dev.tsv"]),
    "weights": ("encoder/pytorch_model.bin", ["plan", "space.toml", "--task", "task.toml", "--model", "encoder"]),
    "a tokenizer": ("encoder/tokenizer.json", ["plan", "space.toml", "--task", "task.toml", "--model", "encoder"]),
    "an encoder in a file": ("bomb.bin", ["plan", "space.toml", "--task", "task.toml", "--model", "./bomb.bin"]),
}


@pytest.fixture
def here(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("space.toml", "task.toml", "train.tsv", "dev.tsv"):
        shutil.copy(begun / name, name)
    shutil.copytree(begun / "encoder", "encoder")
    shutil.copytree(begun / "studies/swept", "study")
    return tmp_path


@pytest.mark.parametrize("place", PLACES)
def test_a_bomb_is_refused_wherever_it_lies(place: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, words = PLACES[place]
    (kept,) = Path("study/weights").iterdir()
    for what, write in WRITERS.items():
        write(Path(file.format(kept.name)))
        assert not wrong_of(words), what
        # The oldest pickles are lines of text, and may be read as such.
        assert main(words) in ((0, 2) if what == "an old pickle" else (2,)), what
        assert not Path("it ran").exists(), what
    capsys.readouterr()


def test_python_beside_an_encoder_is_not_run(here: Path) -> None:
    Path("encoder/own.py").write_text("import os\nos.mkdir('it ran')\nclass Own: pass\n")
    for file in ("encoder/config.json", "encoder/tokenizer_config.json"):
        before = Path(file).read_text()
        for named in ('{"AutoModel": "own.Own"}', '{"AutoConfig": "own.Own"}', '{"AutoTokenizer": ["own.Own", null]}'):
            Path(file).write_text(before.rstrip().removesuffix("}") + f', "auto_map": {named}}}')
            assert not wrong_of(["plan", "space.toml", "--task", "task.toml", "--model", "encoder"])
        Path(file).write_text(before)
    assert not Path("it ran").exists()


RULES = {
    **dict.fromkeys(
        ("9**9**9", "__import__('os').mkdir('x')", "().__class__", "a.__class__.b", "f'{a}'"), "not part of"
    ),
    **dict.fromkeys(("[x for x in a]", "lambda: a", "(a := 1)", "a[0]", "'a' * 10**9", "a if a else a"), "not part of"),
    "(" * 500 + "a" + ")" * 500: "cannot be read",
    "not " * 100_000 + "a": "nested too deeply",
    "-" * 5000 + "1": "nested too deeply",
    "not " * 150 + "a": "nested more than 100 deep",
    "a\0": "cannot be read",
    "a == " + "9" * 5000: "cannot be read",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule[:20].replace("\0", "0"))
def test_a_rule_is_no_program(rule: str) -> None:
    with pytest.raises(RequestError, match=RULES[rule]):
        parse_rule(rule, ["a"])


def test_a_long_rule_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_rule("a and " * 5000 + "not (a == false)", ["a"])({"a": True}) is True
    assert parse_rule(r"a == '\d'", ["a"])({"a": r"\d"}) is True
    assert capsys.readouterr().err == ""


def test_a_workbook_that_fills_a_memory_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "MOST_BYTES", 2**20)
    for name in ("bomb.xlsx", "bomb.zip"):
        with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/workbook.xml" if name == "bomb.xlsx" else "x.csv", b"\0" * 2**21)
        with pytest.raises(RequestError, match="unpacks to more than"):
            unpacked.unpack(Path(name))
