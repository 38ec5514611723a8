"""Where the ink of a line is: which columns of a crop carry strokes, whatever the colours."""

from __future__ import annotations

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
    share: NDArray[np.float32] = found.mean(axis=0, dtype=np.float32)
    return share


def mask(image: NDArray[np.uint8], edge: float = EDGE_SHARE) -> NDArray[np.bool_] | None:
    """Where the ink of a line image is, without the rows at its edges, `edge` of its height each; None where there is no
    contrast."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    rows = int(grey.shape[0] * edge)
    grey = grey[rows : grey.shape[0] - rows] if rows else grey
    if _contrast(grey) < CONTRAST_MIN:
        return None
    _, bright = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    paper_is_bright = 2 * cv2.countNonZero(bright) > bright.size
    return np.asarray(bright == (0 if paper_is_bright else 1))


def middle(mask: NDArray[Pixel], first: float, end: float, margin: float) -> NDArray[Pixel]:
    """The columns of a mask or picture (height, width) from `first` to `end`, without `margin` of their width at both sides, where neighbours hang over."""
    away = (end - first) * margin
    return mask[:, max(0, round(first + away)) : round(end - away)]


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
        plain = np.maximum(high[side], high[side][0]) - np.minimum(low[side], low[side][0]) <= most
        ends.append(len(plain) if plain.all() else int(plain.argmin()))
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
    width = len(ink)
    begins = np.clip(spans[:, 0] - reach, 0, width).astype(np.intp)
    ends = np.clip(np.ceil(spans[:, 1] + reach), 0, width).astype(np.intp)
    covered = np.cumsum(np.bincount(begins, minlength=width + 1) - np.bincount(ends, minlength=width + 1))
    bare = np.where(covered[:-1] > 0, np.float32(0), ink)
    stretch = np.convolve(bare > 0, np.ones(3), "same") > 0 if bare.any() else bare > 0
    edges = np.flatnonzero(np.diff(np.concatenate(([0], stretch.astype(np.int8), [0]))))
    longest = float((edges[1::2] - edges[::2]).max()) if len(edges) else 0.0
    return float(bare.sum()) / total, longest
