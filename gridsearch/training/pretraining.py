"""Pretraining: a stage in, points of its log out, and an encoder in the machine's cache at the end.

The loop, the updates, the precision and the random streams are those of a fine-tune; what is minimised is not. A run
saves where it is, and goes on from there: to the last bit as if it had never been broken off.
"""

import json
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

import torch

from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pretraining.made import RECORD, MadeEncoder, alone, find, put
from gridsearch.encoders.pretraining.masked_lm import MaskedLM, build_masked_lm
from gridsearch.encoders.pretraining.masked_lm_files import encoder_files_of
from gridsearch.encoders.pretraining.start import start_weights
from gridsearch.errors import DivergedError
from gridsearch.optimizers.settings import UpdateSettings
from gridsearch.optimizers.updates import Updates
from gridsearch.recipe.pretraining.knobs import PREFIX, set_pretraining_knobs
from gridsearch.stage import LogPoint, Stage, StageOutcome
from gridsearch.tasks.corpus import EncodedCorpus
from gridsearch.training.deadline import Deadline
from gridsearch.training.execution import Execution, computing, device_of, peak_bytes
from gridsearch.training.finite import weights_are_finite
from gridsearch.training.hidden_tokens import HiddenTokens
from gridsearch.training.run_state import RunState, forget_state, load_state, save_state
from gridsearch.training.steps import Steps
from gridsearch.training.zero_shot import zero_shot

N_LOGGED = 100
"""A log has about so many points."""


def pretraining(
    stage: Stage, corpus: EncodedCorpus, base: EncoderWeights, execution: Execution
) -> Generator[LogPoint, None, StageOutcome]:
    """Make a stage's encoder, unless it is there by now; yields as it goes. Closing it early saves where it is.

    One that was taught labels is judged by itself: made just now or found, what lies in the cache is what is judged.
    """
    begun, check = time.perf_counter(), Deadline(execution.time_limit).check
    with alone(stage.run, check):
        made, found = find(stage.id), True
        if made is None:
            found = False
            with computing(execution):
                made = yield from _make(stage, corpus, base, execution, check)
    scores = None
    if corpus.labels is not None:
        with computing(execution):
            scores = zero_shot(stage, made, corpus.labels, corpus.pad_id, execution, check)
    outcome = outcome_of(made, time.perf_counter() - begun, peak_bytes(device_of(execution)))
    outcome = replace(outcome, zero_shot=scores)
    if execution.send_files:
        outcome = outcome.with_files(made.files())
    return outcome.as_found() if found else outcome


def steps_a_point(stage: Stage) -> int:
    """Return how many steps a point of a stage's log tells of."""
    return math.ceil(max(1, stage.total_steps) / N_LOGGED)


def outcome_of(made: MadeEncoder, seconds: float = 0.0, n_peak_bytes: int = 0) -> StageOutcome:
    """Tell what an encoder's record says of its making."""
    log = tuple(LogPoint(**point) for point in made.record["log"])
    return StageOutcome(log, made.checksum, seconds, made.record["seconds"], n_peak_bytes)


def _make(
    stage: Stage, corpus: EncodedCorpus, base: EncoderWeights, execution: Execution, check: Callable[[], None]
) -> Generator[LogPoint, None, MadeEncoder]:
    run = Run(stage, corpus, base, execution)
    yield from run.points(check)
    with run.steps.updates.evaluated_weights():
        if not weights_are_finite(run.model):
            raise DivergedError(f"at step {stage.last_step} of the pretraining, weights are not finite")
        files = encoder_files_of(run.model, run.base)
    made = put(stage.id, {**files, **_records(stage, run)})
    if stage.last_step == stage.total_steps:
        forget_state(stage.run)
    else:
        run.save()  # the checkpoints after this one go on from here
    return made


def _records(stage: Stage, run: "Run") -> dict[str, bytes]:
    """Tell how an encoder was made, for the harness and as transformers' Trainer would."""
    record = {
        "stage": stage.id,
        "knobs": {PREFIX + name: value for name, value in set_pretraining_knobs(stage.recipe).items()},
        "seed": stage.seed,
        "precision": stage.precision,
        "base": stage.base,
        "corpus": stage.corpus,
        "labels": stage.labels,
        "step": stage.last_step,
        "steps": stage.total_steps,
        "seconds": run.seconds,
        "log": [vars(point) for point in run.log],
    }
    trainer = {"global_step": stage.last_step, "log_history": [point.as_trainer_logs() for point in run.log]}
    told = {RECORD: record, "trainer_state.json": trainer}
    return {name: json.dumps(content, indent=1).encode() for name, content in told.items()}


