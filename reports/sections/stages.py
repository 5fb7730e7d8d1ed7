"""The pretrainings that trials start from: which trials share one, how each went, what they cost."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from reports.formats.markdown import Section, bullets, code, listed, plural, seconds_text, wrap
from reports.formats.table import Cell, Table, decimals
from reports.language.say import enumerated, retold, say, sentences
from reports.sections.context import PageSection
from reports.sections.design import knob_text
from reports.sections.findings import FailureGroup, failure_groups
from reports.study.stage_rows import StageRow, by_measure, told_apart

MOST_CELLS = 6


class Pretrainings(PageSection):
    """One table of all, with what they took together and what the spread over seeds holds of them."""

    def format(self) -> str:
        """Return the section; empty where nothing is pretrained."""
        if not self.study.stages:
            return ""
        text = sentences(
            [self._counted(), self._cost(), self._noise(), self._checkpoints(), self._losses(), self._settings()]
        )
        failures = bullets(self._failure(group) for group in self._failures)
        return Section(say("Pretraining"), (wrap(text), self._table().format(), failures)).format()

    def numbers(self) -> dict[str, Any]:
        """Return all stages, with their logs as transformers' Trainer writes them; null without any."""
        stages = self.study.stages
        found = {
            "seconds": self._seconds,
            "seconds_per_trial": self._seconds / self._n_started if self._n_started else None,
            "stages": [_stage_numbers(row) for row in stages],
        }
        return {"pretraining": found if stages else None}

    @cached_property
    def _seconds(self) -> float:
        return sum(row.seconds for row in self.study.stages)

    @cached_property
    def _n_started(self) -> int:
        """Trials that start from one."""
        return sum(len(row.starts) for row in self.study.stages)

    @cached_property
    def _failures(self) -> tuple[FailureGroup, ...]:
        return failure_groups([failure for row in self.study.stages for failure in row.failures])

    def _counted(self) -> str:
        n_trials = len({trial for cell in self.study.cells for trial in cell.trials})
        return say(
            "{pretrainings}, from which {n} of {trials} start.",
            pretrainings=plural(len(self.study.stages), "pretraining"),
            n=self._n_started,
            trials=plural(n_trials, "trial"),
        )

    def _cost(self) -> str:
        """Say what they took, and what that is for a trial."""
        n_found = sum(row.found for row in self.study.stages)
        found = say("{n} had been made before, and took nothing here.", n=n_found) if n_found else ""
        if not self._seconds or not self._n_started:
            return found
        took = say(
            "Together they took {time}, which is {each} for each of these trials.",
            time=seconds_text(self._seconds),
            each=seconds_text(self._seconds / self._n_started),
        )
        return sentences([took, found])

    def _noise(self) -> str:
        """Say whether other seeds are other pretrainings."""
        stages = self.study.stages
        if any(len(row.seeds) > 1 for row in stages):
            return say(
                "Trials of several seeds start from one pretraining. They are no repetitions of it, and the spread "
                "over seeds holds nothing of its noise; {setting} makes one for each seed.",
                setting=code("--set pretraining.seed=trial"),
            )
        if len({seed for row in stages for seed in row.seeds if row.follows_the_trial}) > 1:
            return say("Each seed has a pretraining of its own: the spread over seeds holds the noise of both.")
        return ""

    def _checkpoints(self) -> str:
        """Name the pretrainings that are steps of one."""
        runs: dict[str, list[str]] = {}
        for row in self.study.stages:
            runs.setdefault(row.stage.run, []).append(code(row.stage.short_id))
        shared = [enumerated(names) for names in runs.values() if len(names) > 1]
        return say("Steps of one training, done once: {names}.", names=say("; ").join(shared)) if shared else ""

    def _losses(self) -> str:
        """Say which losses are no measure of each other."""
        measures = [several[0].measure for several in by_measure(self.study.stages)]
        if len(measures) < 2:
            return ""
        differing = [name for name in measures[0] if len({repr(one.get(name)) for one in measures}) > 1]
        return say(
            "Losses are compared only where they answer the same question; here there are {n}, told apart by {names}.",
            n=len(measures),
            names=enumerated(map(code, differing)),
        )

    def _settings(self) -> str:
        """Name what is set of the only one: of several, the table has that in which they differ."""
        if len(self.study.stages) > 1:
            return ""
        settings = self.study.stages[0].settings
        return say("{note}.", note=enumerated(knob_text(name, value) for name, value in settings.items()))

    @cached_property
    def _differing(self) -> list[dict[str, Any]]:
        return told_apart(self.study.stages, self.study.about.starts)

    def _table(self) -> Table:
        names = list(dict.fromkeys(name for values in self._differing for name in values))
        found = self._found
        header = (
            *(say("pretraining"), *names, say("state"), say("steps"), *found, say("time")),
            *(say("trials"), say("time per trial")),
        )
        rows = [
            self._row(row, [values.get(name, "-") for name in names], [column[place] for column in found.values()])
            for place, (row, values) in enumerate(zip(self.study.stages, self._differing, strict=True))
        ]
        return Table(header, tuple(rows))

    @property
    def _found(self) -> dict[str, list[str]]:
        """What came of each, column by column; what none of them tells has no column."""
        rows, metric = self.study.stages, self.study.metric
        shares = ["-" if row.hidden_share is None else f"{row.hidden_share:.1%}" for row in rows]
        scores = [decimals((row.zero_shot or {}).get(metric)) for row in rows]
        columns = {
            say("tokens hidden"): shares,
            say("last loss"): [decimals(row.last_loss) for row in rows],
            say("{metric} without fine-tuning", metric=metric): scores,
        }
        return {name: texts for name, texts in columns.items() if name == say("last loss") or {*texts} != {"-"}}

    def _row(self, row: StageRow, values: Sequence[object], found: Sequence[str]) -> tuple[Cell, ...]:
        trials = plural(len(row.starts), "trial")
        if row.cells:
            trials += say(" ({details})", details=listed("cell", row.cells, MOST_CELLS))
        each = seconds_text(row.seconds / len(row.starts)) if row.starts and row.seconds else "-"
        texts = (row.stage.short_id, *map(str, values), _state(row), _steps(row))
        return tuple(map(Cell, (*texts, *found, _time(row), trials, each)))

    def _failure(self, group: FailureGroup) -> str:
        """Say why attempts failed, and what that means for trials."""
        names = {row.stage.id: row.stage.short_id for row in self.study.stages}
        head = say(
            "{names}: {kind}, {attempts} ({then}).",
            names=enumerated(code(names[stage]) for stage in group.trials),
            kind=code(retold(group.kind)),
            attempts=plural(group.n_attempts, "attempt"),
            then=group.then,
        )
        failed = {row.stage.id for row in self.study.stages if row.state == "failed"}
        is_final = bool(failed.intersection(group.trials)) and bool(group.cells)
        lost = say("What starts from it cannot run: {cells}.", cells=listed("cell", group.cells)) if is_final else ""
        return sentences([head, code(group.message) if group.message else "", lost])


