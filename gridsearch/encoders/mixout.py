"""Mixout: in a training pass, each trained weight may have its first value again (arXiv:1909.11299)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gridsearch.randomness import torch_stream
from gridsearch.to_device import to_device


class Mixout:
    """Computes a model with mixed weights: u + m (w - u) / (1 - p), where m is 0 with probability p, else 1.

    u are the weights at the start: pretrained ones, and those that the trial has drawn. The mean over masks is w.
    Frozen weights are u as it is. A pass is named by its batch and its number, and has the same mask whenever it is
    computed: for every micro-batch, and for every step of an attack.

    Each weight has a mask of its own, in all that is trained: what the paper calls mixconnect. Its mixout proper, and
    its authors' code, draw one mask for all weights that leave a neuron, and leave biases alone.
    """

    def __init__(self, model: nn.Module, probability: float, seed: int) -> None:
        self._model, self._probability, self._seed = model, probability, seed
        trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._weights = {name: (weight.detach().clone(), weight) for name, weight in trained.items()}

    def __call__(self, inputs: Mapping[str, Tensor], *name: object) -> Tensor:
        """Compute the pass of this name."""
        stream = torch_stream(self._seed, "mixout", *name)
        mixed = {name: self._mixed(first, weight, stream) for name, (first, weight) in self._weights.items()}
        output: Tensor = functional_call(self._model, mixed, (inputs,))
        return output

    def _mixed(self, first: Tensor, weight: Tensor, stream: torch.Generator) -> Tensor:
        keeps = to_device(torch.rand(weight.shape, generator=stream) >= self._probability, weight.device)
        return torch.addcmul(first, weight - first, keeps / (1 - self._probability))
