"""The project's own recogniser: grey, depthwise-separable, one BiLSTM, a head of low rank; about a million weights.

Takes the same input as PP-OCRv2's (BGR in [-1, 1], 32 px high), so that either file can serve. Exported with the arg-max inside,
it answers with class and probability a step, which spares the caller a (steps, 8,000) array.
"""

from __future__ import annotations

import dataclasses
import functools

import torch
from torch import Tensor, nn


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of the network. A block is (channels, stride down, stride across); strides across multiply to 4 with the stem's 2."""

    stem: int = 32
    blocks: tuple[tuple[int, int, int], ...] = (
        (64, 2, 2), (96, 1, 1), (128, 2, 1), (128, 1, 1), (192, 2, 1), (192, 1, 1), (192, 1, 1),
    )  # fmt: skip
    recurrent: int = 128
    rank: int = 64


class Separable(nn.Module):
    """Depthwise 3x3 then pointwise, each with BatchNorm and hard-swish; a skip where shape allows."""

    def __init__(self, narrow: int, wide: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(narrow, narrow, 3, stride, 1, groups=narrow, bias=False), nn.BatchNorm2d(narrow), nn.Hardswish(),
            nn.Conv2d(narrow, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.Hardswish(),
        )  # fmt: skip
        self.skip = narrow == wide and stride == (1, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return x + out if self.skip else out


class Compact(nn.Module):
    """(batch, 3, 32, width) in [-1, 1], BGR -> logits (batch, width // 4, classes)."""

    def __init__(self, classes: int, shape: Shape | None = None) -> None:
        super().__init__()
        shape = shape or Shape()
        self.split = 0
        # brightness of a BGR picture, ITU-R BT.601
        self.register_buffer("grey", torch.tensor([0.114, 0.587, 0.299]).view(1, 3, 1, 1))
        layers: list[nn.Module] = [
            nn.Conv2d(1, shape.stem, 3, 2, 1, bias=False),
            nn.BatchNorm2d(shape.stem),
            nn.Hardswish(),
        ]
        have, rows = shape.stem, 16
        for channels, down, across in shape.blocks:
            layers.append(Separable(have, channels, (down, across)))
            have, rows = channels, rows // down
        layers += [nn.Conv2d(have, have, (rows, 1), groups=have, bias=False), nn.BatchNorm2d(have), nn.Hardswish()]
        self.backbone = nn.Sequential(*layers)
        self.lstm = nn.LSTM(have, shape.recurrent, bidirectional=True, batch_first=True)
        self.narrow = nn.Linear(2 * shape.recurrent, shape.rank)
        self.head = nn.Linear(shape.rank, classes)

    def front(self, x: Tensor) -> Tensor:
        """Nothing of this network is ever frozen."""
        return x

    def steps(self, x: Tensor) -> Tensor:
        """The convolutions: -> (batch, width // 4, channels)."""
        bright = (x * self.grey).sum(1, keepdim=True)
        columns: Tensor = self.backbone(bright).squeeze(2).transpose(1, 2)
        return columns

    def read(self, columns: Tensor) -> Tensor:
        """The recurrent layer: -> (batch, steps, rank), what the head's classes are scored from."""
        out, _ = self.lstm(columns)
        narrow: Tensor = self.narrow(out)
        return narrow

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.read(self.steps(x)))
        return logits


class Best(nn.Module):
    """The best class of each step and its probability, each (batch, steps): what is exported for serving."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # not argmax: ONNX has it as TopK, which OpenVINO takes longer over than over all the rest
        logits = self.model(x)
        most = logits.amax(-1, keepdim=True)
        numbers = torch.arange(logits.shape[-1], dtype=torch.float32)
        best = torch.where(logits == most, numbers, torch.zeros(())).amax(-1)
        return best.to(torch.int32), 1.0 / (logits - most).exp().sum(-1)


EXTRA = (
    "".join(map(chr, range(33, 127)))
    + "".join(chr(c) for c in range(0xA1, 0x100) if c != 0xAD)
    + "".join(map(chr, range(0x3041, 0x3094)))
    + "".join(map(chr, range(0x30A1, 0x30FB)))
    + "".join(map(chr, range(0xFF01, 0xFF5F)))
    + "ー々〆〇。、「」『』【】《》〈〉〔〕“”‘’…—–·•‧～￥€℃℉％‰㎡㎎㎏㎜㎝㎞℡№™®©"
    + "□■☐☑☒✓✔✗○●◎◇◆△▲▽▼☆★→←↑↓↔①②③④⑤⑥⑦⑧⑨⑩ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ≤≥≠≈±×÷∞√∑αβγδεθλμπσφωΔΩ"
)


@functools.cache
def characters() -> tuple[str, ...]:
    """GB 2312's Chinese characters, the traditional forms of its commoner half, and EXTRA, in the order of their code points."""
    from training.texts import traditional

    chinese = [bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)]
    common = chinese[: 40 * 94]
    convert = traditional()
    found = {c for c in (*chinese, *(convert(c) for c in common), *EXTRA) if len(c) == 1}
    return tuple(sorted(found))
