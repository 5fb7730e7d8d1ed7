"""What ``gridsearch plan`` tells programs."""

from collections.abc import Mapping
from typing import Any

from gridsearch.planning.plan import Plan
from gridsearch.planning.rates import rate_warnings
from gridsearch.space.factor import Factor
from reports.texts_read import first_lines, text_cautions
from runners.planned.costs import Costs
from runners.pricing.forecast import Forecast
from runners.request import Question


def plan_facts(question: Question, costs: Costs) -> Mapping[str, Any]:
    """Return cells and trials, what rules leave out, what all of it takes, and what to be careful about."""
    plan = question.plan
    cautions = [*first_lines(plan.texts), *rate_warnings(plan), *text_cautions(plan.texts, "mild")]
    return {
        "study": question.study.folder,
        "space": plan.space.name,
        "title": plan.space.title,
        "task": {"name": plan.task.name, "metric": plan.task.target.name, "notes": plan.task.notes},
        "encoders": [
            {"name": card.name, "family": card.family, "layers": card.n_layers} for card in plan.cards.values()
        ],
        "fixed": plan.space.fixed,
        "factors": [_factor(plan, factor) for factor in plan.space.factors],
        "n_cells": len(plan.cells),
        "n_trials": len(plan.trials),
        "n_pending": None if costs.pending is None else len(costs.pending),
        "cells": [
            {
                "cell": cell.index,
                "row": cell.row or None,
                "levels": cell.levels,
                "trials": [trial.id for trial in cell.trials],
                "cannot_act": cell.dead,
            }
            for cell in plan.cells
        ],
        "left_out": [{"row": cell.row or None, "levels": cell.levels, "why": cell.why} for cell in plan.excluded],
        "pretrainings": list(plan.stages),
        "seconds": _seconds(costs.whole),
        "seconds_left": _seconds(costs.left),
        "disk_bytes": {
            "ledger": costs.ledger.total_bytes,
            "study": costs.disk.study_bytes,
            "cache": costs.disk.cache_bytes,
            "passing": costs.disk.passing_bytes,
        },
        "cautions": cautions,
    }


def _factor(plan: Plan, factor: Factor) -> Mapping[str, Any]:
    levels = {level.label: level.knobs for level in plan.levels_of(factor)}
    return {"name": factor.name, "column": factor.column, "baseline": factor.baseline, "levels": levels}


def _seconds(forecast: Forecast | None) -> Mapping[str, Any] | None:
    """Return seconds from begin to end, and between which they lie; None where they have not all been measured."""
    if forecast is None:
        return None
    return {"wall": forecast.wall_seconds, "low": forecast.low, "high": forecast.high, "held": forecast.held_seconds}
