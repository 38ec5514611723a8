"""Tables of a page: where they are, their cells, and what stands in each.

`find` is the way: the picture is turned level, its rules are sought (`rules`), rules that cross make grids (`grid`), text that stands
in columns without walls makes others (`aligned`), and the lines are put into the cells (`fill`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.records import Line, Quad
from worker.reading import geometry, order
from worker.reading.geometry import Floats
from worker.reading.grey import GreyPage
from worker.reading.tables import aligned, fill, level, rules
from worker.reading.tables.grid import Grid, grids, with_columns, without_slivers
from worker.reading.tables.level import Level
from worker.reading.tables.row_ends import within_rows
from worker.reading.tables.segments import segments as segments_of

FEWEST_LINES = 2  # of a page that may hold a table
FEWEST_TEXTS = 4  # cells of a table that hold text, and
FILLED = 0.2  # of all of them
MOST_LINES = 6.0  # lines a filled cell holds, on average: what holds more is a frame around prose
MOST_TORN = 0.1  # of its cells that a wall may divide a word of
SLIVER = 2.0  # glyphs: narrower columns and rows without text are none
MOST_CLUTTER = 0.008  # of a table that has ink beside its text and rules
BESIDE_TEXT, BESIDE_RULE = 0.2, 0.5  # of a line's height, and glyphs, around them that are not looked at
ON_RULE = 0.6  # of a level rule that runs through the middle of lines: it is their strokes
SHUT = 0.4  # glyphs between the ends of a rule and the walls it runs between
SIDE = 3.0  # glyphs: shorter upright rules may be letters' stems
STEM = 1.05  # of a line's height that a letter's stem may have
MEETS = 0.2  # glyphs between the end of a wall and the rule it ends at
MIDDLE = 0.25  # of a line's height at its top and bottom that is not its middle


Bounds = tuple[float, float, float, float]
"""Left, top, right and bottom of a line in the level picture."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A table as it was found: `parts` are the pieces of lines in each cell of the grid, in reading order, `quads` the cells'
    boxes on the page, `box` its own, `texts` what each cell says; `sources` are the numbers of the lines that it took from."""

    grid: Grid
    parts: tuple[tuple[Line, ...], ...]
    quads: tuple[Quad, ...]
    texts: tuple[str, ...]
    box: Quad
    sources: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A line or a part of one: the number of the line, and its box in the level picture."""

    source: int
    line: Line
    box: Floats


def find(picture: GreyPage, lines: Sequence[Line], glyph_px: float) -> tuple[list[Sketch], list[list[Line]]]:
    """The tables of a page from the top, and of every line what stands in none: itself, parts of it, or nothing. `glyph_px` is the
    height of a typical glyph."""
    quads = [np.array(line.box, np.float32) for line in lines]
    lying = [quad for line, quad in zip(lines, quads, strict=True) if not line.vertical]
    if len(lying) < FEWEST_LINES or glyph_px <= 0:
        return [], [[line] for line in lines]
    page = level.turned(picture.width, picture.height, lying)
    boxes = page.forth_all(quads)
    segments = segments_of(lines, boxes)
    if sum(1 for row in order.rows_of(segments) if len(row) > 1) < 2:
        return [], [[line] for line in lines]  # nothing stands beside anything
    grey = picture.full()
    ruling = _ruling(grey, page, glyph_px)
    straight = level.straightened(page, boxes, ruling.climbs, ruling.leans)
    if straight is not None:
        page, boxes = straight, straight.forth_all(quads)
        ruling, segments = _ruling(grey, page, glyph_px), segments_of(lines, boxes)
    around = [geometry.bounds(box) for box in boxes]
    flat = [rule for rule in ruling.level if not _is_stroke(rule, around) or _is_shut(rule, ruling.upright, glyph_px)]
    steep = [rule for rule in ruling.upright if not _is_stem(rule, around, flat, glyph_px)]
    found = [within_rows(with_columns(grid, segments), segments) for grid in grids(flat, steep, glyph_px)]
    found = [
        grid for grid in found if min(grid.rows, grid.columns) > 1 and not aligned.goes_on(grid, segments, glyph_px)
    ]
    loose = [p for p in segments if not any(grid.surrounds(p.centre, p.middle) for grid in found)]
    free = [rule for rule in flat if not any(grid.surrounds((rule.start + rule.end) / 2, rule.at) for grid in found)]
    found += aligned.find(loose, free, glyph_px)
    found = [grid for grid in found if _clutter(grid, ruling, around, glyph_px) < MOST_CLUTTER]
    sketches: list[Sketch] = []
    left = [_Piece(number, line, box) for number, (line, box) in enumerate(zip(lines, boxes, strict=True))]
    for grid in sorted(found, key=lambda each: (each.ys[0], each.xs[0])):
        sketch, beside = _filled(grid, left, page, glyph_px)
        if sketch is not None:
            sketches.append(sketch)
            left = beside
    rest: list[list[Line]] = [[] for _ in lines]
    for piece in left:
        rest[piece.source].append(piece.line)
    return sketches, rest


