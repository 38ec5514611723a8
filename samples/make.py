"""Makes the sample documents of this folder and samples.json, which holds their true text.

    python samples/make.py            # from the repository's root; needs Pillow, numpy, OpenCV and the fonts below

Fonts, all free, from Debian: fonts-noto-cjk fonts-wqy-zenhei fonts-lxgw-wenkai fonts-dejavu-core fonts-liberation
fonts-inter fonts-breip. The pictures are committed: nothing needs the fonts but this script.

Every name, company, address and number is invented. Each document is a function that returns its pages; the text is
remembered as it is drawn, so the truth cannot drift from the picture.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))
from documents import (
    contract_zh,
    invoice_zh,
    letter_pdf,
    note_en,
    note_zh,
    page_en,
    page_zh,
    report_pages,
    scan_pages,
    two_columns,
    vertical_zh,
)
from scenes import (
    badge,
    chat_zh,
    line,
    receipt_en,
    receipt_zh,
    road_sign,
    shop_sign,
    terminal,
    ticket,
)
from sheet import Sheet, blur, grain, shade, shaken, tilt

HERE = Path(__file__).parent
ON_THE_PAGE = HERE.parent / "web" / "samples"  # copies of a few, for visitors without a picture at hand
SHOWN = ("receipt-en.jpg", "road-sign.jpg", "invoice-zh.jpg", "contract-zh.jpg", "report-5p.pdf")


@dataclasses.dataclass(frozen=True)
class Sample:
    """One file: its pages, what it is, and how hard it is to read (`easy`, `fair`, `hard`)."""

    file: str
    kind: str
    lang: str
    hard: str
    note: str
    pages: list[Sheet]
    quality: int = 72  # of JPEG and WebP


def lines() -> list[Sample]:
    """Crops of one line, for the `line` layout."""
    dim = line("Platform 7 departs at 18 45", "serif", 34)
    dim.image = grain(shade(dim.image, 0.34, 0.22), 5, 3)
    soft = line("清晨的阳光照在安静的小河上", "noto", 40)
    soft.image = grain(blur(soft.image, 1.9), 3, 4)
    moved = line("高新区创业路 268 号", "zenhei", 40)
    moved.image = grain(shaken(moved.image, 6), 3, 5)
    leaning = line("Please keep the door closed", "inter", 36, margin=26)
    leaning.image = tilt(leaning.image, 3.2, leaning.paper)
    reverse = line("欢迎光临 Welcome", "noto-bold", 44, paper=(24, 58, 94), ink=(244, 246, 250))
    tiny = line("Serial number 40728 batch 1963", "dejavu", 13, margin=3)
    long_zh = line(
        "图书馆每天上午九点开放晚上八点关闭读者可以在一楼大厅办理借书证也可以通过手机预约座位周末和节假日照常开放",
        "noto",
        30,
    )
    long_en = line(
        "The committee will meet on the second Monday of every month to review open questions and plan the work ahead",
        "times",
        30,
    )
    return [
        Sample("line-en.png", "line", "en", "easy", "clean print", [line("Every page tells a story", "serif", 40)]),
        Sample("line-zh.png", "line", "zh", "easy", "clean print", [line("欢迎使用文字识别服务", "song", 44)]),
        Sample(
            "line-mixed.png", "line", "zh+en", "easy", "clean print", [line("订单 AB2047 已于今天发货", "noto", 40)]
        ),
        Sample("line-digits.png", "line", "en", "easy", "digits only", [line("6214 8350 9127 4406", "mono-bold", 42)]),
        Sample("line-reverse.webp", "line", "zh+en", "easy", "light on dark, WebP", [reverse]),
        Sample("line-long-zh.png", "line", "zh", "fair", f"{len(long_zh.lines[0])} characters in one line", [long_zh]),
        Sample("line-long-en.jpg", "line", "en", "fair", f"{len(long_en.lines[0])} characters in one line", [long_en]),
        Sample("line-small.png", "line", "en", "fair", "13 px type, 22 px high", [tiny]),
        Sample("line-tilted.jpg", "line", "en", "fair", "turned by 3 degrees", [leaning]),
        Sample("line-blurred.jpg", "line", "zh", "hard", "out of focus", [soft]),
        Sample("line-shaken.jpg", "line", "zh", "hard", "the hand moved", [moved]),
        Sample("line-dim.jpg", "line", "en", "hard", "a quarter of the light", [dim]),
    ]


def pages() -> list[Sample]:
    """Whole pages, photographs and documents of several pages."""
    turned = page_en()
    turned.image = turned.image.transpose(Image.Transpose.ROTATE_270)
    return [
        Sample("invoice-zh.jpg", "invoice", "zh+en", "fair", "ruled table, slightly soft", [invoice_zh()]),
        Sample("contract-zh.jpg", "contract", "zh", "fair", "a seal over the text, a watermark", [contract_zh()]),
        Sample("receipt-en.jpg", "receipt", "en", "fair", "thermal paper on a table, tilted", [receipt_en()]),
        Sample("receipt-zh.jpg", "receipt", "zh+en", "hard", "thermal paper, dim and uneven light", [receipt_zh()], 60),
        Sample("road-sign.jpg", "sign", "zh+en", "fair", "seen from the side", [road_sign()]),
        Sample("shop-sign.jpg", "sign", "zh+en", "fair", "evening light", [shop_sign()]),
        Sample("badge.png", "card", "en", "easy", "transparent ground", [badge()]),
        Sample("ticket.jpg", "ticket", "zh+en", "fair", "coloured paper, tilted", [ticket()]),
        Sample("screen-chat.png", "screenshot", "zh", "easy", "a chat in bubbles", [chat_zh()]),
        Sample("screen-terminal.png", "screenshot", "en", "easy", "light on dark, fixed width", [terminal()]),
        Sample("page-en.png", "page", "en", "easy", "one bit a pixel", [page_en()]),
        Sample("page-zh.jpg", "page", "zh", "easy", "a page of a book", [page_zh()]),
        Sample("page-columns.png", "page", "en", "fair", "two columns: read the left one first", [two_columns()]),
        Sample("page-vertical.jpg", "page", "zh", "fair", "columns from top to bottom, right to left", [vertical_zh()]),
        Sample("page-turned.png", "page", "en", "fair", "lies on its side, a quarter turn clockwise", [turned]),
        Sample("page-exif.jpg", "page", "zh", "fair", "stored on its side, the EXIF mark sets it upright", [page_zh()]),
        Sample("note-en.jpg", "note", "en", "hard", "a handwriting font on ruled paper", [note_en()]),
        Sample("note-zh.jpg", "note", "zh", "fair", "a written-looking Kai font on squared paper", [note_zh()]),
        Sample("report-5p.pdf", "report", "zh+en", "easy", "five pages, each one picture", report_pages(), 55),
        Sample("scan-3p.tiff", "scan", "en", "easy", "three pages, one bit a pixel, fax compression", scan_pages()),
        Sample("letter.pdf", "letter", "en", "easy", "one page of real text: has a text layer", [letter_pdf()]),
    ]


def save(sample: Sample) -> None:
    """Write one sample in the format of its name."""
    path = HERE / sample.file
    images = [sheet.image for sheet in sample.pages]
    first, rest = images[0], images[1:]
    match path.suffix:
        case ".jpg" if "exif" in path.name:
            exif = Image.Exif()
            exif[0x0112] = 6  # orientation: the viewer turns it a quarter clockwise
            first.transpose(Image.Transpose.ROTATE_90).save(path, quality=sample.quality, optimize=True, exif=exif)
        case ".jpg":
            first.save(path, quality=sample.quality, optimize=True)
        case ".webp":
            first.save(path, quality=sample.quality, method=6)
        case ".png" if path.name == "badge.png":
            badge_cut_out(first).save(path, optimize=True)
        case ".png" if sample.note == "one bit a pixel":
            first.convert("1", dither=Image.Dither.NONE).save(path, optimize=True)
        case ".png":
            first.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)
        case ".tiff":
            ones = [image.convert("1", dither=Image.Dither.NONE) for image in images]
            ones[0].save(path, save_all=True, append_images=ones[1:], compression="group4", dpi=(150, 150))
        case ".pdf" if sample.pages[0].pdf:
            path.write_bytes(sample.pages[0].pdf)
        case ".pdf":
            # A fixed date: the same run gives the same bytes.
            dates: dict[str, Any] = {"creationDate": time.gmtime(0), "modDate": time.gmtime(0)}
            first.save(path, save_all=True, append_images=rest, quality=sample.quality, resolution=110, **dates)
        case suffix:
            raise ValueError(f"no writer for {suffix}")


def badge_cut_out(image: Image.Image) -> Image.Image:
    """The badge with its white ground made transparent, as a designer's export is."""
    cut = image.convert("RGBA")
    alpha = cut.convert("L").point(lambda grey: 0 if grey > 250 else 255)
    cut.putalpha(alpha)
    return cut


