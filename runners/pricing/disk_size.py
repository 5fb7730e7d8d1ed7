"""The disk that a sweep takes, in its study and in the cache: a bound, known before anything is run."""

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gridsearch.cache import cache_folder
from gridsearch.canonical import canonical_json
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.config import CONFIG, read_config
from gridsearch.encoders.checkpoint.tokenizer import tokenizer_files
from gridsearch.encoders.ids.tokenizer import tokenizer_as_read
from gridsearch.encoders.pretraining.made import folder_of
from gridsearch.encoders.tiny import tiny
from gridsearch.encoders.tiny.weights import model_config
from gridsearch.planning.plan import Plan
from gridsearch.scratch import scratch_folder
from gridsearch.stage import FROM_SCRATCH, OF_AN_ENCODER, Stage
from gridsearch.study.ledger_size import n_finished
from gridsearch.study.study import Study
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.trial import Trial
from runners.keeper import n_kept
from runners.lengths import tokenizer_of
from runners.pricing.stored_bytes import (
    SETTINGS_BYTES,
    Outline,
    StageBytes,
    classifier_bytes,
    n_points,
    stage_bytes,
)

BLOCK_BYTES: Final = 4096
"""Files and folders fill whole blocks of a disk."""
N_FILES: Final = 12
"""In a folder of an encoder or of kept weights, at most, those below it included."""
LEDGER_SPREAD: Final = 1.25
"""A ledger is foretold to a fifth of its size; texts in it, and its journal while it is written, are of any length."""
LEDGER_BYTES: Final = 150_000
"""Of what a ledger has whatever its size: the machine and versions of a start, a yardstick; of its page, too."""
CELL_BYTES: Final = 1000
"""Of a page, for each of its cells."""
ROW_BYTES: Final = 120
"""Of a point of a pretraining's log, in a ledger."""
ROWS_OF_A_STAGE: Final = 40
"""What a ledger has of a pretraining beside its log takes as much as so many points."""
CARD_BYTES: Final = 4000
"""Of what kept weights say of themselves, beside their recipe and labels."""
CACHE_BYTES: Final = 100_000
"""Of what the cache keeps of texts, prices and files that were looked at."""


@dataclass(frozen=True)
class WeightsSize:
    """``n`` sets of weights of at most ``each_bytes`` lie in a study at one moment, ``total_bytes`` together."""

    n: int
    each_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class DiskSize:
    """What lies on the disk at most: in the study, in the cache when all is finished, and beside it till then.

    ``earlier_bytes`` are of weights that an earlier command kept, and that stay.
    """

    ledger_bytes: int
    page_bytes: int
    weights: WeightsSize
    earlier_bytes: int
    n_encoders: int
    cache_bytes: int
    passing_bytes: int

    @property
    def study_bytes(self) -> int:
        """Bytes of the study's folder at any moment."""
        return self.ledger_bytes + self.page_bytes + self.weights.total_bytes + self.earlier_bytes


def disk_size(
    plan: Plan, study: Study, made: Collection[str], *, keep: str, ledger_bytes: int, n_workers: int
) -> DiskSize:
    """Foretell it. ``ledger_bytes``: as they are expected; ``made``: pretrainings whose encoders are in the cache."""
    sizes, limit = _Sizes(plan), n_kept(keep)
    stay, passing = _of_stages(sizes, plan, made, n_workers)
    stay += sum(
        _blocks(sizes.of_card(card).bytes)
        for card in plan.starts.values()
        if card.is_made_of_the_texts and not tiny.is_whole(folder_of(card.identity))
    )
    return DiskSize(
        round(LEDGER_SPREAD * ledger_bytes) + LEDGER_BYTES + _log_bytes(plan),
        CELL_BYTES * len(plan.cells),
        _weights(sizes, plan, limit),
        bytes_below(study.weights_folder) if limit == 0 else 0,
        len(plan.stages.keys() - {*made}),
        stay + CACHE_BYTES,
        passing,
    )


