"""A kept trial as a folder that transformers' AutoModelForSequenceClassification and AutoTokenizer open.

What is written is opened before it counts, and has to say of some texts what the kept trial says of them.
"""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from gridsearch.encoders.checkpoint.config import model_config, read_config
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.encoders.families import family_name
from gridsearch.encoders.own_classifiers import OWN_CLASSIFIERS, OwnClassifier, config_of_own, why_not_own
from gridsearch.errors import RequestError
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.study.ranking import trial_named
from gridsearch.study.study import Study
from gridsearch.tasks.task import Split
from gridsearch.training.kept_weights import KeptTrial, encoder_of, open_kept, predict_logits, states_of
from gridsearch.trial import PART, Trial
from runners.exporting.source import Source

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

BEST: Final = "best"
PROBLEMS: Final[Mapping[LabelKind, Any]] = {
    "class": "single_label_classification",
    "multilabel": "multi_label_classification",
    "score": "regression",
}
PROBES: Final = ("A text, and more of it.", "1 2 3", "另一段文字 " * 3)
CLOSE: Final = 1e-4
"""How far two outputs of one model may lie apart, next to the largest: by rounding alone."""


def write(source: Source, folder: Path, place: Path) -> str:
    """Write the model, its config with the names of the labels, and the tokenizer with the trial's longest length.

    Raises RequestError where the trial's weights were not kept, and where it is no model of transformers' own.
    """
    return write_model(*_kept(source), folder)


def write_model(trial: Trial, kept: KeptTrial, folder: Path) -> str:
    """Write a kept trial's model, and say which. Raises RequestError where it is no model of transformers' own."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    model = _model(trial, kept)
    model.save_pretrained(folder)
    _save_tokenizer(kept, folder)
    _refuse_unequal(kept, folder)
    rounded = "" if kept.recipe.precision == "fp32" else f" (trained in {kept.recipe.precision}, opened in fp32)"
    return f"trial {trial.short_id}{rounded} as {type(model).__name__} and its tokenizer"


def _kept(source: Source) -> tuple[Trial, KeptTrial]:
    """Open the weights of the trial that is asked for. Raises RequestError where there are none."""
    study, about = Study(source.study.folder), source.study.about
    if source.trial == BEST and about.division is not None:
        what = "the best of a study of folds is the mean of the trials of a row, and one model is not"
        raise RequestError(f"{what}: --trial ID takes one of them, which has seen a part of the rows")
    trial = trial_named(source.ledger, source.trial)
    folder = study.weights_of(trial.id)
    if not folder.is_dir():
        where = shlex.quote(str(study.folder))
        again = f"`gridsearch predict {where} --trial {trial.short_id} TEXTS` trains it again and keeps them"
        raise RequestError(
            f"the weights of trial {trial.short_id} were not kept: {again}, and so does sweep --keep all"
        )
    return trial, open_kept(folder)


def _of_own_family(trial: Trial, kept: KeptTrial) -> tuple[str, dict[str, Any]]:
    """Return the encoder's family and config. Raises RequestError where the model is none of that family's own."""
    if list(kept.parts) != [PART]:
        raise _not_own(trial, f"its task has several parts ({', '.join(kept.parts)}), whose labels lie side by side")
    config = read_config(encoder_of(kept))
    family = family_name(config)
    if (why := why_not_own(kept.recipe, family, config)) is not None:
        raise _not_own(trial, why)
    return family, config


def _not_own(trial: Trial, why: str) -> RequestError:
    return RequestError(f"trial {trial.short_id} is no model of transformers' own: {why}")


def _model(trial: Trial, kept: KeptTrial) -> "PreTrainedModel":
    """Build transformers' classifier, and give it the kept numbers."""
    import torch
    from transformers import AutoModelForSequenceClassification

    family, settings = _of_own_family(trial, kept)
    states = states_of(kept)
    if len(states) > 1:
        checkpoints = f"checkpoints = {kept.recipe.checkpoints}"
        raise _not_own(trial, f"{checkpoints} predicts by the mean of what {len(states)} models say")
    model: Any = AutoModelForSequenceClassification.from_config(_config(kept, family, settings), dtype=torch.float32)
    model.eval().load_state_dict(_renamed(kept, states[0], OWN_CLASSIFIERS[family], model))
    return cast("PreTrainedModel", model)


