"""``gridsearch export --to transformers``: transformers opens it, and says what ``gridsearch predict`` says."""

import csv
import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.classifier import build_classifier
from gridsearch.encoders.families import FAMILIES
from gridsearch.encoders.own_classifiers import OWN_CLASSIFIERS
from gridsearch.errors import RequestError
from gridsearch.study.study import Study
from gridsearch.tasks.judging.codes import Codes
from gridsearch.tasks.judging.judge import probabilities
from gridsearch.tasks.task import Split, Task
from gridsearch.training.kept_weights import KeptTrial, open_kept, predict_logits, save_weights
from gridsearch.trial import ONE_MODEL, Trial
from runners.cli import main
from runners.exporting.transformers_folder import write_model
from tests.fixtures_core import LABELS, WIDTH, encoder_in, slow, trial_of
from tests.reports.folded import FoldWriter, folded_plan
from tests.runners.conftest import make_project

POOLER = {"pooling": "pooler"}


def mlp(activation: str, pooling: str = "cls") -> dict[str, Any]:
    return {"pooling": pooling, "head": "mlp", "head_activation": activation, "head_width": WIDTH}


CASES = [
    ("bert", POOLER, "single"),
    ("bert", mlp("tanh"), "pair"),
    ("roberta", mlp("tanh"), "single"),
    ("distilbert", mlp("relu"), "pair"),
    *(slow(family, mlp(own.activation), "pair") for family, own in OWN_CLASSIFIERS.items() if family != "big_bird"),
    slow("eurobert", mlp("gelu", "mean"), "single"),
    slow("roberta", POOLER, "pair"),
    slow("albert", POOLER, "pair"),
    slow("bert", POOLER | {"token_types": "zeros"}, "pair"),
    slow("bert", POOLER | {"max_length": 9}, "pair"),
]


@pytest.fixture(scope="module")
def pairs(task: Task) -> Task:
    return Task("pairs", "pair", "accuracy", LABELS, paired(task.train), paired(task.dev))


def paired(split: Split) -> Split:
    return Split(split.texts, split.labels, split.texts[1:] + split.texts[:1])


def keep(
    folder: Path, encoder_folder: Path, task: Task, *, in_units: bool = False, n_models: int = 1, **knobs: Any
) -> tuple[Trial, KeptTrial]:
    """Keep a model that was not trained, whose texts differ to it."""
    trial, encoder = trial_of(**knobs), encoder_in(encoder_folder)
    model = build_classifier(trial.recipe, encoder, len(task.label_names), trial.seed, in_units=in_units)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6)
        if model.outputs is not None:
            model.outputs.scale.fill_(2.5)
            model.outputs.shift.fill_(40.0)
    state = model.state_dict()
    others = {f"{number}/{name}": tensor + 1 for number in range(1, n_models) for name, tensor in state.items()}
    save_weights(folder, trial, {ONE_MODEL: save(state | others)}, encoder, task)
    return trial, open_kept(folder)


def said_by_transformers(folder: Path, split: Split) -> np.ndarray:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    pairs = None if split.pairs is None else list(split.pairs)
    rows = tokenizer(list(split.texts), pairs, truncation=True, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return model(**rows).logits.numpy()


@pytest.mark.parametrize(("family", "knobs", "kind"), CASES)
def test_transformers_says_the_same(
    tmp_path: Path,
    family_folders: dict[str, Path],
    task: Task,
    pairs: Task,
    family: str,
    knobs: dict[str, Any],
    kind: str,
) -> None:
    asked = task if kind == "single" else pairs
    trial, kept = keep(tmp_path / "kept", family_folders[family], asked, **knobs)
    (tmp_path / "model").mkdir()
    write_model(trial, kept, tmp_path / "model")
    ours = probabilities(predict_logits(kept, asked.dev), "class")
    theirs = probabilities(said_by_transformers(tmp_path / "model", asked.dev), "class")
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-6)
    assert np.ptp(ours, axis=0).max() > 0.01, "texts differ to it"
    assert (tmp_path / "model" / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("codes", "names"),
    [(Codes(combinations=((), (0,), (0, 1))), ("a", "b")), slow(Codes(scores=(1.0, 2.5)), ("stars",))],
)
def test_several_labels_and_numbers(
    tmp_path: Path, family_folders: dict[str, Path], task: Task, codes: Codes, names: tuple[str, ...]
) -> None:
    """Scales and shifts of what is predicted are in the last map."""
    other = Task("other", "single", "f1_micro", names, task.train, task.dev, codes=codes)
    trial, kept = keep(tmp_path / "kept", family_folders["bert"], other, in_units=True, **POOLER)
    (tmp_path / "model").mkdir()
    write_model(trial, kept, tmp_path / "model")
    ours, theirs = predict_logits(kept, task.dev), said_by_transformers(tmp_path / "model", task.dev)
    assert ours.mean() > 30
    np.testing.assert_allclose(theirs, ours, rtol=1e-6)