def bytes_below(folder: Path) -> int:
    """Count what lies in a folder, in whole blocks; what goes away meanwhile counts as nothing."""
    found = 0
    for top, _, names in os.walk(folder):
        found += BLOCK_BYTES
        for name in names:
            try:
                n_bytes = Path(top, name).lstat().st_size
            except OSError:
                continue
            found += -(-n_bytes // BLOCK_BYTES) * BLOCK_BYTES
    return found


def shortages(size: DiskSize, study: Study) -> Iterator[tuple[Path, int, int]]:
    """Yield the folders whose disk has too little room: (folder, bytes that are still to come, bytes that are free)."""
    study_wants = max(0, size.study_bytes - bytes_below(study.folder))
    cache_wants = size.cache_bytes + size.passing_bytes
    places = [_there(folder) for folder in (study.folder, cache_folder())]
    if places[0].stat().st_dev == places[1].stat().st_dev:
        wanted = [(study.folder, places[0], study_wants + cache_wants)]
    else:
        wanted = [(study.folder, places[0], study_wants), (cache_folder(), places[1], cache_wants)]
    for folder, place, n_bytes in wanted:
        free = shutil.disk_usage(place).free
        if free < n_bytes:
            yield folder, n_bytes, free


def _there(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())


class _Sizes:
    """Sizes of what a plan's trials and stages start from and make; each model is outlined once."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._outlines: dict[str, Outline] = {}
        self._stages: dict[str, StageBytes] = {}
        self._trials: dict[str, int] = {}

    def of_card(self, card: EncoderCard) -> Outline:
        """Return the outline of an encoder that no pretraining makes."""
        return self._once(card.identity, lambda: _outline(card, self._plan.task))

    def of_start(self, stage: Stage) -> Outline:
        """Return the outline of what a pretraining starts from, whose shape what it makes has, too."""
        base = self.of_card(self._plan.starts[stage.base])
        shape = {name: getattr(stage.recipe, name) for name in ("base", *OF_AN_ENCODER, *FROM_SCRATCH, "max_length")}
        return self._once(canonical_json([stage.base, shape]), lambda: base.started(stage))

    def of_stage(self, stage: Stage) -> StageBytes:
        """Return what a pretraining makes, and what it goes on from where it was broken off."""
        if stage.id not in self._stages:
            n_labels = sum(len(one.label_names) for one in self._plan.task.parts.values())
            found = stage_bytes(self.of_start(stage), stage, n_labels)
            self._stages[stage.id] = StageBytes(_blocks(found.encoder), _blocks(found.state, 1))
        return self._stages[stage.id]

    def of_weights(self, trial: Trial) -> int:
        """Return what kept weights of a trial take: of each model that it trains."""
        parts = list(self._plan.task.parts.values())
        stage = trial.stage
        outline = self.of_card(self._plan.starts[trial.encoder]) if stage is None else self.of_start(stage)
        card = canonical_json([trial.recipe.model_dump(), [one.label_names for one in parts]])
        key = f"{id(outline)} {card}"
        if key not in self._trials:
            is_apart = trial.recipe.parts.training == "separate"
            n_card_bytes = 2 * len(card.encode()) + CARD_BYTES
            found = _blocks(n_card_bytes, 1)
            for several in [[one] for one in parts] if is_apart else [parts]:
                n_bytes = classifier_bytes(
                    outline,
                    trial.recipe,
                    sum(len(one.label_names) for one in several),
                    len(several),
                    in_units=any(one.labelling.kind != "class" for one in several),
                )
                found += _blocks(n_bytes + outline.tokenizer_bytes + n_card_bytes)
            self._trials[key] = found
        return self._trials[key]

    def _once(self, key: str, make: Callable[[], Outline]) -> Outline:
        if key not in self._outlines:
            self._outlines[key] = make()
        return self._outlines[key]


def _outline(card: EncoderCard, task: AnyTask) -> Outline:
    """Look at an encoder's config and tokenizer, of one that is made here before it is made."""
    if card.is_made_of_the_texts:
        tokenizer = tokenizer_of(card, task)
        vocabulary = tokenizer.get_vocab()
        with scratch_folder() as folder:
            tokenizer.save_pretrained(folder)
            n_bytes = sum(path.stat().st_size for path in folder.iterdir())
        n_bytes += sum(len(token.encode()) + 1 for token in vocabulary) + SETTINGS_BYTES
        return Outline(model_config(len(vocabulary), tiny.TINY).to_dict(), n_bytes)
    assert card.folder is not None, "what is not made here lies in a folder"
    files = tokenizer_as_read(tokenizer_files(card.folder), card)
    config = read_config(card.folder)
    if card.ids is not None:
        config = {**config, "vocab_size": json.loads(files[CONFIG])["vocab_size"]}
    return Outline(config, sum(map(len, files.values())))


def _weights(sizes: _Sizes, plan: Plan, limit: int | None) -> WeightsSize:
    """Weights are written beside those that they replace: one more than are kept lies there for a moment."""
    if limit == 0:
        return WeightsSize(0, 0, 0)
    found = sorted((sizes.of_weights(trial) for trial in plan.trials.values()), reverse=True)
    if plan.halving is not None:
        del found[n_finished(plan) :]
    if limit is not None:
        del found[limit + 1 :]
    return WeightsSize(len(found), found[0], sum(found))


def _of_stages(sizes: _Sizes, plan: Plan, made: Collection[str], n_workers: int) -> tuple[int, int]:
    """Return bytes of encoders and of states that stay, and of states that go away when their runs are over.

    A state is there from the first time that a run saves until it has come to its last step, and while it is written
    the one before it is there, too: of as many runs as there are workers.
    """
    runs: dict[str, list[Stage]] = {}
    for stage in plan.stages.values():
        if stage.id not in made:
            runs.setdefault(stage.run, []).append(stage)
    stay, go, states = 0, 0, []
    for stages in runs.values():
        found = [sizes.of_stage(stage) for stage in stages]
        stay += sum(one.encoder for one in found)
        state = max(one.state for one in found)
        states.append(state)
        if any(stage.last_step == stage.total_steps for stage in stages):
            go += state
        else:
            stay += state
    return stay, go + sum(sorted(states, reverse=True)[:n_workers])


def _log_bytes(plan: Plan) -> int:
    """Count what a ledger has of pretrainings: each point of their logs is a row."""
    return sum(ROW_BYTES * (n_points(stage) + ROWS_OF_A_STAGE) for stage in plan.stages.values())


def _blocks(n_bytes: int, n_files: int = N_FILES) -> int:
    """Round up: each file fills whole blocks of a disk."""
    return n_bytes + n_files * BLOCK_BYTES
