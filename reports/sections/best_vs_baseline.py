"""The best cell against the baseline, row by row, from stored predictions."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gridsearch.repetition import Repetition
from gridsearch.study.task_entry import Judged
from reports.formats.markdown import Section, bullets, escape, plural, wrap
from reports.formats.table import decimals, metric_text
from reports.language.say import say, sentences
from reports.sections.context import PageSection
from reports.sections.effects.effects_text import signed
from reports.statistics.paired.rows import McNemar, PairedBootstrap, Rows, bootstrap_of_mean, mcnemar_of_parts
from reports.study.view import CellRow, Pooled, Predictions, Replicate, StudyRows

if TYPE_CHECKING:
    import numpy

Run = Replicate | Pooled
MOST_SEEDS = 5
"""So many pairs of trials are spelled out."""


@dataclass(frozen=True)
class SeedPair:
    """The rows that only one of two trials of the same seed gets right."""

    seed: int
    rows: McNemar


@dataclass(frozen=True)
class Versus:
    """How far the best cell (on dev) is from the baseline, on the rows of ``split``."""

    best: CellRow
    baseline: CellRow
    n_rows: int
    bootstrap: PairedBootstrap
    seeds: tuple[SeedPair, ...]


def best_against_baseline(study: StudyRows) -> Versus | None:
    """Compare the two cells; None without both, without predictions, or where the metric is undefined.

    So it is of a metric that is the user's own function, which no page runs.
    """
    known, baseline = study.predictions, study.baseline
    if known is None or baseline is None or not study.ranking or study.about.task.own_metric is not None:
        return None
    best = study.ranking[0]
    if _lacks_logits(study):
        return None
    if not baseline.runs:
        return None
    rows = [
        Rows(
            known.labels[one.part],
            _said(known, best, one.part),
            _said(known, baseline, one.part),
            one.metric,
            one.entry.labelling,
        )
        for one in study.about.judged
    ]
    bootstrap = bootstrap_of_mean(rows, study.metric)
    if bootstrap is None:
        return None
    parts = [one.part for one in _right_or_wrong(study)]
    pairs = tuple(
        SeedPair(
            mine.seed,
            mcnemar_of_parts(
                (known.labels[part], known.logits[mine.trial][part], known.logits[other.trial][part]) for part in parts
            ),
        )
        for mine, other in _same_seeds(best.runs, baseline.runs)
        if parts
    )
    return Versus(best, baseline, sum(map(len, known.labels.values())), bootstrap, pairs)


def _right_or_wrong(study: StudyRows) -> list[Judged]:
    """Return the parts whose rows are told rightly or wrongly: a number is only more or less far off."""
    return [one for one in study.about.judged if one.entry.labels_are != "score"]


def _said(known: Predictions, cell: CellRow, part: str) -> dict[Repetition, "numpy.ndarray"]:
    return {run.repetition: known.logits[run.trial][part] for run in cell.runs}


def _same_seeds(first: Sequence[Run], second: Sequence[Run]) -> list[tuple[Run, Run]]:
    others = {one.repetition: one for one in second}
    return [(one, others[one.repetition]) for one in first if one.repetition in others]


class BestAgainstBaseline(PageSection):
    """What the best cell gains over the baseline on the very same rows, and how sure that is."""

    def format(self) -> str:
        """Return the section; empty when the baseline is the best, or nothing can be compared."""
        found = self.versus
        if found is None:
            why_not = _why_not(self.study)
            return Section(say("Best against baseline"), (wrap(why_not),)).format() if why_not else ""
        return Section(
            say("Best against baseline"),
            (wrap(self._difference(found.bootstrap, found)), self._rows(found), wrap(self._means(found))),
        ).format()

    @cached_property
    def versus(self) -> Versus | None:
        """The comparison of the two cells; None where they cannot be compared."""
        return best_against_baseline(self.study)

    def numbers(self) -> dict[str, Any]:
        """Return the comparison; null where there is none."""
        found = self.versus
        if found is None:
            return {"versus": None}
        seeds = [asdict(pair) for pair in found.seeds]
        return {"versus": {"n_rows": found.n_rows, "bootstrap": asdict(found.bootstrap), "seeds": seeds}}

    def _difference(self, about: PairedBootstrap, found: Versus) -> str:
        said = {
            "best": found.best.name(escape),
            "baseline": found.baseline.name(escape),
            "n": str(found.n_rows),
            "split": self._whose(),
            "metric": metric_text(self.study, escape),
            "difference": signed(about.difference),
            "low": f"{about.interval[0]:+.4f}",
            "high": f"{about.interval[1]:+.4f}",
        }
        if about.seeds_error is None:
            return say(
                "On {n} rows of {split}, the {metric} of {best} less that of {baseline} is {difference} (95 % interval "
                "for other such rows: {low} to {high}).",
                **said,
            )
        first, second = (plural(n, "seed") for n in about.n_seeds)
        whole = say(
            "On {n} rows of {split}, the {metric} of {best} (mean over {first}) less that of {baseline} (mean over "
            "{second}) is {difference} (95 % interval for other such rows and other seeds: {low} to {high}).",
            first=first,
            second=second,
            **said,
        )
        parts = say(
            "Its standard error is {rows} from the rows and {seeds} from the seeds.",
            rows=f"{about.rows_error:.4f}",
            seeds=f"{about.seeds_error:.4f}",
        )
        return sentences([whole, parts, self._quartiles(about)])

    def _whose(self) -> str:
        """Name the rows: where they are divided, dev is all of them."""
        return say("all folds") if self.study.is_folded and not self.study.has_test else say(self.study.split)

    def _quartiles(self, about: PairedBootstrap) -> str:
        if about.interquartile is None:
            return ""
        return say(
            "Without the best and the worst quarter of the runs of each (interquartile means) it is {difference}.",
            difference=signed(about.interquartile),
        )

    def _rows(self, found: Versus) -> str:
        return bullets(
            say(
                "seed {seed}: only the best is right on {first} rows, only the baseline on {second} (McNemar's "
                "test: p {p})",
                seed=pair.seed,
                first=pair.rows.n_only_first,
                second=pair.rows.n_only_second,
                p=f"= {decimals(pair.rows.p)}" if pair.rows.p >= 0.0001 else "< 0.0001",
            )
            for pair in found.seeds[:MOST_SEEDS]
        )

    def _means(self, found: Versus) -> str:
        one_seed = say("Two trained models are compared, not recipes: another seed may turn the order round.")
        if self.study.is_folded:
            one_seed = say(
                "The models that one seed trained, one for each fold, are compared, and not recipes: another seed may "
                "turn the order round."
            )
        chosen = say("The best cell was chosen on these very rows, so a part of its lead is luck.")
        return sentences(
            [
                one_seed if found.bootstrap.seeds_error is None else "",
                "" if self.study.has_test else chosen,
                *self._what_is_right(found),
                self._precision(),
            ]
        )

    def _what_is_right(self, found: Versus) -> Iterator[str]:
        """Say when a row is counted as right, where that is no matter of course."""
        if not found.seeds:
            return
        about = self.study.about.judged
        if any(one.entry.labels_are == "multilabel" for one in about):
            yield say("A row that may have several labels is right where all of them are.")
        if len(_right_or_wrong(self.study)) < len(about):
            yield say("Rows with a number are not among those that are right or wrong.")

    def _precision(self) -> str:
        known = self.study.predictions
        if known is None or all(one.dtype != "float16" for said in known.logits.values() for one in said.values()):
            return ""
        return say(
            "Logits are kept in half precision: where two labels are nearly equal, the one counted here may not be the "
            "one that the table counted."
        )


def _lacks_logits(study: StudyRows) -> bool:
    """Whether there are two cells to compare, and nothing kept of a trial of theirs to compare them by."""
    known, baseline = study.predictions, study.baseline
    if known is None or baseline is None:
        return False
    return any(one.trial not in known.logits for cell in (study.ranking[0], baseline) for one in cell.runs)


def _why_not(study: StudyRows) -> str:
    """Say why two cells that are there cannot be compared; an empty text where nothing is to be said."""
    own = study.about.task.own_metric
    if own is not None and study.predictions is not None:
        return say(
            "The best cell and the baseline are not compared row by row: {metric} is a function of Python, which no "
            "page runs.",
            metric=escape(own.name),
        )
    if not _lacks_logits(study):
        return ""
    return say(
        "The best cell and the baseline cannot be compared row by row: not all their logits are kept (`--keep-logits "
        "none`)."
    )
