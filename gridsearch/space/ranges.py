"""Ranges: the values that a factor without levels may take, for random designs and optimisers."""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridsearch.errors import RequestError, validation_sentence

DIGITS = 3
"""Significant digits of a value from a range without steps: its label is neat, and equal proposals are equal cells."""

Number = Annotated[int | float, Field(allow_inf_nan=False)]


class RangeForm(BaseModel):
    """What a space file may say of a range."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    low: Number
    """The smallest value. ``low = 1e-5``"""
    high: Number
    """The largest value. ``high = 1e-4``"""
    log: bool = False
    """Whether a tenth to one is as wide as one to ten. ``log = true``"""
    step: Number | None = None
    """What lies between two values; by default 1 for whole numbers, and for others there are no steps.
    ``step = 1e-5``"""


@dataclass(frozen=True)
class Range:
    """All values from ``low`` to ``high``; every ``step`` where there is one (1 for whole numbers).

    ``log``: a tenth to one is as wide as one to ten.
    """

    low: float
    high: float
    log: bool
    step: float | None
    is_integer: bool

    def snap(self, value: float) -> float:
        """Return the nearest value of the range; without steps, the value to 3 significant digits.

        >>> Range(1e-5, 1e-4, log=True, step=None, is_integer=False).snap(3.14159e-5)
        3.14e-05
        >>> Range(0.0, 0.3, log=False, step=0.1, is_integer=False).snap(0.29)
        0.3
        """
        if self.step is None:
            snapped = float(f"{value:.{DIGITS}g}")
        else:
            snapped = float(f"{self.low + round((value - self.low) / self.step) * self.step:.12g}")
        snapped = min(max(snapped, self.low), self.high)
        return round(snapped) if self.is_integer else snapped

    def at(self, share: float) -> float:
        """Return the value at this share of the way, from 0 to 1; every step has an equal share of it.

        >>> [Range(1, 3, log=False, step=1, is_integer=True).at(share) for share in (0.0, 0.3, 0.4, 0.99)]
        [1, 1, 2, 3]
        """
        margin = (self.step or 0) / 2
        low, high = self.low - margin, self.high + margin
        if self.log:
            return self.snap(math.exp(math.log(low) + share * (math.log(high) - math.log(low))))
        return self.snap(low + share * (high - low))

    def values(self) -> list[float] | None:
        """Return every value, or None where the range has no steps."""
        if self.step is None:
            return None
        return [self.snap(self.low + place * self.step) for place in range(self._n_steps + 1)]

    @property
    def _n_steps(self) -> int:
        return round((self.high - self.low) / (self.step or 1))

    def __str__(self) -> str:
        spread = ", logarithmic" if self.log else ""
        step = f", step {self.step:g}" if self.step is not None and not (self.is_integer and self.step == 1) else ""
        return f"{self.low:g} to {self.high:g}{spread}{step}"


def parse_range(form: Any, where: str, *, is_integer: bool) -> Range:
    """Read what a space file says of a range. Raises RequestError for what is wrong in it."""
    try:
        declared = RangeForm(**form) if isinstance(form, dict) else None
    except ValidationError as error:
        raise RequestError(f"{where}, range: {validation_sentence(error)}") from None
    if declared is None:
        raise RequestError(f"{where}: a range is written {{ low = 1e-5, high = 1e-4 }}, but is {form!r}")
    low, high, step = declared.low, declared.high, declared.step
    if not low < high:
        raise RequestError(f"{where}: a range goes from low to high, but low = {low} and high = {high}")
    if declared.log and low <= 0:
        raise RequestError(f"{where}: a logarithmic range begins above 0, but low = {low}")
    if declared.log and step is not None:
        raise RequestError(f"{where}: a range has equal steps or is logarithmic, not both")
    if is_integer:
        step = 1 if step is None else step
        if not all(isinstance(value, int) for value in (low, high, step)):
            raise RequestError(f"{where}: a range of whole numbers needs whole numbers, but is {form!r}")
    if step is not None and (step <= 0 or not math.isclose((high - low) / step, round((high - low) / step))):
        raise RequestError(f"{where}: steps must lead from low to high, but {step} does not from {low} to {high}")
    if is_integer:
        return Range(low, high, declared.log, step, is_integer=True)
    return Range(float(low), float(high), declared.log, step if step is None else float(step), is_integer=False)
