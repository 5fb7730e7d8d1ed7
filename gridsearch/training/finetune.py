"""The one training loop: a trial in, epochs out, an outcome at the end."""

import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gridsearch.encoders.classifier import Classifier, pack, restore, snapshot
from gridsearch.encoders.load import WORD_TABLE, EncoderWeights
from gridsearch.errors import DivergedError, GridSearchError
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.encode import EncodedSplit, EncodedTask
from gridsearch.tasks.learned import guess_on, why_not_learned
from gridsearch.tasks.metrics import is_better, mean_of_probabilities, score
from gridsearch.training.deadline import Deadline
from gridsearch.training.execution import Execution, computing, device_of, peak_bytes, to_the_end
from gridsearch.training.finite import weights_are_finite
from gridsearch.training.losses import chance_loss
from gridsearch.training.prepared import Prepared, prepare
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
        part = _report(course, prepared, check)
        if execution.train_metric:
            part = replace(part, train=_train_metrics(course, prepared, check))
    return Outcome(
        epochs=tuple(course.epochs),
        chosen_epoch=course.chosen_epoch,
        parts={PART: part},
        seconds=time.perf_counter() - started,
        peak_bytes=peak_bytes(device),
        not_learned=course.why_not_learned(part),
        weights=_weights_bytes(course, prepared, encoder) if execution.keep_weights else None,
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
    """How a trial has gone so far: its epochs, the best of them, and those that the recipe reports the mean of."""

    def __init__(self, recipe: Recipe, data: EncodedTask) -> None:
        self._recipe, self._data = recipe, data
        self.epochs: list[Epoch] = []
        self._best: tuple[int, float] | None = None
        self._chosen: list[_Chosen] = []
        self._broken = ""

    @property
    def chosen(self) -> list[_Chosen]:
        """The epochs whose mean is reported, in their order; there is one at least when the trial is over."""
        return sorted(self._chosen, key=lambda one: one.epoch)

    @property
    def chosen_epoch(self) -> int:
        """The best of them, or the last, as the recipe selects."""
        return self._chosen[0].epoch

    def add(self, epoch: Epoch, judged: _Judged | str, model: Classifier) -> None:
        """Note an epoch; keep its weights where it may be one of those that are reported."""
        self.epochs.append(epoch)
        if isinstance(judged, str):
            self._broken = judged
            return
        metric = self._data.metric
        result = judged.metrics[metric]
        if self._best is None or is_better(metric, result, self._best[1]):
            self._best = epoch.number, result
        better = [one for one in self._chosen if not is_better(metric, result, one.judged.metrics[metric])]
        place = 0 if self._recipe.selection == "last" else len(better)
        if place < self._recipe.checkpoints:
            del self._chosen[self._recipe.checkpoints - 1 :]
            self._chosen.insert(place, _Chosen(epoch.number, judged, snapshot(model)))

    def is_over(self, number: int) -> bool:
        """Whether no epoch follows. Raises DivergedError when there is none to report."""
        if self._broken:
            if not self._chosen or self._recipe.selection == "last":
                asked = "selection = 'last' asks for the last epoch"
                why = asked if self._recipe.selection == "last" else "no epoch came before it"
                raise _diverged(number, self._broken, self._recipe, why)
            return True  # numbers that are not finite do not come back
        assert self._best is not None
        return number - self._best[0] == self._recipe.patience

    def why_not_learned(self, part: PartOutcome) -> str:
        """Say why the run did not learn; empty when it did."""
        data = self._data
        return why_not_learned(
            part.dev,
            np.bincount(part.dev_logits.argmax(axis=1), minlength=data.n_labels).tolist(),
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


def _report(course: _Course, prepared: Prepared, check: Callable[[], None]) -> PartOutcome:
    """Measure the mean of the chosen epochs: on test, where there is one, the only time that it is looked at."""
    data = prepared.data
    logits = mean_of_probabilities([one.judged.logits for one in course.chosen])
    part = PartOutcome(score(_labels(data.dev), logits, data.positive), logits, dev_rows=data.dev_rows)
    if data.test is None:
        return part
    logits = _predict(course, prepared, data.test, "test", check)
    test = None if data.test.labels is None else score(data.test.labels, logits, data.positive)
    return replace(part, test=test, test_logits=logits)


def _train_metrics(course: _Course, prepared: Prepared, check: Callable[[], None]) -> Metrics | None:
    """Measure the same mean on the task's own training rows, without dropout; None where it is not finite.

    No trial fails for what is only told beside it.
    """
    data, train = prepared.data, prepared.data.own_train
    try:
        logits = _predict(course, prepared, train, "train", check)
    except DivergedError:
        return None
    return score(_labels(train), logits, data.positive)


def _predict(
    course: _Course, prepared: Prepared, split: EncodedSplit, name: str, check: Callable[[], None]
) -> np.ndarray:
    """Predict a split by the mean of the chosen epochs. Raises DivergedError where an output is no finite number."""
    found = []
    for chosen in course.chosen:
        restore(prepared.model, chosen.weights)
        found.append(prepared.predict(split, check))
        if not np.isfinite(found[-1]).all():
            raise _diverged(chosen.epoch, f"outputs on {name} are", prepared.recipe, "it was chosen")
    return mean_of_probabilities(found)


def _diverged(epoch: int, what: str, recipe: Recipe, why: str) -> DivergedError:
    return DivergedError(f"in epoch {epoch} of {recipe.epochs} the {what} not finite, and {why}")


def _labels(split: EncodedSplit) -> np.ndarray:
    assert split.labels is not None, "train and dev have labels: load_task refuses others"
    return split.labels


def _weights_bytes(course: _Course, prepared: Prepared, encoder: EncoderWeights) -> bytes:
    """Serialise the chosen epochs' parameters, with the vectors of all words: new text may hold other ones."""

    def kept(name: str, tensor: Tensor) -> Tensor:
        tensor = tensor.cpu().contiguous()
        return prepared.cut.whole(tensor, encoder) if name == f"encoder.{WORD_TABLE}" else tensor

    first, *others = [one.weights for one in course.chosen]
    states = [prepared.model.state_dict() | first, *others]
    return pack([{name: kept(name, tensor) for name, tensor in state.items()} for state in states])
