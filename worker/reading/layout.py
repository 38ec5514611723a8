"""What was read, put in order: sheets one after the other, tables as rows of cells, paragraphs joined; watermarks and seals last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.records import Cell, Line, Table
from worker.reading import order, paragraphs, sheets, watermarks
from worker.reading import tables as finder
from worker.reading.found import Found
from worker.reading.grey import GreyPage
from worker.reading.tables import Sketch

APART = "\n\n"  # between a table and what stands around it


@dataclass
class Text:
    """A page's lines, text and tables while they are put together."""

    lines: list[Line] = field(default_factory=list)
    text: str = ""
    tables: list[Table] = field(default_factory=list)

    def add(self, text: str) -> None:
        """A block of text, set apart from what is there."""
        if text:
            self.text += (APART if self.text else "") + text

    def add_table(self, sketch: Sketch) -> None:
        """A table: its lines cell by cell, and its text row by row."""
        cells, rows = [], [""] * sketch.grid.rows
        for cell, parts, quad, text in zip(sketch.grid.cells, sketch.parts, sketch.quads, sketch.texts, strict=True):
            places = tuple(range(len(self.lines), len(self.lines) + len(parts)))
            self.lines += parts
            cells.append(Cell(cell.row, cell.column, cell.rows, cell.columns, text, quad, places))
            if text:
                rows[cell.row] += (" " if rows[cell.row] else "") + text.replace("\n", " ")
        said = "\n".join(row for row in rows if row)
        self.add(said)
        span = (len(self.text) - len(said), len(self.text))
        self.tables.append(Table(sketch.grid.rows, sketch.grid.columns, tuple(cells), sketch.box, span))


def arrange(lines: Sequence[Found], stamps: Sequence[Found], vertical: bool, page: GreyPage, glyph_px: float) -> Text:
    """The lines as they are handed on, in reading order, the page's text and its tables, sheet by sheet; then seals, and last
    watermarks, told once. No tables are sought where `glyph_px` is 0, or in columns of upright writing."""
    records = [line.record() for line in lines]
    out = Text()
    marks: list[Line] = []
    for sheet in _sheets(lines, records, vertical):
        aside = _watermarks([lines[index] for index in sheet], [records[index] for index in sheet])
        own = [records[index] for number, index in enumerate(sheet) if number not in aside]
        boxes = [lines[index].quad for number, index in enumerate(sheet) if number not in aside]
        rows = (order.reading_columns if vertical else order.reading_rows)(boxes)
        compose(out, rows, *finder.find(page, own, 0.0 if vertical else glyph_px))
        marks += [records[sheet[number]] for number in sorted(aside)]
    sealed = [line.record() for line in stamps]
    told = watermarks.told_once([mark.text for mark in marks])
    out.add("\n".join(record.text for record in sealed))
    out.add("\n".join(told))
    out.lines += [*sealed, *marks]
    return out


def compose(
    out: Text,
    rows: Sequence[Sequence[order.Placed]],
    sketches: Sequence[Sketch],
    rest: Sequence[Sequence[Line]],
) -> None:
    """Add rows of lines in reading order; each table stands, whole, where the first of its lines does. `rest` is what of each line
    stands in no table (`tables.find`)."""
    texts = [" ".join(part.text.strip() for part in parts) for parts in rest]
    waiting: list[list[order.Placed]] = []
    told: set[int] = set()

    def flush() -> None:
        out.add(paragraphs.join(waiting, texts))
        out.lines += [part for row in waiting for each in row for part in rest[each.index]]
        waiting.clear()

    for row in rows:
        beside = [each for each in row if rest[each.index]]
        if beside:
            waiting.append(beside)
        for number, sketch in enumerate(sketches):
            if number not in told and any(each.index in sketch.sources for each in row):
                told.add(number)
                flush()
                out.add_table(sketch)
    flush()


def _sheets(lines: Sequence[Found], records: Sequence[Line], vertical: bool) -> list[list[int]]:
    """See `sheets.parted`; a watermark that is repeated beside the text is no sheet."""
    whole = [list(range(len(lines)))]
    parts = whole if vertical else sheets.parted([line.quad for line in lines])
    if len(parts) < 2:
        return whole
    aside = _watermarks(lines, records)
    spread = [
        part for part in parts if aside.issuperset(part) and watermarks.repeats([records[at].text for at in part])
    ]
    return whole if spread else parts


def _watermarks(lines: Sequence[Found], records: Sequence[Line]) -> set[int]:
    texts = [record.text for record in records]
    return set(watermarks.find([line.quad for line in lines], [line.piece.image for line in lines], texts))
