"""``gridsearch rerun``: one trial again in this process, compared with what the ledger holds."""

from collections.abc import Mapping
from pathlib import Path

from gridsearch.errors import DivergedError
from gridsearch.study.ranking import trial_named
from gridsearch.study.study import Study
from gridsearch.tasks.target import Target
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.trial import Epoch, Metrics, Outcome
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, Arguments
from runners.materials import materials_of_trial
from runners.request import metric_given, reload_task


def run(arguments: Arguments) -> int:
    """Train the trial again and print each epoch; exit 1 when the result differs from the ledger's."""
    with Study(Path(arguments.study)).open() as ledger:
        manifest, trial = ledger.trials_manifest(), trial_named(ledger, arguments.trial)
        known = ledger.dev_results().get(trial.id)
        execution = Execution(**ledger.execution(trial.id))
        of_stage = Execution(**ledger.stages.execution(trial.encoder))
    task = reload_task(manifest, metric_given(arguments))
    materials = materials_of_trial(trial, task, manifest.sources["encoders"], print, of_stage)
    target = task.target

    def show(epoch: Epoch) -> None:
        dev = f"{target.of(epoch.dev):.4f}" if epoch.is_finite else "none: numbers are not finite"
        print(
            f"epoch {epoch.number}: loss {epoch.train_loss:.4f}, dev {target.name} {dev}, {epoch.train_seconds:.1f} s"
        )

    data, encoder = materials.data_of(trial), materials.encoder_of(trial)
    try:
        outcome = finetune(trial, data, encoder, execution, show)
    except DivergedError as error:
        print(f"no result: {error}")
        return EXIT_INCOMPLETE
    return _compare(outcome, known, target)


def _compare(outcome: Outcome, known: Mapping[str, Metrics] | None, target: Target) -> int:
    dev = target.of(outcome.dev)
    print(f"chosen epoch {outcome.chosen_epoch}: dev {target.name} {dev!r}")
    if known is None:
        print("the ledger has no finished attempt to compare with")
        return EXIT_DONE
    if outcome.dev == known:
        print("equal to the ledger's, to the last bit")
        return EXIT_DONE
    print(f"the ledger has {target.of(known)!r}: other versions or another machine (see the page's provenance)")
    return EXIT_INCOMPLETE
