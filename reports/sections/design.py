"""Sections about what was asked: levels, the fixed part of the recipe, cells left out, dead knobs."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gridsearch.recipe.recipe import Recipe, knobs
from gridsearch.space.design import alias_texts
from gridsearch.space.factor import label_of
from reports.formats.markdown import Section, bullets, code, escape, listed, paragraphs, plural, table, wrap
from reports.language.say import enumerated, retold, say, sentences
from reports.sections.context import PageSection
from reports.sections.findings import DeadKnob, dead_knobs, left_out, same_rows
from reports.study.view import StudyRows


def knob_text(name: str, value: object) -> str:
    """Spell a setting as a space file does.

    >>> knob_text("bert_adam", False)
    '`bert_adam = false`'
    """
    return code(f"{name} = {json.dumps(value, ensure_ascii=False)}")


def _spelled(settings: Mapping[str, object]) -> str:
    return enumerated(knob_text(name, value) for name, value in settings.items())


def _in_recipe_order(settings: Mapping[str, object]) -> dict[str, object]:
    order = list(Recipe.model_fields)
    return dict(sorted(settings.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))


class Levels(PageSection):
    """What each level sets, and what the knobs mean."""

    def format(self) -> str:
        """Return the section."""
        rows = []
        for factor in self.study.factors:
            if factor.range is not None:
                rows.append([escape(factor.column), _range_text(factor.range), code(factor.name)])
                continue
            for label, settings in factor.levels.items():
                sets = _spelled(_in_recipe_order(settings))
                mark = say(" (baseline)") if label == factor.baseline else ""
                rows.append([escape(factor.column), f"{escape(label)}{mark}", escape_pipes(sets)])
        shown = table([say("column"), say("level"), say("sets")], rows)
        return Section(say("What the levels mean"), (shown, bullets(self._meanings()))).format()

    def _meanings(self) -> list[str]:
        varied = varied_knobs(self.study)
        texts = []
        for name, knob in knobs().items():
            if name in varied:
                source = say(" ({details})", details=escape(retold(knob.source))) if knob.source else ""
                texts.append(say("{word}: {name}", word=code(name), name=escape(retold(knob.meaning))) + source)
        return texts


def _range_text(range_: Mapping[str, Any]) -> str:
    """Spell the range of a factor."""
    values = {name: label_of(range_[name]) for name in ("low", "high", "step")}
    if range_["log"]:
        return say("{low} to {high}, logarithmic", **values)
    return say("{low} to {high}" if range_["step"] is None else "{low} to {high}, step {step}", **values)


def escape_pipes(text: str) -> str:
    """Even inside code, a pipe would end a table's cell."""
    return text.replace("|", "\\|")


def varied_knobs(study: StudyRows) -> set[str]:
    """Names of all knobs that some level sets."""
    return {name for factor in study.factors for settings in factor.levels.values() for name in settings}


class FixedRecipe(PageSection):
    """The part of the recipe that all cells share: what the space fixes, and the defaults that act in every trial."""

    def format(self) -> str:
        """Return the section."""
        fixed = _in_recipe_order(self.study.about.fixed)
        rest = self._rest(fixed)
        texts = [
            say("Fixed by the space: {settings}.", settings=_spelled(fixed)) if fixed else "",
            say("By default, on this task: {settings}.", settings=_spelled(rest)) if rest else "",
            say("Every other knob is neutral, and so its trick is off; `gridsearch knobs` lists them."),
        ]
        return Section(say("The same for all cells"), tuple(map(wrap, texts))).format()

    def _rest(self, fixed: Mapping[str, object]) -> dict[str, object]:
        if not self.study.cells:
            return {}
        taken = varied_knobs(self.study) | fixed.keys()
        recipe = self.study.cells[0].recipe
        acting = {name: knob for name, knob in knobs().items() if name in recipe and recipe[name] != knob.neutral}
        return {name: recipe[name] for name in acting if name not in taken}


