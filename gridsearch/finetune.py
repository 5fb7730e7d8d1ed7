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
from torch.nn.functional import cross_entropy

from gridsearch.encoders.classifier import Classifier, build_classifier, restore, snapshot, trainable
from gridsearch.encoders.load import EncoderWeights
from gridsearch.metrics import is_better, score
from gridsearch.optimizers.adam import build_optimizer
from gridsearch.optimizers.decay import decay_groups
from gridsearch.optimizers.schedule import linear_with_warmup
from gridsearch.randomness import derived_seed, numpy_stream
from gridsearch.recipe import Recipe
from gridsearch.tasks.batches import collate, evaluation_batches, training_batches
from gridsearch.tasks.encode import EncodedSplit, EncodedTask
from gridsearch.trial import PART, Epoch, Metrics, Outcome, PartOutcome, Trial

EVALUATION_ROWS = 128


@dataclass(frozen=True)
class Execution:
    """How to execute a trial; none of it changes what the trial means.

    ``micro_batch_divisor`` cuts every batch into so many passes of the same total gradient. ``keep_weights`` puts the
    trained parameters into the outcome.
    """

    threads: int = 1
    device: str = "auto"
    micro_batch_divisor: int = 1
    keep_weights: bool = False

    def facts(self) -> dict[str, object]:
        """Return what has to be repeated to get the same numbers to the last bit."""
        device = str(_device(self.device))
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
    device = _device(execution.device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with threads_of(execution.threads), torch.random.fork_rng([device] if device.type == "cuda" else []):
        model = build_classifier(recipe, encoder, data.n_labels, trial.seed).to(device)
        steps = _Steps(trial, data, model, device, execution.micro_batch_divisor)
        epochs: list[Epoch] = []
        best: _Best | None = None
        for number in range(1, recipe.epochs + 1):
            begun = time.perf_counter()
            train_loss = steps.run_epoch(number)
            trained = time.perf_counter()
            dev_logits = predict(model, data.dev, data.pad_id, device, recipe.precision)
            dev = score(_labels(data.dev), dev_logits)
            epoch = Epoch(number, train_loss, trained - begun, time.perf_counter() - trained, {PART: dev})
            epochs.append(epoch)
            if recipe.selection == "last" or best is None or is_better(data.metric, dev[data.metric], best.value):
                best = _Best(number, dev[data.metric], dev, dev_logits, snapshot(model))
            yield epoch
            if not math.isfinite(train_loss):
                break
        assert best is not None
        restore(model, best.weights)
        test_logits = None if data.test is None else predict(model, data.test, data.pad_id, device, recipe.precision)
        part = PartOutcome(best.dev, best.dev_logits)
        if data.test is not None and test_logits is not None:
            test = None if data.test.labels is None else score(data.test.labels, test_logits)
            part = replace(part, test=test, test_logits=test_logits)
    return Outcome(
        epochs=tuple(epochs),
        chosen_epoch=best.epoch,
        parts={PART: part},
        seconds=time.perf_counter() - started,
        peak_bytes=_peak_bytes(device),
        collapsed=why_collapsed(epochs, best.dev_logits, data.n_labels),
        weights=_weights_bytes(model) if execution.keep_weights else None,
    )


@dataclass(frozen=True)
class _Best:
    epoch: int
    value: float
    dev: Metrics
    dev_logits: np.ndarray
    weights: dict[str, Tensor]


class _Steps:
    """The optimizer steps of a trial: what they need, and how many have been taken."""

    def __init__(
        self, trial: Trial, data: EncodedTask, model: Classifier, device: torch.device, micro_batch_divisor: int
    ) -> None:
        recipe = trial.recipe
        self.recipe, self.seed, self.data, self.model, self.device = recipe, trial.seed, data, model, device
        self.n_taken = 0
        self.total_steps = recipe.total_steps(len(data.train))
        self.warmup_steps = recipe.warmup_steps(len(data.train))
        self.micro_batch_rows = math.ceil(recipe.batch_size / micro_batch_divisor)
        self.labels = torch.from_numpy(_labels(data.train)).to(device)
        self.class_weights = class_weights(recipe, _labels(data.train), data.n_labels, device)
        self.optimizer = build_optimizer(
            decay_groups(model, recipe.weight_decay, recipe.decay_exclude),
            learning_rate=recipe.learning_rate,
            epsilon=recipe.adam_epsilon,
            bias_correction=not recipe.bert_adam,
        )

    def run_epoch(self, number: int) -> float:
        """Train on every row once; return the mean loss of a step."""
        order = numpy_stream(self.seed, "order", number)
        batches = training_batches(self.data.train.lengths, self.recipe.batch_size, order)
        accumulation = self.recipe.gradient_accumulation
        groups = [batches[start : start + accumulation] for start in range(0, len(batches), accumulation)]
        self.model.train()
        # Summed where it is computed and read once an epoch: reading it every step would stall a GPU.
        total = torch.zeros((), device=self.device)
        for group in groups:
            total += self.step(group)
        return float(total) / len(groups)

    def step(self, batches: list[np.ndarray]) -> Tensor:
        """Take one optimizer step on the rows of some batches; return their mean loss."""
        torch.manual_seed(derived_seed(self.seed, "dropout", self.n_taken))
        weight_of_step = self._weight(np.concatenate(batches))
        loss_of_step = torch.zeros((), device=self.device)
        self.optimizer.zero_grad(set_to_none=True)
        for batch in batches:
            for start in range(0, len(batch), self.micro_batch_rows):
                rows = batch[start : start + self.micro_batch_rows]
                loss = self._loss(rows) / weight_of_step
                loss.backward()
                loss_of_step += loss.detach()
        self._update()
        return loss_of_step

    def _loss(self, rows: np.ndarray) -> Tensor:
        """Sum the weighted cross-entropy of some rows; divided by the step's weight it is torch's weighted mean."""
        inputs = collate(self.data.train, rows, self.data.pad_id, self.device)
        with _autocast(self.recipe.precision, self.device):
            logits = self.model(inputs)
        return cross_entropy(logits, self.labels[rows], weight=self.class_weights, reduction="sum")

    def _weight(self, rows: np.ndarray) -> Tensor | float:
        return float(len(rows)) if self.class_weights is None else self.class_weights[self.labels[rows]].sum()

    def _update(self) -> None:
        if self.recipe.clip_norm != "none":
            nn.utils.clip_grad_norm_(trainable(self.model), self.recipe.clip_norm)
        multiplier = linear_with_warmup(self.n_taken, self.warmup_steps, self.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * multiplier
        self.optimizer.step()
        self.n_taken += 1


def class_weights(recipe: Recipe, labels: np.ndarray, n_labels: int, device: torch.device) -> Tensor | None:
    """Return the weight of each label, or None when all weigh the same."""
    if recipe.class_weights == "none":
        return None
    if recipe.class_weights == "balanced":
        weights = len(labels) / (n_labels * np.maximum(np.bincount(labels, minlength=n_labels), 1))
    else:
        weights = np.asarray(recipe.class_weights)
    return torch.tensor(weights, dtype=torch.float32, device=device)


def predict(model: nn.Module, split: EncodedSplit, pad_id: int, device: torch.device, precision: str) -> np.ndarray:
    """Compute logits of shape (rows, labels) in float32, in the order of the rows."""
    model.eval()
    parts: list[Tensor] = []
    batches = evaluation_batches(split.lengths, EVALUATION_ROWS)
    with torch.inference_mode(), _autocast(precision, device):
        for rows in batches:
            parts.append(model(collate(split, rows, pad_id, device)))
    by_length = torch.cat(parts).float().cpu().numpy()
    logits = np.empty_like(by_length)
    logits[np.concatenate(batches)] = by_length
    return logits


def why_collapsed(epochs: list[Epoch], dev_logits: np.ndarray, n_labels: int) -> str:
    """Say why a run is degenerate, or return an empty text."""
    if not all(math.isfinite(epoch.train_loss) for epoch in epochs):
        return "the training loss is not a number"
    if len(set(dev_logits.argmax(axis=1).tolist())) == 1:
        return "every dev row gets the same label"
    if min(epoch.train_loss for epoch in epochs) >= math.log(n_labels):
        return f"the training loss never fell below ln {n_labels}"
    return ""


def _labels(split: EncodedSplit) -> np.ndarray:
    assert split.labels is not None, "train and dev have labels: load_task refuses others"
    return split.labels


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


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


def _weights_bytes(model: nn.Module) -> bytes:
    from safetensors.torch import save

    return save({name: tensor.contiguous() for name, tensor in model.state_dict().items()})
