"""Attacks against short references that change the table itself and put it back, as published code does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gridsearch.optimizers.adversarial import RandomStart, build_attack
from gridsearch.recipe.recipe import Recipe

IDS = torch.tensor([[2, 5, 3, 0, 0], [4, 5, 5, 6, 7], [1, 1, 2, 7, 0]])
TARGETS = torch.tensor([[0.3], [-2.0], [0.9]])
N_WORDS, WIDTH, PAD = 9, 4, 0


class Reader(nn.Module):
    """Words to one number a text: enough curvature that a perturbed gradient differs from the clean one."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(N_WORDS, WIDTH, padding_idx=PAD)
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, 1)
        self.unread = nn.Linear(2, 2)
        self.dropout = nn.Dropout(0.0)
        stream = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            parameter.data.normal_(generator=stream)

    def loss(self, rows: Sequence[int] = (0, 1, 2)) -> Tensor:
        ids, targets = IDS[list(rows)], TARGETS[list(rows)]
        states = self.mix(self.dropout(self.words(ids))).tanh() * (ids != PAD).unsqueeze(-1)
        return ((self.out(states.sum(1)) - targets) ** 2).sum() / 3

    def gradients(self) -> dict[str, Tensor]:
        return {name: p.grad.clone() for name, p in self.named_parameters() if p.grad is not None}


def passes_of(model: Reader, *groups: Sequence[int]) -> list[Callable[[], Tensor]]:
    return [lambda rows=rows: model.loss(rows) for rows in groups or [(0, 1, 2)]]  # type: ignore[misc]


def attacked(groups: Sequence[Sequence[int]] = (), before: Tensor | None = None, **knobs: Any) -> dict[str, Tensor]:
    """Return all gradients after one batch under an attack; it must leave the parameters as they were."""
    model = Reader()
    if before is not None:  # an earlier batch of the same step
        model.words.weight.grad = before.clone()
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    counts = np.repeat(np.arange(N_WORDS), np.arange(N_WORDS))
    attack = build_attack(Recipe(**knobs), model.words, pad_id=PAD, token_ids=counts, seed=0)
    attack.backward(passes_of(model, *groups))
    assert all(torch.equal(p, start[name]) for name, p in model.named_parameters())
    return model.gradients()


def same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-5, atol=1e-6)


def differ(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert (one["out.weight"] - other["out.weight"]).abs().max() > 1e-3


@contextmanager
def moved(table: nn.Parameter, by: Tensor) -> Iterator[None]:
    backup = table.data.clone()
    table.data += by
    yield
    table.data = backup


def reference_fgm(epsilon: float) -> dict[str, Tensor]:
    model = Reader()
    table = model.words.weight
    model.loss().backward()
    with moved(table, epsilon * table.grad / table.grad.norm()):  # type: ignore[union-attr,operator]
        model.loss().backward()
    return model.gradients()


def reference_pgd(epsilon: float, alpha: float, n_steps: int) -> dict[str, Tensor]:
    model = Reader()
    table, clean = model.words.weight, Reader()
    clean.loss().backward()
    model.loss().backward()
    start = table.data.clone()
    for _ in range(n_steps):
        assert table.grad is not None
        table.data += alpha * table.grad / table.grad.norm()
        if (table.data - start).norm() > epsilon:
            table.data = start + epsilon * (table.data - start) / (table.data - start).norm()
        model.zero_grad()
        model.loss().backward()
    last, first = model.gradients(), clean.gradients()
    return {name: first[name] + last[name] for name in first}


def clean_gradients() -> dict[str, Tensor]:
    model = Reader()
    model.loss().backward()
    return model.gradients()


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0])
def test_fgm_is_the_published_one(epsilon: float) -> None:
    found = attacked(adversarial="fgm", adversarial_epsilon=epsilon)
    same(found, reference_fgm(epsilon))
    differ(found, {name: 2 * gradient for name, gradient in clean_gradients().items()})


