"""Boxes to tick on forms, empty or ticked, which recognisers pass over: found as shapes (`tick_text` puts them into lines).

A box is two level and two upright strokes of one length that meet at four corners. Morphological opening with such strokes
leaves little else of a page, and takes a tick that reaches out of its box away (Serra 1982, chapter 2). What is inside says
whether it is ticked. Characters of that shape (口, 日) are read as what they are, and stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import strokes, tick_circles
from worker.reading.grey import GreyPage

EMPTY, TICKED, CROSSED, FILLED = "☐", "☑", "☒", "■"
LOOK_MOST_PX = 3_000_000  # pixels of the picture on which they are sought, at most
LOCAL_CONTRAST = 24  # grey levels that a stroke differs from its surroundings by
DARK_PAGE = 110  # grey level of the typical pixel: below, ink is lighter than the page
BOLD = 0.5  # of the typical contrast of a box's strokes: what is fainter is the grey beside them
RULE_GLYPHS = 3.0  # of a typical glyph's height: longer strokes are rules and frames, and left out
STROKE_GLYPHS = 0.5  # of a typical glyph's height: shorter strokes are not looked at
SIDES = (0.6, 2.2)  # of a box against a typical glyph, at least and at most
SQUARE = 1.25  # longer side against the shorter, at most,
WITH_TICK = 1.5  # and with a tick that leaves over a corner
LEAST_PX = 9  # of a side
BAND = 0.15  # of a side: how far from the edge its stroke may lie
COVERED = 0.8  # of every side that the stroke must cover: scans break strokes
CORNERS = 3
CORNER = 0.1  # of a side: so near to three of the corners there is ink; in D only near two, in O near none
STRAIGHT = 0.65  # of a side that lies in one row: the curves of O and D do not
NEAR = 0.15  # of its height: from there on what stands above or below it is of another line
UNTICKED = 0.6  # of its width, from the left, above which no tick reaches
STRAY = 0.5  # of its left side beside which there may be ink, and
STRAY_ROW = 0.25  # of one row above or below: grain, or the other edge of a stroke seen double
EMPTY_SHARE, FULL_SHARE = 0.04, 0.93  # of the inside that has ink, of an empty box at most and of a filled one at least
FULL_RING = 0.7  # of the inside's rim that has ink in a full box
LIGHT_SHARE, ALIKE = (
    0.5,
    0.75,
)  # of the inside has more ink and so much of what is drawn is like its mirror image: an emblem
DIAGONAL = 0.8  # of both diagonals that a cross covers
AWAY_HEIGHTS = 1.8  # of a line, before which a box may stand and belong to it
CONFIDENCE = 0.9  # in the box; nobody measured it
READ_AS_BOX = frozenset("☐☑☒■□▢▣◻◼◽◾✓✔√✕✗×")
ENCLOSED = frozenset("口日曰目田国回因困团囚囗四固园圆围圈图囧国图団図固画面西酉由甲申凹凸皿血")
SURE_CHARACTER = 0.6  # confidence from which such a character is believed


@dataclass(frozen=True, slots=True)
class TickBox:
    """A box of a page: the corners of its upright bounds in pixels, the character that stands for it, and whether it is
    `light` on dark."""

    left: float
    top: float
    right: float
    bottom: float
    sign: str
    light: bool = False

    def holds(self, other: TickBox) -> bool:
        """Whether the middle of another one lies in it."""
        x, y = (other.left + other.right) / 2, (other.top + other.bottom) / 2
        return self.left < x < self.right and self.top < y < self.bottom


def find(page: GreyPage, glyph_px: float) -> list[TickBox]:
    """The boxes, and the circles to choose by, of a page whose typical glyph is `glyph_px` high. Costs some milliseconds a megapixel."""
    scale = min(1.0, math.sqrt(LOOK_MOST_PX / (page.height * page.width)))
    glyph = glyph_px * scale
    if glyph * SIDES[1] < LEAST_PX:
        return []
    grey = page.shrunk(scale)
    side = 2 * round(2 * glyph) + 1
    local = cv2.blur(grey, (side, side))
    dark = float(np.median(grey[::7, ::7])) < DARK_PAGE
    brighter, darker = (grey, local) if dark else (local, grey)
    contrast = np.asarray(cv2.subtract(brighter, darker, dst=local), np.uint8)  # fresh memory takes longer to come
    ink = np.asarray(cv2.threshold(contrast, LOCAL_CONTRAST, 1, cv2.THRESH_BINARY)[1], np.uint8)
    ink -= _long_strokes(ink, RULE_GLYPHS * glyph)
    out: list[TickBox] = []
    lines = _long_strokes(ink, STROKE_GLYPHS * glyph)
    least, most = max(LEAST_PX, SIDES[0] * glyph), SIDES[1] * glyph
    for x, y, wide, high in dict.fromkeys(_squares(lines, least, most)):
        where = slice(y, y + high), slice(x, x + wide)
        if not all(map(_sides, _covered(ink[where]))):  # as letters are, mostly; a box's strokes are part of the ink
            continue
        weight = BOLD * _median(contrast[where][lines[where] > 0])
        bold = (contrast[where] > weight) & (ink[where] > 0)
        rows, columns = map(_sides, _covered(bold))
        if rows is None or columns is None:
            continue
        short, longer = sorted((rows[1] - rows[0], columns[1] - columns[0]))
        if longer > SQUARE * short or not least <= short <= longer <= most:
            continue
        top, bottom, left, right = y + rows[0], y + rows[1], x + columns[0], x + columns[1]
        beyond = [contrast[at, left:right] for at in (top - 1, bottom) if 0 <= at < len(grey)]
        sign = _sign(bold[rows[0] : rows[1], columns[0] : columns[1]])
        odd = any(_bulges(side > weight) for side in beyond) or any(_has_legs(side > weight) for side in beyond[1:])
        if sign is None or odd:
            continue
        box = TickBox(left / scale, top / scale, right / scale, bottom / scale, sign, dark)
        if _stands_alone(ink, top, bottom, left, right, sign == FILLED) and not any(each.holds(box) for each in out):
            out.append(box)
    for left, top, right, bottom, sign in tick_circles.find(ink, glyph):
        out.append(TickBox(left / scale, top / scale, right / scale, bottom / scale, sign, dark))
    return out


def _median(values: NDArray[np.uint8]) -> float:
    """What `np.median` answers, for few pixels in a tenth of its time; a page has hundreds of strokes to look at."""
    if not values.size:
        return math.inf
    ordered = np.sort(values)
    return (int(ordered[(values.size - 1) // 2]) + int(ordered[values.size // 2])) / 2


def _long_strokes(ink: NDArray[np.uint8], px: float) -> NDArray[np.uint8]:
    """What belongs to a level or upright stroke of `px` pixels and more."""
    long = max(5, round(px) | 1)  # odd: else what opening leaves is shifted
    out = strokes.level(ink, long)
    out |= strokes.upright(ink, long)
    return out


def _squares(lines: NDArray[np.uint8], least: float, most: float) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, width and height of what hangs together and is about as wide as high: as it is, for a box that stands close
    to a character, and with gaps of two pixels closed, for one with round corners."""
    for margin, joined in ((0, lines), (1, cv2.dilate(lines, np.ones((3, 3), np.uint8)))):
        bounds = tick_circles.outlines(np.asarray(joined, np.uint8))[1] + (margin, margin, -2 * margin, -2 * margin)
        short, longer = bounds[:, 2:].min(axis=1), bounds[:, 2:].max(axis=1)
        fits = (least <= short) & (longer <= WITH_TICK * np.minimum(most, short))
        yield from map(tuple, bounds[fits].tolist())


