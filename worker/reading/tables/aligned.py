"""Tables without walls: columns told by the white between them, rows by the rules or the white between those.

Where level rules of one extent lie above each other (the three rules of a paper's table, a rule under every row, tinted rows)
they say where the table is; without them only three columns and more, that stand under each other, are a table.
"""

from __future__ import annotations

import bisect
import itertools
import statistics
from collections.abc import Sequence

import numpy as np

from worker.reading import order
from worker.reading.order import rows_of
from worker.reading.tables import frames
from worker.reading.tables.columns import crosses, gutters_of, needed, white
from worker.reading.tables.grid import Grid, tidy
from worker.reading.tables.row_ends import is_figure, separators
from worker.reading.tables.rules import Rule
from worker.reading.tables.segments import Segment

SEEDS = 3  # columns of a row that may begin a table without rules
RULES = 3  # of a frame, from which what stands in it is a table however much it looks like prose
FEWEST_ROWS = 3  # of such a table
LONG = 4.5  # of a line's height that the lines of a narrow column of prose are wide, at least, and
VERY_LONG = 10.0  # if they are the only such column
FULL = 0.85  # of its widest lines that most of them are
FILLED, FILLED_FREE = 0.52, 0.6  # of the cells that hold text, at least, with rules and without
ALIGNED = 1.0  # glyphs by which a column's segments may miss their common edge or middle, and
ALIGNED_SHARE = 0.7  # of them that keep to it, at least
ALIKE = 1.5  # of the usual height that these are lower than
BESIDE = 2.0  # glyphs from a table's edge, within which text beside it belongs to it, and
HALF = 0.4  # of the rows, at least, that have such text
SAME_ROW = 0.6  # of the white between rows, below which a lone segment belongs to the row beside it


def find(pieces: Sequence[Segment], level: Sequence[Rule], glyph: float) -> list[Grid]:
    """The tables that `pieces` (segments of text without a wide gap, level) make; those that rules frame first."""
    found: list[Grid] = []
    left = list(pieces)
    for frame in frames.frames(pieces, level, glyph):
        inside = [p for p in left if frame[0].at < p.middle < frame[-1].at and frames.within(p, frame, glyph)]
        beside = [p for p in left if not frame[0].at < p.middle < frame[-1].at and frames.meets(p, frame[0])]
        whole = frames.extended(inside, beside, frame, glyph)
        grid = _table(whole, glyph, frame)
        if grid is None or (len(frame) < RULES and _is_prose(whole, grid)):
            continue
        if not goes_on(grid, left, glyph) and _is_aligned(whole, grid, glyph):
            found.append(grid)
            left = [p for p in left if not grid.surrounds(p.centre, p.middle)]
    for run in _runs(left, glyph):
        grid = _table(run, glyph, [])
        if grid is None or grid.rows < FEWEST_ROWS or grid.columns < SEEDS or _is_prose(run, grid):
            continue
        if not goes_on(grid, left, glyph) and _is_aligned(run, grid, glyph) and _filled(grid, run) >= FILLED_FREE:
            found.append(grid)
    return sorted(found, key=lambda grid: grid.ys[0])


def _runs(pieces: Sequence[Segment], glyph: float) -> list[list[Segment]]:
    """Rows that follow each other and stand in the columns of one with three pieces and more."""
    rows = [row for row in rows_of(pieces) if row]
    out: list[list[Segment]] = []
    at = floor = 0
    while at < len(rows):
        if len(rows[at]) < SEEDS:
            at += 1
            continue
        start = stop = at
        held = list(rows[at])
        while stop + 1 < len(rows) and _follows(held, stop - start + 1, rows[stop], rows[stop + 1], glyph):
            stop += 1
            held += rows[stop]
        while start > floor and _follows(held, stop - start + 1, rows[start], rows[start - 1], glyph):
            start -= 1
            held += rows[start]
        run = _trimmed(rows[start : stop + 1])
        if len(run) >= FEWEST_ROWS:
            out.append([p for row in run for p in row])
        at = floor = stop + 1
    return out


def _follows(held: Sequence[Segment], rows: int, last: Sequence[Segment], row: Sequence[Segment], glyph: float) -> bool:
    """Whether a row stands next to the last and in the columns of what is `held`, so many rows."""
    if white(last, row) > frames.NEAR * glyph:
        return False
    gutters = gutters_of(held, glyph, rows)
    if len(row) == 1 and crosses(row, gutters):
        return False
    return len(gutters_of([*held, *row], glyph, rows + 1)) >= max(SEEDS - 1, len(gutters) - 1)


