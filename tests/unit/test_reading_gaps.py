"""Wide blanks between words and numbers become spaces; what is set letter by letter stays whole."""

import numpy as np
import pytest

from worker.reading.gaps import spaced
from worker.reading.recogniser import ReadChar

HEIGHT = 40


def line(text: str, gaps: dict[int, int], usual: int = 3) -> tuple[list[ReadChar], np.ndarray]:
    """Characters 16 columns wide with `usual` blank ones between them; `gaps` says otherwise after some of them."""
    chars, ink, x = [], [], 0
    for at, char in enumerate(text):
        wide = gaps.get(at, usual)
        chars.append(ReadChar(char, 0.9 - 0.01 * at, 2.0 * x, 2.0 * (x + 16)))
        ink += [0.5] * 16 + [0.0] * wide
        x += 16 + wide
    return chars, np.array(ink, np.float32)


def read(text: str, gaps: dict[int, int], usual: int = 3) -> str:
    chars, ink = line(text, gaps, usual)
    return "".join(char.text for char in spaced(chars, ink, HEIGHT, 2.0))


@pytest.mark.parametrize(
    ("text", "gaps", "usual", "want"),
    [
        ("19.909.76", {4: 40}, 3, "19.90 9.76"),
        ("ITEMGST", {3: 28}, 3, "ITEM GST"),
        ("ITEMGST", {3: 14}, 3, "ITEMGST"),  # as wide as a space of the font: the recogniser knows these
        ("1918489", {}, 30, "1918489"),  # a figure to a box
        ("1918489", {2: 40}, 30, "1918489"),
        ("收款人名", {1: 60}, 3, "收款人名"),
        ("A:1", {0: 40}, 3, "A:1"),
        ("A 1", {0: 40}, 3, "A 1"),
        ("2025-10-1410:22:05", {}, 3, "2025-10-14 10:22:05"),
        ("日期：2025/10/1410:22", {}, 3, "日期：2025/10/14 10:22"),
        ("2025-10/1410:22", {}, 3, "2025-10/1410:22"),
        ("12025-10-1410:22", {}, 3, "12025-10-1410:22"),
        ("2025-10-14", {}, 3, "2025-10-14"),
        ("7", {}, 3, "7"),
        ("", {}, 3, ""),
    ],
)
def test_a_space_stands_where_the_blank_is_wide_for_its_line(
    text: str, gaps: dict[int, int], usual: int, want: str
) -> None:
    assert read(text, gaps, usual) == want


def test_a_space_lies_in_the_blank_and_is_as_sure_as_its_neighbours() -> None:
    chars, ink = line("AB", {0: 40})
    wide = [ReadChar("A", 0.9, 0.0, 50.0), ReadChar("B", 0.89, 90.0, 144.0)]  # the blank is in their boxes, too
    assert [(char.x0, char.x1) for char in spaced(wide, ink, HEIGHT, 2.0)] == [
        (0.0, 32.0),
        (32.0, 112.0),
        (112.0, 144.0),
    ]
    _, space, _ = spaced(chars, ink, HEIGHT, 2.0)
    assert (space.text, space.x0, space.x1) == (" ", 32.0, 112.0)
    assert space.confidence == pytest.approx(0.89)


def test_the_space_between_date_and_time_lies_between_them() -> None:
    chars, ink = line("2025-10-1410:22", {})
    found = spaced(chars, ink, HEIGHT, 2.0)
    assert [(char.text, char.x0, char.x1) for char in found[9:12]] == [
        ("4", 342, 374),
        (" ", 374, 380),
        ("1", 380, 412),
    ]
    assert found[10].confidence == chars[10].confidence


def test_where_signs_are_longer_than_one_character_no_date_is_looked_for() -> None:
    chars, ink = line("x2025-10-1410:22", {})
    chars[0] = ReadChar("元整", 0.9, chars[0].x0, chars[0].x1)
    assert "".join(char.text for char in spaced(chars, ink, HEIGHT, 2.0)) == "元整2025-10-1410:22"
