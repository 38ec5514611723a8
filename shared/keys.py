"""Cache keys: a short name for "the same bytes, read the same way by the same models". hashlib only.

Everything that changes the answer is in the key; what only changes who asks or when is not.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable

from shared.records import PICTURES, ReadOptions

_FORMAT = "1"
"""Raised when the stored result changes its shape, so that old cached results are not given out as new ones."""


def job_key(
    blob_sha256: str, kind: str, options: ReadOptions, pages: Iterable[int], fingerprint: str | None, pdf_dpi: int
) -> str:
    """The key of a whole job: equal keys may share one run. "" (no sharing) while the fleet's fingerprint is unknown."""
    if not fingerprint:
        return ""
    dpi = str(pdf_dpi) if kind == "pdf" else ""
    numbers = ",".join(map(str, pages))
    return _digest("job", blob_sha256, kind, options.fingerprint(), numbers, fingerprint, dpi)


def page_key(pixels_sha256: str, options: ReadOptions, fingerprint: str) -> str:
    """The key of one page by its decoded pixels: the same picture in another file, or on another page, is read once.

    Whether the page's picture is kept says nothing about its text, so it is no part of the key."""
    read = dataclasses.replace(options, pictures=PICTURES[0]).fingerprint()
    return _digest("page", pixels_sha256, read, fingerprint) if fingerprint else ""


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join((_FORMAT, *parts)).encode()).hexdigest()
