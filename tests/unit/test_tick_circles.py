"""Circles to choose by are told from letters and from each other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from worker.reading.grey import GreyPage
from worker.reading.tick_boxes import find

GLYPH = 20.0


def circle(thick: int = 1, dot: int = 0, radius: int = 10) -> np.ndarray:
    page = np.full((120, 200, 3), 255, np.uint8)
    cv2.circle(page, (60, 60), radius, (40, 40, 40), thick, cv2.LINE_AA)
    if dot:
        cv2.circle(page, (60, 60), dot, (40, 40, 40), -1, cv2.LINE_AA)
    return page


def signs(page: np.ndarray) -> list[str]:
    return [each.sign for each in find(GreyPage(page), GLYPH)]


def test_an_empty_circle_one_with_a_dot_and_a_full_one() -> None:
    assert signs(circle()) == ["○"]
    assert signs(circle(dot=5)) == ["●"]
    assert signs(circle(thick=-1)) == ["●"]


def test_it_is_found_where_it_stands() -> None:
    (found,) = find(GreyPage(circle()), GLYPH)
    assert np.allclose((found.left, found.top, found.right, found.bottom), (50, 50, 71, 71), atol=1.5)


@pytest.mark.parametrize("radius", [3, 20])
def test_a_full_stop_and_an_emblem_are_none(radius: int) -> None:
    assert signs(circle(radius=radius)) == []


def test_with_a_sign_inside_it_is_none() -> None:
    page = circle()
    cv2.line(page, (60, 54), (60, 66), (40, 40, 40), 2)
    assert signs(page) == []
    cv2.line(page, (60, 52), (60, 68), (40, 40, 40), 8)
    assert signs(page) == [], "its middle is full, but it is no dot"


def test_what_stands_close_to_something_is_none() -> None:
    page = circle()
    cv2.line(page, (74, 50), (74, 70), (40, 40, 40), 1)
    assert signs(page) == []


def test_letters_of_words_are_none() -> None:
    image = Image.new("RGB", (700, 80), "white")
    text = "DOGS bogoo CO2 a6e9 QG@ 8oo0"
    ImageDraw.Draw(image).text((8, 12), text, fill="black", font=ImageFont.load_default(size=28))
    assert signs(np.asarray(image)[:, :, ::-1].copy()) == []
