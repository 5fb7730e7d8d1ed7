"""How far a study is: the certificate, and the state of every trial that it counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from gridsearch.planning.rungs import Standing
from gridsearch.study.stages import StageCoverage

OVER = ("finished", "failed", "skipped")
"""States of trials that never run again, unless failures are forgiven, or what is left out is taken back in."""


@dataclass(frozen=True)
class Coverage:
    """The certificate: how many trials the plan has, and in which state each of them is; and so of its stages.

    ``skipped`` are left out on purpose: as what a rule leaves out, they are none of the ``planned``.
    """

    planned: int
    finished: int
    failed: int
    running: int
    pending: int
    repeated: int
    pruned: int = 0
    stages: StageCoverage | None = None
    skipped: int = 0

    @property
    def complete(self) -> bool:
        """Everything planned is finished, or pruned by an optimiser or a halving, and nothing was finished twice."""
        trials_are = self.finished + self.pruned == self.planned and self.repeated == 0
        return trials_are and (self.stages is None or self._stages_are_complete(self.stages))

    def _stages_are_complete(self, stages: StageCoverage) -> bool:
        """Whether all are there that a finished trial started from: what was pruned may never have needed its own."""
        return stages.complete or (self.pruned > 0 and not stages.repeated)

    @property
    def settled(self) -> bool:
        """Nothing is left to try, though some may have failed for good."""
        return self.pending == 0 and self.running == 0

    def left_alone(self) -> "Coverage":
        """Return it for a study that nobody drives: what its last driver left under way is to be run again."""
        stages = self.stages
        if stages is not None:
            stages = replace(stages, running=0, pending=stages.pending + stages.running)
        return replace(self, running=0, pending=self.pending + self.running, stages=stages)

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as programs read it: its sentence as ``line``, and its numbers."""
        return {"line": str(self), "complete": self.complete, **asdict(self)}

    def __str__(self) -> str:
        state = "complete" if self.complete else "settled" if self.settled else "incomplete"
        pruned = f", {self.pruned} pruned" if self.pruned else ""
        skipped = f", {self.skipped} skipped on purpose" if self.skipped else ""
        running = f", {self.running} running" if self.running else ""
        repeated = f", {self.repeated} finished more than once" if self.repeated else ""
        return (
            f"{state}: {self.planned} planned, {self.finished} finished, {self.failed} failed, "
            f"{self.pending} pending{pruned}{skipped}{running}{repeated}"
            + (f"; {self.stages}" if self.stages is not None else "")
        )


@dataclass(frozen=True)
class Survey:
    """How far a study is at one moment: the state of every trial, how often one finished twice, a halving's standing.

    The ledger is read once for all that follows from it: in a halving, each reading goes through every epoch.
    """

    states: Mapping[str, str]
    standing: Standing | None
    n_repeated: int
    stages: StageCoverage
    is_optimised: bool

    @property
    def unfinished(self) -> set[str]:
        """The trials that are neither finished, nor failed for good, nor left out."""
        return {trial for trial, state in self.states.items() if state not in OVER}

    @property
    def pending(self) -> set[str]:
        """The trials that are to run now: the unfinished ones, or what a halving's rung lacks."""
        return self.unfinished if self.standing is None else set(self.standing.lacking)

    @property
    def coverage(self) -> Coverage:
        """The trials counted by state.

        What an optimiser has pruned is done, and what a halving left behind; a plain sweep would still have to run it.
        """
        states, n_pruned = Counter(self.states.values()), self._n_pruned()
        return Coverage(
            planned=states.total() - states["skipped"],
            finished=states["finished"],
            failed=states["failed"],
            running=states["running"],
            pending=states["planned"] + states["pruned"] - n_pruned,
            repeated=self.n_repeated,
            pruned=n_pruned,
            stages=self.stages if self.stages.planned else None,
            skipped=states["skipped"],
        )

    def _n_pruned(self) -> int:
        """Count the trials that were ended early and stay so."""
        pruned = {trial for trial, state in self.states.items() if state == "pruned"}
        if self.standing is not None:
            return len(pruned - self.standing.lacking.keys())
        return len(pruned) if self.is_optimised else 0
