"""Sums in Chinese numerals: only what spells one may stand amid them."""

from __future__ import annotations

import pytest

from worker.reading.context import sums
from worker.reading.context.amounts import TOLD
from worker.reading.ctc import Peak

ALPHABET = ["", " ", *"壹贰叁肆伍陆柒捌玖零拾佰仟万亿元圆角分整正貳參陸萬參与任参加棚染伯的计金额大写：东风张小A1"]


def read(line: str) -> tuple[str, list[float]]:
    """A line as the network gives it, `任/仟:0.6` where it took one character for another that it gave 0.6; and what then stands
    there, how surely."""
    peaks = []
    for at, part in enumerate(line.split("|")):
        char, _, other = part.partition("/")
        wanted, _, score = other.partition(":")
        alternatives = ((ALPHABET.index(wanted), float(score)),) if wanted else ()
        peaks.append(Peak(ALPHABET.index(char), 0.9 if not wanted else 0.5, at, at, at, alternatives))
    out = sums(peaks, ALPHABET)
    return "".join(ALPHABET[peak.index] for peak in out), [peak.confidence for peak in out]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("伍|任/仟:0.02|参/叁:0.02|拾|元|整", "伍仟叁拾元整"),  # hardly thought of, and the only numeral that was
        ("伍|任/仟:0.4| |零|肆|圆|整", "伍仟 零肆圆整"),  # a space parts nothing
        ("计|：|参|佰|参|拾|元", "计：叁佰叁拾元"),  # what 叁 is always taken for, though nothing else was thought of
        (
            "貳|萬|棚/捌:0.2|仟|參|佰|元|整",
            "貳萬捌仟參佰元整",
        ),  # in the older forms, too; they stay as they are written
        ("棚/捌:0.3|佰|陆|拾|元", "捌佰陆拾元"),  # at an end where it was nearly read
        ("伍|伯/佰:0.4|柒/整:0.2|拾|元|整", "伍佰柒拾元整"),  # what was read fits, so no other takes its place
    ],
)
def test_what_is_no_numeral_amid_a_sum_is_the_numeral_that_was_thought_of(line: str, meant: str) -> None:
    assert read(line)[0] == meant


@pytest.mark.parametrize(
    "line",
    [
        "",
        "参|与|任/仟:0.4|参/叁:0.4|加",  # no sum
        "伍|任/仟:0.4|元",  # two numerals are none yet: 伍 is a name
        "金|额/佰:0.05|伍|仟|肆|佰|元",  # text before a sum stays text
        "伍|仟|肆|佰|元|的/整:0.05",  # and after it
        "伍|仟|棚|佰|元",  # what nobody thought of is not made up
        "伍|仟|肆|佰|A|1",
    ],
)
def test_other_text_stays_as_it_was_read(line: str) -> None:
    assert read(line or " ")[0] == "".join(part.partition("/")[0] for part in (line or " ").split("|"))


def test_a_numeral_that_the_sum_told_is_not_called_sure() -> None:
    _, confidence = read("伍|任/仟:0.02|肆|拾|元|整")
    assert confidence == [0.9, TOLD, 0.9, 0.9, 0.9, 0.9]
