"""Reading order: which line comes after which, and the page's plain text.

Boxes are first turned so that text runs level. Then the page is cut recursively where white runs through it (XY-cut,
Nagy and Seth 1984), a column gap before a row gap only where both its sides are prose: table cells stay in their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.reading import geometry
from worker.reading.geometry import Floats


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


def place(quads: Sequence[Floats], turn_deg: float) -> list[Placed]:
    """Levels the quads by turning the page by -`turn_deg`; a tilted line keeps its own height."""
    out = []
    for index, quad in enumerate(quads):
        level = geometry.rotate(quad, -turn_deg)
        width, height = geometry.size(quad)
        x, y = level.mean(0)
        out.append(Placed(index, x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    return out


def tilt(quads: Sequence[Floats]) -> float:
    """The direction most text runs in, degrees clockwise: the median over lines, longer ones counting more."""
    if not quads:
        return 0.0
    angles = np.array([geometry.angle(quad) for quad in quads])
    widths = np.array([geometry.size(quad)[0] for quad in quads])
    main = angles[int(np.argmax(widths))]
    around = (angles - main + 180) % 360 - 180
    by_angle = np.argsort(around)
    sums = np.cumsum(widths[by_angle])
    middle = by_angle[int(np.searchsorted(sums, sums[-1] / 2))]
    return float((main + around[middle] + 180) % 360 - 180)


def rows_of(lines: Sequence[Placed]) -> list[list[Placed]]:
    """Groups lines that stand beside each other: rows from the top, each from the left."""
    rows: list[list[Placed]] = []
    for line in sorted(lines, key=lambda p: p.middle):
        best: list[Placed] | None = None
        for row in reversed(rows[-4:]):
            nearest = min(row, key=lambda p: max(p.left - line.right, line.left - p.right))
            shared = min(line.bottom, nearest.bottom) - max(line.top, nearest.top)
            beside = max(nearest.left - line.right, line.left - nearest.right) > -0.3 * min(line.height, nearest.height)
            if beside and shared > 0.5 * min(line.height, nearest.height):
                best = row
                break
        if best is None:
            rows.append([line])
        else:
            best.append(line)
    for row in rows:
        row.sort(key=lambda p: p.left)
    return sorted(rows, key=lambda row: float(np.mean([p.middle for p in row])))


def reading_rows(quads: Sequence[Floats], turn_deg: float | None = None) -> list[list[int]]:
    """The lines in reading order, as rows of indices into `quads`; a row's lines stand beside each other."""
    placed = place(quads, tilt(quads) if turn_deg is None else turn_deg)
    return [[p.index for p in row] for row in rows_of(placed)]


def reading_columns(quads: Sequence[Floats]) -> list[list[int]]:
    """Order of vertical writing: columns from the right, each from the top."""
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
    return [[index for _, index in sorted(column, key=lambda item: item[0][1])] for column in columns]


def join(rows: Sequence[Sequence[int]], texts: Sequence[str]) -> str:
    """The page's plain text: a row a line, a space between the lines of a row."""
    return "\n".join(" ".join(texts[index] for index in row) for row in rows)
