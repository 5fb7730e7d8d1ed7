"""A WordPiece vocabulary counted from a corpus, the same in every process.

The trainer of the tokenizers library is not used: it breaks ties in the order of a randomly seeded hash map, and made
three different vocabularies in three processes. An encoder's identity is a hash of its inputs, so that would not do.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
N_OCCURRENCES_LEAST = 2  # what occurs once has nothing to be learned from


def build_vocabulary(texts: Sequence[str], n_tokens_most: int) -> list[str]:
    """Return the tokens in the order of their ids: special ones, characters, whole words, then ends of rarer words.

    WordPiece cuts a word into the longest known pieces from the left (Wu et al. 2016, arXiv:1609.08144), so a word that
    is not known itself is covered by a shorter word that starts it and by the ``##`` piece that is left over.
    Every Chinese character is a word of its own.

    >>> build_vocabulary(["low lower", "low lower newer", "new"], 20)[5:]
    ['##w', '##e', '##o', 'l', '##r', 'low', 'lower']
    """
    words = count_words(texts)
    tokens = dict.fromkeys(SPECIAL_TOKENS)
    # Half of the room at most goes to characters, and a fifth is kept for the ends of words.
    for counts, share in ((_characters(words), 0.5), (words, 0.8)):
        tokens.update(dict.fromkeys(_most_common(counts, int(share * n_tokens_most) - len(tokens))))
    ends: Counter[str] = Counter()
    for word, n_occurrences in words.items():
        if word not in tokens:
            ends["##" + word[_length_of_known_start(word, tokens) :]] += n_occurrences
    for counts in (ends, words):
        fresh = Counter({token: n for token, n in counts.items() if token not in tokens})
        tokens.update(dict.fromkeys(_most_common(fresh, n_tokens_most - len(tokens))))
    return list(tokens)


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Count words as BERT's tokenizer cuts them: lower case, punctuation and Chinese characters alone."""
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer

    normalizer, splitter = BertNormalizer(lowercase=True), BertPreTokenizer()
    normal = (normalizer.normalize_str(text) for text in texts)
    return Counter(word for text in normal for word, _ in splitter.pre_tokenize_str(text))


def _characters(words: Counter[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word, n_occurrences in words.items():
        for piece in _pieces(word):
            counts[piece] += n_occurrences
    return counts


def _pieces(word: str) -> Iterator[str]:
    yield word[0]
    yield from ("##" + character for character in word[1:])


def _most_common(counts: Counter[str], n_most: int) -> list[str]:
    frequent = [token for token, n_occurrences in counts.items() if n_occurrences >= N_OCCURRENCES_LEAST]
    return sorted(frequent, key=lambda token: (-counts[token], token))[: max(n_most, 0)]


def _length_of_known_start(word: str, tokens: dict[str, None]) -> int:
    return next((n for n in range(len(word) - 1, 1, -1) if word[:n] in tokens), 1)