def _config(kept: KeptTrial, family: str, settings: Mapping[str, Any]) -> Any:
    """Return the encoder's config as that of a classifier: the names of the labels, and what they are."""
    part = kept.parts[PART]
    config = model_config(settings)
    config.id2label = dict(enumerate(part.label_names))
    config.label2id = {name: number for number, name in enumerate(part.label_names)}
    config.problem_type = PROBLEMS[part.labels_are]
    for name, value in config_of_own(kept.recipe, family).items():
        setattr(config, name, value)
    return config


def _renamed(kept: KeptTrial, state: Mapping[str, "Tensor"], own: OwnClassifier, model: Any) -> dict[str, "Tensor"]:
    """Return kept parameters by transformers' names. A pooler that it does not read is left out."""
    encoder, names = model.base_model_prefix, model.state_dict()
    found = {
        name.replace("encoder.", f"{encoder}.", 1): tensor
        for name, tensor in state.items()
        if name.startswith("encoder.")
    }
    dense = own.dense.format(encoder)
    learned = "hidden.linear" if kept.recipe.head == "mlp" else None
    for kind in ("weight", "bias"):
        pooler = found.get(f"{encoder}.pooler.dense.{kind}", found.get(f"{encoder}.pooler.{kind}"))
        vector = pooler if learned is None else state[f"{learned}.{kind}"]
        assert vector is not None, "a recipe that reads the pooler has one"
        found[f"{dense}.{kind}"] = vector
        found[f"{own.output}.{kind}"] = _in_units(state, kind)
    return {name: tensor for name, tensor in found.items() if name in names or "pooler" not in name}


def _in_units(state: Mapping[str, "Tensor"], kind: str) -> "Tensor":
    """Return the last map's parameters such that what it gives needs no scale and no shift any more."""
    tensor = state[f"classifier.{kind}"]
    if "outputs.scale" not in state:
        return tensor
    scale, shift = state["outputs.scale"], state["outputs.shift"]
    return tensor * scale[:, None] if kind == "weight" else tensor * scale + shift


def _save_tokenizer(kept: KeptTrial, folder: Path) -> None:
    """Write the tokenizer such that it cuts texts, and tells segments, as the trial's does."""
    tokenizer = build_tokenizer(tokenizer_files(encoder_of(kept)))
    tokenizer.model_max_length = int(kept.recipe.max_length)
    if kept.recipe.token_types == "zeros":  # which a model takes where it is given none
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    tokenizer.init_kwargs["model_input_names"] = tokenizer.model_input_names
    tokenizer.save_pretrained(folder)


def _refuse_unequal(kept: KeptTrial, folder: Path) -> None:
    """Raise RequestError where what was written, opened by transformers, says something else of a few texts."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True).eval()
    texts = [*PROBES, *kept.parts[PART].label_names]
    pairs = texts[::-1] if kept.parts[PART].kind == "pair" else None
    rows = tokenizer(texts, pairs, truncation=True, padding=True, return_tensors="pt")
    with torch.inference_mode():
        theirs = model(**rows).logits.numpy()
    ours = predict_logits(
        replace(kept, recipe=kept.recipe.model_copy(update={"precision": "fp32"})),
        Split(tuple(texts), None, None if pairs is None else tuple(pairs)),
    )
    if not np.allclose(theirs, ours, rtol=CLOSE, atol=CLOSE * max(1.0, float(np.abs(ours).max()))):
        raise RequestError(
            "transformers would not say the same with these weights and this tokenizer (their outputs for some texts "
            f"differ by {np.abs(theirs - ours).max():.2g}), so nothing is written: predict with gridsearch predict"
        )
