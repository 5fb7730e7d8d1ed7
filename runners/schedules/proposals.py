"""Proposals: which cell to try next, as Optuna would have it, and none of them twice."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import optuna
from optuna.trial import TrialState

from gridsearch.errors import RequestError, one_of
from gridsearch.randomness import derived_seed
from gridsearch.space.draws import draws
from gridsearch.space.factor import Factor, Level, label_of
from gridsearch.study.objectives import BY_SEED
from reports.study.optuna_export import distribution, parameter

SAMPLERS = ("tpe", "gp", "random")
PRUNERS = ("none", "median", "hyperband", BY_SEED)
N_ASKS = 10
"""A sampler that proposes what is known is asked so often; then a new cell is drawn at random."""
FEWEST_SEEDS = 5
"""With fewer, the Wilcoxon test could end no cell before its last seed."""

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """A level of each factor, and Optuna's trial that waits for the result."""

    levels: tuple[Level, ...]
    trial: optuna.Trial

    @property
    def labels(self) -> Labels:
        """What the cell is known by."""
        return tuple(level.label for level in self.levels)


class Proposer:
    """Asks Optuna, and remembers what it has asked for.

    A cell that is known already is answered at once with its result, and Optuna is asked again; one that is still
    running, or that brought no result, is told as failed, which samplers ignore.
    """

    def __init__(self, study: optuna.Study, factors: Sequence[Factor], seed: int) -> None:
        self._study, self._factors = study, factors
        self._distributions = {
            factor.name: distribution([level.label for level in factor.levels], _range(factor)) for factor in factors
        }
        self._answers: dict[Labels, Sequence[float] | None] = {
            tuple(label_of(trial.params[factor.name]) for factor in factors): trial.values
            for trial in study.get_trials(deepcopy=False)
        }
        self._left = draws(factors, seed)

    def propose(self) -> Proposal | None:
        """Return a cell that was not proposed before; None when there is none left."""
        for _ in range(N_ASKS):
            proposal = self._ask()
            if proposal.labels not in self._answers:
                return self._open(proposal)
            self._tell(proposal, self._answers[proposal.labels])
        for levels in self._left:
            if tuple(level.label for level in levels) not in self._answers:
                return self.reopen(levels)
        return None

    def reopen(self, levels: tuple[Level, ...]) -> Proposal:
        """Propose this cell, whatever the sampler would."""
        pairs = zip(self._factors, levels, strict=True)
        self._study.enqueue_trial({factor.name: parameter(level.label, _range(factor)) for factor, level in pairs})
        return self._open(self._ask())

    def answer(self, proposal: Proposal, values: Sequence[float] | None) -> None:
        """Tell Optuna the result of a cell; None for one without."""
        self._answers[proposal.labels] = values
        self._tell(proposal, values)

    def prune(self, proposal: Proposal) -> None:
        """Tell Optuna that a cell was ended early: its last reported value stands for a result."""
        self._study.tell(proposal.trial, state=TrialState.PRUNED)

    def _open(self, proposal: Proposal) -> Proposal:
        self._answers[proposal.labels] = None
        return proposal

    def _ask(self) -> Proposal:
        trial = self._study.ask(self._distributions)
        levels = (
            factor.level(trial.params[factor.name])
            if factor.range is None
            else factor.level_of(trial.params[factor.name])
            for factor in self._factors
        )
        return Proposal(tuple(levels), trial)

    def _tell(self, proposal: Proposal, values: Sequence[float] | None) -> None:
        self._study.tell(proposal.trial, values, state=TrialState.FAIL if values is None else TrialState.COMPLETE)


def _range(factor: Factor) -> Mapping[str, object] | None:
    return None if factor.range is None else asdict(factor.range)


def make_sampler(name: str, seed: int, n_known: int) -> optuna.samplers.BaseSampler:
    """Make a sampler; one that starts with so many known cells must not repeat the random numbers that chose them."""
    if name not in SAMPLERS:
        raise RequestError(f"--sampler: {one_of('sampler', name, SAMPLERS)}")
    number = derived_seed(seed, "sampler", n_known) % 2**32
    if name == "gp":
        return optuna.samplers.GPSampler(seed=number, warn_independent_sampling=False)
    return optuna.samplers.TPESampler(seed=number) if name == "tpe" else optuna.samplers.RandomSampler(seed=number)


def make_pruner(name: str, n_epochs: int, n_seeds: int, n_objectives: int) -> optuna.pruners.BasePruner:
    """Make a pruner for trials of at most so many epochs, in cells of so many seeds.

    Raises RequestError for one that could never prune.
    """
    if name not in PRUNERS:
        raise RequestError(f"--pruner: {one_of('pruner', name, PRUNERS)}")
    if name != "none" and n_objectives > 1:
        raise RequestError(f"--pruner {name} compares one objective, but there are {n_objectives}; use --pruner none")
    if name == BY_SEED and n_seeds < FEWEST_SEEDS:
        rule = f"compares cells over at least {FEWEST_SEEDS} seeds or folds"
        raise RequestError(f"--pruner {BY_SEED} {rule}, but has {n_seeds}")
    if name in ("median", "hyperband") and n_epochs < 2:
        raise RequestError(f"--pruner {name} compares cells between epochs, but every trial has one epoch only")
    if name == "median":
        return optuna.pruners.MedianPruner()
    if name == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=n_epochs)
    if name == BY_SEED:
        with warnings.catch_warnings(category=optuna.exceptions.ExperimentalWarning, action="ignore"):
            return optuna.pruners.WilcoxonPruner()
    return optuna.pruners.NopPruner()
