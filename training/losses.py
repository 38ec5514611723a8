"""What the recogniser is pulled by: CTC over the vocabulary or a drawn part of it, and nearness to the base model."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from training.alphabet import BLANK


class ClassDraw:
    """The classes a batch is scored over: its own, the blank, and others drawn as rivals.

    A batch scored over its own characters alone lets rare ones intrude later, since nothing ever pushes them down; drawing
    rivals anew each time pushes on all of them at a fraction of the full head's cost. `rivals` of 0 takes every class.
    """

    def __init__(self, classes: int, rivals: int, always: list[int], seed: int) -> None:
        self.classes, self.rivals = classes, rivals if rivals < classes else 0
        self.always = np.array(sorted({BLANK, *always}))
        self._draw = np.random.default_rng(seed)

    def __call__(self, labels: list[list[int]]) -> tuple[Tensor | None, list[list[int]]]:
        """The classes' numbers (None for all of them) and the labels renumbered to match."""
        if not self.rivals:
            return None, labels
        own = np.array(sorted({index for label in labels for index in label}), np.int64)
        drawn = self._draw.choice(self.classes, self.rivals, replace=False)
        chosen = np.unique(np.concatenate([self.always, own, drawn]))
        place = np.zeros(self.classes, np.int64)
        place[chosen] = np.arange(chosen.size)
        return torch.from_numpy(chosen), [place[label].tolist() for label in labels]


def scores(features: Tensor, head: nn.Linear, chosen: Tensor | None) -> Tensor:
    """Log-probabilities (lines, steps, classes chosen)."""
    if chosen is None:
        return head(features).log_softmax(-1)  # type: ignore[no-any-return]
    return nn.functional.linear(features, head.weight[chosen], head.bias[chosen]).log_softmax(-1)


def ctc(log_probs: Tensor, labels: list[list[int]], counted: list[bool] | None = None) -> Tensor:
    """Mean over lines of the CTC loss per character; a line too long for its steps, or not `counted`, counts nothing."""
    lines, steps, _ = log_probs.shape
    lengths = torch.tensor([len(label) for label in labels])
    flat = torch.tensor([index for label in labels for index in label])
    each = nn.functional.ctc_loss(
        log_probs.transpose(0, 1),
        flat,
        torch.full((lines,), steps),
        lengths,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
    each = each / lengths.clamp(min=1)
    return (each if counted is None else each * torch.tensor(counted)).mean()


def hold(
    log_probs: Tensor,
    base: Tensor,
    labels: list[list[int]],
    emphasis: list[float] | None = None,
    always: list[bool] | None = None,
) -> tuple[Tensor, float]:
    """KL from the base model's log-probabilities, over the lines that the base reads right; and the share of those.

    A step's distance, averaged over lines and steps; `emphasis` multiplies a line's part in it. Lines marked `always` are
    held whatever the base makes of them (Li and Hoiem, Learning without Forgetting, arXiv 1606.09282).
    """
    best = base.argmax(-1)
    right = []
    for row, label in zip(best.tolist(), labels, strict=True):
        read = [index for at, index in enumerate(row) if index != BLANK and (at == 0 or row[at - 1] != index)]
        right.append(read == label)
    keep = torch.tensor(right if always is None else [a or b for a, b in zip(right, always, strict=True)])
    if not bool(keep.any()):
        return log_probs.new_zeros(()), 0.0
    distance = nn.functional.kl_div(log_probs[keep], base[keep], reduction="none", log_target=True).sum(-1)
    if emphasis is not None:
        distance = distance * torch.tensor(emphasis)[keep, None]
    return distance.mean(), float(keep.float().mean())
