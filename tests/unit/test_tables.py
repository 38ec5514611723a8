"""Tables: where they are found, what stands in their cells, and that nothing is lost."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest

from shared.records import Char, Line
from tests.unit.tables_drawn import (
    TEXTS,
    XS,
    YS,
    carried,
    in_cells,
    level,
    paper,
    read,
    rectangle,
    ruled,
    said,
    texts_of,
    three_rules,
    upright,
)
from worker.reading import paragraphs
from worker.reading.tables.segments import segments


def test_a_grid_of_rules_is_a_table() -> None:
    page = paper()
    ruled(page, XS, YS)
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert (table.rows, table.columns) == (3, 3)
    assert texts_of(table) == TEXTS
    first = table.cells[0]
    assert np.allclose(first.box, [(50, 100), (200, 100), (200, 140), (50, 140)], atol=2)


@pytest.mark.parametrize(("tone", "thick"), [(0, 3), (190, 1), (225, 1)])
def test_bold_grey_and_pale_rules_are_seen(tone: int, thick: int) -> None:
    page = paper()
    ruled(page, XS, YS, tone, thick)
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_dashed_rules_are_rules() -> None:
    page = paper()
    ruled(page, XS, YS)
    dashes = (np.arange(800) % 6) < 3
    for y in YS:
        page[y, ~dashes] = 255
    for x in XS:
        page[~dashes[:600], x] = 255
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_a_missing_wall_joins_cells() -> None:
    page = paper()
    ruled(page, XS, YS)
    page[101:140, 200] = 255  # between the first two cells of the first row
    page[180, 351:500] = 255  # between the last two cells of the last column
    lines = [line for line in in_cells(XS, YS, TEXTS) if line.text not in ("Unit", "2.20")]
    (table,) = read(page, lines).tables
    spans = {cell.text: (cell.rows, cell.columns) for cell in table.cells}
    assert spans["Item"] == (1, 2)
    assert spans["4.50"] == (2, 1)
    assert spans["Milk"] == (1, 1)
    assert sum(cell.rows * cell.columns for cell in table.cells) == 9


def test_a_wall_that_a_scan_broke_is_one_still() -> None:
    page = paper()
    ruled(page, XS, YS)
    page[YS[1] + 6 : YS[1] + 18, XS[1] - 1 : XS[1] + 2] = 255
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert all((cell.rows, cell.columns) == (1, 1) for cell in table.cells)


def test_open_sides_are_closed() -> None:
    page = paper()
    for y in YS[1:-1]:
        level(page, XS[0], XS[-1], y)
    for x in XS[1:-1]:
        upright(page, x, YS[0], YS[-1])
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_a_tinted_heading_without_walls_has_the_columns_below_it() -> None:
    page = paper()
    ruled(page, XS, YS[1:], 200)
    page[YS[0] : YS[1], XS[0] : XS[-1] + 1] = (120, 80, 40)
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS
    wide = said("Items and more", 74, YS[0] + 8)  # its box reaches 4 px into the next column
    (table,) = read(page, [wide, *in_cells(XS, YS, TEXTS)[1:]]).tables
    assert texts_of(table)[0] == ["Items and more", "Unit", "Price"]


def test_walls_between_columns_only_part_the_rows_by_their_figures() -> None:
    page = paper()
    ruled(page, XS, [YS[0], YS[1], YS[-1]])
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_three_rules_and_columns_told_by_the_white_between() -> None:
    (table,) = read(three_rules(), in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_a_heading_in_the_middle_of_figures_on_the_right_is_of_one_column() -> None:
    texts = [("Item", "Sum"), ("Tea", "4.50"), ("Milk", "2.20")]
    lines = [said(item, 58, YS[row] + 8) for row, (item, _) in enumerate(texts)]
    lines += [said(texts[0][1], 290, YS[0] + 8), *(said(texts[row][1], 440, YS[row] + 8) for row in (1, 2))]
    (table,) = read(three_rules(), lines).tables
    assert texts_of(table) == [list(row) for row in texts]


def test_a_break_for_want_of_room_is_none() -> None:
    page = paper()
    ruled(page, XS, [100, 160, 220])
    lines = [
        said(text, x, y)
        for text, x, y in (("Green tea", 58, 108), ("in bags", 58, 130), ("Tea", 58, 168), ("in bags", 58, 190))
    ]
    lines += [said(text, x, y) for text, x, y in (("1", 208, 120), ("2", 208, 180), ("3", 358, 120), ("4", 358, 180))]
    (table,) = read(page, lines).tables
    assert [row[0] for row in texts_of(table)] == ["Green tea\nin bags", "Tea\nin bags"]
    assert read(page, lines).text.split("\n") == ["Green tea in bags 1 3", "Tea in bags 2 4"]
    narrow = [line if line.text != "Green tea" else said("Green tea leaf", 58, 108) for line in lines]
    assert texts_of(read(page, narrow).tables[0])[0][0] == "Green tea leaf in bags"


def test_the_lines_of_a_cell_stay_in_it() -> None:
    ys = [100, 140, 200, 260, 320]
    page = paper()
    for y in (ys[0], ys[1], ys[-1]):
        level(page, XS[0], XS[-1], y)
    lines = in_cells(XS, [100], [["Item", "Kind", "Price"]])
    for top, name, price in (
        (150, ("Tea", "in bags"), "4.50"),
        (210, ("White", "tea"), "2.20"),
        (270, ("Milk",), "1.00"),
    ):
        lines += [said(part, 58, top + 22 * at + 11 * (2 - len(name))) for at, part in enumerate(name)]
        lines += [said("food", 208, top + 11), said(price, 358, top + 11)]
    (table,) = read(page, lines).tables
    assert [row[0] for row in texts_of(table)] == ["Item", "Tea\nin bags", "White\ntea", "Milk"]
    assert [row[2] for row in texts_of(table)] == ["Price", "4.50", "2.20", "1.00"]


def test_a_row_of_figures_is_a_row_of_its_own() -> None:
    """Labels stand alone above each row of figures, as in a balance sheet."""
    page = paper()
    for y in (100, 130, 300):
        level(page, 50, 500, y)
    lines = in_cells(XS, [96], [["Assets", "2020", "2021"]])
    rows = [
        ("Cash and", "", ""),
        ("the like", "905", "271"),
        ("Bonds", "10", "20"),
        ("Loans and", "", ""),
        ("such", "2,625", "13"),
    ]
    for row, (name, one, other) in enumerate(rows):
        top = 140 + 22 * row + 30 * (row > 2)  # a wider gap before the last two
        lines += [said(name, 58, top), *(said(text, x, top) for text, x in ((one, 208), (other, 358)) if text)]
    (table,) = read(page, lines).tables
    assert texts_of(table)[1:] == [list(row) for row in rows]


def test_a_wider_gap_does_not_make_full_rows_one() -> None:
    lines = in_cells(XS, [96], [["Item", "Kind", "From"]])
    for row, words in enumerate(
        (("Tea", "food", "Assam"), ("Milk", "food", "Bern"), ("Ink", "goods", "Ulm"), ("Pens", "goods", "Bonn"))
    ):
        lines += [said(word, x, 140 + 22 * row + 40 * (row > 1)) for word, x in zip(words, (58, 208, 358), strict=True)]
    page = paper()
    for y in (100, 130, 280):
        level(page, 50, 500, y)
    (table,) = read(page, lines).tables
    assert table.rows == 5


def test_three_columns_that_stand_under_each_other_are_a_table_without_rules() -> None:
    (table,) = read(paper(), in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_a_word_that_sticks_out_of_the_table_is_whole() -> None:
    page = paper()
    ruled(page, XS, YS)
    lines = in_cells(XS, YS, TEXTS)
    lines[3] = said("Assam tea", 34, 148)  # its first letters stand before the wall
    (table,) = read(page, lines).tables
    assert texts_of(table)[1] == ["Assam tea", "3", "4.50"]


def test_three_rules_may_lean_a_little() -> None:
    page, ys = paper(), [100, 140, 220, 300]
    for y, shift in ((100, 0), (140, 0), (300, 20)):
        level(page, XS[0] + shift, XS[-1] + shift, y, thick=2)
    (table,) = read(page, in_cells(XS, ys, TEXTS)).tables
    assert np.allclose([table.box[0][1], table.box[3][1]], [100, 300], atol=4)


def test_text_may_stand_on_a_rule_between_walls() -> None:
    """Typed a little low, the first row's letters are cut by the rule below it all along."""
    page = paper()
    ruled(page, XS, YS)
    low = [
        said(text, x, 125) for text, x in (("Item and things", 52), ("Unit or a pack", 202), ("Price of a unit", 352))
    ]
    (table,) = read(page, [*low, *in_cells(XS, YS[1:], TEXTS[1:])]).tables
    assert texts_of(table) == [[line.text for line in low], *TEXTS[1:]]


