"""What a ledger keeps of a task: enough to read its results without its files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from gridsearch.errors import RequestError
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks.judging.labelling import POSITIVE, Labelling, labelling_of
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.tasks.target import metric_name
from gridsearch.tasks.task import Kind
from gridsearch.trial import PART
from gridsearch.withheld import without_secrets


@dataclass(frozen=True)
class OwnMetricEntry:
    """What is kept of a metric that is the user's own function: ``source`` is a text to be read, which nothing runs.

    In a ledger: ``{"name": "cost", "version": "1", "source": "def cost(truth, said):\\n    return -(...)"}``.
    """

    name: str
    version: str
    source: str

    @property
    def only_from_python(self) -> str:
        """Say of a study why a command cannot train for it."""
        return (
            f"it is judged by the function {self.name} of Python (version {self.version}), and goes on only from "
            "Python (gridsearch.sweep(..., metric=...))"
        )


@dataclass(frozen=True)
class TaskEntry:
    """The data. ``n_rows`` and ``n_labels_held`` are by split; the latter counts labels that occur there.

    ``label_separator`` stands between several labels that are written in one cell; ``empty_is_none`` says that an empty
    one is a row without any.

    ``positive_label`` is None where there are more than two labels. Older ledgers do not tell it: the second one.
    ``metric`` is what a part is judged by; of a task of several ``parts`` it is empty, as are its labels. Where it is a
    function of the user's own, ``own_metric`` tells of it.
    """

    name: str
    fingerprint: str
    kind: Kind | Literal["multi"]
    notes: Sequence[str]
    n_rows: Mapping[str, int]
    test_is_labelled: bool
    label_names: Sequence[str]
    positive_label: str | None
    n_labels_held: Mapping[str, int]
    metric: str
    parts: Mapping[str, "TaskEntry"] = field(default_factory=dict)
    labels_are: LabelKind = "class"
    label_separator: str | None = None
    empty_is_none: bool = False
    own_metric: OwnMetricEntry | None = None

    @property
    def position_of_positive(self) -> int:
        """Where the positive label stands among the labels."""
        return POSITIVE if self.positive_label is None else list(self.label_names).index(self.positive_label)

    @property
    def labelling(self) -> Labelling:
        """What the labels are, and what a model says of a row."""
        return labelling_of(self.labels_are, len(self.label_names), self.metric, self.position_of_positive)

    @property
    def kind_of_rows(self) -> Kind:
        """Whether each row is a single text or a pair. Raises RequestError where that depends on the part."""
        if self.kind == "multi":
            raise RequestError(f"{self.name} has several parts, each with its own texts: {', '.join(self.parts)}")
        return self.kind

    @property
    def by_part(self) -> Mapping[str, "TaskEntry"]:
        """The parts by name: a single task is the one part."""
        return self.parts or {PART: self}

    def to_json(self) -> dict[str, object]:
        """Return what the ledger keeps beside the rest of a manifest; :func:`read_task_entry` reads it again."""
        return {
            "task": self.name,
            "task_fingerprint": self.fingerprint,
            "task_kind": self.kind,
            "task_notes": self.notes,
            "task_rows": self.n_rows,
            "test_is_labelled": self.test_is_labelled,
            "label_names": self.label_names,
            "positive_label": self.positive_label,
            "n_labels_held": self.n_labels_held,
            **({} if self.labels_are == "class" else {"labels_are": self.labels_are}),
            **({} if self.label_separator is None else {"label_separator": self.label_separator}),
            **({"empty_is_none": True} if self.empty_is_none else {}),
            **({} if self.own_metric is None else {"own_metric": asdict(self.own_metric)}),
            **({"task_parts": [[name, asdict(part)] for name, part in self.parts.items()]} if self.parts else {}),
        }


@dataclass(frozen=True)
class Judged:
    """A part by its name, and the metric that it is judged by."""

    part: str
    metric: str
    entry: TaskEntry

    @property
    def name(self) -> str:
        """What the metric is called: with the part that it is of, where a task has several."""
        return metric_name(self.part, self.metric)

    @property
    def positive_label(self) -> str | None:
        """The label that f1_binary and average_precision are of; None for metrics of all labels."""
        return self.entry.positive_label if self.metric in ("f1_binary", "average_precision") else None


def entry_of(task: AnyTask) -> TaskEntry:
    """Gather what is kept of a task."""
    if isinstance(task, JointTask):
        parts = {name: entry_of(part) for name, part in task.parts.items()}
        judged = {part for part, _ in task.target.metrics}
        return TaskEntry(
            name=task.name,
            fingerprint=task.fingerprint,
            kind=task.kind,
            notes=task.notes,
            n_rows=task.n_rows,
            test_is_labelled=all(parts[part].test_is_labelled for part in judged),
            label_names=(),
            positive_label=None,
            n_labels_held={},
            metric="",
            parts=parts,
        )
    return TaskEntry(
        name=task.name,
        fingerprint=task.fingerprint,
        kind=task.kind,
        notes=task.notes,
        n_rows=task.n_rows,
        test_is_labelled=task.test is not None and task.test.labels is not None,
        label_names=task.label_names,
        positive_label=task.positive_label,
        n_labels_held={split: len(held) for split, held in task.labels_held.items()},
        metric=task.metric,
        labels_are=task.labels_are,
        label_separator=task.label_separator,
        empty_is_none=task.empty_is_none,
        own_metric=None if (own := task.own_metric) is None else _entry_of_function(own),
    )


def _entry_of_function(own: OwnMetric) -> OwnMetricEntry:
    return OwnMetricEntry(own.name, own.version, without_secrets(own.source))


def read_task_entry(kept: Mapping[str, Any]) -> TaskEntry:
    """Read what a ledger keeps of a task. Older ones lack what was not yet kept when they were begun."""
    names, parts = kept["label_names"], kept.get("task_parts", ())
    return TaskEntry(
        name=kept["task"],
        fingerprint=kept["task_fingerprint"],
        kind=kept["task_kind"],
        notes=kept["task_notes"],
        n_rows=kept["task_rows"],
        test_is_labelled=bool(kept["test_is_labelled"]),
        label_names=names,
        positive_label=kept.get("positive_label", names[POSITIVE] if len(names) == 2 else None),
        n_labels_held=kept.get("n_labels_held", {}),
        metric="" if parts else kept["metric"],
        parts={name: TaskEntry(**part) for name, part in parts},
        labels_are=kept.get("labels_are", "class"),
        label_separator=kept.get("label_separator"),
        empty_is_none=kept.get("empty_is_none", False),
        own_metric=OwnMetricEntry(**kept["own_metric"]) if kept.get("own_metric") else None,
    )
