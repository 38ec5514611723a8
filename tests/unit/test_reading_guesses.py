"""What the stronger recogniser guessed at gives way to what the CRNN is sure of, and nothing else does."""

from __future__ import annotations

import pytest

from worker.reading.guesses import settled
from worker.reading.recogniser import ReadChar, Reading, reading_of


def read(text: str, unsure: str = "", low: float = 0.5, sure: float = 0.97) -> Reading:
    return reading_of(
        [ReadChar(c, low if c in unsure else sure, 10.0 * i, 10.0 * i + 10) for i, c in enumerate(text)], "a"
    )


@pytest.mark.parametrize(
    ("strong", "unsure", "quick", "right"),
    [
        ("Rounding RH", "H", "Rounding RM", "Rounding RM"),
        ("CAN 32OML", "O", "CAN 320ML", "CAN 320ML"),
        ("M Total", "M", "RN Total", "RN Total"),  # two for one
    ],
)
def test_a_guess_gives_way(strong: str, unsure: str, quick: str, right: str) -> None:
    assert settled(read(strong, unsure), read(quick)).text == right


@pytest.mark.parametrize(
    ("strong", "unsure", "quick", "why"),
    [
        ("Rounding RH", "", "Rounding RM", "it was no guess"),
        ("2010", "1", "20i0", "a figure gives way to figures only"),
        ("5µm", "µ", "5um", "the CRNN hardly knows the sign"),
        ("應稅銷售", "稅", "應税銷售", "nor Chinese characters"),
        ("Éire", "É", "Eire", "nor letters with accents"),
        ("A|B", "|", "A[B", "strokes and brackets are told by neither"),
        ("abc def", "cd", "abxyz def", "too much at once"),
        ("a b", " ", "a-b", "a space is nothing to guess"),
    ],
)
def test_everything_else_stays(strong: str, unsure: str, quick: str, why: str) -> None:
    own = read(strong, unsure)
    assert settled(own, read(quick)) is own, why


def test_the_crnn_must_be_sure() -> None:
    own = read("Rounding RH", "H")
    assert settled(own, read("Rounding RM", "M", 0.8)) is own
