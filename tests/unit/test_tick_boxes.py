"""Boxes to tick: known by their shape, ticked or not, on paper of any colour; letters and tables are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from worker.reading.grey import GreyPage
from worker.reading.tick_boxes import CROSSED, EMPTY, FILLED, TICKED, find

GLYPH = 20.0
Picture = np.ndarray


def paper() -> Picture:
    return np.full((120, 200, 3), 255, np.uint8)


def box(page: Picture, x: int = 60, y: int = 40, side: int = 20, thick: int = 1, ink: int = 40) -> Picture:
    cv2.rectangle(page, (x, y), (x + side, y + side), (ink,) * 3, thick)
    return page


def tick(page: Picture, points: list[tuple[int, int]], thick: int = 2, ink: int = 40) -> Picture:
    cv2.polylines(page, [np.array(points, np.int32)], False, (ink,) * 3, thick, cv2.LINE_AA)
    return page


def signs(page: Picture, glyph: float = GLYPH) -> list[str]:
    return [each.sign for each in find(GreyPage(page), glyph)]


def test_an_empty_box_is_found_where_it_stands() -> None:
    (found,) = find(GreyPage(box(paper())), GLYPH)
    assert found.sign == EMPTY
    assert np.allclose((found.left, found.top, found.right, found.bottom), (60, 40, 81, 61), atol=1.5)


@pytest.mark.parametrize(
    "points",
    [
        [(64, 50), (68, 56), (77, 44)],
        [(64, 50), (69, 57), (90, 26)],  # far out of the box
        [(66, 46), (76, 56)],
    ],
)
def test_a_box_with_something_in_it_is_ticked(points: list[tuple[int, int]]) -> None:
    assert signs(tick(box(paper()), points)) == [TICKED]


def test_a_box_with_both_diagonals_is_crossed() -> None:
    assert signs(tick(tick(box(paper()), [(63, 43), (78, 58)]), [(63, 58), (78, 43)])) == [CROSSED]


def test_a_full_one_is_no_tick() -> None:
    assert signs(box(paper(), thick=-1)) == [FILLED]


def test_nor_is_one_among_strokes() -> None:
    assert signs(tick(box(paper(), thick=-1), [(84, 40), (84, 60)])) == []


def test_a_tick_in_another_colour_on_a_full_box_is_one() -> None:
    page = box(paper(), thick=-1, ink=110)
    assert signs(tick(page, [(64, 50), (68, 56), (77, 44)], ink=255)) == [TICKED]


def test_an_emblem_is_none() -> None:
    page = box(paper(), side=24, thick=-1)
    cv2.rectangle(page, (66, 46), (78, 58), (255, 255, 255), 1)
    cv2.line(page, (72, 44), (72, 60), (255, 255, 255), 1)
    assert signs(page) == []


def test_round_corners_and_pale_strokes() -> None:
    page = paper()
    for a, b in (((62, 40), (78, 40)), ((62, 60), (78, 60)), ((60, 42), (60, 58)), ((80, 42), (80, 58))):
        cv2.line(page, a, b, (130,) * 3, 1)
    for x, y in ((61, 41), (79, 41), (61, 59), (79, 59)):
        page[y, x] = 150
    assert signs(page) == [EMPTY]


def test_light_on_dark() -> None:
    page = tick(box(np.full((120, 200, 3), 30, np.uint8), ink=230), [(64, 50), (68, 56), (77, 44)], ink=230)
    assert signs(page) == [TICKED]


@pytest.mark.parametrize("degrees", [-2.0, 2.0])
def test_a_page_that_lies_askew(degrees: float) -> None:
    turn = cv2.getRotationMatrix2D((100, 60), degrees, 1.0)
    page = cv2.warpAffine(box(paper(), thick=2), turn, (200, 120), borderValue=(255, 255, 255))
    assert signs(page) == [EMPTY]


def test_of_a_large_scan_a_smaller_picture_is_looked_at() -> None:
    page = np.full((3000, 2200, 3), 255, np.uint8)
    (found,) = find(GreyPage(box(page, 1000, 1500, 44, 3)), 44.0)
    assert found.sign == EMPTY
    assert np.allclose((found.left, found.top, found.right, found.bottom), (1000, 1500, 1045, 1545), atol=4)


def test_cells_of_a_table_are_none() -> None:
    page = paper()
    for x in range(3):
        for y in range(2):
            box(page, 40 + 20 * x, 40 + 20 * y)
    assert signs(page) == []


def test_parts_of_characters_are_none() -> None:
    white = tick(box(paper()), [(62, 34), (72, 37)])  # a stroke above its left half, as 白 has
    stands_on = tick(box(paper()), [(60, 64), (80, 64)])  # one below it, as 旦
    joined = tick(box(paper()), [(52, 50), (60, 50)], 12)
    self = tick(box(paper()), [(70, 36), (70, 40)], 1)  # 自
    assert signs(white) == signs(stands_on) == signs(joined) == signs(self) == []


def test_a_mouth_has_legs_and_is_none() -> None:
    page = box(paper())
    page[61:64, (60, 80)] = 40
    assert signs(page) == []


def test_with_its_corners_cut_off_it_is_none() -> None:
    page = box(paper())
    for rows in ((40, 41), (59, 60)):
        for columns in ((60, 61), (79, 80)):
            page[np.ix_(rows, columns)] = 255
    assert signs(page) == []


def test_a_frame_s_rule_beside_a_box_does_not_hide_it() -> None:
    page = box(paper())
    cv2.line(page, (0, 38), (199, 38), (40, 40, 40), 1)
    cv2.line(page, (0, 63), (199, 63), (40, 40, 40), 1)
    assert signs(page) == [EMPTY]


def test_letters_are_none() -> None:
    for size in (14, 18, 24, 40):
        image = Image.new("RGB", (700, 80), "white")
        font = ImageFont.load_default(size=size)
        ImageDraw.Draw(image).text((8, 12), "ODQBG0689 oaeg [] {} #%& HII", fill="black", font=font)
        assert signs(np.asarray(image)[:, :, ::-1].copy(), size * 0.7) == [], size


def test_what_is_far_from_a_glyph_s_size_is_none() -> None:
    assert signs(box(paper(), side=60)) == []
    assert signs(box(paper(), side=8)) == []
    assert find(GreyPage(box(paper())), 0.0) == []
