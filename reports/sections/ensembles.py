"""What averages of the runs' predictions gain over the best run alone, and how sure that is."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

from gridsearch.recipe.trial_facts import LabelKind
from reports.commands import part_command
from reports.formats.markdown import Section, code, escape, first_of, wrap
from reports.formats.table import Cell, Table, decimals, metric_text
from reports.language.say import enumerated, say, sentences
from reports.sections.context import PageSection
from reports.sections.effects.effects_text import signed
from reports.statistics.ensembles.greedy import RANKING
from reports.statistics.ensembles.nested import ensembles
from reports.statistics.ensembles.results import Chosen, Ensembled, Ensembles, Method, Verdict, WhyNot
from reports.study.members import Candidate, Members
from reports.study.parts import parts_of

MOST_GREEDY_ROWS = 20_000
"""On more rows, or labels of rows, greedy selection takes longer than a page may: the command does it."""
MOST_NAMES = 12
NO_MEMBERS = ("not_learned", "unfinished", "unkept", "beyond")


def method_name(method: Method, kind: LabelKind = "class") -> str:
    """Name a method in words; ``kind`` is what is predicted."""
    return {
        Method.PROBABILITIES: say("mean of the numbers") if kind == "score" else say("mean of probabilities"),
        Method.LOGITS: say("mean of logits"),
        Method.RANKS: say("mean of ranks"),
        Method.WEIGHTED: say("weighted by score"),
        Method.GREEDY: say("greedy selection"),
    }[method]


def gains_table(found: Ensembles, metric: str, names: Mapping[Method, str]) -> Table:
    """Put the methods below the best one alone: members, nested score, gain with its interval, naive gain."""
    header = (say("average"), say("members"), metric, say("gain"), say("95 % interval"), say("naive gain"))
    alone = next((one.nested.single for one in found.found if one.method is not Method.RANKS), None)
    first = (Cell(say("the best one alone")), Cell("1"), Cell(decimals(alone)), Cell("-"), Cell("-"), Cell("-"))
    rows = [() if alone is None else first, *(_row(one, names[one.method]) for one in found.found)]
    return Table(header, tuple(row for row in rows if row))


def _row(one: Ensembled, name: str) -> tuple[Cell, ...]:
    gain, interval = one.nested, one.nested.interval
    between = "-" if interval is None else say("{low} to {high}", low=signed(interval[0]), high=signed(interval[1]))
    numbers = (decimals(gain.score), signed(gain.gain), between, signed(one.naive.gain))
    return (Cell(name), Cell(str(one.final.n_members)), *map(Cell, numbers))


def conclusion(found: Ensembles, names: Mapping[Method, str]) -> str:
    """Say of every method whether it gains: no gain and a loss are said as such."""
    by_verdict = {
        verdict: [names[one.method] for one in found.found if one.nested.verdict is verdict] for verdict in Verdict
    }
    gains, losses, none = (enumerated(by_verdict[one]) for one in (Verdict.GAIN, Verdict.LOSS, Verdict.NONE))
    return sentences(
        [
            say("A gain over the best one alone: {methods}.", methods=gains) if gains else "",
            say("A loss against the best one alone: {methods}.", methods=losses) if losses else "",
            say("No gain: {methods}; the interval holds 0.", methods=none) if none else "",
        ]
    )


def naive_text(found: Ensembles, names: Mapping[Method, str]) -> str:
    """Say what the naive gain is, and why it is larger where it is."""
    larger = [names[one.method] for one in found.found if one.naive.gain > one.nested.gain]
    if larger:
        return say(
            "The naive gain is larger for {methods}: it is of members and weights that were chosen on the very rows "
            "that they are scored on, so that luck with these rows counts as gain.",
            methods=enumerated(larger),
        )
    return say(
        "The naive gain is of members and weights that were chosen on the very rows that they are scored on, so that "
        "luck with these rows counts as gain; here it is no larger."
    )


def nesting_text(found: Ensembles) -> str:
    """Say on which rows is chosen and scored, and what the intervals are for."""
    how = (
        say("Members, weights and the best one alone are chosen on other folds than the one that they are scored on.")
        if found.has_folds
        else say(
            "Dev is divided into {n} parts: members, weights and the best one alone are chosen on other parts than the "
            "one that they are scored on.",
            n=found.n_folds,
        )
    )
    scale = say(
        "An {metric} is the mean over folds: runs of different folds are on different scales.", metric=found.metric
    )
    is_by_fold = found.has_folds and found.metric in RANKING
    return sentences(
        [how, scale if is_by_fold else "", say("Intervals are for other such rows, and these trained runs.")]
    )


def picks_text(chosen: Chosen, names: Sequence[str]) -> str:
    """Enumerate members with how often each was picked, the most frequent first."""
    picked = sorted(
        ((weight, name) for weight, name in zip(chosen.weights, names, strict=True) if weight > 0),
        key=lambda one: -one[0],
    )
    return first_of([f"{name} ({weight:g}x)" for weight, name in picked], MOST_NAMES)


def spelled(one: Candidate) -> str:
    """Name a member in a sentence: its cell by the index, and its seed where the cell has several."""
    cell = one.cell.index
    return say("{cell} (seed {seed})", cell=cell, seed=one.seed) if one.has_others else str(cell)


def _names(candidates: Sequence[Candidate]) -> str:
    return first_of(list(map(spelled, candidates)), MOST_NAMES)


class EnsembleSection(PageSection):
    """Averages of predictions, with an honest gain."""

    def format(self) -> str:
        """Return the section; empty with fewer than two members."""
        found, members = self.found, self.study.members
        if self._is_unjudged:
            return Section(say("Averages of several runs"), (wrap(self._unjudged()),)).format()
        if self._is_by_part:
            return Section(say("Averages of several runs"), (wrap(self._by_part()),)).format()
        if found is None or members is None or not found.found:
            return ""
        names = {method: method_name(method, members.rows.labelling.kind) for method in Method}
        title = say("Averages of several runs")
        gains = gains_table(found, metric_text(self.study), names).format()
        told = (conclusion(found, names), naive_text(found, names), self._left_out())
        return Section(
            title,
            (
                wrap(nesting_text(found)),
                gains,
                *(wrap(text) for text in told if text),
                wrap(sentences([*self._chosen(found, members), *self._others(members)])),
                "" if parts_of(self.study) else wrap(self._command()),
            ),
        ).format()

    @property
    def _is_unjudged(self) -> bool:
        """Whether there are runs, and the metric is the user's own function, which is not here."""
        return self.study.about.task.own_metric is not None and sum(len(cell.runs) for cell in self.study.cells) > 1

    def _unjudged(self) -> str:
        return say(
            "Averages of runs are not told: {metric} is a function of Python, which no page runs.",
            metric=escape(self.study.metric),
        )

    @property
    def _is_by_part(self) -> bool:
        """Whether there are runs, and none of their numbers is of one set of rows."""
        return self.study.about.sole is None and sum(len(cell.runs) for cell in self.study.cells) > 1

    def _by_part(self) -> str:
        command = part_command(self.study, parts_of(self.study)[0].part)
        return say("Runs are averaged part by part: {command} tells what that gains.", command=code(command))

    @cached_property
    def found(self) -> Ensembles | None:
        """The ensembles of the study's members; None where there are none."""
        members = self.study.members
        if members is None or len(members.members) < 2:
            return None
        methods = [method for method in Method if method not in self._too_slow]
        found = ensembles(members.members, members.rows, methods)
        return None if found.why_not is not None else found

    def numbers(self) -> dict[str, Any]:
        """Return all of it; null where there is none."""
        found, members = self.found, self.study.members
        if found is None or members is None:
            return {"ensembles": None}
        named = [
            {"name": name, "cell": one.cell.index, "trials": one.trials, "score": score}
            for (name, score), one in zip(found.members, members.candidates, strict=True)
        ]
        none = {key: [one.name for one in getattr(members, key)] for key in NO_MEMBERS}
        left_out = [*found.left_out, *((method, WhyNot.MANY_ROWS) for method in self._too_slow)]
        told = {"members": named, "left_out": {str(method): str(why) for method, why in left_out}, **none}
        return {"ensembles": asdict(found) | told}

    @property
    def _too_slow(self) -> list[Method]:
        members = self.study.members
        return [Method.GREEDY] if members is not None and members.rows.labels.size > MOST_GREEDY_ROWS else []

    def _chosen(self, found: Ensembles, members: Members) -> Iterable[str]:
        """Name the members of the averages as they are chosen on all rows."""
        names = list(map(spelled, members.candidates))
        by_method = {one.method: one.final for one in found.found}
        plain = by_method[Method.PROBABILITIES]
        ranked = sorted(
            (place for place, weight in enumerate(plain.weights) if weight),
            key=lambda place: (found.members[place][1] * (1 if self.study.lower_is_better else -1), place),
        )
        yield say(
            "The best {n} on all rows: cells {names}.",
            n=len(ranked),
            names=first_of([names[place] for place in ranked], MOST_NAMES),
        )
        if (greedy := by_method.get(Method.GREEDY)) is not None:
            yield say("Greedy selection picks cells {names}.", names=picks_text(greedy, names))

    def _others(self, members: Members) -> Iterable[str]:
        """Say which runs are no members."""
        reasons = {
            say("did not learn"): members.not_learned,
            say("lack some of their folds"): members.unfinished,
            say("no logits are kept"): members.unkept,
        }
        if none := [say("cells {names} ({why})", names=_names(who), why=why) for why, who in reasons.items() if who]:
            yield say("No members: {cells}.", cells=say("; ").join(none))
        if members.beyond:
            yield say(
                "Only the best runs on dev are looked at, because all of them are too much to read ({n} are left out): "
                "they were chosen on all rows, so a part of every score is luck.",
                n=len(members.beyond),
            )

    def _left_out(self) -> str:
        return (
            say("Greedy selection would take long on so many rows: the command below does it.")
            if self._too_slow
            else ""
        )

    def _command(self) -> str:
        command = shlex.join(["gridsearch", "ensemble", str(self.study.folder)])
        has_test = bool(self.study.about.task.n_rows.get("test"))
        if not has_test:
            return say("{command} takes other members too, of other studies or from files.", command=code(command))
        return say(
            "{command} predicts test, and takes other members too, of other studies or from files.",
            command=code(f"{command} --output FILE"),
        )