def _ruling(grey: NDArray[np.uint8], page: Level, glyph_px: float) -> rules.Ruling:
    scale = rules.scale_of(page.width, page.height, glyph_px, page.matrix is not None)
    return rules.find(page.shown(grey, scale), glyph_px, scale)


def _is_stroke(rule: rules.Rule, boxes: Sequence[Bounds]) -> bool:
    """Whether a level rule is made of the strokes of a line's characters."""
    covered = 0.0
    for left, top, right, bottom in boxes:
        margin = MIDDLE * (bottom - top)
        if top + margin < rule.at < bottom - margin:
            covered += max(0.0, min(right, rule.end) - max(left, rule.start))
    return covered > ON_RULE * rule.length


def _is_shut(rule: rules.Rule, steep: Sequence[rules.Rule], glyph: float) -> bool:
    """Whether a level rule runs from one upright rule to another: text may stand on it all the same."""
    return all(
        any(
            abs(each.at - end) < SHUT * glyph and each.start < rule.at < each.end and each.length > SIDE * glyph
            for each in steep
        )
        for end in (rule.start, rule.end)
    )


def _is_stem(rule: rules.Rule, boxes: Sequence[Bounds], flat: Sequence[rules.Rule], glyph: float) -> bool:
    """Whether an upright rule is the stem of a letter: it stands in a line, is no higher than that, and ends at no rule."""
    middle = (rule.start + rule.end) / 2
    for left, top, right, bottom in boxes:
        if left < rule.at < right and top < middle < bottom and rule.length < STEM * (bottom - top):
            return not all(
                any(abs(each.at - end) < MEETS * glyph and each.start < rule.at < each.end for each in flat)
                for end in (rule.start, rule.end)
            )
    return False


def _clutter(grid: Grid, ruling: rules.Ruling, boxes: Sequence[Bounds], glyph: float) -> float:
    """The share of a table that has ink beside its lines and rules: curves and bars of a chart, the things of a photograph."""
    left, top, right, bottom = (
        max(0, round(value * ruling.scale)) for value in (grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1])
    )
    ink = ruling.ink[top:bottom, left:right].copy()
    if not ink.size:
        return 0.0

    def blank(x0: float, y0: float, x1: float, y1: float, margin: float) -> None:
        rows = slice(
            max(0, int((y0 - margin) * ruling.scale) - top), max(0, int((y1 + margin) * ruling.scale) + 1 - top)
        )
        ink[
            rows,
            max(0, int((x0 - margin) * ruling.scale) - left) : max(0, int((x1 + margin) * ruling.scale) + 1 - left),
        ] = 0

    for x0, y0, x1, y1 in boxes:
        blank(x0, y0, x1, y1, BESIDE_TEXT * (y1 - y0))
    for rule in ruling.level:
        blank(rule.start, rule.at, rule.end, rule.at, BESIDE_RULE * glyph)
    for rule in ruling.upright:
        blank(rule.at, rule.start, rule.at, rule.end, BESIDE_RULE * glyph)
    return float(ink.mean())


def _filled(grid: Grid, lines: Sequence[_Piece], page: Level, glyph_px: float) -> tuple[Sketch | None, list[_Piece]]:
    """The grid with its text, and what stands in none of its cells; None where it is no table."""
    held: list[list[_Piece]] = [[] for _ in grid.cells]
    rest: list[_Piece] = []
    torn = 0
    for piece in lines:
        divided = fill.divided(piece.line, piece.box, grid)
        torn += fill.is_torn(divided)
        for part, cell in divided:
            box = piece.box if part is piece.line else page.forth(np.array(part.box, np.float32))
            (rest if cell is None else held[cell]).append(_Piece(piece.source, part, box))
    full = [cell for cell in held if cell]
    rows = {cell.row for cell, parts in zip(grid.cells, held, strict=True) if parts}
    columns = {cell.column for cell, parts in zip(grid.cells, held, strict=True) if parts}
    if len(full) < max(FEWEST_TEXTS, FILLED * len(held)) or min(len(rows), len(columns)) < 2:
        return None, list(lines)
    if sum(map(len, full)) > MOST_LINES * len(full) or torn > MOST_TORN * len(full):
        return None, list(lines)
    grid, kept = without_slivers(grid, [bool(parts) for parts in held], SLIVER * glyph_px)
    held = [held[number] for number in kept]
    parts, texts = fill.in_cells(grid, [[(piece.line, piece.box) for piece in cell] for cell in held])
    quads = tuple(page.back(cell.left, cell.top, cell.right, cell.bottom) for cell in grid.cells)
    around = page.back(grid.xs[0], grid.ys[0], grid.xs[-1], grid.ys[-1])
    sources = frozenset(piece.source for cell in held for piece in cell)
    return Sketch(grid, parts, texts=texts, quads=quads, box=around, sources=sources), rest
