"""Watermarks: faint text across a page, which would otherwise stand amid the lines that it runs through.

It runs slanting to the page's text and is faint beside it. Where other lines lie over it, pieces of it are found that need
not slant; they are as faint, and hold its characters. All of it is read, and comes after everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry, order
from worker.reading.geometry import Floats

SLANT_DEG = 10.0  # away from the page's direction, at least
SLANT_ASPECT = 2.0  # length against height, from which a box has a direction
FAINT = 0.5  # of the contrast that the page's lines have
OF_IT = 0.6  # of a piece's characters that a watermark of the page has, too
ALIKE = 0.75  # of two lines' characters that are the same, in order
INK_SHARE = 90.0  # percentile of a picture's difference from its paper that is ink


def find(quads: Sequence[Floats], pictures: Sequence[NDArray[np.uint8]], texts: Sequence[str]) -> list[int]:
    """The indices of the lines (outlines (4, 2), pictures (height, width, 3) and what they say) that are watermarks or pieces of
    one."""
    turn = order.tilt(quads)
    slanting = [_slants(quad, turn) for quad in quads]
    if not any(slanting):
        return []
    contrasts = [contrast(picture) for picture in pictures]
    level = [each for each, aside in zip(contrasts, slanting, strict=True) if not aside]
    limit = FAINT * float(np.percentile(level, 75))  # the pieces of a watermark are among them
    faint = [each <= limit for each in contrasts]
    whole = [index for index, aside in enumerate(slanting) if aside and faint[index]]
    known = "".join(texts[index] for index in whole)
    pieces = [
        index for index in range(len(quads)) if faint[index] and not slanting[index] and _holds(known, texts[index])
    ]
    return whole + pieces


def repeats(texts: Sequence[str]) -> bool:
    """Whether most of some lines say what another of them says, as a watermark does that is spread over a page."""
    plain = ["".join(text.split()) for text in texts]
    told = sum(
        any(
            at != other and (one in two or SequenceMatcher(None, one, two).ratio() >= ALIKE)
            for other, two in enumerate(plain)
        )
        for at, one in enumerate(plain)
    )
    return 2 * told > len(texts)


def told_once(texts: Sequence[str]) -> list[str]:
    """What watermarks say, without repetitions and without pieces of longer ones."""
    out: list[str] = []
    for text in sorted(texts, key=len, reverse=True):
        if not any(_holds(other, text) for other in out):
            out.append(text.strip())
    return out


def contrast(picture: NDArray[np.uint8]) -> float:
    """How far the ink of a line's picture is from its paper, in grey levels."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(np.percentile(np.abs(grey - np.median(grey)), INK_SHARE))


def _holds(text: str, piece: str) -> bool:
    """Whether most characters of a piece are in a text."""
    chars = "".join(piece.split())
    return sum(char in text for char in chars) >= OF_IT * len(chars)


def _slants(quad: Floats, turn: float) -> bool:
    width, height = geometry.size(quad)
    away = abs((geometry.angle(quad) - turn + 90) % 180 - 90)
    return width >= SLANT_ASPECT * height and away >= SLANT_DEG
