"""What a PDF says of itself: how many pages, and whether it can be opened at all. Nothing is rendered."""

from __future__ import annotations

import threading

from api.wording import because
from shared.errors import DocumentError, EncryptedPdf, NoPages

_ALONE = threading.Lock()
"""PDFium may be called by one thread at a time in a process."""


def count_pages(data: bytes) -> int:
    """The number of pages. Raises EncryptedPdf, NoPages, or DocumentError for a file that cannot be opened."""
    # A cut-off PDF opens all the same, with the pages whose objects are there: tell it by its missing end.
    if data.rfind(b"%%EOF") < 0:
        raise because(DocumentError, "the PDF ends before its last page does", "PDF 被截断")
    # Imported here: the library is only loaded once a PDF comes.
    from pypdfium2 import raw

    # The bare functions, because PDFium keeps its last error: of a document without pages, which is no error to it,
    # the wrapper would report whatever went wrong before.
    with _ALONE:
        document = raw.FPDF_LoadMemDocument64(data, len(data), None)
        if not document:
            error = raw.FPDF_GetLastError()
        else:
            pages = int(raw.FPDF_GetPageCount(document))
            raw.FPDF_CloseDocument(document)
    if not document:
        if error == raw.FPDF_ERR_PASSWORD:
            raise EncryptedPdf
        raise because(DocumentError, "the PDF cannot be opened", "PDF 无法打开")
    if pages < 1:
        raise because(NoPages, "the PDF is empty", "PDF 是空的")
    return pages
