"""Small tasks of several labels a row, and of numbers, of single texts and of pairs."""

from dataclasses import replace

from gridsearch.tasks.judging.codes import Codes
from gridsearch.tasks.task import Split, Task
from tests.liveness_cases import pairs_of

COMBINATIONS = ((), (0,), (0, 1), (0, 2), (1,), (2,))


def several_of(task: Task) -> Task:
    """Return pairs with any of three labels: whether the classes join them, and what their first words say."""
    pairs = replace(pairs_of(task), outside=())

    def labelled(split: Split) -> Split:
        rows = zip(split.texts, split.labels or (), strict=True)
        held = [
            tuple([0] * (label == 1) + ([1] if len(text) % 3 == 0 else [2] if len(text) % 3 == 1 else []))
            for text, label in rows
        ]
        return replace(split, labels=tuple(COMBINATIONS.index(one) if one in COMBINATIONS else 0 for one in held))

    names = ("joined", "thirds", "others")
    return replace(
        pairs,
        label_names=names,
        metric="f1_micro",
        train=labelled(pairs.train),
        dev=labelled(pairs.dev),
        codes=Codes(combinations=COMBINATIONS),
    )


def numbers_of_texts(task: Task) -> Task:
    """Return single texts with the number of their letters, in hundreds, plus 7."""
    train, dev = task.train.take(range(0, 96, 4)), task.dev.take(range(0, 30, 3))
    values = {split: tuple(7 + len(text) / 100 for text in split.texts) for split in (train, dev)}
    known = sorted({value for several in values.values() for value in several})

    def scored(split: Split) -> Split:
        return replace(split, labels=tuple(map(known.index, values[split])))

    return replace(
        task,
        metric="pearson",
        label_names=("score",),
        train=scored(train),
        dev=scored(dev),
        test=None,
        codes=Codes(scores=tuple(known)),
    )
