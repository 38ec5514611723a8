"""Letters that were read without the accent that stands above them.

The CRNN has few accented letters and reads José as Jose, sure of it. A small letter without an ascender ends at the height of the
line's other ones, a capital at that of the other capitals; what stands above it, or hangs below it, is an accent, and the line is
worth a second look. In small print an accent is a grey pixel or two: there a letter tells by how dark it is above it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
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
SMALL_PX = 34  # a line no higher: an accent is a grey pixel there, and no ink by any threshold
ENLARGED = 2  # times, before tops are looked for
DARKER = 0.2  # of what parts ink from paper, that the darkest row above such a letter has at least
POINTED = frozenset("A")  # ends above the others in many faces, and needs twice as much
FEW = 2  # letters of a line of small print that may have one: where more have, it is a neighbour's, or dirt
TAILED = frozenset("gjpqyfQJ,;")  # what hangs below the line itself


def overlooked(
    chars: Sequence[ReadChar], picture: NDArray[np.uint8], common: Callable[[str], bool] = lambda word: False
) -> frozenset[int]:
    """The letters, by index, above or below which something stands in the `picture` of the line, (height, width, 3). Those of
    `common` words are believed where small print leaves it open."""
    kinds = [(kind, [at for at, char in enumerate(chars) if char.text in kind.letters]) for kind in KINDS]
    if max(len(members) for _, members in kinds) < ENOUGH or (mask := ink.mask(picture, edge=0.0)) is None:
        return frozenset()
    found = _all_marked(mask, chars, kinds)
    if found:
        found = _all_marked(_without_neighbours(mask), chars, kinds)
    if found or len(picture) > SMALL_PX:
        return found
    return frozenset(at for at in _all_darker(picture, chars, kinds) if not common(_word(chars, at)))


def _all_marked(
    mask: NDArray[np.bool_], chars: Sequence[ReadChar], kinds: Sequence[tuple[Kind, list[int]]]
) -> frozenset[int]:
    return frozenset(at for kind, members in kinds for at in _marked(mask, chars, kind, members))


def _marked(mask: NDArray[np.bool_], chars: Sequence[ReadChar], kind: Kind, members: Sequence[int]) -> set[int]:
    bodies = [body for at in members if (body := _body(mask, chars[at])) is not None]
    if len(bodies) < ENOUGH or (line := _line(bodies)) is None:
        return set()
    top, foot = line
    high = foot - top
    least = max(ROWS_PX, ROWS * high)

    def within(first: float, end: float) -> set[int]:
        rows = slice(max(0, round(first)), max(0, round(end)))
        return {at for at in members if int(_middle(mask, chars[at])[rows].any(axis=1).sum()) >= least}

    below = {at for at in within(foot + RISE * high, foot + HANG * high) if not _beside_tail(chars, at)}
    if len(below) >= RULED * len(members):
        below = set()
    return within(top - kind.reach * high, top - RISE * high) | below


def _all_darker(
    picture: NDArray[np.uint8], chars: Sequence[ReadChar], kinds: Sequence[tuple[Kind, list[int]]]
) -> frozenset[int]:
    """The same of small print, by its greys: the letters above or below which a row is dark."""
    large = cv2.resize(picture, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    if (mask := ink.mask(np.asarray(large, np.uint8), edge=0.0)) is None:
        return frozenset()
    grey = cv2.cvtColor(large, cv2.COLOR_BGR2GRAY).astype(np.float32)
    paper, stroke = float(np.median(grey[~mask])), float(np.median(grey[mask]))
    shade = (grey - paper) / (stroke - paper)
    moved = [replace(char, x0=char.x0 * ENLARGED, x1=char.x1 * ENLARGED) for char in chars]
    found = frozenset(at for kind, members in kinds for at in _darker(shade, mask, moved, kind, members))
    return found if len(found) <= FEW else frozenset()


def _darker(
    shade: NDArray[np.float32], mask: NDArray[np.bool_], chars: Sequence[ReadChar], kind: Kind, members: Sequence[int]
) -> set[int]:
    bodies = [body for at in members if (body := _body(mask, chars[at])) is not None]
    if len(bodies) < ENOUGH or (line := _line(bodies)) is None:
        return set()
    top, foot = line
    high = foot - top

    def beyond(first: float, end: float) -> set[int]:
        rows = slice(max(0, round(first)), max(0, round(end)))
        bands = {at: _middle(shade, chars[at])[rows] for at in members}
        most = {at: float(band.mean(axis=1).max()) for at, band in bands.items() if band.size}
        return {at for at, value in most.items() if value > DARKER * (1 + (chars[at].text in POINTED))}

    below = {at for at in beyond(foot + RISE * high, foot + HANG * high) if not _beside_tail(chars, at)}
    return beyond(top - kind.reach * high, top - RISE * high) | below


def _word(chars: Sequence[ReadChar], at: int) -> str:
    """The word of ASCII letters that a letter stands in."""
    first, end = at, at + 1
    while first > 0 and chars[first - 1].text.isascii() and chars[first - 1].text.isalpha():
        first -= 1
    while end < len(chars) and chars[end].text.isascii() and chars[end].text.isalpha():
        end += 1
    return "".join(char.text for char in chars[first:end])


def _line(bodies: Sequence[tuple[int, int]]) -> tuple[float, float] | None:
    """Where most letters' tops and feet are; None where their tops are at many heights."""
    tops = np.array([top for top, _ in bodies])
    top, foot = float(np.median(tops)), float(np.median([foot for _, foot in bodies]))
    return None if np.median(np.abs(tops - top)) > EVEN * (foot - top) else (top, foot)


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


def _middle(picture: NDArray[ink.Pixel], char: ReadChar) -> NDArray[ink.Pixel]:
    return ink.middle(picture, char.x0, char.x1, MIDDLE)
