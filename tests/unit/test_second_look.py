"""Which lines a quick engine is sure of are read again all the same."""

from __future__ import annotations

import pytest

from worker.reading.context import lexicon
from worker.reading.recogniser import ReadChar
from worker.reading.second_look import worth


def chars(text: str, thought_of: float = 0.012) -> list[ReadChar]:
    """A line whose every small letter may be a capital, as likely as that."""
    return [
        ReadChar(char, 0.98, 9.0 * at, 9.0 * at + 8, ((char.upper(), thought_of),) if char.islower() else ())
        for at, char in enumerate(text)
    ]


@pytest.mark.parametrize("text", ["14 Lantern street", "Store for Brown sugar 2", "Lantern by a street"])
def test_a_small_initial_among_capital_ones_is(text: str) -> None:
    assert worth(chars(text), lexicon())
    assert not worth(chars(text, 0.001), lexicon()), "where the network thought of nothing else there is no doubt"


@pytest.mark.parametrize("text", ["The commitee will meet", "submited to the voters on", "ADRESS"])
def test_a_word_that_lacks_one_of_two_equal_letters_is(text: str) -> None:
    assert worth(chars(text, 0.0), lexicon())


@pytest.mark.parametrize("text", ["https:/www.example.org/a", "雨□银行", "電話號码：12"])
def test_a_lost_slash_an_unlearnt_character_and_mixed_scripts_are(text: str) -> None:
    assert worth(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text",
    ["", "街道 street", "street", "Brown bread", "Lantern of lead street", "14 Lantern Street", "siRNA", "was recived",
     "the parcel came this morning", "AB2047-comitee2", "一共 12.50", "LANTERN STREET", "https://example.org", "電話號碼", "电话号码", "双組", "の電話號码", "Jon Mattis"],
)  # fmt: skip
def test_others_are_not(text: str) -> None:
    assert not worth(chars(text), lexicon())
