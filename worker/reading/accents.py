"""Letters that were read without the accent that stands above them.

The CRNN has few accented letters and reads José as Jose, sure of it. A small letter without an ascender ends at the height of the
line's other ones; what stands above it, lower than the ascenders, is an accent, and so is what hangs below it; the line is worth a
second look.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.reading import ink
from worker.reading.recogniser import ReadChar

LOW = frozenset("acemnorsuvwxz")  # letters as high as an x,
BEARERS = frozenset("aceinosuz") - {"i"}  # and those that may carry an accent; an i has a dot anyway
TAILED = frozenset("gjpqyfQJ,;")  # what hangs below the line itself
ENOUGH = 4  # low letters of a line, from which their height is known
SMALLEST_PX = 6  # of it; in smaller print an accent is a pixel
EVEN = 0.12  # of that height, by which most tops may differ: a line that lies askew says nothing
RISE = 0.12  # of that height above the others' tops, where an accent may begin ...
REACH = 0.75  # ... and where it ends,
HANG = 0.5  # and so below their feet
RULED = 0.3  # of the line's low letters: where so many have something below them it is a rule
ROWS = 0.12  # of that height that an accent takes up at least
MIDDLE = 0.2  # of a letter's width, left out at both sides: its neighbours hang over


def overlooked(chars: Sequence[ReadChar], picture: NDArray[np.uint8]) -> frozenset[int]:
    """The letters, by index, above or below which something stands in the `picture` of the line, (height, width, 3)."""
    low = [at for at, char in enumerate(chars) if char.text in LOW]
    if len(low) < ENOUGH or (mask := ink.mask(picture, edge=0.0)) is None:
        return frozenset()
    boxes = {at: _body(mask, chars[at]) for at in low}
    tops = np.array([body[0] for body in boxes.values() if body is not None])
    feet = np.array([body[1] for body in boxes.values() if body is not None])
    if len(tops) < ENOUGH:
        return frozenset()
    top, foot = float(np.median(tops)), float(np.median(feet))
    high = foot - top
    if high < SMALLEST_PX or np.median(np.abs(tops - top)) > EVEN * high:
        return frozenset()
    least = max(2, ROWS * high)

    def marked(first: float, end: float) -> set[int]:
        rows = slice(max(0, round(first)), max(0, round(end)))
        return {at for at in low if int(_middle(mask, chars[at])[rows].any(axis=1).sum()) >= least}

    below = {at for at in marked(foot + RISE * high, foot + HANG * high) if not _beside_tail(chars, at)}
    if len(below) >= RULED * len(low):
        below = set()
    found = marked(top - REACH * high, top - RISE * high) | below
    return frozenset(at for at in found if chars[at].text in BEARERS)


def _body(mask: NDArray[np.bool_], char: ReadChar) -> tuple[int, int] | None:
    """The top and the foot (below the last row) of the lowest thing of some height in a letter's columns."""
    rows = _middle(mask, char).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], rows.astype(np.int8), [0]))))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return max(runs, key=lambda run: run[1] - run[0], default=None)


def _beside_tail(chars: Sequence[ReadChar], at: int) -> bool:
    """Whether a neighbour reaches below the line, and in slanted print below the letter."""
    return any(char.text in TAILED for char in chars[max(0, at - 1) : at + 2])


def _middle(mask: NDArray[np.bool_], char: ReadChar) -> NDArray[np.bool_]:
    margin = (char.x1 - char.x0) * MIDDLE
    return mask[:, max(0, round(char.x0 + margin)) : round(char.x1 - margin)]
