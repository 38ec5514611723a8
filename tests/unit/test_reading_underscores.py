"""A low stroke between letters is an underscore, a rule below them is none. Lines are drawn in a font that comes with Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from worker.reading.recogniser import ReadChar
from worker.reading.underscores import drawn

FONT = ImageFont.load_default(size=28)
LEFT, TOP = 10, 8


def line(text: str) -> tuple[NDArray[np.uint8], list[ReadChar]]:
    """A line's picture, and its characters where they stand."""
    picture = Image.new("RGB", (int(FONT.getlength(text)) + 2 * LEFT, 50), "white")
    ImageDraw.Draw(picture).text((LEFT, TOP), text, fill="black", font=FONT)
    edges = [LEFT + FONT.getlength(text[:at]) for at in range(len(text) + 1)]
    chars = [ReadChar(char, 0.97, edges[at], edges[at + 1]) for at, char in enumerate(text)]
    return np.asarray(picture)[:, :, ::-1].copy(), chars


def read_as(chars: list[ReadChar], text: str) -> list[ReadChar]:
    return [ReadChar(other, char.confidence, char.x0, char.x1) for char, other in zip(chars, text, strict=True)]


def told(picture: NDArray[np.uint8], chars: list[ReadChar]) -> str:
    return "".join(char.text for char in drawn(chars, picture))


def test_an_underscore_that_was_read_as_a_space() -> None:
    picture, chars = line("API_URL = max_value")
    assert told(picture, read_as(chars, "API URL = max value")) == "API_URL = max_value"
    assert told(255 - picture, read_as(chars, "API URL = max value")) == "API_URL = max_value"


def test_it_is_less_sure_than_what_was_read_and_says_what_it_was() -> None:
    picture, chars = line("API_URL")
    found = drawn(read_as(chars, "API URL"), picture)[3]
    assert (found.confidence, found.alternatives[0][0]) == (0.8, " ")


def test_two_in_a_row_were_read_as_one() -> None:
    picture, chars = line("from__at")
    picture[36:38, int(chars[4].x0) + 1 : int(chars[5].x1) - 1] = 0  # one stroke, as in most faces
    both = ReadChar("_", 0.97, chars[4].x0, chars[5].x1)
    found = drawn([*chars[:4], both, *chars[6:]], picture)
    assert "".join(char.text for char in found) == "from__at"
    assert [char.x0 for char in found] == sorted(char.x0 for char in found)


@pytest.mark.parametrize("text", ["unit price", "page no 7", "a_b one two"])
def test_a_gap_stays_a_space_and_an_underscore_one(text: str) -> None:
    picture, chars = line(text)
    assert told(picture, chars) == text


@pytest.mark.parametrize("text", ["unit price", "pay by Friday"])
def test_a_rule_below_the_line_is_no_underscore(text: str) -> None:
    picture, chars = line(text)
    picture[41:43, LEFT:-LEFT] = 0
    assert told(picture, chars) == text
    picture[41:43, int(chars[4].x0) : int(chars[4].x1)] = 255 if text.startswith("unit") else 0
    assert told(picture, chars) == text


def room(*strokes: tuple[int, int], text: str = "unit_price") -> str:
    """What is told of a line whose underscores are taken out, with strokes in the room of the first from one row to another."""
    picture, chars = line(text)
    for char in chars:
        if char.text == "_":
            picture[:, int(char.x0) : int(char.x1)] = 255
    first = chars[text.index("_")]
    for begin, end in strokes:
        picture[begin:end, int(first.x0) + 1 : int(first.x1) - 1] = 0
    return told(picture, read_as(chars, text.replace("_", " ")))


def test_only_a_lone_low_thin_stroke_is_an_underscore() -> None:
    assert room((36, 38)) == "unit_price"
    assert room() == "unit price"
    assert room((26, 28)) == "unit price", "a hyphen"
    assert room((34, 46)) == "unit price", "a block"
    picture, chars = line("unit price")
    picture[36:38, int(chars[4].x0) + 1 : int(chars[4].x1) - 1] = 0
    assert told(picture, chars) == "unit price", "a speck"


def test_what_runs_on_below_a_letter_is_none_however_short() -> None:
    picture, chars = line("unit_price")
    picture[36:38, int(chars[4].x0) - 6 : int(chars[4].x1)] = 0
    assert told(picture, read_as(chars, "unit price")) == "unit price"


def test_a_tail_beside_an_underscore_is_no_rule() -> None:
    picture, chars = line("log_id")
    picture[36:38, int(chars[2].x0) + 3 : int(chars[2].x1) - 4] = 0
    assert told(picture, read_as(chars, "log id")) == "log_id"


def test_a_long_blank_to_write_on_is_not_two_underscores() -> None:
    picture, chars = line("from")
    picture = np.hstack([picture, np.full((50, 120, 3), 255, np.uint8)])
    picture[36:38, int(chars[3].x1) + 4 : -10] = 0
    blank = ReadChar("_", 0.9, chars[3].x1 + 4, picture.shape[1] - 10.0)
    assert told(picture, [*chars, blank]) == "from_"


def test_the_foot_of_something_is_none() -> None:
    picture, chars = line("unit_price")
    picture[18:22, int((chars[4].x0 + chars[4].x1) / 2) : int(chars[4].x1)] = 0
    assert told(picture, read_as(chars, "unit price")) == "unit price"


def test_a_piece_of_a_rule_in_prose_is_none() -> None:
    assert room((36, 38), text="goods_sold_are_not") == "goods sold are not"


def test_a_space_that_an_underscore_reaches_into_goes() -> None:
    picture, chars = line("from_at")
    wide = chars[4]
    first, rest = ReadChar("_", 0.9, wide.x0 - 1, wide.x0 + 3), ReadChar(" ", 0.9, wide.x0 + 3, wide.x1)
    assert told(picture, [*chars[:4], first, rest, *chars[5:]]) == "from_at"


def test_an_underscore_above_a_rule_is_one() -> None:
    picture, chars = line("from_at")
    picture[36:38, LEFT:-LEFT] = 0
    assert told(picture, chars) == "from_at"


def test_a_stroke_as_long_as_two_is_no_underscore_where_a_space_was_read() -> None:
    picture, chars = line("unit      price")
    wide = ReadChar(" ", 0.97, chars[4].x0, chars[9].x1)
    own = [*chars[:4], wide, *chars[10:]]
    picture[36:38, int(wide.x0) + 1 : int(wide.x1) - 1] = 0
    assert told(picture, own) == "unit price"


def test_without_contrast_nothing_is_told() -> None:
    chars = line("API_URL")[1]
    assert told(np.full((50, 200, 3), 200, np.uint8), read_as(chars, "API URL")) == "API URL"
