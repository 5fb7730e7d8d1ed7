"""Adam's variants."""

import torch
from torch.optim import AdamW

from gridsearch.optimizers.decay import Group


class AdamWithoutBiasCorrection(AdamW):
    """Adam as BERT was released with: moments start at zero and are not corrected for it (arXiv:2006.05987, section 4).

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p = p - lr m / (sqrt(v) + eps);  p = p - lr decay p.
    The step before decay is AdamW's with rescaled lr and eps, so torch's fused kernel does the work:
    lr' (m / c1) / (sqrt(v) / c2 + eps') with c1 = 1 - b1^t, c2 = sqrt(1 - b2^t), lr' = lr c1 / c2, eps' = eps / c2.
    """

    def __init__(self, groups: list[Group], lr: float, eps: float) -> None:
        super().__init__(groups, lr=lr, eps=eps, fused=True)
        self.n_steps = 0

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters once."""
        self.n_steps += 1
        settings = [(group["lr"], group["eps"], group["weight_decay"]) for group in self.param_groups]
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            c1, c2 = 1 - beta1**self.n_steps, (1 - beta2**self.n_steps) ** 0.5
            group["lr"] *= c1 / c2
            group["eps"] /= c2
            group["weight_decay"] = 0.0
        super().step()
        for group, (lr, eps, decay) in zip(self.param_groups, settings, strict=True):
            group["lr"], group["eps"], group["weight_decay"] = lr, eps, decay
            if decay:
                torch._foreach_mul_([p for p in group["params"] if p.grad is not None], 1 - lr * decay)


def build_optimizer(groups: list[Group], *, learning_rate: float, epsilon: float, bias_correction: bool) -> AdamW:
    """Make the optimizer of a recipe; each group carries its own weight decay."""
    if bias_correction:
        return AdamW(groups, lr=learning_rate, eps=epsilon, fused=True)
    return AdamWithoutBiasCorrection(groups, lr=learning_rate, eps=epsilon)
