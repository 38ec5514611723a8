"""From ruled lines to the cells of a table: where rules cross they make a grid, and where a piece is missing cells span.

Every piece of a grid line between two crossings is a wall if ink covers most of it; cells that no wall parts are one.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from worker.reading.tables.rules import Rule
from worker.reading.tables.segments import Segment

TOUCH = 0.7  # glyphs between the end of a rule and the one it meets
CLUSTER = 0.9  # glyphs between rules that are one line of the grid
SLACK = 0.3  # of its height that a segment may reach over a wall
WALL = 0.5  # of such a piece that ink must cover


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a grid: its first row and column, how many it spans, and its bounds in pixels."""

    row: int
    column: int
    rows: int
    columns: int
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.left <= x < self.right and self.top <= y < self.bottom


@dataclass(frozen=True)
class Grid:
    """The lines of a table, from left to right and from top to bottom, in pixels, and its cells row by row."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[Cell, ...]

    @property
    def rows(self) -> int:
        return len(self.ys) - 1

    @property
    def columns(self) -> int:
        return len(self.xs) - 1

    @functools.cached_property
    def _owners(self) -> list[list[int]]:
        """The cell of each row and column."""
        out = [[0] * self.columns for _ in range(self.rows)]
        for number, cell in enumerate(self.cells):
            for row in range(cell.row, cell.row + cell.rows):
                out[row][cell.column : cell.column + cell.columns] = [number] * cell.columns
        return out

    def surrounds(self, x: float, y: float) -> bool:
        """Whether a point lies in the table."""
        return self.xs[0] <= x <= self.xs[-1] and self.ys[0] <= y <= self.ys[-1]

    def cell_at(self, x: float, y: float) -> int | None:
        """The cell that a point lies in."""
        column, row = bisect.bisect_right(self.xs, x) - 1, bisect.bisect_right(self.ys, y) - 1
        inside = 0 <= column < self.columns and 0 <= row < self.rows
        return self._owners[row][column] if inside else None


def grids(level: Sequence[Rule], upright: Sequence[Rule], glyph_px: float) -> list[Grid]:
    """The grids that rules make, from the top."""
    found = [_grid(flat, steep, glyph_px) for flat, steep in _meeting(level, upright, TOUCH * glyph_px)]
    return sorted((grid for grid in found if grid is not None), key=lambda grid: grid.ys[0])


def _meeting(level: Sequence[Rule], upright: Sequence[Rule], slack: float) -> Iterable[tuple[list[Rule], list[Rule]]]:
    """Rules that hang together."""
    parents = list(range(len(level) + len(upright)))
    flat, steep = (
        np.array([(r.at, r.start - slack, r.end + slack) for r in way]).reshape(-1, 3) for way in (level, upright)
    )
    across = (flat[:, None, 1] <= steep[:, 0]) & (steep[:, 0] <= flat[:, None, 2])
    along = (steep[:, 1] <= flat[:, None, 0]) & (flat[:, None, 0] <= steep[:, 2])
    for i, j in np.argwhere(across & along).tolist():
        parents[_root(parents, i)] = _root(parents, len(level) + j)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for i in range(len(parents)):
        flats, steeps = groups.setdefault(_root(parents, i), ([], []))
        if i < len(level):
            flats.append(level[i])
        else:
            steeps.append(upright[i - len(level)])
    return [group for group in groups.values() if len(group[0]) > 1 and group[1]]


def _root(parents: list[int], at: int) -> int:
    while parents[at] != at:
        parents[at] = parents[parents[at]]
        at = parents[at]
    return at


def _grid(level: Sequence[Rule], upright: Sequence[Rule], glyph: float) -> Grid | None:
    """The grid of rules that hang together. Open sides are closed where the rules across them end."""
    flats, steeps = _clusters(level, CLUSTER * glyph), _clusters(upright, CLUSTER * glyph)
    ys, xs = [_middle(rules) for rules in flats], [_middle(rules) for rules in steeps]
    xs, steeps = _closed(xs, steeps, level, ys, TOUCH * glyph)
    ys, flats = _closed(ys, flats, upright, xs, TOUCH * glyph)
    rows, columns = len(ys) - 1, len(xs) - 1
    if rows < 1 or columns < 1:
        return None
    # wall to the right of the unit cell (row, column), and below it
    right = np.array([[_covered(steeps[c + 1], ys[r], ys[r + 1]) for c in range(columns)] for r in range(rows)])
    below = np.array([[_covered(flats[r + 1], xs[c], xs[c + 1]) for c in range(columns)] for r in range(rows)])
    right[:, -1] = below[-1, :] = True
    return tidy(xs, ys, right, below)


def tidy(xs: Sequence[float], ys: Sequence[float], right: np.ndarray, below: np.ndarray) -> Grid:
    """The grid whose unit cells have a wall to the `right` or `below`; lines along which no wall stands are left out."""
    keep_x = [0, *(c + 1 for c in range(len(xs) - 1) if right[:, c].any())]
    keep_y = [0, *(r + 1 for r in range(len(ys) - 1) if below[r].any())]
    spans = _rectangles(right, below)
    new_x, new_y = _renumbered(keep_x, len(xs)), _renumbered(keep_y, len(ys))
    cells = [
        Cell(
            new_y[top], new_x[left], new_y[bottom] - new_y[top], new_x[end] - new_x[left],
            xs[left], ys[top], xs[end], ys[bottom],
        )
        for top, left, bottom, end in spans
    ]  # fmt: skip
    return Grid(tuple(xs[i] for i in keep_x), tuple(ys[i] for i in keep_y), tuple(cells))


def with_columns(grid: Grid, pieces: Sequence[Segment]) -> Grid:
    """The grid with cells divided that span columns though each of these holds its own segment of text, as in a tinted heading
    without walls."""
    cells: list[Cell] = []
    for cell in grid.cells:
        parts = _by_column(grid, cell, pieces) if cell.columns > 1 else None
        cells += [cell] if parts is None else parts
    return Grid(grid.xs, grid.ys, tuple(cells))


def with_lines(grid: Grid, ys: Sequence[float]) -> Grid:
    """The grid with more lines between its rows: cells of one row become one in each, others span more."""
    place = {row: ys.index(y) for row, y in enumerate(grid.ys)}
    cells = []
    for cell in grid.cells:
        first, end = place[cell.row], place[cell.row + cell.rows]
        for top in range(first, end) if cell.rows == 1 else (first,):
            rows = 1 if cell.rows == 1 else end - first
            cells.append(Cell(top, cell.column, rows, cell.columns, cell.left, ys[top], cell.right, ys[top + rows]))
    return Grid(grid.xs, tuple(ys), tuple(sorted(cells, key=lambda cell: (cell.row, cell.column))))


def without_slivers(grid: Grid, full: Sequence[bool], narrow: float) -> tuple[Grid, list[int]]:
    """The grid without columns and rows that are `narrow` and hold no text (double walls, the white between tinted words), and the old
    place of each cell that is left. `full` says which cells hold text."""
    held = [cell for cell, holds in zip(grid.cells, full, strict=True) if holds]
    columns = _wide(grid.xs, {cell.column for cell in held if cell.columns == 1}, narrow)
    rows = _wide(grid.ys, {cell.row for cell in held if cell.rows == 1}, narrow)
    xs, ys = _lines_of(grid.xs, columns), _lines_of(grid.ys, rows)
    cells, old = [], []
    for number, cell in enumerate(grid.cells):
        left, right = (sum(1 for at in columns if at < cell.column + more) for more in (0, cell.columns))
        top, bottom = (sum(1 for at in rows if at < cell.row + more) for more in (0, cell.rows))
        if right > left and bottom > top:
            cells.append(Cell(top, left, bottom - top, right - left, xs[left], ys[top], xs[right], ys[bottom]))
            old.append(number)
    if sum(full[number] for number in old) < sum(full):
        return grid, list(range(len(grid.cells)))  # a cell that holds text would be gone
    return Grid(xs, ys, tuple(cells)), old


def _wide(lines: Sequence[float], held: set[int], narrow: float) -> list[int]:
    """The columns, by number, that are not narrow or are `held` by text of their own."""
    return [at for at in range(len(lines) - 1) if at in held or lines[at + 1] - lines[at] >= narrow]


def _lines_of(lines: Sequence[float], columns: Sequence[int]) -> tuple[float, ...]:
    """The lines between and around some of the columns; what is left out goes to the one before it."""
    return (lines[0], *(lines[at] for at in columns[1:]), lines[-1])


def _by_column(grid: Grid, cell: Cell, pieces: Sequence[Segment]) -> list[Cell] | None:
    inside = [p for p in pieces if cell.holds(p.centre, p.middle)]
    lines = grid.xs[cell.column + 1 : cell.column + cell.columns]
    slack = SLACK * min((p.height for p in inside), default=0.0)
    if any(p.left + slack < x < p.right - slack for p in inside for x in lines):
        return None
    held = {int(np.searchsorted(lines, p.centre)) for p in inside}
    whole = cell.columns == grid.columns
    if len(held) < (2 if whole else cell.columns):
        return None
    edges = grid.xs[cell.column : cell.column + cell.columns + 1]
    return [
        Cell(cell.row, cell.column + at, cell.rows, 1, edges[at], cell.top, edges[at + 1], cell.bottom)
        for at in range(cell.columns)
    ]


def _renumbered(kept: Sequence[int], count: int) -> list[int]:
    """The place of each old line among those that are kept."""
    return [sum(1 for each in kept if each <= old) - 1 for old in range(count)]


def _clusters(rules: Sequence[Rule], most: float) -> list[list[Rule]]:
    out: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda each: each.at):
        if out and rule.at - _middle(out[-1]) <= most:
            out[-1].append(rule)
        else:
            out.append([rule])
    return out


def _middle(rules: Sequence[Rule]) -> float:
    weight = sum(rule.length for rule in rules)
    return sum(rule.at * rule.length for rule in rules) / weight


def _closed(
    places: list[float], lines: list[list[Rule]], across: Sequence[Rule], others: Sequence[float], slack: float
) -> tuple[list[float], list[list[Rule]]]:
    """The grid lines with one at each end of the rules `across`, where none is."""
    if not across:
        return places, lines
    first, last = float(np.median([r.start for r in across])), float(np.median([r.end for r in across]))
    span = (others[0], others[-1]) if others else (0.0, 0.0)
    if not places or first < places[0] - 2 * slack:
        places, lines = [first, *places], [[Rule(first, *span)], *lines]
    if last > places[-1] + 2 * slack:
        places, lines = [*places, last], [*lines, [Rule(last, *span)]]
    return places, lines


def _covered(rules: Sequence[Rule], start: float, end: float) -> bool:
    """Whether a wall stands between `start` and `end`."""
    covered, reached = 0.0, start
    for rule in sorted(rules, key=lambda each: each.start):
        low, high = max(rule.start, reached), min(rule.end, end)
        if high > low:
            covered += high - low
            reached = high
    return covered >= WALL * (end - start)


def _rectangles(right: np.ndarray, below: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Cells as (top, left, bottom, end) of the unit cells they are made of, row by row. What no wall parts and is no rectangle
    falls into rows."""
    rows, columns = right.shape
    free = np.ones((rows, columns), bool)
    out = []
    for top in range(rows):
        for left in range(columns):
            if not free[top, left]:
                continue
            end = left + 1
            while end < columns and not right[top, end - 1] and free[top, end]:
                end += 1
            bottom = top + 1
            while bottom < rows and _goes_on(right, below, free, bottom, left, end):
                bottom += 1
            free[top:bottom, left:end] = False
            out.append((top, left, bottom, end))
    return out


def _goes_on(right: np.ndarray, below: np.ndarray, free: np.ndarray, row: int, left: int, end: int) -> bool:
    """Whether the row belongs to the cell above it, from `left` to `end`."""
    if below[row - 1, left:end].any() or not free[row, left:end].all():
        return False
    shut_left = left == 0 or right[row, left - 1]
    return bool(shut_left and right[row, end - 1] and not right[row, left : end - 1].any())
