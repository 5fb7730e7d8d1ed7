"""Sections about the runs: those that did not learn, failures, how to repeat them, where the numbers come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from gridsearch.study.task_entry import Judged, TaskEntry
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
    wrap,
)
from reports.language.say import enumerated, retold, say, sentences
from reports.sections.context import PageSection
from reports.sections.findings import FailureGroup, failure_groups
from reports.study.parts import parts_of
from reports.study.view import StudyRows

WHAT_TRAINS = ("torch", "transformers")
"""The packages whose versions are told on the page; page.json has those of all."""


class NotLearnedRuns(PageSection):
    """Finished runs that did not learn."""

    def format(self) -> str:
        """Return the section; empty when there is none."""
        items = [
            say(
                "{cell}, trial {trials}: {reason}",
                cell=say("cell {name}", name=cell.index),
                trials=enumerated(code(short_id(trial)) for trial in trials),
                reason=escape(_told(self.study, reason)),
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
            return ""
        intro = say(
            "{mark} These runs count as results, but learned nothing, or next to nothing.",
            mark=NOT_LEARNED_MARK,
        )
        return Section(title, (wrap(intro), bullets(items), early)).format()


def _told(study: StudyRows, reason: str) -> str:
    """Say why a run did not learn; of a task of several parts, the worker told it part by part."""
    pieces = [piece.partition(": ") for piece in reason.split("; ")]
    if not all(piece and part in study.about.task.parts for part, _, piece in pieces):
        return retold(reason)
    return say("; ").join(f"{part}: {retold(piece)}" for part, _, piece in pieces)


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
            "A loss, a weight or an output was no longer a finite number: these runs ended there, and their result is "
            "from an epoch before."
        )
        return Section(say("Runs that diverged"), (wrap(intro), bullets(items))).format() if items else ""


class Failures(PageSection):
    """Failed attempts, those put together that say the same."""

    def format(self) -> str:
        """Return the section; empty when there is none."""
        groups = failure_groups(self.study.failures)
        if not groups:
            return ""
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
        study, own = self.study, self.study.about.task.own_metric
        blocks = [say("The whole study; a new folder for `--study` starts over:"), fenced([sweep_command(study)])]
        if own is not None:
            blocks = [wrap(_from_python(own.name))]
        elif study.ranking:
            best = study.ranking[0]
            blocks += [
                say("One trial, here of {cell}:", cell=best.name(escape)),
                fenced([rerun_command(study, best.finished[0].trial)]),
            ]
        blocks += [say("All numbers, and the ids of all trials:"), fenced([report_command(study)])]
        if text := study.about.space_text.strip():
            blocks.append(details(say("The space as declared"), fenced(text.splitlines(), "toml")))
        return Section(say("Repeat it"), tuple(blocks)).format()

    def numbers(self) -> dict[str, Any]:
        """Return the commands; that of a row is null without a best one, all where only Python trains for the study."""
        study = self.study
        if study.about.task.own_metric is not None:
            return {"commands": {"sweep": None, "rerun": None}}
        rerun = rerun_command(study, study.ranking[0].finished[0].trial) if study.ranking else None
        return {"commands": {"sweep": sweep_command(study), "rerun": rerun}}


def _from_python(metric: str) -> str:
    return say(
        "{metric} is a function of Python: the study goes on, and trials are run again, only from there, by {call}.",
        metric=escape(metric),
        call=code("gridsearch.sweep(..., metric=...)"),
    )


class ProvenanceSection(PageSection):
    """Task, encoder, versions, machine, commit: what must be the same for the numbers to come again."""

    def format(self) -> str:
        """Return the section."""
        items = [*self._task(), *self._circumstances(), *self._time()]
        return Section(say("Provenance"), (bullets(items), self._source())).format()

    def numbers(self) -> dict[str, Any]:
        """Return the times, and each start of a driver."""
        starts = [{"n_attempts": record.n_attempts, **record.content} for record in self.study.provenance]
        return {"timing": asdict(self.study.timing), "provenance": starts}

    def _source(self) -> str:
        """Show the text of the function that judges; empty where none does."""
        if (own := self.study.about.task.own_metric) is None:
            return ""
        title = say("The function {metric}, version {version}", metric=escape(own.name), version=escape(own.version))
        return details(title, fenced(own.source.splitlines(), "python"))

    def _task(self) -> list[str]:
        about, n_parts = self.study.about, len(parts_of(self.study))
        return [
            *([say("task of {n} parts: {task} ({fingerprint})", n=n_parts, **_named(about.task))] if n_parts else []),
            *(self._rows(one) for one in about.parts),
            *(escape(retold(note)) for note in about.task.notes),
            *(
                say("encoder: {name} ({identity})", name=code(name), identity=code(identity))
                for name, identity in about.encoders.items()
            ),
        ]

    def _rows(self, one: Judged) -> str:
        """Say what a part is made of."""
        counts, is_divided = one.entry.n_rows, self.study.about.division is not None
        splits = ["test"] if is_divided else ["train", "dev", "test"]
        rows = [say("{n} {split}", n=counts[split], split=say(split)) for split in splits if counts[split]]
        divided = [say("{n} divided", n=counts["dev"])] if is_divided else []
        told = {
            "rows": enumerated([*divided, *rows]),
            "labels": _labels(one.entry),
            **_named(one.entry),
        }
        if parts_of(self.study):
            return say(
                "part: {part}, {metric} of {rows} rows ({fingerprint}), {labels}",
                part=code(one.part),
                metric=one.metric,
                **told,
            )
        return say("task: {task}, {rows} rows ({fingerprint}), {labels}", **told)

    def _circumstances(self) -> list[str]:
        if not self.study.provenance:
            return []
        return [
            say("versions: {values}; commit: {commits}", values=self._all(self._versions), commits=self._all(_commit)),
            say("machine: {values}; runner: {runners}", values=self._all(_machine), runners=self._all(_runner)),
            *([say("command: {values}", values=commands)] if (commands := self._commands()) else []),
        ]

    def _all(self, spell: Callable[[Mapping[str, Any]], str]) -> str:
        """What all starts of a driver have in common is said once."""
        return say(", then ").join(self._values(spell))

    def _values(self, spell: Callable[[Mapping[str, Any]], str]) -> list[str]:
        return list(dict.fromkeys(spell(record.content) for record in self.study.provenance))

    def _versions(self, content: Mapping[str, Any]) -> str:
        """Spell the versions of what trains, and of every other package that changed from one start to another."""
        contents = [record.content for record in self.study.provenance]
        names = dict.fromkeys(name for one in contents for name in one.get("versions", {}))
        shown = [
            name
            for name in names
            if name in WHAT_TRAINS or len({one.get("versions", {}).get(name) for one in contents}) > 1
        ]
        versions = {"gridsearch": content.get("gridsearch"), "Python": content.get("python")}
        versions |= {name: content.get("versions", {}).get(name) for name in shown}
        return enumerated(f"{name} {version}" for name, version in versions.items() if version)

    def _commands(self) -> str:
        """Spell the commands of all starts; empty where they are the one that the page shows already."""
        commands = self._values(_command)
        is_shown = self.study.about.task.own_metric is None and commands == [code(sweep_command(self.study))]
        return "" if is_shown else say(", then ").join(commands)

    def _time(self) -> list[str]:
        timing = self.study.timing
        if timing.started is None:
            return [say("no attempt has been made")]
        return [
            say(
                "{attempts} from {start} to {end} UTC",
                attempts=plural(timing.n_attempts, "attempt"),
                start=_moment(timing.started),
                end=say("now") if timing.ended is None else _moment(timing.ended),
            )
        ]


def _labels(task: TaskEntry) -> str:
    """Say what rows hold."""
    if task.labels_are == "score":
        return say("a number each")
    names = first_of([escape(str(name)) for name in task.label_names], 20)
    if task.labels_are == "multilabel":
        return say("labels {names}, any number of them each", names=names)
    return say("labels {names}", names=names)


def _named(task: TaskEntry) -> dict[str, str]:
    return {"task": code(task.name), "fingerprint": code(task.fingerprint)}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


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
