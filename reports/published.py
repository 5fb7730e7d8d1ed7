"""Sections of the page of an imported table: it has results, but no trials of ours behind them."""

from collections import Counter
from dataclasses import dataclass

from reports.markdown import Section, bullets, code, escape, paragraphs, plural, table, wrap
from reports.records import Observation, StudyRows
from reports.table import comparison_table


@dataclass(frozen=True)
class PublishedSummary:
    """Where the rows come from, and what is not known of them."""

    study: StudyRows

    def format(self) -> str:
        """Return the lines below the title."""
        study, facts = self.study, self.study.facts
        n_rows = len(study.observations)
        first = f"**{n_rows} observations of {plural(len(study.factors), 'factor')}, imported from a published table**"
        return paragraphs(
            [
                first,
                wrap(
                    f"The rows are those of {code(facts['source'])}. Nothing of it was trained here: seeds, epochs, "
                    "machine and recipe are what the source says, and no row can be repeated from this page."
                ),
            ]
        )


@dataclass(frozen=True)
class PublishedResults:
    """The table as it was published, its best row in bold."""

    study: StudyRows

    def format(self) -> str:
        """Return the section."""
        better = "lower" if self.study.lower_is_better else "higher"
        above = f"{code(self.study.metric)} as published; {better} is taken to be better, and the best is bold."
        return Section("Results", (wrap(above), comparison_table(self.study).format())).format()


@dataclass(frozen=True)
class PublishedExtremes:
    """The best and the worst row, spelled out."""

    study: StudyRows

    def format(self) -> str:
        """Return the section."""
        rows = sorted(self.study.observations, key=lambda row: row.value * (1 if self.study.lower_is_better else -1))
        items = [self._line("Best", rows[0])]
        if len(rows) > 1:
            items.append(self._line("Worst", rows[-1]))
        note = (
            f"The best of {len(rows)} noisy rows is partly the luckiest of them, and its result is optimistic."
            if len(rows) > 1
            else ""
        )
        return Section("Best and worst", (bullets(items), wrap(note) if note else "")).format()

    def _line(self, word: str, row: Observation) -> str:
        study = self.study
        return f"{word}: row {row.index}, {escape(study.metric)} {row.text}: {code(study.settings(row.levels))}"


@dataclass(frozen=True)
class PublishedLevels:
    """The levels of each factor, with the rows that have them."""

    study: StudyRows

    def format(self) -> str:
        """Return the section."""
        rows = []
        for factor in self.study.factors:
            counts = Counter(row.levels[factor.name] for row in self.study.observations)
            rows += [[escape(factor.column), escape(label), str(counts[label])] for label in factor.levels]
        return Section("The levels", (table(["column", "level", "rows"], rows),)).format()
