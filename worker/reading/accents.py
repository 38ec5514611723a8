"""Letters that were read without the accent that stands above them.

The CRNN has few accented letters and reads José as Jose, sure of it. A small letter without an ascender ends at the height of the
line's other ones, a capital at that of the other capitals; what stands above it, or hangs below it, is an accent, and the line is
worth a second look. In small print an accent is a grey pixel or two: there a letter tells by how dark it is above it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import ink
from worker.reading.levels import percentiles
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
    members = [(kind, [at for at, char in enumerate(chars) if char.text in kind.letters]) for kind in KINDS]
    kinds = [(kind, those) for kind, those in members if len(those) >= ENOUGH]
    if not kinds or (mask := ink.mask(picture, edge=0.0)) is None:
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
    inked = _inked(mask, _middles(chars, members, mask.shape[1]))
    if (line := _line(inked)) is None:
        return set()
    top, foot = line
    high = foot - top
    least = max(ROWS_PX, ROWS * high)

    def within(first: float, end: float) -> set[int]:
        rows = slice(max(0, round(first)), max(0, round(end)))
        return {at for at, own in zip(members, inked, strict=True) if own[rows].count(1) >= least}

    below = {at for at in within(foot + RISE * high, foot + HANG * high) if not _beside_tail(chars, at)}
    if len(below) >= RULED * len(members):
        below = set()
    return within(top - kind.reach * high, top - RISE * high) | below


def _all_darker(
    picture: NDArray[np.uint8], chars: Sequence[ReadChar], kinds: Sequence[tuple[Kind, list[int]]]
) -> frozenset[int]:
    """The same of small print, by its greys: the letters above or below which a row is dark."""
    large = cv2.resize(picture, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
    grey = np.asarray(cv2.cvtColor(large, cv2.COLOR_BGR2GRAY), np.uint8)
    if (mask := ink.mask(grey, edge=0.0)) is None:
        return frozenset()
    found = frozenset(at for kind, members in kinds for at in _darker(grey, mask, chars, kind, members))
    return found if len(found) <= FEW else frozenset()


def _darker(
    grey: NDArray[np.uint8], mask: NDArray[np.bool_], chars: Sequence[ReadChar], kind: Kind, members: Sequence[int]
) -> set[int]:
    """Those of the letters above or below which a row is dark, in the enlarged picture of the line."""
    spans = _middles(chars, members, mask.shape[1], ENLARGED)
    if (line := _line(_inked(mask, spans))) is None:
        return set()
    top, foot = line
    high = foot - top
    paper, stroke = (percentiles(grey, 50, where=part)[0] for part in (~mask, mask))
    widths = [end - begin for begin, end in spans]
    means = ink.row_sums(grey, spans) / np.maximum(widths, 1)  # (height, members)
    shades = (means - paper) / (stroke - paper)

    def beyond(first: float, end: float) -> set[int]:
        band = shades[max(0, round(first)) : max(0, round(end))]
        most = zip(members, widths, band.max(axis=0, initial=0).tolist(), strict=True)
        return {at for at, width, value in most if width and value > DARKER * (1 + (chars[at].text in POINTED))}

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


def _line(inked: Sequence[bytes]) -> tuple[float, float] | None:
    """Where most letters' tops and feet are, by the rows that each has ink in; None where there are few, or their tops are at
    many heights."""
    bodies = [body for rows in inked if (body := _body(rows)) is not None]
    if len(bodies) < ENOUGH:
        return None
    top, foot = statistics.median(top for top, _ in bodies), statistics.median(foot for _, foot in bodies)
    return None if statistics.median(abs(own - top) for own, _ in bodies) > EVEN * (foot - top) else (top, foot)


def _without_neighbours(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The ink without what runs off at the top or the bottom: tails and heads of the lines beside this one."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8))
    own = np.ones(count, np.bool_)
    own[labels[[0, -1]]] = False
    own[0] = False  # the paper
    return np.asarray(own[labels])


def _inked(mask: NDArray[np.bool_], spans: Sequence[tuple[int, int]]) -> list[bytes]:
    """Of each of some spans of columns a byte for every row: 1 where it has ink. Python is quicker than NumPy over so few."""
    high = len(mask)
    rows = (ink.row_sums(mask.view(np.uint8), spans) > 0).T.tobytes()
    return [rows[first : first + high] for first in range(0, len(rows), high)]


def _body(rows: bytes) -> tuple[int, int] | None:
    """The top and the foot (below the last row) of the highest thing in a letter's columns."""
    longest = max(rows.split(b"\0"), key=len)
    top = rows.find(longest)
    return (top, top + len(longest)) if longest else None


def _beside_tail(chars: Sequence[ReadChar], at: int) -> bool:
    """Whether a neighbour reaches below the line, and in slanted print below the letter."""
    return any(char.text in TAILED for char in chars[max(0, at - 1) : at + 2])


def _middles(chars: Sequence[ReadChar], members: Sequence[int], width: int, times: int = 1) -> list[tuple[int, int]]:
    """The columns of some letters, without their sides, in a picture of that width that is so many times as large."""
    found = (ink.inner(chars[at].x0 * times, chars[at].x1 * times, MIDDLE) for at in members)
    return [(min(begin, width), min(max(begin, end), width)) for begin, end in found]
