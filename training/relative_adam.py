"""Adam whose step is a share of each weight's own size."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RelativeAdam:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980) whose step is a share of each output channel's own size.

    The network's normalisations are folded into its weights, whose sizes differ a thousandfold from channel to channel:
    with one step for all, the first hundred steps spoil it.
    """

    def __init__(self, parameters: list[nn.Parameter], betas: tuple[float, float] = (0.9, 0.98)) -> None:
        self.parameters, self.betas, self.count = parameters, betas, 0
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        self.sizes = [_size(p.detach()) for p in parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        self.count += 1
        one, two = self.betas
        for p, first, second, size in zip(self.parameters, self.first, self.second, self.sizes, strict=True):
            if p.grad is None:
                continue
            first.mul_(one).add_(p.grad, alpha=1 - one)
            second.mul_(two).addcmul_(p.grad, p.grad, value=1 - two)
            way = (first / (1 - one**self.count)) / ((second / (1 - two**self.count)).sqrt() + 1e-12)
            p.sub_(way.clamp_(-3, 3) * size * rate)


def _size(weight: Tensor) -> Tensor:
    """The root mean square of each output channel, at least a tenth of the whole weight's."""
    whole = weight.square().mean().sqrt()
    if weight.dim() < 2 or (weight.dim() == 4 and weight.shape[0] == 1):
        return whole.clamp(min=1e-3).expand_as(weight).clone()
    over = tuple(range(1, weight.dim())) if weight.dim() == 4 else (0,)
    return torch.maximum(weight.square().mean(over, keepdim=True).sqrt(), 0.1 * whole)
