"""Circles to choose by, empty, with a dot, or full, as forms and pages have them before what is to be chosen.

The outline of a circle fills pi / 4 of its bounds; that of letters, of rounded boxes and of most emblems does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

OPEN, CHOSEN = "○", "●"
SIDES = (0.6, 1.6)  # of its bounds against a typical glyph: a full stop (。) is smaller
LEAST_PX = 8
ROUND = 1.13  # longer side of its bounds against the shorter, at most
FILLS = (0.83, 1.07)  # of a circle in its bounds that the outline encloses; a pale edge makes the bounds larger
INSIDE, DOT = 0.7, 0.3  # of the radius: what is further out may be its stroke; of a dot there is this much at least
EMPTY_SHARE, FULL_SHARE = 0.04, 0.93
APART = 0.15  # of its side that is free around it; letters of a word stand closer


def find(ink: NDArray[np.uint8], glyph_px: float) -> Iterator[tuple[int, int, int, int, str]]:
    """Left, top, right, bottom and sign of each circle in a mask (0 and 1) whose typical glyph is `glyph_px` high."""
    least, most = max(LEAST_PX, SIDES[0] * glyph_px), SIDES[1] * glyph_px
    contours, bounds = outlines(ink)
    short, longer = bounds[:, 2:].min(axis=1), bounds[:, 2:].max(axis=1)
    round_ones = (least <= short) & (longer <= most) & (longer <= ROUND * short)
    for at in np.flatnonzero(round_ones).tolist():
        contour, (x, y, wide, high) = contours[at], bounds[at].tolist()
        # The contour runs through the middles of the outermost pixels, so it encloses one pixel less each way.
        share = cv2.contourArea(contour) / (math.pi / 4 * (wide - 1) * (high - 1))
        if FILLS[0] <= share <= FILLS[1] and _is_apart(ink, x, y, wide, high):
            sign = _sign(ink[y : y + high, x : x + wide])
            if sign is not None:
                yield x, y, x + wide, y + high, sign


def outlines(mask: NDArray[np.uint8]) -> tuple[list[NDArray[np.int32]], NDArray[np.int32]]:
    """The outer contours of a mask, also of what lies within a frame, each (points, 1, 2), and their bounds: left, top, width,
    height, (n, 4). Labels would do as well, in no less time."""
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if tree is None:
        return [], np.zeros((0, 4), np.int32)
    outer = [contours[at] for at in np.flatnonzero(tree[0, :, 3] < 0).tolist()]
    points = np.concatenate(outer)[:, 0]
    starts = np.cumsum([0, *map(len, outer[:-1])])
    low, high = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    return outer, np.hstack([low, high - low + 1])


def _is_apart(ink: NDArray[np.uint8], x: int, y: int, wide: int, high: int) -> bool:
    free = max(2, round(APART * wide))
    around = ink[max(0, y - free) : y + high + free, max(0, x - free) : x + wide + free]
    return int(around.sum()) == int(ink[y : y + high, x : x + wide].sum())


def _sign(part: NDArray[np.uint8]) -> str | None:
    """What a circle holds, if it is nothing, a dot in the middle, or all ink."""
    high, wide = part.shape
    rows, columns = np.ogrid[:high, :wide]
    away = np.hypot((rows - (high - 1) / 2) / (high / 2), (columns - (wide - 1) / 2) / (wide / 2))
    inside = float(part[away < INSIDE].mean())
    if inside <= EMPTY_SHARE:
        return OPEN
    if inside >= FULL_SHARE:
        return CHOSEN
    return CHOSEN if float(part[away < DOT].mean()) >= FULL_SHARE and _is_ring(part, away) else None


def _is_ring(part: NDArray[np.uint8], away: NDArray[np.float64]) -> bool:
    """Whether a free ring lies somewhere between a dot and the circle's stroke."""
    return any(float(part[(away >= at) & (away < at + 0.15)].mean()) <= EMPTY_SHARE for at in (0.5, 0.6, 0.65))
