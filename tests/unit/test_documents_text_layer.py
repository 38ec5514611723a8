"""A PDF's own text is believed only where it is what a person sees."""

from __future__ import annotations

import numpy as np
import pypdfium2
import pytest

from tests.unit.test_documents_paged import opened, pdf
from worker.documents import PageImage, TextLayer

HEAD = "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>"


def drawn(content: str, extra: str = "", font: str = "/BaseFont/Helvetica", *more: str) -> PageImage:
    """A page of 400x200 points at 144 dpi with one font, F, a grey picture, P, and the objects `more` from 7 on."""
    resources = "/Resources<</Font<</F 5 0 R>>/XObject<</P 6 0 R>>>>"
    return opened(
        pdf(
            *HEAD,
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R{resources}{extra}>>",
            f"<</Length {len(content)}>>stream\n{content}\nendstream",
            f"<</Type/Font/Subtype/Type1{font}>>",
            "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/Length 1>>"
            "stream\n\xf0\nendstream",
            *more,
        ),
        dpi=144,
    ).page(1)


def text(words: str, x: float = 40, y: float = 100, size: float = 20, before: str = "") -> str:
    return f"BT {before} /F {size} Tf 1 0 0 1 {x} {y} Tm ({words}) Tj ET "


def layer(content: str, *arguments: str) -> TextLayer:
    found = drawn(content, *arguments).text_layer
    assert found is not None
    return found


def texts(content: str, *arguments: str) -> list[str]:
    return [line.text for line in layer(content, *arguments).lines]


def test_plain_text_is_taken_with_boxes_that_lie_on_its_ink() -> None:
    page = drawn(text("Invoice 2024-117"))
    assert page.text_layer is not None
    assert page.text_layer.complete
    (line,) = page.text_layer.lines
    assert (line.text, line.engine, line.confidence) == ("Invoice 2024-117", "text-layer", 1.0)
    rows, columns = np.nonzero(page.image[:, :, 0] < 128)
    (left, top), (right, bottom) = line.box[0], line.box[2]
    assert abs(left - columns.min()) < 6
    assert abs(right - columns.max()) < 6
    assert top < rows.min()
    assert bottom > rows.max()
    assert "".join(char.text for char in line.chars) == "Invoice2024-117"
    assert all(first.box[1][0] <= second.box[0][0] + 2 for first, second in zip(line.chars, line.chars[1:], strict=False)
               if first.box and second.box)  # fmt: skip


def test_lines_columns_and_the_order_of_the_file_are_kept() -> None:
    content = text("Second written first", y=60) + text("Left cell", y=120) + text("Right cell", x=260, y=120)
    assert texts(content) == ["Second written first", "Left cell", "Right cell"]


def test_a_turned_page_has_its_boxes_as_displayed() -> None:
    page = drawn(text("Turned with the page"), "/Rotate 90")
    assert page.text_layer is not None
    box = page.text_layer.lines[0].box
    assert page.image.shape == (800, 400, 3)
    assert box[1][1] > box[0][1] + 100, "the text runs down the page"
    assert abs(box[1][0] - box[0][0]) < 1
    inside = page.image[int(box[0][1]) : int(box[1][1]), int(box[2][0]) : int(box[0][0])]
    assert inside.min() < 128


def test_what_a_scanner_recognised_is_not_believed() -> None:
    picture = "q 400 0 0 200 0 0 cm /P Do Q "
    assert drawn(picture + text("Invisible words of a scanner", before="3 Tr")).text_layer is None
    assert drawn(text("Words below a picture") + picture).text_layer is None
    assert texts(picture + text("Words on a picture")) == ["Words on a picture"]


def test_hidden_marks_are_dropped_and_a_page_of_them_is_not_believed() -> None:
    hidden = text("[Mark]", y=160, size=6, before="1 1 1 rg") + "0 0 0 rg "
    assert texts(hidden + text("What everybody sees on the page")) == ["What everybody sees on the page"]
    assert drawn(text("White on white all along", before="1 1 1 rg")).text_layer is None


