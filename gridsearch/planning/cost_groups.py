"""Groups of trials that cost the same: told by their recipes alone, before anything is measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridsearch.canonical import canonical_json
from gridsearch.planning.plan import Plan
from gridsearch.recipe.knob import Cost
from gridsearch.recipe.recipe import Recipe, knobs
from gridsearch.trial import Trial


@dataclass(frozen=True)
class CostGroup:
    """Trials that cost the same. ``cost`` is what their time depends on, beside the encoder, the task and the machine.

    ``settings`` tell the group from the others: columns of the table to levels; empty where it is the only one.
    """

    cost: Mapping[str, Any]
    settings: Mapping[str, str]
    trials: tuple[Trial, ...]

    @property
    def encoder(self) -> str:
        """The identity of the encoder that all of its trials start from, or whose pretrainings they start from."""
        return start_of(self.trials[0])


def start_of(trial: Trial) -> str:
    """Return the encoder that decides what a trial costs: to pretrain it changes its weights, and not its shape."""
    return trial.encoder if trial.stage is None else trial.stage.base


def cost_of(recipe: Recipe) -> dict[str, Any]:
    """Return what the time of a (resolved) recipe depends on: the knobs that cost time and are not neutral.

    >>> cost_of(Recipe(weight_decay=0.01)) == cost_of(Recipe(weight_decay=0.1, learning_rate=1e-5))
    True
    >>> cost_of(Recipe(batch_size=16)) == cost_of(Recipe())
    False
    """
    # The encoder enters by its identity, as in a trial's id.
    declared = {name: (knob.neutral, knob.cost) for name, knob in knobs().items() if name != "encoder"}
    return felt({name: getattr(recipe, name) for name in declared}, declared)


def felt(values: Mapping[str, Any], declared: Mapping[str, tuple[object, Cost]]) -> dict[str, Any]:
    """Return what time knows of the values of knobs, by the neutral value and the cost that each declares."""
    found = {}
    for name, (neutral, cost) in declared.items():
        value = values[name]
        if cost == "none" or value == neutral:
            continue
        found[name] = "on" if cost == "on" and value and not isinstance(value, str) else value
    return found


def cost_key(start: str, recipe: Recipe) -> str:
    """Return what is equal of trials that cost the same, given the encoder that decides it and the recipe."""
    return canonical_json([start, cost_of(recipe)])


def groups_of(plan: Plan) -> list[CostGroup]:
    """Put the trials of a plan together that cost the same, in table order."""
    found: dict[str, list[Trial]] = {}
    for trial in plan.trials.values():
        found.setdefault(cost_key(start_of(trial), trial.recipe), []).append(trial)
    costs = [cost_of(trials[0].recipe) for trials in found.values()]
    differing = {name for name in knobs() if len({canonical_json(cost.get(name)) for cost in costs}) > 1} | {"encoder"}
    columns = {factor.name: factor.column for factor in plan.space.factors if differing & factor.knobs}
    n_levels = {name: len({cell.levels[name] for cell in plan.cells}) for name in columns}
    levels: dict[str, list[Mapping[str, str]]] = {}
    for cell in plan.cells:
        for trial in cell.trials:
            levels.setdefault(trial.id, []).append(cell.levels)

    def settings(trials: list[Trial]) -> dict[str, str]:
        """Name the levels that they have of each factor; a factor of which they have all tells nothing."""
        rows = [row for trial in trials for row in levels[trial.id]]
        found = {name: dict.fromkeys(row[name] for row in rows) for name in columns}
        return {columns[name]: " or ".join(labels) for name, labels in found.items() if len(labels) < n_levels[name]}

    return [
        CostGroup(cost, settings(trials), tuple(trials)) for cost, trials in zip(costs, found.values(), strict=True)
    ]
