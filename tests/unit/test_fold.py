"""Folding what was read: simplified, traditional, half-width; one character stays one character."""

from __future__ import annotations

import pytest

from shared.records import FOLDS, Cell, Char, Line, Page, Quad, ReadOptions, Table
from worker.reading.fold import folded, folded_page

QUAD: Quad = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))


def box(at: int) -> Quad:
    return ((at * 10.0, 0.0), (at * 10.0 + 10, 0.0), (at * 10.0 + 10, 10.0), (at * 10.0, 10.0))


@pytest.mark.parametrize(
    ("how", "written", "handed_on"),
    [
        ("off", "漢語，ＡＢ", "漢語，ＡＢ"),
        ("simplified", "臺灣的頭髮，為什麼裡面", "台湾的头发，为什么里面"),
        ("simplified", "爲裏面着想", "为里面着想"),
        ("traditional", "头发里面发现", "頭髮裡面發現"),
        ("traditional", "皇后之后，公里以内", "皇后之後，公里以內"),
        ("halfwidth", "ＡＢ１２　（￥５．００）。", "AB12 (¥5.00)。"),
        ("simplified-halfwidth", "發票：ＮＯ．１", "发票:NO.1"),
        ("traditional-halfwidth", "发票：ＮＯ．１", "發票:NO.1"),
        ("simplified", "plain text 123", "plain text 123"),
        ("simplified", "ひらがなカタカナ", "ひらがなカタカナ"),
    ],
)
def test_each_form(how: str, written: str, handed_on: str) -> None:
    assert folded(written, how) == handed_on


def test_every_option_is_a_form_and_nothing_else_is() -> None:
    for how in FOLDS:
        folded("汉A", how)
    with pytest.raises(ValueError, match="unknown form"):
        folded("汉", "halfwidth-simplified")


@pytest.mark.parametrize("how", FOLDS)
def test_no_text_changes_its_length(how: str) -> None:
    everything = "".join(map(chr, range(0x3000, 0xA000))) + "\n" + "".join(map(chr, range(0xFF00, 0xFFF0))) + "𠮷𫠣㐷"
    assert len(folded(everything, how)) == len(everything)


def test_characters_follow_their_words_and_keep_their_boxes() -> None:
    chars = tuple(Char(text, 0.9, box(at), (("髮", 0.05), ("友", 0.02))) for at, text in enumerate("头发"))
    page = Page(20, 10, (Line("头发", 0.9, QUAD, "crnn", chars),), "头发\n发现")
    got = folded_page(page, "traditional")
    assert got.text == "頭髮\n發現"
    assert got.lines[0].text == "頭髮"
    assert [char.text for char in got.lines[0].chars] == ["頭", "髮"]
    assert [char.box for char in got.lines[0].chars] == [box(0), box(1)]
    assert got.lines[0].chars[0].alternatives == (("髮", 0.05), ("友", 0.02))
    assert got.lines[0].chars[1].alternatives == (("友", 0.02),), "another form of the same character is no alternative"


def test_without_folding_the_page_is_the_very_same() -> None:
    page = Page(20, 10, (Line("頭髮", 0.9, QUAD, "crnn"),), "頭髮")
    assert folded_page(page, "off") is page


def test_the_fingerprint_tells_forms_apart_and_stays_as_it_was_without() -> None:
    assert ReadOptions().fingerprint() == "auto/auto/auto/auto"
    assert len({ReadOptions(fold=how).fingerprint() for how in FOLDS}) == len(FOLDS)


def test_the_cells_of_a_table_are_folded_with_the_text() -> None:
    table = Table(1, 2, (Cell(0, 0, 1, 1, "發票", QUAD, (0,)), Cell(0, 1, 1, 1, "ＡＢ", QUAD, (1,))), QUAD, (0, 5))
    page = folded_page(Page(10, 10, (), "發票 ＡＢ", tables=(table,)), "simplified-halfwidth")
    assert [cell.text for cell in page.tables[0].cells] == ["发票", "AB"]
    assert page.text[slice(*page.tables[0].span)] == "发票 AB"
