"""Lines that bend: the middle of a line is followed along its core, and the line is pulled straight along it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading.geometry import Floats

MIN_ASPECT = 5.0  # of the core's rectangle: shorter ones hold too few characters to bend
MIN_BEND = 1.5  # the rectangle is this many times as high as the core is thick
MAX_THICKNESS_SPREAD = 0.35  # thickness varies more where two lines have grown together
DEGREE = 3  # of the polynomial that the middle follows
POINTS = 24  # at which the middle is measured


@dataclass(frozen=True, slots=True)
class Spine:
    """The middle of a bent line: points (n, 2) in reading direction and the line's half height, in pixels."""

    points: Floats
    half: float

    def scaled(self, zoom: Floats) -> Spine:
        """The same on a picture `zoom` (x, y) times as large."""
        return Spine(np.asarray(self.points * zoom, dtype=np.float32), self.half * float(zoom.mean()))

    def moved(self, offset: Floats) -> Spine:
        """The same, shifted by `offset` (x, y)."""
        return Spine(np.asarray(self.points + offset, dtype=np.float32), self.half)

    def reversed(self) -> Spine:
        """The same read from its other end."""
        return Spine(np.ascontiguousarray(self.points[::-1]), self.half)


@dataclass(frozen=True, slots=True)
class BentPiece:
    """A line pulled straight. Column x of `image` stood at `middles[x]`, upright along `downs[x]`, `half` px each way."""

    image: NDArray[np.uint8]
    middles: Floats
    downs: Floats
    half: float

    def turned(self) -> BentPiece:
        """The same read from its other end, where it stands on its head."""
        image = np.ascontiguousarray(self.image[::-1, ::-1])
        return BentPiece(image, self.middles[::-1], -self.downs[::-1], self.half)

    def quads(self, spans: NDArray[np.float64]) -> Floats:
        """See `crop.Piece.quads`."""
        last = len(self.middles) - 1
        ends = [np.clip(spans[:, side].round().astype(int), 0, last) for side in (0, 1)]
        (m0, d0), (m1, d1) = ((self.middles[end], self.downs[end] * self.half) for end in ends)
        return np.stack([m0 - d0, m1 - d1, m1 + d1, m0 + d0], axis=1).astype(np.float32)


def spine_of(contour: NDArray[np.int32], quad: Floats, width: float, height: float, grown: float) -> Spine | None:
    """The spine of a core, or None where it is straight, short, or of uneven thickness. `contour` is the core's outline,
    `quad` the upright-ordered rectangle around it, `width` and `height` that rectangle's sides, `grown` the px by which
    the line reaches beyond its core on every side."""
    if width < MIN_ASPECT * height / MIN_BEND or width < 12:
        return None
    area = cv2.contourArea(contour)
    if area <= 0 or width * height < MIN_BEND * 0.9 * area:
        return None
    wide, high = max(POINTS, round(width)), max(4, round(height))
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    flat = cv2.perspectiveTransform(contour.reshape(-1, 1, 2).astype(np.float32), matrix)
    mask = np.zeros((high + 1, wide + 1), dtype=np.uint8)
    cv2.fillPoly(mask, [flat.round().astype(np.int32)], 1)
    at = np.linspace(0.02, 0.98, POINTS) * wide
    columns = mask[:, at.astype(int)].astype(np.float32)
    thick = columns.sum(axis=0)
    inside = thick > 0
    if inside.sum() < POINTS * 3 // 4:
        return None
    middle = (columns * np.arange(high + 1)[:, None]).sum(axis=0)[inside] / thick[inside]
    typical = float(np.median(thick[inside]))
    spread = float(np.mean(np.abs(thick[inside] - typical))) / typical
    if high < MIN_BEND * typical or wide < MIN_ASPECT * typical or spread > MAX_THICKNESS_SPREAD:
        return None
    curve = np.polynomial.Polynomial.fit(at[inside], middle, DEGREE)
    if float(np.abs(curve(at[inside]) - middle).max()) > 0.6 * typical:
        return None
    grow = grown / max(width, 1.0) * wide
    x = np.linspace(-grow, wide + grow, POINTS)
    held = np.clip(x, at[0], at[-1])  # beyond its ends the curve goes on straight
    y = curve(held) + curve.deriv()(held) * (x - held)
    back = np.linalg.inv(matrix)
    points = cv2.perspectiveTransform(np.stack([x, y], axis=1).reshape(-1, 1, 2).astype(np.float32), back).reshape(
        -1, 2
    )
    return Spine(np.asarray(points, dtype=np.float32), typical * height / high / 2 + grown)


def pull_straight(page: NDArray[np.uint8], spine: Spine, max_height_px: int) -> BentPiece:
    """The page's content along a spine, from left to right, at most `max_height_px` high."""
    steps = np.hypot(*np.diff(spine.points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    scale = min(1.0, max_height_px / max(2 * spine.half, 1.0))
    width, height = max(2, round(along[-1] * scale)), max(2, round(2 * spine.half * scale))
    at = np.linspace(0, along[-1], width)
    middles = np.stack([np.interp(at, along, spine.points[:, axis]) for axis in (0, 1)], axis=1)
    ahead = np.gradient(middles, axis=0)
    ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)[:, None]
    downs = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    offsets = np.linspace(-spine.half, spine.half, height)
    grid = (middles[None] + downs[None] * offsets[:, None, None]).astype(np.float32)
    image = cv2.remap(page, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return BentPiece(
        np.asarray(image, dtype=np.uint8), middles.astype(np.float32), downs.astype(np.float32), spine.half
    )
