"""The context of a page: a study and what several sections say of it, each found once, when it is first asked for."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reports.statistics.analyse import analysed
from reports.statistics.best_cell import Winner
from reports.statistics.fitting import Fit
from reports.statistics.learning.learning import Learning, where_not_learned
from reports.statistics.observational import Regression
from reports.statistics.results import EffectAnalysis
from reports.study.first_rung import at_first_rung
from reports.study.measured import Measured, measured, winner_by_effects, winner_by_seeds
from reports.study.sampled import is_observational, study_regression
from reports.study.unusual_rates import LikelyReason, likely_reason
from reports.study.view import StudyRows

COPIES = 0.5
"""Runs whose noise is correlated by as much may fail together."""


@dataclass(frozen=True)
class PageContext:
    """Numbers and reasons of one study, in no language: one context serves its page in every format."""

    study: StudyRows

    @cached_property
    def seen(self) -> StudyRows:
        """The study as effects are looked at: after its first rung where it is a successive halving."""
        return at_first_rung(self.study)

    @cached_property
    def is_observational(self) -> bool:
        """Whether the rows are a sample, of which a regression tells, and no design."""
        return is_observational(self.study)

    @cached_property
    def measured(self) -> Measured:
        """The runs with what the study is judged by."""
        return measured(self.seen, self.seen.split)

    @cached_property
    def analysis(self) -> EffectAnalysis:
        """The effects on what the study is judged by."""
        return self._fitted[0]

    @cached_property
    def _fitted(self) -> tuple[EffectAnalysis, Fit | None]:
        return _analysed(self.measured)

    @cached_property
    def learning(self) -> Learning | None:
        """Which runs did not learn; None where that is not judged. Of a sample, nothing is tested."""
        about = self.measured
        if self.study.is_imported or self.study.standing is not None or not about.known_to_learn:
            return None
        if self.is_observational:
            return where_not_learned([], about.known_to_learn)
        tested = [one for one in about.factors if one.name not in about.inert]
        # Copies along two factors at once would pass for two failures.
        alike = [one.factor for one in self.analysis.likeness if (one.correlation or 0.0) >= COPIES]
        return where_not_learned(tested, about.known_to_learn, alike=alike)

    @cached_property
    def unusual_rates(self) -> LikelyReason | None:
        """The learning rates that are the likely reason why runs did not learn; None where they are not."""
        return None if self.learning is None else likely_reason(self.study.cells, self.measured.known_to_learn)

    @cached_property
    def regression(self) -> Regression:
        """What went with good results."""
        return study_regression(self.seen)

    @cached_property
    def measured_on_dev(self) -> Measured:
        """The runs with what the best is chosen by, at their end."""
        is_other = self.study.has_test or self.study.standing is not None
        return measured(self.study, "dev") if is_other else self.measured

    @cached_property
    def winner(self) -> Winner | None:
        """The rows that may be the best on dev; after a halving, of those that ran to the end."""
        about, lower_is_better = self.measured_on_dev, self.study.lower_is_better
        ranking = [cell.index for cell in self.study.ranking]
        if self.study.standing is not None:
            return winner_by_seeds(about, lower_is_better=lower_is_better, ranking=ranking)
        analysis, fitted = self._fitted if about is self.measured else _analysed(about)
        return winner_by_effects(about, analysis, fitted, lower_is_better=lower_is_better, ranking=ranking)

    @cached_property
    def leader(self) -> int | None:
        """What the page says came out best, by index, or by position in a table; None where it does not say so."""
        if not self.study.is_imported:
            return next((cell.index for cell in self.study.ranking), None)
        return None if self.is_observational or self.winner is None else self.winner.leader


def _analysed(about: Measured) -> tuple[EffectAnalysis, Fit | None]:
    return analysed(about.factors, about.runs, about.inert)


@dataclass(frozen=True)
class PageSection(ABC):
    """A section of a page: its text, and the numbers that it owns in page.json."""

    page: PageContext

    @property
    def study(self) -> StudyRows:
        """The study that the page is about."""
        return self.page.study

    @abstractmethod
    def format(self) -> str:
        """Return its Markdown; empty when it has nothing to say."""

    def numbers(self) -> dict[str, Any]:
        """Return its numbers by their keys in page.json, whose docstring has them all; most prose has none."""
        return {}
