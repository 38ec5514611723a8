"""What a picture's own headers say: size, pages, and whether the file is whole. Nothing is decoded.

Each reader walks its format's structure (PNG chunks, JPEG segments, GIF blocks, RIFF chunks, TIFF directories), so a
file that was cut off is told from a whole one, and a picture of absurd size is met before a decoder meets it. Bytes
after the end of a picture are left alone, as every viewer leaves them. Sources: PNG specification (ISO/IEC 15948),
JPEG (ITU T.81 annex B), GIF89a, the WebP container specification, BITMAPINFOHEADER, TIFF 6.0 and BigTIFF.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

Size = tuple[int, int]


class Damaged(Exception):
    """The file is cut off or contradicts itself; the arguments say how, in English and in Chinese."""


class TooManyFrames(Exception):
    """More pages than asked to look at."""


class Picture(NamedTuple):
    """The kind of a picture and the size of each of its pages, (width, height) in pixels."""

    kind: str
    sizes: tuple[Size, ...]


def sniff(data: bytes) -> str | None:
    """The kind by content: png, jpeg, gif, bmp, webp, tiff, pdf; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")):
        return "tiff"
    # "BM" alone begins many a text: the size of the header that follows is one of a few.
    if data.startswith(b"BM") and len(data) >= 18 and _u32le(data, 14) in (12, 16, 40, 52, 56, 64, 108, 124):
        return "bmp"
    # Readers allow some bytes before the header; PDF 1.7, implementation note 13.
    if b"%PDF-" in data[:1024]:
        return "pdf"
    return None


def inspect(kind: str, data: bytes, max_frames: int) -> Picture:
    """Walk the file. Raises Damaged, or TooManyFrames(count so far) above `max_frames` pages."""
    readers = {"png": _png, "jpeg": _jpeg, "gif": _gif, "bmp": _bmp, "webp": _webp}
    try:
        sizes = tuple(_tiff(data, max_frames)) if kind == "tiff" else (readers[kind](data),)
    except (struct.error, IndexError, OverflowError):
        raise cut_off() from None
    if any(width <= 0 or height <= 0 for width, height in sizes):
        raise Damaged("its size is zero", "尺寸为零")
    return Picture(kind, sizes)


def cut_off() -> Damaged:
    """The file ends before the picture does."""
    return Damaged("it ends before the picture does", "文件被截断")