def test_words_that_are_not_drawn_are_hidden_even_where_other_ink_lies() -> None:
    crossed = text("[Mark]", y=100, before="1 1 1 rg") + "0 0 0 rg " + text("The visible author of it", x=44, y=103)
    assert texts(crossed) == ["The visible author of it"]
    clipped = (
        "q 0 0 1 1 re W n " + text("[Cut]", y=100) + "Q 0.5 0.6 0.9 rg " + text("The pale author of it", x=40, y=98)
    )
    assert texts(clipped) == ["The pale author of it"]
    dark = "0 0 0 rg 0 80 400 60 re f " + text("White on black is seen", before="1 1 1 rg")
    assert texts(dark) == ["White on black is seen"]


def test_the_dots_that_lead_to_a_page_number_are_written_as_one() -> None:
    (line,) = layer(text("Introduction ....................... 12", size=12)).lines
    assert line.text == "Introduction … 12"
    dots = line.chars[-3]
    assert dots.text == "…"
    assert dots.box is not None
    assert dots.box[1][0] - dots.box[0][0] > 100


def test_writing_that_the_layer_does_not_spell_makes_it_incomplete() -> None:
    strokes = "".join(f"{40 + 14 * n} 30 3 14 re {43 + 14 * n} 30 5 3 re f " for n in range(12))
    assert layer(text("Only this is text")).complete
    assert not layer(text("Only this is text") + strokes).complete


def test_rules_boxes_and_dashes_are_no_writing() -> None:
    table = "".join(f"20 {y} m 380 {y} l S {20 + y} 20 m {20 + y} 180 l S " for y in range(20, 181, 40))
    dashes = "[6 4] 0 d 20 10 m 380 10 l S "
    assert layer(
        text("A cell", x=70, y=128, size=12) + text("Another cell", x=110, y=88, size=12) + table + dashes
    ).complete


ENCODED = "/BaseFont/Helvetica/ToUnicode 7 0 R"


def to_unicode(*pairs: tuple[int, int]) -> str:
    rows = "\n".join(f"<{code:02X}> <{meaning:04X}>" for code, meaning in pairs)
    cmap = f"begincmap 1 begincodespacerange <00> <FF> endcodespacerange {len(pairs)} beginbfchar\n{rows}\nendbfchar endcmap"
    return f"<</Length {len(cmap)}>>stream\n{cmap}\nendstream"


def test_a_font_without_meaning_is_not_believed() -> None:
    private = to_unicode(*((code, 0xE000 + code) for code in range(0x20, 0x7F)))
    assert drawn(text("Nothing of this can be spelled"), "", ENCODED, private).text_layer is None


def test_a_line_with_a_missing_letter_is_left_to_reading() -> None:
    gap = to_unicode(*((code, 0xE123 if code == ord("x") else code) for code in range(0x20, 0x7F)))
    content = text("A long line in which all is well here", y=140, size=14) + text("An exxample of holes", y=60)
    found = layer(content, "", ENCODED, gap)
    assert [line.text for line in found.lines] == ["A long line in which all is well here"]
    assert not found.complete


def test_symbols_at_private_places_become_the_bullets_they_draw() -> None:
    bullet = to_unicode(*((code, 0xF0B7 if code == ord("*") else code) for code in range(0x20, 0x7F)))
    assert texts(text("* first point of three"), "", ENCODED, bullet) == ["• first point of three"]


def test_ligatures_are_spelled_out_and_soft_hyphens_shown() -> None:
    font = to_unicode(*((code, {ord("1"): 0xFB01, ord("2"): 0xAD}.get(code, code)) for code in range(0x20, 0x7F)))
    assert texts(text("1nal docu2 words"), "", ENCODED, font) == ["final docu- words"]


def test_too_little_text_proves_nothing() -> None:
    assert drawn(text("Page 7")).text_layer is None


def test_a_layer_that_breaks_its_reader_costs_only_the_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(page: object, pixels: object) -> None:
        raise pypdfium2.PdfiumError("no text page")

    monkeypatch.setattr("worker.documents.pdf.text_layer", broken)
    page = drawn(text("All the same the page is drawn"))
    assert page.text_layer is None
    assert page.image.min() < 128
