"""A result as a PDF that can be searched and copied from: each page's picture, and its text invisibly on top.

The text is set in Type 3 fonts whose glyphs are empty (ISO 32000-1, 9.6.5): they need no font file, know every
character through /ToUnicode, and let a word be stretched to the very place where it was read, at any angle. Where no
picture was kept the lines are outlined instead.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from api import assemble
from api.pictures import Damaged, inspect, jpeg_channels
from shared.store.protocol import JobView

Preview = Callable[[int], "bytes | None"]
"""A page's number -> its JPEG, or None."""

_CODES = 255
"""Characters of one font; a character's code is one byte."""
_MOST_POINTS = 14_400
"""Largest side of a page, in points; ISO 32000-1, annex C."""
_CATALOG, _TREE, _RESOURCES, _GLYPH = 1, 2, 3, 4
_COLOURS = {1: "/DeviceGray", 3: "/DeviceRGB"}


class _Fonts:
    """Gives each character a font and a code, in the order of their first use."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def place(self, char: str) -> tuple[int, int]:
        """The font's number and the code in it, both from 0."""
        return divmod(self._known.setdefault(char, len(self._known)), _CODES)

    def tables(self) -> list[list[str]]:
        """The characters of each font by code."""
        chars = list(self._known)
        return [chars[start : start + _CODES] for start in range(0, len(chars), _CODES)]


class _Run(NamedTuple):
    """A piece of a line between two spaces: where it begins and ends along the line, as shares of its length."""

    text: str
    start: float
    end: float


