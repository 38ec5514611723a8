"""TIFF: one or many pages, any depth, fax pages with oblong pixels included."""

from __future__ import annotations

import io
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from shared import notices
from worker.documents.document import PageImage, Source, check_size, damaged, no_such_page
from worker.documents.image import DECODE_ERRORS, reduced, size_warnings, to_bgr, upright

KEEP_PIXELS = 10_000_000  # a decoded page above this is not kept for the next one's sake
OBLONG = 1.3  # pixels more oblong than this (fax: 1.92) are made square; less is left as it is displayed


class TiffDocument:
    """Pages are decoded one at a time; the file stays compressed in memory or on disk."""

    def __init__(self, source: Source, *, max_pixels: int) -> None:
        self._source = source
        self._max_pixels = max_pixels
        try:
            self._image = self._open()
            self._pages = int(getattr(self._image, "n_frames", 1))
        except (UnidentifiedImageError, *DECODE_ERRORS) as error:
            raise damaged(error) from error

    def _open(self) -> Image.Image:
        return Image.open(io.BytesIO(self._source) if isinstance(self._source, bytes) else self._source)

    @property
    def pages(self) -> int:
        """See `Document.pages`."""
        return self._pages

    def page(self, number: int) -> PageImage:
        """See `Document.page`."""
        if not 1 <= number <= self._pages:
            raise no_such_page(self._pages, number)
        try:
            self._image.seek(number - 1)
            check_size(*self._image.size, self._max_pixels)
            pixels, width, height = self._decode(number)
            across, down = _resolution(self._image)
            if width * height > KEEP_PIXELS:
                # Pillow keeps the page it decoded last; opening anew gives its memory back.
                self._image.close()
                self._image = self._open()
        except (UnidentifiedImageError, *DECODE_ERRORS) as error:
            raise damaged(error) from error
        warnings = size_warnings(pixels, width, height)
        if across and down and max(across, down) > OBLONG * min(across, down):
            width, height = (
                (width, round(height * across / down)) if across > down else (round(width * down / across), height)
            )
            share = min(1.0, (self._max_pixels / (width * height)) ** 0.5, pixels.shape[1] / width if warnings else 1.0)
            size = (max(1, int(width * share)), max(1, int(height * share)))
            pixels = cast("NDArray[np.uint8]", cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR))
            warnings += (notices.OBLONG_PIXELS.said(across=f"{across:g}", down=f"{down:g}"),)
        return PageImage(pixels, width, height, warnings)

    def _decode(self, number: int) -> tuple[NDArray[np.uint8], int, int]:
        """The pixels of a page, and the size it has before it is reduced."""
        try:
            self._image.load()
            shown = upright(self._image)
            return to_bgr(reduced(shown)), *shown.size
        except DECODE_ERRORS:
            # Pillow lacks some layouts (planar 16-bit colour, 32-bit colour); OpenCV has its own reader of TIFF.
            data = self._source if isinstance(self._source, bytes) else self._source.read_bytes()
            found, frames = cv2.imdecodemulti(
                np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR, range=(number - 1, number)
            )
            if not found or not frames:
                raise
            return cast("NDArray[np.uint8]", frames[0]), frames[0].shape[1], frames[0].shape[0]

    def close(self) -> None:
        """See `Document.close`."""
        self._image.close()


def _resolution(image: Image.Image) -> tuple[float, float]:
    across, down = image.info.get("dpi", (0, 0))
    return float(across), float(down)
