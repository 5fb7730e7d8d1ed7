"""Rounds: run what the ledger lacks until nothing is lacking, retries last; of a halving, one rung after the other."""

from dataclasses import replace

from gridsearch.plan.plan import Plan
from gridsearch.study.ledger import Ledger
from gridsearch.study.ranking import best_so_far
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Materials
from gridsearch.training.worker import Job
from gridsearch.trial import Retry, retry_after
from runners.contract import Runner
from runners.recorder import Recorder


def _run_rounds(
    plan: Plan, ledger: Ledger, runner: Runner, materials: Materials, recorder: Recorder, execution: Execution
) -> str:
    """Run what is pending; whatever ends it, no live line and no lease is left behind."""
    if plan.halving is None:
        recorder.progress.begin(ledger.coverage(), best_so_far(ledger, plan.task.metric))
    try:
        return _rounds(plan, ledger, runner, materials, recorder, execution)
    except KeyboardInterrupt:
        ledger.release("interrupted")
        raise
    finally:
        recorder.progress.close()


def _rounds(
    plan: Plan, ledger: Ledger, runner: Runner, materials: Materials, recorder: Recorder, execution: Execution
) -> str:
    """Run what is pending until nothing is, retries included; a retry alone waits until the others are done.

    What is pending of a halving is that of one rung; when it is done, the ledger names what the next one lacks.
    """
    n_rungs = 0
    while pending := (survey := ledger.survey()).pending:
        if (standing := survey.standing) is not None:
            recorder.end_after({} if standing.is_last else standing.lacking)
            if len(standing.members) > n_rungs:
                n_rungs = len(standing.members)
                recorder.progress.begin_rung(standing, best_so_far(ledger, plan.task.metric))
        retries = {trial_id: retry_after(ledger.failures(trial_id)) or Retry() for trial_id in pending}
        together = {trial_id for trial_id in pending if not retries[trial_id].alone}
        batch = together or pending
        jobs = [
            Job(trial, replace(execution, micro_batch_divisor=retries[trial.id].micro_batch_divisor))
            for trial in plan.in_running_order(batch)
        ]
        runner.run(jobs, materials, recorder, alone=not together)
        if recorder.stop_wanted():
            ledger.release("the sweep was stopped")
            # The error lies in what all trials share, so the next start tries these again.
            ledger.reopen_failed()
            return recorder.why_stopped
        if not recorder.close_round():
            return f"the runner began none of {len(jobs)} trials"
    return ""
