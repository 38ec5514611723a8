"""Where a line's characters stand: a CTC peak says about where each is, the ink says where it begins and ends."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEARCH = 0.3  # of the way between two peaks, to both sides of the expected border, in which the gap is looked for
STRAY = 0.25  # ink that a border at the edge of the search must save over one where it is expected


def extents(peaks: Sequence[float], ink: NDArray[np.float32], at: float, widest: float) -> list[tuple[float, float]]:
    """The columns (first, end) of every character, in order and never overlapping.

    `peaks` are columns; `at` (0 to 1) is where within a character's width this model puts its peak: a recurrent one
    fires as soon as it has seen enough, near the start. Borders lie where there is least ink near where they are
    expected; no character is wider than `widest` columns.
    """
    width = len(ink)
    heights: list[float] = ink.tolist()  # a border looks at a few columns: too few for NumPy to be quick about
    borders = [_border(left, right, heights, at) for left, right in itertools.pairwise(peaks)]
    found = []
    for i, peak in enumerate(peaks):
        begin = max(borders[i - 1] if i else 0.0, peak - at * widest)
        end = min(borders[i] if i < len(borders) else float(width), peak + (1 - at) * widest)
        found.append((max(0.0, begin), min(float(width), max(end, begin + 1.0))))
    if found:
        found[0] = (_first_ink(heights, *found[0]), found[0][1])
        last = _first_ink(heights[::-1], width - found[-1][1], width - found[-1][0])
        found[-1] = (found[-1][0], max(found[-1][0], width - last))
    return found


def _border(left: float, right: float, ink: list[float], at: float) -> float:
    gap = right - left
    guess = left + (1 - at) * gap
    low = max(0, math.ceil(max(left, guess - SEARCH * gap)))
    high = min(len(ink), math.floor(min(right, guess + SEARCH * gap)) + 1)
    if high - low < 2:
        return min(max(guess, left), right)
    dear = STRAY / (SEARCH * gap)
    return float(min(range(low, high), key=lambda column: ink[column] + dear * abs(column - guess)))


def _first_ink(ink: list[float], begin: float, end: float) -> float:
    """Where ink begins within a character that may reach out into the margin; `begin` where there is none."""
    return float(next((column for column in range(int(begin), min(len(ink), math.ceil(end))) if ink[column]), begin))
