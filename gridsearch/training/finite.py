"""Whether numbers are still numbers."""

import torch
from torch import nn


@torch.no_grad()
def weights_are_finite(model: nn.Module) -> bool:
    """Tell whether every parameter is a finite number: by the least and the largest of each, in one pass over them."""
    ends = [end.float() for parameter in model.parameters() for end in torch.aminmax(parameter)]
    return bool(torch.stack(ends).isfinite().all())