def _trimmed(rows: list[list[Segment]]) -> list[list[Segment]]:
    """Rows without lone segments at the ends that stand as far from the table as its rows do from each other."""
    whites = [white(above, below) for above, below in itertools.pairwise(rows)]
    usual = float(np.median(whites)) if whites else 0.0
    first, end = 0, len(rows)
    while end - first > 1 and len(rows[end - 1]) == 1 and whites[end - 2] >= SAME_ROW * usual:
        end -= 1
    while end - first > 1 and len(rows[first]) == 1 and whites[first] >= SAME_ROW * usual:
        first += 1
    return rows[first:end]


def _table(pieces: Sequence[Segment], glyph: float, frame: Sequence[Rule]) -> Grid | None:
    gutters = gutters_of(pieces, glyph)
    if not gutters:
        return None
    gutters = needed(pieces, gutters)
    left, right = min(p.left for p in pieces), max(p.right for p in pieces)
    top, bottom = min(p.top for p in pieces), max(p.bottom for p in pieces)
    if frame:
        left, right = min(left, frame[0].start), max(right, frame[0].end)
        top, bottom = min(top, frame[0].at), max(bottom, frame[-1].at)
    xs = [left, *((low + high) / 2 for low, high in gutters), right]
    ys = [top, *separators(pieces, gutters, frame), bottom]
    rows, columns = len(ys) - 1, len(xs) - 1
    if rows < 2:
        return None
    below = np.ones((rows, columns), bool)
    walls = np.ones((rows, columns), bool)
    held = np.zeros((rows, columns), bool)
    for piece in pieces:
        row = bisect.bisect_left(ys, piece.middle) - 1
        if not 0 <= row < rows:
            continue
        low, high = (
            bisect.bisect_left(xs, x) - 1 for x in (piece.left + 0.3 * piece.height, piece.right - 0.3 * piece.height)
        )
        low, high = max(0, low), min(columns - 1, high)
        walls[row, low:high] = False
        held[row, low : high + 1] = True
    if held.mean() < FILLED or not held.any(axis=0).all():
        return None
    return tidy(xs, ys, walls, below)


def goes_on(grid: Grid, pieces: Sequence[Segment], glyph: float) -> bool:
    """Whether a grid of walls is only part of a table: text stands right beside half of its rows."""
    left, right = grid.xs[0], grid.xs[-1]
    rows = set()
    for piece in pieces:
        row = bisect.bisect_left(grid.ys, piece.middle) - 1
        beside = max(left - piece.right, piece.left - right) < BESIDE * glyph
        if 0 <= row < grid.rows and beside and not left <= piece.centre <= right:
            rows.add(row)
    return len(rows) > HALF * grid.rows


def _filled(grid: Grid, pieces: Sequence[Segment]) -> float:
    """The share of the cells that hold text."""
    held = {grid.cell_at(p.centre, p.middle) for p in pieces}
    return len(held - {None}) / len(grid.cells)


def _is_aligned(pieces: Sequence[Segment], grid: Grid, glyph: float) -> bool:
    """Whether the segments of a column begin, end or have their middles under each other, and those of a row stand level: not so
    the labels of a chart."""
    true = total = 0
    for column in range(grid.columns):
        own = [p for p in pieces if grid.xs[column] <= p.centre < grid.xs[column + 1]]
        own = [p for p in own if p.left >= grid.xs[column] - glyph and p.right <= grid.xs[column + 1] + glyph]
        edges = ([p.left for p in own], [p.right for p in own], [p.centre for p in own])
        true += max(_agreeing(side, ALIGNED * glyph) for side in edges)
        total += len(own)
    heights = np.array([p.height for p in pieces])
    alike = np.mean(heights < ALIKE * np.median(heights))
    return true >= ALIGNED_SHARE * total and float(alike) >= ALIGNED_SHARE


def _agreeing(values: Sequence[float], most: float) -> int:
    """How many of some values miss their median by less than that."""
    middle = statistics.median(values) if values else 0.0
    return sum(abs(value - middle) < most for value in values)


def _is_prose(pieces: Sequence[Segment], grid: Grid) -> bool:
    """Whether columns are those of a newspaper: in two and more most lines are long and as wide as the column."""
    if order.find_gutter(pieces) is not None:
        return True
    prose = 0
    for column in range(grid.columns):
        own = [p for p in pieces if grid.xs[column] <= p.centre < grid.xs[column + 1]]
        widths = np.array([p.right - p.left for p in own if not is_figure(p.text)])
        if len(widths) > HALF * len(own) and np.median(widths) > LONG * np.median([p.height for p in own]):
            is_full = np.median(widths) > FULL * np.percentile(widths, 90)
            prose += is_full * (1 + bool(np.median(widths) > VERY_LONG * np.median([p.height for p in own])))
    return prose > 1