class LeftOut(PageSection):
    """Cells that rules leave out, counted for each rule."""

    def format(self) -> str:
        """Return the section; said aloud when there is none."""
        counts = left_out(self.study)
        title = say("Cells left out")
        if not counts:
            text = say("The space has no rule: {asked}.", asked=self._asked())
            return Section(title, (wrap(text), self._aliases())).format()
        skips: dict[str, list[str]] = {}
        for rule in self.study.about.rules:
            skips.setdefault(rule.why, []).append(rule.skip)
        items = [
            say(
                "{cells} by {rules}: {why}",
                cells=plural(count, "cell"),
                rules=enumerated(map(code, skips[why])) if why in skips else self._without_rule(),
                why=escape(why),
            )
            for why, count in counts.items()
        ]
        n_excluded, n_cells = len(self.study.excluded), len(self.study.cells)
        asked = self._what(n_excluded + n_cells)
        if n_cells == 1:
            total = say("Of {asked}, rules leave out {n}; 1 is planned.", asked=asked, n=n_excluded)
        else:
            total = say(
                "Of {asked}, rules leave out {n}; {planned} are planned.", asked=asked, n=n_excluded, planned=n_cells
            )
        return Section(title, (wrap(total), bullets(items), self._aliases())).format()

    def numbers(self) -> dict[str, Any]:
        """Return the cells that are left out."""
        left = [{"row": cell.row, "levels": cell.levels, "why": cell.why} for cell in self.study.excluded]
        return {"excluded": left}

    def _asked(self) -> str:
        if self.study.is_list:
            return say("every listed row is a cell")
        if self._n_combinations is None:
            return say("no cell is left out")
        if len(self.study.cells) == self._n_combinations:
            return say("every combination is a cell")
        return say("{asked} are all cells", asked=self._what(len(self.study.cells)))

    def _what(self, n_asked: int) -> str:
        """Name what the design asks for, before any rule."""
        if self.study.is_list:
            return plural(n_asked, "listed row")
        if self._n_combinations is None:
            return plural(n_asked, "cell")
        if n_asked == self._n_combinations:
            return plural(n_asked, "combination")
        return say("the {n} of {total} combinations that the design asks for", n=n_asked, total=self._n_combinations)

    def _without_rule(self) -> str:
        """Say why a cell is left out that no rule names: an optimiser leaves out what a plan would refuse."""
        return say("a contradiction") if self.study.about.search else say("a former rule")

    @property
    def _n_combinations(self) -> int | None:
        """All combinations of levels; None where an optimiser or a range leaves nothing to compare them with."""
        if self.study.about.search or any(factor.range for factor in self.study.factors):
            return None
        return math.prod(len(factor.levels) for factor in self.study.factors)

    def _aliases(self) -> str:
        """Name what a fraction cannot tell apart; empty for other designs, and when it tells all apart."""
        resolution = self.study.about.design.resolution
        texts = alias_texts([factor.column for factor in self.study.factors], resolution) if resolution else []
        if not texts:
            return ""
        above = say("Main effects and two-factor interactions that the fraction cannot tell apart:")
        return paragraphs([above, bullets(escape(retold(text)) for text in texts)])


class SameRows(PageSection):
    """Rows of a list that are the same recipe."""

    def format(self) -> str:
        """Return the section; empty when every row is a recipe of its own."""
        groups = same_rows(self.study)
        if not groups:
            return ""
        items = [" = ".join(cell.name(escape) for cell in group) for group in groups]
        intro = say("These rows differ in nothing that this study varies: each group shares its trials and its result.")
        return Section(say("Rows that are the same recipe"), (wrap(intro), bullets(items))).format()

    def numbers(self) -> dict[str, Any]:
        """Return the groups of rows, by name."""
        return {"same_rows": [[cell.row for cell in group] for group in same_rows(self.study)]}


class DeadKnobs(PageSection):
    """Knobs that cannot act, and what that makes of their cells."""

    def format(self) -> str:
        """Return the section; empty when every knob acts."""
        found = dead_knobs(self.study)
        if not found:
            return ""
        return Section(say("Dead knobs"), (bullets(self._line(dead) for dead in found),)).format()

    def numbers(self) -> dict[str, Any]:
        """Return the knobs, why they cannot act, and in which cells."""
        return {"dead_knobs": [asdict(dead) for dead in dead_knobs(self.study)]}

    def _line(self, dead: DeadKnob) -> str:
        text = say(
            "{knob} cannot act in {cells} ({n} of {total}): {reason}.",
            knob=code(dead.knob),
            cells=listed("cell", dead.cells),
            n=len(dead.cells),
            total=len(self.study.cells),
            reason=escape(retold(dead.reason)),
        )
        if not dead.groups:
            return text
        groups = [" = ".join(str(index) for index in group) for group in dead.groups[:8]]
        if len(dead.groups) > 8:
            groups.append(say("and {n} more groups", n=len(dead.groups) - 8))
        shown = say("; ").join(groups)
        if self.study.about.design.on_dead == "collapse":
            alike = say("Cells that differ in nothing else share their trials: {groups}.", groups=shown)
        else:
            alike = say(
                "Cells that differ in nothing else are replicates of each other, with seeds of their own: {groups}.",
                groups=shown,
            )
        return sentences([text, alike])
