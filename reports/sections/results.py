"""Sections about what was found: summary, table, yardstick, cautions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.space.design import design_text
from gridsearch.study.task_entry import Judged
from reports.formats.markdown import (
    NOT_LEARNED_MARK,
    Section,
    bullets,
    code,
    escape,
    listed,
    one_line,
    plural,
    table,
    wrap,
)
from reports.formats.table import (
    comparison_table,
    decimals,
    is_marked,
    metric_text,
    outside_text,
    part_header,
    train_column,
)
from reports.language.say import enumerated, retold, say, sentences
from reports.sections.context import PageSection
from reports.sections.findings import cautions, highest_result
from reports.sections.folds import numbers_of_folds, texts_of_folds, times_text
from reports.sections.halving import halving_sentence
from reports.statistics.ties import ranked
from reports.study.parts import has_guesses, is_guess, metrics_by_name, other_parts, parts_of, splits_of_parts
from reports.study.view import CellRow, Replicate, StudyRows


class Summary(PageSection):
    """The certificate, then what was asked."""

    def format(self) -> str:
        """Return the lines below the title."""
        study = self.study
        blocks = [
            certificate_text(study) if is_complete(study) else "",
            wrap(sentences([self._asked(), halving_sentence(study)])),
        ]
        if not study.ranking:
            blocks.append(wrap(nothing_text(study)))
        return Section(say("What was run"), tuple(blocks)).format()

    def numbers(self) -> dict[str, Any]:
        """Return the certificate."""
        return {"coverage": self.study.coverage.to_json()}

    def _asked(self) -> str:
        study, about = self.study, self.study.about
        design, n_left_out = about.design, len(study.excluded)
        kind = (
            ""
            if design.kind == "full"
            else say(", a {design}", design=retold(design_text(design.kind, design.resolution)))
        )
        return say(
            "{cells} of {factors}{kind}{left_out}, {seeds} each, on the task {task} with {encoders}.",
            cells=plural(len(study.cells), "cell"),
            factors=plural(len(study.factors), "factor"),
            kind=kind,
            left_out=say(" ({n} more left out by rules)", n=n_left_out) if n_left_out else "",
            seeds=times_text(study),
            task=code(about.task.name),
            encoders=enumerated(map(code, about.encoders)),
        )


def nothing_text(study: StudyRows) -> str:
    """Say why no cell has a result."""
    if any(cell.finished for cell in study.cells):
        return say("No cell has all of its folds yet: `fold mean` is all that there is to compare.")
    return say("No trial has finished yet: there is nothing to compare.")


def is_complete(study: StudyRows) -> bool:
    """Whether all that was planned has run, as far as it was to run."""
    return study.coverage.complete


def certificate_text(study: StudyRows) -> str:
    """Return the line of the certificate."""
    return wrap(f"**{retold(str(study.coverage))}**")


def best_sentence(study: StudyRows, spell: Callable[[str], str] = one_line) -> str:
    """Name the best cell; empty when nothing has finished. ``spell`` is how foreign texts are spelled."""
    ranking = study.ranking
    if not ranking:
        return ""
    best = ranking[0]
    word = say("Best on dev") if study.has_test else say("Best")
    texts = [
        say("{word}: {cell}, {measured}.", word=word, cell=best.name(spell), measured=_measured(study, best, spell))
    ]
    steps = ranked([(cell.dev.mean or 0.0, cell) for cell in ranking], lower_is_better=study.lower_is_better)
    if equal := [cell.index for behind, cell in steps[1:] if not behind]:
        texts.append(say("Equal to it on dev: {cells}.", cells=listed("cell", equal)))
    if best.not_learned:
        texts.append(say("But a run behind it did not learn {mark}: it supports no conclusion.", mark=NOT_LEARNED_MARK))
    return sentences([*texts, none_above_text(study)])


def none_above_text(study: StudyRows) -> str:
    """Say aloud that all results are within what a guess reaches; empty otherwise."""
    if not study.none_above_a_guess:
        return ""
    return say(
        "No run is better on dev than what a guess reaches ({bounds}): differences between them mean nothing.",
        bounds=bounds_text(study, study.about.judged),
    )


def bounds_text(study: StudyRows, parts: Sequence[Judged]) -> str:
    """Say what a guess reaches in some parts."""
    known = [one for one in parts if one.part in study.guesses]
    return enumerated(f"{one_line(one.name)} {decimals(study.guesses[one.part].bound)}" for one in known)


def _guesses_text(study: StudyRows) -> str:
    """Explain the mark in the columns of parts; empty where none stands there."""
    if not has_guesses(study):
        return ""
    return say(
        "{mark} in the column of a part: a run behind this number is no better on dev than what a guess reaches there "
        "({bounds}).",
        mark=NOT_LEARNED_MARK,
        bounds=escape(bounds_text(study, other_parts(study))),
    )


def yardstick_sentence(study: StudyRows) -> str:
    """Say aloud when the cheap reference is not beaten; empty otherwise."""
    if not study.ranking:
        return ""
    best = study.ranking[0].dev.mean
    unbeaten = [retold(one.name) for one in study.yardsticks if not study.beats(best or 0.0, one.dev)]
    return say("No cell beats {yardsticks} on dev.", yardsticks=say(" or ").join(unbeaten)) if unbeaten else ""


def _measured(study: StudyRows, cell: CellRow, spell: Callable[[str], str] = escape) -> str:
    result, dev = cell.result, cell.dev
    text = f"{say(study.split)} {metric_text(study, spell)} {decimals(result.mean)}"
    inside = [f"{say('dev')} {decimals(dev.mean)}"] if study.has_test else []
    if study.n_runs > 1:
        inside.append(say("mean of {seeds}", seeds=plural(result.n, "seed")))
        inside += [f"{say('sd')} {decimals(result.sd)}"] if result.sd is not None else []
    return text + (say(" ({details})", details=enumerated(inside)) if inside else "")


class Results(PageSection):
    """The comparison table, with a sentence above that says what it shows and the marks explained below."""

    def format(self) -> str:
        """Return the section."""
        shown = comparison_table(self.study)
        marked = any(is_marked(cell) for cell in self.study.cells)
        below = say(
            "{mark} a run behind this number did not learn: see Runs that did not learn.", mark=NOT_LEARNED_MARK
        )
        outside = wrap(outside_text(self.study, code)) if self.study.score_names else ""
        marks = (below if marked else "", wrap(_guesses_text(self.study)))
        blocks = (wrap(self._above()), shown.format(), *marks, self._other_choice(), outside)
        return Section(say("Results"), blocks).format()

    def numbers(self) -> dict[str, Any]:
        """Return what was measured, what one reaches by guessing, every cell, and those that stand out, by index."""
        study, ranking = self.study, self.study.ranking
        standing_out = {
            "best": ranking[0] if ranking else None,
            "worst": ranking[-1] if ranking else None,
            "highest_result": highest_result(study),
            "baseline": study.baseline,
        }
        return {
            "guess": None if study.about.sole is None or not study.judging else asdict(*study.judging.values()),
            "result": {
                "metric": study.metric,
                "positive_label": study.positive_label,
                "split": study.split,
                "lower_is_better": study.lower_is_better,
                "own_metric": None if (own := study.about.task.own_metric) is None else asdict(own),
            },
            "cells": [_cell_numbers(study, cell) for cell in study.cells],
            **{name: None if cell is None else cell.index for name, cell in standing_out.items()},
        }

    def _other_choice(self) -> str:
        """Test must not select; where it would have chosen another cell, say so."""
        study, highest = self.study, highest_result(self.study)
        if highest is None or highest is study.ranking[0] or not study.has_test:
            return ""
        return wrap(
            say(
                "The {extreme} test result is that of {cell}. To choose it would be to choose on test, which then "
                "measures nothing.",
                extreme=say("lowest") if study.lower_is_better else say("highest"),
                cell=highest.name(escape),
            )
        )

    def _what(self) -> str:
        study = self.study
        return say(
            "`result` is {metric} on {split}{on_dev}, at {choice}{mean}{spread}.",
            metric=metric_text(study, escape),
            split=say(study.split),
            on_dev=say(", `dev` that on dev") if study.has_test else "",
            choice=_selection(study),
            mean=say(", mean over seeds") if study.n_runs > 1 else "",
            spread=say("; `sd` is over `n` seeds") if study.n_runs > 1 else "",
        )

    def _above(self) -> str:
        study = self.study
        lower, higher = say("Lower is better; the best is bold."), say("Higher is better; the best is bold.")
        return sentences(
            [
                *(texts_of_folds(study, _selection(study)) if study.is_folded else [self._what()]),
                _own_metric_text(study),
                _train_text(study),
                _parts_text(study),
                *_averaged_labels(study),
                say("`epochs` is how far a cell came; only those that ran to the end have a result, and are ranked.")
                if study.standing
                else "",
                lower if study.lower_is_better else higher,
            ]
        )


def _cell_numbers(study: StudyRows, cell: CellRow) -> dict[str, Any]:
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
        **numbers_of_folds(cell),
        "train": asdict(cell.train),
        **_numbers_of_parts(study, cell),
        "chosen_epochs": [replicate.chosen_epoch for replicate in cell.finished],
        "seconds_per_epoch": cell.train_seconds_per_epoch.mean,
        "not_learned": list(cell.not_learned),
        "replicates": [_replicate_numbers(replicate) for replicate in cell.replicates],
        "scores": study.scores_of(cell),
        "row_scores": {name: own.value for name in study.score_names if (own := study.row_score(cell, name))},
    }


def _numbers_of_parts(study: StudyRows, cell: CellRow) -> dict[str, Any]:
    """Return what a cell reaches in each part of a task; nothing of a single one."""
    found = {
        one.part: {
            "metric": one.metric,
            **{split: asdict(cell.of_part(one, split)) for split in ("dev", "test")},
            "is_guess": is_guess(study, cell, one),
        }
        for one in parts_of(study)
    }
    return {"parts": found} if found else {}


def _replicate_numbers(replicate: Replicate) -> dict[str, Any]:
    """Return what is known of a trial, its metrics by what they are called."""
    found = asdict(replicate) | {"diverged_in": replicate.diverged_in}
    return found | {key: metrics_by_name(found[key]) for key in ("dev_metrics", "test_metrics", "train_metrics")}


def _own_metric_text(study: StudyRows) -> str:
    """Say that the metric is a function of the user's own, and which."""
    if (own := study.about.task.own_metric) is None:
        return ""
    return say(
        "{metric} is a function of Python that this study was given (version {version}; its source is under "
        "Provenance).",
        metric=escape(own.name),
        version=escape(own.version),
    )


