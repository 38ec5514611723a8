"""A result as text, Markdown, hOCR, ALTO or TSV: each a generator that writes page after page.

hOCR 1.2, ALTO 4 and the TSV columns are those that tesseract's users have tools for. Words are runs of characters
without a space between them, so a line of Chinese is one word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from api import assemble
from shared.store.protocol import JobView

Packed = Mapping[int, bytes]
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""
_FIGURE = re.compile(r"[¥￥$€£-]*\d[\d.,:/%-]*")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~])")
_MARKDOWN_START = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$|[-+=])")


class Rect(NamedTuple):
    """An upright rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


class Word(NamedTuple):
    """A word with the rectangle around it and its confidence, 0 to 1."""

    text: str
    rect: Rect
    confidence: float


def text(view: JobView, packed: Packed) -> Iterator[bytes]:
    """Plain text; a blank line between pages."""
    first = True
    for _, page in assemble.heads(packed):
        if page.text:
            yield (b"" if first else assemble.PAGE_BREAK.encode()) + page.text.encode()
            first = False
    yield b"" if first else b"\n"


def markdown(view: JobView, packed: Packed) -> Iterator[bytes]:
    """Markdown that shows the text as it stands, line by line, tables as tables, with a rule between pages."""
    for index, (number, page) in enumerate(assemble.heads(packed)):
        if index:
            yield b"\n---\n\n"
        if page.error:
            yield f"> Page {number} was not read: {_plain(page.error.get('detail', ''))}\n".encode()
        at = 0
        for table in page.tables:
            yield from _prose(page.text[at : table.span[0]])
            yield f"{_table(table)}\n\n".encode()
            at = table.span[1]
        yield from _prose(page.text[at:])


def _prose(text: str) -> Iterator[bytes]:
    for paragraph in re.split(r"\n{2,}", text.strip("\n")):
        lines = "  \n".join(_plain(line) for line in paragraph.split("\n"))
        if lines:
            yield f"{lines}\n\n".encode()


def _plain(line: str) -> str:
    return _MARKDOWN_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", line))


def _table(table: assemble.HeadTable) -> str:
    """A table with bars between its cells, its first row the heading unless it holds figures; or as HTML, which Markdown holds too,
    where cells span."""
    rows: list[list[assemble.HeadCell]] = [[] for _ in range(table.rows)]
    for cell in table.cells:
        rows[cell.row].append(cell)
    if any(cell.rows > 1 or cell.columns > 1 for cell in table.cells):
        return "\n".join(["<table>", *map(_html_row, rows), "</table>"])
    lines = ["| " + " | ".join(_plain(cell.text).replace("\n", "<br>") for cell in row) + " |" for row in rows]
    if any(_FIGURE.fullmatch(cell.text) for cell in rows[0]):
        lines.insert(0, "|" + "  |" * table.columns)
    return "\n".join([lines[0], "|" + " --- |" * table.columns, *lines[1:]])


def _html_row(row: list[assemble.HeadCell]) -> str:
    cells = []
    for cell in row:
        spans = (f' rowspan="{cell.rows}"' if cell.rows > 1 else "") + (
            f' colspan="{cell.columns}"' if cell.columns > 1 else ""
        )
        text = _xml(cell.text).replace("\n", "<br>")
        cells.append(f"<td{spans}>{text}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def tsv(view: JobView, packed: Packed) -> Iterator[bytes]:
    """One row a page (level 1), line (4) and word (5); confidence in percent, -1 where it has none."""
    columns = "level page_num block_num par_num line_num word_num left top width height conf text"
    yield columns.replace(" ", "\t").encode() + b"\n"
    for page in assemble.pages(packed):
        rows = [_row(1, page["page"], 0, 0, Rect(0, 0, page["width"], page["height"]), -1, "")]
        for number, line in enumerate(page["lines"], 1):
            rows.append(_row(4, page["page"], number, 0, rect(line["box"]), -1, ""))
            for place, word in enumerate(words(line), 1):
                rows.append(_row(5, page["page"], number, place, word.rect, round(word.confidence * 100, 2), word.text))
        yield "".join(rows).encode()


def _row(level: int, page: int, line: int, word: int, at: Rect, confidence: float, content: str) -> str:
    block = 1 if level > 1 else 0
    fields = (level, page, block, block, line, word, *at, f"{confidence:g}", re.sub(r"\s+", " ", content))
    return "\t".join(map(str, fields)) + "\n"


def hocr(view: JobView, packed: Packed) -> Iterator[bytes]:
    """HTML with the place of every line and word."""
    title = _xml(view.name or view.id)
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"/>'
        f"<title>{title}</title>"
        '<meta name="ocr-system" content="ocrfleet"/>'
        '<meta name="ocr-capabilities" content="ocr_page ocr_line ocrx_word"/></head><body>\n'
    ).encode()
    for page in assemble.pages(packed):
        yield _hocr_page(page, view.name).encode()
    yield b"</body></html>\n"


