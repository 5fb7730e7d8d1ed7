"""The section of rows that no design laid out, but chance, an optimiser or a hand: what went with good results."""

from typing import Any

from reports.formats.markdown import Section, escape, plural, table, wrap
from reports.language.say import enumerated, say, sentences
from reports.sections.context import PageSection
from reports.sections.effects.effects_text import signed, size
from reports.sections.effects.reasons_text import no_regression_text, regression_numbers
from reports.sections.halving import seen_after_text
from reports.statistics.observational import Coefficient, Regression


class Observational(PageSection):
    """The observational regression, in place of tested effects."""

    def format(self) -> str:
        """Return the section; empty before there is any result, and where a design laid the rows out."""
        found, seen = self.page.regression, self.page.seen
        if not self.page.is_observational or not found.n:
            return ""
        title = say("What went with good results")
        if found.why_not:
            return Section(title, (wrap(no_regression_text(found.why_not)), wrap(self._left_out(found)))).format()
        return Section(
            title,
            (
                wrap(seen_after_text(seen)) if seen.seen_after else "",
                wrap(self._headline(found)),
                self._table(found),
                wrap(self._noise(found)),
                wrap(self._left_out(found)),
            ),
        ).format()

    def numbers(self) -> dict[str, Any]:
        """Return the regression; null where a design laid the rows out."""
        found = self.page.regression if self.page.is_observational else None
        return {"regression": None if found is None else regression_numbers(found)}

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