@pytest.mark.parametrize(("epsilon", "alpha", "n_steps"), [(0.5, 0.3, 3), (0.2, 0.3, 3), (5.0, 0.3, 4), (1.0, 0.3, 1)])
def test_pgd_is_the_published_one(epsilon: float, alpha: float, n_steps: int) -> None:
    found = attacked(adversarial="pgd", adversarial_epsilon=epsilon, adversarial_alpha=alpha, adversarial_steps=n_steps)
    same(found, reference_pgd(epsilon, alpha, n_steps))


def test_one_step_of_pgd_is_fgm_of_that_length() -> None:
    one = attacked(adversarial="pgd", adversarial_epsilon=9.0, adversarial_alpha=0.4, adversarial_steps=1)
    same(one, attacked(adversarial="fgm", adversarial_epsilon=0.4))


def reference_texts(epsilon: float, unit: Tensor | float = 1.0) -> dict[str, Tensor]:
    """FGM on each text by itself: the word vectors are a leaf, each text's gradient is brought to length epsilon."""
    model = Reader()
    model.loss().backward()
    for row in range(3):
        vectors = model.words.weight.detach()[IDS[row]].requires_grad_()

        def loss(vectors: Tensor, row: int = row) -> Tensor:
            states = model.mix(vectors).tanh() * (IDS[row] != PAD).unsqueeze(-1)
            return ((model.out(states.sum(0)) - TARGETS[row]) ** 2).sum() / 3

        (gradient,) = torch.autograd.grad(loss(vectors), vectors)
        gradient = gradient * unit  # by the chain rule: the gradient of the normalised vectors
        step = epsilon * gradient / gradient.norm() * unit
        loss(model.words(IDS[row]) + step.detach()).backward()
    return model.gradients()


def test_fgm_of_each_text() -> None:
    found = attacked(adversarial="fgm", adversarial_epsilon=0.7, adversarial_norm="text")
    same(found, reference_texts(0.7))
    differ(found, reference_fgm(0.7))


def test_fgm_in_normalised_vectors() -> None:
    counts = np.arange(N_WORDS)
    table = Reader().words.weight.detach().numpy()
    mean = np.average(table, axis=0, weights=counts)
    deviations = np.sqrt(np.average((table - mean) ** 2, axis=0, weights=counts))
    found = attacked(adversarial="fgm", adversarial_epsilon=0.7, adversarial_norm="normalized")
    same(found, reference_texts(0.7, torch.tensor(deviations, dtype=torch.float32)))
    differ(found, reference_texts(0.7))


def reference_freelb(epsilon: float, alpha: float, n_steps: int, start: Tensor) -> dict[str, Tensor]:
    model = Reader()
    is_text = (IDS != PAD).unsqueeze(-1)
    delta = start.clone()
    for _ in range(n_steps):
        delta.requires_grad_()
        states = model.mix(model.words(IDS) + delta).tanh() * is_text
        loss = ((model.out(states.sum(1)) - TARGETS) ** 2).sum() / 3 / n_steps
        loss.backward()
        assert delta.grad is not None
        gradient = delta.grad * is_text
        delta = delta.detach() + alpha * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1)
        norms = delta.flatten(1).norm(dim=1).view(-1, 1, 1)
        delta = torch.where(norms > epsilon, delta * epsilon / norms, delta)
    return model.gradients()


@pytest.mark.parametrize("size", [0.0, 0.5])
@pytest.mark.parametrize(("epsilon", "alpha", "n_steps"), [(1.0, 0.1, 4), (0.2, 0.3, 3), (1.0, 0.5, 2)])
def test_freelb_is_the_published_one(epsilon: float, alpha: float, n_steps: int, size: float) -> None:
    vectors = torch.zeros(*IDS.shape, WIDTH)
    start = RandomStart(size, seed=0)(vectors, (IDS != PAD).unsqueeze(-1)) if size else vectors
    found = attacked(
        adversarial="freelb",
        adversarial_epsilon=epsilon,
        adversarial_alpha=alpha,
        adversarial_steps=n_steps,
        freelb_init=size,
    )
    same(found, reference_freelb(epsilon, alpha, n_steps, start))


