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


@pytest.mark.parametrize("text", ["雨□银行", "電話號码：12"])
def test_an_unlearnt_character_and_mixed_scripts_are(text: str) -> None:
    assert worth(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text",
    ["12x34", "3.5 X 20mm", "5um", "25°C", "E12.50", "总计 e1,200.00", "@ 2024 Acme", "Brand@", "@打开", "<100", "二O二四年",
     "口 是 口 否", "第一———第二", "173.956.20", "150, 15", "https:/www.example.org/a"],
)  # fmt: skip
def test_what_a_seldom_sign_is_taken_for_is(text: str) -> None:
    assert worth(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text",
    ["012x", "P/O E3285214", "me@a.com", "(@ 0%)", "SR @ 6%", "a<b", "5umbrellas", "25 C", "第一——第二", "173.956", "1,150.15",
     "192.168.100.20.1", "2019.05.20", "人口 1200", "OK 二楼", "150,15"],
)  # fmt: skip
def test_and_these_are_not(text: str) -> None:
    assert not worth(chars(text, 0.0), lexicon())


def test_a_sign_that_was_nearly_read_is() -> None:
    line = [ReadChar("-", 0.95, 0, 9, (("~", 0.03),))]
    assert worth(line, lexicon())
    assert not worth([ReadChar("-", 0.95, 0, 9, (("~", 0.01), ("—", 0.04)))], lexicon())


@pytest.mark.parametrize("text", ["Strafe und Hausnummer angeben", "Gracias por su compra", "Numéro"])
def test_other_languages_are(text: str) -> None:
    assert worth(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text", ["TAMAN DAYA SENDIRIAN", "Daoyuan Chen, Peng Zhang", "recived", "Lipo2000", "Pharm polye-"]
)
def test_names_and_lone_words_are_not(text: str) -> None:
    assert not worth(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text",
    ["", "街道 street", "street", "Brown bread", "Lantern of lead street", "14 Lantern Street", "siRNA", "was recived",
     "the parcel came this morning", "AB2047-comitee2", "一共 12.50", "LANTERN STREET", "電話號碼", "电话号码", "双組", "の電話號码", "Jon Mattis"],
)  # fmt: skip
def test_others_are_not(text: str) -> None:
    assert not worth(chars(text), lexicon())
