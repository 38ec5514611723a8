"""Text into cells: each line goes into the cell that it stands in, and a line that runs across a wall is divided there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shared.records import Char, Line, Quad
from worker.reading import geometry, order, paragraphs
from worker.reading.geometry import Floats
from worker.reading.tables.grid import Grid

SPILL = 0.3  # of a line's height that its box may reach into another cell
TORN = 0.25  # of a line's height between two letters, below which they are of one word
GAP = 0.3  # of a line's height between two words
SPARE = 0.3  # of a line's height by which boxes may miss the text's width


Spelled = tuple[str, Char]
"""A character, and how it stands in the text: with the spaces before it."""


def divided(line: Line, level: Floats, grid: Grid) -> list[tuple[Line, int | None]]:
    """The parts of a line and their cells, None beside the table. `level` is its box in the grid's coordinates."""
    x, y = (float(value) for value in level.mean(axis=0))
    whole = [(line, grid.cell_at(x, y))]
    left, _, right, _ = geometry.bounds(level)
    reach = SPILL * geometry.size(level)[1]
    if grid.cell_at(left + reach, y) == grid.cell_at(right - reach, y) and right - left > 2 * reach:
        return whole
    spelled = None if line.vertical else _spelled(line)
    if not spelled:
        return whole
    runs = _without_torn_ends(_runs(line, spelled, level, grid))
    return whole if len(runs) < 2 else [(_part(line, chars), cell) for chars, cell in runs]


def _spelled(line: Line) -> list[Spelled] | None:
    """A line's characters with the spaces before them, where these are none themselves (a PDF's own text); None where they do
    not spell the line."""
    out: list[Spelled] = []
    at = 0
    for char in line.chars:
        start = at
        while line.text[at : at + 1].isspace() and not char.text.isspace():
            at += 1
        if char.box is None or line.text[at : at + len(char.text)] != char.text:
            return None
        at += len(char.text)
        out.append((line.text[start:at], char))
    return out if not line.text[at:].strip() else None


def _without_torn_ends(runs: list[tuple[list[Spelled], int | None]]) -> list[tuple[list[Spelled], int | None]]:
    """The runs of a line, what sticks out of the table with the word it belongs to: boxes and rules are never quite where they
    should be."""
    out: list[tuple[list[Spelled], int | None]] = []
    for chars, cell in runs:
        if out and (cell is None) != (out[-1][1] is None) and _is_one_word(out[-1][0][-1][1], chars[0][1]):
            out[-1] = ([*out[-1][0], *chars], cell if out[-1][1] is None else out[-1][1])
        else:
            out.append((chars, cell))
    return out


def _is_one_word(last: Char, first: Char) -> bool:
    """Whether two characters stand so near to each other that they are of one word."""
    if last.box is None or first.box is None or not (last.text.isalnum() and first.text.isalnum()):
        return False
    one, other = np.array(last.box, np.float32), np.array(first.box, np.float32)
    gap = other[[0, 3]].mean(0) - one[[1, 2]].mean(0)
    return float(np.hypot(*gap)) < TORN * geometry.size(one)[1]


def is_torn(parts: Sequence[tuple[Line, int | None]]) -> bool:
    """Whether a wall runs through a word: it is none, but the stem of a letter."""
    return any(_is_one_word(one.chars[-1], other.chars[0]) for (one, _), (other, _) in itertools.pairwise(parts))


def _runs(line: Line, spelled: Sequence[Spelled], level: Floats, grid: Grid) -> list[tuple[list[Spelled], int | None]]:
    """A line's characters by the cells they stand in."""
    top_left, right = level[0], level[1] - level[0]
    down = (level[3] - level[0]) / 2
    quad = np.array(line.box, np.float32)
    along = (quad[1] - quad[0]) / max(float(((quad[1] - quad[0]) ** 2).sum()), 1e-6)
    runs: list[tuple[list[Spelled], int | None]] = []
    for text, char in spelled:
        centre = np.array(char.box, np.float32).mean(axis=0)
        share = float(((centre - quad[0]) * along).sum())
        x, y = (float(value) for value in top_left + share * right + down)
        cell = grid.cell_at(x, y)
        if runs and (runs[-1][1] == cell or char.text.isspace()):
            runs[-1][0].append((text, char))
        elif not char.text.isspace():
            runs.append(([(text, char)], cell))
    return runs


def _part(line: Line, spelled: Sequence[Spelled]) -> Line:
    """Some characters of a line as a line."""
    text = "".join(text for text, _ in spelled).strip()
    kept = [char for _, char in spelled]
    while kept and kept[-1].text.isspace():
        kept.pop()
    quad = np.array(line.box, np.float32)
    width, _ = geometry.size(quad)
    along = (quad[1] - quad[0]) / max(width, 1e-6)
    shadows = [(np.array(char.box, np.float32) - quad[0]) @ along for char in kept if char.box is not None]
    start, end = (
        float(value) / max(width, 1e-6) for value in (min(s.min() for s in shadows), max(s.max() for s in shadows))
    )
    start, end = max(0.0, start), min(1.0, end)

    def corner(left: int, right: int, share: float) -> tuple[float, float]:
        x, y = quad[left] + (quad[right] - quad[left]) * share
        return float(x), float(y)

    box: Quad = (corner(0, 1, start), corner(0, 1, end), corner(3, 2, end), corner(3, 2, start))
    confidence = float(np.mean([char.confidence for char in kept]))
    return replace(line, text=text, confidence=confidence, box=box, chars=tuple(kept))


def in_cells(
    grid: Grid, held: Sequence[Sequence[tuple[Line, Floats]]]
) -> tuple[tuple[tuple[Line, ...], ...], tuple[str, ...]]:
    """What stands in each cell: the lines in reading order, and the text. `held` are a cell's lines and their level boxes."""
    placed = [[order.Placed(number, *geometry.bounds(box)) for number, (_, box) in enumerate(lines)] for lines in held]
    margins = _margins(grid, placed)
    parts, texts = [], []
    for cell, lines, places in zip(grid.cells, held, placed, strict=True):
        rows = order.rows_of(places)
        parts.append(tuple(lines[place.index][0] for row in rows for place in row))
        room = cell.right - cell.left - 2 * margins[cell.column]
        texts.append(_text(rows, [line.text.strip() for line, _ in lines], room))
    return tuple(parts), tuple(texts)


def _margins(grid: Grid, placed: Sequence[Sequence[order.Placed]]) -> list[float]:
    """The white beside the text of each column: the least that any of its lines leaves on one side."""
    least = [float("inf")] * grid.columns
    for cell, places in zip(grid.cells, placed, strict=True):
        for place in places:
            white = min(place.left - cell.left, cell.right - place.right)
            least[cell.column] = min(least[cell.column], max(0.0, white))
    return [0.0 if white == float("inf") else white for white in least]


def _text(rows: Sequence[Sequence[order.Placed]], texts: Sequence[str], room: float) -> str:
    """The text of a cell that has `room` for a line. A break where the next word would have found room means something, others
    are the cell's width."""
    out = ""
    for number, row in enumerate(rows):
        text = " ".join(texts[place.index] for place in row)
        if not number:
            out = text
            continue
        above = rows[number - 1]
        height = above[-1].height
        word = paragraphs.first_word(text)
        share = len(word) / max(1, len(text))
        needed = above[-1].right - above[0].left + share * (row[-1].right - row[0].left) + GAP * height * word.isascii()
        out = f"{out}\n{text}" if needed < room - SPARE * height else paragraphs.glue(out, text)
    return out
