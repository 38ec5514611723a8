"""What the detector takes for a line of text and is none: a rule, and the edge of a sheet on a desk, whose corner is one huge L."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry
from worker.reading.geometry import Floats

RULE_PX = 5.0  # what is lower holds no glyph ...
RULE_ASPECT = 8.0  # ... unless it is a lone one, seen from its narrow side
STROKES = frozenset("LIl1|_-—一丨/\\「」ノ…·■□")  # what an edge is read as
TIMES = 2.5  # the height of the page's other lines; of 20 edges in 60 drawn photographs the least was 4.6
SPLIT = 0.1  # of the rim that is of the lesser brightness; of the 20 the least was 0.11. A stroke has paper all around
SEEN_PX = 64


def is_rule(quad: Floats) -> bool:
    """Whether a quad is too thin for a line of text: enlarged to a recogniser's height it would be endless, and say nothing."""
    thin, long = sorted(geometry.size(quad))
    return thin < RULE_PX and long > RULE_ASPECT * thin


def is_edge(text: str, picture: NDArray[np.uint8], times: float) -> bool:
    """Whether what was read as `text` in a `picture` (height, width, 3), `times` as high as the page's lines, is the edge of
    a sheet: the sheet at one side, the desk at the other."""
    return times >= TIMES and text.strip() in STROKES and _split(picture) >= SPLIT


def _split(picture: NDArray[np.uint8]) -> float:
    """The share of a picture's rim that is darker than the rest, or brighter, whichever is less."""
    grey = cv2.cvtColor(cv2.resize(picture, (SEEN_PX, SEEN_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    share = float(np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]]).mean())
    return min(share, 1 - share)
