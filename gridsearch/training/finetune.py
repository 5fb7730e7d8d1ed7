"""The one training loop: a trial in, epochs out, an outcome at the end."""

import contextlib
import math
import resource
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from gridsearch.encoders.classifier import Classifier, build_classifier, restore, snapshot
from gridsearch.encoders.load import EncoderWeights
from gridsearch.errors import DivergedError, GridSearchError
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.batches import collate, evaluation_batches
from gridsearch.tasks.encode import EncodedSplit, EncodedTask
from gridsearch.tasks.learned import guess_on, why_not_learned
from gridsearch.tasks.metrics import is_better, score
from gridsearch.training.deadline import Deadline
from gridsearch.training.frozen_states import with_frozen_states
from gridsearch.training.losses import chance_loss
from gridsearch.training.objective import Steps, autocast
from gridsearch.training.used_vocabulary import TABLE, Occurring, occurring
from gridsearch.trial import PART, Epoch, Metrics, Outcome, PartOutcome, Trial


@dataclass(frozen=True)
class Execution:
    """How to execute a trial; none of it changes what the trial means.

    ``micro_batch_divisor`` cuts every batch into so many passes of the same total gradient, equal but for rounding (on
    a GPU: with dropout masks of their own), and those of evaluation likewise. ``keep_weights`` puts the trained
    parameters into the outcome. ``time_limit``: seconds that it may take.
    """

    threads: int = 1
    device: str = "auto"
    micro_batch_divisor: int = 1
    keep_weights: bool = False
    time_limit: float | None = None

    def facts(self) -> dict[str, object]:
        """Return what has to be repeated to get the same numbers to the last bit."""
        device = str(device_of(self))
        return {"threads": self.threads, "device": device, "micro_batch_divisor": self.micro_batch_divisor}


