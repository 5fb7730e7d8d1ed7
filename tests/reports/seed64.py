"""A published table of 64 fine-tunes, from the folder beside the project."""

import csv
from pathlib import Path

from reports.statistics.results import Factor, Run

POOLER = ("reinit_pooler",)
"""The pooling of those runs never read the pooler, so re-initialising it could not act: 32 pairs of replicates."""


def read_seed64(shared_data: Path) -> tuple[list[Factor], list[Run]]:
    """Return its factors, baseline first, and its runs in table order: row 1 first."""
    with (shared_data.parent / "reference" / "seed64.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("index", "result")]
    factors = [Factor(name, tuple(dict.fromkeys(row[name] for row in rows)), rows[0][name]) for name in names]
    return factors, [Run({name: row[name] for name in names}, None, float(row["result"])) for row in rows]


def half(factors: list[Factor], runs: list[Run]) -> list[Run]:
    """Keep the runs with an even number of factors off their baseline: resolution VI of six factors."""
    return [run for run in runs if sum(run.levels[factor.name] != factor.baseline for factor in factors) % 2 == 0]
