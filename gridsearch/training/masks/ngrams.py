"""Hide stretches of tokens, by the rules that were published for GAIIC 2021, track 3.

The rules are theirs, the code is not. A stretch ends with its text, and at a special token that somebody wrote into it.
``rate`` is the number that the published code draws with, .15 in all of them; the share of tokens that comes of it is
said with each.
"""

from dataclasses import dataclass

import numpy as np

from gridsearch.tasks.corpus import CorpusRows
from gridsearch.tasks.encode import laid_end_to_end

RANK18_MOST = 7
"""Tokens that Rank18 hides of a row at most (``max_predictions_per_seq``)."""


@dataclass(frozen=True)
class Runs:
    """Tokens of a text that follow one another and may all be hidden: run i is ``begins[i]:ends[i]`` of the rows'."""

    begins: np.ndarray
    ends: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each run."""
        lengths: np.ndarray = self.ends - self.begins
        return lengths

    def of_tokens(self, values: np.ndarray) -> np.ndarray:
        """Return what is known of each run for each of its tokens, run by run."""
        return np.repeat(values, self.lengths)


def runs_in(rows: CorpusRows) -> Runs:
    """Find the runs of some rows."""
    may = np.concatenate([[False], rows.may_be_chosen, [False]])
    begins_stretch = np.concatenate([[True], rows.begins_stretch, [True]])
    begins = may[1:-1] & (begins_stretch[1:-1] | ~may[:-2])
    ends = may[1:-1] & (begins_stretch[2:] | ~may[2:])
    return Runs(np.flatnonzero(begins), np.flatnonzero(ends) + 1)


def daniellibin(rows: CorpusRows, rate: float, stream: np.random.Generator) -> np.ndarray:
    """Begin a stretch at each token with probability ``rate``; none begins in another, nor at the token behind it.

    It has one, two or three tokens with probability .7, .2, .1; three become two in a text of less than seven tokens,
    two become one in one of less than four. Hides .16 of a text of five tokens, .173 of a long one.
    """
    begin, size = stream.random((2, len(rows.tokens)))
    runs = runs_in(rows)
    sizes = 1 + (size >= 0.7).astype(np.int64) + (size >= 0.9)
    hits = np.flatnonzero((begin < rate) & rows.may_be_chosen)
    here, ends, lengths = runs.begins, runs.ends, runs.lengths
    chosen = np.zeros(len(rows.tokens), dtype=np.bool_)
    while len(here):
        # To the next token of each run at which a stretch begins; runs without one are done.
        place = np.searchsorted(hits, here)
        at = np.append(hits, len(chosen))[place]
        inside = at < ends
        at, ends, lengths = at[inside], ends[inside], lengths[inside]
        n = np.where((sizes[at] == 3) & (lengths < 7), 2, sizes[at])
        n = np.where((n == 2) & (lengths < 4), 1, n)
        chosen[laid_end_to_end(at, np.minimum(n, ends - at))] = True
        here = at + n + 1
    return chosen


def rank18(rows: CorpusRows, rate: float, stream: np.random.Generator) -> np.ndarray:
    """Hide ``rate`` of a row's tokens, rounded, and seven at most.

    Stretches begin at its tokens in random order, and have one, two or three tokens with probabilities that are as 1 to
    1/2 to 1/3. Hides about .15; of texts of three tokens or less, none. The published code hides more, .21 of a pair of
    two times 7.5 tokens: it counts special tokens when it rounds, hides one at least, and lets the last stretch run on,
    into the second text too.
    """
    n_may = _n_may_be_chosen(rows)
    budget = np.minimum(np.rint(rate * n_may), RANK18_MOST)
    return _stretches_up_to(rows, budget, stream)


def rank18_of_any_rate(rows: CorpusRows, rate: float, stream: np.random.Generator) -> np.ndarray:
    """Do as :func:`rank18` for a share that is to be met: rounded up or down at random, with no most."""
    n_may = _n_may_be_chosen(rows)
    return _stretches_up_to(rows, np.floor(rate * n_may + stream.random(len(n_may))), stream)


def seed002(rows: CorpusRows, rate: float, stream: np.random.Generator) -> np.ndarray:
    """Choose each token with probability ``rate``, and with probability .4 the one behind it too.

    Hides .20: less of short texts, whose first token follows none.
    """
    draws, goes_on = stream.random((2, len(rows.tokens)))
    hit = (draws < rate) & rows.may_be_chosen
    follows = np.concatenate([[False], (hit & (goes_on < 0.4))[:-1]])
    chosen: np.ndarray = hit | (follows & rows.may_be_chosen & ~rows.begins_stretch)
    return chosen


def seed000(rows: CorpusRows, rate: float, stream: np.random.Generator) -> np.ndarray:
    """Hit each token with probability ``rate``; one is chosen if of it and both neighbours an odd number was hit.

    The first token of a row and its last are neighbours. Hides .328 (seed 000 did not use this code). In the published
    code special tokens are never hit, which leaves .255 to tokens beside them, but can be hidden, as padding can; here
    they are drawn as all others and never hidden.
    """
    hit = stream.random(len(rows.tokens)) < rate
    starts, lengths = rows.rows.starts, rows.rows.lengths
    first, last = starts[:-1][lengths > 0], starts[1:][lengths > 0] - 1
    before, after = np.arange(len(hit)) - 1, np.arange(len(hit)) + 1
    before[first], after[last] = last, first
    chosen: np.ndarray = (hit ^ hit[before] ^ hit[after]) & rows.may_be_chosen
    return chosen


def _stretches_up_to(rows: CorpusRows, budget: np.ndarray, stream: np.random.Generator) -> np.ndarray:
    """Hide stretches of one to three tokens until so many tokens of each row are hidden; the last stretch is cut."""
    turn, size = stream.random((2, len(rows.tokens)))
    shares = 1 / np.arange(1, 4)
    sizes = 1 + np.searchsorted(np.cumsum(shares / shares.sum())[:-1], size, side="right")
    runs = runs_in(rows)
    tokens = laid_end_to_end(runs.begins, runs.lengths)
    first = runs.of_tokens(runs.begins)
    # A token is hidden when the first stretch that covers it has its turn, and of one stretch from left to right.
    hidden_at = turn[tokens]
    for back in (1, 2):
        begin = np.maximum(tokens - back, 0)
        covers = (tokens - back >= first) & (sizes[begin] > back)
        hidden_at = np.where(covers, np.minimum(hidden_at, turn[begin]), hidden_at)
    row = np.searchsorted(rows.rows.starts, tokens, side="right") - 1
    order = np.lexsort((tokens, hidden_at, row))
    n_before = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rows.rows)))])
    is_within = np.arange(len(tokens)) - n_before[row[order]] < budget[row[order]]
    chosen = np.zeros(len(rows.tokens), dtype=np.bool_)
    chosen[tokens[order[is_within]]] = True
    return chosen


def _n_may_be_chosen(rows: CorpusRows) -> np.ndarray:
    """Return how many tokens of each row may be hidden."""
    n_before = np.concatenate([[0], np.cumsum(rows.may_be_chosen)])
    counts: np.ndarray = np.diff(n_before[rows.rows.starts])
    return counts
