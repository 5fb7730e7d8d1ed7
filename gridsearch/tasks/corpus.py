"""A corpus: texts to pretrain on, of a task or of plain files, and the tokens that they become."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from gridsearch.canonical import fingerprint
from gridsearch.errors import RequestError
from gridsearch.recipe.pretraining.knobs import AUGMENTED, POSITIVES, CorpusName, PretrainingRecipe
from gridsearch.tasks.encode import UNLABELLED, EncodedSplit, encode_split, laid_end_to_end, tokenised
from gridsearch.tasks.joining import Frame, cut_to, frame_of
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.tasks.tables.text import read_text, split_lines
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.words.marks import begins_of_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

N_STRETCHES = 3
"""Stretches that a tokenizer puts around texts: before the first, behind it, behind the second."""
UNCUT = 2**31 - 1
"""A longest row that cuts none; that none is asked for, tokenizers remark upon."""


@dataclass(frozen=True)
class CorpusLabels:
    """The labels that a pretraining may read, and the rows on which it is judged, which it may not.

    ``of_rows`` are positions of labels, of which there are ``n_labels``: those of the single texts, then of the pairs.
    ``positive`` is the label that f1_binary is of.
    """

    of_rows: tuple[int, ...]
    n_labels: int
    judged: Split
    positive: int

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the labels that are read: what an encoder is made from, and not what it is judged on."""
        return fingerprint([self.of_rows, self.n_labels])


@dataclass(frozen=True)
class Corpus:
    """Single texts, and pairs of texts: no blank ones but those of a pair's one side. Labels only if asked for.

    The functions that make one sort them, so that the same texts are the same corpus however a task divides them.
    """

    texts: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    labels: CorpusLabels | None = None

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every text, and of no label."""
        return fingerprint([self.texts, self.pairs])

    @property
    def sizes(self) -> tuple[int, int]:
        """Single texts, and pairs: what the number of rows follows from (``PretrainingRecipe.n_rows``)."""
        return len(self.texts), len(self.pairs)


def corpus_of(task: AnyTask, which: str, *, labelled: bool = False, added: Split | None = None) -> Corpus:
    """Take the texts that a value of the knob ``corpus`` names: parts such as "train", "all" and "files", by a "+".

    They are those of all parts of a joint task. ``labelled``: with the labels of the training rows. ``added`` are the
    pairs that a recipe adds to these, where the value names them; both of a single task alone. RequestError for files,
    where the task names none.
    """
    if "files" in which and not task.corpus_files:
        section = "[corpus]" if isinstance(task, Task) else "[parts.corpus]"
        remedy = f'write files = ["more.txt"] under {section} of its TOML file'
        raise RequestError(f"{task.name} names no further files, which corpus = {which!r} reads; {remedy}")
    splits = _splits_of(task, which, added)
    corpus = _made_of(splits)
    return replace(corpus, labels=_labels_of(_single(task), splits, which)) if labelled else corpus


def corpora_of(task: AnyTask, added: Split | None = None) -> dict[str, tuple[int, int]]:
    """Return the sizes of each corpus that a task has, by the values of the knob: single texts, and pairs.

    They are counted, and no corpus is made: every plan asks, and few have a pretraining. ``added`` are the pairs that a
    recipe adds to the training rows; without any, no corpus has them.
    """
    found = {}
    for which in get_args(CorpusName):
        parts = set(which.split("+"))
        if ("files" in parts and not task.corpus_files) or (parts & {AUGMENTED, POSITIVES} and added is None):
            continue
        splits = _splits_of(task, which, added)
        found[which] = (
            sum(1 for split in splits for _ in _texts_in(split)),
            sum(1 for split in splits for _ in _pairs_in(split)),
        )
    return found


def _splits_of(task: AnyTask, which: str, added: Split | None) -> list[Split]:
    parts = task.parts.values()
    splits: dict[str, Sequence[Split]] = {
        "train": [part.train for part in parts],
        "all": [split for part in parts for split in (part.train, part.dev, part.test) if split is not None],
        "files": task.corpus_files,
    }
    if added is not None:
        labels, positive = added.labels or (), _single(task).positive
        positives = added.take(row for row, label in enumerate(labels) if label == positive)
        splits |= {AUGMENTED: [added], POSITIVES: [positives]}
    return [split for part in which.split("+") for split in splits[part]]


def _single(task: AnyTask) -> Task:
    assert isinstance(task, Task), "what needs labels is refused for a joint task: those of its parts are not the same"
    return task


def corpus_of_files(paths: Sequence[Path]) -> Corpus:
    """Read plain text: a text a line; blank lines are none. RequestError where a file is missing, or holds no text."""
    splits = []
    for path in paths:
        lines = split_lines(read_text(path))
        if not any(line.strip() for line in lines):
            raise RequestError(f"{path} holds no text to pretrain on")
        splits.append(Split(tuple(lines), None))
    return _made_of(splits)


def _made_of(splits: Iterable[Split]) -> Corpus:
    texts: list[str] = []
    pairs: list[tuple[str, str]] = []
    for split in splits:
        texts += _texts_in(split)
        pairs += _pairs_in(split)
    return Corpus(tuple(sorted(texts)), tuple(sorted(pairs)))


def _labels_of(task: Task, splits: Sequence[Split], which: str) -> CorpusLabels:
    """Take the labels of the training rows, in the order of the corpus. Rows that read alike may have several."""
    texts: list[tuple[str, int]] = []
    pairs: list[tuple[tuple[str, str], int]] = []
    for number, split in enumerate(splits):
        is_train = number == 0 and which != "files"
        labels = task.train.labels if is_train and task.train.labels else (UNLABELLED,) * len(split)
        told = list(compress(labels, _holds_text(split)))
        if split.pairs is None:
            texts += zip(_texts_in(split), told, strict=True)
        else:
            pairs += zip(_pairs_in(split), told, strict=True)
    of_rows = [label for _, label in (*sorted(texts), *sorted(pairs))]
    return CorpusLabels(tuple(of_rows), len(task.label_names), task.dev, task.positive)


def _holds_text(split: Split) -> Iterator[bool]:
    """Tell of each row whether a text of it is not blank."""
    sides = [split.texts, *([] if split.pairs is None else [split.pairs])]
    return (any(map(str.strip, row)) for row in zip(*sides, strict=True))


def _texts_in(split: Split) -> Iterator[str]:
    """Yield the single texts of some rows, but for blank ones."""
    return compress(split.texts, _holds_text(split)) if split.pairs is None else iter(())


def _pairs_in(split: Split) -> Iterator[tuple[str, str]]:
    """Yield the pairs of some rows, but for those of which both sides are blank."""
    if split.pairs is None:
        return iter(())
    return compress(zip(split.texts, split.pairs, strict=True), _holds_text(split))


@dataclass(frozen=True)
class CorpusRows:
    """Some rows of a corpus. ``tokens`` tells for each of their tokens where it lies in the corpus's arrays.

    ``begins_stretch`` (bool, one a token) tells where a text begins, or what stands around texts; ``begins_word`` where
    a word does, of what is left of a text that was cut. It is None where the mask needs no words.
    """

    rows: EncodedSplit
    tokens: np.ndarray
    may_be_chosen: np.ndarray
    begins_stretch: np.ndarray
    begins_word: np.ndarray | None


@dataclass(frozen=True)
class EncodedLabels:
    """The labels of a corpus's rows in one form, int64, ``UNLABELLED`` where there is none; and dev as it is read."""

    of_rows: np.ndarray
    n_labels: int
    judged: EncodedSplit
    positive: int


