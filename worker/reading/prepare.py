"""Looking at a page before reading it: how large its text is, and at which scale the detector should see it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import tiles
from worker.reading.components import components
from worker.reading.grey import GreyPage, shrunk

LOOK_PX = 1_300_000  # pixels of the picture on which ink is measured, at most; of a huge page a quarter of its sides,
LOOK_MOST_PX = 6_000_000  # and at most so many
MIN_INK_PX = 3  # smallest glyph worth counting, in pixels of that picture
ENOUGH_GLYPHS = 12  # fewer say nothing about the page
LOCAL_CONTRAST = 24  # grey levels a glyph differs from its surroundings by
SLENDER = 2.5  # longer side of its bounds against the shorter, and
THIN = 9.0  # square of its length against its area: an l or a 1, or
BARS_SHARE = 0.5  # of the summed height, from which they are a leaning bar code's; 131 pages have 0.35 at most

GLYPH_TARGET_PX = 12.5  # glyph height the detector should see: less loses lines, more costs time and wins nothing
SMALL_PERCENT = 20  # of the summed height of all glyphs stands in ones no higher than the small print ...
SMALL_TARGET_PX = 9.0  # ... which the detector should see this high, if that
TYPICAL_MOST_PX = 20.0  # makes the typical glyph no higher than this (lines fall apart where their gaps look wide)
MAX_ZOOM = 2.0
MAX_SEEN_PX = 2_600_000  # pixels of the picture the detector sees, at most (0.5 s on one core) ...
SEEN_PX_A_GLYPH = 1_500  # ... unless so much stands on a large scan that it needs more, up to
MOST_SEEN_PX = 10_000_000
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
MARGIN_SPREAD = 4  # grey levels: where the brightest and the darkest pixels differ by less not even pale print stands,
MARGIN_SHRINK = 4  # in a picture that many times smaller than the detector sees it
MARGIN_TONE = 24  # grey levels between the paper of what is written and its margins, at most
MARGIN_PX = 24  # of what the detector sees: blank paper that is left around what is written
UNKNOWN_LONG_PX = 480  # longer side the detector sees when there are few glyphs or none: what is there is large
MIN_SEEN_PX = 320  # the picture is never shrunk to a shorter longer side than this


@dataclass(frozen=True, slots=True)
class Ink:
    """What stands on a page. `height` is the typical height of a glyph in pixels of the page, 0 where there are none;
    `spots` are the glyphs themselves, (n, 4): left, top, width, height in pixels of the page. `written` is the page without its
    blank margins, left, top, right and bottom, None where too little stands on it to tell."""

    height: float
    spots: NDArray[np.float64]
    written: tuple[float, float, float, float] | None = None

    @property
    def glyphs(self) -> int:
        """How many there are."""
        return len(self.spots)


def measure_ink(page: GreyPage) -> Ink:
    """Finds glyph-like spots (connected ink after a local threshold) in both polarities of a page; the polarity with
    more of them is the text's.

    A spot is glyph-like when it is not much wider than high, fills a fair part of its box, and is neither dust nor a
    picture. Costs some milliseconds a megapixel.
    """
    fit, most = (math.sqrt(limit / (page.height * page.width)) for limit in (LOOK_PX, LOOK_MOST_PX))
    scale = min(1.0, max(fit, min(0.25, most)))
    grey = page.shrunk(scale)
    block = 2 * (round(math.sqrt(grey.size)) // 48) + 15
    local = cv2.blur(grey, (block, block))
    best = Ink(0.0, np.zeros((0, 4)))
    for light, dark in ((local, grey), (grey, local)):
        contrast = cv2.subtract(light, dark)
        mask = cv2.threshold(contrast, LOCAL_CONTRAST, 1, cv2.THRESH_BINARY, dst=contrast)[1]
        spots = glyph_spots(np.asarray(mask, np.uint8))
        if len(spots) > 1.5 * best.glyphs and len(spots) >= ENOUGH_GLYPHS:
            heights = spots[:, 2:].max(axis=1)
            best = Ink(weighted_percentile(heights, 50) / scale, spots / scale)
    if best.glyphs:
        left, top, right, bottom = _written(grey, MARGIN_SHRINK * scale / scale_of_glyphs(best))
        best = replace(best, written=(left / scale, top / scale, right / scale, bottom / scale))
    return best


def weighted_percentile(heights: NDArray[np.float64], percent: float) -> float:
    """The height below which `percent` of the summed height lies: a thousand specks weigh little beside a text."""
    ordered = np.sort(heights)
    sums = np.cumsum(ordered)
    return float(ordered[int(np.searchsorted(sums, sums[-1] * percent / 100))])


def _written(grey: NDArray[np.uint8], smaller: float) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a grey picture without its blank margins, looked at so many times smaller; all of it where the
    margins are no paper, as around a sheet on a desk: the sheet's edges would stand at the picture's."""
    height, width = grey.shape
    small = shrunk(grey, min(1.0, 1 / smaller))
    left, right = _blank_ends(small.max(axis=0), small.min(axis=0))
    inside = small[:, left : small.shape[1] - right]
    top, bottom = _blank_ends(inside.max(axis=1), inside.min(axis=1))
    margins = [small[:top], small[small.shape[0] - bottom :], small[:, :left], small[:, small.shape[1] - right :]]
    written = inside[top : len(inside) - bottom]
    tones = np.percentile(written, (25, 50, 75)) if written.size else np.zeros(3)  # one of them is the paper's
    if any(part.size and np.abs(np.median(part) - tones).min() > MARGIN_TONE for part in margins):
        return 0.0, 0.0, float(width), float(height)
    margin = MARGIN_PX / MARGIN_SHRINK
    x, y = width / small.shape[1], height / small.shape[0]
    return (
        max(0.0, (left - margin) * x),
        max(0.0, (top - margin) * y),
        min(width, (small.shape[1] - right + margin) * x),
        min(height, (small.shape[0] - bottom + margin) * y),
    )


