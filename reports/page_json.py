"""``page.json``: every number on the page, for programs.

Keys of a study of trials (an imported one has the first three, ``effects``, and ``observations``; a training's log
``curve`` instead of ``effects``: see reports/sections/log_curve.py):

==================  ===================================================================================================
``format``          version of this layout, 1
``kind``            "trials" or "observations"
``study``           what the study is bound to: space, task, metric, factors, rules, design, ... (its manifest)
``coverage``        the certificate: ``line``, ``complete``, and the number of trials in each state
``result``          ``metric``, ``split`` that results are measured on, ``lower_is_better``, and ``own_metric``: of one
                    that is a function of Python its ``name``, ``version`` and ``source``; else null
``cells``           one object a row, in table order; a spread is ``{"mean", "sd", "n"}`` over finished replicates,
                    ``sd`` null below two; ``seconds_per_epoch`` is training alone; ``replicates`` hold single trials;
                    ``row`` is its name in a list, and empty in other designs; ``scores`` from outside are by name
                    and trial, ``row_scores``, of all its trials together, by name
                    where rows are divided, ``folds`` is the spread of single trials on dev, and ``pooled`` has for each
                    seed the metrics over all folds together, of which result and dev are the spread
                    of a task of several parts, ``parts`` has for each its ``metric``, spreads on ``dev`` and ``test``,
                    and ``is_guess``: some run is no better there than a guess
``parts``           of such a task: for each part its name, ``metric``, ``n_rows`` by split, ``n_labels`` and what
                    ``labels_are`` ("class", "multilabel", or "score" for numbers), ``guess``, whether it is
                    ``in_target``, the ``mean`` of the cells on dev, the index of the ``best`` one, its
                    ``best_value``, and whether it ``is_best_of_target``; or null
``by_label``        of parts whose rows may have several labels, by name: each ``label`` with its ``n_rows`` on dev, and
                    of the best cell there ``f1``, ``auc`` and ``average_precision``, means over runs, null where
                    undefined; or null
``how_far_off``     of parts with numbers, by name: ``n_rows``, ``low``, ``high``, ``mean`` and ``sd`` of the true ones
                    on dev, and ``from_median``, their mean distance from the median; or null
``guess``           what one reaches on dev: ``bound`` in the metric, and in ``correlation`` with the labels; null where
                    that is not known, and of a mean over parts
``best``            index of the cell that is best on dev; ``worst``, ``highest_result``, ``baseline`` alike; or null
``choice``          the cell to ``use`` and what came out ``best`` on dev, by index, or in a table by position: see
                    reports/study/choice.py; or null
``cost``            ``levels``: median ``seconds`` of a training epoch over ``n`` trials, ``ratio`` to the baseline
                    level and ``p`` of a ratio of 1, adjusted for all levels (null below two pairs);
                    ``n_other_terms``: finished trials that are not counted; or null before any has finished
``predicted``       what ``plan --measure`` led to expect of finished trials: see ``Forecast`` in
                    sections/cost_forecast.py; or null
``added_pairs``     for each way in which pairs are added to training rows, and each fold: its ``knobs``, and the
                    ``counts`` of tasks/augmentation/added.py
``pretraining``     ``seconds`` that all pretrainings took here, failed attempts included, ``seconds_per_trial`` that
                    starts from one, and ``stages``: ``id``, ``run`` (stages of one are steps of one training),
                    ``settings`` that are not neutral, ``state``, ``found`` (made before, by others), ``run_seconds``
                    (of the whole training, wherever it was done), ``trials`` and ``cells`` that start from it,
                    ``failures``, and its ``log``: entries as transformers' Trainer writes them, and ``seconds``; or
                    null
``optimised``       of a search: ``pareto`` (cells by index), ``importance`` by factor, ``convergence`` (after ``n``
                    cells, the ``best`` and what a random order would have ``expected``); or null
``halving``         of a successive halving: ``eta``, ``rungs`` (``epochs``, ``n_cells``), ``members`` (cells by index
                    of each rung that has begun), ``under_way`` (trials that the present one lacks),
                    ``dev_after_first_rung`` by index, and ``effects_after_epochs``: ``effects`` (or ``regression``)
                    are on dev after so many epochs; or null
``learning``        which runs did not learn: ``Learning`` in statistics/learning.py, and how many of them diverged,
                    ``n_diverged``; null where that is not judged
``effects``         the analysis behind "What matters", factors by name: ``EffectAnalysis`` in statistics/results.py;
                    null where no design laid the rows out
``regression``      what stands there instead: see ``Regression`` in statistics/observational.py
``versus``          the best cell less the baseline on the same ``n_rows``: ``bootstrap`` (``seeds_error`` null where a
                    cell has one seed: its interval is then of these trained models), and for each of ``seeds`` the
                    rows that only one of two trials gets right (see reports/statistics/paired/rows.py); or null
``ensembles``       averages of ``members`` (``cell``, ``trials``, ``score`` on all judged rows), by ``method``:
                    ``nested`` and ``naive`` scores and gains, the weights of the ``final`` one, and ``by_fold`` those
                    chosen for each fold: see reports/statistics/ensembles/results.py; runs that are no members,
                    by reason; or null
``yardsticks``      ``name``, ``dev``, ``test``; of a task of several parts also all metrics by name, as
                    ``dev_metrics`` and ``test_metrics``
``excluded``        cells that rules leave out: ``row``, ``levels``, ``why``
``skipped``         cells that somebody left out on purpose: ``index``, ``why``
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
from collections.abc import Iterable, Mapping
from typing import Any

from reports.formats.json_values import json_value
from reports.sections.context import PageSection
from reports.study.view import StudyRows

FORMAT = 1
ORDER = (
    "coverage",
    "choice",
    "guess",
    "result",
    "cells",
    "parts",
    "best",
    "worst",
    "highest_result",
    "baseline",
    "optimised",
    "halving",
    "cost",
    "predicted",
    "added_pairs",
    "pretraining",
    "curve",
    "learning",
    "effects",
    "regression",
    "observations",
    "by_label",
    "how_far_off",
    "versus",
    "ensembles",
    "yardsticks",
    "excluded",
    "skipped",
    "same_rows",
    "dead_knobs",
    "failures",
    "cautions",
    "timing",
    "provenance",
    "commands",
)
"""The keys that sections own, in the order of the file, which is not that of the page."""


def numbers_of(study: StudyRows, sections: Iterable[PageSection]) -> dict[str, Any]:
    """Put the numbers of the sections together, below what the study is."""
    found = {key: value for section in sections for key, value in section.numbers().items()}
    about = study.manifest.to_json()
    head = {"format": FORMAT, "kind": about["kind"], "study": about}
    return head | {key: found[key] for key in sorted(found, key=ORDER.index)}


def numbers_text(numbers: Mapping[str, Any]) -> str:
    """Serialise the numbers of a page."""
    return json.dumps(json_value(numbers), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
