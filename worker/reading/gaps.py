"""Spaces that a recogniser leaves out: two numbers or words far apart on one line are two, whatever it says.

Recognisers learn spaces between words of a sentence; over the wide blank between a form's fields or a table's columns they often
emit none, and "19.90" beside "9.76" becomes one number. What is set letter by letter stays whole: there every gap is wide. A date and
the time behind it are two as well, however close they stand.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from worker.reading.recogniser import ReadChar, is_plain

WIDE = 0.6  # blank columns in a row, against the line's height: a space of a font is 0.2 to 0.35
AGAINST_NEXT = 2.5  # a gap is one of its kind where it is so much wider than the gaps before and after it
DATE_TIME = re.compile(r"(?<!\d)20\d\d([-/.])[01]\d\1[0-3]\d(?=[0-2]\d:[0-5]\d)")
BLANK = 0.04  # share of ink in a column that is still paper


def spaced(chars: Sequence[ReadChar], ink: NDArray[np.float32], height: int, pixels: float) -> tuple[ReadChar, ...]:
    """The characters with spaces put into wide gaps between Latin letters and figures.

    `ink` is the share of ink in every column of the line at `height` px; `pixels` is the width of a column in the px of the
    characters' positions. A space is as sure as the less sure of its neighbours, which end and begin where it does.
    """
    chars = _dated(chars)
    if len(chars) < 2:
        return tuple(chars)
    middles = [(char.x0 + char.x1) / 2 / pixels for char in chars]
    if max(right - left for left, right in itertools.pairwise(middles)) < WIDE * height:
        return tuple(chars)
    blank = [_blank(ink, left, right) for left, right in itertools.pairwise(middles)]
    out = [chars[0]]
    for at, (char, (begin, end)) in enumerate(zip(chars[1:], blank, strict=True)):
        beside = max((_width(blank[i]) for i in (at - 1, at + 1) if 0 <= i < len(blank)), default=0)
        if is_plain(out[-1]) and is_plain(char) and end - begin >= max(WIDE * height, AGAINST_NEXT * beside):
            sure = min(out[-1].confidence, char.confidence)
            x0, x1 = begin * pixels, end * pixels
            out[-1] = replace(out[-1], x1=min(out[-1].x1, x0))
            out.append(ReadChar(" ", sure, x0, x1))
            char = replace(char, x0=max(char.x0, x1))
        out.append(char)
    return tuple(out)


def _dated(chars: Sequence[ReadChar]) -> Sequence[ReadChar]:
    """The characters with a space between a date and its time."""
    text = "".join(char.text for char in chars)
    if len(text) != len(chars):
        return chars
    out = list(chars)
    for found in reversed(list(DATE_TIME.finditer(text))):
        before, after = out[found.end() - 1], out[found.end()]
        sure = min(before.confidence, after.confidence)
        out.insert(found.end(), ReadChar(" ", sure, before.x1, max(before.x1, after.x0)))
    return out


def _width(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def _blank(ink: NDArray[np.float32], left: float, right: float) -> tuple[int, int]:
    """The longest run of blank columns between two columns: (first, end)."""
    begin, end = max(0, int(left)), min(len(ink), int(right) + 1)
    inked = np.flatnonzero(ink[begin:end] >= BLANK)
    edges = np.concatenate([[-1], inked, [end - begin]])
    runs = np.diff(edges)
    widest = int(runs.argmax())
    return begin + int(edges[widest]) + 1, begin + int(edges[widest]) + int(runs[widest])
