"""The one training loop: a trial in, epochs out, an outcome at the end."""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from gridsearch.encoders.classifier import Classifier, restore, snapshot
from gridsearch.encoders.load import WORD_TABLE, EncoderWeights
from gridsearch.errors import DivergedError, GridSearchError
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.encode import EncodedSplit, EncodedTask
from gridsearch.tasks.learned import guess_on, why_not_learned
from gridsearch.tasks.metrics import is_better, score
from gridsearch.training.deadline import Deadline
from gridsearch.training.execution import Execution, computing, device_of, peak_bytes, to_the_end
from gridsearch.training.finite import weights_are_finite
from gridsearch.training.losses import chance_loss
from gridsearch.training.prepared import Prepared, prepare
from gridsearch.training.used_vocabulary import UsedVocabulary
from gridsearch.trial import PART, Epoch, Metrics, Outcome, PartOutcome, Trial


def finetune(
    trial: Trial,
    data: EncodedTask,
    encoder: EncoderWeights,
    execution: Execution | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Outcome:
    """Run one trial to its end."""
    return to_the_end(finetuning(trial, data, encoder, execution or Execution()), on_epoch)


def finetuning(
    trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution
) -> Generator[Epoch, None, Outcome]:
    """Run one trial; yields after every epoch and returns the outcome. Closing it early stops the trial."""
    started, device = time.perf_counter(), device_of(execution)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    check = Deadline(execution.time_limit).check
    with computing(execution):
        prepared = prepare(trial, data, encoder, execution)
        if not weights_are_finite(prepared.model):
            raise GridSearchError("the encoder's weights are not all finite numbers: nothing can be trained from them")
        course = _Course(trial.recipe, prepared.data)
        for number in range(1, trial.recipe.epochs + 1):
            yield _run_epoch(number, prepared, course, check)
            if course.is_over(number):
                break
        part = _test(course, prepared, check)
    return Outcome(
        epochs=tuple(course.epochs),
        chosen_epoch=course.chosen.epoch,
        parts={PART: part},
        seconds=time.perf_counter() - started,
        peak_bytes=peak_bytes(device),
        not_learned=course.why_not_learned(),
        weights=_weights_bytes(prepared.model, prepared.cut, encoder) if execution.keep_weights else None,
    )


def _run_epoch(number: int, prepared: Prepared, course: "_Course", check: Callable[[], None]) -> Epoch:
    """Train on every row once, and judge the weights that the recipe evaluates."""
    model, steps = prepared.model, prepared.steps
    begun = time.perf_counter()
    train_loss = steps.run_epoch(number, check)
    trained = time.perf_counter()
    # Weights of words that dev lacks, or of an average's other half, show in no loss and in no logits.
    broken = "training loss is" if not math.isfinite(train_loss) else ""
    broken = broken or ("" if weights_are_finite(model) else "weights are")
    with steps.updates.evaluated_weights():
        judged = broken or _judge(prepared, check)
        results = {} if isinstance(judged, str) else {PART: judged.metrics}
        epoch = Epoch(number, train_loss, trained - begun, time.perf_counter() - trained, results)
        course.add(epoch, judged, model)
    return epoch


@dataclass(frozen=True)
class _Judged:
    metrics: Metrics
    logits: np.ndarray


@dataclass(frozen=True)
class _Chosen:
    epoch: int
    judged: _Judged
    weights: dict[str, Tensor]


class _Course:
    """How a trial has gone so far: its epochs, the best of them, and the one that the recipe reports."""

    def __init__(self, recipe: Recipe, data: EncodedTask) -> None:
        self._recipe, self._data = recipe, data
        self.epochs: list[Epoch] = []
        self._best: tuple[int, float] | None = None
        self._chosen: _Chosen | None = None
        self._broken = ""

    @property
    def chosen(self) -> _Chosen:
        """The epoch that is reported; there is one when the trial is over."""
        assert self._chosen is not None
        return self._chosen

    def add(self, epoch: Epoch, judged: _Judged | str, model: Classifier) -> None:
        """Note an epoch; keep its weights where it may be the one that is reported."""
        self.epochs.append(epoch)
        if isinstance(judged, str):
            self._broken = judged
            return
        result = judged.metrics[self._data.metric]
        is_best = self._best is None or is_better(self._data.metric, result, self._best[1])
        if is_best:
            self._best = epoch.number, result
        if is_best or self._recipe.selection == "last":
            self._chosen = _Chosen(epoch.number, judged, snapshot(model))

    def is_over(self, number: int) -> bool:
        """Whether no epoch follows. Raises DivergedError when there is none to report."""
        if self._broken:
            if self._chosen is None or self._recipe.selection == "last":
                raise _diverged(number, self._broken, self._recipe)
            return True  # numbers that are not finite do not come back
        assert self._best is not None
        return number - self._best[0] == self._recipe.patience

    def why_not_learned(self) -> str:
        """Say why the run did not learn; empty when it did."""
        data, judged = self._data, self.chosen.judged
        return why_not_learned(
            judged.metrics,
            np.bincount(judged.logits.argmax(axis=1), minlength=data.n_labels).tolist(),
            [epoch.train_loss for epoch in self.epochs if epoch.is_finite],
            chance_loss(self._recipe, data.n_labels),
            guess_on(data.metric, np.bincount(_labels(data.dev), minlength=data.n_labels).tolist(), data.positive),
        )


def _judge(prepared: Prepared, check: Callable[[], None]) -> _Judged | str:
    """Measure the model on dev, or say what of it is no finite number."""
    if not weights_are_finite(prepared.model):
        return "averaged weights are"
    data = prepared.data
    logits = prepared.predict(data.dev, check)
    if not np.isfinite(logits).all():
        return "outputs on dev are"
    return _Judged(score(_labels(data.dev), logits, data.positive), logits)


def _test(course: _Course, prepared: Prepared, check: Callable[[], None]) -> PartOutcome:
    """Measure the chosen epoch's weights on test, where there is one: the only time that it is looked at."""
    data, chosen = prepared.data, course.chosen
    part = PartOutcome(chosen.judged.metrics, chosen.judged.logits, dev_rows=data.dev_rows)
    restore(prepared.model, chosen.weights)
    if data.test is None:
        return part
    logits = prepared.predict(data.test, check)
    if not np.isfinite(logits).all():
        raise _diverged(chosen.epoch, "outputs on test are", prepared.recipe)
    test = None if data.test.labels is None else score(data.test.labels, logits, data.positive)
    return replace(part, test=test, test_logits=logits)


def _diverged(epoch: int, what: str, recipe: Recipe) -> DivergedError:
    asked = "selection = 'last' asks for the last epoch" if recipe.selection == "last" else "no epoch came before it"
    why = "it was the chosen epoch" if what.endswith("test are") else asked
    return DivergedError(f"in epoch {epoch} of {recipe.epochs} the {what} not finite, and {why}")


def _labels(split: EncodedSplit) -> np.ndarray:
    assert split.labels is not None, "train and dev have labels: load_task refuses others"
    return split.labels


def _weights_bytes(model: nn.Module, cut: UsedVocabulary, encoder: EncoderWeights) -> bytes:
    """Serialise the trained parameters, with the vectors of all words: new text may hold others than the task's."""
    from safetensors.torch import save

    state = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    name = f"encoder.{WORD_TABLE}"
    return save({**state, name: cut.whole(state[name], encoder)})