class _File:
    """Counts bytes and remembers where each object begins."""

    def __init__(self) -> None:
        self._at = 0
        self._places: dict[int, int] = {}
        self._next = _GLYPH + 1

    def head(self) -> bytes:
        """The first line, and one that says that the file is binary."""
        return self._pass(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")

    def number(self) -> int:
        """A number for a further object."""
        self._next += 1
        return self._next - 1

    def put(self, number: int, entries: str, stream: bytes | None = None) -> bytes:
        """An object; with a stream its length is added."""
        self._places[number] = self._at
        if stream is None:
            return self._pass(f"{number} 0 obj\n{entries}\nendobj\n".encode())
        head = f"{number} 0 obj\n<<{entries}/Length {len(stream)}>>stream\n".encode()
        return self._pass(head + stream + b"\nendstream\nendobj\n")

    def end(self, title: str) -> bytes:
        """The table of objects, and the way in."""
        info = self.number()
        last = self.put(info, f"<</Title<{_utf16(title)}>/Producer(ocrfleet)>>")
        rows = "".join(f"{self._places[number]:010} 00000 n \n" for number in sorted(self._places))
        size = len(self._places) + 1
        trailer = f"trailer<</Size {size}/Root {_CATALOG} 0 R/Info {info} 0 R>>\nstartxref\n{self._at}\n%%EOF\n"
        return last + f"xref\n0 {size}\n0000000000 65535 f \n{rows}{trailer}".encode()

    def _pass(self, data: bytes) -> bytes:
        self._at += len(data)
        return data


def write(view: JobView, packed: Mapping[int, bytes], preview: Preview, dpi: int) -> Iterator[bytes]:
    """The document, page after page; only one page is held at a time. `dpi` turns pixels into points."""
    file, fonts, pages = _File(), _Fonts(), []
    yield file.head()
    for page in assemble.pages(packed):
        numbers, pieces = _page(file, fonts, page, preview(page["page"]), dpi)
        pages.append(numbers)
        yield pieces
    yield from _fonts(file, fonts)
    kids = " ".join(f"{number} 0 R" for number in pages)
    yield file.put(_TREE, f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>")
    yield file.put(_CATALOG, f"<</Type/Catalog/Pages {_TREE} 0 R>>")
    yield file.end(view.name or view.id)


def _page(file: _File, fonts: _Fonts, page: dict[str, Any], jpeg: bytes | None, dpi: int) -> tuple[int, bytes]:
    """The objects of a page, and the number by which the tree knows it."""
    # A page that failed has no size; it stays as an empty sheet of A4, so that the others keep their numbers.
    width, height = page["width"] or round(8.27 * dpi), page["height"] or round(11.69 * dpi)
    scale = min(72 / dpi, _MOST_POINTS / width, _MOST_POINTS / height)
    box = f"0 0 {width * scale:.2f} {height * scale:.2f}"
    picture, image = _picture(file, jpeg)
    drawing = [f"q {width * scale:.2f} 0 0 {height * scale:.2f} 0 0 cm /Im Do Q"] if image else ["0.5 w 0.8 G"]
    for line in page["lines"]:
        drawing += _line(fonts, line, scale, height * scale, outlined=not image)
    content, number = file.number(), file.number()
    stream = file.put(content, "/Filter/FlateDecode", zlib.compress("\n".join(drawing).encode()))
    # Resources are written at the end, when the fonts are known; a page's own picture cannot wait for that.
    pictures = f"/XObject<</Im {image} 0 R>>" if image else ""
    entries = f"/MediaBox[{box}]/Resources<</Font {_RESOURCES} 0 R{pictures}>>/Contents {content} 0 R"
    return number, picture + stream + file.put(number, f"<</Type/Page/Parent {_TREE} 0 R{entries}>>")


def _picture(file: _File, jpeg: bytes | None) -> tuple[bytes, int]:
    """The picture's object and number; nothing and 0 where there is none that a PDF can show."""
    if jpeg is None:
        return b"", 0
    try:
        width, height = inspect("jpeg", jpeg, 1).sizes[0]
        colours = _COLOURS[jpeg_channels(jpeg)]
    except (Damaged, KeyError):
        return b"", 0
    number = file.number()
    entries = f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace{colours}/BitsPerComponent 8"
    return file.put(number, entries + "/Filter/DCTDecode", jpeg), number


def _line(fonts: _Fonts, line: dict[str, Any], scale: float, top: float, *, outlined: bool) -> Iterator[str]:
    """A line's text where it was read: each run stretched to its share of the line, turned as the line is."""
    corners = [(x * scale, top - y * scale) for x, y in line["box"]]
    (x0, y0), (x1, y1), _, (x3, y3) = corners
    length, height = math.hypot(x1 - x0, y1 - y0), math.hypot(x3 - x0, y3 - y0)
    if length < 0.1 or height < 0.1:
        return
    if outlined:
        yield " ".join(f"{x:.2f} {y:.2f} {'l' if n else 'm'}" for n, (x, y) in enumerate(corners)) + " s"
    cos, sin = (x1 - x0) / length, (y1 - y0) / length
    for run in _runs(line):
        text = run.text + " "
        # Every glyph is as wide as the font is high; the space after a run hangs over.
        wide = 100 * (run.end - run.start) * length / (len(run.text) * height)
        x, y = x3 + cos * length * run.start, y3 + sin * length * run.start
        yield f"BT 3 Tr {wide:.2f} Tz {cos:.5f} {sin:.5f} {-sin:.5f} {cos:.5f} {x:.2f} {y:.2f} Tm"
        yield from _shown(fonts, text, height)
        yield "ET"


def _shown(fonts: _Fonts, text: str, size: float) -> Iterator[str]:
    """The operators that show a text, changing fonts within it where they must."""
    font, codes = -1, ""
    for char in text:
        number, code = fonts.place(char)
        if number != font:
            if codes:
                yield f"<{codes}> Tj"
            yield f"/F{number} {size:.2f} Tf"
            font, codes = number, ""
        codes += f"{code:02x}"
    yield f"<{codes}> Tj"


def _runs(line: dict[str, Any]) -> Iterator[_Run]:
    """The line's runs. By the boxes of their characters, or where those are missing by the number of characters."""
    content = str(line["text"])
    chars = line.get("chars") or []
    spans: list[tuple[str, float, float]] = []
    if chars and all(char.get("box") for char in chars) and "".join(char["text"] for char in chars) == content:
        spans = [(char["text"], *_along(line["box"], char["box"])) for char in chars]
    else:
        spans = [(char, at / len(content), (at + 1) / len(content)) for at, char in enumerate(content)]
    held: list[tuple[str, float, float]] = []
    for span in [*spans, (" ", 1.0, 1.0)]:
        if span[0] and not span[0].isspace():
            held.append(span)
        elif held:
            start, end = min(one[1] for one in held), max(one[2] for one in held)
            yield _Run("".join(one[0] for one in held), start, max(end, start + 0.001))
            held = []


def _along(line: list[list[float]], char: list[list[float]]) -> tuple[float, float]:
    """Where a character begins and ends along its line, as shares of the line's length."""
    (x0, y0), (x1, y1) = line[0], line[1]
    square = (x1 - x0) ** 2 + (y1 - y0) ** 2 or 1.0
    shares = [((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / square for x, y in char]
    return max(0.0, min(shares)), min(1.0, max(shares))


def _fonts(file: _File, fonts: _Fonts) -> Iterator[bytes]:
    """The fonts: all their glyphs are one empty drawing, and each code says which character it stands for."""
    names: list[str] = []
    for table in fonts.tables():
        unicode, number = file.number(), file.number()
        names.append(f"/F{len(names)} {number} 0 R")
        yield file.put(unicode, "/Filter/FlateDecode", zlib.compress(_to_unicode(table).encode()))
        last = len(table) - 1
        glyphs, widths = "/e" * len(table), "1000 " * len(table)
        yield file.put(
            number,
            f"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]/FirstChar 0/LastChar {last}"
            f"/Widths[{widths}]/Encoding<</Type/Encoding/Differences[0{glyphs}]>>/CharProcs<</e {_GLYPH} 0 R>>"
            f"/Resources<<>>/ToUnicode {unicode} 0 R>>",
        )
    yield file.put(_GLYPH, "", b"1000 0 0 0 1000 1000 d1")
    yield file.put(_RESOURCES, f"<<{''.join(names)}>>")


def _to_unicode(table: list[str]) -> str:
    """A CMap from codes to UTF-16; at most a hundred rows a block (Adobe technical note 5014)."""
    rows = [f"<{code:02x}> <{_utf16(char, mark=False)}>" for code, char in enumerate(table)]
    blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]
    body = "".join(f"{len(block)} beginbfchar\n{chr(10).join(block)}\nendbfchar\n" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /ocrfleet def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <ff> endcodespacerange\n{body}"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )


def _utf16(text: str, *, mark: bool = True) -> str:
    return (b"\xfe\xff" if mark else b"").hex() + text.encode("utf-16-be", "replace").hex()
