"""Encoders by the folders and names of a space, from its file to the table; what is said of one that is not there."""

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from gridsearch.errors import RequestError
from runners.cli import Arguments, build_parser, main
from runners.request import read_asked, read_question

SPACE = """
[recipe]
epochs = 1
learning_rate = 3e-3
batch_size = 16
max_length = 24
[factors]
encoder = ["models/one", "models/old/two", "models/new/two"]
"""
ALL = "config.json, model.safetensors or pytorch_model.bin, and vocab.txt or tokenizer.json"
MakeEncoder = Callable[[Path, float], Path]


def asked_by(*words: str) -> Arguments:
    return build_parser().parse_args(["plan", *words])


@pytest.fixture
def three_files(encoder_folder: Path) -> MakeEncoder:
    """Make folders with config.json, pytorch_model.bin and vocab.txt alone, as one downloads them by hand."""
    ids = AutoTokenizer.from_pretrained(encoder_folder).get_vocab()

    def make(folder: Path, dropout: float) -> Path:
        folder.mkdir(parents=True)
        config = json.loads((encoder_folder / "config.json").read_text()) | {"hidden_dropout_prob": dropout}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in sorted(ids, key=lambda word: ids[word])))
        shutil.copy(encoder_folder / "pytorch_model.bin", folder)
        return folder

    return make


@pytest.fixture
def space(project: Path, three_files: MakeEncoder) -> Path:
    """Return a space whose encoders lie beside it, in a folder of its own."""
    for name, dropout in (("one", 0.1), ("old/two", 0.2), ("new/two", 0.3)):
        three_files(project / "asked" / "models" / name, dropout)
    (project / "asked" / "own.toml").write_text(SPACE)
    return project / "asked" / "own.toml"


