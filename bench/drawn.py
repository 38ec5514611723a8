"""Documents drawn for load and fault tests: pages of words, different for each seed, so that no cache knows them."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw, ImageFont

MIX = 4  # documents: the first of them is a PDF, the others are single pictures
MIX_PDF_PAGES = 4
MIX_PAGES = MIX - 1 + MIX_PDF_PAGES
MIX_LINES = 18
MIX_DPI = 100.0  # of the scan within the PDF; the service draws its pages at twice that

WIDTH, MARGIN, LINE_PX, FONT_PX, WORDS_A_LINE = 900, 20, 44, 28, 7
WORDS = [
    "alpha",
    "amount",
    "bravo",
    "cloud",
    "delta",
    "due",
    "green",
    "house",
    "invoice",
    "light",
    "metal",
    "north",
    "paper",
    "receipt",
    "river",
    "seven",
    "stone",
    "sugar",
    "table",
    "total",
]


def picture(seed: int, lines: int = 1) -> Image.Image:
    """A page of so many lines; about 30 ms of reading each. The seed is the first word of every line."""
    dice = random.Random(seed)
    image = Image.new("L", (WIDTH, 60 + LINE_PX * lines), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=FONT_PX)
    for row in range(lines):
        text = " ".join([str(seed), *(dice.choice(WORDS) for _ in range(WORDS_A_LINE))])
        draw.text((30, MARGIN + LINE_PX * row), text, fill=20, font=font)
    return image


def png(seed: int, lines: int = 1) -> bytes:
    """`picture` as a PNG."""
    sink = io.BytesIO()
    picture(seed, lines).save(sink, "PNG")
    return sink.getvalue()


def jpeg(seed: int, lines: int = 1) -> bytes:
    """`picture` as a JPEG."""
    sink = io.BytesIO()
    picture(seed, lines).save(sink, "JPEG", quality=85)
    return sink.getvalue()


def pdf(seed: int, pages: int, lines: int = 12, dpi: float = 72.0) -> bytes:
    """A PDF of scanned pages, each of `seed * 1000 + its index`; `dpi` is the resolution of the scan."""
    first, *others = [picture(seed * 1000 + page, lines) for page in range(pages)]
    sink = io.BytesIO()
    first.save(sink, "PDF", save_all=True, append_images=others, resolution=dpi)
    return sink.getvalue()


def mixed(seed: int) -> tuple[bytes, str, int]:
    """Of a mix of pictures and PDFs the document with this number: its bytes, their kind, how many pages it has."""
    if seed % MIX:
        return jpeg(seed * 1000, MIX_LINES), "jpeg", 1
    return pdf(seed, MIX_PDF_PAGES, MIX_LINES, MIX_DPI), "pdf", MIX_PDF_PAGES
