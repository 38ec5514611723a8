"""Segmentes of a line that no wide gap divides: what stands in a cell where the detector took two cells for one line."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from shared.records import Line
from worker.reading import geometry
from worker.reading.geometry import Floats
from worker.reading.order import Placed

WIDE_GAP = 0.8  # of a line's height, and
WIDER = 2.5  # times the usual gap between its characters


@dataclass(frozen=True, slots=True)
class Segment(Placed):
    """A segment of the line `index`: its level bounds in pixels, and its text."""

    text: str

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2


def segments(lines: Sequence[Line], level: Sequence[Floats]) -> list[Segment]:
    """The segments of the lines; `level` are their boxes in a picture in which they run level."""
    out: list[Segment] = []
    for index, (line, quad) in enumerate(zip(lines, level, strict=True)):
        left, top, right, bottom = geometry.bounds(quad)
        if line.vertical or not line.chars or any(char.box is None for char in line.chars):
            out.append(Segment(index, left, top, right, bottom, line.text))
            continue
        wide = right - left
        out += [Segment(index, left + a * wide, top, left + b * wide, bottom, text) for a, b, text in _parts(line)]
    return out


def _parts(line: Line) -> list[tuple[float, float, str]]:
    """Where the segments begin and end, as shares of the line's width, and what they say."""
    (x0, y0), (x1, y1), _, (x3, y3) = line.box
    width, height = max(math.hypot(x1 - x0, y1 - y0), 1e-6), math.hypot(x3 - x0, y3 - y0)
    across, down = (x1 - x0) / width, (y1 - y0) / width
    seen: list[int] = []
    starts: list[float] = []
    ends: list[float] = []
    for number, char in enumerate(line.chars):
        if char.box is None or char.text.isspace():
            continue
        (left, top), (right, bottom), _, _ = char.box
        seen.append(number)
        starts.append((left - x0) * across + (top - y0) * down)
        ends.append(max(ends[-1] if ends else -math.inf, (right - x0) * across + (bottom - y0) * down))
    if not seen:
        return []
    gaps = [start - end for start, end in zip(starts[1:], ends, strict=False)]
    cuts = [0, len(seen)]
    if gaps and max(gaps) > WIDE_GAP * height:
        wide = max(WIDE_GAP * height, WIDER * statistics.median(gaps) if len(gaps) > 1 else 0.0)
        cuts[1:1] = [number for number, gap in enumerate(gaps, 1) if gap > wide]
    return [
        (
            max(0.0, starts[first] / width),
            min(1.0, ends[end - 1] / width),
            "".join(char.text for char in line.chars[seen[first] : seen[end - 1] + 1]),
        )
        for first, end in itertools.pairwise(cuts)
    ]
