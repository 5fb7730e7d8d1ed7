"""Words of tokens that nobody can read: two to four tokens that occur together more than chance has it.

They are found as kexue.fm/archives/4256 finds new words in Chinese. Of each way to cut an n-gram in two, its frequency
is divided by that of the two parts one after the other by chance; the least of these numbers is its lift, and it is a
word where that is 5, 25 or 125 for two, three or four tokens. arXiv:2010.01825 (PMI-Masking) measures by the same
minimum, and counts n-grams from ten occurrences on, as is done here.

Why not others: the score of word2phrase (arXiv:1310.4546, section 4) has a threshold that grows with the corpus, and
joins two at a time; the log-likelihood ratio (Dunning 1993) is large for whatever is frequent, and takes any two common
tokens for a word. With this lift, a text of independent random tokens has no word, and of words of several characters
in short Chinese texts (queries, headlines) about two thirds are those of a segmenter, which finds twice as many. What
is more frequent than one token in 25 or 125 is no word of three or four, however firm: its lift cannot be larger.
"""

import numpy as np

LIFTS = {2: 5.0, 3: 25.0, 4: 125.0}
"""Tokens of a word, and how many times more often than by chance they follow one another."""
LEAST_COUNT = 10
"""Occurrences of a word, in all texts."""


def statistical_words(ids: np.ndarray, may_be_chosen: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """Tell which tokens of texts laid end to end begin a word: bool.

    ``apart`` are tokens that begin one for another reason: no word goes across them. At each token the longest word is
    taken, from the left to the right, and a token that begins none is one by itself.
    """
    begins = np.flatnonzero(apart)
    ends = np.append(begins, len(ids))[1:]
    reach = np.repeat(ends, ends - begins)
    lengths = _longest_words(ids, reach, int(may_be_chosen.sum()))
    found = np.zeros(len(ids), dtype=np.bool_)
    here = begins
    while len(here):
        found[here] = True
        here = here + lengths[here]
        inside = here < ends
        here, ends = here[inside], ends[inside]
    return found


def _longest_words(ids: np.ndarray, reach: np.ndarray, n_tokens: int) -> np.ndarray:
    """Return the tokens of the longest word that begins at each token; ``reach`` is where the last one must end."""
    n_distinct = int(ids.max(initial=0)) + 1
    codes, counts = ids.astype(np.int64), {1: np.bincount(ids, minlength=n_distinct)[ids]}
    lengths, places = np.ones(len(ids), dtype=np.int64), np.arange(len(ids))
    for n, least_lift in LIFTS.items():
        places = places[places + n <= reach[places]]
        # The n-gram by a number of its own: that of its first n - 1 tokens, and its last token.
        _, numbers, found = np.unique(
            codes[places] * n_distinct + ids[places + n - 1], return_inverse=True, return_counts=True
        )
        codes[places] = numbers
        counts[n] = np.zeros(len(ids), dtype=np.int64)
        counts[n][places] = found[numbers]
        often = places[counts[n][places] >= LEAST_COUNT]
        by_chance = [counts[k][often] * counts[n - k][often + k] / n_tokens for k in range(1, n)]
        lengths[often[counts[n][often] >= least_lift * np.max(by_chance, axis=0)]] = n
    return lengths
