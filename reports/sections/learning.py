"""The section that says first which runs did not learn, by setting: effects are of those that did."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reports.formats.markdown import NOT_LEARNED_MARK, Section, plural, table, wrap
from reports.language.say import say, sentences
from reports.sections.context import PageSection
from reports.sections.effects.effects_text import Words
from reports.statistics.learning.learning import Count, Learning

MOST_ROWS = 5


class NotLearnedBySetting(PageSection):
    """How many runs did not learn, and with which settings."""

    def format(self) -> str:
        """Return the section; empty where every run learned, and where that is not judged."""
        learning = self.page.learning
        if learning is None or not learning.total.n_not_learned:
            return ""
        text = sentences([self._how_many(learning.total), self._where(learning), self._chance(learning)])
        return Section(say("Which settings did not learn"), (wrap(text), self._compared(learning))).format()

    def in_short(self) -> str:
        """Return it in a line; empty where the section is."""
        learning = self.page.learning
        if learning is None or not learning.total.n_not_learned:
            return ""
        where = self._where(learning) if learning.place is not None else ""
        return sentences([self._how_many(learning.total), where])

    def numbers(self) -> dict[str, Any]:
        """Return the counts and what is told of them."""
        learning = self.page.learning
        numbers = None if learning is None else {"n_diverged": self.page.measured.n_diverged, **asdict(learning)}
        return {"learning": numbers}

    def _how_many(self, total: Count) -> str:
        n_diverged = self.page.measured.n_diverged
        return say(
            "{n} of the {runs} did not learn {mark}{diverged}.",
            n=total.n_not_learned,
            runs=plural(total.n, "run"),
            mark=NOT_LEARNED_MARK,
            diverged=say(" ({n} diverged: numbers were no longer finite)", n=n_diverged) if n_diverged else "",
        )

    def _where(self, learning: Learning) -> str:
        total, place = learning.total, learning.place
        if total.n_not_learned == total.n or self.page.is_observational:
            return ""
        if place is None:
            return say("No setting can be named as the cause: chance alone explains as much.")
        places = {
            "levels": self._levels(place.levels),
            "inside": _share(place.inside),
            "elsewhere": _share(place.elsewhere),
        }
        if place.inside.n_not_learned == total.n_not_learned:
            return say("**All of them had {levels}**: {inside} there, {elsewhere} elsewhere.", **places)
        return say("**It depends on {levels}**: {inside} there, {elsewhere} elsewhere.", **places)

    def _chance(self, learning: Learning) -> str:
        if learning.place is None:
            return ""
        p = learning.place.adjusted_p
        return say(
            "If no setting mattered, chance would part runs as clearly in {p} of such studies.",
            p=f"{p:.1%}" if p >= 0.001 else say("less than 0.1%"),
        )

    def _compared(self, learning: Learning) -> str:
        """Show what becomes of it with one of the levels changed; two rows would say what the sentence does."""
        if learning.place is None:
            return ""
        groups = [(learning.place.levels, learning.place.inside), *learning.place.next_to_it][:MOST_ROWS]
        rows = [[self._levels(levels), _of(count), _interval(count)] for levels, count in groups]
        return table([say("settings"), say("did not learn"), say("95 % interval")], rows) if len(rows) > 2 else ""

    def _levels(self, levels: Mapping[str, str]) -> str:
        return Words.of(self.study).given(levels)


def _share(count: Count) -> str:
    return f"{_of(count)}{say(' ({details})', details=_interval(count))}"


def _of(count: Count) -> str:
    return say("{n} of {total}", n=count.n_not_learned, total=count.n)


def _interval(count: Count) -> str:
    low, high = count.interval or (0.0, 1.0)
    return say("{low} to {high}", low=f"{low:.0%}", high=f"{high:.0%}")
