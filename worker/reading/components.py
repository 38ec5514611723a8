"""What hangs together in a mask."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def components(mask: NDArray[np.uint8]) -> tuple[NDArray[np.uint16] | NDArray[np.int32], NDArray[np.int32]]:
    """The number of the spot that each pixel of a mask (height, width) belongs to, 0 for none, and of each spot, from 0, its left,
    top, width, height and area in pixels, (n, 5). Corners touch. Numbers of 16 bits take half the time; the finest grain on a
    large page has more spots than they can tell."""
    try:
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_16U)
    except cv2.error:
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    return labels, np.asarray(stats, np.int32)
