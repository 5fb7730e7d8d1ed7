"""The one training loop: a trial in, epochs out, an outcome at the end."""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from gridsearch.encoders.checkpoint.anatomy import word_table
from gridsearch.encoders.classifier import Classifier, pack, restore, snapshot
from gridsearch.encoders.load import EncoderWeights
from gridsearch.errors import DivergedError, GridSearchError, MetricError
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.encode import EncodedPart, EncodedSplit, EncodedTask
from gridsearch.tasks.judging.guesses import guess_of, said_alike
from gridsearch.tasks.judging.judge import mean_of, measured
from gridsearch.tasks.judging.multilabel import best_thresholds
from gridsearch.tasks.learned import why_not_learned
from gridsearch.training.deadline import Deadline
from gridsearch.training.execution import Execution, computing, device_of, peak_bytes, to_the_end
from gridsearch.training.finite import weights_are_finite
from gridsearch.training.losses.step import build_loss
from gridsearch.training.prepared import Prepared, preparations
from gridsearch.trial import ONE_MODEL, Epoch, Metrics, Outcome, PartOutcome, Trial


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
        trained = preparations(trial, data, encoder, execution)
        if not all(weights_are_finite(one.model) for one in trained):
            raise GridSearchError("the encoder's weights are not all finite numbers: nothing can be trained from them")
        course = _Course(trial.recipe, data)
        for number in range(1, trial.recipe.epochs + 1):
            yield _run_epoch(number, trained, course, check)
            if course.is_over(number):
                break
        parts = _report(course, trained, check)
        if execution.train_metric:
            found = _train_metrics(course, trained, check)
            parts = {name: replace(part, train=found.get(name)) for name, part in parts.items()}
    return Outcome(
        epochs=tuple(course.epochs),
        chosen_epoch=course.chosen_epoch,
        parts=parts,
        seconds=time.perf_counter() - started,
        peak_bytes=peak_bytes(device),
        not_learned=course.why_not_learned(parts),
        weights=_weights_bytes(course, trained, encoder) if execution.keep_weights else None,
    )


def _run_epoch(number: int, trained: Sequence[Prepared], course: "_Course", check: Callable[[], None]) -> Epoch:
    """Train on every row once, and judge the weights that the recipe evaluates."""
    begun = time.perf_counter()
    losses = [one.steps.run_epoch(number, check) for one in trained]
    after = time.perf_counter()
    # Weights of words that dev lacks, or of an average's other half, show in no loss and in no logits.
    broken = "" if np.isfinite(losses).all() else "training loss is"
    broken = broken or ("" if all(weights_are_finite(one.model) for one in trained) else "weights are")
    with contextlib.ExitStack() as evaluated:
        for one in trained:
            evaluated.enter_context(one.steps.updates.evaluated_weights())
        judged = broken or _judge(trained, check)
        results = {} if isinstance(judged, str) else {name: part.metrics for name, part in judged.items()}
        epoch = Epoch(number, fmean(losses), after - begun, time.perf_counter() - after, results)
        course.add(epoch, losses, judged, [one.model for one in trained])
    return epoch


@dataclass(frozen=True)
class _Judged:
    metrics: Metrics
    logits: np.ndarray


_ByPart = Mapping[str, _Judged]


@dataclass(frozen=True)
class _Chosen:
    """An epoch that is reported: what was judged of each part, and the weights of each model."""

    epoch: int
    value: float
    judged: _ByPart
    weights: Sequence[dict[str, Tensor]]


