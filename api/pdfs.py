"""What a PDF says of itself: how many pages, and whether it can be opened at all. Nothing is rendered."""

from __future__ import annotations

import re
import threading

from api.wording import because
from shared.errors import DocumentError, EncryptedPdf, NoPages

_ALONE = threading.Lock()
"""PDFium may be called by one thread at a time in a process."""
_WRONG_PASSWORD = 4
"""FPDF_ERR_PASSWORD; fpdfview.h."""
_EMPTY_TREE = re.compile(rb"/Count\s+0\b")
_ANY_PAGE = re.compile(rb"/Type\s*/Page\b")


def count_pages(data: bytes) -> int:
    """The number of pages. Raises EncryptedPdf, NoPages, or DocumentError for a file that cannot be opened."""
    # A cut-off PDF opens all the same, with the pages whose objects are there: tell it by its missing end.
    if data.rfind(b"%%EOF") < 0:
        raise because(DocumentError, "the PDF ends before its last page does", "PDF 被截断")
    # Imported here: the library is only loaded once a PDF comes.
    import pypdfium2

    with _ALONE:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) == _WRONG_PASSWORD:
                raise EncryptedPdf from None
            if _EMPTY_TREE.search(data) and not _ANY_PAGE.search(data):
                raise because(NoPages, "the PDF is empty", "PDF 是空的") from None
            raise because(DocumentError, "the PDF cannot be opened", "PDF 无法打开") from None
        try:
            pages = len(document)
        finally:
            document.close()
    if pages == 0:
        raise because(NoPages, "the PDF is empty", "PDF 是空的")
    return pages