def _u16le(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<H", data, at)[0])


def _u32le(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _png(data: bytes) -> Size:
    if data[12:16] != b"IHDR":
        raise Damaged("its header is missing", "缺少文件头")
    size = struct.unpack_from(">II", data, 16)
    at, pixels = 8, False
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        if at > len(data):
            raise cut_off()
        pixels = pixels or name == b"IDAT"
        if name == b"IEND":
            break
    if not pixels:
        raise Damaged("it holds no pixels", "没有像素数据")
    return size[0], size[1]


_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The next marker after entropy-coded data: neither a stuffed zero, nor a restart marker, nor a fill byte."""
_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


def _jpeg(data: bytes) -> Size:
    at, size, scanned = 2, None, False
    while True:
        found = _JPEG_MARKER.search(data, at)
        if found is None:
            raise cut_off()
        at, marker = found.end(), data[found.end() - 1]
        if marker == 0xD9:
            break
        if marker == 0x01 or marker == 0xD8:
            continue
        length = int(struct.unpack_from(">H", data, at)[0])
        if marker in _JPEG_FRAMES and size is None:
            height, width = struct.unpack_from(">HH", data, at + 3)
            size = (width, height)
        scanned = scanned or marker == 0xDA
        at += length
        if at > len(data):
            raise cut_off()
    if size is None or not scanned:
        raise Damaged("it holds no picture", "没有图像数据")
    return size


def jpeg_channels(data: bytes) -> int:
    """The number of colour channels of a whole JPEG; 0 where it does not say."""
    at = 2
    while (found := _JPEG_MARKER.search(data, at)) is not None:
        at, marker = found.end(), data[found.end() - 1]
        if marker in _JPEG_FRAMES:
            return data[at + 7]
        if marker not in (0x01, 0xD8):
            at += int(struct.unpack_from(">H", data, at)[0])
    return 0


def _gif(data: bytes) -> Size:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _palette(flags)
    while True:
        introducer = data[at]
        if introducer == 0x2C:
            left, top, frame_width, frame_height, flags = struct.unpack_from("<HHHHB", data, at + 1)
            _sub_blocks(data, at + 11 + _palette(flags))
            # Only the first frame is read; a frame may be larger than the screen it was announced for.
            return max(width, left + frame_width), max(height, top + frame_height)
        if introducer == 0x21:
            at = _sub_blocks(data, at + 2)
        else:
            raise Damaged("it holds no picture", "没有图像数据")


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def _bmp(data: bytes) -> Size:
    offset, header = _u32le(data, 10), _u32le(data, 14)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
        compression = _u32le(data, 30) if header >= 20 else 0
    width, height = abs(width), abs(height)
    if compression in (0, 3, 6) and offset + (width * bits + 31) // 32 * 4 * height > len(data):
        raise cut_off()
    return width, height


def _webp(data: bytes) -> Size:
    end = 8 + _u32le(data, 4)
    if end > len(data) + 1:
        raise cut_off()
    name = data[12:16]
    if name == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        return width, int.from_bytes(data[27:30], "little") + 1
    if name == b"VP8L":
        bits = _u32le(data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise Damaged("it holds no picture", "没有图像数据")


class _Tiff(NamedTuple):
    """How a TIFF writes its numbers: byte order, and the layouts of classic TIFF or BigTIFF."""

    order: str
    counter: str
    entry: str
    offset: str
    inline: int


_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_WIDTH, _HEIGHT, _STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 256, 257, 273, 279, 324, 325
_MOST_STRIPS = 1 << 20


def _tiff(data: bytes, max_frames: int) -> Iterator[Size]:
    order = "<" if data[:2] == b"II" else ">"
    if struct.unpack_from(order + "H", data, 2)[0] == 43:
        form, first = _Tiff(order, "Q", "HHQ", "Q", 8), 8
    else:
        form, first = _Tiff(order, "H", "HHI", "I", 4), 4
    at = int(struct.unpack_from(order + form.offset, data, first)[0])
    seen: set[int] = set()
    while at:
        if at in seen:
            raise Damaged("its pages point at each other", "页面目录循环")
        seen.add(at)
        if len(seen) > max_frames:
            raise TooManyFrames(len(seen))
        tags, at = _directory(data, form, at)
        _inside(data, tags.get(_STRIPS, ()), tags.get(_STRIP_BYTES, ()))
        _inside(data, tags.get(_TILES, ()), tags.get(_TILE_BYTES, ()))
        if not tags.get(_STRIPS) and not tags.get(_TILES):
            raise Damaged("a page holds no pixels", "页面没有像素数据")
        yield (tags.get(_WIDTH) or (0,))[0], (tags.get(_HEIGHT) or (0,))[0]
    if not seen:
        raise Damaged("it holds no page", "没有页面")


def _directory(data: bytes, form: _Tiff, at: int) -> tuple[dict[int, tuple[int, ...]], int]:
    """The tags of a directory that matter here, and where the next directory begins (0: nowhere)."""
    count = int(struct.unpack_from(form.order + form.counter, data, at)[0])
    at += struct.calcsize(form.order + form.counter)
    entry, size = form.order + form.entry, struct.calcsize(form.order + form.entry) + form.inline
    if at + count * size > len(data):
        raise cut_off()
    tags: dict[int, tuple[int, ...]] = {}
    for _ in range(count):
        tag, kind, values = struct.unpack_from(entry, data, at)
        if tag in (_WIDTH, _HEIGHT, _STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES) and kind in _TIFF_TYPES:
            if values > _MOST_STRIPS:
                raise Damaged("it claims too many strips", "条带数量异常")
            layout = f"{form.order}{values}{_TIFF_TYPES[kind]}"
            where = at + size - form.inline
            if struct.calcsize(layout) > form.inline:
                where = int(struct.unpack_from(form.order + form.offset, data, where)[0])
            tags[tag] = struct.unpack_from(layout, data, where)
        at += size
    following = struct.unpack_from(form.order + form.offset, data, at)
    return tags, int(following[0])


def _inside(data: bytes, offsets: tuple[int, ...], lengths: tuple[int, ...]) -> None:
    """Every strip lies in the file; old writers leave the lengths out, then only the beginnings are known."""
    if len(lengths) != len(offsets):
        lengths = (1,) * len(offsets)
    if any(offset + length > len(data) for offset, length in zip(offsets, lengths, strict=True)):
        raise cut_off()
