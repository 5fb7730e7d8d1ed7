"""A try at a trial or a stage that failed, and what became of it."""

from dataclasses import dataclass

from reports.language.say import say


@dataclass(frozen=True)
class FailedAttempt:
    """One failed try. ``final``: its trial is not tried again; ``trial_state`` is what became of the trial since."""

    trial: str
    cells: tuple[int, ...]
    kind: str
    message: str
    final: bool
    trial_state: str

    @property
    def then(self) -> str:
        """What became of it, in words."""
        if self.trial_state == "finished":
            return say("retried, and finished")
        if self.trial_state in ("pruned", "skipped"):
            return say("retried, and pruned") if self.trial_state == "pruned" else say("left out since")
        if self.final or self.trial_state == "failed":
            return say("final: not tried again")
        return say("being retried") if self.trial_state == "running" else say("to be retried")
