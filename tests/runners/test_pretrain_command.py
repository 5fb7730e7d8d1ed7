"""``gridsearch pretrain`` as a user runs it, and what a wrong request is told."""

from pathlib import Path

import pytest
from transformers import AutoModel, AutoModelForMaskedLM

from runners.cli import main

SMALL = [
    *("--set", "pretraining.base=scratch"),
    *("--set", "pretraining.layers=1"),
    *("--set", "pretraining.width=16"),
    *("--set", "pretraining.heads=2"),
    *("--set", "pretraining.batch_size=8"),
    *("--set", "pretraining.max_length=16"),
]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    file = tmp_path / "texts.txt"
    file.write_text("".join(f"the {word} of a function\n" for word in ("value", "name", "shape", "return") * 10))
    return file


def pretrain(texts: Path, folder: Path, *more: str) -> int:
    return main(["pretrain", str(texts), *SMALL, "--set", "pretraining.steps=6", *more, "-o", str(folder)])


def test_a_folder_for_the_model(texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "read"
    assert pretrain(texts, folder) == 0
    said = capsys.readouterr().out
    assert "6 steps on 40 rows" in said
    assert f"--model {folder}" in said
    assert AutoModel.from_pretrained(folder).config.num_hidden_layers == 1
    AutoModelForMaskedLM.from_pretrained(folder)
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "trainer_state.json"} <= names
    # The same once more is taken from the cache; a folder that is there is not overwritten unasked.
    assert pretrain(texts, folder) == 2
    assert "is not empty; --force replaces it" in capsys.readouterr().err
    assert pretrain(texts, folder, "--force") == 0
    assert "made before and taken from the cache" in capsys.readouterr().out
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


@pytest.mark.usefixtures("project")
def test_what_was_taught_labels_is_told_with_its_metric(
    encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    knobs = ("objective=mlm_label", "steps=4", "batch_size=8", "max_length=16")
    sets = [word for knob in knobs for word in ("--set", f"pretraining.{knob}")]
    told = []
    for more in ([], ["--force"]):
        assert main(["pretrain", "task.toml", "--model", str(encoder_folder), *sets, "-o", "read", *more]) == 0
        said = capsys.readouterr().out.splitlines()
        told.append([line for line in said if "without fine-tuning" in line])
    assert told[0] == told[1]
    assert len(told[0]) == 1
    assert told[0][0].startswith("accuracy on dev without fine-tuning: 0.")
    AutoModelForMaskedLM.from_pretrained("read")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--set", "pretraining.checkpoint=9"], "pretraining.checkpoint = 9 lies past the last of 6 steps"),
        (["--set", "pretraining.stpes=9"], "did you mean 'pretraining.steps'?"),
        (["--set", "epochs=9"], "unknown knob of a pretraining 'epochs'"),
        (["--set", "pretraining.objective=none"], "pretraining.objective must be a pretraining's, such as mlm"),
        (["--set", "pretraining.base=encoder"], "pretraining.layers is set, but cannot act"),
        (["--set", "pretraining.form=pairs"], "the corpus holds single texts only"),
        (["--set", "pretraining.objective=mlm_label"], "needs labelled rows, and the texts have no labels"),
        (["--set", "pretraining.corpus=files"], "the task names none under [corpus]"),
        (["--set", "pretraining.rate=1.5"], "less than 1"),
        (["--set", "pretraining.max_length=9000"], "less than or equal to 8192"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    options: list[str], sentence: str, texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain(texts, tmp_path / "read", *options) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "read").exists()


def test_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("\n \n")
    assert pretrain(empty, tmp_path / "read") == 2
    assert "holds no text to pretrain on" in capsys.readouterr().err
    assert pretrain(tmp_path / "none.txt", tmp_path / "read") == 2
    assert "there is no file" in capsys.readouterr().err
    assert pretrain(empty, empty) == 2
    assert "-o must be a folder" in capsys.readouterr().err
