"""A plan: every cell of a space resolved for one task, with its trials; and what is left out, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gridsearch.encoders.card import EncoderCard
from gridsearch.planning.order import balanced_order
from gridsearch.planning.rungs import Halving
from gridsearch.planning.texts_read import TextsRead
from gridsearch.recipe.augmentation_knobs import Augmentation
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.trial_facts import Rows
from gridsearch.space.factor import Factor, Level
from gridsearch.space.space import Space
from gridsearch.stage import Stage
from gridsearch.tasks.augmentation.added import AddedCounts
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.trial import Trial


@dataclass(frozen=True)
class PlannedCell:
    """One row of the table. ``dead`` names knobs that cannot act here; ``recipe`` has them at their neutral values.

    ``row`` is its name in a list, and empty in other designs. ``rows``: so many training rows an epoch reads, of each
    part where there are several, of the fold that trains on fewest. ``n_layers`` is its encoder's depth.
    """

    index: int
    levels: Mapping[str, str]
    recipe: Recipe
    dead: Mapping[str, str]
    trials: tuple[Trial, ...]
    row: str = ""
    rows: Rows = 0
    n_layers: int = 0

    def name_of(self, trial: Trial) -> str:
        """Return what people call one of its trials."""
        repetition = trial.repetition.name(one.repetition for one in self.trials)
        return f"cell {self.index}, {repetition}" if repetition else f"cell {self.index}"


@dataclass(frozen=True)
class ExcludedCell:
    """A cell that a rule leaves out."""

    levels: Mapping[str, str]
    why: str
    row: str = ""


@dataclass(frozen=True)
class Plan:
    """What a study asks: cells in table order, their distinct trials, the cells that rules exclude.

    ``cards`` are those of the encoders by name, ``starts`` those of what trials start from (or take the vocabulary of)
    by identity: the same ones, but where ids are to be their tokens. ``added`` says of each augmentation and fold what
    became of the pairs that could be added to the training rows. ``texts`` say how much of its texts encoders read;
    empty where nobody has counted.

    ``optimised`` says how an optimiser proposed the cells, where no design did; ``halving`` how many of them run how
    far, where not all run to the end.
    """

    space: Space
    task: AnyTask
    cards: Mapping[str, EncoderCard]
    cells: tuple[PlannedCell, ...]
    excluded: tuple[ExcludedCell, ...]
    starts: Mapping[str, EncoderCard]
    added: Mapping[tuple[Augmentation, int], AddedCounts] = field(default_factory=dict)
    optimised: Mapping[str, Any] | None = None
    halving: Halving | None = None
    texts: tuple[TextsRead, ...] = ()

    @property
    def trials(self) -> dict[str, Trial]:
        """Distinct trials by id, in table order."""
        return {trial.id: trial for cell in self.cells for trial in cell.trials}

    @property
    def times(self) -> tuple[int, int]:
        """Seeds and folds of a cell, at most; one fold where rows are not divided."""
        n_folds = self.space.design.folds or 1
        return self.n_repetitions // n_folds, n_folds

    @property
    def n_repetitions(self) -> int:
        """Trials of a cell, at most: rows of a list may name seeds of their own."""
        return max(len(cell.trials) for cell in self.cells)

    @property
    def stages(self) -> dict[str, Stage]:
        """Distinct pretrainings by id, in the order in which the table's trials start from them."""
        return {trial.stage.id: trial.stage for trial in self.trials.values() if trial.stage is not None}

    @property
    def depths(self) -> tuple[int, ...]:
        """Layers of the encoders, each number once: what shares of the depth are taken of."""
        return tuple(dict.fromkeys(cell.n_layers for cell in self.cells))

    @property
    def encoder_notes(self) -> dict[str, tuple[str, ...]]:
        """What has to be known of encoders whose weights some trial starts from, by name; not of a mere vocabulary."""
        started = {
            trial.encoder if trial.stage is None else trial.stage.base
            for trial in self.trials.values()
            if trial.stage is None or trial.stage.recipe.base == "encoder"
        }
        return {card.name: card.notes for identity, card in self.starts.items() if card.notes and identity in started}

    @property
    def baseline(self) -> PlannedCell | None:
        """The cell in which every factor has its baseline level; None when a rule excludes it, or a list lacks it."""
        wanted = {factor.name: factor.baseline for factor in self.space.factors}
        return next((cell for cell in self.cells if cell.levels == wanted), None)

    @property
    def same_rows(self) -> list[tuple[PlannedCell, ...]]:
        """Rows of a list that are the same recipe, and so share their trials."""
        groups: dict[tuple[str, ...], list[PlannedCell]] = {}
        for cell in self.cells:
            if cell.row:
                groups.setdefault(tuple(trial.id for trial in cell.trials), []).append(cell)
        return [tuple(group) for group in groups.values() if len(group) > 1]

    def levels_of(self, factor: Factor) -> tuple[Level, ...]:
        """Return a factor's levels; of a range, those that the cells have, the smallest first."""
        if factor.range is None:
            return factor.levels
        found = {cell.levels[factor.name] for cell in self.cells}
        return tuple(factor.level(label) for label in sorted(found, key=float))

    def in_running_order(self, trial_ids: set[str]) -> list[Trial]:
        """Return the given trials in a seeded, balanced random order.

        One at a time, the baseline goes first: without it no other cell has anything to be compared with.
        """
        first_cell = {trial.id: cell for cell in reversed(self.cells) for trial in cell.trials}
        trials = [trial for trial in self.trials.values() if trial.id in trial_ids]
        levels = [[*first_cell[trial.id].levels.values(), trial.repetition.label] for trial in trials]
        order = balanced_order(trials, levels, self.space.design.order_seed)
        if self.space.design.kind == "one-at-a-time" and self.baseline is not None:
            first = {trial.id for trial in self.baseline.trials}
            order.sort(key=lambda trial: trial.id not in first)
        return order
