"""The answer, before anything else: what to use, what matters, and every cell at a glance."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from reports.figures.figure import Picture
from reports.figures.heat_map import NAME as HEAT_MAP
from reports.formats.markdown import bullets, escape, paragraphs, wrap
from reports.formats.table import decimals
from reports.language.say import say, sentences
from reports.sections.context import PageSection
from reports.sections.effects.effects_text import Words, all_of, ruined_text, signed, size, step_text
from reports.sections.figures import figure_text, folder_of
from reports.sections.learning import NotLearnedBySetting
from reports.sections.parts.parts import part_text
from reports.sections.results import certificate_text, is_complete, none_above_text, yardstick_sentence
from reports.statistics.results import Comparison, Effect
from reports.study.choice import Choice, choice_of
from reports.texts_read import text_cautions

MOST_LINES = 5
MOST_NAMED = 3


@dataclass(frozen=True)
class Answer(PageSection):
    """The lines below the title: one recommendation, at most five lines on what matters, and the heat map."""

    pictures: tuple[Picture, ...] = ()

    def format(self) -> str:
        """Return the lines; before there is any result, the certificate alone."""
        shown = [figure_text(one, folder_of(self.study)) for one in self.pictures if one.name == HEAT_MAP]
        # Until all has run it is an answer so far.
        certificate = "" if self.study.is_imported or is_complete(self.study) else certificate_text(self.study)
        recommended = self._recommended()
        lines = self._lines()[:MOST_LINES] if recommended else []
        title = say("What matters for {response}:", response=self.words.response) if lines else ""
        return paragraphs(
            [
                *self._hardly_read(),
                wrap(part_text(self.study)),
                certificate,
                wrap(recommended),
                title,
                bullets(lines),
                *shown,
            ]
        )

    def _hardly_read(self) -> list[str]:
        """Warn of texts that hardly anything was read of: whatever came out of them, that is why."""
        texts = () if self.study.is_imported else self.study.about.texts
        return [wrap(say("**Caution: {text}.**", text=escape(text))) for text in text_cautions(texts, "severe")]

    def numbers(self) -> dict[str, Any]:
        """Return the choice; null where nothing tells by how much a cell would have to lead."""
        return {"choice": None if self.choice is None else asdict(self.choice)}

    @cached_property
    def choice(self) -> Choice | None:
        """The cell to use."""
        # Of a sample, no noise is known to hold cells against.
        best = None if self.page.is_observational else self.page.winner
        return None if best is None else choice_of(self.study, best, self._baseline)

    @cached_property
    def words(self) -> Words:
        """How this page spells things."""
        return Words.of(self.study)

    @cached_property
    def _levels(self) -> Mapping[int, Mapping[str, str]]:
        """The levels of every cell, by its position."""
        return {place: levels for place, levels, _ in self.page.measured_on_dev.cells}

    @cached_property
    def _baseline(self) -> int | None:
        wanted = {factor.name: factor.baseline for factor in self.study.factors}
        return next((place for place, levels in self._levels.items() if dict(levels) == wanted), None)

    def _recommended(self) -> str:
        if text := none_above_text(self.study):
            return text
        if self.choice is None:
            return self._unjudged()
        found = self.choice
        best = self._name(found.best)
        named = {"cell": self._name(found.use), "best": best}
        if found.is_baseline:
            if found.use == found.best:
                return say("**Use {cell}, the baseline: nothing beats it by more than chance.**", **named)
            return say(
                "**Use {cell}, the baseline: nothing beats it by more than chance.** {best} came out best, within "
                "chance.",
                **(named | {"best": best[0].upper() + best[1:]}),
            )
        named |= {"settings": self._settings(found.use)}
        if found.use == found.best:
            return self._lead(say("**Use {cell}: {settings}.** It came out best.", **named))
        if self.page.winner is not None and self.page.winner.best != found.best:
            return self._lead(
                say(
                    "**Use {cell}: {settings}.** What came out best, {best}, is worse where runs of the same seeds "
                    "that learned are compared.",
                    **named,
                )
            )
        if found.time_ratio is None:
            return self._lead(
                say("**Use {cell}: {settings}.** What came out best, {best}, cannot be told from it.", **named)
            )
        return self._lead(
            say(
                "**Use {cell}: {settings}.** It cannot be told from what came out best, {best}, which takes {ratio} "
                "times as long to train.",
                ratio=f"{1 / found.time_ratio:.2g}",
                **named,
            )
        )

    def _lead(self, text: str) -> str:
        """Add how the choice stands to the baseline."""
        best, found = self.page.winner, self.choice
        if best is None or found is None or found.baseline is None:
            return text
        name = self._name(found.baseline)
        if found.baseline not in best.candidates:
            more = say("The baseline, {cell}, is worse.", cell=name)
        else:
            more = say("The baseline, {cell}, may be as good: the difference is within chance.", cell=name)
        return sentences([text, more])

    def _unjudged(self) -> str:
        """Name the best result where nothing tells what chance alone does."""
        if self.study.is_imported or not self.study.ranking:
            return ""
        first = self.study.ranking[0]
        return say(
            "**{cell} came out best{on_dev} ({mean}), but nothing here tells what chance alone does**: run the cells "
            "with more seeds.",
            cell=first.name(escape)[0].upper() + first.name(escape)[1:],
            mean=decimals(first.dev.mean),
            on_dev=say(" on dev") if self.study.has_test else "",
        )

    def _name(self, place: int) -> str:
        rows = self.study.observations
        return self.words.row(escape(rows[place - 1].index if rows else str(place)))

    def _settings(self, place: int) -> str:
        """Spell what differs from the baseline."""
        levels = self._levels[place]
        return self.words.given(
            {
                factor.name: levels[factor.name]
                for factor in self.study.factors
                if levels[factor.name] != factor.baseline
            }
        )

    def _lines(self) -> list[str]:
        if self.page.is_observational or (analysis := self.page.analysis).why_not:
            return [line for line in [yardstick_sentence(self.study)] if line]
        lines = []
        if text := NotLearnedBySetting(self.page).in_short():
            lines.append(sentences([text, say("What follows holds where training succeeds.")]))
        lines += [ruined_text(self.words, block) for block in analysis.ruined]
        room = MOST_LINES - len(lines) - bool(yardstick_sentence(self.study)) - 1
        told = self._found_lines()
        lines += told[: max(room, 1)]
        lines.append(self._not_found())
        lines.append(yardstick_sentence(self.study))
        return [line for line in lines if line]

    def _found_lines(self) -> list[str]:
        """Say what each factor with an effect does at the baseline, the largest first."""
        analysis = self.page.analysis
        sizes: dict[str, tuple[float, str]] = {}
        for effect in analysis.found:
            for name in effect.factors:
                if name not in sizes and (line := self._factor_line(name, effect)):
                    sizes[name] = line
        return [text for _, text in sorted(sizes.values(), key=lambda one: -one[0])]

    def _factor_line(self, name: str, effect: Effect) -> tuple[float, str] | None:
        analysis, column = self.page.analysis, self.words.columns[name]
        steps = [one for one in analysis.at_baseline if one.factor == name]
        steps = steps or [one for one in analysis.comparisons if one.factor == name]
        if steps:
            found = [one for one in steps if one.found]
            if not found:
                return self._elsewhere(name, steps)
            told = all_of(self._step_text(one) for one in found[:MOST_NAMED])
            return max(abs(one.estimate) for one in steps), say("{column} {steps}.", column=column, steps=told)
        if len(effect.factors) > 1 or effect.estimate is None:
            return None
        text = say(
            "{column} {change}: {size}, {verdict}.",
            column=column,
            change=step_text(self.words, analysis, effect),
            size=signed(effect.estimate),
            verdict=self.words.verdict(effect.estimate),
        )
        return abs(effect.estimate), text

    def _step_text(self, one: Comparison) -> str:
        change = self.words.change(one.level, one.reference)
        verdict = self.words.verdict(one.estimate)
        if one.given:
            return say(
                "{change}: {size}, {verdict} (with {given})",
                change=change,
                size=signed(one.estimate),
                verdict=verdict,
                given=self.words.given(one.given),
            )
        return say("{change}: {size}, {verdict}", change=change, size=signed(one.estimate), verdict=verdict)

    def _elsewhere(self, name: str, steps: Sequence[Comparison]) -> tuple[float, str]:
        """Say where a factor acts that does nothing at the baseline."""
        column, size_of = self.words.columns[name], max(abs(one.estimate) for one in steps)
        found = [one for one in self.page.analysis.conditional if one.factor == name and one.found]
        if not found:
            others = all_of(self.words.columns[other] for other in steps[0].given)
            return size_of, say("{column} matters only together with {others}.", column=column, others=others)
        most = max(found, key=lambda one: abs(one.estimate))
        text = say(
            "{column} {change}: {size}, {verdict}, but only with {given}.",
            column=column,
            change=self.words.change(most.level, most.reference),
            size=signed(most.estimate),
            verdict=self.words.verdict(most.estimate),
            given=self.words.given(most.given),
        )
        return size_of, text

    def _not_found(self) -> str:
        analysis = self.page.analysis
        acting = {name for effect in analysis.found for name in effect.factors}
        acting |= {name for block in analysis.ruined for name in block.levels}
        others = [effect.factors[0] for effect in analysis.effects if len(effect.factors) == 1]
        quiet = [self.words.columns[name] for name in others if name not in acting]
        if not quiet:
            return ""
        if analysis.smallest_effect is None:
            return say("No effect of {names} was found.", names=all_of(quiet))
        return say(
            "No effect of {names} was found; effects smaller than {size} may be missed.",
            names=all_of(quiet),
            size=size(analysis.smallest_effect),
        )
