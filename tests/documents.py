"""Small documents made on the spot: whole ones, and each of the broken ones that people send."""

from __future__ import annotations

import functools
import io
import struct
import zlib

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 20), mode: str = "RGB", **options: object) -> bytes:
    """A picture with something on it, encoded by Pillow."""
    image = Image.linear_gradient("L").resize(size).convert(mode)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def frames(kind: str, count: int, size: tuple[int, int] = (60, 20), mode: str = "L", **options: object) -> bytes:
    """A picture of several frames or pages, no two the same."""
    images = [Image.linear_gradient("L").rotate(90 * n).resize(size).convert(mode) for n in range(count)]
    file = io.BytesIO()
    images[0].save(file, kind, save_all=True, append_images=images[1:], **options)
    return file.getvalue()


@functools.cache
def png_bomb(side: int = 30_000) -> bytes:
    """A PNG of a few hundred kilobytes that decodes to `side` x `side` pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress(bytes(side * (side // 8 + 1)), 9)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def pdf(pages: int = 1, *, encrypted: bool = False) -> bytes:
    """A PDF of empty pages. Encrypted: RC4 of 40 bits under a user password that nobody knows."""
    kids = " ".join(f"{3 + number} 0 R" for number in range(pages))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {pages}>>"]
    objects += ["<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>"] * pages
    extra = ""
    if encrypted:
        objects.append(f"<</Filter/Standard/V 1/R 2/Length 40/P -4/O<{'4f' * 32}>/U<{'55' * 32}>>>")
        extra = f"/Encrypt {len(objects)} 0 R/ID[<{'00' * 16}><{'00' * 16}>]"
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj{content}endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R{extra}>>\n"
    return (body + end + f"startxref\n{len(body)}\n%%EOF\n").encode("latin-1")
