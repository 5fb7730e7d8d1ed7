"""How far predicted numbers are off, beside how far the true ones are from one another."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gridsearch.study.task_entry import Judged
from gridsearch.tasks.target import metric_name
from reports.formats.markdown import Section, code, escape, table, wrap
from reports.formats.table import decimals
from reports.language.say import retold, say
from reports.sections.context import PageSection
from reports.study.spread import spread
from reports.study.told import TrueNumbers
from reports.study.view import CellRow

OFF = ("rmse", "mae")


class HowFarOff(PageSection):
    """A table for each part with numbers: a constant, the yardsticks, the baseline and the best cell on dev."""

    def format(self) -> str:
        """Return the section; empty where nothing is a number."""
        told = self.study.told
        if told is None or not told.numbers:
            return ""
        blocks = []
        for one in self.study.about.judged:
            if one.part in told.numbers:
                blocks += self._of_part(one, told.numbers[one.part])
        return Section(say("How far predictions are off"), tuple(blocks)).format()

    def numbers(self) -> dict[str, Any]:
        """Return what is known of the true numbers; null where there are none."""
        told = self.study.told
        if told is None or not told.numbers:
            return {"how_far_off": None}
        return {"how_far_off": {part: asdict(one) for part, one in told.numbers.items()}}

    def _of_part(self, one: Judged, true: TrueNumbers) -> list[str]:
        said = {"n": true.n_rows, "low": f"{true.low:g}", "high": f"{true.high:g}", "mean": f"{true.mean:.4g}"}
        text = say(
            "The {n} true numbers of dev are from {low} to {high}: mean {mean}, standard deviation {sd}.",
            sd=f"{true.sd:.4g}",
            **said,
        )
        if len(self.study.about.judged) > 1:
            text = say("Part {part}: {text}", part=code(one.part), text=text)
        rows = [[name, *map(decimals, values)] for name, values in self._rows(one, true)]
        return [wrap(text), table(["", "RMSE", "MAE"], rows)]

    def _rows(self, one: Judged, true: TrueNumbers) -> Iterator[tuple[str, list[float | None]]]:
        yield say("always the mean, or the median"), [true.sd, true.from_median]
        for yardstick in self.study.yardsticks:
            found = [yardstick.dev_metrics.get(metric_name(one.part, name)) for name in OFF]
            yield escape(retold(yardstick.name)), found
        best, baseline = self.study.ranking[0], self.study.baseline
        if baseline is not None and baseline is not best:
            yield say("{word}: {name}", word=say("baseline"), name=baseline.name(escape)), self._off(baseline, one)
        yield say("{word}: {name}", word=say("best"), name=best.name(escape)), self._off(best, one)

    def _off(self, cell: CellRow, one: Judged) -> list[float | None]:
        return [spread(run.dev_metrics.get(one.part, {}).get(name) for run in cell.runs).mean for name in OFF]
