"""Spaces that only the CRNN saw stand where it is sure of them and both agree on what is beside them."""

from __future__ import annotations

import pytest

from worker.reading.recogniser import ReadChar, Reading, reading_of
from worker.reading.spaces import restored


def read(text: str, space: float = 0.95) -> Reading:
    """Characters of 20 px, spaces as sure as told; `_` is the room of a character that was not read."""
    chars = [
        ReadChar(char, space if char == " " else 0.97, 20.0 * at, 20.0 * at + 20)
        for at, char in enumerate(text)
        if char != "_"
    ]
    return reading_of(chars, "fake")


@pytest.mark.parametrize(
    ("strong", "quick"),
    [
        ("SDN_BHD", "SDN BHD"),
        ("1_USD=_7.12", "1 USD= 7.12"),
        ("FAX:_03-5121", "FAX: 03-5121"),
        ("x_Total", "x Total"),
        ("4_12.00", "4 12.00"),  # a quantity and a price
    ],
)
def test_a_space_that_the_stronger_engine_passed_over_comes_back(strong: str, quick: str) -> None:
    found = restored(read(strong), read(quick))
    assert found.text == quick
    assert [char.x0 for char in found.chars] == sorted(char.x0 for char in found.chars)
    assert all(one.x1 <= two.x0 for one, two in zip(found.chars, found.chars[1:], strict=False))


@pytest.mark.parametrize(
    ("strong", "quick", "sure"),
    [
        ("SDNBHD", "SDN BHD", 0.85),  # it was not sure
        ("11月新增", "11 月新增", 0.99),  # taste
        ("（12）", "（ 12）", 0.99),
        ("RM0.40", "RM0. 40", 0.99),  # within a number
        ("Total", " Total", 0.99),  # the line's margin
        ("Total", "Total ", 0.99),
        ("abc", "a  bc", 0.99),  # two spaces, or more than one
        ("a c", "a b c", 0.99),  # a letter is no space
        ("ac", "a bc", 0.99),
        ("a b", "a  b", 0.99),
        ("Wx", "V xx", 0.99),  # what is beside it is not agreed on
    ],
)
def test_others_do_not(strong: str, quick: str, sure: float) -> None:
    own = read(strong)
    assert restored(own, read(quick, sure)) is own