@pytest.mark.slow  # 2 s
def test_folders_of_three_files_are_compared_from_the_space_to_the_table(
    space: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found beside the space, wherever the command runs; called by the ends of their paths."""
    named = ["one", "old/two", "new/two"]
    assert main(["sweep", "asked/own.toml", "--task", "task.toml", "--study", "study", "--runner", "serial"]) == 0
    assert main(["report", "study", "-o", "page", "--format", "md,json"]) == 0
    rows = json.loads((project / "page" / "page.json").read_text())["cells"]
    assert [row["levels"]["encoder"] for row in rows] == named
    study = project / "study"
    monkeypatch.chdir(tmp_path)
    assert main(["rerun", str(study), "--trial", "best"]) == 0
    capsys.readouterr()
    again = ["--task", str(project / "task.toml"), "--study", str(study), "--runner", "serial"]
    assert main(["sweep", str(space), *again]) == 0
    assert "3 planned, 3 finished" in capsys.readouterr().out


def test_a_path_is_meant_from_beside_the_space_first(
    space: Path, project: Path, three_files: MakeEncoder, tmp_path: Path
) -> None:
    """And then from where the command runs; what --model names, from there alone."""
    elsewhere = three_files(project / "models" / "one", 0.0)
    three_files(project / "models" / "three", 0.0)
    text = SPACE.replace('"models/new/two"]', '"models/three"]')
    space.write_text(text)
    asked = read_asked(asked_by(str(space), "--task", "task.toml"))
    places = [asked.describe(name).folder for name in ("models/one", "models/old/two", "models/three")]
    beside = space.parent / "models"
    assert places == [beside / "one", beside / "old" / "two", Path("models/three")]
    assert [asked.describe(name).name for name in ("models/one", "models/three")] == ["models/one", "models/three"]
    kept = asked.sources({"models/one": asked.describe("models/one")})["encoders"]
    assert kept == {str(beside / "one"): asked.describe("models/one").identity}
    assert asked.lengths(asked.describe("models/one")).longest > 2
    assert asked.study.folder == Path("studies/own-small-encoders")
    space.write_text(text.replace("encoder =", "bert_adam = [false, true]\n#"))
    given = read_asked(asked_by(str(space), "--task", "task.toml", "--model", "models/one"))
    assert given.describe("models/one").folder == Path("models/one") != elsewhere
    assert given.study.folder == Path("studies/own-small-one")
    space.write_text(space.read_text().replace("[recipe]", '[recipe]\nencoder = "models/one"'))
    assert read_asked(asked_by(str(space), "--task", "task.toml")).describe("models/one").folder == beside / "one"


def test_a_model_that_a_space_names(space: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for beside the space's file, wherever the command runs, and --model takes its place."""
    text = SPACE.replace("encoder =", "bert_adam = [false, true]\n#")
    task = str(Path("task.toml").resolve())
    monkeypatch.chdir(tmp_path)
    for name, folder in (("models/one", space.parent / "models" / "one"), ("tiny", None)):
        space.write_text(f'model = "{name}"\n{text}')
        asked = read_asked(asked_by(str(space), "--task", task))
        assert asked.space.values_of("encoder") == [name]
        assert asked.describe(name).folder == folder
        assert asked.study.folder.name == f"own-small-{Path(name).name}"
    space.write_text(f'model = "models/one"\n{text}')
    asked = read_asked(asked_by(str(space), "--task", task, "--model", "tiny"))
    assert asked.space.values_of("encoder") == ["tiny"]


def test_built_in_encoders_and_folders_stand_side_by_side(space: Path) -> None:
    space.write_text(SPACE.replace("models/old/two", "tiny"))
    plan = read_question(asked_by(str(space), "--task", "task.toml")).plan
    assert [dict(cell.levels) for cell in plan.cells] == [{"encoder": name} for name in ("one", "tiny", "two")]
    assert len({card.identity for card in plan.cards.values()}) == 3


def test_one_encoder_under_two_names_is_refused(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(space.parent / "models" / "one", space.parent / "models" / "copy")
    space.write_text(SPACE.replace("models/old/two", "models/copy"))
    assert main(["plan", str(space), "--task", "task.toml"]) == 2
    assert "cell encoder = one and cell encoder = copy are the same recipe" in capsys.readouterr().err


def test_model_beside_a_factor_of_encoders_is_refused(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(space), "--task", "task.toml", "--model", "tiny"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "gridsearch plan: factor encoder names an encoder for every cell: leave --model out"
    ]


def test_model_is_meant_by_levels_that_name_none(space: Path, project: Path) -> None:
    space.write_text(
        SPACE.partition("[factors]")[0]
        + '[factors.start.levels]\n"as asked" = { epochs = 2 }\none = { encoder = "models/one" }\n'
    )
    model = str(project / "asked/models/new/two")
    plan = read_question(asked_by(str(space), "--task", "task.toml", "--model", model)).plan
    assert [cell.recipe.encoder for cell in plan.cells] == [model, "models/one"]


@pytest.mark.parametrize(
    ("lost", "lacks"),
    [
        (["config.json"], "config.json"),
        (["pytorch_model.bin"], "model.safetensors or pytorch_model.bin"),
        (["vocab.txt"], "vocab.txt or tokenizer.json"),
        (["pytorch_model.bin", "vocab.txt"], "model.safetensors or pytorch_model.bin, and vocab.txt or tokenizer.json"),
    ],
)
def test_a_folder_with_a_file_missing_is_told_when_planning(
    space: Path, capsys: pytest.CaptureFixture[str], lost: list[str], lacks: str
) -> None:
    folder = space.parent / "models" / "one"
    for name in lost:
        (folder / name).unlink()
    (folder / "tokenizer_config.json").write_text("{}")
    assert main(["plan", str(space), "--task", "task.toml"]) == 2
    assert capsys.readouterr().err.splitlines() == [f"gridsearch plan: the encoder folder {folder} lacks {lacks}"]


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize("name", ["hfl/chinese-bert-wwm-ext", "tinny"])
def test_an_encoder_that_is_neither_here_nor_to_be_fetched_is_told_with_what_it_takes(
    space: Path,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    offline: bool,
) -> None:
    from huggingface_hub import constants

    def no_network(*words: object, **more: object) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(project / "empty"))
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    space.write_text(SPACE.replace("models/new/two", name))
    assert main(["plan", str(space), "--task", "task.toml"]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"gridsearch plan: unknown encoder {name!r}")
    assert ("did you mean 'tiny'?" in sentence) == (name == "tinny")
    assert f"to use it without a network, put {ALL} into " in sentence
    assert str(project.name).replace("'", "'\"'\"'") in sentence


def test_a_path_that_leads_nowhere_is_told_with_what_it_takes(project: Path) -> None:
    with pytest.raises(RequestError) as caught:
        read_question(asked_by("question.toml", "--task", "task.toml", "--model", "./nowhere"))
    assert str(caught.value).startswith(f"there is no encoder folder ./nowhere: put {ALL} into ")


HALVES = """
title = "The lower half frozen, the upper half new"
model = "minilm"
[recipe]
epochs = 1
max_length = 16
reinit_layers = "1/2"
[factors]
frozen_layers = [0, "1/2"]
"""


@pytest.mark.slow  # it trains an encoder of 22 million weights, twice
def test_halves_of_minilm_are_swept_and_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("halves.toml").write_text(HALVES)
    words = ["halves.toml", "--task", "task.toml", "--study", "halves", "--train-rows", "32"]
    assert main(["plan", *words]) == 0
    assert capsys.readouterr().out.count("= 1/2 (3 of 6 layers)") == 2
    assert main(["sweep", *words, "--runner", "serial"]) == 0
    assert main(["report", "halves", "--format", "md,json"]) == 0
    page = " ".join(Path("halves/page.md").read_text().split())
    assert "1/2: 3 of 6 layers" in page
    cells = json.loads(Path("halves/page.json").read_text())["cells"]
    assert [cell["levels"]["frozen_layers"] for cell in cells] == ["0", "1/2"]
