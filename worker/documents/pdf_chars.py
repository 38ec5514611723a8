"""PDFium's characters of a page as arrays: what each is, where it stands in page pixels, which way it reads."""

from __future__ import annotations

import ctypes
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

DEVICE = 1000  # PDFium gives device coordinates as whole numbers: ask for a thousandth of a pixel
ANGLE_STEP_DEG = 5  # directions of reading are told apart this finely

BULLETS = {0xF0B7: "•", 0xF06C: "●", 0xF0A7: "▪", 0xF06E: "■", 0xF0D8: "➢", 0xF0FC: "✓", 0xF075: "◆", 0xF0A8: "□"}
"""What Symbol and Wingdings draw at their usual private code points."""
NARROW = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF), "")
LIGATURES = range(0xFB00, 0xFB07)
SPACES = frozenset((0x20, 0xA0, 0x3000, *range(0x2000, 0x200B)))
BREAKS = frozenset((0x0A, 0x0D))
_UNSEEN = (pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP)


@dataclass(frozen=True, slots=True)
class PdfChars:
    """`count` characters in the order of the file, the spaces and line breaks that PDFium puts in included.

    `codes` are Unicode code points; `tight` and `loose` are boxes around the ink and around the font's height, (count,
    4) as left, top, right, bottom in page pixels, NaN where PDFium has none; `angles` are directions of reading in whole
    degrees clockwise on screen; `fill` is the grey level (0 to 255) that glyphs are filled with, -1 where they are not
    simply filled; `generated`, `unmapped`, `hyphen`, `unseen` are flags.
    """

    codes: NDArray[np.uint32]
    tight: NDArray[np.float64]
    loose: NDArray[np.float64]
    angles: NDArray[np.int64]
    fill: NDArray[np.int16]
    generated: NDArray[np.bool_]
    unmapped: NDArray[np.bool_]
    hyphen: NDArray[np.bool_]
    unseen: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.codes)

    def text(self, index: int) -> str | None:
        """The character as text, "" for one that has no width; None for what has no meaning in Unicode."""
        code = int(self.codes[index])
        if code in (0x02, 0xAD) or self.hyphen[index]:
            return "-"
        if code in BULLETS:
            return BULLETS[code]
        private = 0xE000 <= code <= 0xF8FF or 0xD800 <= code <= 0xDFFF or code in (0xFFFD, 0xFFFE, 0xFFFF)
        if self.unmapped[index] or private or code < 0x20 or 0x7F <= code < 0xA0 or code > 0x10FFFF:
            return None
        if code in LIGATURES:
            return unicodedata.normalize("NFKC", chr(code))
        return NARROW.get(code, chr(code))


def read_chars(page: Any, textpage: Any, width: int, height: int) -> PdfChars:
    """All characters of a pypdfium2 page that is drawn `width` by `height` pixels."""
    raw, count = textpage.raw, textpage.count_chars()
    ask = pdfium_c
    boxes = np.full((2, count, 4), np.nan)
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    rectangle = ask.FS_RECTF()
    looks: dict[int, tuple[bool, int]] = {}
    flags = np.zeros((4, count), np.bool_)
    codes, turns, fill = np.zeros(count, np.uint32), np.zeros(count), np.full(count, -1, np.int16)
    for index in range(count):
        code = codes[index] = ask.FPDFText_GetUnicode(raw, index)
        generated = flags[0, index] = ask.FPDFText_IsGenerated(raw, index) == 1
        if generated or code in BREAKS or code in SPACES:
            continue
        flags[1, index] = ask.FPDFText_HasUnicodeMapError(raw, index) == 1
        flags[2, index] = ask.FPDFText_IsHyphen(raw, index) == 1
        flags[3, index], fill[index] = _look(raw, index, looks)
        turns[index] = ask.FPDFText_GetCharAngle(raw, index)
        if ask.FPDFText_GetCharBox(raw, index, left, right, bottom, top):
            boxes[0, index] = left.value, bottom.value, right.value, top.value
        if ask.FPDFText_GetLooseCharBox(raw, index, rectangle):
            boxes[1, index] = rectangle.left, rectangle.bottom, rectangle.right, rectangle.top
    to_page = _page_to_pixels(page, width, height)
    tight, loose = (_in_pixels(part, to_page) for part in boxes)
    loose = np.where(np.isnan(loose), tight, loose)
    along = np.column_stack((np.cos(turns), np.sin(turns))) @ to_page[:, :2].T
    degrees = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    angles = (np.round(degrees / ANGLE_STEP_DEG).astype(np.int64) * ANGLE_STEP_DEG) % 360
    return PdfChars(codes, tight, loose, angles, fill, flags[0], flags[1], flags[2], flags[3])


def _look(raw: Any, index: int, looks: dict[int, tuple[bool, int]]) -> tuple[bool, int]:
    """Whether the character's text object is drawn without ink, as a scanner's recognised words are, and its fill."""
    handle = pdfium_c.FPDFText_GetTextObject(raw, index)
    if not handle:
        return False, -1
    address = ctypes.cast(handle, ctypes.c_void_p).value or 0
    if address not in looks:
        mode = pdfium_c.FPDFTextObj_GetTextRenderMode(handle)
        fill, (red, green, blue, alpha) = -1, (ctypes.c_uint() for _ in range(4))
        if mode == pdfium_c.FPDF_TEXTRENDERMODE_FILL and pdfium_c.FPDFText_GetFillColor(
            raw, index, red, green, blue, alpha
        ):
            fill = (299 * red.value + 587 * green.value + 114 * blue.value) // 1000  # ITU-R BT.601
        looks[address] = mode in _UNSEEN, fill
    return looks[address]


def _page_to_pixels(page: Any, width: int, height: int) -> NDArray[np.float64]:
    """The affine map, (2, 3), from page coordinates to pixels of the page drawn whole, its /Rotate included."""

    def device(x: float, y: float) -> NDArray[np.float64]:
        across, down = ctypes.c_int(), ctypes.c_int()
        pdfium_c.FPDF_PageToDevice(page, 0, 0, width * DEVICE, height * DEVICE, 0, x, y, across, down)
        return np.array((across.value, down.value)) / DEVICE

    origin = device(0, 0)
    return np.column_stack(((device(100, 0) - origin) / 100, (device(0, 100) - origin) / 100, origin))


def _in_pixels(boxes: NDArray[np.float64], to_page: NDArray[np.float64]) -> NDArray[np.float64]:
    corners = boxes.reshape(-1, 2, 2) @ to_page[:, :2].T + to_page[:, 2]
    return np.concatenate((corners.min(axis=1), corners.max(axis=1)), axis=1)
