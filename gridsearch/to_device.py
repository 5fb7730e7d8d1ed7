"""How what the host has made reaches the device: without waiting for what the device has yet to do."""

import torch
from torch import Tensor


def to_device(made: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor of the host. CUDA copies behind the host's back from pinned memory alone; elsewhere it would wait.

    What is pinned goes back to torch's pool of it once the copy is done.
    """
    if device.type == "cuda":
        made = made.pin_memory()
    return made.to(device, non_blocking=True)
