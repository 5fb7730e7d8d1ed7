"""The nouns of a page about pretrainings: each stage of a study, what it cost, and the trials that start from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gridsearch.canonical import canonical_json
from gridsearch.recipe.pretraining.knobs import PREFIX, set_pretraining_knobs
from gridsearch.recipe.recipe import knobs
from gridsearch.stage import LogPoint, Stage
from reports.study.failed_attempt import FailedAttempt


@dataclass(frozen=True)
class Start:
    """A trial that starts from a stage, and the cells that it is of."""

    trial: str
    seed: int
    cells: tuple[int, ...]


@dataclass(frozen=True)
class StageRow:
    """A pretraining: how far it is, what it took, and the trials that start from it.

    ``found``: another study or driver had made it. ``seconds`` are those of all attempts here, failed ones too;
    ``core_seconds`` and ``gpu_seconds`` times the threads and the share of a GPU that each held. ``run_seconds`` are
    those of the whole training, wherever it was done. ``log`` is that of the attempt that finished, else of the last
    one. ``zero_shot`` are the metrics on dev of what its encoder says by itself.
    """

    stage: Stage
    state: str
    starts: tuple[Start, ...]
    log: tuple[LogPoint, ...] = ()
    found: bool = False
    n_attempts: int = 0
    seconds: float = 0.0
    core_seconds: float = 0.0
    gpu_seconds: float = 0.0
    run_seconds: float | None = None
    peak_bytes: int | None = None
    checksum: str | None = None
    failures: tuple[FailedAttempt, ...] = ()
    zero_shot: Mapping[str, float] | None = None

    @property
    def cells(self) -> tuple[int, ...]:
        """The cells with a trial that starts from it."""
        return tuple(sorted({cell for start in self.starts for cell in start.cells}))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the trials that start from it."""
        return tuple(sorted({start.seed for start in self.starts}))

    @property
    def follows_the_trial(self) -> bool:
        """Whether its seed is that of its trials."""
        return self.stage.recipe.seed == "trial"

    @property
    def measure(self) -> dict[str, Any]:
        """What its loss is a measure of: the vocabulary, the texts, and the knobs of what is asked of them."""
        asked = {PREFIX + name: value for name, value in self.stage.knobs.items() if knobs()[PREFIX + name].of_the_loss}
        return {**asked, "encoder": self.stage.base, "texts": self.stage.corpus}

    @property
    def hidden_share(self) -> float | None:
        """Of all tokens that might be hidden, the share that was, in the whole training."""
        return self.log[-1].hidden_share if self.log else None

    @property
    def last_loss(self) -> float | None:
        """The loss that was logged last."""
        return self.log[-1].loss if self.log else None

    @property
    def settings(self) -> dict[str, Any]:
        """Its knobs that are not neutral, and its seed."""
        return {PREFIX + name: value for name, value in set_pretraining_knobs(self.stage.recipe).items()} | {
            f"{PREFIX}seed": self.stage.seed
        }


def told_apart(rows: Sequence[StageRow], starts: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return, for each stage, the knobs in which the stages differ, but for how long they are.

    A stage lacks what does not act in it. ``starts`` maps identities of encoders to what is said of them (see the
    manifest). What differs without a knob of its own has the name of what it is of.
    """
    values = [
        {PREFIX + name: value for name, value in row.stage.knobs.items()}
        | {"encoder": row.stage.base, **starts.get(row.stage.base, {}), "precision": row.stage.precision}
        for row in rows
    ]
    if len({row.stage.corpus for row in rows if row.stage.total_steps}) > 1:
        values = [one | {"texts": row.stage.corpus[:8]} for one, row in zip(values, rows, strict=True)]
    known = dict.fromkeys(name for one in values for name in one)
    differing = [name for name in known if len({repr(one[name]) for one in values if name in one}) > 1]
    if f"{PREFIX}corpus" in differing:
        differing = [name for name in differing if name != "texts"]
    return [{name: one[name] for name in differing if name in one} for one in values]


def by_measure(rows: Sequence[StageRow]) -> list[list[StageRow]]:
    """Put those together whose losses are one measure; a stage without steps has none."""
    found: dict[str, list[StageRow]] = {}
    for row in rows:
        if row.stage.total_steps:
            found.setdefault(canonical_json(row.measure), []).append(row)
    return list(found.values())
