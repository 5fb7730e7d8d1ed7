"""A part as a TOML file states it: which files, columns, labels and metric. Nothing of its data has been read."""

from collections.abc import Mapping
from typing import Literal, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridsearch.errors import RequestError, about, one_of, validation_sentence
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks.judging.labelling import OF_TWO_LABELS, WHAT, refuse_unknown_metric
from gridsearch.tasks.labels import Labels
from gridsearch.tasks.tables.formats import Format
from gridsearch.tasks.tables.table import Columns
from gridsearch.tasks.task import Kind
from gridsearch.trial import PART

Model = TypeVar("Model", bound=BaseModel)
Stated = TypeVar("Stated", bound="TaskFile")


class Files(BaseModel):
    """Where the rows are, and which of them are used. Paths are relative to the task's folder or to the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    train: str
    """The rows that are trained on. ``train = "train.csv"``"""
    dev: str | float | None = None
    """The rows that judge: a file, or a share of the training rows that is split off by label, texts in common
    together. Without it, the design has to divide the rows into folds. ``dev = 0.1``
    """
    test: str | None = None
    """Rows that are scored once, at the epoch that dev chose; they may be without labels. ``test = "test.csv"``"""
    format: Format | None = None
    """How all files are written; where it is not said, each file's extension tells. ``format = "tsv"``"""
    split_seed: int = 0
    """Decides which rows become dev where that is a share, and which are sampled. ``split_seed = 1``"""
    train_rows: int | None = Field(default=None, ge=2)
    """So many training rows are used, sampled by label; ``--train-rows`` overrules it. ``train_rows = 1000``"""
    drop_duplicates: bool = False
    """Leave out training rows that stand in dev or test too, or for a second time; else they are counted and told.
    ``drop_duplicates = true``
    """


class CorpusFiles(BaseModel):
    """Further texts, without labels, for a pretraining and for ``tiny``. They are found as the data files are."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    files: tuple[str, ...] = Field(min_length=1)
    """Tables with the columns of the task, or files with a text a line. ``files = ["more.txt"]``"""


class OutsideFiles(BaseModel):
    """Pairs that trials may add to their training rows, with a label that the recipe gives them (``outside_pairs``).

    They are found as the data files are; what is read of a label column is nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    files: tuple[str, ...] = Field(min_length=1)
    """Tables with the columns of the task. ``files = ["more_pairs.tsv"]``"""


class VocabularyFiles(BaseModel):
    """What is known of the vocabulary of encoders: how often each token occurred in what they were pretrained on.

    ``counts`` is a JSON object from token to count, and is found as the data files are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    counts: str
    """A JSON object from tokens to how often they occur. ``counts = "bert_token_counts.json"``"""


class TaskFile(BaseModel):
    """A task as its TOML file states it: nothing of its data has been read."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = Field(min_length=1)
    """What the task is called, in tables and in the names of folders. ``name = "reviews"``"""
    kind: Literal["single", "pair", "multilabel", "score"]
    """Whether a row is one text or a pair of texts, with one of several classes; or whether it has several labels
    (``"multilabel"``) or a number (``"score"``), be it a text or, where ``pair`` names a column, a pair.
    ``kind = "single"``
    """
    metric: str
    """What is better or worse. Of classes: accuracy, balanced_accuracy, f1_macro, f1_micro, f1_weighted, matthews,
    log_loss, or quadratic_kappa, for which their names are in order; of two classes also f1_binary, auc or
    average_precision. Of several labels: f1_macro, f1_micro, f1_weighted, subset_accuracy, auc, average_precision or
    log_loss. Of numbers: pearson, spearman, rmse or mae. ``metric = "f1_macro"``
    """
    files: Files
    """Where the rows are."""
    columns: Columns
    """How the files are written, and what their columns hold."""
    labels: Labels = Labels()
    """Names of the labels, and rows to be left out by them."""
    corpus: CorpusFiles | None = None
    """Further texts that a pretraining may read, and that ``tiny`` is made from, too."""
    outside: OutsideFiles | None = None
    """Pairs that may be added to the training rows of a task of pairs, by the knob ``outside_pairs``."""
    ids: bool = Field(default=False, strict=True)
    """Every text is whole numbers separated by spaces, each a word of its own. ``ids = true``"""
    vocabulary: VocabularyFiles | None = None
    """What is known of the vocabulary of encoders, where texts are numbers."""

    @property
    def kind_of_rows(self) -> Kind:
        """Whether a row is one text or a pair."""
        return "single" if self.columns.pair is None else "pair"

    @property
    def labels_are(self) -> LabelKind:
        """What its labels are."""
        return "class" if self.kind in get_args(Kind) else cast("LabelKind", self.kind)

    @property
    def parts(self) -> Mapping[str, "TaskFile"]:
        """The tasks that it states, by name: a single task is the one part."""
        return {PART: self}


