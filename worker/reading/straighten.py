"""Levelling a line that was cut out askew: its tilt is read off the ink, and believed only if turning it back packs the
ink into fewer rows. For pictures of one line that no detector has seen; on pages the detector's boxes are tilted already.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading.crop import Cut

MIN_TILT_DEG = 1.2  # less costs a recogniser nothing
MAX_TILT_DEG = 25.0
MIN_ASPECT = 2.0  # shorter ink has no direction to be sure of
MIN_GAIN = 1.12  # rows must be packed this many times tighter
WORK_HEIGHT_PX = 48  # the tilt is measured on a picture this high


def level(piece: Cut) -> Cut:
    """The line turned level and trimmed to its ink; the very same where it is level already or too short to tell."""
    ink = ink_map(piece.image)
    degrees = tilt_of(ink)
    if degrees is None:
        return piece
    height, width = piece.image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    a = abs(math.sin(math.radians(degrees)))
    wide, high = math.ceil(width + height * a), math.ceil(height + width * a)
    matrix[:, 2] += (wide - width) / 2, (high - height) / 2
    turned = cv2.warpAffine(piece.image, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.warpAffine(ink, matrix @ _scale3(width / ink.shape[1]), (wide, high), flags=cv2.INTER_LINEAR)
    top, bottom, left, right = _ink_bounds(seen, high, wide)
    back = np.vstack([cv2.invertAffineTransform(matrix), [0, 0, 1]]) @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1]])
    flat = np.ascontiguousarray(turned[top:bottom, left:right])
    return Cut(flat, np.asarray(piece.to_page @ back, dtype=np.float64))


def ink_map(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much each pixel stands out from its surroundings, in the direction most pixels do (dark on light or light on
    dark), 0 to 1; at most `WORK_HEIGHT_PX` high."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    scale = min(1.0, WORK_HEIGHT_PX / grey.shape[0])
    if scale < 1.0:
        grey = cv2.resize(grey, (max(1, round(grey.shape[1] * scale)), WORK_HEIGHT_PX), interpolation=cv2.INTER_AREA)
    values = grey.astype(np.float32)
    side = max(3, grey.shape[0] // 2 * 2 + 1)
    away = values - cv2.blur(values, (side, side), borderType=cv2.BORDER_REPLICATE)
    if float((away * away * away).mean()) < 0:  # ** 3 takes many times as long
        away = -away
    level_of = float(np.percentile(away, 99))
    if level_of < 4:
        return np.zeros_like(away)
    out = np.clip(away / level_of, 0, 1)
    out[out < 0.4] = 0
    return np.asarray(out, dtype=np.float32)


def tilt_of(ink: NDArray[np.float32]) -> float | None:
    """The tilt of a line's ink in degrees (clockwise positive), or None where it is level, unsure, or too short.

    The middle of the ink in narrow upright strips gives points; the median slope of all pairs (Theil 1950, Sen 1968) is
    the tilt.
    """
    height, width = ink.shape
    columns = ink.sum(axis=0)
    if columns.sum() < 20 or width < MIN_ASPECT * height * 0.5:
        return None
    strip = max(4, height // 3)
    count = width // strip
    if count < 4:
        return None
    weights = ink[:, : count * strip].reshape(height, count, strip).sum(axis=2)
    mass = weights.sum(axis=0)
    inked = mass > 0.25 * np.median(mass[mass > 0]) if (mass > 0).any() else mass > 0
    if inked.sum() < 4:
        return None
    y = (weights * np.arange(height)[:, None]).sum(axis=0)[inked] / mass[inked]
    x = (np.arange(count)[inked] + 0.5) * strip
    i, j = np.triu_indices(len(x), 1)
    far = (x[j] - x[i]) >= 0.25 * (x[-1] - x[0])
    slope = float(np.median((y[j] - y[i])[far] / (x[j] - x[i])[far]))
    degrees = math.degrees(math.atan(slope))
    if not MIN_TILT_DEG <= abs(degrees) <= MAX_TILT_DEG:
        return None
    return degrees if _packing(_sheared(ink, slope)) > MIN_GAIN * _packing(ink) else None


def _packing(ink: NDArray[np.float32]) -> float:
    """How few rows hold the ink: the sum of squares of the rows' shares."""
    rows = ink.sum(axis=1)
    share = rows / max(float(rows.sum()), 1e-6)
    return float((share**2).sum())


def _sheared(ink: NDArray[np.float32], slope: float) -> NDArray[np.float32]:
    height, width = ink.shape
    room = math.ceil(abs(slope) * width / 2) + 1
    matrix = np.array([[1, 0, 0], [-slope, 1, slope * width / 2 + room]], dtype=np.float64)
    return np.asarray(cv2.warpAffine(ink, matrix, (width, height + 2 * room)), dtype=np.float32)


def _ink_bounds(ink: NDArray[np.float32], high: int, wide: int) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of what a recogniser should see: the ink and a margin of a seventh of its height."""
    rows = ink.sum(axis=1)
    sums = np.cumsum(rows)
    top, bottom = (int(np.searchsorted(sums, share * sums[-1])) for share in (0.003, 0.997))
    columns = np.flatnonzero(ink.sum(axis=0) > 0.5)
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, wide)
    margin = max(2, (bottom - top) // 7)
    top, bottom = max(0, top - margin), min(high, bottom + margin + 1)
    left, right = max(0, left - 2 * margin), min(wide, right + 2 * margin)
    return (top, bottom, left, right) if bottom - top >= 4 and right - left >= 4 else (0, high, 0, wide)


def _scale3(factor: float) -> NDArray[np.float64]:
    return np.array([[factor, 0, 0], [0, factor, 0], [0, 0, 1]], dtype=np.float64)
