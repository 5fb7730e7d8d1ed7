"""``gridsearch rerun``: one trial again in this process, compared with what the ledger holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gridsearch.errors import DivergedError
from gridsearch.study.ranking import trial_named
from gridsearch.study.study import Study
from gridsearch.tasks.target import Target
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.trial import Epoch, Metrics, Outcome
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, Arguments
from runners.materials import materials_of_trial
from runners.programs.answer import Answer, lines
from runners.request import metric_given, reload_task

NO_RESULT: Final = {"chosen_epoch": None, "dev": None, "in_ledger": None, "equal": None}


def run(arguments: Arguments) -> Answer:
    """Train the trial again and print each epoch as it ends; exit 1 when the result differs from the ledger's."""
    with Study(Path(arguments.study)).open() as ledger:
        manifest, trial = ledger.trials_manifest(), trial_named(ledger, arguments.trial)
        known = ledger.dev_results().get(trial.id)
        execution = Execution(**ledger.execution(trial.id))
        of_stage = Execution(**ledger.stages.execution(trial.encoder))
    task = reload_task(manifest, metric_given(arguments))
    materials = materials_of_trial(trial, task, manifest.sources["encoders"], print, of_stage)
    target = task.target
    epochs: list[Mapping[str, Any]] = []
    facts = {"trial": trial.id, "metric": target.name, "epochs": epochs}

    def show(epoch: Epoch) -> None:
        epochs.append(_epoch_facts(epoch, target))
        dev = f"{target.of(epoch.dev):.4f}" if epoch.is_finite else "none: numbers are not finite"
        print(
            f"epoch {epoch.number}: loss {epoch.train_loss:.4f}, dev {target.name} {dev}, {epoch.train_seconds:.1f} s"
        )

    data, encoder = materials.data_of(trial), materials.encoder_of(trial)
    try:
        outcome = finetune(trial, data, encoder, execution, show)
    except DivergedError as error:
        return Answer({**facts, **NO_RESULT, "no_result": str(error)}, f"no result: {error}", EXIT_INCOMPLETE)
    return _compared(facts, outcome, known, target)


def _epoch_facts(epoch: Epoch, target: Target) -> Mapping[str, Any]:
    dev = target.of(epoch.dev) if epoch.is_finite else None
    return {"epoch": epoch.number, "train_loss": epoch.train_loss, "dev": dev, "seconds": epoch.train_seconds}


def _compared(
    facts: Mapping[str, Any], outcome: Outcome, known: Mapping[str, Metrics] | None, target: Target
) -> Answer:
    dev, in_ledger = target.of(outcome.dev), None if known is None else target.of(known)
    equal = None if known is None else outcome.dev == known
    told = {"chosen_epoch": outcome.chosen_epoch, "dev": dev, "in_ledger": in_ledger, "equal": equal, "no_result": None}
    if equal is None:
        judged = "the ledger has no finished attempt to compare with"
    elif equal:
        judged = "equal to the ledger's, to the last bit"
    else:
        judged = f"the ledger has {in_ledger!r}: other versions or another machine (see the page's provenance)"
    text = lines(f"chosen epoch {outcome.chosen_epoch}: dev {target.name} {dev!r}", judged)
    return Answer({**facts, **told}, text, EXIT_INCOMPLETE if equal is False else EXIT_DONE)