@dataclass(frozen=True)
class EncodedCorpus:
    """A corpus as one tokenizer sees it: each distinct text once, and the rows that are made of them at each reading.

    Piece i is ``ids[starts[i]:starts[i + 1]]``: first the texts, cut to the longest row, then three stretches around
    one text, and three around two. ``types`` (segment ids of what stands around texts, 0 in them) and ``may_be_chosen``
    (the tokens that may be hidden) are laid out as the ids, and so is ``begins_word``, for masks that hide words.

    ``row_texts`` (rows, 2) are each row's texts by number, -1 where there is no second: first ``n_single`` rows of one
    text, then one a pair, then, for both orders, one a pair turned round. ``others`` (2, pairs) are the second texts
    of all pairs, sorted, and those of the pairs turned round. ``text_types`` (2, 2) are the segment ids of texts in a
    row of one and in a row of two; ``words`` are the ids that may stand for another token: all but special ones.
    ``labels`` are there where a pretraining reads them.

    ``whole_lengths`` (of the texts before they were cut), ``is_cut_left`` and ``odd_to_first`` say how rows are cut.
    """

    ids: np.ndarray
    types: np.ndarray | None
    may_be_chosen: np.ndarray
    begins_word: np.ndarray | None
    starts: np.ndarray
    whole_lengths: np.ndarray
    text_types: np.ndarray
    row_texts: np.ndarray
    n_single: int
    others: np.ndarray
    max_length: int
    is_cut_left: bool
    odd_to_first: bool
    pad_id: int
    mask_id: int
    words: np.ndarray
    labels: EncodedLabels | None = None

    def __len__(self) -> int:
        return len(self.row_texts)

    def labels_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the labels of some rows: ``UNLABELLED``, where none are read."""
        return np.full(len(rows), UNLABELLED) if self.labels is None else self.labels.of_rows[rows]

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row."""
        lengths: np.ndarray = self._stretches(self.row_texts)[1].sum(axis=1)
        return lengths

    def are_turned(self, rows: np.ndarray) -> np.ndarray:
        """Tell which rows are pairs turned round."""
        turned: np.ndarray = rows >= self.n_single + self.others.shape[1]
        return turned

    def read(self, row_texts: np.ndarray) -> CorpusRows:
        """Join texts, given as in ``row_texts``, to rows as the tokenizer does."""
        begins, lengths = self._stretches(row_texts)
        tokens = laid_end_to_end(begins.ravel(), lengths.ravel())
        types = None
        if self.types is not None:
            text_types = np.zeros(lengths.shape, dtype=np.int8)
            text_types[:, [1, 3]] = self.text_types[(row_texts[:, 1] >= 0).astype(np.int64)]
            types = self.types[tokens] + np.repeat(text_types.ravel(), lengths.ravel())
        starts = np.concatenate([[0], np.cumsum(lengths.sum(axis=1))]).astype(np.int64)
        begins_stretch = np.zeros(len(tokens), dtype=np.bool_)
        begins_stretch[(np.cumsum(lengths.ravel()) - lengths.ravel())[lengths.ravel() > 0]] = True
        return CorpusRows(
            rows=EncodedSplit(self.ids[tokens], types, starts, None),
            tokens=tokens,
            may_be_chosen=self.may_be_chosen[tokens],
            begins_stretch=begins_stretch,
            begins_word=None if self.begins_word is None else self.begins_word[tokens] | begins_stretch,
        )

    def _stretches(self, row_texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where the five stretches of each row begin, texts and what is around them, and their lengths."""
        first, second = row_texts.T
        has_second = second >= 0
        around = len(self.whole_lengths) + N_STRETCHES * has_second
        # The last stretch around one text is empty: it stands for the second text that is not there.
        pieces = np.stack([around, first, around + 1, np.where(has_second, second, around + 2), around + 2], axis=1)
        lengths = self.starts[pieces + 1] - self.starts[pieces]
        room = self.max_length - lengths[:, ::2].sum(axis=1)
        whole = self.whole_lengths[first], np.where(has_second, self.whole_lengths[second], 0)
        left = np.stack(cut_to(room, *whole, odd_to_first=self.odd_to_first), axis=1)
        begins = self.starts[pieces]
        if self.is_cut_left:
            begins[:, [1, 3]] += lengths[:, [1, 3]] - left
        lengths[:, [1, 3]] = left
        return begins, lengths


def encode_corpus(
    corpus: Corpus, recipe: PretrainingRecipe, tokenizer: "PreTrainedTokenizerBase", where: str = "the corpus"
) -> EncodedCorpus:
    """Tokenise a corpus, to be read in a recipe's form. ``where`` is what messages call it.

    What the tokenizer puts around the texts may not be hidden, nor a special token that somebody wrote; an unknown word
    is one of these: to predict "unknown" teaches nothing.

    Raises:
        RequestError: there is no text, or no known word in it; no mask token; a longest row that has no room for texts;
            words are to be hidden that cannot be found.
    """
    if tokenizer.mask_token_id is None:
        raise RequestError("the encoder's tokenizer has no mask token, so nothing can be hidden from it")
    texts = list(dict.fromkeys((*corpus.texts, *(text for pair in corpus.pairs for text in pair))))
    if not any(map(str.strip, texts)):
        raise RequestError(f"{where} holds no text to pretrain on")
    # Cut here, not by the tokenizer: how a pair is cut depends on which of its texts is the longer, uncut.
    flat, starts = tokenised(Split(tuple(texts), None), tokenizer, UNCUT, add_special_tokens=False)
    whole_lengths, is_cut_left = np.diff(starts), tokenizer.truncation_side == "left"
    lengths = np.minimum(whole_lengths, int(recipe.max_length))
    special = np.asarray(tokenizer.all_special_ids)
    may_be_chosen = ~np.isin(flat["input_ids"], special)
    if not may_be_chosen.any():
        raise RequestError(f"{where} holds no text to pretrain on: the tokenizer knows no word of it")
    # Words are found in whole texts: a longest row that cuts them makes no other words of the rest.
    begins_word = begins_of_words(recipe.mask, texts, tokenizer, flat["input_ids"], starts, may_be_chosen)
    left = laid_end_to_end(starts[1:] - lengths if is_cut_left else starts[:-1], lengths)
    row_texts, others = _rows_of(corpus, recipe, {text: number for number, text in enumerate(texts)})
    probe = min((length, text) for length, text in zip(whole_lengths, texts, strict=True) if length)[1]
    frames = [frame_of(tokenizer, probe, is_pair=is_pair) for is_pair in (False, True)]
    _refuse_too_short(recipe, frames, row_texts)
    around = [stretch for frame in frames for stretch in frame.ids]
    n_around = sum(map(len, around))
    types = np.concatenate([np.zeros(len(left)), *(part for frame in frames for part in frame.types)])
    text_types = np.asarray([frame.text_types for frame in frames])
    if recipe.token_types == "zeros":
        types, text_types = np.zeros_like(types), np.zeros_like(text_types)
    return EncodedCorpus(
        ids=np.concatenate([flat["input_ids"][left], *around]),
        types=types.astype(np.int8) if "token_type_ids" in flat else None,
        may_be_chosen=np.concatenate([may_be_chosen[left], np.zeros(n_around, dtype=np.bool_)]),
        begins_word=None if begins_word is None else np.concatenate([begins_word[left], np.ones(n_around, np.bool_)]),
        starts=np.concatenate([[0], np.cumsum([*lengths, *map(len, around)])]).astype(np.int64),
        whole_lengths=whole_lengths,
        text_types=text_types.astype(np.int8),
        row_texts=row_texts,
        n_single=int((row_texts[:, 1] < 0).sum()),
        others=others,
        max_length=int(recipe.max_length),
        is_cut_left=is_cut_left,
        odd_to_first=not tokenizer.is_fast,
        pad_id=int(tokenizer.pad_token_id),
        mask_id=int(tokenizer.mask_token_id),
        words=np.setdiff1d(np.fromiter(tokenizer.get_vocab().values(), dtype=np.int32), special),
        labels=None if corpus.labels is None else _encoded_labels(corpus, corpus.labels, recipe, tokenizer),
    )


def _encoded_labels(
    corpus: Corpus, labels: CorpusLabels, recipe: PretrainingRecipe, tokenizer: "PreTrainedTokenizerBase"
) -> EncodedLabels:
    """Lay labels out as ``row_texts``: a pair has one in either order, and none of its texts by itself has."""
    of_texts, of_pairs = np.split(np.asarray(labels.of_rows, dtype=np.int64), [len(corpus.texts)])
    alone = [] if recipe.form == "pairs" else [np.full(2 * len(of_pairs), UNLABELLED)]
    joined = [] if recipe.form == "single" else [of_pairs] * (2 if recipe.pair_order == "both" else 1)
    judged = replace(encode_split(labels.judged, tokenizer, int(recipe.max_length)), sides=None, shared=None)
    if recipe.token_types == "zeros" and judged.types is not None:
        judged = replace(judged, types=np.zeros_like(judged.types))
    of_rows = np.concatenate([of_texts, *alone, *joined])
    return EncodedLabels(of_rows, labels.n_labels, judged, labels.positive)


def _rows_of(corpus: Corpus, recipe: PretrainingRecipe, numbers: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return ``row_texts`` and ``others``: the rows in the recipe's form, and what may be a random second text."""
    pairs = np.asarray([[numbers[text] for text in pair] for pair in corpus.pairs], dtype=np.int64).reshape(-1, 2)
    single = [np.asarray([numbers[text] for text in corpus.texts], dtype=np.int64)]
    single += [] if recipe.form == "pairs" else [pairs.ravel()]
    alone = np.concatenate(single)[:, None]
    joined = [] if recipe.form == "single" else [pairs]
    joined += [pairs[:, ::-1]] if joined and recipe.pair_order == "both" else []
    return np.concatenate([np.hstack([alone, np.full_like(alone, -1)]), *joined]), np.sort(pairs[:, ::-1].T, axis=1)


def _refuse_too_short(recipe: PretrainingRecipe, frames: Sequence[Frame], row_texts: np.ndarray) -> None:
    n_around = [sum(map(len, frame.ids)) for frame in frames]
    n_most = max(n_around[int(is_pair)] for is_pair in np.unique(row_texts[:, 1] >= 0))
    if int(recipe.max_length) <= n_most:
        rule = f"max_length must leave room for a text beside {n_most} special tokens"
        raise RequestError(f"{rule}, but is {recipe.max_length}")
