"""Attacks: further passes on perturbed word embeddings, whose gradients are added to those of the clean text.

What is perturbed is the output of the word-embedding module, by a hook: adding a row to a word's vector wherever it is
looked up is the published change of the table itself, and no parameter has to be changed and put back.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding as look_up

from gridsearch.randomness import torch_stream
from gridsearch.recipe.recipe import Recipe
from gridsearch.to_device import to_device

Pass = Callable[[], Tensor]
"""Computes the loss of some rows of a batch, on whatever the word embeddings give; can be called again."""


class PlainBackward:
    """No attack: the gradient of the clean text."""

    def backward(self, passes: Sequence[Pass]) -> Tensor:
        """Add the gradients of one batch to those of the parameters; return its loss."""
        return add_gradients(passes)


def add_gradients(
    passes: Sequence[Pass],
    during: Callable[[int], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
    scale: float = 1.0,
) -> Tensor:
    """Run each pass forward and backward; return the sum of the losses."""
    losses = []
    for number, run in enumerate(passes):
        with during(number):
            loss = run() * scale
        loss.backward()
        losses.append(loss.detach())
    return torch.stack(losses).sum()


class Perturbation:
    """What is added to word vectors while it is on.

    One vector for each word of the table, shared by all rows and measured as a whole; or (``per_text``) one for each
    token, each text measured by itself. Padding is left alone.
    """

    def __init__(self, embedding: nn.Embedding, pad_id: int, *, per_text: bool, start: "Start | None" = None) -> None:
        self.embedding, self.pad_id, self.per_text = embedding, pad_id, per_text
        self._start = start or no_start
        self.values: dict[int, Tensor] = {}
        self._number: int | None = None
        embedding.register_forward_hook(self._add)

    def clear(self) -> None:
        """Start anew: the next pass makes its perturbation."""
        self.values.clear()

    @contextlib.contextmanager
    def during(self, number: int) -> Iterator[None]:
        """Perturb what is computed; texts of pass ``number`` keep their perturbation from one time to the next."""
        self._number = self._key(number)
        try:
            yield
        finally:
            self._number = None

    def of(self, number: int) -> Tensor:
        """Return the perturbation that a pass has met."""
        return self.values[self._key(number)]

    def _key(self, number: int) -> int:
        """Passes of one batch share the perturbation of a table; each has its own texts."""
        return number if self.per_text else 0

    def unit(self) -> Tensor | float:
        """Return how far a perturbation of 1 moves a word vector, in each dimension."""
        return 1.0

    def _add(self, module: nn.Module, arguments: tuple[Tensor, ...], vectors: Tensor) -> Tensor | None:
        if self._number is None:
            return None
        ids = arguments[0]
        if self.per_text:
            is_text = (ids != self.pad_id).unsqueeze(-1)
            if self._number not in self.values:
                self.values[self._number] = self._start(vectors.detach(), is_text).requires_grad_()
            return vectors + self.values[self._number] * is_text * self.unit()
        if self._number not in self.values:
            self.values[self._number] = torch.zeros_like(self.embedding.weight, requires_grad=True)
        return vectors + look_up(ids, self.values[self._number], padding_idx=self.pad_id)

    @torch.no_grad()
    def move(self, length: float, radius: float | None = None, last: bool = False) -> None:
        """Go so far along the gradient, and back into the ball; without a gradient stay.

        After the ``last`` move no gradient of the perturbation is asked for.
        """
        for number, value in self.values.items():
            assert value.grad is not None
            norm = self._norm(value.grad)
            step = torch.where((norm > 0) & norm.isfinite(), length * value.grad / norm, 0.0)
            moved = value.detach() + step
            if radius is not None:
                moved *= (radius / self._norm(moved).clamp_min(torch.finfo(moved.dtype).tiny)).clamp_max(1.0)
            self.values[number] = moved.requires_grad_(not last)

    def _norm(self, value: Tensor) -> Tensor:
        norm: Tensor = value.flatten(1).norm(dim=1).view(-1, 1, 1) if self.per_text else value.norm()
        return norm


class NormalizedPerturbation(Perturbation):
    """A perturbation of word vectors normalised to mean 0 and variance 1 over the training words.

    Measured so, a model cannot escape an attack by growing its word vectors (arXiv:1605.07725, section 3). The model
    goes on reading the vectors as they are: v = mean + deviation * normalised v, and only the last is perturbed.
    """

    def __init__(self, embedding: nn.Embedding, pad_id: int, *, start: "Start | None", counts: np.ndarray) -> None:
        super().__init__(embedding, pad_id, per_text=True, start=start)
        self.frequencies = torch.tensor(counts / counts.sum()).to(embedding.weight)
        self._deviations: Tensor = torch.empty(0)

    def clear(self) -> None:
        """Start anew, with the deviations of the present table."""
        super().clear()
        table = self.embedding.weight.detach()
        centred = table - self.frequencies @ table
        self._deviations = (self.frequencies @ centred.square()).sqrt()

    def unit(self) -> Tensor:
        """Return the standard deviation of each dimension of the word vectors."""
        return self._deviations


class Fgm:
    """Fast gradient method: one step of length epsilon (arXiv:1605.07725)."""

    def __init__(self, perturbation: Perturbation, epsilon: float) -> None:
        self.perturbation, self.epsilon = perturbation, epsilon

    def backward(self, passes: Sequence[Pass]) -> Tensor:
        """Add the clean and the perturbed gradients of one batch; return the clean loss."""
        self.perturbation.clear()
        loss = add_gradients(passes, self.perturbation.during)
        self.perturbation.move(self.epsilon, last=True)
        add_gradients(passes, self.perturbation.during)
        return loss


class Pgd:
    """Projected gradient descent: steps of length alpha within a ball of radius epsilon, if any (arXiv:1706.06083).

    Parameters get the gradients of the clean text and of the last perturbation.
    """

    def __init__(self, perturbation: Perturbation, epsilon: float, alpha: float, n_steps: int) -> None:
        self.perturbation, self.epsilon, self.alpha, self.n_steps = perturbation, epsilon, alpha, n_steps

    def backward(self, passes: Sequence[Pass]) -> Tensor:
        """Add the clean and the last perturbed gradients of one batch; return the clean loss."""
        self.perturbation.clear()
        loss = add_gradients(passes, self.perturbation.during)
        for step in range(1, self.n_steps + 1):
            self.perturbation.move(self.alpha, self.epsilon, last=step == self.n_steps)
            if step < self.n_steps:
                self._find_gradients(passes)
        add_gradients(passes, self.perturbation.during)
        return loss

    def _find_gradients(self, passes: Sequence[Pass]) -> None:
        """Compute the gradients of the perturbation alone: those of the parameters are not needed on the way."""
        for number, run in enumerate(passes):
            with self.perturbation.during(number):
                loss = run()
            loss.backward(inputs=[self.perturbation.of(number)])


class FreeLb:
    """The mean of the gradients along the steps of an attack, from a random start (arXiv:1909.11764, algorithm 1).

    The clean text has no pass of its own. All passes of a batch have the same dropout masks (section 3.3 there).
    """

    def __init__(self, perturbation: Perturbation, epsilon: float, alpha: float, n_steps: int) -> None:
        self.perturbation, self.epsilon, self.alpha, self.n_steps = perturbation, epsilon, alpha, n_steps

    def backward(self, passes: Sequence[Pass]) -> Tensor:
        """Add the mean of the gradients of all steps; return the mean loss."""
        self.perturbation.clear()
        devices = [self.perturbation.embedding.weight.device] if self.perturbation.embedding.weight.is_cuda else []
        losses = []
        for step in range(1, self.n_steps + 1):
            with contextlib.nullcontext() if step == self.n_steps else torch.random.fork_rng(devices):
                losses.append(add_gradients(passes, self.perturbation.during, scale=1 / self.n_steps))
            if step < self.n_steps:
                self.perturbation.move(self.alpha, self.epsilon, last=step == self.n_steps - 1)
        return torch.stack(losses).sum()


Start = Callable[[Tensor, Tensor], Tensor]
"""Makes the first perturbation of texts: from their vectors (rows, tokens, width) and which tokens are no padding."""


def no_start(vectors: Tensor, is_text: Tensor) -> Tensor:
    """Start at the clean text."""
    return torch.zeros_like(vectors)


class RandomStart:
    """FreeLB's start: uniform in +-size / sqrt(numbers of the text), so that its norm does not grow with length."""

    def __init__(self, size: float, seed: int) -> None:
        self.size, self.stream = size, torch_stream(seed, "freelb")

    def __call__(self, vectors: Tensor, is_text: Tensor) -> Tensor:
        """Return a start of shape (rows, tokens, width)."""
        n_numbers = is_text.sum(dim=1, keepdim=True) * vectors.shape[-1]
        uniform = 2 * torch.rand(vectors.shape, generator=self.stream) - 1
        return to_device(uniform, vectors.device).to(vectors.dtype) * self.size / n_numbers.sqrt() * is_text


