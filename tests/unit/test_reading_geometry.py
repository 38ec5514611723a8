"""Quads: where corners land, and crops that find their way back to the page."""

import numpy as np
import pytest

from worker.reading import geometry
from worker.reading.crop import char_records, cut
from worker.reading.recogniser import ReadChar


@pytest.mark.parametrize(("w", "h", "turn"), [(100, 20, 5), (20, 100, 95), (20, 100, -85), (100, 20, -175)])
def test_one_rectangle_has_one_name(w: float, h: float, turn: float) -> None:
    width, height, angle = geometry.upright(w, h, turn)
    assert (width, height, round(angle)) == (100, 20, 5)


def test_a_quarter_turn_carries_a_corner_where_the_picture_goes() -> None:
    image = np.zeros((40, 60), dtype=np.uint8)
    image[5, 50] = 1
    quad = np.array([[50.5, 5.5]] * 4, dtype=np.float32)
    for turns in range(4):
        y, x = np.argwhere(np.rot90(image, -turns))[0]
        assert geometry.turn_quarter(quad, turns, 60, 40)[0] == pytest.approx((x + 0.5, y + 0.5))


@pytest.mark.parametrize("degrees", [0, 8, -30])
def test_character_boxes_come_back_to_the_page(degrees: float) -> None:
    quad = geometry.quad_of_rect((200, 150), 160, 24, degrees)
    piece = cut(np.full((300, 400, 3), 255, np.uint8), quad)
    chars = char_records(piece, (ReadChar("a", 1.0, 0, piece.image.shape[1] / 2), ReadChar("b", 1.0, 80, 160)))
    first = np.array(chars[0].box)
    assert first[0] == pytest.approx(quad[0], abs=1.0)
    assert first[1] == pytest.approx((quad[0] + quad[1]) / 2, abs=1.0)


def test_a_huge_line_is_cut_small_enough() -> None:
    piece = cut(np.zeros((900, 4000, 3), np.uint8), np.array([[0, 0], [4000, 0], [4000, 900], [0, 900]], np.float32))
    assert piece.image.shape[0] <= 96
    assert geometry.through(piece.to_page, np.array([[piece.image.shape[1], 96]], np.float32))[0] == pytest.approx(
        (4000, 900), abs=2
    )


def test_a_long_column_keeps_its_pixels() -> None:
    page = np.zeros((1000, 300, 3), np.uint8)
    column = np.array([[10, 20], [70, 20], [70, 920], [10, 920]], np.float32)
    assert cut(page, column).image.shape[:2] == (900, 60)
    wide = np.array([[10, 20], [202, 20], [202, 980], [10, 980]], np.float32)
    assert cut(page, wide).image.shape[:2] == (480, 96)
