"""What looks like a table or a wall of one and is none: charts, prose, frames, letters, a sheet on a desk."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.unit.tables_drawn import (
    TEXTS,
    XS,
    YS,
    in_cells,
    level,
    paper,
    read,
    ruled,
    said,
    texts_of,
    upright,
)


def test_what_follows_a_table_without_rules_is_not_of_it() -> None:
    lines = [*in_cells(XS, YS, TEXTS), said("a note", 58, 228)]
    (table,) = read(paper(), lines).tables
    assert texts_of(table) == TEXTS


def test_text_that_stands_anyhow_is_no_table() -> None:
    offsets = (0, 45, 20, 60, 5, 33)
    lines = [
        said(
            "abcdefghi"[: 2 + (3 * row + column) % 7],
            50 + 200 * column + offsets[(row + 2 * column) % 6],
            60 + 30 * row,
        )
        for column in range(3)
        for row in range(6)
    ]
    assert read(paper(), lines).tables == []


def test_hardly_filled_columns_without_rules_are_none() -> None:
    rows = [TEXTS[0], ["Tea", "", ""], ["", "1", ""], ["", "", "2.20"], ["Milk", "", ""], TEXTS[1]]
    assert read(paper(), in_cells(XS, list(range(100, 320, 36)), rows)).tables == []


def test_two_columns_without_rules_are_none() -> None:
    lines = in_cells(XS[:2], YS, [["Name", "Anna"], ["Town", "Bonn"], ["Street", "Markt"]])
    assert read(paper(), lines).tables == []


def test_columns_of_prose_are_none() -> None:
    lines = [
        said("so it went on for long", 20 + 260 * column, 50 + 22 * row) for column in range(3) for row in range(12)
    ]
    assert read(paper(), lines).tables == []


def test_the_labels_of_a_chart_are_none() -> None:
    page = paper()
    ruled(page, XS, YS, 200)
    for shift in range(0, 40, 4):
        cv2.polylines(
            page,
            [np.array([(55, 210 - shift), (200, 110 + shift), (350, 200 - shift), (495, 110)])],
            False,
            (0, 0, 200),
            2,
        )
    assert read(page, in_cells(XS, YS, TEXTS)).tables == []


def test_a_frame_around_a_paragraph_is_none() -> None:
    page = paper()
    ruled(page, [40, 400, 700], [40, 560])
    lines = [said("a long line of the text", x, 60 + 24 * row) for x in (50, 410) for row in range(20)]
    assert read(page, lines).tables == []
    level(page, 40, 700, 300)  # four frames
    assert read(page, [line for line in lines if not 270 < line.box[0][1] < 310]).tables == []


def test_a_wall_through_words_is_none() -> None:
    page = paper()
    for y in (100, 140, 180):
        level(page, 50, 300, y)
    upright(page, 120, 100, 180)
    lines = [said(text, x, y) for y in (110, 150) for text, x in (("ten million", 70), ("7", 250))]
    assert read(page, lines).tables == []


def test_the_stem_of_a_letter_is_no_wall() -> None:
    page = paper()
    ruled(page, XS, YS)
    upright(page, 85, 106, 134)
    lines = [line for line in in_cells(XS, YS, TEXTS) if line.text != "Item"]
    (table,) = read(page, [*lines, said("Idle", 58, 104, 32)]).tables
    assert texts_of(table) == [["Idle", "Unit", "Price"], *TEXTS[1:]]


def test_the_strokes_of_a_line_are_no_rule() -> None:
    page, ys = paper(), [100, 140, 240, 280]
    ruled(page, XS, ys)
    level(page, 58, 191, 190)
    lines = [line for line in in_cells(XS, ys, TEXTS) if line.text != "Tea"]
    (table,) = read(page, [*lines, said("二三二三二三二三二三二三二", 58, 180)]).tables
    assert (table.rows, table.columns) == (3, 3)


def test_the_bars_of_a_chart_are_no_columns() -> None:
    page = paper()
    for y in (100, 200, 300):
        level(page, 50, 550, y, 200)
    lines = []
    for bar, (left, top) in enumerate(((80, 230), (200, 150), (320, 180), (440, 120))):
        page[top:300, left : left + 70] = (60, 60, 200)
        lines += [said(f"{300 - top}.5", left + 10, top - 22), said(f"20{10 + bar}", left + 15, 306)]
    assert read(page, lines).tables == []


def test_a_sheet_on_a_desk_is_no_table_around_its_table() -> None:
    page = paper()
    page[:] = 150
    page[30:560, 20:780] = 255
    for y in (YS[0], YS[1], YS[-1]):
        level(page, XS[0], XS[-1], y, thick=2)
    heads = [said(text, x, 45) for text, x in (("Some", 60), ("heading", 300))]
    feet = [said(text, x, 500) for text, x in (("page", 60), ("7", 600))]
    (table,) = read(page, [*heads, *in_cells(XS, YS, TEXTS), *feet]).tables
    assert texts_of(table) == TEXTS


def test_a_page_without_text_beside_text_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from worker.reading.tables import rules

    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(rules, "find", fail)
    lines = [said("one line after the other", 50, 40 + 30 * row) for row in range(10)]
    assert read(paper(), lines).tables == []