def test_double_walls_are_one() -> None:
    page = paper()
    ruled(page, [50, 200, 214, 350, 500], YS)
    (table,) = read(page, in_cells([50, 214, 350, 500], YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_white_rules_on_dark_ground_are_rules() -> None:
    page = paper()
    page[YS[0] : YS[-1] + 1, XS[0] : XS[-1] + 1] = (90, 50, 30)
    ruled(page, XS, YS, 255, 2)
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_a_line_across_a_wall_is_divided_there() -> None:
    page = paper()
    ruled(page, XS, YS)
    lines = [line for line in in_cells(XS, YS, TEXTS) if line.text not in ("Tea", "3")]
    lines.append(said("Tea" + 26 * " " + "3", 58, 148))  # the 3 stands beyond the wall at 200
    put = read(page, lines)
    (table,) = put.tables
    assert texts_of(table) == TEXTS
    assert [line.text for line in put.lines][3:5] == ["Tea", "3"]


@pytest.mark.parametrize("degrees", [-12.0, 4.0, 90.0, 180.0])
def test_a_table_that_leans_is_one_still(degrees: float) -> None:
    page = paper(800, 800)
    ruled(page, [x + 150 for x in XS], [y + 200 for y in YS], 60, 2)
    lines = in_cells([x + 150 for x in XS], [y + 200 for y in YS], TEXTS)
    matrix = np.vstack([cv2.getRotationMatrix2D((400, 400), degrees, 1.0), [0, 0, 1]])
    seen, moved = carried(page, lines, matrix)
    (table,) = read(seen, moved).tables
    assert texts_of(table) == TEXTS
    corner = cv2.perspectiveTransform(np.array([[[200.0, 300.0]]]), matrix)[0, 0]
    assert np.hypot(*(np.array(table.cells[0].box[0]) - corner)) < 5


def test_a_table_seen_from_the_side_is_one_still() -> None:
    page = paper(1000, 1000)
    xs, ys = [100, 300, 500, 700, 900], list(range(100, 901, 80))
    ruled(page, xs, ys, 60, 2)
    texts = [[f"a{row}{column}b" for column in range(4)] for row in range(10)]
    lines = in_cells(xs, ys, texts)
    lines = [said(line.text + " and more", line.box[0][0], line.box[0][1]) for line in lines]
    goal = np.array([[90, 60], [930, 30], [900, 950], [40, 900]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.array([[50, 50], [950, 50], [950, 950], [50, 950]], np.float32), goal)
    seen, moved = carried(page, lines, np.asarray(matrix, np.float64))
    (table,) = read(seen, moved).tables
    assert texts_of(table) == [[f"{text} and more" for text in row] for row in texts]


def test_nothing_is_lost_and_nothing_told_twice() -> None:
    page = paper()
    ruled(page, XS, YS)
    lines = [said("a heading of the page", 60, 40), *in_cells(XS, YS, TEXTS), said("and a line below it", 60, 300)]
    lines.append(said("across all walls and out of it", 20, 190))
    put = read(page, lines)

    def letters(found: list[Line]) -> Counter[str]:
        return Counter(char for line in found for char in line.text if char != " ")

    assert letters(put.lines) == letters(lines)
    places = [at for table in put.tables for cell in table.cells for at in cell.lines]
    assert len(places) == len(set(places))
    for table in put.tables:
        for cell in table.cells:
            assert "".join(cell.text.split()) == "".join("".join(put.lines[at].text.split()) for at in cell.lines)


def test_the_text_has_the_table_row_by_row_where_it_stands() -> None:
    page = paper()
    ruled(page, XS, YS)
    lines = [said("a heading of the page", 60, 40), *in_cells(XS, YS, TEXTS), said("and a line below it", 60, 300)]
    put = read(page, lines)
    start, end = put.tables[0].span
    assert put.text[start:end] == "Item Unit Price\nTea 3 4.50\nMilk 1 2.20"
    assert put.text == f"a heading of the page\n\n{put.text[start:end]}\n\nand a line below it"
    assert [line.text for line in put.lines][1:4] == ["Item", "Unit", "Price"]


def test_text_right_beside_a_grid_makes_it_part_of_a_larger_table() -> None:
    """Only some columns of a table have walls: the grid alone would tear its rows apart."""
    page = paper()
    ruled(page, XS[1:], YS)
    (table,) = read(page, in_cells([140, *XS[1:]], YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def test_letters_set_wide_are_one_segment() -> None:
    boxes = [said(text, 50, 50) for text in ("SUM",)]
    wide = boxes[0]
    chars = tuple(
        Char(char.text, 0.99, rectangle(50 + 40 * at, 50, 60 + 40 * at, 70)) for at, char in enumerate(wide.chars)
    )
    line = Line("SUM", 0.99, rectangle(50, 50, 140, 70), "crnn", chars)
    (found,) = segments([line], [np.array(line.box, np.float32)])
    assert found.text == "SUM"
    apart = said("Tea" + 10 * " " + "4.50", 50, 50)
    assert [each.text for each in segments([apart], [np.array(apart.box, np.float32)])] == ["Tea", "4.50"]


def test_a_date_broken_after_its_mark_is_whole_again() -> None:
    assert paragraphs.glue("2019-11-", "21") == "2019-11-21"
    assert paragraphs.glue("2019 -", "21") == "2019 - 21"
