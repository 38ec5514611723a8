"""Segmentes of a line that no wide gap divides: what stands in a cell where the detector took two cells for one line."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    box = np.array(line.box, np.float32)
    width, height = geometry.size(box)
    along = (box[1] - box[0]) / max(width, 1e-6)
    at = (np.array([char.box for char in line.chars], np.float32) - box[0]) @ along
    seen = [number for number, char in enumerate(line.chars) if not char.text.isspace()]
    if not seen:
        return []
    starts, ends = at.min(axis=1)[seen], at.max(axis=1)[seen]
    gaps = starts[1:] - np.maximum.accumulate(ends)[:-1]
    wide = max(WIDE_GAP * height, WIDER * float(np.median(gaps)) if len(gaps) > 1 else 0.0)
    cuts = [0, *(np.flatnonzero(gaps > wide) + 1).tolist(), len(seen)]
    return [
        (
            max(0.0, float(starts[first]) / width),
            min(1.0, float(ends[first:end].max()) / width),
            "".join(char.text for char in line.chars[seen[first] : seen[end - 1] + 1]),
        )
        for first, end in itertools.pairwise(cuts)
    ]
