"""The pieces that views of a task are made of: tokens, folds, pairs that are added to training rows."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.errors import RequestError
from gridsearch.recipe.augmentation_knobs import Augmentation
from gridsearch.repetition import Division
from gridsearch.stage import Vocabulary
from gridsearch.tasks.augmentation.added import added_to
from gridsearch.tasks.encode import EncodedSplit, EncodedTask, encode_added, encode_task
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.task import Split
from gridsearch.view import Piece, Tokens


def rows_on_demand(
    task: AnyTask, tokenizer: Callable[[Vocabulary], Mapping[str, bytes]]
) -> Callable[[Piece], EncodedTask | EncodedSplit | np.ndarray]:
    """Return what makes a piece, each once; encoders with the same tokenizer share what it makes of the texts."""

    @cache
    def folds(division: Division) -> np.ndarray:
        if task.division != division:
            raise RequestError("the rows are not divided as they were when the study was made")
        return np.asarray(task.folds_of_rows, dtype=np.int8)

    @cache
    def tokens(files: tuple[tuple[str, bytes], ...], max_length: int, turned: bool) -> EncodedTask:
        return encode_task(task.turned if turned else task, build_tokenizer(dict(files)), max_length)

    @cache
    def added(fold: int, augmentation: Augmentation) -> Split:
        seen = task.of_fold(fold)
        assert not isinstance(seen, JointTask), "pairs are added to single tasks alone"
        return added_to(seen, augmentation).split

    @cache
    def added_tokens(
        files: tuple[tuple[str, bytes], ...], max_length: int, turned: bool, fold: int, augmentation: Augmentation
    ) -> EncodedSplit:
        rows, like = added(fold, augmentation), tokens(files, max_length, turned).train
        return encode_added(rows.turned if turned else rows, like, build_tokenizer(dict(files)), max_length)

    def make(piece: Piece) -> EncodedTask | EncodedSplit | np.ndarray:
        if isinstance(piece, Division):
            return folds(piece)
        if isinstance(piece, Tokens):
            return tokens(files_of(piece), piece.max_length, piece.turned)
        if piece.division is not None:
            folds(piece.division)
        asked = piece.tokens
        return added_tokens(files_of(asked), asked.max_length, asked.turned, piece.fold, piece.augmentation)

    def files_of(asked: Tokens) -> tuple[tuple[str, bytes], ...]:
        return tuple(sorted(tokenizer(asked.vocabulary).items()))

    return make
