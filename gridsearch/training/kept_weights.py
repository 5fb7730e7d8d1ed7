"""Kept weights: a folder a trial, complete enough to predict with anywhere."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gridsearch.errors import RequestError, first_line
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.task import Kind, Split
from gridsearch.trial import Trial

if TYPE_CHECKING:
    from gridsearch.encoders.load import EncoderWeights

_CARD, _MODEL, _ENCODER = "gridsearch.json", "classifier.safetensors", "encoder"
HALF_MADE = ".part"
"""How the name of a folder ends that is being written, or was when its driver was killed."""


@dataclass(frozen=True)
class KeptTrial:
    """A trained classifier on disk: ``folder`` holds its parameters, the encoder's config and the tokenizer."""

    folder: Path
    recipe: Recipe
    encoder: str
    kind: Kind
    label_names: tuple[str, ...]


def save_weights(
    folder: Path, trial: Trial, weights: bytes, encoder: "EncoderWeights", kind: Kind, label_names: Sequence[str]
) -> None:
    """Write a kept trial; the folder appears whole or not at all."""
    half_made = folder.with_name(folder.name + HALF_MADE)
    _clear(half_made)
    (half_made / _ENCODER).mkdir(parents=True)
    for name, content in encoder.tokenizer.items():
        (half_made / _ENCODER / name).write_bytes(content)
    (half_made / _MODEL).write_bytes(weights)
    card = {
        "trial": trial.id,
        "seed": trial.seed,
        "recipe": trial.recipe.model_dump(),
        "encoder": trial.encoder,
        "kind": kind,
        "label_names": list(label_names),
    }
    (half_made / _CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
    _clear(folder)
    half_made.rename(folder)


def _clear(place: Path) -> None:
    """Make room under a trial's name, whatever has it."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


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
    """Read what a folder of kept weights says of itself."""
    try:
        card = json.loads((folder / _CARD).read_text(encoding="utf-8"))
        recipe = Recipe.model_validate_json(json.dumps(card["recipe"]))
        return KeptTrial(folder, recipe, card["encoder"], card["kind"], tuple(card["label_names"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(f"{folder} holds no kept trial: {error}") from None


def predict_logits(kept: KeptTrial, split: Split, threads: int = 1) -> np.ndarray:
    """Compute logits of shape (rows, labels) for new text, as the trial would have computed them."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from gridsearch.encoders.classifier import Classifier, unpack
    from gridsearch.encoders.files import read_config, tokenizer_files
    from gridsearch.encoders.load import EncoderWeights, build_model, build_tokenizer
    from gridsearch.tasks.encode import encode_split
    from gridsearch.tasks.metrics import mean_of_probabilities
    from gridsearch.training.execution import threads_of
    from gridsearch.training.prepared import as_read, predict

    try:
        states = unpack(load_file(kept.folder / _MODEL))
    except (OSError, SafetensorError) as error:
        raise RequestError(f"the weights in {kept.folder} cannot be read: {first_line(error)}") from None
    config, files = read_config(kept.folder / _ENCODER), tokenizer_files(kept.folder / _ENCODER)
    inner = {
        name.removeprefix("encoder."): tensor.numpy()
        for name, tensor in states[0].items()
        if name.startswith("encoder.")
    }
    model = build_model(EncoderWeights(kept.encoder, config, inner, (), files), dropout=None)
    classifier = Classifier(model, kept.recipe, len(kept.label_names))
    tokenizer = build_tokenizer(files)
    recipe = kept.recipe
    encoded = as_read(recipe, encode_split(split, tokenizer, recipe.max_length, recipe.prediction_order))
    found = []
    with threads_of(threads):
        for state in states:
            classifier.load_state_dict(state)
            pad_id, device = int(tokenizer.pad_token_id), torch.device("cpu")
            found.append(predict(classifier, encoded, pad_id, device, recipe.precision))
    return mean_of_probabilities(found)
