"""Tables for the tests: rules drawn on paper, and lines of text as a reader hands them on. Their ink is not needed."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.records import Char, Line, Quad, Table
from worker.reading import layout, order, tables
from worker.reading.grey import GreyPage

GLYPH = 14.0
XS, YS = [50, 200, 350, 500], [100, 140, 180, 220]
TEXTS = [["Item", "Unit", "Price"], ["Tea", "3", "4.50"], ["Milk", "1", "2.20"]]
CHAR_PX, LINE_PX = 10, 20
Picture = NDArray[np.uint8]


def paper(width: int = 800, height: int = 600) -> Picture:
    """White."""
    return np.full((height, width, 3), 255, np.uint8)


def said(text: str, left: float, top: float, height: float = LINE_PX, char: float = CHAR_PX) -> Line:
    """A line of characters of one width; a space takes half of that."""
    chars, x = [], left
    for each in text:
        wide = char / 2 if each == " " else char
        if each != " ":
            chars.append(Char(each, 0.99, rectangle(x, top, x + wide, top + height)))
        else:
            chars.append(Char(" ", 0.99, rectangle(x, top, x + wide, top + height)))
        x += wide
    return Line(text, 0.99, rectangle(left, top, x, top + height), "crnn", tuple(chars))


def rectangle(left: float, top: float, right: float, bottom: float) -> Quad:
    """Its corners."""
    return (left, top), (right, top), (right, bottom), (left, bottom)


def ruled(picture: Picture, xs: Sequence[int], ys: Sequence[int], tone: int = 0, thick: int = 1) -> None:
    """Draw a whole grid."""
    for y in ys:
        level(picture, xs[0], xs[-1], y, tone, thick)
    for x in xs:
        upright(picture, x, ys[0], ys[-1], tone, thick)


def level(picture: Picture, start: int, end: int, y: int, tone: int = 0, thick: int = 1) -> None:
    """Draw a level rule."""
    picture[y : y + thick, start : end + 1] = tone


def upright(picture: Picture, x: int, start: int, end: int, tone: int = 0, thick: int = 1) -> None:
    """Draw an upright rule."""
    picture[start : end + 1, x : x + thick] = tone


def in_cells(xs: Sequence[int], ys: Sequence[int], texts: Sequence[Sequence[str]]) -> list[Line]:
    """A line in each cell, where it has a text."""
    return [
        said(text, xs[column] + 8, ys[row] + 8)
        for row, cells in enumerate(texts)
        for column, text in enumerate(cells)
        if text
    ]


def read(picture: Picture, lines: Sequence[Line]) -> layout.Text:
    """The page as it is put together."""
    out = layout.Text()
    rows = order.reading_rows([np.array(line.box, np.float32) for line in lines])
    layout.compose(out, rows, *tables.find(GreyPage(picture), lines, GLYPH))
    return out


def texts_of(table: Table) -> list[list[str]]:
    """What the cells of each row say."""
    return [[cell.text for cell in table.cells if cell.row == row] for row in range(table.rows)]


def carried(picture: Picture, lines: Sequence[Line], matrix: NDArray[np.float64]) -> tuple[Picture, list[Line]]:
    """Page and lines seen through a perspective, (3, 3)."""
    height, width = picture.shape[:2]
    seen = cv2.warpPerspective(picture, matrix, (width, height), borderValue=(255, 255, 255))

    def through(box: Quad) -> Quad:
        a, b, c, d = cv2.perspectiveTransform(np.array([box], np.float64), matrix)[0].tolist()
        return (a[0], a[1]), (b[0], b[1]), (c[0], c[1]), (d[0], d[1])

    moved = [
        Line(
            line.text,
            line.confidence,
            through(line.box),
            line.engine,
            tuple(Char(char.text, char.confidence, through(char.box)) for char in line.chars if char.box),
        )
        for line in lines
    ]
    return np.asarray(seen, np.uint8), moved


def three_rules() -> Picture:
    """A page with the three rules of a paper's table around `TEXTS`."""
    page = paper()
    for y in (YS[0], YS[1], YS[-1]):
        level(page, XS[0], XS[-1], y, thick=2)
    return page
