"""From found interactions to means at combinations of levels, rebuilt from what the analysis says of differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean

from reports.figures.drawn_from.effects import term_text
from reports.figures.figure import InteractionPanel, LevelPoint
from reports.statistics.results import Comparison, Effect, EffectAnalysis, Factor

Step = tuple[str, str, frozenset[tuple[str, str]]]
"""A factor, a level of it, and the levels of the term's other factors."""


@dataclass(frozen=True)
class _Term:
    """A found interaction: its factors in declared order, their levels that ran, their references, its differences."""

    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    references: Mapping[str, str]
    steps: Mapping[Step, Comparison]
    centre: float

    def step(self, name: str, level: str, others: Mapping[str, str]) -> float:
        """Return how far a level is from its reference, others being so."""
        if level == self.references[name]:
            return 0.0
        return self.steps[name, level, frozenset(others.items())].estimate

    def half_width(self, name: str, level: str, others: Mapping[str, str]) -> float:
        """Return half of the interval of the difference to the reference; there, half of the widest."""
        asked = [one for one in self.levels[self.names.index(name)] if one != self.references[name]]
        asked = [level] if level in asked else asked
        intervals = [self.steps[name, one, frozenset(others.items())].interval for one in asked]
        return max((high - low) / 4 for low, high in intervals)


def interaction_panels(
    analysis: EffectAnalysis, factors: Sequence[Factor], columns: Mapping[str, str] | None = None
) -> tuple[InteractionPanel, ...]:
    """Rebuild the means of every found interaction that the analysis splits, the surest first.

    The first factor is across, the last makes the lines, and every combination of those between is a panel.
    """
    terms = [_term(effect, analysis, factors) for effect in analysis.found if len(effect.factors) > 1]
    return tuple(panel for term in terms if term is not None for panel in _panels(term, columns or {}))


def _term(effect: Effect, analysis: EffectAnalysis, factors: Sequence[Factor]) -> _Term | None:
    parts = [one for one in analysis.conditional if {one.factor, *one.given} == set(effect.factors)]
    if not parts:
        return None
    means = {(mean.factor, mean.level): mean.mean for mean in analysis.means}
    declared = [factor for factor in factors if factor.name in effect.factors]
    levels = tuple(tuple(one for one in factor.labels if (factor.name, one) in means) for factor in declared)
    first = declared[0].name
    return _Term(
        tuple(factor.name for factor in declared),
        levels,
        {one.factor: one.reference for one in parts},
        {(one.factor, one.level, frozenset(one.given.items())): one for one in parts},
        fmean(means[first, level] for level in levels[0]),
    )


def _means(term: _Term) -> dict[tuple[str, ...], float]:
    """Walk to every combination from the one of references; their mean is that of any factor's level means."""
    offsets = {}
    for combination in product(*term.levels):
        place = dict(term.references)
        offset = 0.0
        for name, level in zip(term.names, combination, strict=True):
            offset += term.step(name, level, {other: place[other] for other in term.names if other != name})
            place[name] = level
        offsets[combination] = offset
    shift = term.centre - fmean(offsets.values())
    return {combination: offset + shift for combination, offset in offsets.items()}


def _panels(term: _Term, columns: Mapping[str, str]) -> list[InteractionPanel]:
    means = _means(term)
    across, *middle, lines = term.names
    panels = []
    for given in product(*term.levels[1:-1]):
        points = []
        for line in term.levels[-1]:
            others = dict(zip((*middle, lines), (*given, line), strict=True))
            points.append(
                tuple(
                    LevelPoint(level, means[(level, *given, line)], term.half_width(across, level, others))
                    for level in term.levels[0]
                )
            )
        panels.append(
            InteractionPanel(
                term_text(term.names, columns),
                columns.get(across, across),
                columns.get(lines, lines),
                term.levels[-1],
                tuple((columns.get(name, name), level) for name, level in zip(middle, given, strict=True)),
                tuple(points),
            )
        )
    return panels