def describe(sample: Sample) -> dict[str, Any]:
    """The entry of samples.json. Sizes are of the page as displayed, in pixels; PDF pages have none of their own."""
    rows = []
    for number, sheet in enumerate(sample.pages, 1):
        row: dict[str, Any] = {"page": number}
        if not sample.file.endswith(".pdf"):
            row |= {"width": sheet.image.width, "height": sheet.image.height}
        rows.append(row | {"lines": sheet.lines})
    about = {"file": sample.file, "kind": sample.kind, "lang": sample.lang, "hard": sample.hard, "note": sample.note}
    return about | {"pages": rows}


def main() -> None:
    """Make everything and say what it weighs."""
    samples = lines() + pages()
    for sample in samples:
        save(sample)
    (HERE / "samples.json").write_text(
        json.dumps([describe(sample) for sample in samples], ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    ON_THE_PAGE.mkdir(exist_ok=True)
    for name in SHOWN:
        (ON_THE_PAGE / name).write_bytes((HERE / name).read_bytes())
    total = 0
    for sample in samples:
        size = (HERE / sample.file).stat().st_size
        total += size
        print(f"{size / 1024:8.1f} KiB  {sample.file}")
    print(f"{total / 1024:8.1f} KiB  in all")


if __name__ == "__main__":
    main()
