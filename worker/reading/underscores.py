"""Underscores that were read as spaces: a low stroke in the gap, no longer than one, and nothing else.

An underscore is a stroke at the foot of a line, and recognisers take it for the rule under a line, which says nothing: API_URL is
read as API URL, and the two of __init__ as one. The ruler decides: a rule runs on below the letters, an underscore ends beside them.
Worn print has pieces of rules, too, so in a line with as many other spaces between words, which is prose, spaces stay.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from worker.reading import ink
from worker.reading.recogniser import ReadChar, is_plain

TOLD = 0.8  # confidence in an underscore that the ruler alone found
MIDDLE = 0.25  # of a gap's or letter's width, left out at both sides
FULL = 0.85  # share of the gap's columns that the stroke covers,
CLEAR = 0.3  # and of a letter's that it leaves free
THICK = 0.16  # of the line's height, at most
FOOT = 0.12  # of the line's height by which a stroke may begin above the letters' feet; a hyphen is far above
DESCEND = frozenset("gjpqyQ")  # letters whose feet are below the others'
LETTERS = 3  # from which their feet and widths are known
SHORTEST = 0.6  # widths of a letter; what is shorter is the foot of a bracket
DOUBLE = (1.5, 2.6)  # that two underscores take: one is 0.65 to 1.13 wide in 197 faces


def drawn(chars: Sequence[ReadChar], picture: NDArray[np.uint8]) -> tuple[ReadChar, ...]:
    """The characters with underscores for spaces, where the `picture` of the line, (height, width, 3), has one."""
    places = [at for at, char in enumerate(chars) if char.text in (" ", "_") and _beside_code(chars, at)]
    letters = [char for char in chars if is_plain(char)] if places else []
    if len(letters) < LETTERS:
        return tuple(chars)
    mask = ink.mask(picture, edge=0.0)
    if mask is None:
        return tuple(chars)
    low = {at: rows for at in places if (rows := _low_rows(mask, chars[at])) is not None}
    if not low:  # so it is with most lines
        return tuple(chars)
    feet = [_foot(mask, char) for char in letters if char.text not in DESCEND]
    foot = statistics.median(feet) if feet else float(len(mask))
    usual = max(1.0, statistics.median(char.x1 - char.x0 for char in letters))
    spans = {at: _stroke(mask, chars, at, rows, foot) for at, rows in low.items()}
    found = {at: span / usual for at, span in spans.items() if span >= SHORTEST * usual}
    gaps = [at for at in places if chars[at].text == " "]
    single = [at for at in gaps if found.get(at, DOUBLE[0]) < DOUBLE[0]]
    prose = len(gaps) - len(single) >= len(single)
    out = list(chars)
    for at, span in sorted(found.items(), reverse=True):
        if _is_one(chars, at + 1) or _is_one(chars, at - 1):
            if at in single:  # the end of that underscore, which reaches in
                del out[at]
        elif at in single and not prose:
            out[at] = ReadChar("_", TOLD, chars[at].x0, chars[at].x1, ((" ", 1 - TOLD),))
        elif chars[at].text == "_" and DOUBLE[0] <= span <= DOUBLE[1]:
            middle = (out[at].x0 + out[at].x1) / 2
            out[at : at + 1] = [replace(out[at], x1=middle), replace(out[at], x0=middle, confidence=TOLD)]
    return tuple(out)


def _low_rows(mask: NDArray[np.bool_], char: ReadChar) -> tuple[int, int] | None:
    """The rows, from the first to below the last, that are full in the place of a character; None where they are no stroke."""
    gap = _middle(mask, char)
    if gap.shape[1] == 0:
        return None
    rows = np.flatnonzero(gap.sum(axis=1) / gap.shape[1] >= FULL)
    if not len(rows) or rows[-1] - rows[0] + 1 != len(rows) or len(rows) > THICK * len(mask):
        return None
    return int(rows[0]), int(rows[-1]) + 1


def _stroke(mask: NDArray[np.bool_], chars: Sequence[ReadChar], at: int, rows: tuple[int, int], foot: float) -> float:
    """How long the stroke in those rows is that is all that stands in the place of a character, in columns; 0 where there is
    more, or where it is not low, or runs on below the letters."""
    high = len(mask)
    gap = _middle(mask, chars[at])
    top, bottom = rows
    if top < foot - FOOT * high:
        return 0.0
    if gap[int(ink.EDGE_SHARE * high) : max(0, top - 2)].any():
        return 0.0
    begin = min(max(top, round(foot)), bottom - 1)  # where no letter's foot touches it
    band: NDArray[np.bool_] = np.asarray(mask[begin:bottom].any(axis=0))
    for other in (at - 1, at + 1):
        if 0 <= other < len(chars) and chars[other].text.isalnum() and chars[other].text not in DESCEND:
            below = _middle(mask[top:bottom], chars[other])
            if below.shape[1] and below.any(axis=0).mean() > 1 - CLEAR:
                return 0.0
    begin = end = int((chars[at].x0 + chars[at].x1) / 2)
    while begin > 0 and band[begin - 1]:
        begin -= 1
    while end < len(band) and band[end]:
        end += 1
    return float(end - begin)


def _middle(mask: NDArray[np.bool_], char: ReadChar) -> NDArray[np.bool_]:
    return ink.middle(mask, char.x0, char.x1, MIDDLE)


def _foot(mask: NDArray[np.bool_], char: ReadChar) -> int:
    rows = np.flatnonzero(_middle(mask, char).any(axis=1))
    return int(rows[-1]) + 1 if len(rows) else len(mask)


def _beside_code(chars: Sequence[ReadChar], at: int) -> bool:
    """Whether a letter or figure of ASCII, or an underscore, stands at both sides, of what was read as an underscore at one."""
    beside = [0 <= i < len(chars) and (is_plain(chars[i]) or chars[i].text == "_") for i in (at - 1, at + 1)]
    return any(beside) if chars[at].text == "_" else all(beside)


def _is_one(chars: Sequence[ReadChar], at: int) -> bool:
    return 0 <= at < len(chars) and chars[at].text == "_"
