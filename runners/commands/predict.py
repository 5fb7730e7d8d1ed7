"""``gridsearch predict``: new text, labelled by a trial's classifier."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from gridsearch.errors import GridSearchError, RequestError
from gridsearch.study.manifest import TrialsManifest
from gridsearch.study.ranking import trial_named
from gridsearch.study.study import Study
from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.metrics import probabilities
from gridsearch.tasks.tables import Columns, Table
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.kept_weights import KeptTrial, open_kept, predict_logits, save_weights
from gridsearch.trial import Trial
from runners.cli import EXIT_DONE, Arguments
from runners.materials import materials_of_trial
from runners.request import reload_task


def run(arguments: Arguments) -> int:
    """Write the input's own columns, and behind them the label and the probability of every label."""
    study, source = Study(Path(arguments.study)), Path(arguments.input)
    target = Path(arguments.output) if arguments.output else None
    _refuse_to_overwrite(target, source, force=arguments.force)
    with study.open() as ledger:
        manifest, trial = ledger.trials_manifest(), trial_named(ledger, arguments.trial)
        of_stage = Execution(**ledger.stages.execution(trial.encoder))
        dev, selected = ledger.dev_results().get(trial.id), manifest.target
    columns, ids = Columns.model_validate(manifest.sources["columns"]), manifest.sources.get("ids", False)
    inputs, table = read_inputs(source, columns, manifest.task.kind, ids=ids)
    folder = study.weights_of(trial.id)
    kept = open_kept(folder) if folder.is_dir() else _retrain(study, trial, manifest, of_stage)
    measured = f", dev {selected.name} {selected.of(dev):.4f}" if dev else ""
    _say(f"{len(inputs)} rows labelled by trial {trial.short_id} (seed {trial.seed}{measured})")
    logits = predict_logits(kept, inputs)
    if not np.isfinite(logits).all():
        raise GridSearchError(f"trial {trial.short_id} cannot predict: what it computes for the rows is not finite")
    chances = probabilities(logits)
    if target is None:
        _write(sys.stdout, table, chances, kept.label_names)
    else:
        with target.open("w", encoding="utf-8", newline="") as file:
            _write(file, table, chances, kept.label_names)
    return EXIT_DONE


def _refuse_to_overwrite(target: Path | None, source: Path, *, force: bool) -> None:
    if target is None:
        return
    if target.exists() and source.exists() and target.samefile(source):
        raise RequestError(f"the output may not be the input, {source}")
    if target.exists() and not force:
        raise RequestError(f"{target} exists; --force replaces it")
    if not target.parent.is_dir():
        raise RequestError(f"there is no folder {target.parent} to write {target.name} into")


def _write(file: TextIO, table: Table, chances: np.ndarray, names: Sequence[str]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    columns = table.names if table.named else [f"column {position}" for position in range(len(table.names))]
    writer.writerow([*columns, "predicted", *(f"p({name})" for name in names)])
    for i, row in enumerate(zip(*table.values, strict=True)):
        writer.writerow([*row, names[int(chances[i].argmax())], *(f"{chance:.6f}" for chance in chances[i])])


def _say(text: str) -> None:
    """Remarks go beside the predictions, not into them."""
    print(text, file=sys.stderr)


def _retrain(study: Study, trial: Trial, manifest: TrialsManifest, of_stage: Execution) -> KeptTrial:
    _say(f"the weights of trial {trial.short_id} were not kept: training it again (sweep --keep best keeps them)")
    task = reload_task(manifest)
    materials = materials_of_trial(trial, task, manifest.sources["encoders"], _say, of_stage)
    encoder = materials.encoder_of(trial)
    outcome = finetune(trial, materials.data_of(trial), encoder, Execution(keep_weights=True))
    assert outcome.weights is not None
    folder = study.weights_of(trial.id)
    save_weights(folder, trial, outcome.weights, encoder, task.kind, task.label_names)
    _say(f"its weights are now kept in {folder}")
    return open_kept(folder)
