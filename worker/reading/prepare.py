"""Looking at a page before reading it: how large its text is, and at which scale the detector should see it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import tiles

LOOK_PX = 1280  # longer side of the picture on which ink is measured, at most
MIN_INK_PX = 3  # smallest glyph worth counting, in pixels of that picture
ENOUGH_GLYPHS = 12  # fewer say nothing about the page
LOCAL_CONTRAST = 24  # grey levels a glyph differs from its surroundings by

GLYPH_TARGET_PX = 11.0  # glyph height the detector should see: less loses lines, more costs time and wins nothing
MAX_ZOOM = 2.0
MAX_SEEN_PX = 2_600_000  # pixels of the picture the detector sees, at most (0.5 s on one core)
SCALE_FACTORS = (
    1.0,
    1.04,
    1.08,
    0.98,
    0.96,
    0.94,
    0.92,
    0.90,
    0.88,
    0.86,
)  # to fit the page to the windows with less waste
UNKNOWN_LONG_PX = 480  # longer side the detector sees when there are few glyphs or none: what is there is large
MIN_SEEN_PX = 320  # the picture is never shrunk to a shorter longer side than this


@dataclass(frozen=True, slots=True)
class Ink:
    """What stands on a page. `height` is the typical height of a glyph in pixels of the page, `small` that of its small
    print (the lowest tenth), both 0 where too little was found; `glyphs` how many were counted."""

    height: float
    small: float
    glyphs: int


def measure_ink(page: NDArray[np.uint8]) -> Ink:
    """Counts glyph-like spots (connected ink after a local threshold) in both polarities of a BGR page.

    A spot is glyph-like when it is not much wider than high, fills a fair part of its box, and is neither dust nor a
    picture. Costs a few milliseconds a megapixel.
    """
    height, width = page.shape[:2]
    scale = min(1.0, LOOK_PX / max(height, width))
    if scale < 1.0:
        goal = (max(1, round(width * scale)), max(1, round(height * scale)))
        page = cv2.resize(page, goal, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    block = 2 * (max(grey.shape) // 64) + 15
    local = cv2.blur(grey, (block, block))
    best = Ink(0.0, 0.0, 0)
    for contrast in (cv2.subtract(local, grey), cv2.subtract(grey, local)):
        spots = glyph_heights(cv2.compare(contrast, LOCAL_CONTRAST, cv2.CMP_GT))
        if len(spots) > 1.5 * best.glyphs and len(spots) >= ENOUGH_GLYPHS:
            middle, low = weighted_percentile(spots, 50), weighted_percentile(spots, 10)
            best = Ink(middle / scale, low / scale, len(spots))
    return best


def weighted_percentile(heights: NDArray[np.float64], percent: float) -> float:
    """The height below which `percent` of the summed height lies: a thousand specks weigh little beside a text."""
    ordered = np.sort(heights)
    sums = np.cumsum(ordered)
    return float(ordered[int(np.searchsorted(sums, sums[-1] * percent / 100))])


def detector_scale(width: int, height: int, ink: Ink) -> float:
    """How many times its size the detector should see a page of `width` x `height` px, so that glyphs are about
    `GLYPH_TARGET_PX` high, within what memory and time allow."""
    longer = max(width, height)
    scale = UNKNOWN_LONG_PX / longer if ink.glyphs < ENOUGH_GLYPHS else GLYPH_TARGET_PX / ink.height
    scale = max(min(scale, MAX_ZOOM), min(1.0, MIN_SEEN_PX / longer))
    scale = min(scale, (MAX_SEEN_PX / (width * height)) ** 0.5)

    def cost(factor: float) -> float:
        zoom = scale * factor
        return tiles.seen_px(max(1, round(width * zoom)), max(1, round(height * zoom))) / math.sqrt(factor)

    return float(scale * min(SCALE_FACTORS, key=cost))


def glyph_heights(mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The heights, in pixels of the mask, of those of its spots that look like glyphs."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    w, h, area = (stats[1:, i].astype(np.float64) for i in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    keep = (h >= MIN_INK_PX) & (h < mask.shape[0] / 6) & (w < 4 * h) & (h < 6 * w) & (area > 0.12 * w * h) & (area >= 6)
    return np.asarray(np.maximum(w, h)[keep])