def pretraining_time(stages: Sequence[StageRow]) -> str:
    """Return what pretraining took beside the trials, for the section on cost; empty where it took nothing."""
    seconds = sum(row.seconds for row in stages)
    if not seconds:
        return ""
    core, gpu = sum(row.core_seconds for row in stages), sum(row.gpu_seconds for row in stages)
    held = [say("{hours} core-hours", hours=f"{core / 3600:.3g}")]
    held += [say("{hours} GPU-hours", hours=f"{gpu / 3600:.3g}")] if gpu else []
    return say(
        "Pretraining took {time} beside that ({held}); no trial's time holds any of it.",
        time=seconds_text(seconds),
        held=enumerated(held),
    )


def _state(row: StageRow) -> str:
    if row.found:
        return say("made before")
    words = {"finished": say("finished"), "planned": retold("pending")}
    return words.get(row.state, retold(row.state))


def _steps(row: StageRow) -> str:
    last, total = row.stage.last_step, row.stage.total_steps
    return str(last) if last == total else say("{n} of {total} steps", n=last, total=total)


def _time(row: StageRow) -> str:
    if row.found and row.run_seconds is not None:
        return say("{time} elsewhere", time=seconds_text(row.run_seconds))
    return seconds_text(row.seconds) if row.n_attempts else "-"


def _stage_numbers(row: StageRow) -> dict[str, Any]:
    stage = row.stage
    return {
        "id": stage.id,
        "short_id": stage.short_id,
        "run": stage.run,
        "settings": row.settings,
        "precision": stage.precision,
        "base": stage.base,
        "corpus": stage.corpus,
        "last_step": stage.last_step,
        "total_steps": stage.total_steps,
        "state": row.state,
        "found": row.found,
        "n_attempts": row.n_attempts,
        "seconds": row.seconds,
        "run_seconds": row.run_seconds,
        "peak_bytes": row.peak_bytes,
        "checksum": row.checksum,
        "hidden_share": row.hidden_share,
        "zero_shot": row.zero_shot,
        "failures": [
            {"kind": one.kind, "message": one.message, "final": one.final, "then": one.then} for one in row.failures
        ],
        "trials": [start.trial for start in row.starts],
        "cells": list(row.cells),
        "log": [
            point.as_trainer_logs() | {"seconds": point.seconds, "hidden_share": point.hidden_share}
            for point in row.log
        ],
    }
