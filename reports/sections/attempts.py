"""Sections about the runs: those that did not learn, failures, how to repeat them, where the numbers come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from gridsearch.space.design import design_text
from reports.commands import report_command, rerun_command, short_id, sweep_command
from reports.formats.markdown import (
    NOT_LEARNED_MARK,
    Section,
    bullets,
    code,
    details,
    escape,
    fenced,
    first_of,
    listed,
    plural,
    seconds_text,
    table,
    wrap,
)
from reports.formats.table import metric_text
from reports.language.say import enumerated, retold, say, sentences
from reports.sections.context import PageSection
from reports.sections.findings import FailureGroup, failure_groups
from reports.sections.results import none_above_text


class NotLearnedRuns(PageSection):
    """Finished runs that did not learn."""

    def format(self) -> str:
        """Return the section; said aloud when there is none, empty when nothing has finished."""
        items = [
            say(
                "{cell}, trial {trials}: {reason}",
                cell=say("cell {name}", name=cell.index),
                trials=enumerated(code(short_id(trial)) for trial in trials),
                reason=escape(retold(reason)),
            )
            for cell in self.study.cells
            for reason, trials in cell.not_learned.items()
        ]
        title = say("Runs that did not learn")
        early = say(
            "Runs that a halving left behind are not judged: one label for every row after a few epochs may be no more "
            "than a slow start."
        )
        early = wrap(early) if self.study.standing else ""
        if not items:
            learned = none_above_text(self.study) or say("Every finished run learned.")
            return Section(title, (wrap(learned) if self.study.ranking else "", early)).format()
        intro = say(
            "{mark} These runs finished and count as results, but they learned nothing, or next to nothing.",
            mark=NOT_LEARNED_MARK,
        )
        return Section(title, (wrap(intro), bullets(items), early)).format()


class DivergedRuns(PageSection):
    """Finished runs that ended early because numbers were no longer finite."""

    def format(self) -> str:
        """Return the section; empty when there is none."""
        items = [
            say(
                "{cell}, trial {trials}: epoch {n}; the chosen one is epoch {chosen}",
                cell=say("cell {name}", name=cell.index),
                trials=code(short_id(one.trial)),
                n=one.diverged_in,
                chosen=one.chosen_epoch,
            )
            for cell in self.study.cells
            for one in cell.finished
            if one.diverged_in is not None
        ]
        intro = say(
            "In some epoch of these runs the training loss, a weight or an output was not a finite number. The run "
            "ends there, and its result is chosen from the epochs before."
        )
        return Section(say("Runs that diverged"), (wrap(intro), bullets(items))).format() if items else ""


class Failures(PageSection):
    """Failed attempts, those put together that say the same."""

    def format(self) -> str:
        """Return the section; said aloud when there is none."""
        groups = failure_groups(self.study.failures)
        if not groups:
            text = say("No attempt failed.") if self.study.timing.n_attempts else say("No attempt has been made.")
            return Section(say("Failures"), (text,)).format()
        failed, n_attempts = plural(len(self.study.failures), "attempt"), self.study.timing.n_attempts
        total = say("{attempts} of {n} failed.", attempts=failed, n=n_attempts)
        return Section(say("Failures"), (total, bullets(self._line(group) for group in groups))).format()

    def numbers(self) -> dict[str, Any]:
        """Return the groups of failures."""
        return {"failures": [asdict(group) for group in failure_groups(self.study.failures)]}

    def _line(self, group: FailureGroup) -> str:
        head = say(
            "{kind}, {attempts} ({then}): {cells}, {trials}.",
            kind=code(retold(group.kind)),
            attempts=plural(group.n_attempts, "attempt"),
            then=group.then,
            cells=listed("cell", group.cells) if group.cells else say("a cell of a former plan"),
            trials=self._trials(group.trials),
        )
        return sentences([head, code(group.message) if group.message else ""])

    def _trials(self, trials: Sequence[str]) -> str:
        ids = [code(short_id(trial)) for trial in trials[:4]] + (["..."] if len(trials) > 4 else [])
        if len(trials) == 1:
            return say("trial {ids}", ids=ids[0])
        return say("trials {ids}", ids=enumerated(ids))


class Repeat(PageSection):
    """The commands that do it again: the study, one row, the numbers for programs."""

    def format(self) -> str:
        """Return the section."""
        study = self.study
        blocks = [
            say("The whole study: run again it resumes; a new folder for `--study` starts over."),
            fenced([sweep_command(study)]),
        ]
        if study.ranking:
            best = study.ranking[0]
            blocks += [
                say("One row, here the best, {cell}; other ids are below.", cell=best.name(escape)),
                fenced([rerun_command(study, best.finished[0].trial)]),
            ]
        blocks += [
            say("Every number of this page, for programs:"),
            fenced([report_command(study)]),
            details(say("The trials of each row"), self._trials()),
        ]
        if text := study.about.space_text.strip():
            blocks.append(details(say("The space, as it was declared"), fenced(text.splitlines(), "toml")))
        return Section(say("Repeat it"), tuple(blocks)).format()

    def numbers(self) -> dict[str, Any]:
        """Return the commands; that of a row is null without a best one."""
        study = self.study
        rerun = rerun_command(study, study.ranking[0].finished[0].trial) if study.ranking else None
        return {"commands": {"sweep": sweep_command(study), "rerun": rerun}}

    def _trials(self) -> str:
        rows = [[str(cell.index), " ".join(short_id(r.trial) for r in cell.replicates)] for cell in self.study.cells]
        return table([say("index"), say("trials")], rows)


class ProvenanceSection(PageSection):
    """Task, encoder, versions, machine, commit, commands."""

    def format(self) -> str:
        """Return the section."""
        items = [*self._task(), *self._design(), *self._circumstances(), *self._time()]
        return Section(say("Provenance"), (bullets(items),)).format()

    def numbers(self) -> dict[str, Any]:
        """Return the times, and each start of a driver."""
        starts = [{"n_attempts": record.n_attempts, **record.content} for record in self.study.provenance]
        return {"timing": asdict(self.study.timing), "provenance": starts}

    def _task(self) -> list[str]:
        about = self.study.about
        counts = about.task.n_rows
        splits = [split for split in ("train", "dev", "test") if counts[split]]
        rows = [say("{n} {split}", n=counts[split], split=say(split)) for split in splits]
        return [
            say(
                "task: {task}, {rows} rows, fingerprint {fingerprint}",
                task=code(about.task.name),
                rows=enumerated(rows),
                fingerprint=code(about.task.fingerprint),
            ),
            say("labels: {names}", names=first_of([escape(str(name)) for name in about.task.label_names], 20)),
            *(say("note: {note}", note=escape(retold(note))) for note in about.task.notes),
            *(
                say("encoder: {name}, identity {identity}", name=code(name), identity=code(identity))
                for name, identity in about.encoders.items()
            ),
            say("metric: {metric}", metric=metric_text(self.study, escape)),
        ]

    def _design(self) -> list[str]:
        design = self.study.about.design
        policy = say("shared by all cells") if design.seed_policy == "shared" else say("each cell has its own")
        if design.on_dead == "replicate" and any(cell.dead for cell in self.study.cells):
            policy += say(", but replicates have their own")
        return [
            say(
                "design: {design}; on dead knobs: {on_dead}; running order from seed {seed}",
                design=retold(design_text(design.kind, design.resolution)),
                on_dead=design.on_dead,
                seed=design.order_seed,
            ),
            say("seeds: {seeds} ({policy})", seeds=enumerated(design.seeds), policy=policy),
        ]

    def _circumstances(self) -> list[str]:
        if not self.study.provenance:
            return []
        return [
            say("versions: {values}", values=self._all(_versions)),
            say("commit: {values}", values=self._all(_commit)),
            say("machine: {values}", values=self._all(_machine)),
            say("runner: {values}", values=self._all(_runner)),
            say("command: {values}", values=self._all(_command)),
        ]

    def _all(self, spell: Callable[[Mapping[str, Any]], str]) -> str:
        """What all starts of a driver have in common is said once."""
        values = dict.fromkeys(spell(record.content) for record in self.study.provenance)
        return say("; then ").join(values)

    def _time(self) -> list[str]:
        timing = self.study.timing
        if timing.started is None:
            return [say("no attempt has been made")]
        return [
            say(
                "time: {attempts} by {workers} from {start} to {end} UTC, {seconds} in finished trials together",
                attempts=plural(timing.n_attempts, "attempt"),
                workers=plural(timing.n_workers, "worker"),
                start=_moment(timing.started),
                end=say("now") if timing.ended is None else _moment(timing.ended),
                seconds=seconds_text(timing.finished_seconds),
            )
        ]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _versions(content: Mapping[str, Any]) -> str:
    versions = {"gridsearch": content.get("gridsearch"), "Python": content.get("python"), **content.get("versions", {})}
    return enumerated(f"{name} {version}" for name, version in versions.items() if version)


def _commit(content: Mapping[str, Any]) -> str:
    return code(content["commit"]) if content.get("commit") else say("not a checkout")


def _machine(content: Mapping[str, Any]) -> str:
    parts = [str(content.get("processor", "")), say("{n} cores", n=content.get("cores", "?"))]
    parts += [*(content.get("gpus") or [say("no GPU")]), str(content.get("system", ""))]
    return escape(enumerated(part for part in parts if part))


def _runner(content: Mapping[str, Any]) -> str:
    return escape(str(content.get("runner", "")))


def _command(content: Mapping[str, Any]) -> str:
    return code(" ".join(str(part) for part in content.get("command", ())))