def _covered(mask: NDArray[np.uint8] | NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
    """How much of every row is covered, and how much of every column."""
    counts = mask.view(np.uint8)  # OpenCV counts so few in half of NumPy's time
    for axis in (1, 0):
        yield cv2.reduce(counts, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).reshape(-1) / mask.shape[axis]


def _sides(covered: NDArray[np.float64]) -> tuple[int, int] | None:
    """The first row (or column) of a stroke along a side and the end of the last, by how much of every one is covered; None
    where a side has no straight stroke. A tick that leaves over a corner makes the bounds larger than the box."""
    quarter = len(covered) // 4 + 1
    straight = (covered >= STRAIGHT).tolist()
    near = [at for at in range(quarter) if straight[at]]
    far = [at for at in range(len(straight) - quarter, len(straight)) if straight[at]]
    if not near or not far:
        return None
    first, last = near[-1], far[0]  # of two strokes the inner one is the box's
    while first > 0 and straight[first - 1]:
        first -= 1
    while last + 1 < len(straight) and straight[last + 1]:
        last += 1
    return first, last + 1


def _bulges(side: NDArray[np.bool_]) -> bool:
    """Whether what lies just outside of a side has ink in its middle and none at its ends, as the curve of an o has."""
    third, sixth = len(side) // 3, len(side) // 6
    return bool(side[third:-third].mean() > 0.5 and not side[:sixth].any() and not side[-sixth:].any())


def _has_legs(side: NDArray[np.bool_]) -> bool:
    """Whether the upright strokes go on below the lowest level one, as those of 口 do."""
    third, sixth = len(side) // 3, max(1, len(side) // 6)
    return bool(side[:sixth].any() and side[-sixth:].any() and not side[third:-third].any())


def _stands_alone(ink: NDArray[np.uint8], top: int, bottom: int, left: int, right: int, full: bool) -> bool:
    """Whether nothing touches a box on its left, below it, or above its left half, as the strokes of a character do whose
    part it is (白, 增); a tick may reach out to the right. Around a `full` one there is nothing at all."""
    near = max(1, round(NEAR * (bottom - top)))
    # the pixel next to it may be grey with the box's own stroke
    beside = ink[top:bottom, max(0, left - 2) : max(0, left - 1)]
    below = ink[bottom + 1 : bottom + 1 + near, left:right]
    above = ink[max(0, top - 1 - near) : max(0, top - 1), left : left + round((right - left) * UNTICKED)]
    if full:
        around = ink[max(0, top - 3) : bottom + 3, max(0, left - 3) : right + 3]
        return int(around.sum()) <= int(ink[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1].sum())
    touched = any(row.mean() > STRAY_ROW for part in (below, above) for row in part)
    joined = top >= 3 and above[-2:].any(axis=1).all()  # a stroke that grows out of it, as in 自
    return not touched and not joined and not (beside.size and beside.mean() > STRAY)


def _sign(bold: NDArray[np.bool_]) -> str | None:
    """What stands in the bounds of some strokes, if it is a box; only what is as dark as they are counts."""
    band = max(1, round(BAND * min(bold.shape)))
    sides = (bold[:band].any(0), bold[-band:].any(0), bold[:, :band].any(1), bold[:, -band:].any(1))
    if any(side.mean() < COVERED for side in sides):
        return None
    reach = max(2, round(CORNER * min(bold.shape)))
    corner = slice(None, reach), slice(-reach, None)
    if sum(bold[rows, columns].any() for rows in corner for columns in corner) < CORNERS:
        return None
    inside = bold[band + 1 : -band - 1, band + 1 : -band - 1].astype(np.uint8)
    if min(inside.shape, default=0) < 2:
        return None
    share = float(inside.mean())
    if share <= EMPTY_SHARE:
        return EMPTY
    if share >= FULL_SHARE:
        return FILLED
    ring = np.concatenate([inside[0], inside[-1], inside[:, 0], inside[:, -1]])
    drawn = inside if ring.mean() < FULL_RING else 1 - inside  # a full box has its tick in the paper's colour
    if _is_cross(drawn):
        return CROSSED
    alike = float((drawn & drawn[:, ::-1]).sum()) / max(1, int(drawn.sum()))
    return None if share > LIGHT_SHARE and alike > ALIKE else TICKED


def _is_cross(drawn: NDArray[np.uint8]) -> bool:
    """Whether something lies along both diagonals."""
    near = cv2.dilate(drawn, np.ones((2, 2), np.uint8))
    steps = np.linspace(0, 1, 2 * max(drawn.shape))
    rows = np.round(steps * (drawn.shape[0] - 1)).astype(int)
    columns = np.round(steps * (drawn.shape[1] - 1)).astype(int)
    return bool(min(near[rows, columns].mean(), near[rows, columns[::-1]].mean()) >= DIAGONAL)
