"""The parts of a task of several: what each is, how its results stand, and whether it would choose another cell."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from gridsearch.study.task_entry import Judged
from gridsearch.tasks.learned import Guess
from gridsearch.tasks.metrics import is_better
from reports.commands import part_command
from reports.formats.markdown import Section, code, escape, table, wrap
from reports.formats.table import decimals, metric_text
from reports.language.say import enumerated, retold, say, sentences
from reports.sections.context import PageSection
from reports.study.parts import other_parts, parts_of
from reports.study.view import CellRow, StudyRows, target_name


def part_text(study: StudyRows) -> str:
    """Say which part a page is about; empty for the page of a study."""
    if study.whole is None:
        return ""
    return say(
        "This page is about the part {part} alone, as if the study selected on its metric. It selects on {target}: its "
        "own page has all parts.",
        part=code(study.part),
        target=escape(target_name(study.whole)),
    )


@dataclass(frozen=True)
class PartResult:
    """How the cells stand in a part, on dev: the mean over them, and the best one; None before any has a result."""

    about: Judged
    mean: float | None
    best: CellRow | None
    guess: Guess | None

    @property
    def best_value(self) -> float | None:
        """The metric of the best cell."""
        return None if self.best is None else self.best.of_part(self.about, "dev").mean

    def is_led_by(self, cell: CellRow) -> bool:
        """Tell whether no other cell is better than this one."""
        return self.best is not None and cell.of_part(self.about, "dev").mean == self.best_value


def part_results(study: StudyRows) -> list[PartResult]:
    """Gather them part by part; of cells that are equally good in a part, the first is the best."""
    found = []
    for one in parts_of(study):
        values = [(cell, value) for cell in study.cells if (value := cell.of_part(one, "dev").mean) is not None]
        best: tuple[CellRow, float] | None = None
        for cell, value in values:
            best = (cell, value) if is_better(one.metric, value, None if best is None else best[1]) else best
        mean = fmean(value for _, value in values) if values else None
        found.append(PartResult(one, mean, None if best is None else best[0], study.guesses.get(one.part)))
    return found


class Parts(PageSection):
    """A row for each part, and which of them another cell suits best."""

    def format(self) -> str:
        """Return the section; empty for a single task, and on the page of a part, which is about that one."""
        study, results = self.study, part_results(self.study)
        if not results or study.whole is not None:
            return ""
        said = sentences([self._target(), self._same_cell(results)])
        return Section(say("Parts"), (wrap(said), self._table(results), wrap(self._pages()))).format()

    def numbers(self) -> dict[str, Any]:
        """Return them; null for a single task."""
        study = self.study
        if not parts_of(study):
            return {"parts": None}
        best = study.ranking[0] if study.ranking else None
        return {
            "parts": [
                {
                    "part": one.about.part,
                    "metric": one.about.metric,
                    "positive_label": one.about.positive_label,
                    "in_target": one.about in study.about.judged,
                    "n_rows": one.about.entry.n_rows,
                    "labels_are": one.about.entry.labels_are,
                    "n_labels": len(one.about.entry.label_names),
                    "guess": None if one.guess is None else asdict(one.guess),
                    "mean": one.mean,
                    "best": None if one.best is None else one.best.index,
                    "best_value": one.best_value,
                    "is_best_of_target": one.best is not None and one.best is best,
                }
                for one in part_results(study)
            ]
        }

    def _target(self) -> str:
        study = self.study
        others = [code(one.part) for one in parts_of(study) if one not in study.about.judged]
        return sentences(
            [
                say(
                    "What is selected on is the {metric} of {parts}.",
                    metric=metric_text(study, escape),
                    parts=enumerated(code(one.part) for one in study.about.judged),
                )
                if study.about.sole is None
                else say("What is selected on is the {metric}.", metric=metric_text(study, escape)),
                say("Learned beside it, and not counted: {parts}.", parts=enumerated(others)) if others else "",
            ]
        )

    def _same_cell(self, results: Sequence[PartResult]) -> str:
        """Say in which parts the cell that is best on the target is the best, too."""
        study = self.study
        if not study.ranking:
            return ""
        first = study.ranking[0]
        name = first.name(escape)
        others = [one for one in results if one.about in other_parts(study)]
        same = [code(one.about.part) for one in others if one.is_led_by(first)]
        told = [
            say("{cell} in {part}", cell=one.best.name(escape), part=code(one.about.part))
            for one in others
            if one.best is not None and not one.is_led_by(first)
        ]
        if same:
            text = say("The best on dev by it, {cell}, is the best in {parts}, too.", cell=name, parts=enumerated(same))
        else:
            text = say("The best on dev by it, {cell}, is not the best in any of these parts.", cell=name)
        elsewhere = say(
            "Best elsewhere: {cells}; no test stands behind that, and chance alone may have put them first.",
            cells=enumerated(told),
        )
        return sentences([text, elsewhere if told else ""])

    def _table(self, results: Sequence[PartResult]) -> str:
        study = self.study
        header = [say("part"), say("dev rows"), say("labels"), say("metric"), say("a guess reaches")]
        header += [*(escape(retold(one.name)) for one in study.yardsticks), say("mean of the cells")]
        header += [say("best cell"), say("its result on dev")]
        return table(header, [self._row(one) for one in results])

    def _row(self, one: PartResult) -> list[str]:
        about = one.about
        metric = about.metric
        if about.positive_label is not None:
            metric = say("{metric} of '{label}'", metric=metric, label=about.positive_label)
        cheap = [yardstick.of_part(about, "dev") for yardstick in self.study.yardsticks]
        return [
            escape(about.part),
            str(about.entry.n_rows["dev"]),
            "-" if about.entry.labels_are == "score" else str(len(about.entry.label_names)),
            escape(metric),
            decimals(None if one.guess is None else one.guess.bound),
            *map(decimals, cheap),
            decimals(one.mean),
            "-" if one.best is None else str(one.best.index),
            decimals(one.best_value),
        ]

    def _pages(self) -> str:
        return say(
            "{command} writes the page of a part: its effects with their tests, its best cell against the baseline, "
            "and averages of its runs.",
            command=code(part_command(self.study, parts_of(self.study)[0].part)),
        )
