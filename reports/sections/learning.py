"""The section that says first which runs did not learn, by setting: effects are of those that did."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reports.formats.markdown import NOT_LEARNED_MARK, Section, plural, table, wrap
from reports.language.say import enumerated, say, sentences
from reports.sections.context import PageSection
from reports.sections.effects.effects_text import Words
from reports.statistics.learning.learning import Count, Learning
from reports.study.unusual_rates import LikelyReason

MOST_ROWS = 5


class NotLearnedBySetting(PageSection):
    """How many runs did not learn, and with which settings."""

    def format(self) -> str:
        """Return the section; empty where every run learned, and where that is not judged."""
        learning = self.page.learning
        if learning is None or not learning.total.n_not_learned:
            return ""
        why = likely_reason_text(self.page.unusual_rates)
        text = sentences([self._how_many(learning.total), self._where(learning), self._chance(learning), why])
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
        if learning is None:
            return {"learning": None}
        reason = self.page.unusual_rates
        unusual = None if reason is None else asdict(reason)
        return {"learning": {"n_diverged": self.page.measured.n_diverged, **asdict(learning), "unusual_rates": unusual}}

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


def likely_reason_text(reason: LikelyReason | None) -> str:
    """Say that runs did not learn because of their learning rates, if that is likely; else return nothing."""
    if reason is None:
        return ""
    beyond = [
        say("{rate} is {times} times the upper end", rate=f"{one.rate:g}", times=one.times)
        if one.is_above
        else say("{rate} is 1/{times} of the lower end", rate=f"{one.rate:g}", times=one.times)
        for one in reason.rates
    ]
    words = {
        "low": f"{reason.rates[0].low:g}",
        "high": f"{reason.rates[0].high:g}",
        "rates": enumerated(beyond),
    }
    if not reason.n_usual:
        return say(
            "A likely reason is their learning rate, far from the {low} to {high} that are usual when BERT-like "
            "encoders are fine-tuned: {rates}.",
            **words,
        )
    return say(
        "A likely reason is their learning rate, far from the {low} to {high} that are usual when BERT-like encoders "
        "are fine-tuned: {rates}; with usual rates every run learned ({runs}).",
        **words,
        runs=plural(reason.n_usual, "run"),
    )


def _share(count: Count) -> str:
    return f"{_of(count)}{say(' ({details})', details=_interval(count))}"


def _of(count: Count) -> str:
    return say("{n} of {total}", n=count.n_not_learned, total=count.n)


def _interval(count: Count) -> str:
    low, high = count.interval or (0.0, 1.0)
    return say("{low} to {high}", low=f"{low:.0%}", high=f"{high:.0%}")
