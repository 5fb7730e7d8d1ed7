"""A joint task: several tasks, its parts, whose classifiers share an encoder."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Literal

from gridsearch.canonical import fingerprint
from gridsearch.errors import RequestError
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Split, Task

if TYPE_CHECKING:
    from gridsearch.repetition import Division


@dataclass(frozen=True)
class JointTask:
    """Two or more parts by name, in the order of their heads, and the number that a study selects on.

    ``weights`` are those of their losses, where a recipe asks for given ones. Where folds divide the rows, they divide
    those of each part: fold i of the task are the folds i of its parts.

    Raises RequestError where some parts are read as ids and others as text.
    """

    name: str
    parts: Mapping[str, Task]
    target: Target
    weights: Mapping[str, float]
    notes: tuple[str, ...] = field(default=(), compare=False)
    kind: Literal["multi"] = "multi"

    def __post_init__(self) -> None:
        if len({part.ids for part in self.parts.values()}) > 1:
            raise RequestError(f"{self.name}: ids must be true of all parts or of none, because one encoder reads them")

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that can change an outcome: the parts in their order, their weights, the target."""
        parts = [[name, part.fingerprint, self.weights[name]] for name, part in self.parts.items()]
        return fingerprint({"parts": parts, "target": self.target.metrics})

    def changed(self, change: Callable[[Task], Task]) -> "JointTask":
        """Return the task with each of its parts changed."""
        return replace(self, parts={name: change(part) for name, part in self.parts.items()})

    @property
    def turned(self) -> "JointTask":
        """The task with the second text of each pair first."""
        return self.changed(lambda part: part.turned)

    def of_fold(self, fold: int) -> "JointTask":
        """Return what the runs of a fold train on and are judged by; without folds, the task itself."""
        if fold not in self._of_folds:
            self._of_folds[fold] = self.changed(lambda part: part.of_fold(fold))
        return self._of_folds[fold]

    @cached_property
    def _of_folds(self) -> dict[int, "JointTask"]:
        return {}

    @property
    def division(self) -> "Division | None":
        """How rows are divided into folds; None where they are not."""
        return next(iter(self.parts.values())).division

    @property
    def folds_of_rows(self) -> tuple[int, ...]:
        """The fold of each row, those of the first part first; nothing where rows are not divided."""
        return tuple(chain.from_iterable(part.folds_of_rows for part in self.parts.values()))

    @property
    def n_rows(self) -> dict[str, int]:
        """Rows of all parts together, by split."""
        total: Counter[str] = Counter()
        for part in self.parts.values():
            total.update(part.n_rows)
        return dict(total)

    @property
    def corpus(self) -> tuple[str, ...]:
        """Every training text and further one, second texts of pairs included: what an encoder may be made from."""
        return tuple(chain.from_iterable(part.corpus for part in self.parts.values()))

    @property
    def corpus_files(self) -> tuple[Split, ...]:
        """Further texts that a pretraining may read, a split for each file."""
        return tuple(chain.from_iterable(part.corpus_files for part in self.parts.values()))

    @property
    def ids(self) -> bool:
        """Whether each text is whole numbers."""
        return next(iter(self.parts.values())).ids

    @cached_property
    def id_counts(self) -> Mapping[str, int]:
        """How often each id occurs in all texts that the parts name; empty where texts are text."""
        return sum((Counter(part.id_counts) for part in self.parts.values()), Counter())

    @property
    def token_counts(self) -> Mapping[str, int]:
        """How often tokens occurred in what the encoder was pretrained on, as far as any part tells."""
        return {token: count for part in self.parts.values() for token, count in part.token_counts.items()}


AnyTask = Task | JointTask
"""What a study is about: a single task, or one of several parts."""
