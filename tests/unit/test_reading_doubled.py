"""Of two equal characters that one reading lost, the other brings it back; nothing else of it is taken."""

from __future__ import annotations

import pytest

from worker.reading.doubled import restored, suspected
from worker.reading.recogniser import ReadChar, Reading, reading_of


def read(text: str, confidence: float = 0.99) -> Reading:
    return reading_of([ReadChar(char, confidence, 10.0 * i, 10.0 * i + 10) for i, char in enumerate(text)], "fake")


@pytest.mark.parametrize(
    ("text", "other", "right"),
    [
        ("159-0088-766 / 2", "159-0088-7766/2", "159-0088-7766 / 2"),
        ("手机: 159 0088 766", "手机159 0088 7766", "手机: 159 0088 7766"),
        ("1,00.50 and 3", "1,000.50 amd 3", "1,000.50 and 3"),
        ("020 7946 58", "0207 9466 58", "020 79466 58"),
        ("4 5519887771", "4 55198877777711", "4 551988777777" + "11"),
        ("7668", "77669", "77668"),
        ("2414 *** **** 43", "2414 **** **** 43", "2414 **** **** 43"),
        ("Bil to 33", "Bill to 333", "Bill to 333"),
    ],
)
def test_a_twin_that_only_the_other_has_is_put_back(text: str, other: str, right: str) -> None:
    found = restored(read(text), read(other))
    assert found.text == "".join(char.text for char in found.chars) == right


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("7766", "766"),  # it has the twin, the other has not
        ("159-766", "158-7766"),  # another figure before it, so that it is not known whether it is the same
        ("66 6", "66666"),  # nor which of the two runs is longer
        ("天好", "天天好"),
        ("ajoutée", "ajoutee"),
        ("créé", "creeee"),
        ("真的…", "真的……"),
        ("7 7 66", "77766"),
        ("", "77"),
        ("77", ""),
    ],
)
def test_everything_else_stays(text: str, other: str) -> None:
    own = read(text)
    assert restored(own, read(other)) is own


def test_the_other_must_be_sure_of_both() -> None:
    assert restored(read("766"), read("7766", 0.8)).text == "766"


def test_the_two_share_the_place_of_the_one() -> None:
    found = restored(read("766"), read("7766")).chars
    assert [(char.x0, char.x1) for char in found] == [(0.0, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 30.0)]


def test_a_figure_with_the_room_of_two_is_suspected() -> None:
    def line(widths: list[float], text: str = "1234567") -> Reading:
        ends = [sum(widths[: i + 1]) for i in range(len(widths))]
        return reading_of([ReadChar(c, 0.9, e - w, e) for c, w, e in zip(text, widths, ends, strict=False)], "fake")

    assert suspected(line([10, 10, 10, 16, 10, 10, 10]))
    assert not suspected(line([10, 10, 10, 15, 10, 10, 10])), "faces differ by so much"
    assert not suspected(line([10, 10, 16, 10])), "too few to compare"
    assert not suspected(line([10, 10, 10, 16, 10, 10, 10], "ABCDEFG"))
    assert not suspected(line([]))
