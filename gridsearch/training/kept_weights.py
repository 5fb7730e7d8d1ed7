"""Kept weights: a folder a trial, complete enough to predict with anywhere.

Parts that were trained together have one classifier, with the labels of all of them side by side. Parts that were
trained each by itself have a folder each inside the trial's, which is a kept trial of a single task.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from gridsearch.checksums import damaged_file, is_sealed, seal
from gridsearch.errors import DamagedError, RequestError, first_line, one_of, validation_sentence
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.task import Kind, Split
from gridsearch.trial import ONE_MODEL, PART, Trial
from gridsearch.whole_file import make_room

if TYPE_CHECKING:
    from torch import Tensor

    from gridsearch.encoders.load import EncoderWeights
    from gridsearch.tasks.encode import EncodedSplit

_CARD, _MODEL, _ENCODER = "gridsearch.json", "classifier.safetensors", "encoder"
HALF_MADE = ".part"
"""How the name of a folder ends that is being written, or was when its driver was killed."""


@dataclass(frozen=True)
class KeptPart:
    """A part that a kept trial predicts: what its rows and labels are, and the ``folder`` with its classifier."""

    folder: Path
    kind: Kind
    label_names: tuple[str, ...]
    labels_are: LabelKind = "class"


@dataclass(frozen=True)
class KeptTrial:
    """A trained classifier on disk, or one for each part: its parameters, the encoder's config, the tokenizer.

    ``parts`` are by name, a single task is the one part "task". Those with the same folder are told by one classifier,
    whose logits have their labels in this order.
    """

    folder: Path
    recipe: Recipe
    encoder: str
    parts: Mapping[str, KeptPart]

    def labels_of_model(self, part: str) -> dict[str, int]:
        """Return how many labels each part has whose columns stand in the same logits, in their order."""
        folder = self.parts[part].folder
        return {name: len(one.label_names) for name, one in self.parts.items() if one.folder == folder}

    def reads_pairs(self, part: str) -> bool:
        """Tell whether the classifier of a part was trained on pairs, be it those of another part."""
        return any(self.parts[name].kind == "pair" for name in self.labels_of_model(part))

    def columns_of(self, part: str) -> slice:
        """Return where the labels of a part stand in the logits of its classifier."""
        n_labels = self.labels_of_model(part)
        names = list(n_labels)
        first = sum(n_labels[name] for name in names[: names.index(part)])
        return slice(first, first + n_labels[part])


def save_weights(
    folder: Path, trial: Trial, weights: Mapping[str, bytes], encoder: "EncoderWeights", task: AnyTask
) -> None:
    """Write a kept trial, ``weights`` as its outcome has them; the folder appears whole or not at all."""
    half_made = folder.with_name(folder.name + HALF_MADE)
    make_room(half_made)
    half_made.mkdir(parents=True)
    try:
        _write_all(half_made, trial, weights, encoder, task)
        seal(half_made)
    except OSError:
        make_room(half_made)  # of a full disk it has what is left
        raise
    make_room(folder)
    half_made.rename(folder)


def _write_all(
    folder: Path, trial: Trial, weights: Mapping[str, bytes], encoder: "EncoderWeights", task: AnyTask
) -> None:
    if ONE_MODEL in weights:
        _write_model(folder, weights[ONE_MODEL], encoder)
        _write_card(folder, trial, _about(task))
        return
    # A part may have any name, and a folder may not: they are counted.
    folders = {part: f"{number}" for number, part in enumerate(task.parts, 1)}
    for part, inner in folders.items():
        (folder / inner).mkdir()
        _write_model(folder / inner, weights[part], encoder)
        _write_card(folder / inner, trial, _about(task.parts[part]))
    _write_card(folder, trial, _about(task, folders))


def _write_model(folder: Path, weights: bytes, encoder: "EncoderWeights") -> None:
    (folder / _ENCODER).mkdir()
    for name, content in encoder.tokenizer.items():
        (folder / _ENCODER / name).write_bytes(content)
    (folder / _MODEL).write_bytes(weights)


def _write_card(folder: Path, trial: Trial, about: Mapping[str, object]) -> None:
    card = {
        "trial": trial.id,
        "seed": trial.seed,
        "recipe": trial.recipe.model_dump(),
        "encoder": trial.encoder,
        **about,
    }
    (folder / _CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")


def _about(task: AnyTask, folders: Mapping[str, str] | None = None) -> dict[str, object]:
    """Return what a card says of a task; ``folders`` are those of its parts, where each has one."""
    if isinstance(task, JointTask):
        parts = [
            {"name": name, **({"folder": folders[name]} if folders else {}), **_about(part)}
            for name, part in task.parts.items()
        ]
        return {"kind": task.kind, "parts": parts}
    other = {} if task.labels_are == "class" else {"labels_are": task.labels_are}
    return {"kind": task.kind, "label_names": list(task.label_names), **other}


def is_kept(folder: Path, trial_id: str) -> bool:
    """Tell whether a folder is the kept trial of this id, or was to become it; a file or a user's own folder is not."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    if folder.name == trial_id + HALF_MADE:
        return True
    try:
        return bool(json.loads((folder / _CARD).read_text(encoding="utf-8"))["trial"] == trial_id)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def open_kept(folder: Path) -> KeptTrial:
    """Read what a folder of kept weights says of itself. Raises DamagedError where a file is not what was written."""
    if is_sealed(folder) and (damaged := damaged_file(folder)) is not None:
        raise DamagedError(f"{damaged} is damaged, or not there: it is not what was written")
    try:
        said = (folder / _CARD).read_bytes()
        card = _Card.model_validate_json(said)
        parts = card.parts or (_PartCard.model_validate_json(said),)
    except OSError as error:
        raise RequestError(f"{folder} holds no kept trial: {error.strerror}") from None
    except ValidationError as error:
        raise RequestError(f"{folder} holds no kept trial: {_CARD}, {validation_sentence(error)}") from None
    kept = {part.name: KeptPart(folder / part.folder, part.kind, part.label_names, part.labels_are) for part in parts}
    return KeptTrial(folder, card.recipe, card.encoder, kept)