def _train_text(study: StudyRows) -> str:
    if not study.has_train:
        return ""
    return say(
        "`{column}` is the same metric on the training rows; blank where it was not asked for.",
        column=train_column(study),
    )


def _parts_text(study: StudyRows) -> str:
    """Say what the columns of the parts are."""
    if not other_parts(study):
        return ""
    return say(
        "{columns}: what the same runs reach in each part of the task, at the same epoch.",
        columns=enumerated(code(name) for name in part_header(study)),
    )


def _averaged_labels(study: StudyRows) -> list[str]:
    """Say where the mean over labels is one over fewer than the task has."""
    return [
        _mean_over_several(one, split)
        if one.entry.labels_are == "multilabel"
        else say(
            "{metric} is the mean over the labels that occur in {split} or are predicted: {split} has rows of {n} of "
            "the {total} labels.",
            metric=escape(one.name),
            split=say(split),
            n=one.entry.n_labels_held[split],
            total=len(one.entry.label_names),
        )
        for one in study.about.judged
        if one.metric in _MEANS_OVER_LABELS[one.entry.labels_are]
        for split in dict.fromkeys(["dev", study.split])
        if one.entry.n_labels_held.get(split, len(one.entry.label_names)) < len(one.entry.label_names)
    ]


_MEANS_OVER_LABELS: Mapping[LabelKind, tuple[str, ...]] = {
    "class": ("f1_macro",),
    "multilabel": ("f1_macro", "auc", "average_precision"),
    "score": (),
}


