"""Sections about what was asked: levels, the fixed part of the recipe, cells left out, dead knobs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gridsearch.recipe import Recipe, knobs
from reports.analysis import DeadKnob, dead_knobs, left_out
from reports.markdown import Section, bullets, code, escape, listed, plural, table, wrap
from reports.records import StudyRows


def knob_text(name: str, value: object) -> str:
    """Spell a setting as a space file does.

    >>> knob_text("bert_adam", False)
    '`bert_adam = false`'
    """
    return code(f"{name} = {json.dumps(value, ensure_ascii=False)}")


def _in_recipe_order(settings: Mapping[str, object]) -> dict[str, object]:
    order = list(Recipe.model_fields)
    return dict(sorted(settings.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))


@dataclass(frozen=True)
class Levels:
    """What each level sets, and what the knobs mean."""

    study: StudyRows

    def format(self) -> str:
        """Return the section."""
        rows = []
        for factor in self.study.factors:
            for label, settings in factor.levels.items():
                sets = ", ".join(knob_text(name, value) for name, value in _in_recipe_order(settings).items())
                mark = " (baseline)" if label == factor.baseline else ""
                rows.append([escape(factor.column), f"{escape(label)}{mark}", escape_pipes(sets)])
        shown = table(["column", "level", "sets"], rows)
        return Section("What the levels mean", (shown, bullets(self._meanings()))).format()

    def _meanings(self) -> list[str]:
        varied = varied_knobs(self.study)
        texts = []
        for name, knob in knobs().items():
            if name in varied:
                source = f" ({escape(knob.source)})" if knob.source else ""
                texts.append(f"{code(name)}: {escape(knob.meaning)}{source}")
        return texts


def escape_pipes(text: str) -> str:
    """Even inside code, a pipe would end a table's cell."""
    return text.replace("|", "\\|")


def varied_knobs(study: StudyRows) -> set[str]:
    """Names of all knobs that some level sets."""
    return {name for factor in study.factors for settings in factor.levels.values() for name in settings}


@dataclass(frozen=True)
class FixedRecipe:
    """The part of the recipe that all cells share: what the space fixes, and the rest, at its defaults."""

    study: StudyRows

    def format(self) -> str:
        """Return the section."""
        fixed = _in_recipe_order(self.study.facts["fixed"])
        rest = self._rest(fixed)
        texts = []
        if fixed:
            texts.append("Fixed by the space: " + ", ".join(knob_text(*item) for item in fixed.items()) + ".")
        if rest:
            texts.append("At their defaults: " + ", ".join(knob_text(*item) for item in rest.items()) + ".")
        return Section("The same for all cells", tuple(wrap(text) for text in texts)).format()

    def _rest(self, fixed: Mapping[str, object]) -> dict[str, object]:
        if not self.study.cells:
            return {}
        taken = varied_knobs(self.study) | fixed.keys()
        recipe = self.study.cells[0].recipe
        return _in_recipe_order({name: value for name, value in recipe.items() if name not in taken})


@dataclass(frozen=True)
class LeftOut:
    """Cells that rules leave out, counted for each rule."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; said aloud when there is none."""
        counts = left_out(self.study)
        if not counts:
            return Section("Cells left out", ("The space has no rule: every combination is a cell.",)).format()
        skips: dict[str, list[str]] = {}
        for rule in self.study.facts["rules"]:
            skips.setdefault(rule["why"], []).append(rule["skip"])
        items = [
            f"{plural(count, 'cell')} by {', '.join(code(skip) for skip in skips.get(why, ['a former rule']))}: "
            f"{escape(why)}"
            for why, count in counts.items()
        ]
        n_excluded, n_cells = len(self.study.excluded), len(self.study.cells)
        total = f"Of {n_excluded + n_cells} combinations, rules leave out {n_excluded}; {n_cells} are planned."
        return Section("Cells left out", (total, bullets(items))).format()


@dataclass(frozen=True)
class DeadKnobs:
    """Knobs that cannot act, and what that makes of their cells."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; empty when every knob acts."""
        found = dead_knobs(self.study)
        if not found:
            return ""
        return Section("Dead knobs", (bullets(self._line(dead) for dead in found),)).format()

    def _line(self, dead: DeadKnob) -> str:
        share = f"{len(dead.cells)} of {len(self.study.cells)}"
        text = f"{code(dead.knob)} cannot act in {listed('cell', dead.cells)} ({share}): {escape(dead.reason)}."
        if not dead.groups:
            return text
        groups = "; ".join(" = ".join(str(index) for index in group) for group in dead.groups[:8])
        more = f"; and {len(dead.groups) - 8} more groups" if len(dead.groups) > 8 else ""
        how = "are replicates of each other, with seeds of their own"
        if self.study.facts["design"]["on_dead"] == "collapse":
            how = "share their trials"
        return f"{text} Cells that differ in nothing else {how}: {groups}{more}."
