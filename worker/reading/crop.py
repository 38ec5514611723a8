"""Cutting a line out of a page, upright and flat, and carrying character positions back to the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.records import Char
from worker.reading import geometry
from worker.reading.geometry import Floats
from worker.reading.recogniser import ReadChar

MAX_HEIGHT_PX = 96  # recognisers look at 32 or 48 px; taller crops only cost time
UPRIGHT_PX = 0.6  # by which the corners of an upright rectangle may be off,
UPRIGHT_SHARE = 1e-5  # and of where they stand besides: that much is rounding
MAX_WIDTH_PX = 12000  # a line longer than this is squeezed rather than refused


class Piece(Protocol):
    """A flat picture of one line, BGR, read from left to right, that knows where its pixels come from."""

    @property
    def image(self) -> NDArray[np.uint8]: ...

    def quads(self, spans: NDArray[np.float64]) -> Floats:
        """Where the columns from x0 to x1 of each span (n, 2) stand on the page: (n, 4, 2)."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece cut out flat, and the matrix that carries its pixels back to the page."""

    image: NDArray[np.uint8]
    to_page: NDArray[np.float64]

    def quads(self, spans: NDArray[np.float64]) -> Floats:
        """See `Piece.quads`."""
        corners = np.zeros((len(spans), 4, 2), dtype=np.float32)
        corners[:, :, 0] = spans[:, [0, 1, 1, 0]]
        corners[:, 2:, 1] = self.image.shape[0]
        return geometry.through(self.to_page, corners.reshape(-1, 2)).reshape(-1, 4, 2)

    def outline(self) -> Floats:
        """The quad of the whole piece on the page."""
        return np.asarray(self.quads(np.array([[0.0, self.image.shape[1]]]))[0], dtype=np.float32)


def cut(page: NDArray[np.uint8], quad: Floats) -> Cut:
    """The quad's content with the reading direction from left to right. Never larger than the page shows it, except
    that a side shorter than one pixel becomes one; very thick lines are made `MAX_HEIGHT_PX` high, or wide where they run down."""
    wide, high = geometry.size(quad)
    thin, long = sorted((wide, high))
    scale = min(1.0, MAX_HEIGHT_PX / max(thin, 1.0), MAX_WIDTH_PX / max(long, 1.0))
    width, height = max(1, round(wide * scale)), max(1, round(high * scale))
    left, top, right, bottom = geometry.bounds(quad)
    if _is_upright(quad):  # an upright rectangle is a slice: no resampling blur, and many times faster
        x0, y0 = max(0, round(left)), max(0, round(top))
        x1, y1 = min(page.shape[1], max(x0 + 1, round(right))), min(page.shape[0], max(y0 + 1, round(bottom)))
        part = page[y0:y1, x0:x1]
        if part.size:
            if scale < 1.0:
                part = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
            matrix = np.array(
                [[(x1 - x0) / part.shape[1], 0, x0], [0, (y1 - y0) / part.shape[0], y0], [0, 0, 1]], dtype=np.float64
            )
            return Cut(np.ascontiguousarray(part), matrix)
    matrix = geometry.crop_matrix(quad, width, height)
    source = page
    if scale < 0.5:  # warpPerspective does not average: shrink the surroundings first
        x0, y0 = max(0, int(left)), max(0, int(top))
        part = page[y0 : int(bottom) + 2, x0 : int(right) + 2]
        if part.size:
            source = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            moved = (quad - (x0, y0)) * scale
            small = geometry.crop_matrix(moved.astype(np.float32), width, height)
            flat = cv2.warpPerspective(
                source, small, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            return Cut(flat, np.asarray(np.linalg.inv(matrix), dtype=np.float64))
    flat = cv2.warpPerspective(source, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Cut(flat, np.asarray(np.linalg.inv(matrix), dtype=np.float64))


def _is_upright(quad: Floats) -> bool:
    """Whether a quad is an upright rectangle that begins at the top left, each corner within about half a pixel."""
    left, top, right, bottom = geometry.bounds(quad)
    corners = (left, top, right, top, right, bottom, left, bottom)
    return all(
        abs(own - wanted) <= UPRIGHT_PX + UPRIGHT_SHARE * abs(wanted)
        for own, wanted in zip(quad.ravel().tolist(), corners, strict=True)
    )


def char_records(piece: Piece, chars: tuple[ReadChar, ...]) -> tuple[Char, ...]:
    """The characters with their boxes in pixels of the page."""
    if not chars:
        return ()
    on_page = piece.quads(np.array([(char.x0, char.x1) for char in chars], dtype=np.float64)).tolist()
    return tuple(
        Char(char.text, char.confidence, ((ax, ay), (bx, by), (cx, cy), (dx, dy)), char.alternatives)
        for char, ((ax, ay), (bx, by), (cx, cy), (dx, dy)) in zip(chars, on_page, strict=True)
    )