def _blank_ends(brightest: NDArray[np.uint8], darkest: NDArray[np.uint8]) -> tuple[int, int]:
    """How many rows at the beginning and at the end of a picture are blank together; all of one that is blank as a whole
    are at its beginning."""
    ends = []
    for step in (1, -1):
        spread = np.maximum.accumulate(brightest[::step]) - np.minimum.accumulate(darkest[::step])
        ends.append(int(np.count_nonzero(spread < MARGIN_SPREAD)))
    return ends[0], 0 if ends[0] == len(brightest) else ends[1]


def detector_scale(width: int, height: int, ink: Ink) -> float:
    """How many times its size the detector should see a picture of `width` x `height` px, so that glyphs are about
    `GLYPH_TARGET_PX` high, and the page's small print is seen too, within what memory and time allow."""
    longer = max(width, height)
    scale = UNKNOWN_LONG_PX / longer if ink.glyphs < ENOUGH_GLYPHS else scale_of_glyphs(ink)
    scale = max(min(scale, MAX_ZOOM), min(1.0, MIN_SEEN_PX / longer))
    seen_px = min(max(MAX_SEEN_PX, ink.glyphs * SEEN_PX_A_GLYPH), MOST_SEEN_PX)
    scale = min(scale, math.sqrt(seen_px / (width * height)))

    def cost(factor: float) -> float:
        zoom = scale * factor
        return tiles.seen_px(max(1, round(width * zoom)), max(1, round(height * zoom))) / math.sqrt(factor)

    return float(scale * min(SCALE_FACTORS, key=cost))


def scale_of_glyphs(ink: Ink) -> float:
    """The scale that the glyphs' heights ask for: by the typical one, and closer where much stands in small print, but
    no closer than the picture's own size for its sake."""
    small = weighted_percentile(ink.spots[:, 2:].max(axis=1), SMALL_PERCENT)
    closer = min(SMALL_TARGET_PX / small, TYPICAL_MOST_PX / ink.height, 1.0)
    return max(GLYPH_TARGET_PX / ink.height, closer)


def glyph_spots(mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Those spots of a mask that look like glyphs: left, top, width, height in its pixels, (n, 4)."""
    found = components(mask)[1][1:].astype(np.float64)
    w, h, area = (found[:, i] for i in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    keep = (h >= MIN_INK_PX) & (h < mask.shape[0] / 6) & (w < 4 * h) & (h < 6 * w) & (area > 0.12 * w * h) & (area >= 6)
    return np.asarray(without_bars(found[keep])[:, :4])


def without_bars(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows (left, top, width, height, area) without the bars of a bar code that leans: where most of what there is are
    bars, they would tell of text as high as they are."""
    w, h, area = found[:, 2], found[:, 3], found[:, 4]
    longer = np.maximum(w, h)
    bar = (longer > SLENDER * np.minimum(w, h)) & (w * w + h * h > THIN * area)
    return found[~bar] if longer[bar].sum() > BARS_SHARE * longer.sum() else found