def finetune(
    trial: Trial,
    data: EncodedTask,
    encoder: EncoderWeights,
    execution: Execution | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Outcome:
    """Run one trial to its end."""
    epochs = finetuning(trial, data, encoder, execution or Execution())
    while True:
        try:
            on_epoch(next(epochs))
        except StopIteration as stop:
            outcome: Outcome = stop.value
            return outcome


def finetuning(
    trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution
) -> Generator[Epoch, None, Outcome]:
    """Run one trial; yields after every epoch and returns the outcome. Closing it early stops the trial."""
    recipe, started = trial.recipe, time.perf_counter()
    device = device_of(execution)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    deadline = Deadline(execution.time_limit)
    with computing(execution):
        cut, steps = prepare(trial, data, encoder, execution)
        data, model = steps.data, steps.model
        if not weights_are_finite(model):
            raise GridSearchError("the encoder's weights are not all finite numbers: nothing can be trained from them")

        def logits_of(split: EncodedSplit) -> np.ndarray:
            divisor, check = execution.micro_batch_divisor, deadline.check
            return predict(model, split, data.pad_id, device, recipe.precision, divisor=divisor, before_batch=check)

        epochs: list[Epoch] = []
        best: Epoch | None = None
        chosen: _Chosen | None = None
        for number in range(1, recipe.epochs + 1):
            begun = time.perf_counter()
            train_loss = steps.run_epoch(number, deadline.check)
            trained = time.perf_counter()
            # Weights of words that dev lacks, or of an average's other half, show in no loss and in no logits.
            broken = "training loss is" if not math.isfinite(train_loss) else ""
            broken = broken or ("" if weights_are_finite(model) else "weights are")
            with steps.evaluated_weights():
                judged = broken or _judge(model, data, logits_of)
                results = {} if isinstance(judged, str) else {PART: judged.metrics}
                epoch = Epoch(number, train_loss, trained - begun, time.perf_counter() - trained, results)
                epochs.append(epoch)
                if not isinstance(judged, str):
                    dev = judged.metrics
                    is_best = best is None or is_better(data.metric, dev[data.metric], best.dev[PART][data.metric])
                    if is_best:
                        best = epoch
                    if is_best or recipe.selection == "last":
                        chosen = _Chosen(number, judged, snapshot(model))
            yield epoch
            if isinstance(judged, str):
                if chosen is None or recipe.selection == "last":
                    raise _diverged(number, judged, recipe)
                break  # numbers that are not finite do not come back
            assert best is not None
            if number - best.number == recipe.patience:
                break
        assert chosen is not None
        restore(model, chosen.weights)
        test_logits = None if data.test is None else logits_of(data.test)
        if test_logits is not None and not np.isfinite(test_logits).all():
            raise _diverged(chosen.epoch, "outputs on test are", recipe)
        dev = chosen.judged.metrics
        part = PartOutcome(dev, chosen.judged.logits)
        if data.test is not None and test_logits is not None:
            test = None if data.test.labels is None else score(data.test.labels, test_logits, data.positive)
            part = replace(part, test=test, test_logits=test_logits)
    return Outcome(
        epochs=tuple(epochs),
        chosen_epoch=chosen.epoch,
        parts={PART: part},
        seconds=time.perf_counter() - started,
        peak_bytes=_peak_bytes(device),
        not_learned=why_not_learned(
            dev,
            np.bincount(chosen.judged.logits.argmax(axis=1), minlength=data.n_labels).tolist(),
            [epoch.train_loss for epoch in epochs if epoch.is_finite],
            chance_loss(recipe, data.n_labels),
            guess_on(data.metric, np.bincount(_labels(data.dev), minlength=data.n_labels).tolist(), data.positive),
        ),
        weights=_weights_bytes(model, cut, encoder) if execution.keep_weights else None,
    )


def prepare(trial: Trial, data: EncodedTask, encoder: EncoderWeights, execution: Execution) -> tuple[Occurring, Steps]:
    """Do all that comes before the first step: the words that occur, the model, what frozen layers give."""
    device, cut = device_of(execution), occurring(data, encoder)
    model = build_classifier(trial.recipe, cut.encoder, data.n_labels, trial.seed).to(device)
    data = with_frozen_states(trial, cut.data, model) if device.type == "cpu" else cut.data
    return cut, Steps(trial, data, model, device, execution.micro_batch_divisor)


@dataclass(frozen=True)
class _Judged:
    metrics: Metrics
    logits: np.ndarray


@dataclass(frozen=True)
class _Chosen:
    epoch: int
    judged: _Judged
    weights: dict[str, Tensor]


def _judge(model: Classifier, data: EncodedTask, logits_of: Callable[[EncodedSplit], np.ndarray]) -> _Judged | str:
    """Measure the model on dev, or say what of it is no finite number."""
    if not weights_are_finite(model):
        return "averaged weights are"
    logits = logits_of(data.dev)
    if not np.isfinite(logits).all():
        return "outputs on dev are"
    return _Judged(score(_labels(data.dev), logits, data.positive), logits)


def _diverged(epoch: int, what: str, recipe: Recipe) -> DivergedError:
    asked = "selection = 'last' asks for the last epoch" if recipe.selection == "last" else "no epoch came before it"
    why = "it was the chosen epoch" if what.endswith("test are") else asked
    return DivergedError(f"in epoch {epoch} of {recipe.epochs} the {what} not finite, and {why}")


@torch.no_grad()
def weights_are_finite(model: nn.Module) -> bool:
    """Tell whether every parameter is a finite number: by the least and the largest of each, in one pass over them."""
    ends = [end.float() for parameter in model.parameters() for end in torch.aminmax(parameter)]
    return bool(torch.stack(ends).isfinite().all())


def predict(
    model: Classifier,
    split: EncodedSplit,
    pad_id: int,
    device: torch.device,
    precision: str,
    *,
    divisor: int = 1,
    before_batch: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Compute logits of shape (rows, labels) in float32, in the order of the rows.

    ``divisor`` makes batches smaller, for want of memory; ``before_batch`` may raise.
    """
    model.eval()
    parts: list[Tensor] = []
    batches = evaluation_batches(split.lengths, divisor=divisor, width=model.padded_width)
    with torch.inference_mode(), autocast(precision, device):
        for rows in batches:
            before_batch()
            parts.append(model(collate(split, rows, pad_id, device, model.padded_width)).mean(0))
    by_length = torch.cat(parts).float().cpu().numpy()
    logits = np.empty_like(by_length)
    logits[np.concatenate(batches)] = by_length
    return logits


def _labels(split: EncodedSplit) -> np.ndarray:
    assert split.labels is not None, "train and dev have labels: load_task refuses others"
    return split.labels


def device_of(execution: Execution) -> torch.device:
    """Return where a trial is computed."""
    name = execution.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


@contextlib.contextmanager
def computing(execution: Execution) -> Iterator[None]:
    """Compute as a trial does: with its threads, and with random numbers that are nobody else's."""
    device = device_of(execution)
    with threads_of(execution.threads), torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield


@contextlib.contextmanager
def threads_of(count: int) -> Iterator[None]:
    """Compute with so many threads, and leave the process's thread count as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _peak_bytes(device: torch.device) -> int:
    """Peak memory: of the device where there is one, else of this process since it began."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _weights_bytes(model: nn.Module, cut: Occurring, encoder: EncoderWeights) -> bytes:
    """Serialise the trained parameters, with the vectors of all words: new text may hold others than the task's."""
    from safetensors.torch import save

    state = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    name = f"encoder.{TABLE}"
    return save({**state, name: cut.whole(state[name], encoder)})