def _mean_over_several(one: Judged, split: str) -> str:
    """Say what becomes of labels that no row has, where rows may have several."""
    told = {"metric": escape(one.name), "split": say(split), "n": one.entry.n_labels_held[split]}
    told["total"] = len(one.entry.label_names)
    if one.metric == "f1_macro":
        return say("{split} has rows of {n} of the {total} labels: each of the others counts as 0 in {metric}.", **told)
    return say("{split} has rows of {n} of the {total} labels: {metric} is the mean over these.", **told)


def _selection(study: StudyRows) -> str:
    ways = {cell.recipe.get("selection") for cell in study.cells}
    counts = {cell.recipe.get("checkpoints", 1) for cell in study.cells}
    if counts != {1}:
        return _mean_of_epochs(ways, counts)
    if ways == {"best"}:
        return say("the epoch that is best on dev")
    return say("the last epoch") if ways == {"last"} else say("the epoch that the cell's selection names")


def _mean_of_epochs(ways: set[Any], counts: set[int]) -> str:
    if len(ways) > 1 or len(counts) > 1:
        return say("the mean of the epochs that the cell's selection and checkpoints name")
    (way,), (count,) = ways, counts
    if way == "best":
        return say("the mean of the {n} epochs that are best on dev", n=count)
    return say("the mean of the last {n} epochs", n=count)


