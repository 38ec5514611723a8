"""Where the ink of a line is: which columns of a crop carry strokes, whatever the colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixel = TypeVar("Pixel", bound=np.generic)

SPECKS = 0.01  # share of the pixels, darkest and brightest, that says nothing of the contrast
CONTRAST_MIN = 24  # grey levels between paper and ink; below it a crop counts as empty
PLAIN_LEVELS = 12  # grey levels within a column of paper at most ...
PLAIN_SHARE = 0.1  # ... and of what the line spans: in a faint line a faint dash counts
PAPER_HEIGHTS = 0.4  # of a line's height: paper that stays before and after it, as much as recognisers know
EDGE_SHARE = 0.12  # of the height, above and below, left out: neighbours' descenders and rules lie there


def columns(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The share of ink, 0 to 1, in every column of a line image (height, width) or (height, width, 3).

    Paper is what most pixels are; Otsu's threshold (1979) parts it from the ink, so light text on dark works too. An
    image without contrast has no ink.
    """
    found = mask(image)
    if found is None:
        return np.zeros(image.shape[1], np.float32)
    sums = cv2.reduce(found.view(np.uint8), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)
    return np.asarray(sums[0] / np.float32(len(found)))


def mask(image: NDArray[np.uint8], edge: float = EDGE_SHARE) -> NDArray[np.bool_] | None:
    """Where the ink of a line image is, without the rows at its edges, `edge` of its height each; None where there is no
    contrast."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    rows = int(grey.shape[0] * edge)
    grey = grey[rows : grey.shape[0] - rows] if rows else grey
    level, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    many = cv2.countNonZero(bright)
    if not _plainly_apart(grey, level, grey.size - many) and _contrast(grey) < CONTRAST_MIN:
        return None
    paper_is_bright = 2 * many > bright.size
    return np.asarray(bright == (0 if paper_is_bright else 1))


def _plainly_apart(grey: NDArray[np.uint8], level: float, dark: int) -> bool:
    """Whether the contrast is surely enough, which takes a tenth of the time that measuring it takes: the darkest hundredth of
    the pixels lies within the `dark` ones up to the `level`, and the brightest far enough above it."""
    _, far = cv2.threshold(grey, level + CONTRAST_MIN - 1, 1, cv2.THRESH_BINARY)
    return dark >= grey.size * SPECKS and grey.size - cv2.countNonZero(far) < grey.size * (1 - SPECKS)


def middle(mask: NDArray[Pixel], first: float, end: float, margin: float) -> NDArray[Pixel]:
    """The columns of a mask or picture (height, width) from `first` to `end`, see `inner`."""
    begin, beyond = inner(first, end, margin)
    return mask[:, begin:beyond]


def inner(first: float, end: float, margin: float) -> tuple[int, int]:
    """The columns from `first` to `end` without `margin` of their width at both sides, where neighbours hang over."""
    away = (end - first) * margin
    return max(0, round(first + away)), max(0, round(end - away))


def row_sums(picture: NDArray[np.uint8], spans: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    """The sums of each row of a picture (height, width) within each of some spans of its columns, (begin, end): (height,
    spans)."""
    sums = cv2.integral(picture)  # once for all spans
    within = sums[:, [end for _, end in spans]] - sums[:, [begin for begin, _ in spans]]
    return np.asarray(within[1:] - within[:-1])


def is_light(image: NDArray[np.uint8]) -> bool:
    """Whether the ink of a BGR line image is lighter than what it stands on: most of a line is paper."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return bool(bright.mean() <= 0.5)


def without_paper(image: NDArray[np.uint8]) -> tuple[int, int]:
    """The columns of a line image (height, width, 3) between which it stands, (first, end): without the plain paper at its
    ends but for a margin. All of them where no column has anything on it."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    low, high = grey.min(axis=0), grey.max(axis=0)
    most = min(PLAIN_LEVELS, PLAIN_SHARE * (int(high.max()) - int(low.min())))
    ends = []
    for side in (slice(None), slice(None, None, -1)):
        above, below = high[side], low[side]
        plain = np.maximum(above, above[0]) - np.minimum(below, below[0]) <= most
        first = int(plain.argmin())
        ends.append(len(plain) if plain[first] else first)
    margin = int(image.shape[0] * PAPER_HEIGHTS)
    begin, end = max(0, ends[0] - margin), image.shape[1] - max(0, ends[1] - margin)
    return (begin, end) if begin < end else (0, image.shape[1])


def _contrast(grey: NDArray[np.uint8]) -> int:
    """Grey levels between the darkest and the brightest hundredth of the pixels."""
    sums = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]), dtype=np.float64)
    low, high = np.searchsorted(sums, (sums[-1] * SPECKS, sums[-1] * (1 - SPECKS)))
    return int(high - low)


def uncovered(ink: NDArray[np.float32], spans: NDArray[np.float32], reach: float) -> tuple[float, float]:
    """How much ink no character covers: (share of all ink, longest such stretch in columns).

    `spans` of shape (n, 2) holds the first and last column at which each character's CTC peak lies; a peak covers its
    columns and `reach` more to both sides.
    """
    total = float(ink.sum())
    if total <= 0:
        return 0.0, 0.0
    bare = ink.copy()
    for first, last in spans.tolist():
        bare[max(0, int(first - reach)) : max(0, math.ceil(last + reach))] = 0
    inked = bare > 0
    stretch = inked.copy()  # with a column more at both sides
    stretch[1:] |= inked[:-1]
    stretch[:-1] |= inked[1:]
    longest = max(map(len, stretch.tobytes().split(b"\0")))
    return float(bare.sum()) / total, float(longest)
