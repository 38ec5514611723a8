"""Where a line's characters stand: a CTC peak says about where each is, the ink says where it begins and ends."""

from __future__ import annotations

import itertools
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
    borders = [_border(left, right, ink, at) for left, right in itertools.pairwise(peaks)]
    found = []
    for i, peak in enumerate(peaks):
        begin = max(borders[i - 1] if i else 0.0, peak - at * widest)
        end = min(borders[i] if i < len(borders) else float(width), peak + (1 - at) * widest)
        found.append((max(0.0, begin), min(float(width), max(end, begin + 1.0))))
    if found:
        found[0] = (_first_ink(ink, *found[0]), found[0][1])
        last = _first_ink(ink[::-1], width - found[-1][1], width - found[-1][0])
        found[-1] = (found[-1][0], max(found[-1][0], width - last))
    return found


def _border(left: float, right: float, ink: NDArray[np.float32], at: float) -> float:
    gap = right - left
    guess = left + (1 - at) * gap
    low = max(0, int(np.ceil(max(left, guess - SEARCH * gap))))
    high = min(len(ink), int(np.floor(min(right, guess + SEARCH * gap))) + 1)
    if high - low < 2:
        return min(max(guess, left), right)
    columns = np.arange(low, high)
    cost = ink[low:high] + STRAY * np.abs(columns - guess) / (SEARCH * gap)
    return float(columns[int(np.argmin(cost))])


def _first_ink(ink: NDArray[np.float32], begin: float, end: float) -> float:
    """Where ink begins within a character that may reach out into the margin; `begin` where there is none."""
    inked = np.flatnonzero(ink[int(begin) : int(np.ceil(end))])
    return float(int(begin) + inked[0]) if len(inked) else begin
