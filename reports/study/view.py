"""The nouns of a page, as read.py reads them from a ledger."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsearch.planning.rungs import Standing
from gridsearch.repetition import Repetition
from gridsearch.study.attending.skips import Skip
from gridsearch.study.manifest import CurveManifest, FactorEntry, Manifest, TableManifest, TrialsManifest
from gridsearch.study.row_scores import RowScore, score_of_row
from gridsearch.study.survey import Coverage
from gridsearch.study.task_entry import Judged
from gridsearch.tasks.judging.labelling import LOWER_IS_BETTER
from gridsearch.tasks.learned import Guess, explain
from gridsearch.tasks.metrics import is_better
from gridsearch.trial import Metrics
from reports.language.say import say
from reports.statistics.ties import ranked
from reports.study.failed_attempt import FailedAttempt
from reports.study.spread import Spread, spread

if TYPE_CHECKING:
    import numpy

    from reports.study.members import Members
    from reports.study.stage_rows import StageRow
    from reports.study.told import Told


def target_name(about: TrialsManifest) -> str:
    """Say what a study selects on."""
    if about.sole is not None:
        return about.target.name
    metrics = dict.fromkeys(one.metric for one in about.judged)
    return say("mean {metrics}", metrics=say(" and ").join(metrics))


@dataclass(frozen=True)
class Replicate:
    """One trial of a cell. All below ``state`` is known only when it is finished; ``test`` only where test has labels.

    Of one that was ended early, ``dev_by_epoch`` and ``n_epochs`` are known as well.

    ``dev`` and ``test`` are the study's metric at the chosen epoch, ``train`` that on the training rows, where it was
    asked for; all metrics of these are by part. ``dev_by_epoch`` is the one on dev after each, None for an epoch whose
    numbers were not finite; seconds per epoch are means over all epochs. ``terms`` are equal where times can be
    compared: the same machine and device, as many threads, the same batches.
    """

    trial: str
    seed: int
    fold: int
    state: str
    dev: float | None = None
    test: float | None = None
    train: float | None = None
    dev_metrics: Mapping[str, Metrics] = field(default_factory=dict)
    test_metrics: Mapping[str, Metrics] = field(default_factory=dict)
    train_metrics: Mapping[str, Metrics] = field(default_factory=dict)
    dev_by_epoch: tuple[float | None, ...] = ()
    chosen_epoch: int | None = None
    n_epochs: int | None = None
    train_seconds_per_epoch: float | None = None
    dev_seconds_per_epoch: float | None = None
    seconds: float | None = None
    peak_bytes: int | None = None
    not_learned: str = ""
    terms: str = ""

    @property
    def repetition(self) -> Repetition:
        """Which run of its cell it is."""
        return Repetition(self.seed, self.fold)

    @property
    def diverged_in(self) -> int | None:
        """The epoch in which numbers were no longer finite; the chosen one is before it."""
        return self.dev_by_epoch.index(None) + 1 if self.chosen_epoch and None in self.dev_by_epoch else None


@dataclass(frozen=True)
class Pooled:
    """The runs of one seed over all folds, as one: ``dev`` is the metric of all rows, each judged by its fold's run.

    ``test`` is that of the mean over folds of the probabilities. Metrics are by part.
    """

    trials: tuple[str, ...]
    seed: int
    dev: float
    test: float | None
    dev_metrics: Mapping[str, Metrics]
    test_metrics: Mapping[str, Metrics]

    @property
    def trial(self) -> str:
        """What it is known by: its first trial."""
        return self.trials[0]

    @property
    def repetition(self) -> Repetition:
        """Which run of its cell it is."""
        return Repetition(self.seed)


@dataclass(frozen=True)
class CellRow:
    """One row of the table; ``row`` is its name in a list. ``recipe`` is resolved, with dead knobs neutral.

    ``pooled`` has a run for each seed that is finished in all folds; None where rows are not divided into folds.
    """

    index: int
    levels: Mapping[str, str]
    recipe: Mapping[str, Any]
    dead: Mapping[str, str]
    replicates: tuple[Replicate, ...]
    has_test: bool
    row: str = ""
    pooled: tuple[Pooled, ...] | None = None

    def name(self, spell: Callable[[str], str]) -> str:
        """Name it in a sentence; ``spell`` is how the sentence spells foreign texts."""
        name = say("cell {name}", name=self.index)
        return name + (say(" ({details})", details=spell(self.row)) if self.row else "")

    @property
    def trials(self) -> tuple[str, ...]:
        """The ids of its trials, one for each replicate; cells of one recipe share them."""
        return tuple(replicate.trial for replicate in self.replicates)

    @property
    def finished(self) -> tuple[Replicate, ...]:
        """The replicates that have a result."""
        return tuple(replicate for replicate in self.replicates if replicate.state == "finished")

    @property
    def runs(self) -> "tuple[Replicate, ...] | tuple[Pooled, ...]":
        """The runs that its result is the mean of: one for each seed."""
        return self.finished if self.pooled is None else self.pooled

    @property
    def state(self) -> str:
        """The least settled state among the replicates."""
        states = {"pending" if replicate.state == "planned" else replicate.state for replicate in self.replicates}
        return next(one for one in ("running", "pending", "skipped", "pruned", "failed", "finished") if one in states)

    @property
    def dev(self) -> Spread:
        """The metric on dev, over the runs; where rows are divided, that of all rows together, each judged once."""
        return spread(run.dev for run in self.runs)

    @property
    def folds(self) -> Spread:
        """The metric on dev of each finished trial, over folds (and seeds)."""
        return spread(replicate.dev for replicate in self.finished)

    @property
    def train(self) -> Spread:
        """The metric on the training rows, over the replicates of which it was asked for."""
        return spread(replicate.train for replicate in self.finished)

    @property
    def n_epochs(self) -> int:
        """Epochs that every replicate has come through; 0 where one has not ended any attempt."""
        return min((replicate.n_epochs or 0 for replicate in self.replicates), default=0)

    @property
    def result(self) -> Spread:
        """The metric on test where test has labels, else on dev, over the runs."""
        return spread(run.test for run in self.runs) if self.has_test else self.dev

    def of_part(self, one: Judged, split: str) -> Spread:
        """The metric of a part on "dev" or "test", over the runs."""
        results = (run.test_metrics if split == "test" else run.dev_metrics for run in self.runs)
        return spread(metrics.get(one.part, {}).get(one.metric) for metrics in results)

    @property
    def train_seconds_per_epoch(self) -> Spread:
        """Training seconds of one epoch, without the evaluation on dev."""
        return spread(replicate.train_seconds_per_epoch for replicate in self.finished)

    @property
    def not_learned(self) -> dict[str, list[str]]:
        """Why replicates did not learn, each reason with its trials."""
        reasons: dict[str, list[str]] = {}
        for replicate in self.finished:
            if replicate.not_learned:
                reasons.setdefault(replicate.not_learned, []).append(replicate.trial)
        return reasons


@dataclass(frozen=True)
class LeftOutCell:
    """A cell that a rule leaves out, and why."""

    levels: Mapping[str, str]
    why: str
    row: str = ""


@dataclass(frozen=True)
class Yardstick:
    """A cheap reference on the same split: the study's metric on dev, and on test where test has labels.

    ``dev_metrics`` and ``test_metrics`` are all that is known of it, by what metrics are called.
    """

    name: str
    dev: float | None
    test: float | None
    dev_metrics: Metrics = field(default_factory=dict)
    test_metrics: Metrics = field(default_factory=dict)

    def of_part(self, one: Judged, split: str) -> float | None:
        """The metric of a part on "dev" or "test"."""
        return (self.test_metrics if split == "test" else self.dev_metrics).get(one.name)


@dataclass(frozen=True)
class Observation:
    """A published row: ``index``, ``text`` (of the result), ``scores`` and ``seeds`` by column as they were spelled.

    ``seeds`` tell which run of its recipe it is.
    """

    index: str
    levels: Mapping[str, str]
    value: float
    text: str
    scores: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, str] = field(default_factory=dict)

    @property
    def repetition(self) -> tuple[str, ...] | None:
        """Which run of its recipe it is; None where it does not tell."""
        return tuple(self.seeds.values()) if any(self.seeds.values()) else None


@dataclass(frozen=True)
class RowWithout:
    """A published row without a result; ``text`` stands in its place, ``label`` tells rows that have no index apart."""

    index: str
    label: str
    text: str


@dataclass(frozen=True)
class Provenance:
    """What was the same for all attempts of one start of a driver (see runners' provenance).

    ``seconds`` are those of the trials that it finished. Its attempts held ``core_seconds`` and ``gpu_seconds``, and
    lie between ``started`` and ``ended`` (Unix seconds).
    """

    content: Mapping[str, Any]
    n_attempts: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    started: float | None = None
    ended: float | None = None
    core_seconds: float = 0.0
    gpu_seconds: float = 0.0


@dataclass(frozen=True)
class Timing:
    """When attempts ran (Unix seconds), how many, and the seconds that the finished ones took together.

    ``held_seconds`` are those of all attempts that ended, ``failed_seconds`` of those that failed; ``core_seconds`` and
    ``gpu_seconds`` are of all, times the threads and the share of a GPU that each held.
    """

    started: float | None
    ended: float | None
    n_attempts: int
    n_workers: int
    finished_seconds: float
    held_seconds: float = 0.0
    failed_seconds: float = 0.0
    core_seconds: float = 0.0
    gpu_seconds: float = 0.0


@dataclass(frozen=True)
class Predictions:
    """What the best cell's runs and the baseline's said of each row of the split that results are measured on.

    By part: ``labels`` have shape (rows,); ``logits`` map a run's trial to (rows, labels), unless none are kept of it.
    """

    labels: Mapping[str, "numpy.ndarray"]
    logits: Mapping[str, Mapping[str, "numpy.ndarray"]]


@dataclass(frozen=True)
class StudyRows:
    """A study at one moment. An imported one has observations and no cells.

    ``scores`` are outside ones, name to trial to value, and ``row_scores`` those of whole rows: shown, and never chosen
    or tested by. ``skips`` are left out on purpose. ``standing`` is how far a halving is, None without one or where all
    cells came to their end all the same; ``seen_after`` is set where results are those after so many epochs of all (see
    study/first_rung.py). ``guesses`` are what one reaches on dev, by part; none where an old ledger has no labels.
    ``whole`` is what the study is bound to where rows are read as if one part were selected on; None where not.
    ``members`` are what ensembles are made of, and ``told`` is how labels and numbers are told, both read for a page
    alone (see study/members.py, study/told.py).
    """

    folder: Path
    manifest: Manifest
    cells: tuple[CellRow, ...]
    excluded: tuple[LeftOutCell, ...]
    failures: tuple[FailedAttempt, ...]
    yardsticks: tuple[Yardstick, ...]
    observations: tuple[Observation, ...]
    provenance: tuple[Provenance, ...]
    timing: Timing
    coverage: Coverage
    predictions: Predictions | None = None
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    row_scores: tuple[RowScore, ...] = ()
    skips: tuple[Skip, ...] = ()
    standing: Standing | None = None
    seen_after: tuple[int, int] | None = None
    guesses: Mapping[str, Guess] = field(default_factory=dict)
    whole: TrialsManifest | None = None
    stages: "tuple[StageRow, ...]" = ()
    members: "Members | None" = None
    told: "Told | None" = None

    @property
    def factors(self) -> tuple[FactorEntry, ...]:
        """What is varied: the table's columns."""
        return self.manifest.factors

    @property
    def part(self) -> str:
        """The part that was asked for; empty where the rows are those of the whole study."""
        return "" if self.whole is None or self.about.sole is None else self.about.sole.part

    @property
    def suffix(self) -> str:
        """What the names of its page's files end in: nothing, unless the page is about a part."""
        return "-" + re.sub(r"[^\w.-]+", "_", self.part) if self.part else ""

    @property
    def is_imported(self) -> bool:
        """Whether the rows come from a published table."""
        return isinstance(self.manifest, TableManifest)

    @property
    def is_curve(self) -> bool:
        """Whether the rows are the points of a training's log, and no experiments."""
        return isinstance(self.manifest, CurveManifest)

    @property
    def about(self) -> TrialsManifest:
        """What a study of trials is bound to. Only its sections ask for it."""
        assert isinstance(self.manifest, TrialsManifest), "a published table has no trials"
        return self.manifest

    @property
    def published(self) -> TableManifest:
        """What is known of a published table. Only its sections ask for it."""
        assert isinstance(self.manifest, TableManifest), "a study of trials was not published as a table"
        return self.manifest

    @property
    def curve(self) -> CurveManifest:
        """What is known of a training's log. Only its sections ask for it."""
        assert isinstance(self.manifest, CurveManifest), "only the points of a log are a curve"
        return self.manifest

    @property
    def metric(self) -> str:
        """The study's metric; of an imported table, the column with the results."""
        return self.manifest.response if isinstance(self.manifest, TableManifest) else target_name(self.manifest)

    @property
    def positive_label(self) -> str | None:
        """The label that the metric is of; None for metrics of all labels, and for a mean over parts."""
        sole = None if self.is_imported else self.about.sole
        return None if sole is None else sole.positive_label

    @property
    def predicts_numbers(self) -> bool:
        """Whether what is predicted, and results are of, are numbers, be it in one part of several."""
        return not self.is_imported and any(one.entry.labels_are == "score" for one in self.about.judged)

    @property
    def judging(self) -> Mapping[str, Guess]:
        """What a guess reaches in the parts that results are of; none where that is not known of all of them."""
        parts = [] if self.is_imported else [one.part for one in self.about.judged]
        return {part: self.guesses[part] for part in parts} if all(part in self.guesses for part in parts) else {}

    @property
    def lower_is_better(self) -> bool:
        """Whether small results are good: known of our metrics, read off the name of a published column."""
        if isinstance(self.manifest, TrialsManifest):
            return self.manifest.target.lower_is_better
        return self.metric in LOWER_IS_BETTER or any(
            word in self.metric.casefold() for word in ("loss", "error", "perplexity")
        )

    @property
    def has_test(self) -> bool:
        """Whether results are on test; else they are on dev."""
        return any(cell.has_test for cell in self.cells)

    @property
    def is_folded(self) -> bool:
        """Whether rows are divided into folds."""
        return not self.is_imported and self.about.division is not None

    @property
    def n_runs(self) -> int:
        """Runs that a cell's result is the mean of, at most: of all its folds together, one for each seed."""
        division = None if self.is_imported else self.about.division
        return self.n_replicates // (division.n_folds if division else 1)

    @property
    def has_train(self) -> bool:
        """Whether any trial was measured on its training rows, too."""
        return any(cell.train.n for cell in self.cells)

    @property
    def split(self) -> str:
        """The split that `result` is measured on."""
        return "test" if self.has_test else "dev"

    @property
    def n_replicates(self) -> int:
        """Trials of a cell, at most."""
        return max((len(cell.replicates) for cell in self.cells), default=0)

    @property
    def ranking(self) -> list[CellRow]:
        """Cells with a result, the best on dev first, ties in table order: test is reported, never selected on."""
        known = [(cell.dev.mean, cell) for cell in self.cells if cell.dev.mean is not None]
        return [cell for _, cell in ranked(known, lower_is_better=self.lower_is_better)]

    @property
    def none_above_a_guess(self) -> bool:
        """Whether there are results, and none of them is above what a guess reaches on dev."""
        results = [one.dev_metrics for cell in self.cells for one in cell.finished]
        return bool(self.judging and results) and all(explain(self.judging, dev) for dev in results)

    def pairs_with_baseline(self, factor: FactorEntry) -> list[tuple[CellRow, CellRow]]:
        """Pair the cells off a factor's baseline level with those at it that differ in nothing else."""
        cells = {tuple(cell.levels.values()): cell for cell in self.cells}
        pairs = []
        for cell in cells.values():
            partner = cells.get(tuple((dict(cell.levels) | {factor.name: factor.baseline}).values()))
            if partner is not None and partner is not cell:
                pairs.append((cell, partner))
        return pairs

    @property
    def is_list(self) -> bool:
        """Whether the rows have names, because the design lists them."""
        return any(cell.row for cell in self.cells)

    @property
    def baseline(self) -> CellRow | None:
        """The cell in which every factor has its baseline level, unless a rule leaves it out or a list lacks it."""
        wanted = {factor.name: factor.baseline for factor in self.factors}
        return next((cell for cell in self.cells if cell.levels == wanted), None)

    def scores_of(self, cell: CellRow) -> dict[str, dict[str, float]]:
        """Return the outside scores of a cell's trials, by name; empty where none of them has one."""
        return {
            name: {one.trial: by_trial[one.trial] for one in cell.replicates if one.trial in by_trial}
            for name, by_trial in self.scores.items()
        }

    @property
    def score_names(self) -> tuple[str, ...]:
        """The names of all outside scores, those of whole rows last."""
        return tuple(dict.fromkeys([*self.scores, *(one.name for one in self.row_scores)]))

    def row_score(self, cell: CellRow, name: str) -> RowScore | None:
        """Return an outside score of a cell as a whole; None without."""
        return score_of_row(self.row_scores, name, cell.trials, [other.trials for other in self.cells])

    def beats(self, value: float, than: float | None) -> bool:
        """Tell whether a result is better than another one."""
        return is_better("log_loss" if self.lower_is_better else "accuracy", value, than)

    def settings(self, levels: Mapping[str, str]) -> str:
        """Spell a row in one word, such as ``bertadam1-weight_decay0-attack=fgm``."""
        return "-".join(
            f"{factor.column}{'' if levels[factor.name][:1].isdigit() else '='}{levels[factor.name]}"
            for factor in self.factors
        )
