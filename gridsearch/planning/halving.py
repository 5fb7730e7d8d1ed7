"""Plans of a successive halving: its rungs, and why some plans cannot have one."""

from collections.abc import Iterator
from dataclasses import replace

from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.planning.rungs import Halving, make_rungs
from gridsearch.recipe.recipe import knobs


def halved(plan: Plan, eta: int) -> Plan:
    """Return the plan as a successive halving. Raises RequestError where that cannot be fair, or saves nothing.

    The first rung has as many epochs as it takes for every level to act.
    """
    if eta < 2:
        raise RequestError(f"--halving divides the cells by a whole number from 2, but got {eta}")
    n_cells = len({tuple(trial.id for trial in cell.trials) for cell in plan.cells})
    recipes = [cell.recipe for cell in plan.cells]
    if len({recipe.epochs for recipe in recipes}) > 1:
        raise RequestError("--halving compares cells after the same epochs of equal schedules, but here epochs varies")
    if any(recipe.patience != "none" for recipe in recipes):
        raise RequestError("--halving and patience both end trials early; leave one of them out")
    if any(len(cell.trials) < plan.n_repetitions for cell in plan.cells):
        raise RequestError(
            "--halving compares cells of equally many runs, but rows of this list have more seeds than others"
        )
    n_epochs = recipes[0].epochs
    if n_cells < eta or n_epochs < eta:
        have = f"{n_cells} cell{'s' * (n_cells > 1)} of {n_epochs} epoch{'s' * (n_epochs > 1)}"
        raise RequestError(f"--halving {eta} needs at least {eta} cells of {eta} epochs, but there are {have}")
    first = _epochs_until_all_act(plan, n_epochs)
    halving = Halving(eta, make_rungs(n_cells, n_epochs, eta, first))
    if len(halving.rungs) == 1:
        late = next(_late(plan, n_epochs // eta))
        raise RequestError(f"--halving {eta} has no rung from epoch {first} of {n_epochs} on, and {late}")
    if halving.cost >= halving.full_cost:
        text = halving.text(*plan.times)
        raise RequestError(f"--halving {eta} saves nothing, as trials that go on begin anew: {text}")
    return replace(plan, halving=halving)


def _epochs_until_all_act(plan: Plan, n_epochs: int) -> int:
    """Return the first epoch after which every level has acted; RequestError when there is none before the last."""
    for epochs in range(1, n_epochs):
        if next(_late(plan, epochs), None) is None:
            return epochs
    raise RequestError(f"--halving cannot judge every level before the last epoch: {next(_late(plan, n_epochs - 1))}")


def _late(plan: Plan, epochs: int) -> Iterator[str]:
    """Name what some factor varies, and what has not acted after so many epochs."""
    varied = sorted({name for factor in plan.space.factors for name in factor.knobs})
    for cell in plan.cells:
        for name in varied:
            knob = knobs()[name]
            if getattr(cell.recipe, name) == knob.neutral or (begins := knob.begins(cell.recipe, cell.rows)) <= epochs:
                continue
            if begins > cell.recipe.epochs:
                yield f"{name} acts after the last epoch"
            else:
                yield f"{name} of cell {cell.index} does not act before epoch {begins}"