class Yardsticks(PageSection):
    """Cheap references beside the baseline and the best cell, on the same split."""

    def format(self) -> str:
        """Return the section; empty when no yardstick was measured."""
        study = self.study
        if not study.yardsticks:
            return ""
        rows = [
            (escape(retold(one.name)), one.dev, one.test, [one.of_part(*place) for place in splits_of_parts(study)])
            for one in study.yardsticks
        ]
        best = study.ranking[0] if study.ranking else None
        for word, cell in ((say("baseline"), study.baseline), (say("best"), best)):
            if cell is not None:
                name = say("{word}: {name}", word=word, name=cell.name(escape))
                of_parts = [cell.of_part(*place).mean for place in splits_of_parts(study)]
                rows.append((name, cell.dev.mean, cell.result.mean, of_parts))
        columns = [say("dev"), say("test")] if study.has_test else [say("dev")]
        shown = table(
            [escape(study.metric), *columns, *map(escape, part_header(study))],
            [
                [name, *map(decimals, [dev, test][: len(columns)]), *map(decimals, of_parts)]
                for name, dev, test, of_parts in rows
            ],
        )
        return Section(say("Yardstick"), (shown, self._in_folds(), self._without_baseline())).format()

    def numbers(self) -> dict[str, Any]:
        """Return the references."""
        by_part = () if parts_of(self.study) else ("dev_metrics", "test_metrics")
        found = map(asdict, self.study.yardsticks)
        return {"yardsticks": [{key: one[key] for key in one if key not in by_part} for one in found]}

    def _in_folds(self) -> str:
        if not self.study.is_folded:
            return ""
        text = say("The reference is fitted for each fold, too: every row is judged by the one that did not see it.")
        return wrap(text)

    def _without_baseline(self) -> str:
        study = self.study
        if study.baseline:
            return ""
        wanted = {factor.name: factor.baseline for factor in study.factors}
        if any(cell.levels == wanted for cell in study.excluded):
            return say("A rule leaves the baseline cell out.")
        return say("No row of the list is the baseline.")


class Cautions(PageSection):
    """What the numbers cannot bear."""

    def format(self) -> str:
        """Return the section; empty when there are no numbers."""
        notes = cautions(self.page)
        return Section(say("Read with care"), (bullets(notes),)).format() if notes else ""

    def numbers(self) -> dict[str, Any]:
        """Return the sentences."""
        return {"cautions": cautions(self.page)}
