"""``page.json``: every number on the page, for programs.

Keys of a study of trials (an imported one has the first three, ``effects``, and ``observations``; a training's log
``curve`` instead of ``effects``: see reports/sections/log_curve.py):

==================  ===================================================================================================
``format``          version of this layout, 1
``kind``            "trials" or "observations"
``study``           what the study is bound to: space, task, metric, factors, rules, design, ... (its manifest)
``coverage``        the certificate: ``line``, ``complete``, and the number of trials in each state
``result``          ``metric``, ``split`` that results are measured on, ``lower_is_better``
``cells``           one object a row, in table order; a spread is ``{"mean", "sd", "n"}`` over finished replicates,
                    ``sd`` null below two; ``seconds_per_epoch`` is training alone; ``replicates`` hold single trials;
                    ``row`` is its name in a list, and empty in other designs; ``scores`` from outside are by name
                    and trial
``guess``           what one reaches on dev: ``bound`` in the metric, and in ``correlation`` with the labels; or null
``best``            index of the cell that is best on dev; ``worst``, ``highest_result``, ``baseline`` alike; or null
``cost``            ``levels``: median ``seconds`` of a training epoch over ``n`` trials, and ``ratio`` to the baseline
                    level; ``n_other_terms``: finished trials that are not counted; or null before any has finished
``predicted``       what ``plan --measure`` led to expect of finished trials: see ``Forecast`` in
                    sections/cost_forecast.py; or null
``optimised``       of a search: ``pareto`` (cells by index), ``importance`` by factor, ``convergence`` (after ``n``
                    cells, the ``best`` and what a random order would have ``expected``); or null
``halving``         of a successive halving: ``eta``, ``rungs`` (``epochs``, ``n_cells``), ``members`` (cells by index
                    of each rung that has begun), ``under_way`` (trials that the present one lacks),
                    ``dev_after_first_rung`` by index, and ``effects_after_epochs``: ``effects`` (or ``regression``)
                    are on dev after so many epochs; or null
``effects``         the analysis behind "What matters", factors by name: ``EffectAnalysis`` in statistics/results.py;
                    null where no design laid the rows out
``regression``      what stands there instead: see ``Regression`` in statistics/observational.py
``versus``          the best cell less the baseline on the same ``n_rows``: ``bootstrap``, and for each of ``seeds`` the
                    rows that only one of two trials gets right (see reports/statistics/paired_rows.py); or null
``yardsticks``      ``name``, ``dev``, ``test``
``excluded``        cells left out: ``row``, ``levels``, ``why``
``same_rows``       rows of a list that are the same recipe and share their trials, by name
``dead_knobs``      ``knob``, ``reason``, ``cells``, ``groups`` of cells that differ in nothing that acts
``failures``        failed attempts put together by ``kind``, ``message`` and ``then``
``cautions``        the sentences under "Read with care"
``timing``          Unix seconds of the first start and the last end, attempts, workers, seconds of finished trials
``provenance``      one object for each start of a driver, with the number of its attempts
``commands``        ``sweep``, and ``rerun`` for the best cell; or null
==================  ===================================================================================================
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reports.commands import rerun_command, sweep_command
from reports.sections.best_vs_baseline import Versus, best_against_baseline
from reports.sections.cost import study_cost
from reports.sections.cost_forecast import forecast
from reports.sections.findings import cautions, dead_knobs, failure_groups, highest_result, same_rows
from reports.sections.halving import halving_numbers
from reports.sections.log_curve import curve_numbers
from reports.sections.observational import is_observational, study_regression
from reports.sections.reasons_text import effects_numbers, regression_numbers
from reports.sections.search import optimised_numbers
from reports.study.first_rung import at_first_rung
from reports.study.measured import study_effects
from reports.study.published_value import published_value
from reports.study.view import CellRow, StudyRows

FORMAT = 1


def numbers_text(study: StudyRows) -> str:
    """Serialise the numbers of a page."""
    return json.dumps(numbers(study), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def numbers(study: StudyRows) -> dict[str, Any]:
    """Gather the numbers of a page."""
    about = study.manifest.to_json()
    head = {"format": FORMAT, "kind": about["kind"], "study": about}
    return head | (_of_observations(study) if study.is_imported else _of_trials(study))


def _answer(study: StudyRows) -> dict[str, Any]:
    observational = is_observational(study)
    return {
        "effects": None if observational else _finite(effects_numbers(study_effects(study))),
        "regression": _finite(regression_numbers(study_regression(at_first_rung(study)))) if observational else None,
    }


def _finite(value: Any) -> Any:
    """Replace what is not finite by null, which JSON has."""
    if isinstance(value, Mapping):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def _of_observations(study: StudyRows) -> dict[str, Any]:
    return {
        "result": {"metric": study.metric, "split": None, "lower_is_better": study.lower_is_better},
        **({"curve": curve_numbers(study)} if study.is_curve else _answer(study)),
        "observations": [
            {
                "index": row.index,
                "levels": row.levels,
                "value": row.value,
                "text": row.text,
                "scores": {
                    name: {"value": published_value(text).number, "text": text} for name, text in row.scores.items()
                },
            }
            for row in study.observations
        ],
    }


def _of_trials(study: StudyRows) -> dict[str, Any]:
    ranking, cost, expected = study.ranking, study_cost(study), forecast(study)
    best = ranking[0] if ranking else None
    return {
        "coverage": {"line": str(study.coverage), "complete": study.coverage.complete, **asdict(study.coverage)},
        "guess": None if study.guess is None else asdict(study.guess),
        "result": {
            "metric": study.metric,
            "positive_label": study.positive_label,
            "split": study.split,
            "lower_is_better": study.lower_is_better,
        },
        "cells": [_cell(study, cell) for cell in study.cells],
        "best": _index(best),
        "worst": _index(ranking[-1] if ranking else None),
        "highest_result": _index(highest_result(study)),
        "baseline": _index(study.baseline),
        "optimised": optimised_numbers(study),
        "halving": halving_numbers(study),
        "cost": None if cost is None else asdict(cost),
        "predicted": None if expected is None else asdict(expected),
        **_answer(study),
        "versus": _versus(best_against_baseline(study)),
        "yardsticks": [asdict(yardstick) for yardstick in study.yardsticks],
        "excluded": [{"row": cell.row, "levels": cell.levels, "why": cell.why} for cell in study.excluded],
        "same_rows": [[cell.row for cell in group] for group in same_rows(study)],
        "dead_knobs": [asdict(dead) for dead in dead_knobs(study)],
        "failures": [asdict(group) for group in failure_groups(study.failures)],
        "cautions": cautions(study),
        "timing": asdict(study.timing),
        "provenance": [{"n_attempts": record.n_attempts, **record.content} for record in study.provenance],
        "commands": {
            "sweep": sweep_command(study),
            "rerun": rerun_command(study, best.finished[0].trial) if best else None,
        },
    }


def _versus(found: Versus | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "n_rows": found.n_rows,
        "bootstrap": asdict(found.bootstrap),
        "seeds": [asdict(pair) for pair in found.seeds],
    }


def _index(cell: CellRow | None) -> int | None:
    return None if cell is None else cell.index


def _cell(study: StudyRows, cell: CellRow) -> dict[str, Any]:
    return {
        "index": cell.index,
        "row": cell.row,
        "levels": cell.levels,
        "settings": study.settings(cell.levels),
        "recipe": cell.recipe,
        "dead": cell.dead,
        "state": cell.state,
        "result": asdict(cell.result),
        "dev": asdict(cell.dev),
        "chosen_epochs": [replicate.chosen_epoch for replicate in cell.finished],
        "seconds_per_epoch": cell.train_seconds_per_epoch.mean,
        "not_learned": list(cell.not_learned),
        "replicates": [asdict(replicate) | {"diverged_in": replicate.diverged_in} for replicate in cell.replicates],
        "scores": study.scores_of(cell),
    }
