"""A flat picture whose ink stands in one row is one line, and no detector need look; anything else is left to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from worker.reading import find


def picture(
    texts: list[tuple[int, int, str]], size: tuple[int, int] = (420, 48), light: bool = False
) -> NDArray[np.uint8]:
    """Texts at (x, y), dark on light or the other way round, BGR."""
    image = Image.new("L", size, 25 if light else 245)
    for x, y, text in texts:
        ImageDraw.Draw(image).text((x, y), text, fill=235 if light else 20, font=ImageFont.load_default(size=28))
    return np.ascontiguousarray(np.repeat(np.asarray(image)[:, :, None], 3, axis=2))


def test_one_row_of_glyphs_is_one_line_in_either_polarity() -> None:
    assert find.is_plainly_one_line(picture([(12, 8, "Order 4711 was sent")]))
    assert find.is_plainly_one_line(picture([(12, 8, "Order 4711 was sent")], light=True))


def test_words_far_apart_in_one_row_are_one_line() -> None:
    assert find.is_plainly_one_line(picture([(12, 8, "Total"), (300, 8, "19.90")]))


def test_two_rows_are_not_one_line() -> None:
    assert not find.is_plainly_one_line(picture([(12, 8, "Order 4711"), (12, 48, "was sent")], (420, 90)))


def test_a_neighbour_that_reaches_in_is_for_the_detector_to_judge() -> None:
    assert not find.is_plainly_one_line(picture([(12, 8, "Order 4711"), (200, -26, "neighbour")]))


def test_text_small_in_its_picture_is_for_the_detector_to_judge() -> None:
    assert not find.is_plainly_one_line(picture([(12, 60, "Order 4711 was sent")], (600, 150)))


def test_an_empty_or_a_tall_picture_is_no_line() -> None:
    assert not find.is_plainly_one_line(picture([]))
    assert not find.is_plainly_one_line(picture([(12, 8, "Order")], (100, 48)))
