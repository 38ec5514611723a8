"""The tables of a result as a spreadsheet: a sheet a table, cells joined where they span. Figures are numbers, so that they add up;
what else a cell says, codes with leading zeros and dates among it, is text.

Without a table the spreadsheet holds the text, a line a row.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import xlsxwriter

from api import assemble, formats
from shared.store.protocol import JobView

_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|0|[1-9]\d{0,14})(?:\.\d{1,9})?")
_MOST_CHARS = 32_767  # of a cell
_WIDTHS = (8, 60)  # of a column, in characters


def write(view: JobView, packed: Mapping[int, bytes]) -> Iterator[bytes]:
    """The spreadsheet (Office Open XML), in one piece."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    cells = _Formats(book)
    lines: list[str] = []
    tables = 0
    for number, page in assemble.heads(packed):
        lines += page.text.split("\n") if page.text else []
        for place, table in enumerate(page.tables, 1):
            _add(book.add_worksheet(f"Page {number} table {place}"), table, cells)
            tables += 1
    if not tables:
        sheet = book.add_worksheet("Text")
        sheet.set_column(0, 0, _WIDTHS[1])
        for row, line in enumerate(lines):
            sheet.write_string(row, 0, _said(line), cells.text)
    book.close()
    yield out.getvalue()


class _Formats:
    """The looks of cells, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self._made: dict[str, Any] = {}

    def cell(self, number: str = "") -> Any:
        """A cell of a table; `number` is the form of its figure."""
        if number not in self._made:
            looks = {"text_wrap": not number, "valign": "vcenter", "border": 1}
            self._made[number] = self._book.add_format(looks | ({"num_format": number} if number else {}))
        return self._made[number]


def _add(sheet: Any, table: assemble.HeadTable, looks_of: _Formats) -> None:
    widths = [_WIDTHS[0]] * table.columns
    for cell in table.cells:
        said, looks = _said(cell.text), looks_of.cell()
        figure = _NUMBER.fullmatch(said)
        if figure:
            looks = looks_of.cell(_form(said))
        if cell.rows > 1 or cell.columns > 1:
            last = (cell.row + cell.rows - 1, cell.column + cell.columns - 1)
            sheet.merge_range(cell.row, cell.column, *last, "", looks)
        if figure:
            sheet.write_number(cell.row, cell.column, float(said.replace(",", "")), looks)
        elif said:
            sheet.write_string(cell.row, cell.column, said, looks)
        else:
            sheet.write_blank(cell.row, cell.column, None, looks)
        if cell.columns == 1:
            widths[cell.column] = max(widths[cell.column], *(map(_width, said.split("\n"))))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(width, _WIDTHS[1]))


def _form(figure: str) -> str:
    """How a figure is shown: as it stands, with as many decimals."""
    decimals = len(figure.partition(".")[2])
    return ("#,##0" if "," in figure else "0") + ("." + "0" * decimals if decimals else "")


def _width(line: str) -> int:
    """Columns that a line takes up, wide characters two."""
    return sum(2 if ord(char) > 0x2E80 else 1 for char in line) + 2


def _said(text: str) -> str:
    return formats.xml_text(text)[:_MOST_CHARS]
