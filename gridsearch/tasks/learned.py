"""Whether a run has learned: the one place where this is decided, for workers and for readers of a ledger.

A run did not learn when its result on dev is **within what a guess reaches**, and one of these says that it is one:

* every dev row gets the same label, or all but one in twenty;
* the training loss never fell below that of an even guess under the same recipe
  (``of_chance`` in gridsearch.training.losses);
* other trials of the study are above what a guess reaches.

A guess heeds no text. A result above what guesses reach shows that the run has learned, whatever its training loss (an
attack and R-Drop add to it) and however few rows get another label (of a frequent one, rightly).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER
from gridsearch.tasks.judging.weighted import average_precision
from gridsearch.tasks.metrics import of_counts
from gridsearch.trial import Metrics

NEXT_TO_NOTHING = 0.1
"""A correlation with the labels up to this one shows no learning, however many rows make it significant."""
NEARLY_ALL = 0.95
"""With this share of dev under one label, the prediction is nearly constant."""
LEVEL = 0.975
"""Luck alone brings a guess above its bound once in 40 times: the upper end of a 95 % interval."""
Z = 1.96
MARGIN_OF_LOG_LIKELIHOOD = 1.92
"""What one fitted number gains by luck over all rows, at most, in 95 % of cases: half the quantile of chi-squared."""


@dataclass(frozen=True)
class Guess:
    """What a guess reaches on dev: ``bound`` in the study's metric, ``correlation`` in `correlation_in` it.

    The bound is None where it is unknown, in a metric that is the user's own function: whether a run has learned is
    then told by the correlation alone.
    """

    metric: str
    bound: float | None
    correlation: float

    def reaches(self, dev: Metrics) -> bool:
        """Tell whether the metric is within the bound; of one that is unknown everything is."""
        if self.bound is None:
            return True
        value = dev.get(self.metric, math.nan)  # a correlation with what never varies is none
        return not (value < self.bound if self.metric in LOWER_IS_BETTER else value > self.bound)

    def explains(self, dev: Metrics) -> bool:
        """Tell whether a result shows no learning at all.

        A metric may hide some: where 97 % of the rows have one label, a useful classifier may be right no more often
        than who always says that label. The correlation between predictions and labels shows it.
        """
        return self.reaches(dev) and not correlation_in(dev) > max(self.correlation, NEXT_TO_NOTHING)


def correlation_in(dev: Metrics) -> float:
    """Return how well what is said goes with what is so: 1 for always, 0 for not at all.

    Of classes Matthews' correlation, of numbers Pearson's, of several labels that of ranks: twice the area under the
    curve less 1 (Somers' D).
    """
    if "subset_accuracy" in dev:
        return 2 * dev.get("auc", 0.5) - 1
    return dev.get("matthews", dev.get("pearson", 0.0))


def guess_on(metric: str, label_counts: Sequence[int], positive: int = 1) -> Guess:
    """Measure what a guess reaches on a split with so many rows of each label; ``positive`` is f1_binary's label."""
    counts = tuple(int(count) for count in label_counts)
    drawn = _drawn_bounds(counts, positive)
    if metric == "log_loss":
        bound = _log_loss_bound(counts)
    elif metric == "average_precision":
        bound = precision_bound(counts[positive], sum(counts))
    elif metric == "quadratic_kappa":
        bound = Z / math.sqrt(sum(counts))
    elif metric == "auc":
        few = max(1, counts[0] * counts[1])  # the variance of Mann and Whitney's U, divided by the square of its range
        bound = 0.5 + Z * math.sqrt((sum(counts) + 1) / (12 * few))
    else:
        bound = drawn[metric]
    return Guess(metric, bound, drawn["matthews"])


@lru_cache(maxsize=256)
def precision_bound(n_positive: int, n_rows: int) -> float:
    """Return the average precision that rows in an order by chance stay below in 39 of 40 cases, drawn."""
    is_positive = np.arange(n_rows) < n_positive
    stream, once = np.random.default_rng(0), np.ones((1, n_rows))
    drawn = [average_precision(is_positive, stream.random(n_rows))(once)[0] for _ in range(200)]
    return float(np.quantile(drawn, LEVEL, method="lower"))


def _log_loss_bound(counts: Sequence[int]) -> float:
    """Return what the shares of the labels, given for every row, undercut by luck."""
    n_rows = sum(counts)
    shares = np.array([count / n_rows for count in counts if count])
    losses = -np.log(shares)
    mean = float(shares @ losses)
    sd = math.sqrt(max(0.0, float(shares @ losses**2) - mean**2))
    return mean - max(Z * sd / math.sqrt(n_rows), MARGIN_OF_LOG_LIKELIHOOD / n_rows)


@lru_cache(maxsize=8)
def _drawn_bounds(counts: tuple[int, ...], positive: int) -> Mapping[str, float]:
    """Return the bound of every metric that is computed from counts: the most that any of some guesses reaches."""
    shares = np.array(counts) / sum(counts)
    found: dict[str, float] = {}
    for guess in _guesses(shares, positive):
        for name, values in _drawn(shares, guess, sum(counts), positive).items():
            found[name] = max(float(np.quantile(values, LEVEL, method="lower")), found.get(name, -1.0))
    return found


def _guesses(shares: np.ndarray, positive: int) -> list[np.ndarray]:
    """Return how often each label is guessed: by its share, evenly, only or mostly the commonest, only the positive."""
    single = np.eye(len(shares))
    commonest = single[shares.argmax()]
    guesses = [shares, np.full_like(shares, 1 / len(shares)), commonest, (shares + commonest) / 2]
    return guesses + ([single[positive]] if len(shares) == 2 else [])


def _drawn(shares: np.ndarray, guess: np.ndarray, n_rows: int, positive: int) -> dict[str, np.ndarray]:
    """Return the metrics of a guess on other rows of the same kind, drawn again and again from a fixed seed."""
    stream = np.random.default_rng(0)
    n_draws = max(100, min(1000, 20_000 // len(shares)))  # many labels scatter less, and take longer
    true = stream.multinomial(n_rows, shares, size=n_draws)
    right = stream.binomial(true, guess)
    if len(shares) == 2:
        guessed = right + (true - right)[:, ::-1]
    else:  # each label is guessed wrongly for rows of the others, in proportion; exact pairs would take C x C draws
        wrong = guess * (1 - shares) if guess @ (1 - shares) > 0 else guess
        guessed = right + stream.multinomial(n_rows - right.sum(axis=1), wrong / wrong.sum())
    return of_counts(true, guessed, right, positive)


def same_label(predicted_counts: Sequence[int]) -> str:
    """Say that nearly all dev rows get the same label, from how many get each; an empty text where they do not."""
    n_others = n_told_otherwise(predicted_counts)
    if n_others is None:
        return ""
    if n_others == 0:
        return "every dev row gets the same label"
    return f"all but {n_others} of {sum(predicted_counts)} dev rows get the same label"


def n_told_otherwise(predicted_counts: Sequence[int]) -> int | None:
    """Count the rows that are not told what most are; None where these are not nearly all."""
    n_rows, n_commonest = sum(predicted_counts), max(predicted_counts)
    return n_rows - n_commonest if n_commonest >= NEARLY_ALL * n_rows else None


def why_not_learned(dev: Metrics, alike: str, train_losses: Sequence[float], chance_loss: float, guess: Guess) -> str:
    """Say why a run by itself did not learn; an empty text where nothing says so.

    ``dev`` and ``alike``, which says that rows of dev are told alike, are of the chosen epoch; ``train_losses`` are
    those of the epochs whose numbers are finite; nothing where no loss is of these rows alone.
    """
    if not guess.explains(dev):
        return ""
    if alike:
        return alike
    if train_losses and min(train_losses) >= chance_loss:
        return f"the training loss never fell below that of an even guess, {chance_loss:.3f}"
    return ""


def below_the_others(results: Mapping[str, Mapping[str, Metrics]], guesses: Mapping[str, Guess]) -> dict[str, str]:
    """Say of which trials of a study the results are a guess's, while those of others are above it; by trial.

    ``results`` on dev are by trial and part, ``guesses`` those of the parts of the target: a trial that is above in one
    of them has learned.
    """
    if all(guess.reaches(dev[part]) for dev in results.values() for part, guess in guesses.items()):
        return {}
    reason = why_below(guesses)
    return {trial: reason for trial, dev in results.items() if explain(guesses, dev)}


def explain(guesses: Mapping[str, Guess], dev: Mapping[str, Metrics]) -> bool:
    """Tell whether results show no learning in any part."""
    return all(guess.explains(dev[part]) for part, guess in guesses.items())


def why_below(guesses: Mapping[str, Guess]) -> str:
    """Say why a run did not learn as the others of the study did."""
    if len(guesses) == 1:
        (guess,) = guesses.values()
        return f"{guess.metric} on dev is no better than what a guess reaches, {guess.bound:.3f}, and that of others is"
    bounds = ", ".join(f"{part} {guess.metric} {guess.bound:.3f}" for part, guess in guesses.items())
    return f"no part is better on dev than what a guess reaches ({bounds}), and some of others are"
