"""A device on which the host cannot wait: torch's "meta" device knows shapes and no numbers.

Code goes the way of a GPU on it, and whatever would read a number back fails: ``item()``, ``tolist()``, ``cpu()``,
``numpy()``, ``bool()``, a boolean index, ``nonzero()``, ``unique()``. What torch lets pass is caught here: to print a
tensor, and to copy to the device in a way in which the host waits.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gridsearch.training import objective
from gridsearch.training.execution import Execution

ON_META = Execution(device="meta")
_COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class HostWaitsError(Exception):
    """The host would wait for the device here."""


@contextlib.contextmanager
def training_on_meta() -> Iterator[None]:
    """Let a training run there, without fused kernels and autocast: it has none, and neither reads anything back."""
    from torch.optim import optimizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimizer, "_get_fused_kernels_supported_devices", lambda: ["cpu", "meta"])
        patch.setattr(objective, "autocast", lambda precision, device: contextlib.nullcontext())
        yield


@contextlib.contextmanager
def no_waiting() -> Iterator[None]:
    """Let all that is done on the meta device fail where the host would wait for a GPU."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("__repr__", "__format__"):
            patch.setattr(torch.Tensor, name, _spelled_on_the_host_alone(getattr(torch.Tensor, name)))
        with _Copies():
            yield


class _Copies(TorchDispatchMode):
    """Fails on a copy from the host for which the host waits."""

    def __torch_dispatch__(
        self, operation: Any, types: Sequence[type], arguments: Any = (), settings: dict[str, Any] | None = None
    ) -> Any:
        settings = settings or {}
        result = operation(*arguments, **settings)
        if operation in _COPIES:
            # copy_(to, from, non_blocking), _to_copy(from, *, non_blocking)
            source = arguments[1] if operation is torch.ops.aten.copy_.default else arguments[0]
            behind = settings.get("non_blocking", False) or (len(arguments) > 2 and arguments[2])
            if source.device.type == "cpu" and result.device.type == "meta" and not behind:
                raise HostWaitsError("the host waits until the copy has arrived: use to_device")
        return result


def _spelled_on_the_host_alone(spell: Callable[..., str]) -> Callable[..., str]:
    def spelled(tensor: torch.Tensor, *more: Any, **others: Any) -> str:
        if tensor.device.type == "meta":
            raise HostWaitsError("the host waits for the numbers of a tensor that it prints")
        return spell(tensor, *more, **others)

    return spelled
