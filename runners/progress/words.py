"""What is said of progress, on the live line and by ``gridsearch status``."""

from gridsearch.planning.rungs import Standing
from gridsearch.stage import LogPoint
from gridsearch.tasks.target import Target
from runners.progress.time_left import TimeLeft

_UNITS = (("s", 1.0, 90.0), ("min", 60.0, 90 * 60.0), ("h", 3600.0, 48 * 3600.0), ("days", 86400.0, float("inf")))
"""Name, seconds, and up to how many seconds it is used."""
A_FEW_SECONDS = 5.0


def time_left_text(left: TimeLeft | None) -> str:
    """Say how long the rest takes, and between which limits that lies.

    >>> time_left_text(TimeLeft(720, 540, 1080)), time_left_text(TimeLeft(8000, 6000, 12000)), time_left_text(None)
    ('about 12 min left (9 to 18)', 'about 2.2 h left (1.7 to 3.3)', 'time left not known yet')
    >>> time_left_text(TimeLeft(1, 0.7, 1.5)), time_left_text(TimeLeft(50, 35, 100))
    ('a few seconds left', 'about 50 s left (35 to 100)')
    """
    if left is None:
        return "time left not known yet"
    if left.high < A_FEW_SECONDS:
        return "a few seconds left"
    name, size = next((name, size) for name, size, most in _UNITS if left.seconds < most)
    middle, low, high = (_rounded(seconds, size) for seconds in (left.seconds, left.low, left.high))
    return f"about {middle} {name} left ({low} to {high})"


def _rounded(seconds: float, size: float) -> str:
    """Spell two digits of a number of units, and nothing that was not estimated.

    >>> [_rounded(seconds, 1) for seconds in (0.2, 1.24, 9.96, 12.4, 149)]
    ['1', '1.2', '10', '12', '150']
    """
    count = max(seconds / size, 1.0 if size == 1.0 else 0.0)
    return f"{float(f'{count:.2g}'):g}"


def counts_text(n_running: int, n_pretraining: int, n_pruned: int, n_failed: int) -> list[str]:
    """Say what workers do, and what came of trials beside results.

    >>> counts_text(2, 0, 0, 0), counts_text(0, 2, 3, 1)
    (['2 running'], ['2 pretrainings', '3 pruned', '1 failed'])
    """
    counts = {
        "running": n_running,
        f"pretraining{'s' * (n_pretraining > 1)}": n_pretraining,
        "pruned": n_pruned,
        "failed": n_failed,
    }
    return [f"{count} {what}" for what, count in counts.items() if count or (what == "running" and not n_pretraining)]


def best_text(target: Target, value: float, name: str) -> str:
    """Say the best result so far, as the table has it."""
    return f"best dev {target.name} {value:.4f} ({name})"


def stage_text(point: LogPoint | None, n_steps: int) -> str:
    """Say how far a pretraining is."""
    return "begins" if point is None else f"step {point.step}/{n_steps}, loss {point.loss:.3f}"


def rung_text(standing: Standing) -> str:
    """Say which rung of a halving is being run, and how much of it is done.

    >>> from gridsearch.planning.rungs import Halving, make_rungs
    >>> rung_text(Standing(Halving(3, make_rungs(4, 9, 3)), ((1, 2, 3, 4),), {"a": 3}, {}, n_trials=4))
    'rung 1 of 2: 4 cells to epoch 3 of 9, 3 of 4 trials there'
    """
    n_cells, n_there = len(standing.members[-1]), standing.n_trials - len(standing.lacking)
    return (
        f"rung {len(standing.members)} of {len(standing.halving.rungs)}: {n_cells} cell{'s' * (n_cells > 1)} to epoch "
        f"{standing.rung.epochs} of {standing.halving.n_epochs}, {n_there} of {standing.n_trials} trials there"
    )
