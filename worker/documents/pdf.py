"""PDF by PDFium: one page drawn at a time, turned as displayed, form fields filled in."""

from __future__ import annotations

import logging
import math
from typing import Any, cast

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from shared import notices
from shared.errors import EncryptedPdf, NoPages
from worker.documents.document import MIN_SIDE_PX, PageImage, Source, TextLayer, check_size, damaged, no_such_page
from worker.documents.text_layer import text_layer

log = logging.getLogger(__name__)

POINTS_PER_INCH = 72
DRAW_PIXELS = 40_000_000  # largest drawing: 120 MB of pixels; a bigger page is drawn at a lower resolution
SCAN_DPI_MAX = 300  # a page that is one scanned picture is drawn at the picture's own resolution, up to this
SCAN_COVERS = 0.85  # share of the page that one picture covers on a scanned page


class PdfDocument:
    """An open PDF. Raises EncryptedPdf, NoPages or DocumentError."""

    def __init__(self, source: Source, *, max_pixels: int, dpi: int) -> None:
        self._max_pixels = max_pixels
        self._dpi = dpi
        try:
            self._pdf: Any = pypdfium2.PdfDocument(source)
            self._pages = len(self._pdf)
            if self._pdf.get_formtype() != pdfium_c.FORMTYPE_NONE:
                self._pdf.init_forms()  # else the values of form fields are not drawn
        except pypdfium2.PdfiumError as error:
            if error.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
                raise EncryptedPdf from None
            raise damaged(error) from error
        if self._pages < 1:
            raise NoPages(reason="it is empty", reason_zh="文档是空的")

    @property
    def pages(self) -> int:
        """See `Document.pages`."""
        return self._pages

    def page(self, number: int) -> PageImage:
        """See `Document.page`."""
        if not 1 <= number <= self._pages:
            raise no_such_page(self._pages, number)
        try:
            page = self._pdf[number - 1]
        except pypdfium2.PdfiumError as error:
            raise damaged(error) from error
        try:
            return self._draw(page)
        except (pypdfium2.PdfiumError, ValueError, AssertionError) as error:
            raise damaged(error) from error
        finally:
            page.close()

    def _draw(self, page: Any) -> PageImage:
        width, height = page.get_size()
        if not (width > 0 and height > 0 and math.isfinite(width * height)):
            raise NoPages(reason="the page has no size", reason_zh="该页没有尺寸")
        wanted = max(self._dpi, min(scan_dpi(page), SCAN_DPI_MAX)) / POINTS_PER_INCH
        most = min(self._max_pixels, DRAW_PIXELS)
        # PDFium rounds both sides up, so leave a pixel of room on each.
        scale = min(wanted, math.sqrt(most / (width * height)) * (1 - 1 / math.sqrt(most)))
        warnings: tuple[str, ...] = ()
        if scale < wanted:
            dpi = scale * POINTS_PER_INCH
            warnings = (notices.LARGE_PAGE.said(width=f"{width:.0f}", height=f"{height:.0f}", dpi=f"{dpi:.0f}"),)
        if min(width, height) * scale < MIN_SIDE_PX:
            check_size(math.ceil(width * scale), math.ceil(height * scale), self._max_pixels)
        bitmap = page.render(scale=scale, fill_color=(255, 255, 255, 255), rev_byteorder=False)
        try:
            pixels = cast("NDArray[np.uint8]", np.array(bitmap.to_numpy()[:, :, :3], np.uint8, order="C"))
        finally:
            bitmap.close()
        return PageImage(pixels, pixels.shape[1], pixels.shape[0], warnings, _text_layer(page, pixels))

    def close(self) -> None:
        """See `Document.close`."""
        self._pdf.close()


def _text_layer(page: Any, pixels: NDArray[np.uint8]) -> TextLayer | None:
    try:
        return text_layer(page, pixels)
    except (pypdfium2.PdfiumError, ValueError, cv2.error):
        log.warning("a page's text layer cannot be used: it is read instead", exc_info=True)
        return None


def scan_dpi(page: Any) -> float:
    """The resolution of the one picture that covers the page, in dots per inch; 0 where the page is not such a scan."""
    width, height = page.get_size()
    best = 0.0
    for picture in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = picture.get_bounds()
        if (right - left) * (top - bottom) < SCAN_COVERS * width * height:
            continue
        long_px, short_px = sorted(picture.get_px_size(), reverse=True)
        long_pt, short_pt = sorted((right - left, top - bottom), reverse=True)
        best = max(best, min(long_px / long_pt, short_px / short_pt) * POINTS_PER_INCH)
    return best
