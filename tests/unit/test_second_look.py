"""Which lines a quick engine is sure of are read again all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from worker.reading.context import lexicon
from worker.reading.recogniser import ReadChar
from worker.reading.second_look import faults, hardly_read


def chars(text: str, thought_of: float = 0.012) -> list[ReadChar]:
    """A line whose every small letter may be a capital, as likely as that."""
    return [
        ReadChar(char, 0.98, 9.0 * at, 9.0 * at + 8, ((char.upper(), thought_of),) if char.islower() else ())
        for at, char in enumerate(text)
    ]


@pytest.mark.parametrize("text", ["14 Lantern street", "Store for Brown sugar 2", "Lantern by a street"])
def test_a_small_initial_among_capital_ones_is(text: str) -> None:
    assert faults(chars(text), lexicon())
    assert not faults(chars(text, 0.001), lexicon()), "where the network thought of nothing else there is no doubt"


@pytest.mark.parametrize("text", ["The commitee will meet", "submited to the voters on", "ADRESS"])
def test_a_word_that_lacks_one_of_two_equal_letters_is(text: str) -> None:
    assert faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    ("text", "numbered"), [("Sheetl Total", True), ("Pagel", True), ("Metal", False), ("Daniel", False)]
)
def test_a_word_with_what_may_be_a_number_behind_it_is(text: str, numbered: bool) -> None:
    assert bool(faults(chars(text, 0.0), lexicon())) is numbered


@pytest.mark.parametrize("text", ["雨□银行", "電話號码：12"])
def test_an_unlearnt_character_and_mixed_scripts_are(text: str) -> None:
    assert faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text",
    ["12x34", "3.5 X 20mm", "5um", "25°C", "E12.50", "总计 e1,200.00", "@ 2024 Acme", "Brand@", "@打开", "<100", "二O二四年",
     "口 是 口 否", "第一———第二", "173.956.20", "150, 15", "https:/www.example.org/a", "s338mm", "z88kg", "2 503kg", "187m", "12m2", "3kg/m3",
     "671pm", "758C", "480kW-h", "10kQ", "44%-53%", "C:Vmehk", "[和永]", "。灯车络", "Mr Yuki Sato", "Invoice No, 12", "Ingrid F Cox", "By Friday, 'll ask",
     "bar 50 ,m", "(mm')", "s 156mm", "2309kg", "二O年", "O二年", "雨□", "ftp:/a.b", "[和 a]", "[a 和]", "HKS84", "SKU ABC",
     "区 Full-time", "a [ Part-time", "'Code has been", "(= 6.17 PLN)", "see $7(2)(b)", "Paid out (E)",
     "7,071878", "V盐石江瑞", "htps://a.org"],
)  # fmt: skip
def test_what_a_seldom_sign_is_taken_for_is(text: str) -> None:
    assert faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text",
    ["012x", "2 X 1.79", "1 x 34.90", "P/O E32", "me@a.com", "(@ 0%)", "SR @ 6%", "a<b", "5umbrellas", "25 C", "第一——第二", "173.956", "1,150.15",
     "192.168.100.20.1", "2019.05.20", "人口 1200", "OK 二楼", "150,15", "5pm", "1C", "10-20", "44%", "Ratio:A", "me@A.com", "[12]", "No. 12",
     "Mr. Yuki Sato", "R. Cox", "5 mm", "12 km", "siR-93C", "No 8, Jalan", "we'll ask", "the 'dry' one", "高新区 12", "[x] done", "'Dry' is", "’90s", "BV 盐石", "Vitamin 盐"],
)  # fmt: skip
def test_and_these_are_not(text: str) -> None:
    assert not faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize("text", ["$1,210.52", "654,274.02", "Total 280.64", "Y93,469.81"])
def test_a_sum_whose_first_sign_was_not_read_surely_is(text: str) -> None:
    line = chars(text, 0.0)
    at = next(i for i, char in enumerate(text) if (not char.isalpha() and char != " ") or char == "Y")
    assert not faults([replace(char, confidence=0.995) for char in line], lexicon())
    assert faults([replace(char, confidence=0.98 if i == at else 0.995) for i, char in enumerate(line)], lexicon()) == {
        at
    }


def test_a_long_sum_without_any_point_or_comma_is() -> None:
    assert faults([ReadChar(char, 1.0, 0, 1) for char in "$5315061"], lexicon())
    assert not faults([ReadChar(char, 1.0, 0, 1) for char in "$5315"], lexicon())


def test_a_sign_that_was_nearly_read_is() -> None:
    line = [ReadChar("-", 0.95, 0, 9, (("~", 0.03),))]
    assert faults(line, lexicon())
    assert not faults([ReadChar("-", 0.95, 0, 9, (("~", 0.003), ("—", 0.04)))], lexicon())


@pytest.mark.parametrize("text", ["Strafe und Hausnummer angeben", "Gracias por su compra", "Numéro"])
def test_other_languages_are(text: str) -> None:
    assert faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize("text", ["Gewicht des Pakets", "Numero de telephone", "Straße und Hof", "fecha del pedido"])
def test_unknown_words_beside_small_ones_of_other_languages_are(text: str) -> None:
    assert faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize("text", ["GQ0WDSRLF55", "S/N: W7I3-LQY3", "Inv 7828F715", "gla2b3c4d", "0x3fOo1"])
def test_codes_with_signs_that_only_words_tell_apart_are(text: str) -> None:
    assert faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text",
    [
        "A2B3",
        "GX-4738-FH",
        "2010-11-10",
        "TOTAL 100.00",
        "HOLIDAYINN",
        "CS00677115",
        "113825-W",
        "LOT 1851-A",
        "330ml",
        "Room12",
        "8 tool",
    ],
)
def test_other_codes_dates_and_words_are_not(text: str) -> None:
    assert not faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize("text", ["（大写》", "(scale bar", "“配州春大“", "*仓原鸡络", "备注】"])
def test_a_bracket_a_quote_or_a_star_without_its_like_is(text: str) -> None:
    assert faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text", ["（大写）", "(scale bar)", "“配州春大”", "*仓原*鸡络", "2*3", "*S", "【备注】", "1) first", "三）第三"]
)
def test_with_it_it_is_not(text: str) -> None:
    assert not faults(chars(text, 0.0), lexicon())


def test_a_line_with_one_character_that_was_hardly_read_is_hardly_read() -> None:
    sure, hardly, space = (ReadChar(*each, 0, 9, ()) for each in (("咨", 0.98), ("容", 0.47), (" ", 0.4)))
    assert hardly_read([sure, hardly])
    assert hardly_read([sure, space, sure]), "PETAL ING"
    assert not hardly_read([space, sure, space]), "paper beside a line"
    assert not hardly_read([space])


@pytest.mark.parametrize(
    "text",
    [
        "TAMAN DAYA SENDIRIAN",
        "Daoyuan Chen, Peng Zhang",
        "recived",
        "Lipo2000",
        "Pharm polye-",
        "as Rheman et al. did, only",
    ],
)
def test_names_and_lone_words_are_not(text: str) -> None:
    assert not faults(chars(text, 0.0), lexicon())


@pytest.mark.parametrize(
    "text",
    ["", "街道 street", "street", "Brown bread", "Lantern of lead street", "14 Lantern Street", "siRNA", "was recived",
     "the parcel came this morning", "AB2-comitee2", "一共 12.50", "LANTERN STREET", "電話號碼", "电话号码", "双組", "の電話號码", "Jon Mattis"],
)  # fmt: skip
def test_others_are_not(text: str) -> None:
    assert not faults(chars(text), lexicon())


@pytest.mark.parametrize(
    ("read", "other", "worth"), [("2", ">", True), ("7", ">", False), ("-", "~", True), ("—", "~", False)]
)
def test_what_was_hardly_thought_of_counts_where_it_is_taken_for_just_that(read: str, other: str, worth: bool) -> None:
    assert bool(faults([ReadChar(read, 0.95, 0, 9, ((other, 0.006),))], lexicon())) is worth


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("the diameter is 12x34 on the left", "2x3"),
        ("No. GQ0WDS of May", "GQ0WDS"),
        ("the commitee will meet", "commitee"),
    ],
)
def test_the_place_of_a_fault_is_told(text: str, part: str) -> None:
    found = sorted(faults(chars(text, 0.0), lexicon()))
    assert "".join(text[at] for at in found) == part


def test_in_running_text_a_bracket_may_be_closed_in_the_next_line() -> None:
    assert not faults(chars("Photograph of tumors from each group (scale bar", 0.0), lexicon())


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("your profle here", True),
        ("Post Ofce", True),
        ("all benefts", True),
        ("call fn now", False),
        ("your profile", False),
        ("Wolfe", False),
        ("iPhof", False),
    ],
)
def test_a_word_that_lost_what_its_face_joins_to_an_f_is(text: str, joined: bool) -> None:
    assert bool(faults(chars(text, 0.0), lexicon())) is joined