class _PartCard(BaseModel):
    """What a card says of a part. Its folder is one in that of the trial, and never elsewhere."""

    name: str = PART
    kind: Literal["single", "pair"]
    label_names: tuple[str, ...]
    labels_are: LabelKind = "class"
    folder: str = Field("", pattern=r"^[0-9]*$")


class _Card(BaseModel):
    """What a folder of kept weights says of itself."""

    recipe: Recipe
    encoder: str
    parts: tuple[_PartCard, ...] = ()


def encoder_of(kept: KeptTrial, part: str = PART) -> Path:
    """Return the folder with the encoder's config and its tokenizer."""
    return kept.parts[part].folder / _ENCODER


def states_of(kept: KeptTrial, part: str = PART) -> "list[dict[str, Tensor]]":
    """Read the parameters of the classifier that tells a part, by name: those of each checkpoint that predicts.

    Raises RequestError where the file cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from gridsearch.encoders.classifier import unpack

    folder = kept.parts[part].folder
    try:
        return unpack(load_file(folder / _MODEL))
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise RequestError(f"the weights in {folder} cannot be read: {first_line(error)}") from None


def predict_logits(kept: KeptTrial, split: Split, part: str = PART, threads: int = 1) -> np.ndarray:
    """Compute logits of shape (rows, labels of a part) for new text, as the trial would have computed them."""
    import torch

    from gridsearch.encoders.checkpoint.config import read_config
    from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
    from gridsearch.encoders.classifier import Classifier
    from gridsearch.encoders.load import EncoderWeights, build_model
    from gridsearch.tasks.encode import encode_split
    from gridsearch.tasks.judging.judge import mean_of
    from gridsearch.threads import threads_of
    from gridsearch.training.prepared import as_read, predict

    if part not in kept.parts:
        raise RequestError(f"{kept.folder}: {one_of('part', part, list(kept.parts))}")
    folder, states = kept.parts[part].folder, states_of(kept, part)
    config, files = read_config(encoder_of(kept, part)), tokenizer_files(encoder_of(kept, part))
    inner = {
        name.removeprefix("encoder."): tensor.numpy()
        for name, tensor in states[0].items()
        if name.startswith("encoder.")
    }
    n_labels = kept.labels_of_model(part)
    in_units = any(name.startswith("outputs.") for name in states[0])
    with _as_described(folder):
        model = build_model(EncoderWeights(kept.encoder, config, inner, (), files), dropout=None)
        classifier = Classifier(model, kept.recipe, sum(n_labels.values()), len(n_labels), in_units=in_units)
    tokenizer = build_tokenizer(files)
    recipe = kept.recipe
    encoded = encode_split(split, tokenizer, int(recipe.max_length), recipe.prediction_order)
    encoded = as_read(recipe, _beside_pairs(encoded) if kept.reads_pairs(part) else encoded)
    found = []
    with threads_of(threads):
        for state in states:
            with _as_described(folder):
                classifier.load_state_dict(state)
            pad_id, device = int(tokenizer.pad_token_id), torch.device("cpu")
            found.append(predict(classifier, encoded, pad_id, device, recipe.precision)[:, kept.columns_of(part)])
    return mean_of(found, kept.parts[part].labels_are)


@contextlib.contextmanager
def _as_described(folder: Path) -> Iterator[None]:
    """Raise RequestError where weights do not fit what their folder says that they are."""
    try:
        yield
    except (MemoryError, RequestError):
        raise
    except Exception as error:  # whatever a setting breaks, in whichever library
        rule = f"the weights in {folder} are none of what {_CARD} and {_ENCODER} there describe"
        raise RequestError(f"{rule} ({first_line(error)}): take a copy of them that is whole") from None


def _beside_pairs(encoded: "EncodedSplit") -> "EncodedSplit":
    """Return rows as they are read among pairs: of single texts it is said that no token is of a pair's text."""
    nothing = np.zeros(len(encoded.ids), dtype=np.int8)
    sides, shared = (nothing if known is None else known for known in (encoded.sides, encoded.shared))
    return replace(encoded, sides=sides, shared=shared)
