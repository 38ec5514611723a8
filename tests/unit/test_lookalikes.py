"""Brackets are of one width with their fellows, as the characters inside ask for, and nothing else changes."""

from __future__ import annotations

import pytest

from worker.reading.lookalikes import settled
from worker.reading.recogniser import ReadChar, reading_of


def read(text: str, thought_of: float = 0.0) -> str:
    """The text matched; every bracket's other width was given this probability."""
    other = dict(zip("()[]（）［］", "（）［］()[]", strict=True))
    chars = [
        ReadChar(char, 0.6, i, i + 1, ((other[char], thought_of),) if char in other else ())
        for i, char in enumerate(text)
    ]
    found = settled(reading_of(chars, "fake"))
    assert found.text == "".join(char.text for char in found.chars)
    return found.text


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("（大写)陆仟", "（大写）陆仟"),
        ("合计(小写）", "合计（小写）"),
        ("（2 pcs)", "(2 pcs)"),
        ("[附件］一", "［附件］一"),
        ("(甲（乙))", "(甲（乙）)"),
    ],
)
def test_a_bracket_takes_the_width_that_its_text_asks_for_where_its_fellow_has_another(text: str, right: str) -> None:
    assert read(text) == right


def test_where_both_are_of_the_other_width_the_recogniser_must_have_thought_of_it() -> None:
    assert read("甲方(盖章)", 0.02) == "甲方(盖章)"
    assert read("甲方(盖章)", 0.4) == "甲方（盖章）"
    assert read("Total（net）", 0.4) == "Total(net)"


@pytest.mark.parametrize("text", ["", "1)大写", "（大写", ")(", "(a]", "（甲)乙)", "()", "（）", "甲乙"])
def test_what_does_not_pair_stays(text: str) -> None:
    assert read(text, 0.4) == text


def test_the_character_keeps_what_was_read_as_an_alternative() -> None:
    chars = [ReadChar("（", 0.6, 0, 1), ReadChar("甲", 0.9, 1, 2), ReadChar(")", 0.5, 2, 3, (("）", 0.4), ("]", 0.05)))]
    last = settled(reading_of(chars, "fake")).chars[-1]
    assert (last.text, last.alternatives) == ("）", ((")", 0.5), ("]", 0.05)))
    assert last.confidence == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("text", "right"), [("Straβe", "Straße"), ("Groβ und", "Groß und"), ("β-Carotin", "β-Carotin"), ("αβγ", "αβγ")]
)
def test_a_beta_among_latin_letters_is_a_sharp_s(text: str, right: str) -> None:
    assert read(text) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("W-4 and l-9", "W-4 and I-9"),
        ("l-carnitine", "l-carnitine"),
        ("10l-20l", "10l-20l"),
        ("Disk l/O", "Disk I/O"),
        ("1/O 42", "I/O 42"),
        ("1/0", "1/0"),
        ("ml/O", "ml/O"),
        ("l/Op", "l/Op"),
    ],
)
def test_an_l_before_a_hyphen_and_figures_or_an_o_is_a_capital_i(text: str, right: str) -> None:
    assert read(text) == right


@pytest.mark.parametrize(("text", "right"), [("· 第一", "• 第一"), ("·one", "•one"), ("列·宁", "列·宁"), ("·", "·")])
def test_a_middle_dot_at_the_beginning_is_a_bullet(text: str, right: str) -> None:
    assert read(text) == right


def test_of_two_forms_of_a_figure_read_in_doubt_one_stands() -> None:
    def co2(doubt: float, second: str = "2") -> str:
        chars = [
            ReadChar("O", 1.0, 0, 9), ReadChar("₂", 0.61, 9, 13, ((second, doubt),)), ReadChar(second, 0.55, 13, 17, (("₂", doubt),)),
            ReadChar(" ", 1.0, 17, 20),
        ]  # fmt: skip
        found = settled(reading_of(chars, "fake"))
        assert found.chars[-1].x0 == 17
        return found.text

    assert co2(0.3) == "O₂ "
    assert co2(0.02) == "O₂2 ", "both were read surely"
    assert co2(0.3, "3") == "O₂3 "


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Trans Fat Og", "Trans Fat 0g"),
        ("Cholesterol Omg O%", "Cholesterol 0mg 0%"),
        ("Tax O.00", "Tax 0.00"),
        ("Og", "0g"),
        ("Omg, it works", "Omg, it works"),  # begins a sentence
        ("Ogre", "Ogre"),
        ("CO.25", "CO.25"),
        ("5.Og", "5.Og"),
        ("14/0ct/2025", "14/Oct/2025"),
        ("10ct", "10ct"),
    ],
)
def test_an_o_before_a_unit_is_a_nought(text: str, right: str) -> None:
    assert read(text) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("take 1½2 tablet", "take ½ tablet"),
        ("take ½2 tablet", "take ½ tablet"),
        ("1½ cups", "1½ cups"),
        ("31½2 cups", "31½ cups"),
        ("¾4 inch", "¾ inch"),
        ("½ 2", "½ 2"),
    ],
)
def test_a_fraction_is_not_written_beside_its_own_figures(text: str, right: str) -> None:
    assert read(text) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("初+", "初十"),
        ("初九 初+ 十— 十二", "初九 初十 十一 十二"),
        ("廿—", "廿一"),
        ("二+三", "二+三"),
        ("五十— 六十", "五十— 六十"),
        ("十—二十", "十—二十"),
    ],
)
def test_days_of_the_lunar_calendar_hold_no_signs(text: str, right: str) -> None:
    assert read(text) == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("alb2c3d Fix", "a1b2c3d Fix"),
        ("0cld2e3", "0c1d2e3"),
        ("deadbeef", "deadbeef"),
        ("called2 fable", "called2 fable"),
        ("l234567", "l234567"),
        ("ml2000cc", "ml2000cc"),
    ],
)
def test_a_number_of_a_commit_has_no_l(text: str, right: str) -> None:
    assert read(text) == right


@pytest.mark.parametrize(
    ("text", "other", "right"),
    [
        ("Washer 08.4 DIN 125", "Ø", "Washer Ø8.4 DIN 125"),
        ("tube 025x2 mm", "∅", "tube Ø25x2 mm"),
        ("030 mm", "Ø", "Ø30 mm"),
        ("08.40", "Ø", "08.40"),
        ("03.12.2026", "Ø", "03.12.2026"),
        ("0.84 mm", "Ø", "0.84 mm"),
        ("CrashLoopBack0ff", "O", "CrashLoopBackOff"),
        ("b0ok", "o", "book"),
        ("x20ab0c", "o", "x20ab0c"),
        ("k0", "o", "k0"),
    ],
)
def test_a_nought_that_may_be_another_sign_is_one_where_a_nought_cannot_stand(
    text: str, other: str, right: str
) -> None:
    def with_thought(score: float) -> str:
        chars = [ReadChar(c, 0.6, i, i + 1, ((other, score),) if c == "0" else ()) for i, c in enumerate(text)]
        return settled(reading_of(chars, "fake")).text

    assert with_thought(0.2) == right
    assert with_thought(0.02) == text
