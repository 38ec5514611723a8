"""Letters with something above or below them that was not read are looked at again; others are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from worker.reading.accents import overlooked
from worker.reading.recogniser import ReadChar

LEFT = 10


def line(text: str, says: str, size: int = 30, rule: bool = False) -> tuple[list[ReadChar], NDArray[np.uint8]]:
    font = ImageFont.load_default(size=size)
    picture = Image.new("RGB", (int(font.getlength(text)) + 2 * LEFT, 2 * size), "white")
    ImageDraw.Draw(picture).text((LEFT, size // 3), text, fill="black", font=font)
    edges = [LEFT + font.getlength(text[:at]) for at in range(len(text) + 1)]
    chars = [ReadChar(char, 0.99, edges[at], edges[at + 1]) for at, char in enumerate(says)]
    image = np.asarray(picture).copy()
    if rule:
        image[size // 3 + size + 3, LEFT:-LEFT] = 0
    return chars, image


def told(text: str, says: str, **how: int) -> str:
    chars, picture = line(text, says, **how)
    return "".join(says[at] for at in sorted(overlooked(chars, picture)))


@pytest.mark.parametrize(
    ("text", "says", "letters"),
    [
        ("José Alonso", "Jose Alonso", "e"),
        ("Muñoz, Alcalá", "Munoz, Alcala", "na"),
        ("naïve Zoë sent", "naive Zoe sent", "e"),  # the i has dots anyway
        ("François was", "Francois was", "c"),
        ("Günther sees", "Gunther sees", "u"),
    ],
)
def test_what_stands_above_or_below_a_letter_is_seen(text: str, says: str, letters: str) -> None:
    assert told(text, says) == letters


@pytest.mark.parametrize(
    "text", ["Robert was here", "difficult flows fall over", "a comma, some cents; every agency", "exzess"]
)
def test_plain_letters_between_tall_ones_and_tails_are_plain(text: str) -> None:
    assert told(text, text) == ""


def test_a_rule_below_the_line_hangs_from_none() -> None:
    assert told("some names are here", "some names are here", rule=True) == ""


def test_small_print_and_few_letters_say_nothing() -> None:
    assert told("José Alonso", "Jose Alonso", size=9) == ""
    assert told("né", "ne") == ""
