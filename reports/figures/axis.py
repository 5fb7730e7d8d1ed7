"""Ticks with round numbers, spelled alike."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from reports.figures.figure import Response
from reports.figures.texts import number
from reports.language.say import say
from reports.statistics.ties import EXACT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Side = Literal["x", "y"]
LONG = 1e6
"""From here on, numbers are spelled with an exponent where they can be."""
LOG_ABOVE = 20.0
"""An axis whose ends differ by more than this factor is logarithmic."""


def padded(low: float, high: float, share: float = 0.05) -> tuple[float, float]:
    """Widen a range by a share of itself on both ends; a range without width gets some.

    >>> padded(0.0, 1.0), padded(5e-324, 5e-324)
    ((-0.05, 1.05), (-1.0, 1.0))
    """
    pad = abs(low) * 0.01 if is_flat(low, high) else (high - low) * share
    # Between the smallest numbers of all there is no room for ticks.
    pad = pad if pad > SMALLEST_PAD else 1.0
    return low - pad, high + pad


SMALLEST_PAD = 1e-290


def is_flat(low: float, high: float) -> bool:
    """Whether the ends of a range are equal, but for what rounding makes of sums of the same numbers.

    >>> is_flat(0.3, 0.1 + 0.2), is_flat(0.3, 0.30001)
    (True, False)
    """
    return high - low <= EXACT * max(abs(low), abs(high))


def response_label(response: Response) -> str:
    """Name what was measured on its axis, and where low values are good, say so."""
    return say("{label} (lower is better)", label=response.label) if response.lower_is_better else response.label


def number_axis(axes: "Axes", side: Side, low: float, high: float, n_ticks: int = 6) -> list[str]:
    """Set limits and round ticks between them; return the ticks' labels."""
    ticks, labels = round_ticks(low, high, n_ticks)
    _set(axes, side, low, high, ticks, labels)
    return labels


def round_ticks(low: float, high: float, n_ticks: int) -> tuple[list[float], list[str]]:
    """Choose about so many round numbers of a range, and spell them with as many decimals as they need."""
    from matplotlib.ticker import MaxNLocator

    # Ends count as within, whatever their last digit.
    slack = 1e-9 * (high - low)
    ticks = [
        float(tick)
        for tick in MaxNLocator(n_ticks, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        if low - slack <= tick <= high + slack
    ]
    if max(map(abs, ticks), default=0.0) >= LONG:
        return ticks, _short_labels(ticks)
    return ticks, [number(tick, _tick_decimals(ticks)) for tick in ticks]


def _short_labels(ticks: list[float]) -> list[str]:
    """Spell long numbers with the fewest digits that tell them apart."""
    spelled = ([f"{tick:.{digits}g}".replace("-", "−") for tick in ticks] for digits in range(1, 18))
    return next(labels for labels in spelled if len(set(labels)) == len(labels))


def log_axis(axes: "Axes", side: Side, low: float, high: float) -> list[str]:
    """Set a logarithmic axis with ticks at 1, 2 and 5 of each power of ten; return the ticks' labels."""
    from matplotlib.ticker import NullLocator

    axes.set_xscale("log") if side == "x" else axes.set_yscale("log")
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if high < 300 * low else (1,)
    ticks = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
    labels = [f"{tick:g}" for tick in ticks]
    _set(axes, side, low, high, ticks, labels)
    (axes.xaxis if side == "x" else axes.yaxis).set_minor_locator(NullLocator())
    return labels


def _tick_decimals(ticks: list[float]) -> int:
    """The fewest decimals that spell every tick exactly."""
    scale = max((abs(tick) for tick in ticks), default=1.0) or 1.0
    for decimals in range(10):
        if all(abs(round(tick, decimals) - tick) <= 1e-9 * scale for tick in ticks):
            return decimals
    return 10


def _set(axes: "Axes", side: Side, low: float, high: float, ticks: list[float], labels: list[str]) -> None:
    if side == "x":
        axes.set_xlim(low, high)
        axes.set_xticks(ticks, labels)
    else:
        axes.set_ylim(low, high)
        axes.set_yticks(ticks, labels)
