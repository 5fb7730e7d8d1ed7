"""Our loop against references, step by step: minilm, real text, no dropout, 50 steps in float32.

The Trainer trains all six layers of minilm, the other references the first one: a trick's formulas know no
depth, but for rates by layer.

Each reference is a plain loop written from the formulas over torch's own autograd, and changes parameters in place, as
published code does; the plain recipe is compared with the Hugging Face Trainer as well.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.classifier import Classifier, build_classifier
from gridsearch.encoders.load import EncoderWeights, load
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.batches import collate
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Split, Task
from gridsearch.threads import threads_of
from gridsearch.training.prepared import steps_of
from gridsearch.training.used_vocabulary import UsedVocabulary, used_vocabulary
from gridsearch.trial import make_trial

N_STEPS, BATCH, LENGTH, RATE = 50, 4, 12, 2e-5
CPU = torch.device("cpu")
PLAIN: dict[str, Any] = {
    "epochs": 2,
    "batch_size": BATCH,
    "max_length": LENGTH,
    "learning_rate": RATE,
    "encoder_dropout": 0.0,
    "classifier_dropout": 0.0,
    "pooling": "mean",
    "warmup_proportion": 0.1,
    "weight_decay": 0.01,
    "decay_exclude": "none",
    "adam_epsilon": 1e-6,
}
Update = Callable[[int], None]


@pytest.fixture(scope="module")
def whole_minilm() -> EncoderWeights:
    return load("minilm", (), lambda sentence: None)


@pytest.fixture(scope="module")
def whole_sentences(docstrings_task: Task, whole_minilm: EncoderWeights) -> EncodedTask:
    """Return 100 sentences of real text: 25 steps an epoch."""
    split = docstrings_task.train
    assert split.labels is not None
    train = Split(split.texts[: N_STEPS // 2 * BATCH], split.labels[: N_STEPS // 2 * BATCH])
    small = replace(docstrings_task, train=train, dev=train, test=None)
    return encode_task(small, build_tokenizer(whole_minilm.tokenizer), LENGTH)


@pytest.fixture(scope="module")
def cut(whole_sentences: EncodedTask, whole_minilm: EncoderWeights) -> UsedVocabulary:
    """Return minilm without the 30,000 words that no sentence holds, as trials train it: steps take a third."""
    return used_vocabulary(whole_sentences, whole_minilm)


def first_layers(cut: UsedVocabulary, n_layers: int) -> EncoderWeights:
    """Return its first layers, with their weights."""
    above = tuple(f"encoder.layer.{number}." for number in range(n_layers, cut.encoder.config["num_hidden_layers"]))
    return replace(
        cut.encoder,
        config=cut.encoder.config | {"num_hidden_layers": n_layers},
        state={name: weights for name, weights in cut.encoder.state.items() if not name.startswith(above)},
    )


@pytest.fixture(scope="module")
def minilm(cut: UsedVocabulary) -> EncoderWeights:
    return first_layers(cut, 1)


@pytest.fixture(scope="module")
def sentences(cut: UsedVocabulary) -> EncodedTask:
    return cut.data


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads_of(1), torch.random.fork_rng():
        yield


def ours(minilm: EncoderWeights, data: EncodedTask, **knobs: Any) -> tuple[list[float], dict[str, Tensor]]:
    """Return the loss of each step of the loop itself, and the weights that it evaluates in the end."""
    recipe = Recipe(**(PLAIN | knobs))
    trial = make_trial(recipe, seed=0, task="a task", encoder=minilm.identity)
    model = build_classifier(recipe, minilm, data.n_labels, trial.seed)
    steps = steps_of(trial, data, model, CPU)
    model.train()
    losses = [
        float(steps.step(batches, epoch))
        for epoch in range(1, recipe.epochs + 1)
        for batches in steps.objective.batches(epoch)
    ]
    with steps.updates.evaluated_weights():
        return losses, {name: p.detach().clone() for name, p in model.named_parameters()}


class Reference:
    """The same model and the same rows in the same order; everything else is written out here."""

    def __init__(self, minilm: EncoderWeights, data: EncodedTask, **knobs: Any) -> None:
        self.recipe = Recipe(**(PLAIN | knobs))
        trial = make_trial(self.recipe, seed=0, task="a task", encoder=minilm.identity)
        self.data = data
        self.model = build_classifier(self.recipe, minilm, data.n_labels, 0).train()
        # The order of the rows is ours on both sides; that it is a shuffle is tested elsewhere.
        order = steps_of(trial, data, build_classifier(self.recipe, minilm, data.n_labels, 0), CPU).objective
        self.batches = [rows for epoch in (1, 2) for [rows] in order.batches(epoch)]
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.table = self.model.get_parameter("encoder.embeddings.word_embeddings.weight")

    def loss(self, rows: np.ndarray) -> Tensor:
        assert self.data.train.labels is not None
        logits = self.model(collate(self.data.train, rows, self.data.pad_id, CPU))[0]
        return nn.functional.cross_entropy(logits, torch.from_numpy(self.data.train.labels[rows]))

    def clean(self, rows: np.ndarray) -> Tensor:
        loss = self.loss(rows)
        loss.backward()
        return loss

    def run(self, update: Update, gradients: "Callable[[np.ndarray], Tensor] | None" = None) -> list[float]:
        losses = []
        for step, rows in enumerate(self.batches):
            self.model.zero_grad()
            losses.append((gradients or self.clean)(rows).item())
            update(step)
        return losses


def linear_rate(step: int, warmup: int = 5) -> float:
    return RATE * (step / warmup if step < warmup else (N_STEPS - step) / (N_STEPS - warmup))


def torch_adamw(parameters: Iterable[Any]) -> Update:
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01, eps=1e-6, foreach=False)
    peaks = [group["lr"] for group in optimizer.param_groups]

    def update(step: int) -> None:
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak / RATE * linear_rate(step)
        optimizer.step()

    return update


def close(found: list[float], expected: list[float]) -> None:
    assert len(found) == N_STEPS
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert max(expected[:5]) - min(expected[-5:]) > 0.05  # it moved


def apart(found: list[float], plain: list[float]) -> None:
    """Show that the tolerance sees the trick at all: without it the losses differ by far more."""
    assert np.abs(np.array(found) / np.array(plain) - 1).max() > 1e-3


@pytest.fixture(scope="module")
def plain(minilm: EncoderWeights, sentences: EncodedTask) -> list[float]:
    with threads_of(1), torch.random.fork_rng():
        return ours(minilm, sentences)[0]


@pytest.mark.slow  # trains a published encoder
def test_unread_words_do_not_matter(
    whole_minilm: EncoderWeights, whole_sentences: EncodedTask, cut: UsedVocabulary
) -> None:
    knobs = {"epochs": 1, "warmup_proportion": 0.2}
    whole = ours(whole_minilm, whole_sentences, **knobs)[0]
    assert len(whole) == N_STEPS // 2
    np.testing.assert_allclose(ours(cut.encoder, cut.data, **knobs)[0], whole, rtol=1e-5)


def test_torchs_adamw(minilm: EncoderWeights, sentences: EncodedTask, plain: list[float]) -> None:
    reference = Reference(minilm, sentences)
    close(plain, reference.run(torch_adamw(reference.parameters)))


@pytest.mark.slow  # 26 s
def test_the_hugging_face_trainer(cut: UsedVocabulary, sentences: EncodedTask, tmp_path: Any) -> None:
    """Trainer has its own loss, optimizer, groups and schedule; the rows come in our order."""
    from transformers import Trainer, TrainerCallback, TrainingArguments
    from transformers.modeling_outputs import SequenceClassifierOutput

    reference = Reference(cut.encoder, sentences)

    class Wrapped(nn.Module):
        def __init__(self, classifier: Classifier) -> None:
            super().__init__()
            self.classifier = classifier

        def forward(self, labels: Tensor, **inputs: Tensor) -> SequenceClassifierOutput:
            logits = self.classifier(inputs)[0]
            return SequenceClassifierOutput(loss=nn.functional.cross_entropy(logits, labels), logits=logits)

    class InOurOrder(Trainer):  # type: ignore[misc]
        def get_train_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(Rows(), batch_size=None)

    class Rows(torch.utils.data.Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return N_STEPS

        def __getitem__(self, step: int) -> dict[str, Tensor]:
            rows = reference.batches[step]
            assert sentences.train.labels is not None
            inputs = collate(sentences.train, rows, sentences.pad_id, CPU)
            return inputs | {"labels": torch.from_numpy(sentences.train.labels[rows])}

    losses: list[float] = []

    class Listen(TrainerCallback):  # type: ignore[misc]
        def on_log(self, *arguments: Any, logs: dict[str, float], **more: Any) -> None:
            if "loss" in logs:
                losses.append(logs["loss"])

    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        max_steps=N_STEPS,
        learning_rate=RATE,
        weight_decay=0.01,
        adam_epsilon=1e-6,
        max_grad_norm=0.0,
        lr_scheduler_type="linear",
        warmup_steps=5,
        logging_steps=1,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    trainer = InOurOrder(model=Wrapped(reference.model), args=arguments, callbacks=[Listen()], train_dataset=Rows())
    trainer.train()
    close(ours(cut.encoder, sentences, decay_exclude="bias_and_norm")[0], losses)  # as the Trainer's own groups do


@pytest.mark.slow  # a trial beside an oracle's; tests/optimizers/test_adam.py has the steps
def test_adam_without_bias_correction(minilm: EncoderWeights, sentences: EncodedTask, plain: list[float]) -> None:
    reference = Reference(minilm, sentences)
    means = [torch.zeros_like(p) for p in reference.parameters]
    squares = [torch.zeros_like(p) for p in reference.parameters]

    @torch.no_grad()
    def update(step: int) -> None:
        for p, m, v in zip(reference.parameters, means, squares, strict=True):
            assert p.grad is not None
            m.mul_(0.9).add_(0.1 * p.grad)
            v.mul_(0.999).add_(0.001 * p.grad**2)
            p -= linear_rate(step) * m / (v.sqrt() + 1e-6)
            p -= linear_rate(step) * 0.01 * p

    found = ours(minilm, sentences, bert_adam=True)[0]
    close(found, reference.run(update))
    apart(found, plain)


@pytest.mark.slow  # a trial beside an oracle's; tests/optimizers/test_adam.py has the steps
def test_the_original_bert_adam(minilm: EncoderWeights, sentences: EncodedTask, plain: list[float]) -> None:
    """Its own warm-up: 0.15 of 50 steps is 7.5 steps."""
    reference = Reference(minilm, sentences)
    means = [torch.zeros_like(p) for p in reference.parameters]
    squares = [torch.zeros_like(p) for p in reference.parameters]

    @torch.no_grad()
    def update(step: int) -> None:
        share = step / N_STEPS
        rate = RATE * (share / 0.15 if share < 0.15 else (share - 1) / (0.15 - 1))
        for p, m, v in zip(reference.parameters, means, squares, strict=True):
            assert p.grad is not None
            gradient = p.grad * min(1.0, 1.0 / (float(p.grad.norm()) + 1e-6))
            m.mul_(0.9).add_(0.1 * gradient)
            v.mul_(0.999).add_(0.001 * gradient**2)
            p -= rate * (m / (v.sqrt() + 1e-6) + 0.01 * p)

    found = ours(minilm, sentences, optimizer="original_bert_adam", warmup_proportion=0.15)[0]
    close(found, reference.run(update))
    apart(found, plain)


@pytest.mark.slow  # a trial beside an oracle's; tests/optimizers/test_groups.py has the rates
def test_layer_decay(cut: UsedVocabulary, sentences: EncodedTask) -> None:
    """Rates by the names of the parameters, of two layers."""
    minilm = first_layers(cut, 2)
    reference = Reference(minilm, sentences)

    def depth(name: str) -> int:
        if name.startswith("encoder.encoder.layer."):
            return 2 - int(name.split(".")[3])
        return 3 if name.startswith("encoder.embeddings.") else 0

    named = [(name, p) for name, p in reference.model.named_parameters() if p.requires_grad]
    groups = [{"params": [p], "lr": RATE * 0.5 ** depth(name)} for name, p in named]
    found = ours(minilm, sentences, layer_decay=0.5)[0]
    close(found, reference.run(torch_adamw(groups)))
    apart(found, ours(minilm, sentences)[0])


def fgm(reference: Reference, epsilon: float) -> Callable[[np.ndarray], Tensor]:
    def gradients(rows: np.ndarray) -> Tensor:
        loss = reference.clean(rows)
        table = reference.table
        assert table.grad is not None
        backup = table.data.clone()
        table.data += epsilon * table.grad / table.grad.norm()
        reference.clean(rows)
        table.data = backup
        return loss

    return gradients


def pgd(reference: Reference, epsilon: float, alpha: float, n_steps: int) -> Callable[[np.ndarray], Tensor]:
    def gradients(rows: np.ndarray) -> Tensor:
        loss = reference.clean(rows)
        table = reference.table
        backup, clean = table.data.clone(), [p.grad for p in reference.parameters]
        for step in range(n_steps):
            assert table.grad is not None
            table.data += alpha * table.grad / table.grad.norm()
            if (length := (table.data - backup).norm()) > epsilon:
                table.data = backup + epsilon * (table.data - backup) / length
            if step < n_steps - 1:
                reference.model.zero_grad()
            else:
                for p, gradient in zip(reference.parameters, clean, strict=True):
                    p.grad = None if gradient is None else gradient.clone()
            reference.clean(rows)
        table.data = backup
        return loss

    return gradients


@pytest.mark.slow  # an attack beside its published code; tests/optimizers/test_adversarial.py has its steps
def test_fgm(minilm: EncoderWeights, sentences: EncodedTask, plain: list[float]) -> None:
    reference = Reference(minilm, sentences)
    found = ours(minilm, sentences, adversarial="fgm", adversarial_epsilon=0.5)[0]
    close(found, reference.run(torch_adamw(reference.parameters), fgm(reference, 0.5)))
    apart(found, plain)


@pytest.mark.slow  # an attack beside its published code; tests/optimizers/test_adversarial.py has its steps
def test_pgd(minilm: EncoderWeights, sentences: EncodedTask, plain: list[float]) -> None:
    reference = Reference(minilm, sentences)
    knobs = {"adversarial_epsilon": 0.5, "adversarial_alpha": 0.3, "adversarial_steps": 3}
    found = ours(minilm, sentences, adversarial="pgd", **knobs)[0]
    close(found, reference.run(torch_adamw(reference.parameters), pgd(reference, 0.5, 0.3, 3)))
    apart(found, plain)


@pytest.mark.slow  # a trial beside an oracle's; tests/optimizers/test_averaging.py has the steps
def test_lookahead(minilm: EncoderWeights, sentences: EncodedTask, plain: list[float]) -> None:
    reference = Reference(minilm, sentences)
    inner = torch_adamw(reference.parameters)
    slow = [p.detach().clone() for p in reference.parameters]

    @torch.no_grad()
    def update(step: int) -> None:
        inner(step)
        if (step + 1) % 20 == 0:
            for s, p in zip(slow, reference.parameters, strict=True):
                s += 0.5 * (p - s)
                p.copy_(s)

    found, weights = ours(minilm, sentences, lookahead_steps=20)
    close(found, reference.run(update))
    apart(found, plain)
    equal_weights(reference, weights, slow)


@pytest.mark.slow  # a trial beside an oracle's; tests/optimizers/test_averaging.py has the mean
def test_ema(minilm: EncoderWeights, sentences: EncodedTask, plain: list[float]) -> None:
    reference = Reference(minilm, sentences)
    inner = torch_adamw(reference.parameters)
    shadow = [p.detach().clone() for p in reference.parameters]

    @torch.no_grad()
    def update(step: int) -> None:
        inner(step)
        for s, p in zip(shadow, reference.parameters, strict=True):
            s.copy_(0.9 * s + 0.1 * p)

    found, weights = ours(minilm, sentences, ema_decay=0.9)
    close(found, reference.run(update))
    assert found == plain  # an average changes nothing of what is trained
    equal_weights(reference, weights, shadow)


def equal_weights(reference: Reference, found: dict[str, Tensor], expected: list[Tensor]) -> None:
    """Compare what is evaluated; the weights that are trained lie elsewhere."""
    names = [name for name, p in reference.model.named_parameters() if p.requires_grad]
    for name, weights in zip(names, expected, strict=True):
        torch.testing.assert_close(found[name], weights, rtol=1e-3, atol=2e-6)
    trained = dict(reference.model.named_parameters())["classifier.weight"]
    assert (found["classifier.weight"] - trained).abs().max() > 1e-5
