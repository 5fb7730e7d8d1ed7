"""Target: the one number that a study selects on."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from gridsearch.errors import RequestError
from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER
from gridsearch.tasks.metrics import is_better
from gridsearch.trial import PART, Metrics


@dataclass(frozen=True)
class Target:
    """A metric of a part, or the mean over parts of each one's metric. ``metrics`` pairs parts with metrics.

    Raises RequestError for a mean of metrics of which some are better when they are larger, and others when smaller.
    """

    metrics: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        names = [metric for _, metric in self.metrics]
        if len({name in LOWER_IS_BETTER for name in names}) != 1:
            raise RequestError(
                f"a mean of {' and '.join(dict.fromkeys(names))} says nothing: less is better of one alone"
            )

    @property
    def name(self) -> str:
        """What it is called: the metric, with the part that it is of where a task has several; or what is averaged."""
        if len(self.metrics) == 1:
            return metric_name(*self.metrics[0])
        return f"mean {' and '.join(dict.fromkeys(metric for _, metric in self.metrics))}"

    @property
    def lower_is_better(self) -> bool:
        """Whether small results are good."""
        return self.metrics[0][1] in LOWER_IS_BETTER

    def of(self, results: Mapping[str, Metrics]) -> float:
        """Return the target of the metrics of all parts. Raises KeyError where one is missing."""
        return fmean(results[part][metric] for part, metric in self.metrics)

    def is_better(self, value: float, than: float | None) -> bool:
        """Tell whether a value beats another one; a tie does not, and neither does what is no number."""
        return is_better(self.metrics[0][1], value, than)

    def goodness(self, value: float) -> float:
        """Return a value as a number of which more is better; twice is the value again."""
        return -value if self.lower_is_better else value


def metric_name(part: str, metric: str) -> str:
    """Say which metric of which part it is; a single task needs no name."""
    return metric if part == PART else f"{part} {metric}"


def target_of(metric: str) -> Target:
    """Return the target of a single task."""
    return Target(((PART, metric),))
