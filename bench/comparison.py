"""From raw figures to tables: the systems' costs as ratios, their results cell by cell, and the targets."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import t as students_t
from tabulate import tabulate

from bench.measuring import Cost

OURS = "d"
WALL_TARGETS = {"a": 8.0, "b": 2.0, "c": 2.0}
"""How many times as long as ours a system has to take, at the least."""
MEMORY_RIVAL = "b"
FROZEN_TARGET = 0.55
STEADY = 1.15
"""By how much the machine's own speed may change between systems before the table cautions."""


@dataclass(frozen=True)
class Run:
    """What one system did with a workload. ``dev`` maps the number of a cell to its best epoch's dev metric.

    ``n_trials`` counts what was trained for it: a system may train a cell twice, and leave out another.
    """

    cost: Cost
    dev: Mapping[int, float]
    n_trials: int


@dataclass(frozen=True)
class Comparison:
    """The systems' runs of one workload, by letter. ``cells`` maps numbers to names.

    ``paces`` are the seconds of one and the same step on this machine, the mean of before and after each system.
    ``second_seed`` is ours with another seed of every cell; ``frozen_share`` are the seconds of our epochs with frozen
    layers over those without, of "training" and of the "whole" epoch. Both are empty where ours was not run.
    """

    title: str
    size: str
    metric: str
    cells: Mapping[int, str]
    runs: Mapping[str, Run]
    paces: Mapping[str, float]
    second_seed: Mapping[int, float]
    frozen_share: Mapping[str, float]

    def format(self) -> str:
        """Return the tables as Markdown."""
        n_cells = len(self.cells)
        repeated = [
            f"{letter} trained {run.n_trials} trials for {n_cells} cells."
            for letter, run in self.runs.items()
            if run.n_trials != n_cells
        ]
        told = [*repeated, self.caution()]
        blocks = [f"### {self.title}", self.size, self.costs(), *told, self.targets(), self.results()]
        return "\n\n".join(block for block in blocks if block)

    @property
    def reference(self) -> str:
        """The system that the others are compared with: ours, or the first where ours was not run."""
        return OURS if OURS in self.runs else next(iter(self.runs))

    def costs(self) -> str:
        """Table the systems: what they cost, beside the reference in brackets, and what they found."""
        header = (
            "",
            *(f"{what} (/ {self.reference})" for what in ("wall s", "CPU s", "MiB", "step ms")),
            self.metric,
            "sd",
        )
        base = self._figures(self.reference)
        rows = []
        for letter, run in self.runs.items():
            values = list(run.dev.values())
            found = self._figures(letter)
            costs = (f"{one:,.0f} ({one / of_base:.2f})" for one, of_base in zip(found, base, strict=True))
            sd = f"{statistics.stdev(values):.4f}" if len(values) > 1 else "-"
            rows.append((letter, *costs, f"{statistics.fmean(values):.4f}", sd))
        return _table(header, rows)

    def caution(self) -> str:
        """Say so where the machine itself did not keep its speed."""
        change = max(self.paces.values()) / min(self.paces.values())
        if change <= STEADY:
            return ""
        return f"The machine itself changed its speed by {change:.2f} between systems: read the ratios with care."

    def targets(self) -> str:
        """Table what is asked of ours beside what was found."""
        if OURS not in self.runs:
            return ""
        ours = self.runs[OURS]
        rivals = {letter: run for letter, run in self.runs.items() if letter != OURS}
        rows = []
        for letter, run in rivals.items():
            ratio = run.cost.wall_seconds / ours.cost.wall_seconds
            least = WALL_TARGETS[letter]
            rows.append((f"wall time of {letter} / ours", f"at least {least:g}", f"{ratio:.2f}", ratio >= least))
        if MEMORY_RIVAL in rivals:
            share = ours.cost.peak_bytes / rivals[MEMORY_RIVAL].cost.peak_bytes
            rows.append((f"peak memory of ours / {MEMORY_RIVAL}", "at most 1", f"{share:.2f}", share <= 1))
        noise = seed_noise(self._differences(self.second_seed))
        for letter, run in rivals.items():
            mean = statistics.fmean(self._differences(run.dev))
            rows.append(
                (f"{self.metric} of {letter} - ours, mean", f"0 ± {noise:.4f}", f"{mean:+.4f}", abs(mean) <= noise)
            )
        for name, share in self.frozen_share.items():
            what = f"frozen / unfrozen, {name}"
            rows.append((what, f"at most {FROZEN_TARGET}", f"{share:.2f}", share <= FROZEN_TARGET))
        return _table(("figure", "target", "found", ""), [(*row, "met" if met else "missed") for *row, met in rows])

    def results(self) -> str:
        """Table the cells: the reference's results, and by how much all others differ from them."""
        compared = {f"{letter} - {self.reference}": run.dev for letter, run in self.runs.items()}
        del compared[f"{self.reference} - {self.reference}"]
        if self.second_seed:
            compared["seed 1"] = self.second_seed
        reference = self.runs[self.reference].dev
        rows = []
        for number, name in self.cells.items():
            here = {what: dev[number] - reference[number] for what, dev in compared.items() if number in dev}
            rows.append(
                (
                    name,
                    f"{reference[number]:.4f}",
                    *(f"{here[what]:+.4f}" if what in here else "-" for what in compared),
                )
            )
        return _table(("cell", self.reference, *compared), rows)

    def _figures(self, letter: str) -> tuple[float, ...]:
        cost = self.runs[letter].cost
        return cost.wall_seconds, cost.cpu_seconds, cost.peak_bytes / 2**20, 1000 * self.paces[letter]

    def _differences(self, dev: Mapping[int, float]) -> list[float]:
        """Pair results with the reference's, cell by cell."""
        reference = self.runs[self.reference].dev
        return [value - reference[number] for number, value in dev.items() if number in reference]


def seed_noise(differences: Sequence[float]) -> float:
    """Return the half width within which 95 of 100 mean differences lie that two seeds of the same cells make.

    ``differences`` are those of two seeds, one for each cell. Without two of them it is not known: nan.

    >>> round(seed_noise([0.01, -0.01, 0.01, -0.01]), 4)
    0.0184
    """
    n = len(differences)
    if n < 2:
        return math.nan
    return float(students_t.ppf(0.975, n - 1)) * statistics.stdev(differences) / math.sqrt(n)


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return tabulate(rows, header, tablefmt="pipe", disable_numparse=True, stralign="right")
