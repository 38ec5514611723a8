"""The text that a PDF carries itself: used instead of reading where it is what a person sees on the page.

A text layer is trusted only if it accounts for the page's ink. Every character stands on ink, else it is hidden, like
the words behind a scan or a template's marks; and ink in rows outside the text is writing that the layer does not spell:
the layer is then not complete. Characters that the fonts do not map to Unicode spoil it. Whether the words are the ones
that are drawn is for the caller to check, who can read some of them.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from shared.records import Char, Line, Quad
from worker.documents.document import TextLayer
from worker.documents.pdf_chars import BREAKS, SPACES, PdfChars, read_chars
from worker.documents.stray import stray_glyphs

ENGINE = "text-layer"
MIN_CHARS = 8  # fewer prove nothing
MAX_UNMAPPED = 0.05  # share of characters without a meaning; with more of them the fonts are not to be believed
MAX_HIDDEN = 0.25  # share of characters that stand on no ink
MAX_HIDDEN_OF_RUN = 0.15  # the same within a line
MIN_CONTRAST = 24  # grey levels between the darkest and the lightest pixel of a character that is seen
FAR_TONE = 90  # grey levels by which a thin stroke may miss its fill: 76 at most was seen, hidden text has 108 and more
PALE = 225  # grey level from which ink and ground are told apart no more
LEADERS, LEADER_RUN = frozenset(".·․‥…"), 5  # so many of them in a row lead the eye and are written as one
SCAN_COVERS = 0.5  # a picture that covers so much of the page, drawn after text, hides that text
COVERED_TEXTS = 0.2  # share of the text objects that may lie under such a picture
COLUMN_GAP = 2.0  # of a line's height: a wider gap divides two cells or columns
LINE_SHIFT = 0.5  # of a line's height: lines overlap by at least so much
STRAY_GLYPHS, STRAY_SHARE = 6, 0.01  # more stray glyphs, and more of them a character, are text
_HOLE_IN_WORD = re.compile(r"[ac]\?+[ac]")


@dataclasses.dataclass(frozen=True, slots=True)
class Glyph:
    """One character (None: without a meaning): its upright box, and the box's shadow along and across the direction of
    reading, in pixels."""

    text: str | None
    box: list[float]
    start: float
    end: float
    top: float
    bottom: float
    angle: int
    space_before: bool
    seen: bool


def text_layer(page: Any, pixels: NDArray[np.uint8]) -> TextLayer | None:
    """A page's text layer, its lines in the order of the file; None where it is not to be trusted.

    `page` is a pypdfium2 page, `pixels` (height, width, 3) the same page drawn whole.
    """
    height, width = pixels.shape[:2]
    textpage = page.get_textpage()
    try:
        if textpage.count_chars() < MIN_CHARS or _text_is_covered(page):
            return None
        chars = read_chars(page, textpage, width, height)
    finally:
        textpage.close()
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    written = np.flatnonzero(~chars.generated & ~np.isin(chars.codes, tuple(BREAKS | SPACES)))
    boxes = [tuple(box) for box in chars.tight[written].tolist()]
    inked = [_on_ink(grey, box, fill) for box, fill in zip(boxes, chars.fill[written].tolist(), strict=True)]
    seen = np.array(inked, bool) & ~chars.unseen[written]
    shown = written[seen]
    unmapped = sum(1 for index in shown if chars.text(index) is None)
    hidden = len(written) - len(shown)
    if len(shown) < MIN_CHARS or unmapped > MAX_UNMAPPED * len(shown) or hidden > MAX_HIDDEN * len(written):
        return None
    rows, left_out = _sort(_runs(chars, dict(zip(written.tolist(), seen.tolist(), strict=True))))
    if not rows:
        return None
    stray = stray_glyphs(grey, np.array([glyph.box for row in rows for glyph in row]))
    complete = left_out == 0 and stray <= max(STRAY_GLYPHS, STRAY_SHARE * len(shown))
    return TextLayer(tuple(map(_line, rows)), complete)


def _text_is_covered(page: Any) -> bool:
    """Whether a picture over much of the page is drawn after its text, as over the words that a scanner recognised."""
    width, height = page.get_size()
    texts, covered = 0, 0
    for item in page.get_objects(max_depth=3):
        if item.type == pdfium_c.FPDF_PAGEOBJ_TEXT:
            texts += 1
        elif item.type == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            if (right - left) * (top - bottom) >= SCAN_COVERS * width * height:
                covered = texts
    return covered > COVERED_TEXTS * texts


def _on_ink(grey: NDArray[np.uint8], box: tuple[float, ...], fill: int) -> bool:
    """Whether something is seen where a character is said to be; two pixels around it show the ground.

    Nor is what shows nowhere the tone it is filled with, or is white on white: other ink lies there.
    """
    if box[0] != box[0]:  # NaN: PDFium has no box
        return False
    part = grey[max(0, int(box[1]) - 2) : max(0, int(box[3]) + 3), max(0, int(box[0]) - 2) : max(0, int(box[2]) + 3)]
    if part.size == 0 or int(part.max()) - int(part.min()) < MIN_CONTRAST:
        return False
    if fill >= 0 and int(np.abs(part.astype(np.int16) - fill).min()) > FAR_TONE:
        return False
    return fill < PALE or float(np.median((*part[0], *part[-1], *part[:, 0], *part[:, -1]))) < PALE


def _sort(runs: Iterable[list[Glyph]]) -> tuple[list[list[Glyph]], int]:
    """The runs that can be trusted, without what cannot be spelled; and how many were left out for reading.

    A run that is partly hidden is hidden: what was seen of it is something else that happens to lie there. A character
    that its font does not map is a bullet or a mathematical sign, unless letters stand around it: then it is one of
    them, and the run is better read.
    """
    kept, left_out = [], 0
    for run in runs:
        shown = [glyph for glyph in run if glyph.seen]
        if len(run) - len(shown) > MAX_HIDDEN_OF_RUN * len(run):
            continue
        spelled = _without_leaders([glyph for glyph in shown if glyph.text is not None])
        if _has_hole(shown):
            left_out += 1
        elif spelled:
            kept.append(spelled)
    return kept, left_out


def _without_leaders(run: list[Glyph]) -> list[Glyph]:
    """The dots between a title and its page number as one glyph, `…`."""
    out: list[Glyph] = []
    for key, group in itertools.groupby(run, key=lambda glyph: glyph.text in LEADERS and glyph.text):
        glyphs = list(group)
        if key and len(glyphs) >= LEADER_RUN:
            first, last = glyphs[0], glyphs[-1]
            box = [
                *map(min, zip(first.box[:2], last.box[:2], strict=True)),
                *map(max, zip(first.box[2:], last.box[2:], strict=True)),
            ]
            glyphs = [dataclasses.replace(first, text="…", box=box, end=last.end)]
        out += glyphs
    return out


def _has_hole(run: Sequence[Glyph]) -> bool:
    """Whether letters are missing: characters that are not mapped stand within CJK text, or within a word."""
    shape = "".join(
        (" " if glyph.space_before else "")
        + (
            "?"
            if glyph.text is None
            else "c"
            if "\u2e80" <= glyph.text < "\ufb00"
            else "a"
            if glyph.text.isalpha()
            else "."
        )
        for glyph in run
    )
    return bool(_HOLE_IN_WORD.search(shape)) or (2 * shape.count("c") >= len(run) and "?" in shape[1:])


def _runs(chars: PdfChars, seen: Mapping[int, bool]) -> Iterator[list[Glyph]]:
    """Characters that stand in one line, without a wide gap."""
    row: list[Glyph] = []
    space = False
    for index, (code, angle, box) in enumerate(
        zip(chars.codes.tolist(), chars.angles.tolist(), chars.loose.tolist(), strict=True)
    ):
        if code in BREAKS:
            if row:
                yield row
            row, space = [], False
        elif code in SPACES:
            space = True
        elif index in seen and box[0] == box[0]:
            text = chars.text(index)
            if text == "":
                continue
            glyph = _glyph(text, box, angle, space, seen[index])
            if row and _breaks(row[-1], glyph):
                yield row
                row = []
            row.append(glyph)
            space = False
    if row:
        yield row


def _glyph(text: str | None, box: list[float], angle: int, space: bool, seen: bool) -> Glyph:
    left, top, right, bottom = box
    if angle == 0:
        return Glyph(text, box, left, right, top, bottom, angle, space, seen)
    (ax, ay), (cx, cy) = _frame(angle)
    along = [x * ax + y * ay for x in (left, right) for y in (top, bottom)]
    across = [x * cx + y * cy for x in (left, right) for y in (top, bottom)]
    return Glyph(text, box, min(along), max(along), min(across), max(across), angle, space, seen)


def _frame(angle: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """The directions along and across a line of text, as unit vectors on screen."""
    cos, sin = float(np.cos(np.radians(angle))), float(np.sin(np.radians(angle)))
    return (cos, sin), (-sin, cos)


def _breaks(last: Glyph, glyph: Glyph) -> bool:
    """Whether a character begins another line than the one before it."""
    if last.angle != glyph.angle:
        return True
    shared = min(last.bottom, glyph.bottom) - max(last.top, glyph.top)
    if shared < LINE_SHIFT * min(last.bottom - last.top, glyph.bottom - glyph.top):
        return True
    height = max(last.bottom - last.top, glyph.bottom - glyph.top, 1.0)
    return glyph.start - last.end > COLUMN_GAP * height or glyph.end < last.start - 0.5 * height


def _line(row: Sequence[Glyph]) -> Line:
    text = "".join(
        (" " if glyph.space_before and index else "") + (glyph.text or "") for index, glyph in enumerate(row)
    )
    (ax, ay), (cx, cy) = _frame(row[0].angle)
    top, bottom = min(glyph.top for glyph in row), max(glyph.bottom for glyph in row)

    def quad(start: float, end: float) -> Quad:
        return (
            (start * ax + top * cx, start * ay + top * cy),
            (end * ax + top * cx, end * ay + top * cy),
            (end * ax + bottom * cx, end * ay + bottom * cy),
            (start * ax + bottom * cx, start * ay + bottom * cy),
        )

    chars = tuple(Char(glyph.text or "", 1.0, quad(glyph.start, glyph.end)) for glyph in row)
    return Line(text, 1.0, quad(min(glyph.start for glyph in row), max(glyph.end for glyph in row)), ENGINE, chars)