def test_the_random_start_is_within_its_size_and_leaves_padding_alone() -> None:
    is_text = (IDS != PAD).unsqueeze(-1)
    start = RandomStart(0.8, seed=0)(torch.zeros(*IDS.shape, WIDTH), is_text)
    assert (start[~is_text.expand_as(start)] == 0).all()
    assert (start.abs().amax(dim=(1, 2)) <= 0.8 / (is_text.sum(dim=(1, 2)) * WIDTH).sqrt()).all()
    assert (start.flatten(1).norm(dim=1) < 0.8).all()


def test_freelb_has_the_same_dropout_in_all_passes() -> None:
    model = Reader()
    model.dropout.p = 0.5
    seen: list[Tensor] = []
    model.dropout.register_forward_hook(lambda module, arguments, output: seen.append(output == 0))
    recipe = Recipe(adversarial="freelb", adversarial_steps=3)
    attack = build_attack(recipe, model.words, pad_id=PAD, token_ids=IDS.flatten().numpy(), seed=0)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        attack.backward(passes_of(model))
        attack.backward(passes_of(model))
    assert torch.equal(seen[0], seen[1])
    assert torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[0], seen[3])


ATTACKS: list[dict[str, Any]] = [
    {"adversarial": "fgm"},
    {"adversarial": "pgd", "adversarial_epsilon": 0.5},
    {"adversarial": "freelb"},
    {"adversarial": "fgm", "adversarial_norm": "text"},
    {"adversarial": "pgd", "adversarial_norm": "normalized"},
]


@pytest.mark.parametrize("knobs", ATTACKS, ids=str)
def test_micro_batches_are_attacked_as_one_batch(knobs: dict[str, Any]) -> None:
    same(attacked([(0, 1), (2,)], **knobs), attacked(**knobs))


@pytest.mark.parametrize("knobs", ATTACKS, ids=str)
def test_earlier_batches_of_the_step_do_not_turn_the_attack(knobs: dict[str, Any]) -> None:
    before = torch.randn(N_WORDS, WIDTH, generator=torch.Generator().manual_seed(5)) * 10
    found, alone = attacked(before=before, **knobs), attacked(**knobs)
    torch.testing.assert_close(found.pop("words.weight"), alone.pop("words.weight") + before)
    same(found, alone)


@pytest.mark.parametrize("knobs", ATTACKS, ids=str)
def test_no_gradient_no_attack(knobs: dict[str, Any]) -> None:
    """Where the loss does not depend on the words the perturbation stays 0, and nothing becomes NaN."""
    model = Reader()
    model.mix.weight.data.zero_()
    attack = build_attack(Recipe(**knobs), model.words, pad_id=PAD, token_ids=IDS.flatten().numpy(), seed=0)
    attack.backward(passes_of(model))
    assert all(gradient.isfinite().all() for gradient in model.gradients().values())


@pytest.mark.parametrize("knobs", ATTACKS, ids=str)
def test_frozen_words(knobs: dict[str, Any]) -> None:
    """FGM and PGD follow the gradient of the table: without one there is one plain pass. Texts can still be moved."""
    model = Reader()
    model.words.requires_grad_(False)
    attack = build_attack(Recipe(**knobs), model.words, pad_id=PAD, token_ids=IDS.flatten().numpy(), seed=0)
    attack.backward(passes_of(model))
    plain = Reader()
    plain.words.requires_grad_(False)
    plain.loss().backward()
    if knobs["adversarial"] == "freelb" or "adversarial_norm" in knobs:
        differ(model.gradients(), plain.gradients())
    else:
        same(model.gradients(), plain.gradients())


def test_the_clean_loss_is_told() -> None:
    model = Reader()
    for knobs in ATTACKS[:2]:
        attack = build_attack(Recipe(**knobs), model.words, pad_id=PAD, token_ids=IDS.flatten().numpy(), seed=0)
        assert float(attack.backward(passes_of(model))) == pytest.approx(model.loss().item())