class Run:
    """The training of a stage, from its beginning or from where an earlier attempt got."""

    def __init__(self, stage: Stage, corpus: EncodedCorpus, base: EncoderWeights, execution: Execution) -> None:
        self._stage, self._execution, device = stage, execution, device_of(execution)
        self.base = start_weights(base, stage.recipe, stage.seed)
        n_labels = 0 if corpus.labels is None else corpus.labels.n_labels
        self.model = build_model(stage, self.base, n_labels).to(device)
        self.objective = HiddenTokens(stage, corpus, self.model, device, execution.micro_batch_divisor)
        self.steps = Steps(self.objective, Updates(update_settings(stage), self.model, {}))
        self.log: list[LogPoint] = []
        self._begun, self._seconds_before = time.perf_counter(), 0.0
        # Summed where it is computed: reading it every step would stall a GPU.
        self._loss_sum, self._n_summed = torch.zeros((), device=device), 0
        self._every = steps_a_point(stage)
        self._saved = time.monotonic()
        self._saves = self._go_on()

    @property
    def seconds(self) -> float:
        """Seconds of the training so far, in all attempts at it."""
        return self._seconds_before + time.perf_counter() - self._begun

    def points(self, check: Callable[[], None]) -> Iterator[LogPoint]:
        """Take the steps that are left; ``check`` is called before each, and may raise."""
        updates, per_epoch = self.steps.updates, self.objective.n_steps_per_epoch
        self.model.train()
        while (n_taken := updates.n_taken) < self._stage.last_step:
            epoch = n_taken // per_epoch + 1
            for batch in self.objective.batches(epoch)[n_taken % per_epoch :][: self._stage.last_step - n_taken]:
                check()
                self._loss_sum += self.steps.step(batch, epoch)
                self._n_summed += 1
                if updates.n_taken % self._every == 0 or updates.n_taken == self._stage.last_step:
                    try:
                        yield self._point()
                    except GeneratorExit:  # whoever drives it is to end: the next attempt goes on from here
                        self.save()
                        raise
                    self._save_now_and_then()

    def save(self) -> None:
        """Save where the run is, unless a later attempt got further."""
        if self._saves:
            progress = {
                "loss_sum": self._loss_sum.cpu(),
                "n_summed": self._n_summed,
                "n_hidden": self.objective.n_hidden,
                "n_eligible": self.objective.n_eligible,
                "seconds": self.seconds,
            }
            log = [vars(point) for point in self.log]
            weights = self.model.state_dict()
            save_state(self._stage.run, RunState(weights, self.steps.updates.state(), progress, log))

    def _point(self) -> LogPoint:
        updates = self.steps.updates
        loss = float(self._loss_sum) / self._n_summed
        if not math.isfinite(loss):
            raise DivergedError(f"before step {updates.n_taken} of the pretraining, the loss is not finite")
        epoch = updates.n_taken / self.objective.n_steps_per_epoch
        hidden_share = self.objective.n_hidden / max(1, self.objective.n_eligible)
        point = LogPoint(updates.n_taken, epoch, loss, updates.learning_rate, self.seconds, hidden_share)
        self.log.append(point)
        if updates.n_taken % self._every == 0:
            self._loss_sum.zero_()
            self._n_summed = 0
        return point

    def _save_now_and_then(self) -> None:
        if time.monotonic() - self._saved >= self._execution.save_seconds:
            self.save()
            self._saved = time.monotonic()

    def _go_on(self) -> bool:
        """Go on from what was saved; return whether this run may save: not over one that got further."""
        if (state := load_state(self._stage.run)) is None:
            return True
        if state.n_taken > self._stage.last_step:
            return False
        self.model.load_state_dict(state.weights)
        self.steps.updates.go_on_from(state.updates)
        self._loss_sum.copy_(state.progress["loss_sum"])
        self._n_summed, self._seconds_before = state.progress["n_summed"], state.progress["seconds"]
        # A state of before they were counted lacks them.
        self.objective.n_hidden = state.progress.get("n_hidden", 0)
        self.objective.n_eligible = state.progress.get("n_eligible", 0)
        # A point that an earlier checkpoint ended with, between two of the run's own, is none of the run's.
        points = (LogPoint(**values) for values in state.log)
        self.log = [point for point in points if point.step % self._every == 0]
        return True


def build_model(stage: Stage, base: EncoderWeights, n_labels: int) -> MaskedLM:
    """Make what is trained."""
    dropout = None if stage.recipe.dropout == "checkpoint" else float(stage.recipe.dropout)
    next_sentence, seed = stage.recipe.next_sentence, stage.seed
    return build_masked_lm(base, dropout=dropout, next_sentence=next_sentence, seed=seed, n_labels=n_labels)


def update_settings(stage: Stage) -> UpdateSettings:
    """Return what a stage says of its updates."""
    recipe = stage.recipe
    return UpdateSettings(
        total_steps=stage.total_steps,
        learning_rate=recipe.learning_rate,
        adam_beta2=recipe.adam_beta2,
        weight_decay=recipe.weight_decay,
        clip_norm=recipe.clip_norm,
        schedule=recipe.schedule,
        warmup_proportion=recipe.warmup_proportion,
        lookahead_steps=recipe.lookahead_steps,
        lookahead_alpha=recipe.lookahead_alpha,
    )
