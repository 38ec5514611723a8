"""Columns without walls: the white strips between them, and which of them a segment of text stands in."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

import numpy as np

from worker.reading.order import rows_of
from worker.reading.tables.segments import Segment

Gutter = tuple[float, float]
"""A white strip from one x to another, in pixels."""

GUTTER = 0.8  # glyphs of white between two columns, at least
CROSSED = 0.12  # of the rows that may run across a gutter: headings over two columns
SLACK = 0.3  # of its height that a segment may reach into a gutter


def gutters_of(pieces: Sequence[Segment], glyph: float, rows: int | None = None) -> list[Gutter]:
    """The white strips between columns: where hardly any row has text, and of these the part that the fewest run across. `rows` is how
    many rows the pieces make, counted unless given."""
    most = CROSSED * (len(rows_of(pieces)) if rows is None else rows)
    lefts, rights = np.sort([p.left for p in pieces]), np.sort([p.right for p in pieces])
    edges = np.unique(np.concatenate((lefts, rights)))
    # Between two edges as many stretches run as have begun and not ended.
    crossing = np.searchsorted(lefts, edges[1:], "left") - np.searchsorted(rights, edges[:-1], "right")
    strips: list[list[tuple[float, float, int]]] = []
    before = -2
    for at in np.flatnonzero(crossing <= most).tolist():
        part = (float(edges[at]), float(edges[at + 1]), int(crossing[at]))
        if at == before + 1:
            strips[-1].append(part)
        else:
            strips.append([part])
        before = at
    out = []
    for strip in strips:
        if strip[-1][1] - strip[0][0] < GUTTER * glyph:
            continue
        fewest = min(count for _, _, count in strip)
        low, high, _ = max((part for part in strip if part[2] == fewest), key=lambda part: part[1] - part[0])
        out.append((low, high))
    return out


def needed(pieces: Sequence[Segment], gutters: list[Gutter]) -> list[Gutter]:
    """The gutters without those between two columns that no row fills both of: a heading in the middle of figures on the right."""
    rows = rows_of(pieces)
    out = list(gutters)
    at = 0
    while at < len(out):
        both = sum(1 for row in rows if {at, at + 1} <= columns_of(row, out))
        if both or len(out) == 1:
            at += 1
        else:
            del out[at]
    return out


def columns_of(row: Sequence[Segment], gutters: Sequence[Gutter]) -> set[int]:
    """The columns that the row's segments stand in; `gutters` are from the left."""
    middles = [(low + high) / 2 for low, high in gutters]
    return {bisect.bisect_left(middles, p.centre) for p in row}


def crosses(row: Sequence[Segment], gutters: Sequence[Gutter]) -> bool:
    """Whether a segment of the row runs across a gutter."""
    return any(
        p.left + SLACK * p.height < low and p.right - SLACK * p.height > high for p in row for low, high in gutters
    )


def white(one: Sequence[Segment], other: Sequence[Segment]) -> float:
    """The white between two rows that lie above each other."""
    return max(
        min(p.top for p in other) - max(p.bottom for p in one), min(p.top for p in one) - max(p.bottom for p in other)
    )
