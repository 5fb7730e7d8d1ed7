"""Which learning rates are usual for BERT-like encoders, and how far one is from them.

The optimizers here are all Adam's: how far a step goes follows from the rate, whatever the gradient's scale. So one
range holds for all of them. A head on an encoder that does not train takes larger rates, and has no range here.

Fine-tuning as published, all parameters: 2e-5 to 5e-5 (BERT, arXiv:1810.04805, A.3), 1e-5 to 3e-5 (RoBERTa,
arXiv:1907.11692, appendix), 1e-5 to 5e-5 (ALBERT, arXiv:1909.11942, appendix), 2e-5 (arXiv:2006.05987), 5e-5 of a large
ELECTRA to 3e-4 of a small one (arXiv:2003.10555, appendix B), up to 3e-4 of small BERTs (arXiv:1908.08962).

Pretraining: 2e-5 from a published encoder and 1e-4 from none (BERT's code and paper), 6e-4 (RoBERTa), 5e-4 (a small
ELECTRA), 1e-3 (arXiv:2212.14034).

What is usual here is a tenth of the least of these to three times the most: beyond it, hardly anybody has been. These
ends are rough, so a rate that is beyond one by a few percent is as usual as the end itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FINE_TUNING, PRETRAINING = "learning_rate", "pretraining.learning_rate"
USUAL: Final[Mapping[str, tuple[float, float]]] = {FINE_TUNING: (1e-6, 1e-3), PRETRAINING: (2e-6, 3e-3)}
"""The ends of what is usual, by knob."""
BEYOND = 1.05
"""From this factor on a rate is beyond an end: less would be told as one time the end."""


@dataclass(frozen=True, order=True)
class UnusualRate:
    """A rate beyond what is usual for its knob, which is from ``low`` to ``high``."""

    rate: float
    low: float
    high: float

    @property
    def is_above(self) -> bool:
        """Whether it is too large, and not too small."""
        return self.rate > self.high

    @property
    def times(self) -> str:
        """How many times it is beyond the end that it is beyond, rounded."""
        times = self.rate / self.high if self.is_above else self.low / self.rate
        return f"{times:,.0f}" if times >= 10 else f"{times:.2g}"


def unusual_rate(knob: str, rate: float) -> UnusualRate | None:
    """Return a rate that is not usual for a knob, and None for others.

    >>> unusual_rate("learning_rate", 0.01).times, unusual_rate("learning_rate", 5e-5)
    ('10', None)
    >>> unusual_rate("learning_rate", 0.00102), unusual_rate("learning_rate", 0.00106).times
    (None, '1.1')
    """
    low, high = USUAL[knob]
    return None if low <= rate * BEYOND and rate <= high * BEYOND else UnusualRate(rate, low, high)
