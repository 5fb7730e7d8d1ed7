"""What a plan costs: time where it was measured, memory, and the room on the disk."""

import contextlib
import sys
from collections.abc import Collection
from dataclasses import dataclass

from gridsearch.errors import NotBegunError
from gridsearch.planning.cost_groups import groups_of
from gridsearch.planning.halving import halved
from gridsearch.planning.plan import Plan
from gridsearch.planning.stage_groups import stage_groups_of, works_of
from gridsearch.study.ledger_size import LedgerSize, ledger_size
from gridsearch.study.stored_logits import AUTO
from runners.cli import Arguments
from runners.endings.reasons import sentence_about
from runners.pricing.disk_size import DiskSize, disk_size
from runners.pricing.forecast import (
    Forecast,
    circumstances_of,
    known_forecast,
    known_prices,
    known_stage_prices,
    made_stages,
    only,
    worker_allotment,
)
from runners.pricing.price_cache import Fresh, Priced, save_prices
from runners.request import Question


@dataclass(frozen=True)
class Costs:
    """What all of a plan takes. ``asked`` is the plan with its halving, where there is one; ``made``: its stages there.

    ``whole`` is None where not every price is known: ``n_priced`` are, of ``n_groups`` and ``n_stage_groups``.
    ``pending`` are the trials that the study lacks, and ``left`` what they take; None where it has not begun.
    """

    asked: Plan
    made: set[str]
    whole: Forecast | None
    n_priced: int
    n_groups: int
    n_stage_groups: int
    pending: set[str] | None
    left: Forecast | None
    ledger: LedgerSize
    disk: DiskSize


def costs_of(question: Question, arguments: Arguments) -> Costs:
    """Count and look up; with ``--measure``, measure before."""
    plan = question.plan
    asked = plan if arguments.halving is None else halved(plan, arguments.halving)
    made = made_stages(plan)
    fresh = _measure(plan, made, arguments) if arguments.measure else None
    allotment, groups = worker_allotment(arguments), groups_of(plan)

    def forecast(trial_ids: Collection[str]) -> Forecast | None:
        stage_groups = stage_groups_of(works_of(plan, trial_ids, made), plan)
        return known_forecast(plan, only(groups, trial_ids), stage_groups, allotment, fresh)

    stage_groups = stage_groups_of(works_of(plan, plan.trials.keys(), made), plan)
    prices = [*known_prices(plan, groups, allotment, fresh), *known_stage_prices(plan, stage_groups, allotment, fresh)]
    pending = _pending(question)
    size = ledger_size(asked, _keeping(question, arguments.keep_logits))
    return Costs(
        asked=asked,
        made=made,
        whole=forecast(plan.trials.keys()),
        n_priced=len([price for price in prices if price is not None]),
        n_groups=len(groups),
        n_stage_groups=len(stage_groups),
        pending=pending,
        left=forecast(pending) if pending else None,
        ledger=size,
        disk=disk_size(
            asked,
            question.study,
            made,
            keep=arguments.keep,
            ledger_bytes=size.total_bytes,
            n_workers=allotment.n_workers,
        ),
    )


def _pending(question: Question) -> set[str] | None:
    """Return the trials that the study lacks; None where it has not begun."""
    plan, study = question.plan, question.study
    if study.ledger_path.is_file():
        with contextlib.suppress(NotBegunError), study.open() as ledger:
            ledger.refuse_another_study(plan, question.sources)
            survey = ledger.survey()
            return plan.trials.keys() & survey.unfinished | (plan.trials.keys() - survey.states.keys())
    return None


def _keeping(question: Question, asked: str) -> str:
    """Return how logits are kept: a study that has begun goes on as it is, unless another way is asked for."""
    study = question.study
    if asked == AUTO and study.ledger_path.is_file():
        with contextlib.suppress(NotBegunError), study.open() as ledger:
            return ledger.trials_manifest().logits or asked
    return asked


def _measure(plan: Plan, made: set[str], arguments: Arguments) -> Fresh:
    """Measure every group; keep the prices, or say why they are not kept, and return them."""
    from runners.pricing.measure import measure

    allotment, groups = worker_allotment(arguments), groups_of(plan)
    stage_groups = stage_groups_of(works_of(plan, plan.trials.keys(), made), plan)
    prices, stage_prices = measure(plan, groups, stage_groups, allotment.n_workers, allotment.threads)
    priced: list[Priced] = [*zip(groups, prices, strict=True), *zip(stage_groups, stage_prices, strict=True)]
    fresh, error = save_prices(priced, circumstances_of(plan, allotment))
    if error is not None:
        reason = sentence_about(error, None)
        print(f"caution: what was measured is told here, and not kept for later: {reason}", file=sys.stderr)
    return fresh
