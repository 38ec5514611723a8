"""Marks that PP-OCRv6 leaves out of Chinese columns come back from the CRNN's reading, and no others."""

from __future__ import annotations

import pytest

from worker.reading.marks import restored, suspected
from worker.reading.recogniser import ReadChar, Reading, reading_of


def read(text: str, confidence: float = 0.9, wide: str = "", by: float = 1.4) -> Reading:
    """Characters of 20 px; those in `wide` are so many times as wide. `_` is the room of a character that was not read."""
    chars, x = [], 0.0
    for char in text:
        end = x + 20 * (by if char in wide else 1)
        if char != "_":
            chars.append(ReadChar(char, confidence, x, end))
        x = end
    return reading_of(chars, "fake")


@pytest.mark.parametrize(
    ("strong", "quick", "right"),
    [
        ("上霜_举头", "上霜。举头", "上霜。举头"),
        ("_静夜思_是", "《静夜思》是", "《静夜思》是"),
        ("思故乡_", "思故乡。", "思故乡。"),
        ("月光’疑是", "月光，疑是", "月光，疑是"),
        ("望明月", "塑明月。", "望明月。"),  # the CRNN's characters are not believed
    ],
)
def test_a_mark_that_only_the_crnn_saw_stands(strong: str, quick: str, right: str) -> None:
    found = restored(read(strong), read(quick))
    assert found.text == "".join(char.text for char in found.chars) == right
    assert [char.x0 for char in found.chars] == sorted(char.x0 for char in found.chars)
    assert all(one.x1 <= two.x0 for one, two in zip(found.chars, found.chars[1:], strict=False))


def test_the_character_before_gives_its_room_to_the_mark() -> None:
    found = restored(read("上霜举头", wide="霜", by=2), read("上霜。举头"))
    assert [(char.text, char.x0, char.x1) for char in found.chars[1:3]] == [("霜", 20, 40), ("。", 40, 60)]


@pytest.mark.parametrize(
    ("strong", "quick"),
    [
        ("上霜举头", "上霜丁举头"),  # a character is no mark
        ("Seoul", "Seoul。"),  # nor does one stand among other letters
        ("don’t", "don，t"),
        ("宝剑锋", "。宝剑锋"),  # none ends what has not begun
        ("宝剑锋", "宝剑锋《"),
        ("上三霜", "上，霜"),  # what was read is no apostrophe
    ],
)
def test_what_is_no_mark_or_in_no_place_for_one_is_left_out(strong: str, quick: str) -> None:
    own = read(strong)
    assert restored(own, read(quick)) is own


def test_a_mark_that_was_hardly_seen_is_left_out() -> None:
    own = read("上霜举头")
    assert restored(own, read("上霜。举头", 0.4)) is own


def test_room_for_a_mark_and_an_apostrophe_among_characters_ask_for_another_reading() -> None:
    assert suspected(read("上霜举头望", wide="霜"))
    assert suspected(read("月光’疑是地上"))
    assert not suspected(read("上霜举头望"))
    assert not suspected(read("上霜举头望", wide="霜", by=1.2))
    assert not suspected(read("上霜举", wide="霜")), "three characters do not tell how wide one is"
    assert not suspected(read("the board’s wide meeting", wide="w"))
