"""Which trials predict: one, all of a row of the table (its seeds and folds), or those of several rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridsearch.errors import RequestError
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.study.ledger import Ledger
from gridsearch.study.ranking import trial_named
from gridsearch.tasks.target import Target
from gridsearch.trial import Trial
from reports.study.named import cell_named
from reports.study.read import read_study
from reports.study.view import CellRow
from runners.cli import Arguments

BEST = "best"


@dataclass(frozen=True)
class Members:
    """What predicts: the mean of the probabilities, or numbers, over the groups, of the mean over the trials of each.

    ``text`` says so in words; ``remarks`` are what has to be known of them.
    """

    groups: tuple[tuple[Trial, ...], ...]
    text: str
    remarks: tuple[str, ...] = ()

    @property
    def trials(self) -> dict[str, Trial]:
        """All trials by id, each once."""
        return {trial.id: trial for group in self.groups for trial in group}


def read_members(ledger: Ledger, arguments: Arguments, kind: LabelKind = "class") -> Members:
    """Find what ``--trial``, ``--cell`` or ``--ensemble`` names. Raises RequestError for what cannot predict.

    ``kind`` is what they predict.
    """
    manifest, what = ledger.trials_manifest(), "numbers" if kind == "score" else "probabilities"
    if arguments.ensemble is not None:
        return _of_cells(ledger, [key.strip() for key in arguments.ensemble.split(",")], what)
    if arguments.cell is not None:
        return _of_cell(ledger, _whole(cell_named(read_study(ledger), arguments.cell.strip())), what)
    if arguments.trial == BEST and manifest.division is not None:
        whole = [cell for cell in read_study(ledger).ranking if cell.state == "finished"]
        if not whole:
            raise RequestError("no row of this study has all its folds finished yet; --trial ID takes one trial alone")
        return _of_cell(ledger, whole[0], what, "the best row, ")
    return _of_trial(ledger, trial_named(ledger, arguments.trial), manifest.target)


def _of_trial(ledger: Ledger, trial: Trial, selected: Target) -> Members:
    dev = ledger.dev_results().get(trial.id)
    fold = "" if trial.division is None else f", fold {trial.fold}"
    measured = f", dev {selected.name} {selected.of(dev):.4f}" if dev else ""
    return Members(((trial,),), f"trial {trial.short_id} (seed {trial.seed}{fold}{measured})")


def _of_cell(ledger: Ledger, cell: CellRow, what: str, which: str = "") -> Members:
    selected = ledger.trials_manifest().target
    group = _trials(ledger, cell)
    if len(group) == 1:
        only = _of_trial(ledger, group[0], selected)
        return Members(only.groups, f"{which}cell {cell.index}: {only.text}", _remarks([cell]))
    several = {"seed": len({trial.seed for trial in group}), "fold": len({trial.fold for trial in group})}
    times = " x ".join(f"{n} {word}s" for word, n in several.items() if n > 1)
    measured = "" if cell.dev.mean is None else f"; dev {selected.name} {cell.dev.mean:.4f}"
    text = f"{which}cell {cell.index}: the mean of the {what} of its {len(group)} trials ({times}{measured})"
    return Members((group,), text, _remarks([cell]))


def _of_cells(ledger: Ledger, keys: Sequence[str], what: str) -> Members:
    study = read_study(ledger)
    cells: list[CellRow] = []
    for key in keys:
        cell = _whole(cell_named(study, key))
        for other in cells:
            if set(other.trials) == set(cell.trials):
                same = "twice" if other is cell else f"and {other.index} too, which is the same trials"
                raise RequestError(f"--ensemble: row {cell.index} is named {same}; each member counts once")
        cells.append(cell)
    groups = tuple(_trials(ledger, cell) for cell in cells)
    n_trials = sum(map(len, groups))
    names = ", ".join(str(cell.index) for cell in cells)
    text = f"the mean of the {what} of cell{'s' * (len(cells) > 1)} {names} ({n_trials} trials)"
    return Members(groups, text, _remarks(cells))


def _whole(cell: CellRow) -> CellRow:
    """Return a cell all of whose trials are finished. Raises RequestError for another one."""
    finished, wanted = {one.trial for one in cell.finished}, set(cell.trials)
    if finished != wanted:
        so_far = f"{len(finished)} of its {len(wanted)} trials are finished"
        raise RequestError(f"cell {cell.index} cannot predict: {so_far}; --trial ID takes one trial alone")
    return cell


def _trials(ledger: Ledger, cell: CellRow) -> tuple[Trial, ...]:
    return tuple(ledger.trial(trial_id) for trial_id in dict.fromkeys(cell.trials))


def _remarks(cells: Sequence[CellRow]) -> tuple[str, ...]:
    return tuple(f"a run of cell {cell.index} did not learn: {reason}" for cell in cells for reason in cell.not_learned)
