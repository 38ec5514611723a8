"""The records that travel between the rooms: what was read (Char, Line, Cell, Table, Page) and how it was asked for (ReadOptions).

Frozen and typed; no input or output here. Boxes are quadrilaterals of four (x, y) corners in pixels of the page as
displayed (after EXIF), clockwise from the top left corner *of the text*, so that corner 0 to corner 1 runs along the
direction of reading.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Mapping
from typing import Any

from shared import notices

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]

ENGINES = ("auto", "crnn", "ppocrv6", "modelscope")
LAYOUTS = ("auto", "page", "line")
PREPROCESS = ("auto", "off")
FOLDS = ("off", "simplified", "traditional", "halfwidth", "simplified-halfwidth", "traditional-halfwidth")
PICTURES = ("auto", "keep", "off")
PRIORITIES = ("interactive", "bulk")


@dataclasses.dataclass(frozen=True, slots=True)
class Char:
    """One character of a line. `confidence` is a probability, 0 to 1; `alternatives` are the next best readings."""

    text: str
    confidence: float
    box: Quad | None = None
    alternatives: tuple[tuple[str, float], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The form of the result JSON; confidences rounded to four places, boxes to tenths of a pixel."""
        row: dict[str, Any] = {"text": self.text, "confidence": round(self.confidence, 4), "box": _box(self.box)}
        if self.alternatives:
            row["alternatives"] = [{"text": text, "confidence": round(score, 4)} for text, score in self.alternatives]
        return row


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of text with its quadrilateral; `engine` names what read it (`crnn`, `ppocrv6`, `modelscope`)."""

    text: str
    confidence: float
    box: Quad
    engine: str
    chars: tuple[Char, ...] = ()
    vertical: bool = False

    def to_json(self) -> dict[str, Any]:
        """The form of the result JSON."""
        row: dict[str, Any] = {
            "text": self.text,
            "confidence": round(self.confidence, 4),
            "box": _box(self.box),
            "engine": self.engine,
            "chars": [char.to_json() for char in self.chars],
        }
        if self.vertical:
            row["vertical"] = True
        return row


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its first row and column, from 0, and how many of each it spans; its text, lines parted by line
    breaks where these mean something; its box; and its lines, by their places among the page's."""

    row: int
    column: int
    rows: int
    columns: int
    text: str
    box: Quad
    lines: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The form of the result JSON."""
        return {
            "row": self.row,
            "column": self.column,
            "rows": self.rows,
            "columns": self.columns,
            "text": self.text,
            "box": _box(self.box),
            "lines": list(self.lines),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A table of a page: how many rows and columns, its cells row by row, its box, and the part of the page's text that it takes
    up, `[start, end)` in characters."""

    rows: int
    columns: int
    cells: tuple[Cell, ...]
    box: Quad
    span: tuple[int, int]

    def to_json(self) -> dict[str, Any]:
        """The form of the result JSON."""
        return {
            "rows": self.rows,
            "columns": self.columns,
            "cells": [cell.to_json() for cell in self.cells],
            "box": _box(self.box),
            "span": list(self.span),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """What was read on one page, lines in reading order. `width` and `height` in pixels of the page as displayed.

    `rotation` is how many degrees clockwise the page was turned to stand upright (0, 90, 180 or 270); boxes stay in the
    page as displayed. `source` is `ocr` or `text-layer`. `timing_ms` maps a step's name to its milliseconds.
    """

    width: int
    height: int
    lines: tuple[Line, ...] = ()
    text: str = ""
    rotation: int = 0
    source: str = "ocr"
    engine: str = ""
    models: Mapping[str, str] = dataclasses.field(default_factory=dict)
    timing_ms: Mapping[str, float | str] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()

    def to_json(self, number: int) -> dict[str, Any]:
        """The form of the result JSON for page `number`, which counts from 1."""
        return {
            "page": number,
            "width": self.width,
            "height": self.height,
            "rotation": self.rotation,
            "source": self.source,
            "text": self.text,
            "lines": [line.to_json() for line in self.lines],
            "tables": [table.to_json() for table in self.tables],
            "engine": self.engine,
            "models": dict(self.models),
            "timing_ms": {k: v if isinstance(v, str) else round(v, 1) for k, v in self.timing_ms.items()},
            "warnings": list(self.warnings),
            "warnings_zh": [notices.chinese(warning) for warning in self.warnings],
        }


@dataclasses.dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a document is to be read: everything of a request that changes the answer, and nothing else.

    `fold` is the form that what was read is handed on in; `off` leaves it as written. `pictures` says which pages'
    small pictures are kept beside the text: `auto` those that a browser cannot show itself (PDF, TIFF).
    """

    lang: str = "auto"
    engine: str = "auto"
    layout: str = "auto"
    preprocess: str = "auto"
    fold: str = "off"
    pictures: str = "auto"

    def fingerprint(self) -> str:
        """A short stable text that differs whenever the answer may differ; part of every cache key.

        What is as usual at the end is left out: workers of a time without these options can still read it.
        """
        text = f"{self.lang}/{self.engine}/{self.layout}/{self.preprocess}"
        if self.pictures != PICTURES[0]:
            return f"{text}/{self.fold}/{self.pictures}"
        return text if self.fold == FOLDS[0] else f"{text}/{self.fold}"


def _box(box: Quad | None) -> list[list[float]] | None:
    return None if box is None else [[round(x, 1), round(y, 1)] for x, y in box]


def pack_page(page: dict[str, Any]) -> bytes:
    """A page's JSON as the job store keeps it: compact UTF-8, zlib at its fastest level."""
    return zlib.compress(json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def failed_page(number: int, problem: Mapping[str, Any]) -> bytes:
    """What stands in a result for a page that could not be read, packed: no lines, and the problem under `error`."""
    return pack_page({**Page(0, 0).to_json(number), "error": dict(problem)})
