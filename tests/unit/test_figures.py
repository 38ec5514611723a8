"""A 0 that is lower than the digits beside it is an o; everything else stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from worker.reading.figures import small_zeros

PITCH, FOOT = 24, 40


def drawn(
    *sizes: tuple[int, int], foot: int = FOOT, others: int = 24
) -> tuple[NDArray[np.uint8], list[tuple[float, float]]]:
    """A line of ellipses, each (width, height); the first stands on `foot`, and five more are 14 wide and `others` high."""
    boxes = [*sizes, *[(14, others)] * (6 - len(sizes))]
    picture = np.full((60, PITCH * len(boxes), 3), 255, np.uint8)
    for index, (width, height) in enumerate(boxes):
        ground = FOOT if index else foot
        centre = (PITCH * index + PITCH // 2, ground - height // 2)
        cv2.ellipse(picture, centre, (width // 2, height // 2), 0, 0, 360, (0, 0, 0), 2)
    return picture, [(PITCH * i, PITCH * (i + 1.0)) for i in range(len(boxes))]


def told(text: str, picture: NDArray[np.uint8], extents: list[tuple[float, float]]) -> list[int]:
    return small_zeros(text, extents[: len(text)], picture)


def test_a_low_round_0_before_digits_is_an_o() -> None:
    assert told("012345", *drawn((18, 18))) == [0]


def test_light_on_dark_too() -> None:
    picture, extents = drawn((18, 18))
    assert told("012345", 255 - picture, extents) == [0]


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (drawn((14, 24)), "as high as the others"),
        (drawn((10, 18)), "narrow: a 0 that has lost its top"),
        (drawn((18, 18), foot=30), "raised above the line"),
        (drawn((12, 12)), "a dot, a degree sign"),
        (drawn((18, 18), (14, 18)), "digits of more than one height: old-style figures"),
        (drawn((18, 18), others=18), "all are as low"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_any_other_0_stays(picture: tuple[NDArray[np.uint8], list[tuple[float, float]]], why: str) -> None:
    assert told("012345", *picture) == [], why


def test_a_0_whose_top_is_missing_stays() -> None:
    picture, extents = drawn((22, 24))
    picture[:22, :PITCH] = 255
    assert told("012345", picture, extents) == []


@pytest.mark.parametrize("text", ["102345", "0123 5", "0.1234", "a01234", "O12345"])
def test_only_where_a_word_begins_with_it_and_digits_follow(text: str) -> None:
    assert told(text, *drawn((18, 18))) == []


def test_an_empty_picture_says_nothing() -> None:
    assert (
        small_zeros("012345", [(10.0 * i, 10.0 * i + 10) for i in range(6)], np.full((32, 60, 3), 255, np.uint8)) == []
    )
