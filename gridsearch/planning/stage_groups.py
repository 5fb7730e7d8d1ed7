"""The pretrainings that trials wait for: how many steps each has left, and which of them cost the same a step."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gridsearch.canonical import canonical_json
from gridsearch.planning.cost_groups import felt
from gridsearch.planning.plan import Plan
from gridsearch.recipe.prefixes import VOCABULARY
from gridsearch.recipe.pretraining.knobs import PREFIX, PretrainingRecipe
from gridsearch.recipe.recipe import knobs
from gridsearch.space.factor import label_of
from gridsearch.stage import OF_AN_ENCODER, Stage


@dataclass(frozen=True)
class StageWork:
    """A pretraining that is to be done: ``n_steps`` of it, once the stage ``after`` (by its id) is there, if any.

    A checkpoint goes on from the one before it in its run, so that no step is taken twice.
    """

    stage: Stage
    n_steps: int
    after: str | None = None


@dataclass(frozen=True)
class StageGroup:
    """Pretrainings of which a step costs the same. ``cost`` is what that depends on, beside the machine.

    ``settings`` tell the group from the others, and are empty where it is the only one.
    """

    cost: Mapping[str, Any]
    settings: Mapping[str, str]
    works: tuple[StageWork, ...]


def stage_cost_of(stage: Stage) -> dict[str, Any]:
    """Return what the time of a stage's step depends on: what it starts from, what it reads, and in which way."""
    names = PretrainingRecipe.model_fields
    declared = {name: (knobs()[PREFIX + name].neutral, knobs()[PREFIX + name].stage_cost) for name in names}
    return {
        "encoder": stage.base,
        "corpus": stage.corpus,
        "precision": stage.precision,
        "knobs": felt({name: getattr(stage.recipe, name) for name in names}, declared),
    }


def works_of(plan: Plan, trial_ids: Collection[str], made: Collection[str]) -> list[StageWork]:
    """Return the pretrainings that some trials wait for, checkpoints before them included; ``made`` are there by now.

    They stand in the order of the plan's trials, each after the one that it goes on from.
    """
    runs: dict[str, list[Stage]] = {}
    for stage in sorted(plan.stages.values(), key=lambda one: one.last_step):
        runs.setdefault(stage.run, []).append(stage)
    found: dict[str, StageWork] = {}
    for trial in plan.trials.values():
        if trial.id not in trial_ids or trial.stage is None or trial.stage.id in made:
            continue
        n_before, before = 0, None
        for stage in runs[trial.stage.run]:
            if stage.last_step > trial.stage.last_step:
                break
            if stage.id not in made:
                found.setdefault(stage.id, StageWork(stage, stage.last_step - n_before, before))
            n_before, before = stage.last_step, None if stage.id in made else stage.id
    return list(found.values())


def stage_groups_of(works: Iterable[StageWork], plan: Plan) -> list[StageGroup]:
    """Put pretrainings together of which a step costs the same, in their order."""
    found: dict[str, list[StageWork]] = {}
    for work in works:
        found.setdefault(canonical_json(stage_cost_of(work.stage)), []).append(work)
    costs = [stage_cost_of(several[0].stage) for several in found.values()]
    told = [_told(several[0].stage, cost, plan) for several, cost in zip(found.values(), costs, strict=True)]
    names = dict.fromkeys(name for one in told for name in one)
    differing = [name for name in names if len({one.get(name) for one in told}) > 1]
    return [
        StageGroup(cost, {name: one[name] for name in differing if name in one}, tuple(several))
        for cost, one, several in zip(costs, told, found.values(), strict=True)
    ]


def _told(stage: Stage, cost: Mapping[str, Any], plan: Plan) -> dict[str, str]:
    """Spell what the cost of a stage depends on, for people."""
    start = plan.starts[stage.base]
    vocabulary = {} if start.ids is None else start.ids.recipe.model_dump()
    hidden = OF_AN_ENCODER if stage.recipe.take_layers == "all" else ()
    shown = [name for name in stage.knobs if knobs()[PREFIX + name].stage_cost != "none" and name not in hidden]
    return {
        "encoder": start.name,
        **{VOCABULARY + name: label_of(value) for name, value in vocabulary.items()},
        "corpus": stage.recipe.corpus,
        **{name: label_of(cost["knobs"].get(name, getattr(stage.recipe, name))) for name in shown},
        "precision": stage.precision,
    }
