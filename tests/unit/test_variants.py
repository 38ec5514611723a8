"""A page's script, simplified or traditional, settles its doubtful characters and nothing else."""

from __future__ import annotations

import pytest

from worker.reading.recogniser import ReadChar, Reading
from worker.reading.variants import pairs, settled

TRADITIONAL = "觀薩羅蘊經識無"
SIMPLIFIED = "观萨罗蕴经识无"


def reading(text: str, doubtful: str = "", instead: str = "", score: float = 0.4) -> Reading:
    chars = tuple(
        ReadChar(char, 0.55, i, i + 1, ((instead, score),)) if char == doubtful else ReadChar(char, 0.99, i, i + 1)
        for i, char in enumerate(text)
    )
    return Reading(text, sum(char.confidence for char in chars) / len(chars), chars, "fake")


def test_a_doubtful_character_takes_the_form_of_its_page() -> None:
    (line,) = settled([reading(TRADITIONAL + "声", "声", "聲")])
    assert line.text == TRADITIONAL + "聲"
    last = line.chars[-1]
    assert last.confidence == pytest.approx(0.95), "the two forms are one character"
    assert last.alternatives == (("声", 0.55),)
    (line,) = settled([reading(SIMPLIFIED + "聲", "聲", "声")])
    assert line.text == SIMPLIFIED + "声"


def test_a_doubtful_character_that_the_page_s_script_lacks_gives_way_to_one_that_it_has() -> None:
    (line,) = settled([reading(2 * SIMPLIFIED + "約東", "東", "束", 0.36)])
    assert line.text == 2 * SIMPLIFIED + "約束", "sure characters stay"
    last = line.chars[-1]
    assert last.confidence == pytest.approx(0.8), "of what is left once 東 is ruled out"
    assert last.alternatives == (("東", 0.55),)


def test_the_same_character_s_other_form_goes_before_one_that_looks_alike() -> None:
    east = ReadChar("東", 0.5, 0, 1, (("束", 0.3), ("东", 0.1)))
    page = [reading(SIMPLIFIED), Reading("東", 0.5, (east,), "fake")]
    assert settled(page)[1].text == "东"


@pytest.mark.parametrize(
    ("page", "what"),
    [
        ([reading(TRADITIONAL + "声")], "the recogniser saw no sign of the other form"),
        ([reading(TRADITIONAL + "声", "声", "聲", 0.01)], "hardly a sign"),
        ([reading("觀薩" + "声", "声", "聲")], "too little else to tell by"),
        ([reading(TRADITIONAL), reading(SIMPLIFIED), reading("声", "声", "聲")], "both scripts side by side"),
        ([reading(TRADITIONAL + "の" + "声", "声", "聲")], "Japanese"),
        ([reading(TRADITIONAL + "舍", "舍", "捨")], "a character of both scripts"),
        ([reading(SIMPLIFIED + "東", "東", "束", 0.01)], "nothing else was thought of"),
        ([reading(SIMPLIFIED + "東", "東", "檸")], "what was thought of is not of the page's script either"),
        ([reading(SIMPLIFIED + "東", "東", "#")], "no Chinese character was thought of"),
        ([reading("no Chinese at all")], "nothing to settle"),
        ([], "no line"),
    ],
)
def test_everything_else_stays_as_it_was_read(page: list[Reading], what: str) -> None:
    assert settled(page) == page, what


def test_the_table_holds_what_only_one_script_uses() -> None:
    simplified, traditional = pairs()
    assert simplified["無"] == "无"
    assert traditional["无"] == {"無"}
    assert not {"舍", "后", "干"} & set(traditional)
    assert not set(simplified) & set(traditional)
