"""Short lines read in company: each gets back its own characters, where they stand in its own picture."""

import numpy as np
import pytest

from worker.reading import pack
from worker.reading.recogniser import ReadChar, Reading


def picture(width: int, height: int = 24, level: int = 255) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_short_lines_share_a_picture_and_long_ones_go_alone() -> None:
    groups = pack.groups([picture(width) for width in (400, 40, 50, 45, 60, 130)])
    assert sorted(index for group in groups for index in group) == [0, 1, 2, 3, 4, 5]
    assert [0] in groups
    for group in groups:
        if len(group) > 1:
            shared, _ = pack.together([picture((400, 40, 50, 45, 60, 130)[index]) for index in group])
            assert shared.shape[1] <= pack.CAPACITY * pack.HEIGHT_PX + 2


def test_characters_go_back_to_their_lines() -> None:
    pictures = [picture(40), picture(60, 30)]
    shared, places = pack.together(pictures)
    assert shared.shape[0] == pack.HEIGHT_PX
    (a0, a1), (b0, b1) = places
    between = (a1 + b0) / 2
    chars = (
        ReadChar("1", 0.9, a0, a1),
        ReadChar(" ", 0.9, between - 4, between - 2),
        ReadChar("X", 0.8, b0, (b0 + b1) / 2),
        ReadChar("Y", 1.0, (b0 + b1) / 2, b1),
    )
    first, second = pack.apart(Reading("1 XY", 0.9, chars, "e"), pictures, places)
    assert (first.text, second.text) == ("1", "XY")
    assert second.confidence == pytest.approx(0.9)
    assert (second.chars[0].x0, second.chars[0].x1, second.chars[1].x1) == pytest.approx((0, 30, 60), abs=0.5)


def test_a_line_nothing_was_read_on_has_no_confidence() -> None:
    pictures = [picture(40), picture(40)]
    _, places = pack.together(pictures)
    first, second = pack.apart(Reading("a", 0.9, (ReadChar("a", 0.9, 0, 20),), "e"), pictures, places)
    assert (first.text, second.text, second.confidence) == ("a", "", 0.0)
