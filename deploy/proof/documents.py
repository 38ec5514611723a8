"""Documents that no cache knows: sheets of samples, each copy with marks of its own. Run inside the gateway's image.

    python documents.py SAMPLES OUT CYCLES

One cycle is the mix below, in that order; every copy is one file `NUMBER-NAME`.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

# What a morning's post looks like: mostly receipts, some pages, now and then a single line, and one scan of several pages.
MIX = (
    "receipt-en.jpg",
    "receipt-zh.jpg",
    "page-zh.jpg",
    "receipt-en.jpg",
    "invoice-zh.jpg",
    "line-en.png",
    "receipt-zh.jpg",
    "post.tiff",
)
POST = ("receipt-zh.jpg", "note-zh.jpg", "receipt-en.jpg")  # the pages of `post.tiff`
# What lay on the glass beside it: a sheet then holds as much text as a page of a letter does, some 40 lines. (A sample alone
# is read in 0.17 s, and what HTTP and the queue cost would be the larger part of what is measured.)
BESIDE = ("receipt-en.jpg", "receipt-zh.jpg")
PAGES = {name: len(POST) if name == "post.tiff" else 1 for name in MIX}
QUALITY = 92


def main() -> None:
    """Write the files."""
    from PIL import Image

    samples, out, cycles = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

    def opened(name: str) -> Image.Image:
        with Image.open(samples / name) as source:
            return source.convert("RGB")

    def copy(name: str, number: int) -> Image.Image:
        parts = [opened(part) for part in ((name,) if name.endswith(".png") else (name, *BESIDE))]
        picture = Image.new("RGB", (sum(part.width for part in parts), max(part.height for part in parts)), "white")
        x = 0
        for part in parts:
            picture.paste(part, (x, 0))
            x += part.width
        # Blocks of 8x8 in a corner: they survive JPEG, and are no writing.
        for bit in range(24):
            if number >> bit & 1:
                picture.paste((236, 236, 236), (bit * 8, 0, bit * 8 + 8, 4))
        return picture

    number = 0
    for _ in range(cycles):
        for name in MIX:
            number += 1
            data = io.BytesIO()
            if name == "post.tiff":
                pages = [copy(page, number * 4 + k) for k, page in enumerate(POST)]
                pages[0].save(data, "TIFF", save_all=True, append_images=pages[1:], compression="jpeg", quality=QUALITY)
            elif name.endswith(".png"):
                copy(name, number).save(data, "PNG")
            else:
                copy(name, number).save(data, "JPEG", quality=QUALITY)
            (out / f"{number:05d}-{name}").write_bytes(data.getvalue())


if __name__ == "__main__":
    main()
