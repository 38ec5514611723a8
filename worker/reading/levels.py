"""Percentiles of a picture's grey levels, by counting them: a picture has thousands of pixels and 256 levels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def percentiles(picture: NDArray[np.uint8], *percents: float, where: NDArray[np.bool_] | None = None) -> list[float]:
    """What `np.percentile` answers for the pixels of a grey picture (height, width), or for those `where` a mask says."""
    chosen = None if where is None else where.view(np.uint8)
    sums = cv2.calcHist([picture], [0], chosen, [256], [0, 256]).ravel().cumsum(dtype=np.float64)
    last = int(sums[-1]) - 1
    out = []
    for percent in percents:
        at = percent / 100 * last
        low, high = sums.searchsorted((int(at), min(int(at) + 1, last)), "right").tolist()
        share = at - int(at)
        out.append(low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share))
    return out
