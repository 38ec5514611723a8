"""img2table with RapidOCR as its reader, every kind of table asked for, rotation sought."""

from typing import Any

from img2table.document import Image
from img2table.ocr import RapidOCR
from protocol import serve  # type: ignore[import-not-found]

ocr = RapidOCR()


def read(path: str, layout: str, request: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    found = Image(path, detect_rotation=True).extract_tables(ocr=ocr, implicit_rows=True, borderless_tables=True)
    tables = []
    for one in found:
        cells: dict[tuple[int, int, int, int], list[Any]] = {}  # a cell that spans stands in each of its places
        for row, said in one.content.items():
            for column, cell in enumerate(said):
                box = (int(cell.bbox.x1), int(cell.bbox.y1), int(cell.bbox.x2), int(cell.bbox.y2))
                held = cells.setdefault(box, [int(row), column, int(row), column, cell.value or ""])
                held[2], held[3] = max(held[2], int(row)), max(held[3], column)
        rows = [
            [top, left, bottom - top + 1, right - left + 1, text] for top, left, bottom, right, text in cells.values()
        ]
        tables.append({"box": [int(one.bbox.x1), int(one.bbox.y1), int(one.bbox.x2), int(one.bbox.y2)], "cells": rows})
    return [], {"tables": tables}


serve("img2table", read)
