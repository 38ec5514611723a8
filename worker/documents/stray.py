"""Ink outside the text: does a page show writing that its text layer does not spell?"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

CONTRAST = 30  # grey levels by which ink differs from what surrounds it
COARSE_PX = 16  # characters higher than this are looked at in half the resolution
ROW_OF = 4  # so many spots side by side are a row of text


def stray_glyphs(grey: NDArray[np.uint8], boxes: NDArray[np.float64]) -> int:
    """How many glyph-like spots of ink stand in rows outside the `boxes` of text, (n, 4) in pixels.

    A spot differs from its surroundings and is about as large as the page's characters; a row is four of them side by
    side. Rules, the textures of pictures and single marks do not line up like that.
    """
    size = float(np.median(boxes[:, 3] - boxes[:, 1]))
    if size > COARSE_PX:
        half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        grey, boxes, size = np.asarray(half, np.uint8), boxes / 2, size / 2
    block = 2 * int(max(size, 8)) + 1
    ground = cv2.boxFilter(grey, cv2.CV_16S, (block, block))
    ink = (np.abs(grey.astype(np.int16) - ground) > CONTRAST).astype(np.uint8)
    pad = 0.2 * (boxes[:, 3] - boxes[:, 1])[:, None] + 1
    around = np.maximum(boxes + pad * (-1, -1, 1, 1), 0).astype(int)
    for left, top, right, bottom in around.tolist():
        ink[top : bottom + 1, left : right + 1] = 0
    return _in_rows(ink, size)


def _in_rows(ink: NDArray[np.uint8], size: float) -> int:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    w, h, area = (stats[:, column] for column in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    like = (h > 0.3 * size) & (h < 2.5 * size) & (w < 3 * h) & (h < 6 * w)
    glyph = like & (area > 0.1 * w * h) & (area < 0.95 * w * h) & (area >= 6)
    glyph[0] = False
    if glyph.sum() < ROW_OF:
        return 0
    spots = glyph[labels].astype(np.uint8)
    joined = cv2.morphologyEx(spots, cv2.MORPH_CLOSE, np.ones((1, max(3, int(0.8 * size))), np.uint8))
    count, rows, found, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    members = np.zeros(count, int)
    for left, top, width, height in stats[glyph][:, : cv2.CC_STAT_AREA].tolist():
        members[int(rows[top : top + height, left : left + width].max())] += 1
    long = found[:, cv2.CC_STAT_WIDTH] > 2.5 * found[:, cv2.CC_STAT_HEIGHT]
    long[0] = False
    return int(members[long & (members >= ROW_OF)].sum())