def build_attack(
    recipe: Recipe, embedding: nn.Embedding, *, pad_id: int, token_ids: np.ndarray, seed: int
) -> PlainBackward | Fgm | Pgd | FreeLb:
    """Make the attack of a recipe on an encoder's word embeddings; ``token_ids`` are those of the training rows."""
    per_text = recipe.adversarial == "freelb" or recipe.adversarial_norm != "published"
    if recipe.adversarial == "none" or not (per_text or embedding.weight.requires_grad):
        return PlainBackward()
    start = RandomStart(recipe.freelb_init, seed) if recipe.freelb_init else None
    if recipe.adversarial_norm == "normalized":
        counts = np.bincount(token_ids, minlength=embedding.num_embeddings)
        perturbation: Perturbation = NormalizedPerturbation(embedding, pad_id, start=start, counts=counts)
    else:
        perturbation = Perturbation(embedding, pad_id, per_text=per_text, start=start)
    if recipe.adversarial == "fgm":
        return Fgm(perturbation, recipe.adversarial_epsilon)
    # A ball that no step leaves is none: scaling back into it would shorten by what rounding gives.
    radius = recipe.adversarial_epsilon if recipe.adversarial_epsilon < recipe.reach_of_attack() else math.inf
    attack = Pgd if recipe.adversarial == "pgd" else FreeLb
    return attack(perturbation, radius, recipe.adversarial_alpha, recipe.adversarial_steps)
