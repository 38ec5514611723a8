"""Letters that were read without the accent that stands above them.

The CRNN has few accented letters and reads José as Jose, sure of it. A small letter without an ascender ends at the height of the
line's other ones, a capital at that of the other capitals; what stands above it, or hangs below it, is an accent, and the line is
worth a second look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import ink
from worker.reading.recogniser import ReadChar


class Kind(NamedTuple):
    """Letters of one height, and how far above them an accent may end, in heights."""

    letters: frozenset[str]
    reach: float


KINDS = (
    Kind(frozenset("acemnorsuvwxz"), 0.75),  # an i has a dot anyway
    Kind(frozenset("ABCDEFGHIKLMNOPRSTUVWXYZ"), 0.4),
)
ENOUGH = 4  # letters of a kind, from which their height is known
EVEN = 0.12  # of that height, by which most tops may differ: a line that lies askew says nothing
RISE = 0.12  # of that height above the others' tops, where an accent may begin
HANG = 0.5  # and below their feet, where one may end
RULED = 0.3  # of the letters: where so many have something below them it is a rule
ROWS, ROWS_PX = 0.12, 2  # of that height, and in pixels, that an accent takes up at least
MIDDLE = 0.2  # of a letter's width, left out at both sides: its neighbours hang over
TAILED = frozenset("gjpqyfQJ,;")  # what hangs below the line itself


def overlooked(chars: Sequence[ReadChar], picture: NDArray[np.uint8]) -> frozenset[int]:
    """The letters, by index, above or below which something stands in the `picture` of the line, (height, width, 3)."""
    kinds = [(kind, [at for at, char in enumerate(chars) if char.text in kind.letters]) for kind in KINDS]
    if max(len(members) for _, members in kinds) < ENOUGH or (mask := ink.mask(picture, edge=0.0)) is None:
        return frozenset()
    found = _all_marked(mask, chars, kinds)
    return _all_marked(_without_neighbours(mask), chars, kinds) if found else found


def _all_marked(
    mask: NDArray[np.bool_], chars: Sequence[ReadChar], kinds: Sequence[tuple[Kind, list[int]]]
) -> frozenset[int]:
    return frozenset(at for kind, members in kinds for at in _marked(mask, chars, kind, members))


def _marked(mask: NDArray[np.bool_], chars: Sequence[ReadChar], kind: Kind, members: Sequence[int]) -> set[int]:
    bodies = [body for at in members if (body := _body(mask, chars[at])) is not None]
    if len(bodies) < ENOUGH:
        return set()
    tops = np.array([top for top, _ in bodies])
    top, foot = float(np.median(tops)), float(np.median([foot for _, foot in bodies]))
    high = foot - top
    if np.median(np.abs(tops - top)) > EVEN * high:
        return set()
    least = max(ROWS_PX, ROWS * high)

    def within(first: float, end: float) -> set[int]:
        rows = slice(max(0, round(first)), max(0, round(end)))
        return {at for at in members if int(_middle(mask, chars[at])[rows].any(axis=1).sum()) >= least}

    below = {at for at in within(foot + RISE * high, foot + HANG * high) if not _beside_tail(chars, at)}
    if len(below) >= RULED * len(members):
        below = set()
    return within(top - kind.reach * high, top - RISE * high) | below


def _without_neighbours(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The ink without what runs off at the top or the bottom: tails and heads of the lines beside this one."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    own = np.ones(count, np.bool_)
    own[labels[[0, -1]]] = False
    own[0] = False  # the paper
    return np.asarray(own[labels])


def _body(mask: NDArray[np.bool_], char: ReadChar) -> tuple[int, int] | None:
    """The top and the foot (below the last row) of the highest thing in a letter's columns."""
    rows = _middle(mask, char).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], rows.astype(np.int8), [0]))))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return max(runs, key=lambda run: run[1] - run[0], default=None)


def _beside_tail(chars: Sequence[ReadChar], at: int) -> bool:
    """Whether a neighbour reaches below the line, and in slanted print below the letter."""
    return any(char.text in TAILED for char in chars[max(0, at - 1) : at + 2])


def _middle(mask: NDArray[np.bool_], char: ReadChar) -> NDArray[np.bool_]:
    return ink.middle(mask, char.x0, char.x1, MIDDLE)
