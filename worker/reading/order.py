"""Reading order: which line comes after which.

Boxes are first turned so that text runs level. Then the page is divided at gutters, in the manner of the recursive XY-cut
(Nagy and Seth 1984), but only where prose stands on both sides: the cells of a table, a form or a receipt stay in rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from worker.reading import geometry
from worker.reading.geometry import Floats

PROSE_ASPECT = 7.0  # a line at least this many times as wide as high is running text rather than a table's cell
MIN_COLUMN_LINES = 3  # fewer lines are no column
MAX_COLUMN_DEPTH = 4  # columns within columns
GUTTER_SLACK = 0.4  # of a line's height: boxes are drawn a little wide and reach into the gutter
ROW_OVERLAP = 0.8  # of a line's height that neighbours in a row may share, both grown by their box's margin, ...
ROW_OVERLAP_WIDTH = 0.4  # ... and of the narrower one's width


@dataclass(frozen=True, slots=True)
class Placed:
    """A line's upright bounds after levelling, in pixels, and its place in the caller's sequence."""

    index: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


P = TypeVar("P", bound=Placed)


def place(quads: Sequence[Floats], turn_deg: float) -> list[Placed]:
    """Levels the quads by turning the page by -`turn_deg`; a tilted line keeps its own height."""
    if not quads:
        return []
    level = geometry.rotate(np.concatenate(quads), -turn_deg).reshape(-1, 4, 2)
    middles, halves = level.mean(axis=1), np.array([geometry.size(quad) for quad in quads], np.float32) / 2
    bounds = np.hstack([middles - halves, middles + halves]).tolist()
    return [Placed(index, *each) for index, each in enumerate(bounds)]


def tilt(quads: Sequence[Floats]) -> float:
    """The direction most text runs in, degrees clockwise: the median over lines, longer ones counting more."""
    if not quads:
        return 0.0
    corners = np.stack(quads)
    along = (corners[:, 1] - corners[:, 0]) + (corners[:, 2] - corners[:, 3])
    angles = np.degrees(np.arctan2(along[:, 1], along[:, 0])).astype(np.float64)
    widths = np.array([geometry.size(quad)[0] for quad in quads])
    main = angles[int(np.argmax(widths))]
    around = (angles - main + 180) % 360 - 180
    by_angle = np.argsort(around)
    sums = np.cumsum(widths[by_angle])
    middle = by_angle[int(np.searchsorted(sums, sums[-1] / 2))]
    return float((main + around[middle] + 180) % 360 - 180)


def rows_of(lines: Sequence[P]) -> list[list[P]]:
    """Groups lines that stand beside each other: rows from the top, each from the left."""
    rows: list[list[P]] = []
    for line in sorted(lines, key=lambda p: p.middle):
        best: list[P] | None = None
        left, right, height = line.left, line.right, line.height
        for row in reversed(rows[-4:]):
            nearest, apart = row[0], max(row[0].left - right, left - row[0].right)
            for other in row[1:]:
                between = max(other.left - right, left - other.right)
                if between < apart:
                    nearest, apart = other, between
            low = min(height, nearest.height)
            if min(line.bottom, nearest.bottom) - max(line.top, nearest.top) <= 0.5 * low:
                continue
            narrow = min(right - left, nearest.right - nearest.left)
            if apart > -min(ROW_OVERLAP * low, ROW_OVERLAP_WIDTH * narrow):
                best = row
                break
        if best is None:
            rows.append([line])
        else:
            best.append(line)
    for row in rows:
        row.sort(key=lambda p: p.left)
    return sorted(rows, key=lambda row: sum(p.middle for p in row) / len(row))


def reading_rows(quads: Sequence[Floats], turn_deg: float | None = None) -> list[list[Placed]]:
    """The lines in reading order, as rows; a row's lines stand beside each other. Columns of prose are read one after
    the other, everything else (tables, forms, receipts) row by row."""
    placed = place(quads, tilt(quads) if turn_deg is None else turn_deg)
    return _in_columns(placed, depth=0)


def _in_columns(lines: list[Placed], depth: int) -> list[list[Placed]]:
    """Reads bands that a gutter divides column by column, the rest row by row."""
    gutter = find_gutter(lines) if depth < MAX_COLUMN_DEPTH else None
    if gutter is None:
        return rows_of(lines)
    crossing = sorted((p for p in lines if _crosses(p, gutter)), key=lambda p: p.middle)
    aside = sorted((p for p in lines if not _crosses(p, gutter)), key=lambda p: p.middle)
    out: list[list[Placed]] = []
    start = 0
    for stop in [*crossing, None]:  # bands between the lines that run across the gutter
        band: list[Placed] = []
        while start < len(aside) and (stop is None or aside[start].middle < stop.middle):
            band.append(aside[start])
            start += 1
        left = [p for p in band if p.right <= gutter + _slack(p)]
        right = [p for p in band if p.right > gutter + _slack(p)]
        if is_prose(left) and is_prose(right):
            out += _in_columns(left, depth + 1) + _in_columns(right, depth + 1)
            if stop is not None:
                out.append([stop])
        else:
            loose = band if stop is None else [*band, stop]
            if out and stop is not None and not band and len(out[-1]) == 1 and _crosses(out[-1][0], gutter):
                out.append([stop])
            else:
                out += rows_of(loose)
    return out


def find_gutter(lines: Sequence[Placed]) -> float | None:
    """The x of the white strip with the most prose standing on both its sides at the same height, or None."""
    if len(lines) < 2 * MIN_COLUMN_LINES:
        return None
    left, right = np.array([p.left for p in lines]), np.array([p.right for p in lines])
    top, bottom = np.array([p.top for p in lines]), np.array([p.bottom for p in lines])
    height, width = bottom - top, right - left
    long = width >= PROSE_ASPECT * height
    if np.count_nonzero(long) < 2 * MIN_COLUMN_LINES:
        return None
    lows, highs, heights, widths = top[long], bottom[long], height[long], width[long]
    shared = np.minimum.outer(highs, highs) - np.maximum.outer(lows, lows)
    beside = shared > -0.6 * np.minimum.outer(heights, heights)
    slack = GUTTER_SLACK * height
    best, best_score = None, 0.0
    for x in np.unique(np.round((right + 0.5 * height) / 4) * 4):
        on_left, on_right = right <= x + slack, left >= x - slack
        long_left, long_right = on_left[long], on_right[long]
        paired_left = long_left & (beside & long_right).any(axis=1)
        paired_right = long_right & (beside & long_left).any(axis=1)
        if min(np.count_nonzero(paired_left), np.count_nonzero(paired_right)) < MIN_COLUMN_LINES:
            continue
        score = min(widths[paired_left].sum(), widths[paired_right].sum()) - width[~(on_left | on_right)].sum() * 0.25
        if score > best_score:
            best, best_score = float(x), float(score)
    return best


def is_prose(lines: Sequence[Placed]) -> bool:
    """Whether one side of a gutter is running text: some lines, most of them long for their height."""
    if len(lines) < MIN_COLUMN_LINES:
        return False
    aspects = [(p.right - p.left) / max(p.height, 1.0) for p in lines]
    return float(np.median(aspects)) >= PROSE_ASPECT


def _slack(p: Placed) -> float:
    return GUTTER_SLACK * p.height


def _crosses(p: Placed, x: float) -> bool:
    return p.left < x - _slack(p) and p.right > x + _slack(p)


def reading_columns(quads: Sequence[Floats]) -> list[list[Placed]]:
    """Order of vertical writing: columns from the right, each from the top. A column is given as a row."""
    boxes = [(geometry.bounds(quad), index) for index, quad in enumerate(quads)]
    boxes.sort(key=lambda item: -(item[0][0] + item[0][2]))
    columns: list[list[tuple[tuple[float, float, float, float], int]]] = []
    for box, index in boxes:
        for column in columns:
            (left, _, right, _), _ = column[-1]
            if min(right, box[2]) - max(left, box[0]) > 0.5 * min(right - left, box[2] - box[0]):
                column.append((box, index))
                break
        else:
            columns.append([(box, index)])
    return [[Placed(index, *box) for box, index in sorted(column, key=lambda item: item[0][1])] for column in columns]