@pytest.mark.parametrize(
    ("family", "knobs", "why"),
    [
        ("bert", {"pooling": "cls"}, "it has pooling = cls and head = linear, and transformers' own classifier of "
            "bert encoders is pooling = cls with head = mlp, head_activation = tanh and head_width = 32, or pooling = "
            "pooler with head = linear"),
        ("bert", {"pooling": "mean"}, "it has pooling = mean and head = linear"),
        ("bert", mlp("gelu"), "head = mlp, head_activation = gelu, head_width = 32, and transformers' own"),
        ("bert", mlp("tanh") | {"head_width": 16}, "head_width = 16, and"),
        ("bert", POOLER | {"head": "label_attention"}, "head = label_attention, and"),
        ("bert", POOLER | {"cooccurrence": "add_scalar"}, "cooccurrence = add_scalar marks words"),
        ("bert", POOLER | {"prediction_order": "both"}, "prediction_order = both reads each pair twice"),
        ("bert", POOLER | {"checkpoints": 2, "n_models": 2}, "checkpoints = 2 predicts by the mean of what 2 models"),
        ("nezha", POOLER, "no classifier of nezha encoders in transformers is one of ours"),
        ("modernbert", mlp("gelu"), "no classifier of modernbert encoders"),
        ("convbert", mlp("gelu"), "no classifier of convbert encoders"),
        ("big_bird", mlp("gelu"), "where the encoder's hidden_act is gelu"),
    ],
)  # fmt: skip
def test_what_is_no_model_of_transformers_own(
    tmp_path: Path, family_folders: dict[str, Path], pairs: Task, family: str, knobs: dict[str, Any], why: str
) -> None:
    trial, kept = keep(tmp_path / "kept", family_folders[family], pairs, **knobs)
    with pytest.raises(RequestError) as told:
        write_model(trial, kept, tmp_path / "model")
    assert str(told.value).startswith(f"trial {trial.short_id} is no model of transformers' own: ")
    assert why in str(told.value)
    assert not (tmp_path / "model").exists()


def test_several_parts(tmp_path: Path, family_folders: dict[str, Path], task: Task) -> None:
    trial, kept = keep(tmp_path / "kept", family_folders["bert"], task, **POOLER)
    (part,) = kept.parts.values()
    with pytest.raises(RequestError, match=r"its task has several parts \(news, mood\), whose labels lie side by side"):
        write_model(trial, replace(kept, parts={"news": part, "mood": part}), tmp_path / "model")


def test_folds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One of them can be taken, if its weights were kept."""
    plan = folded_plan()
    FoldWriter(Study(tmp_path / "study"), plan)
    words = ["export", str(tmp_path / "study"), "--to", "transformers", "-o", str(tmp_path / "model")]
    assert main(words) == 2
    assert "the best of a study of folds is the mean of the trials of a row" in capsys.readouterr().err
    assert main([*words, "--trial", plan.cells[0].trials[0].id]) == 2
    assert "were not kept" in capsys.readouterr().err


def test_every_family_is_thought_of() -> None:
    assert set(FAMILIES) - set(OWN_CLASSIFIERS) == {"nezha", "modernbert", "convbert"}


def test_a_tokenizer_that_reads_otherwise_is_refused(
    tmp_path: Path, family_folders: dict[str, Path], task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, kept = keep(tmp_path / "kept", family_folders["bert"], task, **POOLER)
    (tmp_path / "model").mkdir()

    def save_another(kept: KeptTrial, folder: Path) -> None:
        tokenizer = build_tokenizer(encoder_in(family_folders["roberta"]).tokenizer)
        tokenizer.save_pretrained(folder)

    monkeypatch.setattr("runners.exporting.transformers_folder._save_tokenizer", save_another)
    with pytest.raises(RequestError, match="would not say the same with these weights and this tokenizer"):
        write_model(trial, kept, tmp_path / "model")


SPACE = """
[recipe]
epochs = 2
learning_rate = 3e-3
max_length = 24
pooling = "pooler"
[factors]
bert_adam = [false, true]
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path, docstrings_task: Task) -> Path:
    project = make_project(tmp_path_factory.mktemp("exported"), docstrings_task)
    (project / "question.toml").write_text(SPACE)
    words = ["sweep", str(project / "question.toml"), "--task", str(project / "task.toml"), "--runner", "serial"]
    assert main([*words, "--model", str(encoder_folder), "--study", str(project / "study"), "--keep", "best"]) == 0
    return project


def test_the_command_writes_what_predict_says(swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, study = tmp_path / "a model", str(swept / "study")
    capsys.readouterr()
    assert main(["export", study, "--to", "transformers", "--trial", "best", "-o", str(model)]) == 0
    assert "as BertForSequenceClassification and its tokenizer: " in capsys.readouterr().out
    texts = ["Return a tensor of ones.", "Suggest a value for the trial.", "a " * 40]
    (tmp_path / "texts.txt").write_text("".join(f"{text}\n" for text in texts))
    assert main(["predict", study, str(tmp_path / "texts.txt"), "-o", str(tmp_path / "said.csv"), "--digits", "9"]) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "said.csv").read_text(encoding="utf-8"))))
    from transformers import AutoConfig

    names = AutoConfig.from_pretrained(model).id2label
    ours = np.array([[float(row[f"p({names[number]})"]) for number in range(2)] for row in rows])
    theirs = probabilities(said_by_transformers(model, Split(tuple(texts), None)), "class")
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-6)


def test_weights_that_were_not_kept(swept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = Study(shutil.copytree(swept / "study", tmp_path / "study"))
    with study.open() as ledger:
        (other,) = [one for one in ledger.trial_ids() if not study.weights_of(one).is_dir()]
    words = ["export", str(study.folder), "--to", "transformers", "-o", str(tmp_path / "model"), "--trial"]
    assert main([*words, other[:8]]) == 2
    said = capsys.readouterr().err
    assert f"the weights of trial {other[:8]} were not kept: `gridsearch predict {tmp_path / 'study'} " in said
    assert main([*words, "zz"]) == 2
    assert "no trial of this study starts with 'zz'" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()