def _hocr_page(page: dict[str, Any], name: str) -> str:
    number = page["page"]
    image = name.replace('"', "'")
    about = f'image "{image}"; bbox 0 0 {page["width"]} {page["height"]}; ppageno {number - 1}'
    rows = [f'<div class="ocr_page" id="page_{number}" title={_attribute(about)}>\n']
    for index, line in enumerate(page["lines"], 1):
        rows.append(f'<span class="ocr_line" id="line_{number}_{index}" title="{_bbox(rect(line["box"]))}">')
        spans = [
            f'<span class="ocrx_word" id="word_{number}_{index}_{place}" '
            f'title="{_bbox(word.rect)}; x_wconf {word.confidence * 100:.0f}">{_xml(word.text)}</span>'
            for place, word in enumerate(words(line), 1)
        ]
        rows.append(" ".join(spans) + "</span><br/>\n")
    return "".join(rows) + "</div>\n"


def _bbox(at: Rect) -> str:
    return f"bbox {at.left} {at.top} {at.left + at.width} {at.top + at.height}"


def alto(view: JobView, packed: Packed) -> Iterator[bytes]:
    """ALTO 4, the form of libraries and archives; measures in pixels."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" SCHEMAVERSION="4.2">\n'
        "<Description><MeasurementUnit>pixel</MeasurementUnit>"
        f"<sourceImageInformation><fileName>{_xml(view.name)}</fileName></sourceImageInformation>"
        '<Processing ID="ocr"><processingSoftware><softwareName>ocrfleet</softwareName></processingSoftware></Processing>'
        "</Description>\n<Layout>\n"
    ).encode()
    for page in assemble.pages(packed):
        yield _alto_page(page).encode()
    yield b"</Layout>\n</alto>\n"


def _alto_page(page: dict[str, Any]) -> str:
    number = page["page"]
    whole = Rect(0, 0, page["width"], page["height"])
    rows = [f'<Page ID="page_{number}" PHYSICAL_IMG_NR="{number}" WIDTH="{whole.width}" HEIGHT="{whole.height}">']
    rows.append(f"<PrintSpace {_place(whole)}>")
    for index, line in enumerate(page["lines"], 1):
        at = rect(line["box"])
        rows.append(
            f'<TextBlock ID="block_{number}_{index}" {_place(at)}><TextLine ID="line_{number}_{index}" {_place(at)}>'
        )
        before: Rect | None = None
        for place, word in enumerate(words(line), 1):
            if before is not None:
                gap = max(0, word.rect.left - before.left - before.width)
                rows.append(f'<SP HPOS="{before.left + before.width}" VPOS="{before.top}" WIDTH="{gap}"/>')
            rows.append(
                f'<String ID="word_{number}_{index}_{place}" {_place(word.rect)} '
                f'WC="{word.confidence:.3f}" CONTENT={_attribute(word.text)}/>'
            )
            before = word.rect
        rows.append("</TextLine></TextBlock>\n")
    return "".join(rows) + "</PrintSpace></Page>\n"


def _place(at: Rect) -> str:
    return f'HPOS="{at.left}" VPOS="{at.top}" WIDTH="{at.width}" HEIGHT="{at.height}"'


def words(line: dict[str, Any]) -> list[Word]:
    """A line's words. Where its characters have no boxes the words share the line's rectangle by their length."""
    whole, confidence, content = rect(line["box"]), float(line["confidence"]), str(line["text"])
    chars = line.get("chars") or []
    if chars and all(char.get("box") for char in chars) and "".join(char["text"] for char in chars) == content:
        found, run = [], []
        for char in [*chars, {"text": " "}]:
            if not char["text"].isspace():
                run.append(char)
            elif run:
                corners = [corner for one in run for corner in one["box"]]
                score = sum(one["confidence"] for one in run) / len(run)
                found.append(Word("".join(one["text"] for one in run), rect(corners), score))
                run = []
        return found
    upright = bool(line.get("vertical"))
    parts = [(match.group(), match.start(), match.end()) for match in re.finditer(r"\S+", content)]
    return [
        Word(part, _share(whole, start / len(content), end / len(content), upright), confidence)
        for part, start, end in parts
    ]


def _share(whole: Rect, start: float, end: float, vertical: bool) -> Rect:
    if vertical:
        top, bottom = round(whole.top + whole.height * start), round(whole.top + whole.height * end)
        return Rect(whole.left, top, whole.width, bottom - top)
    left, right = round(whole.left + whole.width * start), round(whole.left + whole.width * end)
    return Rect(left, whole.top, right - left, whole.height)


def rect(corners: Iterable[Iterable[float]]) -> Rect:
    """The upright rectangle around corners, in whole pixels."""
    points = [tuple(corner) for corner in corners]
    left, top = int(min(x for x, _ in points)), int(min(y for _, y in points))
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    return Rect(left, top, max(1, round(right - left)), max(1, round(bottom - top)))


def xml_text(content: str) -> str:
    """Without what XML cannot hold."""
    return _NOT_XML.sub("", content)


def _xml(content: str) -> str:
    return escape(xml_text(content))


def _attribute(content: str) -> str:
    return quoteattr(xml_text(content))
