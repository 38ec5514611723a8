"""Tables: where they are found and where not, what stands in their cells, and that nothing is lost."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest

from shared.records import Line
from tests.unit.tables_drawn import (
    carried,
    in_cells,
    level,
    paper,
    read,
    ruled,
    said,
    texts_of,
    upright,
)

XS, YS = [50, 200, 350, 500], [100, 140, 180, 220]
TEXTS = [["Item", "Unit", "Price"], ["Tea", "3", "4.50"], ["Milk", "1", "2.20"]]


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


def test_walls_between_columns_only_part_the_rows_by_their_figures() -> None:
    page = paper()
    ruled(page, XS, [YS[0], YS[1], YS[-1]])
    (table,) = read(page, in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


def three_rules() -> np.ndarray:
    page = paper()
    for y in (YS[0], YS[1], YS[-1]):
        level(page, XS[0], XS[-1], y, thick=2)
    return page


def test_three_rules_and_columns_told_by_the_white_between() -> None:
    (table,) = read(three_rules(), in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


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
    for row, (name, one, other) in enumerate(
        [("Cash and", "", ""), ("equivalents", "905", "271"), ("Loans and", "", ""), ("the like", "2,625", "3,913")]
    ):
        lines += [said(name, 58, 140 + 22 * row)]
        lines += [said(text, x, 140 + 22 * row) for text, x in ((one, 208), (other, 358)) if text]
    (table,) = read(page, lines).tables
    assert ["equivalents", "905", "271"] in texts_of(table)
    assert ["the like", "2,625", "3,913"] in texts_of(table)


def test_three_columns_that_stand_under_each_other_are_a_table_without_rules() -> None:
    (table,) = read(paper(), in_cells(XS, YS, TEXTS)).tables
    assert texts_of(table) == TEXTS


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


def test_stems_of_letters_part_no_words() -> None:
    """Handwriting between two rules: a tall l is no wall."""
    page = paper()
    for y in (100, 140, 180):
        level(page, 50, 300, y)
    upright(page, 120, 100, 180)
    lines = [said("ten million", 70, 110), said("two million", 70, 150)]
    assert read(page, lines).tables == []


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


def test_a_page_without_text_beside_text_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from worker.reading.tables import rules

    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(rules, "find", fail)
    lines = [said("one line after the other", 50, 40 + 30 * row) for row in range(10)]
    assert read(paper(), lines).tables == []
