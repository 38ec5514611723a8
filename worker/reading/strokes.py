"""Long straight runs of a mask: morphological opening along one axis (Serra 1982, chapter 2), done only where a glance at some of
the columns shows that there may be any."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

GLANCES = 8  # columns that are glanced at within the length of a run, and
SEEN = 5  # such columns in a row that it covers: at the picture's edge half a run is one, too
FEWEST_PX = 3  # between two of these columns: where it would be less, a glance costs as much as it saves


def level(mask: NDArray[np.uint8], long: int) -> NDArray[np.uint8]:
    """What of a mask (height, width) of 0 and 1 lies in level runs of `long` pixels and more; a run that meets the picture's
    edge is taken to go on behind it."""
    if long < GLANCES * FEWEST_PX:
        return _opened(mask, (1, long))
    some = np.ascontiguousarray(mask[:, :: long // GLANCES])
    rows = np.flatnonzero(cv2.erode(some, np.ones((1, SEEN), np.uint8)).any(axis=1))
    out = np.zeros_like(mask)
    if rows.size:
        out[rows] = _opened(mask[rows], (1, long))
    return out


def upright(mask: NDArray[np.uint8], long: int) -> NDArray[np.uint8]:
    """The same of upright runs."""
    if long < GLANCES * FEWEST_PX:
        return _opened(mask, (long, 1))
    return np.asarray(cv2.transpose(level(np.asarray(cv2.transpose(mask), np.uint8), long)), np.uint8)


def _opened(mask: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(shape, np.uint8)), np.uint8)
