"""How many trials does a sampler need to meet one of the three best of 64 published rows? Nothing is trained.

    python -m bench.replay TABLE.csv [--seeds 100]

The table has a column for each factor, and a column ``result`` (higher is better); each of its rows is a cell. For
every seed, tpe, gp and random (without replacement) propose cells through the same code as ``gridsearch optimize``,
one at a time, and are answered from the table. The difference to random is paired by seed; its interval is a
bootstrap of the mean over seeds (95 %, 10,000 draws).
"""

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna

from gridsearch.space.factor import Factor, Level
from gridsearch.study.objectives import METRIC
from reports.study.optuna_export import empty_study
from runners.provenance import code_commit
from runners.schedules.proposals import SAMPLERS, Proposer, make_sampler

N_GOOD = 3
N_DRAWS = 10_000


def read_rows(path: Path) -> tuple[list[Factor], dict[tuple[str, ...], float]]:
    """Read the factors of a table, and the result of each combination."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("index", "result")]
    factors = []
    for name in names:
        labels = list(dict.fromkeys(row[name] for row in rows))
        factors.append(Factor(name, name, tuple(Level(label, {}) for label in labels), labels[0]))
    return factors, {tuple(row[name] for name in names): float(row["result"]) for row in rows}


def trials_until_good(sampler: str, seed: int, factors: list[Factor], results: dict[tuple[str, ...], float]) -> int:
    """Count the trials until one of the best is met."""
    good = sorted(results.values())[-N_GOOD]
    study = empty_study([METRIC], "result", lower_is_better=False, sampler=make_sampler(sampler, seed, 0))
    proposer = Proposer(study, factors, seed)
    for count in range(1, len(results) + 1):
        proposal = proposer.propose()
        assert proposal is not None
        result = results[proposal.labels]
        if result >= good:
            return count
        proposer.answer(proposal, [result])
    raise AssertionError("one of the rows is the best")


def interval(differences: Sequence[int]) -> tuple[float, float]:
    """Bootstrap the mean of paired differences: its 2.5 % and 97.5 % quantiles."""
    drawn = np.random.default_rng(0).choice(np.array(differences), (N_DRAWS, len(differences))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=100)
    arguments = parser.parse_args()
    factors, results = read_rows(arguments.table)
    print(f"commit {code_commit() or 'unknown'}, optuna {optuna.__version__}, {arguments.seeds} seeds\n")
    print("| sampler | median | mean | fewest, most | less random, mean | 95 % interval |")
    print("| --- | --- | --- | --- | --- | --- |")
    counts: dict[str, list[int]] = {}
    for sampler in reversed(SAMPLERS):  # random first: the others are compared with it
        found = [trials_until_good(sampler, seed, factors, results) for seed in range(arguments.seeds)]
        counts[sampler] = found
        differences = [one - other for one, other in zip(found, counts["random"], strict=True)]
        low, high = interval(differences)
        compared = "- | -" if sampler == "random" else f"{np.mean(differences):+.1f} | {low:+.1f} to {high:+.1f}"
        extremes = f"{min(found)}, {max(found)}"
        print(f"| {sampler} | {np.median(found):g} | {np.mean(found):.1f} | {extremes} | {compared} |", flush=True)


if __name__ == "__main__":
    main()
