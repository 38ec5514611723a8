"""Rows without walls: where one ends, at a rule or in the white between two rows of text, and what is only a line of a cell."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.reading.tables.columns import Gutter, columns_of
from worker.reading.tables.grid import Grid, with_lines
from worker.reading.tables.rules import Rule
from worker.reading.tables.segments import Segment

_FIGURE = re.compile(r"^(?:[A-Z]{1,3} ?)?[¥￥$€£(+-]*\d[\d.,:/-]*(?<![-/:])[%)]?$")
GO_ON = 0.3  # of the narrow gaps of a table, at least, whose text on one side may go on with that on the other
CORE = 0.5  # of its height that a box counts for where rows are told apart, as boxes are drawn large,
SAME_LINE = 0.3  # and that the cores of two rows are apart, unless one stands under the other
LEADING_JUMP = 1.5  # times the white between the lines of a cell that is between rows
LEAST = 0.15  # of the widest white: narrower ones are told apart no more
RULED = 0.4  # of the bands between rules that hold one row of text, from which rules part the rows


def within_rows(grid: Grid, pieces: Sequence[Segment]) -> Grid:
    """The grid with the rows parted that hold several figures in one cell: walls between columns, and none between rows."""
    gutters = [(x, x) for x in grid.xs[1:-1]]
    ys: list[float] = []
    for row in range(grid.rows):
        top, bottom = grid.ys[row], grid.ys[row + 1]
        ys.append(top)
        cells = [cell for cell in grid.cells if cell.row <= row < cell.row + cell.rows]
        inside = [p for p in pieces if top < p.middle < bottom and grid.xs[0] < p.centre < grid.xs[-1]]
        if all(cell.rows == cell.columns == 1 for cell in cells) and _sums_share(inside, gutters, []):
            ys += separators(inside, gutters, [])
    return grid if len(ys) == grid.rows else with_lines(grid, [*ys, grid.ys[-1]])


@dataclass(frozen=True, slots=True)
class _Gap:
    """White between two rows of text of one band: where it is, how wide, and whether the text below may go on with the cells above
    (or theirs with it), because one has only some of the columns of the other."""

    at: float
    width: float
    may_go_on: bool


def separators(pieces: Sequence[Segment], gutters: Sequence[Gutter], frame: Sequence[Rule]) -> list[float]:
    """Where rows end: at rules, and between rows of text, but not between the lines of one cell. These stand closer than rows do, or
    rules part the rows; and hardly ever do they fill all columns alike."""
    first, last = min(p.middle for p in pieces), max(p.middle for p in pieces)
    out: list[float] = [rule.at for rule in frame if first < rule.at < last]
    bands = [_gaps(pieces, gutters, top, bottom) for top, bottom in itertools.pairwise([-np.inf, *out, np.inf])]
    gaps = [gap for band in bands for gap in band]
    single = [band for band in bands if all(gap.may_go_on or gap.width < 0 for gap in band)]
    ruled = len(out) > 2 and len(single) > RULED * len(bands)  # a rule under every row
    for limit in [np.inf] if ruled else _limits(sorted(gap.width for gap in gaps)):
        small = [gap for gap in gaps if gap.width < limit]
        wide = [gap for gap in gaps if gap.width >= limit]
        parted = sorted([*out, *(gap.at for gap in wide)])
        if sum(gap.may_go_on for gap in small) >= GO_ON * len(small) and not _sums_share(pieces, gutters, parted):
            return parted
    return sorted([*out, *(gap.at for gap in gaps)])


def _gaps(pieces: Sequence[Segment], gutters: Sequence[Gutter], top: float, bottom: float) -> list[_Gap]:
    """The white between the rows of text from `top` to `bottom`. Boxes are drawn large: only their cores count."""
    inside = sorted((p for p in pieces if top < p.middle < bottom), key=lambda p: p.middle)
    if not inside:
        return []
    core = CORE * float(np.median([p.height for p in inside]))
    blocks: list[list[Segment]] = [[inside[0]]]
    for piece in inside[1:]:
        own = columns_of([piece], gutters)
        under = any(own & columns_of([p], gutters) and piece.middle - p.middle > core for p in blocks[-1])
        if under or piece.middle - blocks[-1][-1].middle > core + SAME_LINE * core / CORE:
            blocks.append([piece])
        else:
            blocks[-1].append(piece)
    out = []
    for above, below in itertools.pairwise(blocks):
        high, low = above[-1].middle, below[0].middle
        one, other = columns_of(above, gutters), columns_of(below, gutters)
        out.append(_Gap((high + low) / 2, low - high - core, one < other or other < one))
    return out


def _limits(widths: Sequence[float]) -> list[float]:
    """The white from which rows may be parted: above each jump between the widths, the highest first."""
    least = LEAST * max(widths, default=0.0)
    jumps = [(low, high) for low, high in itertools.pairwise(widths) if high > LEADING_JUMP * max(low, least)]
    return [(low + high) / 2 for low, high in reversed(jumps)]


def is_figure(text: str) -> bool:
    """Whether a segment is an amount, a share, a date, a number."""
    return bool(_FIGURE.match(text))


def _sums_share(pieces: Sequence[Segment], gutters: Sequence[Gutter], ys: Sequence[float]) -> bool:
    """Whether two figures would stand in one cell if rows were parted at `ys`: each has a row of its own."""
    held: set[tuple[int, int]] = set()
    for piece in pieces:
        if is_figure(piece.text):
            place = (bisect.bisect_left(ys, piece.middle), min(columns_of([piece], gutters)))
            if place in held:
                return True
            held.add(place)
    return False
