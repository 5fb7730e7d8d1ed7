"""Adam's variants."""

import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer

from gridsearch.optimizers.groups import Group
from gridsearch.optimizers.settings import UpdateSettings

Betas = tuple[float, float]
BETAS: Betas = (0.9, 0.999)
"""How much of Adam's two moments stays in each step (arXiv:1412.6980)."""


class AdamWithoutBiasCorrection(AdamW):
    """Adam as BERT was released with: moments start at zero and are not corrected for it (arXiv:2006.05987, section 4).

    m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p = p - lr m / (sqrt(v) + eps);  p = p - lr decay p.
    The step before decay is AdamW's with rescaled lr and eps, so torch's fused kernel does the work:
    lr' (m / c1) / (sqrt(v) / c2 + eps') with c1 = 1 - b1^t, c2 = sqrt(1 - b2^t), lr' = lr c1 / c2, eps' = eps / c2.
    """

    def __init__(self, groups: list[Group], lr: float, eps: float, betas: Betas = BETAS) -> None:
        super().__init__(groups, lr=lr, eps=eps, betas=betas, fused=True)
        for group in self.param_groups:
            group["n_steps"] = 0  # here, a saved state has it

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters once."""
        settings = [(group["lr"], group["eps"], group["weight_decay"]) for group in self.param_groups]
        for group in self.param_groups:
            group["n_steps"] += 1
            beta1, beta2 = group["betas"]
            c1, c2 = 1 - beta1 ** group["n_steps"], (1 - beta2 ** group["n_steps"]) ** 0.5
            group["lr"] *= c1 / c2
            group["eps"] /= c2
            group["weight_decay"] = 0.0
        super().step()
        for group, (lr, eps, decay) in zip(self.param_groups, settings, strict=True):
            group["lr"], group["eps"], group["weight_decay"] = lr, eps, decay
            if decay:
                torch._foreach_mul_([p for p in group["params"] if p.grad is not None], 1 - lr * decay)


class OriginalBertAdam(Optimizer):
    """BertAdam as first released for PyTorch (pytorch-pretrained-bert, optimization.py).

    Each tensor's gradient is clipped to norm 1; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
    u = m / (sqrt(v) + eps) + decay p; p = p - lr u. Its own schedule is ``schedule.original_bert_adam``, which the loop
    sets as it does all others.
    """

    MAX_NORM = 1.0

    def __init__(self, groups: list[Group], lr: float, eps: float, betas: Betas = BETAS) -> None:
        super().__init__(groups, {"lr": lr, "eps": eps, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters once."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            for parameter in parameters:
                clip_grad_norm_(parameter, self.MAX_NORM)
                if parameter not in self.state:
                    self.state[parameter] = {name: torch.zeros_like(parameter) for name in ("mean", "square")}
            gradients = [parameter.grad for parameter in parameters]
            means, squares = ([self.state[p][name] for p in parameters] for name in ("mean", "square"))
            beta1, beta2 = group["betas"]
            torch._foreach_lerp_(means, gradients, 1 - beta1)
            torch._foreach_mul_(squares, beta2)
            torch._foreach_addcmul_(squares, gradients, gradients, 1 - beta2)
            roots = torch._foreach_sqrt(squares)
            torch._foreach_add_(roots, group["eps"])
            updates = torch._foreach_div(means, roots)
            torch._foreach_add_(updates, parameters, alpha=group["weight_decay"])
            torch._foreach_add_(parameters, updates, alpha=-group["lr"])


def build_optimizer(settings: UpdateSettings, groups: list[Group]) -> Optimizer:
    """Make the optimizer of a training; each group carries its own weight decay."""
    rate, epsilon, betas = settings.learning_rate, settings.adam_epsilon, (BETAS[0], settings.adam_beta2)
    if settings.optimizer == "original_bert_adam":
        return OriginalBertAdam(groups, lr=rate, eps=epsilon, betas=betas)
    if settings.bert_adam:
        return AdamWithoutBiasCorrection(groups, lr=rate, eps=epsilon, betas=betas)
    return AdamW(groups, lr=rate, eps=epsilon, betas=betas, fused=True)
