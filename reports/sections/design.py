"""Sections about what was asked: levels, the fixed part of the recipe, cells left out, dead knobs."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gridsearch.recipe.recipe import Recipe, knobs
from gridsearch.recipe.shares import is_share, whole_layers
from gridsearch.space.design import alias_texts
from gridsearch.space.factor import label_of
from gridsearch.study.manifest import FactorEntry
from reports.formats.markdown import Section, bullets, code, escape, listed, paragraphs, plural, wrap
from reports.language.say import enumerated, retold, say, sentences
from reports.sections.context import PageSection
from reports.sections.findings import DeadKnob, dead_knobs, left_out, same_rows
from reports.study.view import StudyRows
from reports.texts_read import read_lines, with_lengths


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
    """What each column varies, and what those levels set that do not say so themselves."""

    def format(self) -> str:
        """Return the section."""
        return Section(say("What the levels mean"), (bullets(map(self._line, self.study.factors)),)).format()

    def _line(self, factor: FactorEntry) -> str:
        varied = _knobs_of(factor)
        name = escape(factor.column)
        if varied != [factor.column]:
            name += say(" ({details})", details=enumerated(map(code, varied)))
        range_ = _range_text(factor.range) if factor.range is not None else ""
        sets = (
            say("{word}: {name}", word=escape(label), name=_spelled(_in_recipe_order(settings)))
            for label, settings in factor.levels.items()
            if not _says_itself(factor, label)
        )
        about = (escape(gist(retold(knobs()[knob].meaning))) for knob in varied if knob in knobs())
        values = (value for settings in factor.levels.values() for value in settings.values())
        layers = share_texts(values, self.study.about.depths)
        texts = [text for text in (range_, *about, *sets, *layers) if text]
        return say("{word}: {name}", word=name, name=say("; ").join(texts)) if texts else name


def share_texts(values: Iterable[object], depths: Sequence[int]) -> list[str]:
    """Say of those values that are shares of the encoder's depth how many layers they are; older ledgers know no depth.

    >>> share_texts([0, "1/2", "1/2"], [12, 5])
    ['1/2: 6 of 12 layers, 2 of 5 layers']
    """
    shares = dict.fromkeys(str(value) for value in values if is_share(value)) if depths else ()
    counts = {
        share: [say("{n} of {total} layers", n=whole_layers(share, depth), total=depth) for depth in depths]
        for share in shares
    }
    return [say("{word}: {name}", word=share, name=enumerated(texts)) for share, texts in counts.items()]


def _knobs_of(factor: FactorEntry) -> list[str]:
    """Name the knobs that a factor varies, in the order of the recipe."""
    names = {name: None for settings in factor.levels.values() for name in settings}
    return list(_in_recipe_order(names)) or [factor.name]


def _says_itself(factor: FactorEntry, label: str) -> bool:
    """Whether a level does no more than set the knob of its factor to the value that it is called by."""
    if factor.levels[label].keys() != {factor.name}:
        return False
    value = factor.levels[label][factor.name]
    return label in (label_of(value), f"{value:g}" if isinstance(value, float) else "")


def gist(meaning: str) -> str:
    """Return what a knob's meaning says first, without what follows in brackets or behind a colon.

    >>> gist("draw the top layers anew: their number, or a share"), gist("a number (or a share: of all)")
    ('draw the top layers anew', 'a number')
    """
    return re.split(r"[:;：；]", re.sub(r"\s*[(（][^()（）]*[)）]$", "", meaning))[0]


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
    """The part of the recipe that all cells share, as far as it is no default."""

    def format(self) -> str:
        """Return the section."""
        rest = say("All else is at its default; `gridsearch knobs` explains.")
        asked = self._set()
        settings = [_spelled(asked), *share_texts(asked.values(), self.study.about.depths)]
        text = sentences([*(say("{note}.", note=text) for text in settings if text), rest])
        read = [escape(say("{note}.", note=line[0].upper() + line[1:])) for line in read_lines(self.study.about.texts)]
        return Section(say("The same for all cells"), (wrap(text), *map(wrap, read))).format()

    def _set(self) -> dict[str, object]:
        """Return what is set for all cells, by the space or by the task, and is no default."""
        varied = varied_knobs(self.study)
        acting = self.study.cells[0].recipe if self.study.cells else {}
        common = {name: value for name, value in acting.items() if name in knobs() and name not in varied}
        settings = _in_recipe_order({**common, **with_lengths(self.study.about.fixed, self.study.about.texts)})
        return {name: value for name, value in settings.items() if value != _default(name)}


def _default(name: str) -> object:
    field = Recipe.model_fields.get(name)
    return None if field is None else field.default


class LeftOut(PageSection):
    """Cells that rules leave out, counted for each rule, those left out on purpose, and what a fraction cannot tell."""

    def format(self) -> str:
        """Return the section; empty where nothing is left out, and every effect can be told from the others."""
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
            for why, count in left_out(self.study).items()
        ]
        items += [
            say("{cell} on purpose: {why}", cell=cell.name(escape), why=escape(skip.why))
            for skip in self.study.skips
            for cell in self.study.cells
            if cell.index == skip.position
        ]
        return Section(say("Cells left out"), (bullets(items), self._aliases())).format()

    def numbers(self) -> dict[str, Any]:
        """Return the cells that are left out."""
        left = [{"row": cell.row, "levels": cell.levels, "why": cell.why} for cell in self.study.excluded]
        skipped = [{"index": skip.position, "why": skip.why} for skip in self.study.skips]
        return {"excluded": left, "skipped": skipped}

    def _without_rule(self) -> str:
        """Say why a cell is left out that no rule names: an optimiser leaves out what a plan would refuse."""
        return say("a contradiction") if self.study.about.search else say("a former rule")

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
        intro = say("The rows of a group are one recipe, and share its trials and its result.")
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
        alike: dict[tuple[object, ...], list[DeadKnob]] = {}
        for dead in found:
            alike.setdefault((dead.reason, tuple(dead.cells), tuple(map(tuple, dead.groups))), []).append(dead)
        return Section(say("Dead knobs"), (bullets(map(self._line, alike.values())),)).format()

    def numbers(self) -> dict[str, Any]:
        """Return the knobs, why they cannot act, and in which cells."""
        return {"dead_knobs": [asdict(dead) for dead in dead_knobs(self.study)]}

    def _line(self, several: Sequence[DeadKnob]) -> str:
        """Say it of knobs that cannot act in the same cells, for one reason."""
        dead = several[0]
        text = say(
            "{knob} cannot act in {cells} ({n} of {total}): {reason}.",
            knob=enumerated(code(one.knob) for one in several),
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
