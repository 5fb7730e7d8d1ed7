"""The runs of one seed over all folds, put together: every row judged once, test predicted by the mean over folds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gridsearch.study.ledger import Ledger
from gridsearch.study.manifest import TrialsManifest
from gridsearch.tasks.judging.judge import mean_of, measured
from gridsearch.trial import Metrics
from reports.study.view import Pooled, Replicate

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Pool:
    """Puts together what the trials of a folded study said. Nothing is kept but numbers."""

    def __init__(self, ledger: Ledger, manifest: TrialsManifest) -> None:
        self._ledger, self._manifest = ledger, manifest
        self._known: dict[tuple[str, ...], Pooled | None] = {}

    def runs(self, replicates: Sequence[Replicate]) -> tuple[Pooled, ...]:
        """Return one run for each seed of a cell that is finished in all folds, unless its logits are not there."""
        by_seed: dict[int, list[Replicate]] = {}
        for one in sorted(replicates, key=lambda one: one.fold):
            if one.state == "finished":
                by_seed.setdefault(one.seed, []).append(one)
        division = self._manifest.division
        n_folds = 0 if division is None else division.n_folds
        whole = {seed: several for seed, several in by_seed.items() if len(several) == n_folds}
        found = (self._run(seed, tuple(one.trial for one in several)) for seed, several in whole.items())
        return tuple(run for run in found if run is not None)

    def of_run(self, run: Replicate | Pooled, split: str) -> "dict[str, NDArray[np.floating]] | None":
        """Return what a run says, be it of one trial or of all folds, by the parts that it is judged by.

        None where not all of these logits are there.
        """
        parts = [one.part for one in self._manifest.judged]
        if isinstance(run, Pooled):
            said = {part: self.logits(run.trials, split, part) for part in parts}
        else:
            said = {part: self._ledger.logits(run.trial, split, part) for part in parts}
        found = {part: logits for part, logits in said.items() if logits is not None}
        return found if len(found) == len(parts) else None

    def logits(self, trials: Sequence[str], split: str, part: str) -> "NDArray[np.floating] | None":
        """Return the logits of all rows of dev, in their order, or of test; None where some trial's are not there.

        ``trials`` are those of all folds, or the one trial where no folds divide the rows.
        """
        found = [self._ledger.logits(trial, split, part) for trial in trials]
        kept = [logits for logits in found if logits is not None]
        if len(kept) < len(trials):
            return None
        if split == "test":
            return mean_of(kept, self._manifest.task.by_part[part].labels_are)
        if self._manifest.division is None:
            return kept[0]
        rows = [self._ledger.dev_rows(trial, part) for trial in trials]
        numbers = np.concatenate([one for one in rows if one is not None])
        pooled = np.empty((len(numbers), kept[0].shape[1]), dtype=kept[0].dtype)
        pooled[numbers] = np.concatenate(kept)
        return pooled

    def _run(self, seed: int, trials: tuple[str, ...]) -> Pooled | None:
        if trials not in self._known:
            self._known[trials] = self._pooled(seed, trials)
        return self._known[trials]

    def _pooled(self, seed: int, trials: tuple[str, ...]) -> Pooled | None:
        dev, test = self._metrics(trials, "dev"), self._metrics(trials, "test")
        target, judged = self._manifest.target, {one.part for one in self._manifest.judged}
        if not judged <= dev.keys():
            return None
        return Pooled(
            trials=trials,
            seed=seed,
            dev=target.of(dev),
            test=target.of(test) if judged <= test.keys() else None,
            dev_metrics=dev,
            test_metrics=test,
        )

    def _metrics(self, trials: Sequence[str], split: str) -> Mapping[str, Metrics]:
        """Return the metrics of each part, without those whose split has no labels, or whose logits are not there."""
        found = {}
        for one in self._manifest.parts:
            labels, logits = self._ledger.labels(split, one.part), self.logits(trials, split, one.part)
            if labels is not None and logits is not None:
                found[one.part] = measured(labels, logits, one.entry.labelling)
        return found
