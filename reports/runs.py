"""Sections about the runs: collapsed ones, failures, how to repeat them, where the numbers come from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gridsearch.design import design_text
from reports.analysis import FailureGroup, failure_groups
from reports.commands import report_command, rerun_command, short_id, sweep_command
from reports.markdown import (
    COLLAPSED_MARK,
    Section,
    bullets,
    code,
    details,
    escape,
    fenced,
    listed,
    plural,
    seconds_text,
    table,
)
from reports.records import StudyRows


@dataclass(frozen=True)
class CollapsedRuns:
    """Finished runs that are degenerate."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; said aloud when there is none, empty when nothing has finished."""
        items = [
            f"cell {cell.index}, trial {', '.join(code(short_id(trial)) for trial in trials)}: {escape(reason)}"
            for cell in self.study.cells
            for reason, trials in cell.collapsed.items()
        ]
        if not items:
            none = "No finished run collapsed." if self.study.ranking else ""
            return Section("Collapsed runs", (none,)).format()
        intro = f"{COLLAPSED_MARK} These runs finished and count as results, but they are degenerate."
        return Section("Collapsed runs", (intro, bullets(items))).format()


@dataclass(frozen=True)
class Failures:
    """Failed attempts, those put together that say the same."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; said aloud when there is none."""
        groups = failure_groups(self.study.failures)
        if not groups:
            text = "No attempt failed." if self.study.timing.n_attempts else "No attempt has been made."
            return Section("Failures", (text,)).format()
        total = f"{plural(len(self.study.failures), 'attempt')} of {self.study.timing.n_attempts} failed."
        return Section("Failures", (total, bullets(self._line(group) for group in groups))).format()

    def _line(self, group: FailureGroup) -> str:
        cells = listed("cell", group.cells) if group.cells else "a cell of a former plan"
        ids = ", ".join(code(short_id(trial)) for trial in group.trials[:4])
        ids = f"trial{'s' if len(group.trials) > 1 else ''} {ids}{', ...' if len(group.trials) > 4 else ''}"
        head = f"{code(group.kind)}, {plural(group.n_attempts, 'attempt')} ({group.then}): {cells}, {ids}."
        return f"{head} {code(group.message)}" if group.message else head


@dataclass(frozen=True)
class Repeat:
    """The commands that do it again: the study, one row, the numbers for programs."""

    study: StudyRows

    def format(self) -> str:
        """Return the section."""
        study = self.study
        blocks = [
            "The whole study: run again it resumes; a new folder for `--study` starts over.",
            fenced([sweep_command(study)]),
        ]
        if study.ranking:
            best = study.ranking[0]
            blocks += [
                f"One row, here the best, {best.name(escape)}; other ids are below.",
                fenced([rerun_command(study, best.finished[0].trial)]),
            ]
        blocks += [
            "Every number of this page, for programs:",
            fenced([report_command(study)]),
            details("The trials of each row", self._trials()),
        ]
        if text := study.facts.get("space_text", "").strip():
            blocks.append(details("The space, as it was declared", fenced(text.splitlines(), "toml")))
        return Section("Repeat it", tuple(blocks)).format()

    def _trials(self) -> str:
        rows = [[str(cell.index), " ".join(short_id(r.trial) for r in cell.replicates)] for cell in self.study.cells]
        return table(["index", "trials"], rows)


@dataclass(frozen=True)
class ProvenanceSection:
    """Task, encoder, versions, machine, commit, commands."""

    study: StudyRows

    def format(self) -> str:
        """Return the section."""
        items = [*self._task(), *self._design(), *self._circumstances(), *self._time()]
        return Section("Provenance", (bullets(items),)).format()

    def _task(self) -> list[str]:
        facts = self.study.facts
        counts = facts["task_rows"]
        rows = ", ".join(f"{counts[split]} {split}" for split in ("train", "dev", "test") if counts[split])
        labels = [escape(str(name)) for name in facts["label_names"]]
        shown = ", ".join(labels[:20]) + (f" and {len(labels) - 20} more" if len(labels) > 20 else "")
        encoders = facts["encoders"].items()
        return [
            f"task: {code(facts['task'])}, {rows} rows, fingerprint {code(facts['task_fingerprint'])}",
            f"labels: {shown}",
            *(f"note: {escape(note)}" for note in facts["task_notes"]),
            *(f"encoder: {code(name)}, identity {code(identity)}" for name, identity in encoders),
            f"metric: {facts['metric']}",
        ]

    def _design(self) -> list[str]:
        design = self.study.facts["design"]
        policy = "shared by all cells" if design["seed_policy"] == "shared" else "each cell has its own"
        seeds = ", ".join(str(seed) for seed in design["seeds"])
        if design["on_dead"] == "replicate" and any(cell.dead for cell in self.study.cells):
            policy += ", but replicates have their own"
        return [
            f"design: {design_text(design)}; on dead knobs: {design['on_dead']}; "
            f"running order from seed {design['order_seed']}",
            f"seeds: {seeds} ({policy})",
        ]

    def _circumstances(self) -> list[str]:
        if not self.study.provenance:
            return []
        return [
            self._fact("versions", _versions),
            self._fact(
                "commit", lambda content: code(content["commit"]) if content.get("commit") else "not a checkout"
            ),
            self._fact("machine", _machine),
            self._fact("runner", lambda content: escape(str(content.get("runner", "")))),
            self._fact("command", lambda content: code(" ".join(str(part) for part in content.get("command", ())))),
        ]

    def _fact(self, name: str, spell: Callable[[Mapping[str, Any]], str]) -> str:
        """One line for all starts of a driver: what they have in common is said once."""
        values: Iterable[str] = dict.fromkeys(spell(record.content) for record in self.study.provenance)
        return f"{name}: {'; then '.join(values)}"

    def _time(self) -> list[str]:
        timing = self.study.timing
        if timing.started is None:
            return ["no attempt has been made"]
        until = "now" if timing.ended is None else _moment(timing.ended)
        work = f"{seconds_text(timing.finished_seconds)} in finished trials together"
        return [
            f"time: {plural(timing.n_attempts, 'attempt')} by {plural(timing.n_workers, 'worker')} from "
            f"{_moment(timing.started)} to {until} UTC, {work}"
        ]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def _versions(content: Mapping[str, Any]) -> str:
    versions = {"gridsearch": content.get("gridsearch"), "Python": content.get("python"), **content.get("versions", {})}
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)


def _machine(content: Mapping[str, Any]) -> str:
    gpus = content.get("gpus") or []
    parts = [str(content.get("processor", "")), f"{content.get('cores', '?')} cores"]
    parts += [", ".join(gpus) if gpus else "no GPU", str(content.get("system", ""))]
    return escape(", ".join(part for part in parts if part))