SECTIONS: Mapping[str, type[BaseModel]] = {
    "files": Files,
    "columns": Columns,
    "labels": Labels,
    "corpus": CorpusFiles,
    "outside": OutsideFiles,
    "vocabulary": VocabularyFiles,
}
"""The tables of keys in it."""


def parse_part(raw: Mapping[str, object], model: type[Stated], where: str) -> Stated:
    """Check what a file states of a part; ``where`` is what messages call it. Raises RequestError."""
    parsed = {key: section(raw[key], model, f"{where}, [{key}]") for key, model in SECTIONS.items() if key in raw}
    file = section({**raw, **parsed}, model, where)
    with about(where):
        refuse_unknown_metric(file.metric, file.labels_are)
    _refuse_contradictions(file, where)
    with about(where):
        _refuse_unfit_labels(file)
    return file


def section(raw: object, model: type[Model], where: str) -> Model:
    """Check a table of keys; RequestError names ``where`` it stands, the rule and what it holds."""
    if not isinstance(raw, dict):
        raise RequestError(f"{where} must be a table of keys, but is {raw!r}")
    for key in raw:
        if key not in model.model_fields:
            raise RequestError(f"{where}: {one_of('key', key, list(model.model_fields))}")
    for key, field in model.model_fields.items():
        if field.is_required() and key not in raw:
            raise RequestError(f"{where}: {key} must be given, but only {', '.join(raw) or 'nothing'} is")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise RequestError(f"{where}: {validation_sentence(error)}") from None


def _refuse_contradictions(file: TaskFile, where: str) -> None:
    if file.labels_are == "class" and (file.kind == "pair") != (file.columns.pair is not None):
        rule = "pair under [columns] belongs to kind 'pair' and to no other"
        raise RequestError(f"{where}: {rule}; kind is {file.kind!r}, pair is {file.columns.pair!r}")
    if both := [label for label in file.columns.labels if label in (file.columns.text, file.columns.pair)]:
        raise RequestError(f"{where}: label must be a column of its own, but {both[0]!r} holds a text too")
    if isinstance(file.files.dev, float) and not 0 < file.files.dev < 1:
        raise RequestError(f"{where}: dev must be a file or a share between 0 and 1, but is {file.files.dev}")
    if file.vocabulary is not None and not file.ids:
        raise RequestError(
            f"{where}: [vocabulary] says how ids become tokens; it belongs to ids = true and to no other"
        )
    if file.outside is not None and file.kind != "pair":
        rule = "[outside] names files of pairs; it belongs to kind 'pair' and to no other"
        raise RequestError(f"{where}: {rule}; kind is {file.kind!r}")
    if file.labels.names is not None and file.labels.file is not None:
        raise RequestError(f"{where}: [labels] takes names or file, but has both")
    if file.labels.positive is not None and file.metric not in OF_TWO_LABELS:
        rule = f"positive under [labels] belongs to metric {', '.join(OF_TWO_LABELS[:-1])} or {OF_TWO_LABELS[-1]}"
        raise RequestError(f"{where}: {rule}; metric is {file.metric}, which treats all labels alike")


def _refuse_unfit_labels(file: TaskFile) -> None:
    """Refuse what is said of labels that are of another kind."""
    labels, what = file.labels, WHAT[file.labels_are]
    in_columns = isinstance(file.columns.label, tuple)
    if in_columns and file.kind != "multilabel":
        rule = "a list as label names a column for each of several labels, which is kind 'multilabel'"
        raise RequestError(f"{rule}; kind is {file.kind!r}")
    if in_columns and labels.separator is not None:
        rule = "several labels a row stand in a column each (label is a list), or in one cell with a separator"
        raise RequestError(f"{rule} under [labels]; there are both")
    given = {"separator": labels.separator is not None, "empty_is_none": labels.empty_is_none}
    if file.kind != "multilabel" and any(given.values()):
        key = next(key for key, is_given in given.items() if is_given)
        raise RequestError(f"{key} under [labels] belongs to kind 'multilabel' and to no other; kind is {file.kind!r}")
    if in_columns and labels.empty_is_none:
        raise RequestError("empty_is_none under [labels] is of labels in one cell; in a column each, 0 says none")
    given = {"names": labels.names is not None, "file": labels.file is not None}
    if file.kind == "score" and any(given.values()):
        key = next(key for key, is_given in given.items() if is_given)
        raise RequestError(f"{key} under [labels] says what labels are called, but the task has {what}")
    if file.kind == "multilabel" and labels.positive is not None:
        raise RequestError(f"positive under [labels] is one of two classes, but the task has {what}")