class _Course:
    """How a trial has gone so far: its epochs, the best of them, and those that the recipe reports the mean of."""

    def __init__(self, recipe: Recipe, data: EncodedTask) -> None:
        self._recipe, self._data = recipe, data
        self.epochs: list[Epoch] = []
        self._losses: list[list[float]] = []
        self._best: tuple[int, float] | None = None
        self._chosen: list[_Chosen] = []
        self._broken = ""
        self.moved_by: dict[str, np.ndarray] = {}

    @property
    def chosen(self) -> list[_Chosen]:
        """The epochs whose mean is reported, in their order; there is one at least when the trial is over."""
        return sorted(self._chosen, key=lambda one: one.epoch)

    @property
    def chosen_epoch(self) -> int:
        """The best of them, or the last, as the recipe selects."""
        return self._chosen[0].epoch

    def add(self, epoch: Epoch, losses: list[float], judged: _ByPart | str, models: Sequence[Classifier]) -> None:
        """Note an epoch, with the training loss of each model; keep weights where they may be among those reported."""
        self.epochs.append(epoch)
        if isinstance(judged, str):
            self._broken = judged
            return
        self._losses.append(losses)
        target = self._data.target
        value = target.of(epoch.dev)
        if self._best is None or target.is_better(value, self._best[1]):
            self._best = epoch.number, value
        better = [one for one in self._chosen if not target.is_better(value, one.value)]
        place = 0 if self._recipe.selection == "last" else len(better)
        if place < self._recipe.checkpoints:
            del self._chosen[self._recipe.checkpoints - 1 :]
            self._chosen.insert(place, _Chosen(epoch.number, value, judged, [snapshot(model) for model in models]))

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

    def why_not_learned(self, outcomes: Mapping[str, PartOutcome]) -> str:
        """Say why the run did not learn; empty when it did. It did where it learned any part of the target."""
        wanted = {name for name, _ in self._data.target.metrics}
        parts = [part for part in self._data.parts if part.name in wanted]
        reasons = [self._why_not_learned(part, outcomes[part.name]) for part in parts]
        if not all(reasons) or len(reasons) == 1:
            return "" if not all(reasons) else reasons[0]
        return "; ".join(f"{part.name}: {reason}" for part, reason in zip(parts, reasons, strict=True))

    def _why_not_learned(self, part: EncodedPart, outcome: PartOutcome) -> str:
        is_alone = len(self._data.parts) == 1 or self._recipe.parts.training == "separate"
        on_dev = _labels(part, self._data.dev)
        return why_not_learned(
            outcome.dev,
            said_alike(on_dev, outcome.dev_logits, part.labelling.kind),
            # The loss of several parts together is no part's.
            [losses[part.number] for losses in self._losses] if is_alone else [],
            build_loss(self._recipe, self._data.train, part, torch.device("cpu")).of_chance(),
            guess_of(part.metric, on_dev, part.labelling),
        )

    def choose_thresholds(self, part: EncodedPart, labels: np.ndarray, logits: np.ndarray) -> None:
        """Choose by dev how far the logits of a part's labels are moved, where the recipe asks for it."""
        if part.labelling.kind == "multilabel" and self._recipe.label_thresholds == "dev":
            self.moved_by[part.name] = -best_thresholds(labels, logits)

    def moved(self, part: EncodedPart, logits: np.ndarray) -> np.ndarray:
        """Return the logits of a part's labels, moved by what was chosen for them."""
        return logits + self.moved_by[part.name] if part.name in self.moved_by else logits


def _judge(trained: Sequence[Prepared], check: Callable[[], None]) -> _ByPart | str:
    """Measure the models on dev, or say what of them is no finite number."""
    found: dict[str, _Judged] = {}
    for one in trained:
        if not weights_are_finite(one.model):
            return "averaged weights are"
        dev = one.data.dev
        logits = one.predict(dev, check)
        if not np.isfinite(logits).all():
            return "outputs on dev are"
        for part in one.data.parts:
            own = part.of_logits(logits, dev)
            found[part.name] = _Judged(measured(_labels(part, dev), own, part.labelling), own)
    return found


