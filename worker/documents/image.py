"""Still images: PNG, JPEG, BMP, WebP and the first frame of a GIF, in whatever colours they come."""

from __future__ import annotations

import io
import struct
import zlib
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from shared import notices
from shared.errors import NoPages, UnsupportedType
from worker.documents.document import PageImage, check_size, damaged

Image.MAX_IMAGE_PIXELS = None  # our own limit is checked before anything is decoded

DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    struct.error,
    zlib.error,
    cv2.error,
)
"""What decoders raise on damaged files; everything else, MemoryError above all, is not the document's fault."""

WHOLE_PIXELS = 40_000_000  # a picture above this is read at half its size or less: 120 MB of pixels are enough
REDUCIBLE = ("L", "RGB", "RGBA", "LA", "CMYK")
EXIF_ORIENTATION = 0x0112
DARK, LIGHT = 128, 200  # luminance, 0 to 255: below is dark ink, above is light ink
FEW_DARK = 0.02  # share of dark pixels up to which ink on a transparent ground counts as light


class ImageDocument:
    """A document of one page. Raises DocumentError or TooManyPixels from `page` only."""

    def __init__(self, data: bytes, *, max_pixels: int) -> None:
        self._data = data
        self._max_pixels = max_pixels

    @property
    def pages(self) -> int:
        """Always 1: further frames of a GIF or WebP are animation."""
        return 1

    def page(self, number: int) -> PageImage:
        """See `Document.page`."""
        if number != 1:
            raise NoPages(reason=f"an image has no page {number}", reason_zh=f"图片没有第 {number} 页")
        return decode(self._data, self._max_pixels)

    def close(self) -> None:
        """See `Document.close`."""
        self._data = b""


def decode(data: bytes, max_pixels: int) -> PageImage:
    """One image as BGR pixels, upright, its transparency laid on a ground on which its ink is seen.

    ICC profiles are not applied: they move colours by less than any reading notices.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            check_size(*image.size, max_pixels)
            orientation = image.getexif().get(EXIF_ORIENTATION, 1)
            plain = _is_plain(image)
            width, height = image.size
            if width * height > WHOLE_PIXELS:
                # A JPEG is not even decoded whole.
                image.draft(None, (width // _reduction(width, height), height // _reduction(width, height)))
            elif plain:
                pixels = _decode_plain(data)
                if pixels is not None:
                    turned = _turned(pixels, orientation)
                    return PageImage(turned, turned.shape[1], turned.shape[0])
            pixels = _turned(to_bgr(reduced(image)), orientation)
    except UnidentifiedImageError:
        raise UnsupportedType from None
    except DECODE_ERRORS as error:
        raise damaged(error) from error
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return PageImage(pixels, width, height, size_warnings(pixels, width, height))


def size_warnings(pixels: NDArray[np.uint8], width: int, height: int) -> tuple[str, ...]:
    """What to tell the person whose picture is read at less than its `width` by `height`."""
    if pixels.shape[:2] == (height, width):
        return ()
    return (notices.LARGE_IMAGE.said(width=pixels.shape[1], height=pixels.shape[0]),)


def reduced(image: Image.Image) -> Image.Image:
    """A huge picture at a half, a quarter or an eighth of its size, as the mean of its pixels; others as they are."""
    factor = _reduction(*image.size)
    if factor == 1:
        return image
    image.load()
    if image.mode == "1":
        image = image.convert("L")
    return image.reduce(factor) if image.mode in REDUCIBLE and "transparency" not in image.info else image


def _reduction(width: int, height: int) -> int:
    factor = 1
    while width * height > WHOLE_PIXELS * factor * factor and factor < 8:
        factor *= 2
    return factor


def _is_plain(image: Image.Image) -> bool:
    """Whether OpenCV decodes the image to the same pixels: a JPEG, grey or colour, no CMYK."""
    return image.format == "JPEG" and image.mode in ("L", "RGB") and image.info.get("adobe_transform") != 0


def _decode_plain(data: bytes) -> NDArray[np.uint8] | None:
    """OpenCV's decoder: for JPEG twice as fast on the way to BGR (for PNG it is slower than Pillow's).

    None where Pillow has the last word: OpenCV fills what a truncated JPEG lacks with grey and says nothing, so a file
    without its end mark is not for it.
    """
    if b"\xff\xd9" not in data[-64:]:
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return cast("NDArray[np.uint8] | None", pixels)


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The page as displayed, for the eight values of EXIF's Orientation."""
    if orientation in (2, 4, 5, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4):
        pixels = pixels[::-1, ::-1]
    elif orientation in (5, 8):
        pixels = np.rot90(pixels, 1)
    elif orientation in (6, 7):
        pixels = np.rot90(pixels, -1)
    return np.ascontiguousarray(pixels)


def to_bgr(image: Image.Image) -> NDArray[np.uint8]:
    """Any Pillow image, decoded now, as BGR."""
    image.load()
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return _grey_to_bgr(stretch(np.asarray(image)))
    if image.mode == "LAB":
        return _grey_to_bgr(np.asarray(image.getchannel("L"), np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        return _flatten(np.asarray(image.convert("RGBA"), np.uint8))
    if image.mode in ("1", "L"):
        return _grey_to_bgr(np.asarray(image.convert("L"), np.uint8))
    rgb = np.asarray(image if image.mode == "RGB" else image.convert("RGB"), np.uint8)
    return cast("NDArray[np.uint8]", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def _grey_to_bgr(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cast("NDArray[np.uint8]", cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_GRAY2BGR))


def stretch(deep: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey of more than 8 bits, or in floating point, to 8 bits.

    Whole range to whole range where it is used; scans that keep 10 or 12 bits in 16 are stretched to what they use.
    """
    values = np.nan_to_num(deep.astype(np.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 255 and np.issubdtype(deep.dtype, np.integer):
        return values.astype(np.uint8)
    if low >= 0 and 32768 <= high <= 65535:
        low, high = 0.0, 65535.0
    return ((values - low) * (255.0 / max(high - low, 1e-9)) + 0.5).clip(0, 255).astype(np.uint8)


def _flatten(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Transparency over white, or over black where what is opaque is light ink."""
    alpha = rgba[:, :, 3:]
    if alpha.min() == 255:
        return cast("NDArray[np.uint8]", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGR))
    luminance = cv2.cvtColor(rgba, cv2.COLOR_RGBA2GRAY)[alpha[:, :, 0] >= 128]
    light = luminance.size > 0 and float(luminance.mean()) > LIGHT and float((luminance < DARK).mean()) < FEW_DARK
    ground = 0 if light else 255
    share = alpha.astype(np.float32) * np.float32(1 / 255)
    bgr = rgba[:, :, 2::-1].astype(np.float32)
    return np.ascontiguousarray((bgr * share + ground * (1 - share) + 0.5).astype(np.uint8))


def upright(image: Image.Image) -> Image.Image:
    """The image turned as its Orientation says; for formats whose decoder has not done it already."""
    return ImageOps.exif_transpose(image) or image
