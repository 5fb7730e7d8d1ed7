"""Sections of the page of imported rows: they have results, but no trials of ours behind them."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from reports.formats.markdown import Section, bullets, code, escape, first_of, paragraphs, plural, table, wrap
from reports.formats.table import comparison_table
from reports.language.say import enumerated, say, sentences
from reports.sections.context import PageSection
from reports.study.published_value import published_value
from reports.study.view import Observation, RowWithout, StudyRows

MOST_NAMES = 40


class PublishedSummary(PageSection):
    """Where the rows come from, which have no result, and what is not known of them."""

    def format(self) -> str:
        """Return the lines below the title."""
        study, about = self.study, self.study.published
        without = [RowWithout(**row) for row in about.without]
        missing = rows_text(len(study.observations), study.metric, without, escape) if without else ""
        return paragraphs([self._first(), wrap(self._source()), wrap(missing), wrap(self._remarks())])

    def _first(self) -> str:
        counts = {
            "observations": plural(len(self.study.observations), "observation"),
            "factors": plural(len(self.study.factors), "factor"),
        }
        if self.study.published.form == "notes":
            return say("**{observations} of {factors}, imported from notes**", **counts)
        return say("**{observations} of {factors}, imported from a published table**", **counts)

    def _source(self) -> str:
        return say(
            "The rows are those of {source}. Nothing of it was trained here: seeds, epochs, machine and recipe are "
            "what the source says, and no row can be repeated from this page.",
            source=code(self.study.published.source),
        )

    def _remarks(self) -> str:
        """Say how many results their author doubted, and how many carry another remark."""
        values = [(row.index, published_value(row.text)) for row in self.study.observations]
        doubted = [index for index, value in values if value.is_uncertain]
        remarked = [index for index, value in values if value.remark and not value.is_uncertain]
        texts = []
        if doubted:
            texts.append(
                say(
                    "Marked as uncertain by their author, and taken as they are: {n} of {results} ({rows}).",
                    n=len(doubted),
                    results=plural(len(values), "result"),
                    rows=_rows([escape(index) for index in doubted]),
                )
            )
        if remarked:
            texts.append(
                say(
                    "With a remark behind the number, which alone counts: {n} of {results} ({rows}).",
                    n=len(remarked),
                    results=plural(len(values), "result"),
                    rows=_rows([escape(index) for index in remarked]),
                )
            )
        return sentences(texts)


def rows_text(n_rows: int, response: str, without: Sequence[RowWithout], spell: Callable[[str], str]) -> str:
    """Count the rows with a result and name those without; ``spell`` is how foreign texts are spelled."""
    return say(
        "{n} of {rows} have a number in {response}; without one: {names}.",
        n=n_rows,
        rows=plural(n_rows + len(without), "row"),
        response=spell(response),
        names=_rows([_name(row, spell) for row in without]),
    )


def _name(row: RowWithout, spell: Callable[[str], str]) -> str:
    known = [spell(text) for text in (row.label, row.text) if text]
    return say("{name} ({texts})", name=spell(row.index), texts=enumerated(known)) if known else spell(row.index)


def _rows(names: Sequence[str]) -> str:
    shown = first_of(names, MOST_NAMES)
    return say("rows {names}", names=shown) if len(names) > 1 else say("row {name}", name=shown)


class PublishedResults(PageSection):
    """The table as it was published, its best row in bold."""

    def format(self) -> str:
        """Return the section."""
        return Section(say("Results"), (wrap(self._above()), comparison_table(self.study).format())).format()

    def numbers(self) -> dict[str, Any]:
        """Return every row."""
        return published_numbers(self.study)

    def _above(self) -> str:
        response = code(self.study.metric)
        if self.study.lower_is_better:
            text = say("{response} as published; lower is taken to be better, and the best is bold.", response=response)
        else:
            text = say(
                "{response} as published; higher is taken to be better, and the best is bold.", response=response
            )
        return sentences([text, self._scores(), self._seeds()])

    def _scores(self) -> str:
        scores = self.study.published.scores
        if not scores:
            return ""
        return say(
            "Measured too, and no factors: {scores}. Nothing is chosen or tested by them.",
            scores=enumerated(map(code, scores)),
        )

    def _seeds(self) -> str:
        seeds = self.study.published.seeds
        if not seeds:
            return ""
        return say(
            "The seed of a row, and no factor: {seeds}. Rows that differ in nothing else are one recipe, run again.",
            seeds=enumerated(map(code, seeds)),
        )


def published_numbers(study: StudyRows) -> dict[str, Any]:
    """Return what was measured, and every row of a published table or a log."""
    rows = [
        {
            "index": row.index,
            "levels": row.levels,
            "value": row.value,
            "text": row.text,
            "seeds": row.seeds,
            "scores": {
                name: {"value": published_value(text).number, "text": text} for name, text in row.scores.items()
            },
        }
        for row in study.observations
    ]
    result = {"metric": study.metric, "split": None, "lower_is_better": study.lower_is_better}
    return {"result": result, "observations": rows}


class PublishedExtremes(PageSection):
    """The best and the worst row, spelled out."""

    def format(self) -> str:
        """Return the section."""
        rows = sorted(self.study.observations, key=lambda row: row.value * (1 if self.study.lower_is_better else -1))
        if len(rows) == 1:
            return Section(say("Best and worst"), (bullets([self._line(say("Best"), rows[0])]),)).format()
        items = [self._line(say("Best"), rows[0]), self._line(say("Worst"), rows[-1])]
        note = say(
            "The best of {n} noisy rows is partly the luckiest of them, and its result is optimistic.", n=len(rows)
        )
        return Section(say("Best and worst"), (bullets(items), wrap(note))).format()

    def _line(self, word: str, row: Observation) -> str:
        return say(
            "{word}: row {name}, {response} {result}: {settings}",
            word=word,
            name=escape(row.index),
            response=escape(self.study.metric),
            result=escape(row.text),
            settings=code(self.study.settings(row.levels)),
        )


class PublishedLevels(PageSection):
    """The levels of each factor, with the rows that have them."""

    def format(self) -> str:
        """Return the section; a factor that has another level in every row is named, and no more."""
        rows, alone = [], []
        for factor in self.study.factors:
            counts = Counter(row.levels[factor.name] for row in self.study.observations)
            if max(counts.values()) == 1 < len(counts):
                alone.append(code(factor.column))
            else:
                rows += [[escape(factor.column), escape(label), str(counts[label])] for label in factor.levels]
        shown = table([say("column"), say("level"), say("rows")], rows) if rows else ""
        names = say("Another level in every row: {names}.", names=enumerated(alone)) if alone else ""
        return Section(say("The levels"), (shown, wrap(names) if names else "")).format()