def _report(course: _Course, trained: Sequence[Prepared], check: Callable[[], None]) -> dict[str, PartOutcome]:
    """Measure the mean of the chosen epochs: on test, where there is one, the only time that it is looked at."""
    outcomes: dict[str, PartOutcome] = {}
    for place, one in enumerate(trained):
        data = one.data
        on_test = [] if data.test is None else _predict(course, one, place, data.test, "test", check)
        for part in data.parts:
            said = [chosen.judged[part.name].logits for chosen in course.chosen]
            on_dev, kind = _labels(part, data.dev), part.labelling.kind
            course.choose_thresholds(part, on_dev, mean_of(said, kind))
            logits = course.moved(part, mean_of(said, kind))
            metrics, rows = measured(on_dev, logits, part.labelling), part.rows_of(data.dev)
            numbers = None if data.dev_rows is None else data.dev_rows[rows]
            outcomes[part.name] = PartOutcome(metrics, logits, dev_rows=numbers)
            if data.test is not None and len(part.rows_of(data.test)):
                labels, own = part.labels_of(data.test), course.moved(part, _mean(part, on_test, data.test))
                test = None if labels is None else measured(labels, own, part.labelling)
                outcomes[part.name] = replace(outcomes[part.name], test=test, test_logits=own)
    return outcomes


def _train_metrics(course: _Course, trained: Sequence[Prepared], check: Callable[[], None]) -> dict[str, Metrics]:
    """Measure the same mean on the task's own training rows, without dropout; of a part that cannot be, nothing.

    No trial fails for what is only told beside it.
    """
    found: dict[str, Metrics] = {}
    for place, one in enumerate(trained):
        train = one.data.own_train
        with contextlib.suppress(DivergedError, MetricError):
            logits = _predict(course, one, place, train, "train", check)
            for part in one.data.parts:
                own = course.moved(part, _mean(part, logits, train))
                found[part.name] = measured(_labels(part, train), own, part.labelling)
    return found


def _predict(
    course: _Course, prepared: Prepared, place: int, split: EncodedSplit, name: str, check: Callable[[], None]
) -> list[np.ndarray]:
    """Predict a split by each of the chosen epochs of the model at a place.

    Raises DivergedError where an output is no finite number.
    """
    found = []
    for chosen in course.chosen:
        restore(prepared.model, chosen.weights[place])
        found.append(prepared.predict(split, check))
        if not np.isfinite(found[-1]).all():
            raise _diverged(chosen.epoch, f"outputs on {name} are", prepared.recipe, "it was chosen")
    return found


def _mean(part: EncodedPart, logits: Sequence[np.ndarray], split: EncodedSplit) -> np.ndarray:
    """Return the mean of what several logits of all rows and labels say of a part's own."""
    return mean_of([part.of_logits(one, split) for one in logits], part.labelling.kind)


def _diverged(epoch: int, what: str, recipe: Recipe, why: str) -> DivergedError:
    return DivergedError(f"in epoch {epoch} of {recipe.epochs} the {what} not finite, and {why}")


def _labels(part: EncodedPart, split: EncodedSplit) -> np.ndarray:
    labels = part.labels_of(split)
    assert labels is not None, "train and dev have labels: load_task refuses others"
    return labels


def _weights_bytes(course: _Course, trained: Sequence[Prepared], encoder: EncoderWeights) -> dict[str, bytes]:
    """Serialise each model's parameters at the chosen epochs."""
    names = [ONE_MODEL] if len(trained) == 1 else [one.data.parts[0].name for one in trained]
    return {name: _packed(course, trained[place], place, encoder) for place, name in enumerate(names)}


def _packed(course: _Course, prepared: Prepared, place: int, encoder: EncoderWeights) -> bytes:
    """Serialise a model's parameters, with the vectors of all words: new text may hold other ones."""

    def kept(name: str, tensor: Tensor) -> Tensor:
        tensor = tensor.cpu().contiguous()
        if name == "outputs.shift":
            tensor = tensor.clone()
            for part in prepared.data.parts:
                tensor[part.labels] += torch.as_tensor(course.moved_by.get(part.name, 0.0))
        return prepared.cut.whole(tensor, encoder) if name == f"encoder.{word_table(encoder.config)}" else tensor

    first, *others = [one.weights[place] for one in course.chosen]
    states = [prepared.model.state_dict() | first, *others]
    return pack([{name: kept(name, tensor) for name, tensor in state.items()} for state in states])
