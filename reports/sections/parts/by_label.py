"""Each label of rows that may have several: how often it is there, and how well the best cell tells it."""

from dataclasses import asdict
from typing import Any

from gridsearch.study.task_entry import Judged
from reports.formats.markdown import Section, code, escape, plural, table, wrap
from reports.formats.table import decimals
from reports.language.say import say, sentences
from reports.sections.context import PageSection
from reports.study.told import LabelTold

MOST_LABELS = 50
"""So many labels are shown, the most frequent ones: page.json has all."""


class ByLabel(PageSection):
    """A table of labels for each part that has several a row."""

    def format(self) -> str:
        """Return the section; empty where no row may have several labels."""
        told = self.study.told
        if told is None or not told.labels:
            return ""
        blocks = [wrap(self._about())]
        for one in self.study.about.judged:
            if one.part in told.labels:
                blocks += self._of_part(one, told.labels[one.part])
        return Section(say("Label by label"), tuple(blocks)).format()

    def numbers(self) -> dict[str, Any]:
        """Return them; null where there are none."""
        told = self.study.told
        if told is None or not told.labels:
            return {"by_label": None}
        return {"by_label": {part: [asdict(one) for one in labels] for part, labels in told.labels.items()}}

    def _about(self) -> str:
        best = self.study.ranking[0]
        return sentences(
            [
                say(
                    "What {cell}, the best on dev, reaches there in each label (mean over {seeds}), and the rows that "
                    "have it.",
                    cell=best.name(escape),
                    seeds=plural(len(best.runs), "seed"),
                ),
                say("Where all rows have a label, or none, there is nothing to rank: -."),
            ]
        )

    def _of_part(self, one: Judged, labels: tuple[LabelTold, ...]) -> list[str]:
        shown = labels
        if len(labels) > MOST_LABELS:
            shown = tuple(sorted(labels, key=lambda label: -label.n_rows)[:MOST_LABELS])
        header = [say("label"), say("dev rows"), "F1", "AUC", say("average precision")]
        rows = [
            [escape(label.label), str(label.n_rows), *map(decimals, (label.f1, label.auc, label.average_precision))]
            for label in shown
        ]
        of_part = [wrap(say("Part {part}:", part=code(one.part)))] if len(self.study.about.judged) > 1 else []
        rest = len(labels) - len(shown)
        more = say("{n} labels with fewer rows are not shown; page.json has them.", n=rest)
        return [*of_part, table(header, rows), *([wrap(more)] if rest else [])]
