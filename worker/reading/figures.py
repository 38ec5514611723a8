"""A 0 that is lower than the digits it stands before is an o.

Recognisers are trained on digits in company and read o12345678 as a number, sure of it. Modern figures are all as high as
capitals, so the ruler decides; where the others are not of one height (old-style figures, specks, a cut line) it is silent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.reading import ink

CODE = re.compile(r"(?<!\S)0(?=([0-9]{4,}))")  # a 0 that begins a word, with digits enough to measure it by
EVEN = 0.15  # of their height, by which the digits' own heights and feet may differ
LOW, HIGH = 0.6, 0.85  # how high an o is among digits; between 0.68 and 0.76 in common faces
ARC = 0.25  # of its height, from its top and from its foot, within which the middle of an o is ink ...
CLOSED = 0.7  # ... in so many of the middle columns
ROUND = 0.8  # width against height: an o is nearly as wide as high, a 0 whose top has faded is narrower


def small_zeros(text: str, extents: Sequence[tuple[float, float]], picture: NDArray[np.uint8]) -> list[int]:
    """Which characters of a line were read as 0 and are an o. `extents` are the columns (first, end) of every character
    in the `picture` of the line, (height, width, 3) or (height, width)."""
    found = [(match.start(), len(match.group(1))) for match in CODE.finditer(text)]
    if not found:
        return []
    mask = ink.mask(picture)
    return [at for at, digits in found if mask is not None and _is_small(at, digits, extents, mask)]


def _is_small(at: int, digits: int, extents: Sequence[tuple[float, float]], mask: NDArray[np.bool_]) -> bool:
    boxes = [_box(mask, *extents[index]) for index in range(at, at + 1 + digits)]
    measured = [box for box in boxes if box is not None]
    if len(measured) < len(boxes):
        return False
    (width, top, foot), others = measured[0], np.array(measured[1:])
    heights = others[:, 2] - others[:, 1]
    high, ground = float(np.median(heights)), float(np.median(others[:, 2]))
    if heights.max() - heights.min() > EVEN * high or np.ptp(others[:, 2]) > EVEN * high:
        return False
    own = foot - top
    if not (LOW * high <= own <= HIGH * high and abs(foot - ground) <= EVEN * high and width >= ROUND * own):
        return False
    first, end = extents[at]
    return _closed(mask[top:foot, int(first) : int(np.ceil(end))])


def _closed(part: NDArray[np.bool_]) -> bool:
    """Whether a character is closed at its top and at its foot, as an o is; a 0 whose top is missing is open there."""
    columns = np.flatnonzero(part.any(axis=0))
    third = max(1, (columns[-1] - columns[0] + 1) // 3)
    middle = part[:, columns[0] + third : columns[-1] + 1 - third]
    rows = max(1, round(ARC * len(part)))
    return bool(middle[:rows].any(axis=0).mean() >= CLOSED and middle[-rows:].any(axis=0).mean() >= CLOSED)


def _box(mask: NDArray[np.bool_], first: float, end: float) -> tuple[int, int, int] | None:
    """How wide the ink of a character is, its highest row, and the row below its lowest; None without ink."""
    part = mask[:, int(first) : int(np.ceil(end))]
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    if not len(rows):
        return None
    return int(columns[-1] - columns[0] + 1), int(rows[0]), int(rows[-1] + 1)
