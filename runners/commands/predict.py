"""``gridsearch predict``: new text, labelled or scored by what a trial has trained, or by the mean of several."""

import sys
from functools import cached_property
from pathlib import Path

import numpy as np

from gridsearch.errors import DamagedError, GridSearchError, RequestError
from gridsearch.study.manifest import TrialsManifest
from gridsearch.study.study import Study
from gridsearch.tasks.inputs import notes_on_empty, read_inputs
from gridsearch.tasks.judging.judge import mean_of, probabilities
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.task import Split
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.training.kept_weights import KeptTrial, open_kept, predict_logits, save_weights
from gridsearch.trial import Trial
from runners.cli import Arguments
from runners.materials import materials_of_trial
from runners.predicting.columns import known_of
from runners.predicting.members import read_members
from runners.predicting.part import read_part
from runners.predicting.scored import score_text
from runners.predicting.submission import read_submission
from runners.programs.answer import Answer
from runners.request import metric_given, reload_task


def run(arguments: Arguments) -> Answer:
    """Write what is asked for of each row; say beside it who said so, and the score where the input has labels."""
    study, source = Study(Path(arguments.study)), Path(arguments.input)
    if arguments.json and arguments.output is None:
        raise RequestError("--json tells who predicted; the predictions go into a file then: -o FILE")
    with study.open() as ledger:
        manifest = ledger.trials_manifest()
        part = read_part(manifest, arguments.part)
        kind = part.entry.labels_are
        members = read_members(ledger, arguments, kind)
        of_stages = {id_: Execution(**ledger.stages.execution(one.encoder)) for id_, one in members.trials.items()}
    inputs, table = read_inputs(source, part.columns, part.entry.kind_of_rows, ids=part.ids)
    known = known_of(table, part.entry, in_columns=isinstance(part.columns.label, tuple))
    submission = read_submission(arguments, known, source)
    for remark in (*table.notes, *notes_on_empty(inputs), *members.remarks):
        _say(remark)
    trained = Trained(study, manifest, part.name, metric_given(arguments))
    said = {id_: trained.logits(trial, inputs, of_stages[id_]) for id_, trial in members.trials.items()}
    outputs = mean_of([mean_of([said[trial.id] for trial in group], kind) for group in members.groups], kind)
    submission.write(probabilities(outputs, kind))
    of_part = f" of {part.name}" if manifest.task.parts else ""
    _say(f"{len(inputs)} rows{of_part} {'scored' if kind == 'score' else 'labelled'} by {members.text}")
    score = score_text(table, part.columns, outputs, part.entry)
    if score:
        _say(score)
    facts = {
        "study": study.folder,
        "file": submission.target,
        "part": part.name if manifest.task.parts else None,
        "rows": len(inputs),
        "trials": sorted(members.trials),
        "by": members.text,
        "score": score or None,
    }
    return Answer(facts)


class Trained:
    """What a study's trials say of a part: from kept weights, or trained again and then kept.

    ``metric`` is the function that judges the study, where it is one of Python.
    """

    def __init__(self, study: Study, manifest: TrialsManifest, part: str, metric: OwnMetric | None) -> None:
        self._study, self._manifest, self._part, self._metric = study, manifest, part, metric

    @cached_property
    def _task(self) -> AnyTask:
        return reload_task(self._manifest, self._metric)

    def logits(self, trial: Trial, inputs: Split, of_stage: Execution) -> np.ndarray:
        """Return what a trial says of new rows, (rows, labels). Raises GridSearchError where that is not finite."""
        kept = self._kept(trial) or self._again(trial, of_stage)
        found = predict_logits(kept, inputs, self._part)
        if not np.isfinite(found).all():
            raise GridSearchError(f"trial {trial.short_id} cannot predict: what it computes for the rows is not finite")
        return found

    def _kept(self, trial: Trial) -> KeptTrial | None:
        """Open what was kept of a trial; None, and a remark why, where it has to be trained again."""
        folder, again = self._study.weights_of(trial.id), "training it again"
        if not folder.is_dir():
            _say(f"the weights of trial {trial.short_id} were not kept: {again} (sweep --keep best keeps them)")
            return None
        try:
            return open_kept(folder)
        except DamagedError as error:
            _say(f"{error}: {again}")
            return None

    def _again(self, trial: Trial, of_stage: Execution) -> KeptTrial:
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
