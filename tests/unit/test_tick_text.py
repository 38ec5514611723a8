"""Boxes to tick in the text of the lines they belong to."""

from __future__ import annotations

import numpy as np
import pytest

from worker.reading.crop import Cut, cut
from worker.reading.recogniser import ReadChar, Reading, reading_of
from worker.reading.tick_boxes import TickBox
from worker.reading.tick_text import into, placed

PAGE = np.full((200, 400, 3), 255, np.uint8)


def read(text: str, confidence: float = 0.95, left: float = 0.0) -> Reading:
    """Characters of 10 px; `_` is one that was not read."""
    chars = [ReadChar(c, confidence, left + 10.0 * i, left + 10.0 * i + 10) for i, c in enumerate(text) if c != "_"]
    return reading_of(chars, "fake")


def line(top: float, left: float = 100, right: float = 300, page: np.ndarray = PAGE) -> Cut:
    return cut(page, np.array([[left, top], [right, top], [right, top + 20], [left, top + 20]], np.float32))


def box(left: float, top: float, sign: str = "☐") -> TickBox:
    return TickBox(left, top, left + 10, top + 10, sign)


@pytest.mark.parametrize(
    ("text", "where", "right"),
    [
        ("a: _ Full", 3, "a: ☑ Full"),
        ("a:   Full", 3, "a: ☑ Full"),  # the recogniser read spaces there
        ("_ Full", 0, "☑ Full"),
        ("Full _", 5, "Full ☑"),
        ("性别_男", 2, "性别☑男"),
        ("性别_Male", 2, "性别☑ Male"),
        ("区 Full", 0, "☑ Full"),
        ("√ 男", 0, "☑ 男"),
        ("ill?_Yes", 4, "ill? ☑ Yes"),
        ("ok (_ Yes", 4, "ok (☑ Yes"),
        ("METALx OTHER", 5, "METAL ☑ OTHER"),
    ],
)
def test_a_box_takes_the_place_of_nothing_and_of_guesses(text: str, where: int, right: str) -> None:
    found = placed(read(text), [(10.0 * where, 10.0 * where + 10, "☑")], 20.0)
    assert found.text == "".join(char.text for char in found.chars) == right


@pytest.mark.parametrize(
    ("text", "where"), [("人口数", 1), ("a: □ Full", 3), ("H7QR8", 2), ("中国", 1), ("参考区间", 2)]
)
def test_what_was_read_well_stays(text: str, where: int) -> None:
    own = read(text)
    assert placed(own, [(10.0 * where, 10.0 * where + 10, "☐")], 20.0) is own


def test_a_box_that_was_read_stays_however_unsurely() -> None:
    own = read("a: □ Full", 0.7)
    assert placed(own, [(30.0, 40.0, "☑")], 20.0) is own


def test_a_guess_gives_way() -> None:
    assert placed(read("日男", 0.4), [(0.0, 10.0, "☑")], 20.0).text == "☑男"
    assert placed(read("a D b", 0.7), [(20.0, 30.0, "☐")], 20.0).text == "a ☐ b"
    for text in ("a D b", "aDb"):  # a sure letter, and one of a word
        own = read(text, 0.95 if " " in text else 0.7)
        at = 10.0 * text.index("D")
        assert placed(own, [(at, at + 10, "☐")], 20.0) is own


@pytest.mark.parametrize(
    ("text", "where", "right"),
    [("口 是", 0, "☐ 是"), ("是 口 否", 2, "是 ☐ 否"), ("共:口男", 2, "共:☐男"), ("人口数", 1, "人口数")],
)
def test_a_mouth_without_legs_is_a_box_unless_it_stands_within_a_word(text: str, where: int, right: str) -> None:
    assert placed(read(text), [(10.0 * where, 10.0 * where + 10, "☐")], 20.0).text == right


def test_a_mark_stays_where_the_box_is_empty() -> None:
    own = read("12x34")
    assert placed(own, [(20.0, 30.0, "☐")], 20.0) is own


@pytest.mark.parametrize("sign", ["○", "●", "■"])
def test_circles_and_full_boxes_are_put_only_where_nothing_was_read(sign: str) -> None:
    assert placed(read("a: _ Full"), [(30.0, 40.0, sign)], 20.0).text == f"a: {sign} Full"
    wide = reading_of([ReadChar("品", 0.99, 0.0, 40.0)], "fake")
    assert placed(wide, [(28.0, 38.0, sign)], 20.0) is wide, "it is a part of the character"


def test_neither_a_blot_nor_a_frame_is_put_over_letters() -> None:
    own = read("x y")
    assert placed(own, [(0.0, 10.0, "■")], 20.0) is own
    assert placed(own, [(0.0, 30.0, "☐")], 20.0) is own


def test_a_box_beside_a_line_makes_it_wider() -> None:
    piece, reading = into(PAGE, [box(80, 55)], [(line(50), read("Full"))])[0]
    assert reading.text == "☐ Full"
    assert piece.image.shape[1] == 220
    places = piece.quads(np.array([(char.x0, char.x1) for char in reading.chars]))
    assert np.allclose(places[0][:, 0], (80, 90, 90, 80), atol=0.6)
    assert np.allclose(places[2][:, 0], (100, 110, 110, 100), atol=0.6)


def test_it_belongs_to_the_nearest_line_of_its_row() -> None:
    lines = [(line(50, 20, 70), read("Yes")), (line(50), read("Full")), (line(90), read("Part"))]
    found = into(PAGE, [box(82, 55)], lines)
    assert {index: reading.text for index, (_, reading) in found.items()} == {1: "☐ Full"}


def test_what_is_dark_among_light_characters_is_no_box() -> None:
    sign = PAGE.copy()
    sign[50:70, 100:300] = 90
    sign[54:66, 120:160] = 250
    lines = [(line(50, page=sign), read("Full", left=60))]
    assert into(sign, [box(105, 55)], lines) == {}
    light = TickBox(105, 55, 115, 65, "☐", light=True)
    assert into(sign, [light], lines)[0][1].text == "☐ Full"


def test_a_full_one_must_stand_within_the_line() -> None:
    assert into(PAGE, [box(80, 55, "■")], [(line(50), read("Full"))]) == {}
    chars = read("Full", left=40)
    assert into(PAGE, [box(105, 55, "■")], [(line(50), chars)])[0][1].text == "■ Full"


def test_what_is_higher_than_its_line_is_an_emblem() -> None:
    assert into(PAGE, [TickBox(75, 49, 97, 71, "☐")], [(line(50), read("Full"))]) == {}


def test_far_ones_and_those_of_other_rows_stay_out() -> None:
    assert into(PAGE, [box(40, 55), box(325, 55), box(150, 78), box(150, 20)], [(line(50), read("Full"))]) == {}


def test_several_boxes_of_a_line_stand_in_order() -> None:
    boxes = [box(200, 55, "☑"), box(88, 55), box(150, 55)]
    chars = (*read("one", left=0).chars, *read("two", left=65).chars, *read("six", left=115).chars)
    assert into(PAGE, boxes, [(line(50), reading_of(chars, "fake"))])[0][1].text == "☐ one ☐ two ☑ six"
