"""Files that are damaged between two commands: made again where that can be, else refused in one sentence."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from gridsearch import checksums
from gridsearch.cache import cache_folder, kept, write_kept
from gridsearch.checksums import CHECKSUMS
from gridsearch.encoders.files import read_card
from gridsearch.encoders.pretraining import made
from gridsearch.encoders.tiny import tiny
from gridsearch.encoders.tiny.weights import TinyRecipe
from gridsearch.errors import DamagedError, GridSearchError, RequestError
from gridsearch.repetition import Division
from gridsearch.tasks.built_in.kept_splits import kept_splits
from gridsearch.tasks.folds import _known_or_divided
from gridsearch.tasks.task import Task
from gridsearch.training.kept_weights import open_kept, save_weights
from gridsearch.training.run_state import RunState, load_state, save_state, state_file
from gridsearch.trial import ONE_MODEL
from runners.lengths import lengths_of
from tests.fixtures_core import encoder_in, trial_of
from tests.runners.lasting.damage import DAMAGES

RECIPE = TinyRecipe(n_layers=2, hidden_width=16, intermediate_width=16, n_tokens_most=99, n_gathering_layers=1)
TEXTS = tuple(f"the {animal} {does}" for animal in ("cat", "dog", "cow") for does in ("runs", "eats", "sleeps"))
each_damage = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


# --- what the machine's cache has of numbers and rows


def of_lengths(task: Task, folder: Path) -> object:
    return asdict(lengths_of(read_card("bert", folder), task))


def of_an_inspection(task: Task, folder: Path) -> object:
    return read_card("bert", folder)


def of_folds(task: Task, folder: Path) -> object:
    return _known_or_divided(list(range(60)), [number % 2 for number in range(60)], Division(3, 1))


def of_rows(task: Task, folder: Path) -> object:
    return kept_splits("a task", {"numpy": "2"}, lambda: [task.train, replace(task.dev, labels=None)])


IN_THE_CACHE: dict[str, Callable[[Task, Path], object]] = {
    "lengths": of_lengths,
    "inspected": of_an_inspection,
    "folds": of_folds,
    "tasks": of_rows,
}


@each_damage
@pytest.mark.parametrize("room", IN_THE_CACHE)
def test_what_is_counted_or_read_once_is_so_again(
    room: str, damage: Callable[[Path], None], task: Task, bert_folder: Path
) -> None:
    found = IN_THE_CACHE[room](task, bert_folder)
    (file,) = (cache_folder() / room).iterdir()
    whole = file.read_bytes()
    damage(file)
    assert IN_THE_CACHE[room](task, bert_folder) == found
    assert file.read_bytes() == whole, "and it is kept again"


@each_damage
def test_a_price_that_is_damaged_is_none(damage: Callable[[Path], None]) -> None:
    file = cache_folder() / "prices" / "a group" / "2.json"
    write_kept(file, {"price": {"seconds": 2.5}})
    assert kept(file) == {"price": {"seconds": 2.5}}
    damage(file)
    assert kept(file) is None


def test_every_room_of_the_cache_is_tried_here() -> None:
    """Whoever adds one to the cache adds it here, too."""
    folders = [Path(__file__).parents[3] / top for top in ("gridsearch", "runners", "reports")]
    texts = (file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("*.py"))
    rooms = {part.split('"')[1] for text in texts for part in text.split("cache_folder() / ")[1:]}
    assert rooms == {*IN_THE_CACHE, "prices", "encoders", "pretraining"}


# --- encoders that are made here


@each_damage
@pytest.mark.parametrize("name", [*tiny.FILES, CHECKSUMS])
def test_an_encoder_of_the_texts_is_made_again(
    name: str, damage: Callable[[Path], None], once: Callable[..., Path], cache: Path
) -> None:
    def fill(folder: Path) -> None:
        shutil.copytree(tiny.folder(TEXTS, RECIPE), folder, dirs_exist_ok=True)

    place = cache / "encoders" / tiny.identity(TEXTS, RECIPE)
    shutil.copytree(once("tiny for damage", fill), place, dirs_exist_ok=True)
    said: list[str] = []
    assert tiny.folder(TEXTS, RECIPE, said.append) == place
    assert not said
    whole = {file.name: file.read_bytes() for file in place.iterdir()}
    damage(place / name)
    assert tiny.folder(TEXTS, RECIPE, said.append) == place
    assert len(said) == 1
    assert {file.name: file.read_bytes() for file in place.iterdir()} == whole


FILES = {made.MODEL: b"weights" * 99, "config.json": b'{"layer_norm_eps": 1e-12}', "vocab.txt": b"[PAD]\n[UNK]\n"}


def record_of(files: dict[str, bytes]) -> bytes:
    return json.dumps({"checksum": sha256(files[made.MODEL]).hexdigest(), "log": [], "seconds": 1.0}).encode()


@each_damage
@pytest.mark.parametrize("name", [*FILES, made.RECORD, CHECKSUMS])
def test_an_encoder_of_a_stage_that_is_damaged_is_none_and_is_made_again(
    name: str, damage: Callable[[Path], None]
) -> None:
    files = {**FILES, made.RECORD: record_of(FILES)}
    with made.alone("a-run"):
        assert made.put("made-x", files).files() == files
        damage(made.folder_of("made-x") / name)
        assert made.find("made-x") is None
        assert made.put("made-x", files).files() == files


def test_what_is_written_of_a_stage_is_hashed_once_and_read_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    hashed = checksums.file_sha256
    monkeypatch.setattr(checksums, "file_sha256", lambda path: (read.append(path.name), hashed(path))[1])
    files = {**FILES, made.RECORD: b"{}"}
    with made.alone("a-run"):
        assert made.put("made-x", files).checksum == sha256(FILES[made.MODEL]).hexdigest()
        assert sorted(read) == sorted(files)
        write = Path.write_bytes
        monkeypatch.setattr(Path, "write_bytes", lambda path, content: write(path, content[:-1] + b"?"))
        with pytest.raises(GridSearchError, match="is not what was written there"):
            made.put("made-y", files)


def test_an_encoder_that_an_older_version_made_has_no_checksums_and_is_found() -> None:
    with made.alone("a-run"):
        folder = made.put("made-x", {**FILES, made.RECORD: record_of(FILES)}).folder
    (folder / CHECKSUMS).unlink()
    assert made.find("made-x") is not None
    DAMAGES["one bit"](folder / made.MODEL)
    assert made.find("made-x") is None


@each_damage
def test_a_training_whose_state_is_damaged_begins_anew(damage: Callable[[Path], None]) -> None:
    state = RunState({"w": torch.arange(9999.0)}, {"n_taken": 3}, {"seconds": 1.0}, [{"step": 1}])
    save_state("a-run", state)
    found = load_state("a-run")
    assert found is not None
    assert torch.equal(found.weights["w"], state.weights["w"])
    damage(state_file("a-run"))
    assert load_state("a-run") is None
    save_state("a-run", state)
    found = load_state("a-run")
    assert found is not None or state_file("a-run").is_dir(), "what is in the way of a state costs nothing but safety"


# --- kept weights, and encoders of the user's own


@pytest.fixture
def kept_folder(tmp_path: Path, bert_folder: Path, task: Task) -> Path:
    save_weights(tmp_path / "kept", trial_of(), {ONE_MODEL: b"weights" * 99}, encoder_in(bert_folder), task)
    return tmp_path / "kept"


@each_damage
def test_kept_weights_that_are_damaged_are_named(damage: Callable[[Path], None], kept_folder: Path) -> None:
    files = [file.relative_to(kept_folder) for file in kept_folder.rglob("*") if file.is_file()]
    assert len(files) > 4
    for name in files:
        copy = Path(shutil.copytree(kept_folder, kept_folder.with_name("copy"), dirs_exist_ok=False))
        assert open_kept(copy).recipe == trial_of().recipe
        damage(copy / name)
        # Of a checksum that has changed, the file is named that it is of.
        named = "" if name == Path(CHECKSUMS) else f"{name}"
        with pytest.raises(DamagedError, match=f"{named} is damaged, or not there"):
            open_kept(copy)
        shutil.rmtree(copy)


def test_kept_weights_of_an_older_version_have_no_checksums(kept_folder: Path) -> None:
    (kept_folder / CHECKSUMS).unlink()
    assert open_kept(kept_folder).recipe == trial_of().recipe


@each_damage
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "vocab.txt", "tokenizer_config.json"])
def test_an_encoder_of_the_users_own_is_refused_or_another_one(
    name: str, damage: Callable[[Path], None], bert_folder: Path, tmp_path: Path
) -> None:
    """Nobody knows what its files were before; but a study knows which encoder it was begun with."""
    copy = Path(shutil.copytree(bert_folder, tmp_path / "bert"))
    identity = read_card("bert", copy).identity
    damage(copy / name)
    try:
        found = read_card("bert", copy).identity
    except RequestError as error:
        found = str(error)
    assert found.startswith("files-") or (str(copy) in found and "\n" not in found)
    assert found != identity
