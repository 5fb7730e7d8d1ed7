"""The section of rows that no design laid out, but chance, an optimiser or a hand: what went with good results."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from reports.formats.markdown import Section, escape, plural, table, wrap
from reports.language.say import enumerated, say, sentences
from reports.sections.effects_text import signed, size
from reports.sections.halving import seen_after_text
from reports.sections.reasons_text import no_regression_text
from reports.statistics.observational import Coefficient, Predictor, Regression, regress
from reports.study.view import FactorColumn, StudyRows

PLANNED = frozenset({"full", "fraction", "one-at-a-time", "list"})
"""Designs whose rows were laid out before any result."""
FEWEST_NUMBERS = 5
"""A number with at least so many values is taken for a straight line; with fewer, each value is a level."""


def is_observational(study: StudyRows) -> bool:
    """Tell whether the rows are a sample and no design.

    A published table that lacks more than half of its combinations, and whose factors are not balanced against each
    other, was picked row by row.
    """
    if not study.is_imported:
        return study.about.design.kind not in PLANNED
    rows = [tuple(row.levels.values()) for row in study.observations]
    n_combinations = math.prod(len(factor.levels) for factor in study.factors)
    return len(study.factors) > 1 and len(set(rows)) * 2 < n_combinations and not _is_balanced(study)


def _is_balanced(study: StudyRows) -> bool:
    """Whether any two factors have each pair of their levels equally often, as a fraction has."""
    names = [factor.name for factor in study.factors]
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            counts = Counter((row.levels[first], row.levels[second]) for row in study.observations)
            n_pairs = len({one for one, _ in counts}) * len({other for _, other in counts})
            if len(counts) < n_pairs or len(set(counts.values())) > 1:
                return False
    return True


def study_regression(study: StudyRows) -> Regression:
    """Regress the result of every row on its levels; cells that share their trials are one row."""
    if study.is_imported:
        rows: list[tuple[Mapping[str, str], float | None]] = [(row.levels, row.value) for row in study.observations]
    else:
        distinct = {cell.trials: cell for cell in reversed(study.cells)}
        rows = [(cell.levels, cell.result.mean) for cell in reversed(distinct.values())]
    predictors = [_predictor(factor, tuple(levels[factor.name] for levels, _ in rows)) for factor in study.factors]
    return regress(predictors, [value for _, value in rows])


def _predictor(factor: FactorColumn, labels: tuple[str, ...]) -> Predictor:
    return Predictor(factor.name, labels, factor.baseline, _numbers(labels))


def _numbers(labels: tuple[str, ...]) -> tuple[float, ...] | None:
    """Read the labels as numbers; None where one is none, or they are few."""
    try:
        numbers = tuple(float(label) for label in labels)
    except ValueError:
        return None
    return numbers if len(set(numbers)) >= FEWEST_NUMBERS and all(map(math.isfinite, numbers)) else None


@dataclass(frozen=True)
class Observational:
    """The observational regression, in place of tested effects."""

    study: StudyRows

    def format(self) -> str:
        """Return the section; empty before there is any result."""
        found = study_regression(self.study)
        if not found.n:
            return ""
        title = say("What went with good results")
        if found.why_not:
            return Section(title, (wrap(no_regression_text(found.why_not)), wrap(self._left_out(found)))).format()
        return Section(
            title,
            (
                wrap(seen_after_text(self.study)) if self.study.seen_after else "",
                wrap(self._headline(found)),
                self._table(found),
                wrap(self._noise(found)),
                wrap(self._left_out(found)),
            ),
        ).format()

    def _headline(self, found: Regression) -> str:
        told = [self._column(name) for name in dict.fromkeys(one.factor for one in found.coefficients if one.found)]
        chosen = self._chosen()
        if not told:
            return say(
                "**Observational**: {chosen}. No level went together with better or worse results more than chance "
                "explains.",
                chosen=chosen,
            )
        return say(
            "**Observational**: {chosen}. Better or worse results went together with the levels of {names}; that is no "
            "proof that they are the cause.",
            chosen=chosen,
            names=enumerated(told),
        )

    def _chosen(self) -> str:
        if self.study.is_imported:
            return say(
                "these rows were picked one by one, and levels that were tried together cannot be separated well"
            )
        if self.study.about.design.kind == "random":
            return say("these cells are a random sample")
        return say("an optimiser chose these cells by the results before them")

    def _table(self, found: Regression) -> str:
        rows = [
            [
                self._column(one.factor),
                self._change(one),
                str(one.n),
                signed(one.estimate),
                say("{low} to {high}", low=f"{one.interval[0]:+.4f}", high=f"{one.interval[1]:+.4f}"),
                say("yes") if one.found else say("no"),
            ]
            for one in found.coefficients
        ]
        header = [
            say("factor"),
            say("levels"),
            say("rows"),
            say("estimate"),
            say("95 % interval"),
            say("told from zero"),
        ]
        return table(header, rows)

    def _change(self, one: Coefficient) -> str:
        level, reference = escape(one.level), escape(one.reference)
        if one.log:
            return say("{level} instead of {reference}, on a log scale", level=level, reference=reference)
        return say("{level} instead of {reference}", level=level, reference=reference)

    def _noise(self, found: Regression) -> str:
        text = say(
            "A linear regression of the result on all factors together ({rows}, {df} degrees of freedom left, "
            "R² {r_squared}); the standard deviation around it is {sd}, and holds interactions as well as noise.",
            rows=plural(found.n, "row"),
            df=found.df,
            r_squared=f"{found.r_squared:.2f}",
            sd=size(found.sd),
        )
        if found.robust:
            errors = say("Intervals are simultaneous (Bonferroni) with robust standard errors (HC3).")
        else:
            errors = say(
                "Intervals are simultaneous (Bonferroni), and suppose the same noise in every row: some levels stand "
                "in a single one."
            )
        return sentences([text, errors])

    def _left_out(self, found: Regression) -> str:
        texts = []
        if found.confounded:
            texts.append(
                say(
                    "Left out, because they change together with the others: {names}.",
                    names=enumerated(map(self._column, found.confounded)),
                )
            )
        if found.constant:
            texts.append(say("At one level only: {names}.", names=enumerated(map(self._column, found.constant))))
        return sentences(texts)

    def _column(self, name: str) -> str:
        return escape(next(factor.column for factor in self.study.factors if factor.name == name))
