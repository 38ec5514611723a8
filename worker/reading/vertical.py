"""Columns of upright characters, read from top to bottom: cut into characters and laid side by side for a recogniser
that reads from left to right."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.reading import geometry
from worker.reading.crop import Cut
from worker.reading.geometry import Floats


@dataclass(frozen=True, slots=True)
class LaidColumn:
    """A column laid down. `image` is the horizontal picture; `starts` where each cell begins in it (x) and `tops`
    where that cell begins in the column (y), both one longer than the number of cells."""

    image: NDArray[np.uint8]
    starts: NDArray[np.float64]
    tops: NDArray[np.float64]
    column: Cut

    def quads(self, spans: NDArray[np.float64]) -> Floats:
        """See `crop.Piece.quads`; corner 0 to corner 1 runs down the column, as the reading does."""
        width = float(self.column.image.shape[1])
        y0, y1 = (np.interp(spans[:, side], self.starts, self.tops) for side in (0, 1))
        left, right = np.zeros(len(spans)), np.full(len(spans), width)
        corners = np.stack([right, y0, right, y1, left, y1, left, y0], axis=1).reshape(-1, 2)
        return geometry.through(self.column.to_page, corners.astype(np.float32)).reshape(-1, 4, 2)


def cell_edges(column: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where the characters of an upright column part, in pixels from its top: 0, ..., height.

    Characters of vertical writing stand in cells about as high as the column is wide. The edges are chosen together
    (shortest path) so that they fall where little ink lies and the cells stay near that height.
    """
    height, width = column.shape[:2]
    grey = cv2.cvtColor(column, cv2.COLOR_BGR2GRAY).astype(np.float32)
    margin = width // 6  # rules between columns stand at the sides and say nothing
    ink = np.abs(grey - np.median(grey))[:, margin : width - margin].mean(axis=1)
    ink = ink / max(float(ink.max()), 1.0)
    across = _inked(grey)  # a box has paper beside its characters, and their pitch goes by their own width
    low, high, ideal = max(4, int(0.45 * across)), max(6, int(1.45 * across)), 0.95 * across
    if height <= high:
        return np.array([0, height])
    cost = np.full(height + 1, np.inf)
    back = np.zeros(height + 1, dtype=np.int64)
    cost[0] = 0.0
    for y in range(low, height + 1):
        first, last = max(0, y - high), y - low
        sizes = y - np.arange(first, last + 1)
        step = cost[first : last + 1] + 0.6 * ((sizes - ideal) / ideal) ** 2
        best = int(np.argmin(step))
        cost[y] = step[best] + (float(ink[y]) if y < height else 0.0)
        back[y] = first + best
    if not np.isfinite(cost[height]):
        return np.array([0, height])
    edges = [height]
    while edges[-1] > 0:
        edges.append(int(back[edges[-1]]))
    return np.array(edges[::-1])


def _inked(grey: NDArray[np.float32]) -> int:
    """How wide the characters of a column are, in pixels, of its grey picture."""
    strokes = np.abs(grey - np.median(grey)).max(axis=0)
    inked = np.flatnonzero(strokes >= 0.5 * strokes.max())
    return int(inked[-1] - inked[0]) + 1


def cells_of(column: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The characters of an upright column, one picture each, from the top."""
    return [np.ascontiguousarray(column[top:bottom]) for top, bottom in itertools.pairwise(cell_edges(column))]


def lay_down(column: Cut) -> LaidColumn:
    """Cut an upright column into characters and lay them side by side, first at the left."""
    edges = cell_edges(column.image)
    width = column.image.shape[1]
    cells = []
    for top, bottom in itertools.pairwise(edges):
        cell = column.image[top:bottom]
        if bottom - top != width:  # every cell as high as the column is wide, its proportions kept
            scale = width / max(bottom - top, 1)
            wide = max(1, round(width * min(scale, 1.6)))
            cell = cv2.resize(cell, (wide, width), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        cells.append(cell)
    starts = np.cumsum([0] + [cell.shape[1] for cell in cells]).astype(np.float64)
    return LaidColumn(np.ascontiguousarray(np.hstack(cells)), starts, edges.astype(np.float64), column)
