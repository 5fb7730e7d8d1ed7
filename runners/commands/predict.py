"""``gridsearch predict``: new text, labelled by a trial's classifier or by the mean of several."""

import sys
from functools import cached_property
from pathlib import Path

import numpy as np

from gridsearch.errors import GridSearchError
from gridsearch.study.manifest import TrialsManifest
from gridsearch.study.study import Study
from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.metrics import mean_of_probabilities, probabilities
from gridsearch.tasks.tables import Columns
from gridsearch.tasks.task import Split, Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.kept_weights import KeptTrial, open_kept, predict_logits, save_weights
from gridsearch.trial import Trial
from runners.cli import EXIT_DONE, Arguments
from runners.materials import materials_of_trial
from runners.predicting.columns import Known
from runners.predicting.members import read_members
from runners.predicting.scored import score_text
from runners.predicting.submission import read_submission
from runners.request import reload_task


def run(arguments: Arguments) -> int:
    """Write what is asked for of each row; say beside it who said so, and the score where the input has labels."""
    study, source = Study(Path(arguments.study)), Path(arguments.input)
    with study.open() as ledger:
        manifest, members = ledger.trials_manifest(), read_members(ledger, arguments)
        of_stages = {id_: Execution(**ledger.stages.execution(one.encoder)) for id_, one in members.trials.items()}
    columns, ids = Columns.model_validate(manifest.sources["columns"]), manifest.sources.get("ids", False)
    inputs, table = read_inputs(source, columns, manifest.task.kind_of_rows, ids=ids)
    known = Known(table, tuple(manifest.task.label_names), manifest.task.position_of_positive)
    submission = read_submission(arguments, known, source)
    for remark in members.remarks:
        _say(remark)
    trained = Trained(study, manifest)
    said = {id_: trained.logits(trial, inputs, of_stages[id_]) for id_, trial in members.trials.items()}
    logits = mean_of_probabilities(
        [mean_of_probabilities([said[trial.id] for trial in group]) for group in members.groups]
    )
    submission.write(probabilities(logits))
    _say(f"{len(inputs)} rows labelled by {members.text}")
    if text := score_text(table, columns, logits, manifest):
        _say(text)
    return EXIT_DONE


class Trained:
    """The classifiers of a study's trials: from kept weights, or trained again and then kept."""

    def __init__(self, study: Study, manifest: TrialsManifest) -> None:
        self._study, self._manifest = study, manifest

    @cached_property
    def _task(self) -> Task:
        return reload_task(self._manifest)

    def logits(self, trial: Trial, inputs: Split, of_stage: Execution) -> np.ndarray:
        """Return what a trial says of new rows, (rows, labels). Raises GridSearchError where that is not finite."""
        folder = self._study.weights_of(trial.id)
        found = predict_logits(open_kept(folder) if folder.is_dir() else self._again(trial, of_stage), inputs)
        if not np.isfinite(found).all():
            raise GridSearchError(f"trial {trial.short_id} cannot predict: what it computes for the rows is not finite")
        return found

    def _again(self, trial: Trial, of_stage: Execution) -> KeptTrial:
        _say(f"the weights of trial {trial.short_id} were not kept: training it again (sweep --keep best keeps them)")
        task = self._task
        materials = materials_of_trial(trial, task, self._manifest.sources["encoders"], _say, of_stage)
        encoder = materials.encoder_of(trial)
        outcome = finetune(trial, materials.data_of(trial), encoder, Execution(keep_weights=True))
        assert outcome.weights is not None
        folder = self._study.weights_of(trial.id)
        save_weights(folder, trial, outcome.weights, encoder, task)
        _say(f"its weights are now kept in {folder}")
        return open_kept(folder)


def _say(text: str) -> None:
    """Remarks go beside the predictions, not into them."""
    print(text, file=sys.stderr)
