"""Bytes to pages, one at a time: images, TIFF and PDF. Imports `shared.errors` and `shared.records`; no Redis, no Celery."""

from __future__ import annotations

from pathlib import Path

from shared.errors import UnsupportedType
from worker.documents.document import Document, PageImage, Source, TextLayer, head

__all__ = ["DOCUMENTS_VERSION", "Document", "PageImage", "Source", "TextLayer", "open_document"]

DOCUMENTS_VERSION = "1"
"""Raised when pages are decoded or text layers trusted in another way: results kept from before are then not given out."""


TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PDF_WITHIN_BYTES = 1024  # the header of a PDF may stand behind so much foreign matter


def open_document(source: Source, kind: str, *, max_pixels: int, dpi: int) -> Document:
    """Opens a document for reading page by page; nothing is decoded yet. Close it when done.

    `source` is the document's bytes, or a file that holds them. `kind` is a type's name (`pdf`, `tiff`, `png`, or
    `image/png`) as found at the door; where it says nothing useful, the content decides. `max_pixels` is the largest
    page that is decoded, `dpi` the resolution at which pages of a PDF are drawn. Raises a DocumentError.
    """
    short = kind.lower().rpartition("/")[2].removeprefix("x-")
    if short not in ("pdf", "tiff", "tif"):
        short = _kind_by_content(head(source, PDF_WITHIN_BYTES), short)
    if short == "pdf":
        from worker.documents.pdf import PdfDocument

        return PdfDocument(source, max_pixels=max_pixels, dpi=dpi)
    if short in ("tiff", "tif"):
        from worker.documents.tiff import TiffDocument

        return TiffDocument(source, max_pixels=max_pixels)
    from worker.documents.image import ImageDocument

    return ImageDocument(source if isinstance(source, bytes) else Path(source).read_bytes(), max_pixels=max_pixels)


def _kind_by_content(start: bytes, claimed: str) -> str:
    if not start:
        from shared.errors import EmptyFile

        raise EmptyFile
    if start.startswith(TIFF_MAGICS):
        return "tiff"
    if b"%PDF-" in start:
        return "pdf"
    known = start.startswith((b"\x89PNG", b"\xff\xd8", b"BM", b"GIF8")) or start[8:12] == b"WEBP"
    if not known:
        raise UnsupportedType
    return claimed
