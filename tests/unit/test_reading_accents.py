"""Letters with something above or below them that was not read are looked at again; others are not."""

from __future__ import annotations

from dataclasses import replace

import cv2
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
        image[size // 3 + size + 1 : size // 3 + size + 5, LEFT:-LEFT] = 0
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


def test_what_runs_in_from_the_line_above_is_not_of_this_one() -> None:
    chars, picture = line("some names are here", "some names are here")
    letter = chars[3]
    columns = slice(int(letter.x0), int(letter.x1))
    top = int(np.flatnonzero((picture[:, columns] < 128).any(axis=(1, 2)))[0])
    picture[top - 8 : top - 4, columns] = 0
    assert overlooked(chars, picture) == {3}
    picture[: top - 4, columns] = 0
    assert not overlooked(chars, picture)


@pytest.mark.parametrize(("text", "seen"), [("was some sense", "a"), ("way some sense", "")])
def test_what_hangs_below_beside_a_tail_may_be_the_tail(text: str, seen: str) -> None:
    chars, picture = line(text, text)
    foot = int(np.flatnonzero((picture[:, int(chars[0].x0) : int(chars[0].x1)] < 128).any(axis=(1, 2)))[-1])
    picture[foot + 4 : foot + 8, int(chars[1].x0) : int(chars[1].x1)] = 0
    assert "".join(text[at] for at in overlooked(chars, picture)) == seen


def test_a_line_that_lies_askew_says_nothing() -> None:
    chars, picture = line("some names are here", "some names are here")
    for x in range(picture.shape[1]):
        picture[:, x] = np.roll(picture[:, x], x // 10 - 12, axis=0)
    assert not overlooked(chars, picture)


def test_few_letters_say_nothing() -> None:
    assert told("né", "ne") == ""


def small(text: str, says: str, size: int = 9) -> tuple[list[ReadChar], NDArray[np.uint8]]:
    """A line as a scanner sees small print: shrunk to a third, soft, its accents grey."""
    chars, picture = line(text, says, size=3 * size)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.8)
    picture = cv2.resize(picture, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    return [replace(char, x0=char.x0 / 3, x1=char.x1 / 3) for char in chars], np.asarray(picture, np.uint8)


@pytest.mark.parametrize(
    ("text", "says", "letters"),
    [
        ("summer José Alonso", "summer Jose Alonso", "e"),
        ("season François here", "season Francois here", "c"),
        ("summer some names were here", "summer some names were here", ""),
        ("way some sense, any", "way some sense, any", ""),
        ("ROBERT TABLE SEASON", "ROBERT TABLE SEASON", ""),
        ("résumé séance éprés", "resume seance epres", ""),  # so many are a neighbour's
        ("né", "ne", ""),
    ],
)
def test_in_small_print_it_is_told_by_its_grey(text: str, says: str, letters: str) -> None:
    chars, picture = small(text, says)
    assert "".join(says[at] for at in sorted(overlooked(chars, picture))) == letters


def test_a_grey_pixel_or_two_above_a_small_capital_may_be_an_accent() -> None:
    chars, picture = small("ROBERT MUNOZ TABLE", "ROBERT MUNOZ TABLE")
    top = int(np.flatnonzero((picture < 128).any(axis=(1, 2)))[0])
    picture[top - 2 : top - 1, round(chars[9].x0) : round(chars[9].x1)] = 140
    assert overlooked(chars, picture) == {9}


@pytest.mark.parametrize(("text", "seen"), [("was some sense", "a"), ("way some sense", "")])
def test_so_may_one_below_but_not_beside_a_tail(text: str, seen: str) -> None:
    chars, picture = small(text, text)
    foot = int(np.flatnonzero((picture[:, round(chars[0].x0) : round(chars[0].x1)] < 128).any(axis=(1, 2)))[-1])
    picture[foot + 2 : foot + 3, round(chars[1].x0) : round(chars[1].x1)] = 120
    assert "".join(text[at] for at in overlooked(chars, picture)) == seen


def test_in_small_print_a_common_word_is_believed() -> None:
    text = "summer José Alonso"
    assert overlooked(*small(text, text.replace("é", "e")), lambda word: word == "Jose") == frozenset()
    assert overlooked(*small(text, text.replace("é", "e")), lambda word: word == "Alonso") == {10}
    assert overlooked(*line(text, text.replace("é", "e")), lambda word: True) == {10}, "in larger print it is seen"


def test_light_small_print_on_dark_is_no_different() -> None:
    chars, picture = small("summer José Alonso", "summer Jose Alonso")
    assert overlooked(chars, np.asarray(255 - picture, np.uint8)) == {10}


def test_under_small_print_a_rule_hangs_from_no_letter() -> None:
    chars, picture = small("some names were seen", "some names were seen")
    foot = int(np.flatnonzero((picture < 128).any(axis=(1, 2)))[-1])
    picture[foot + 3 : foot + 4, :] = 120
    assert not overlooked(chars, picture)
