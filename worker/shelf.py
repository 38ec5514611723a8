"""The documents a worker process has at hand: the last one stays open, and long ones lie on disk for the whole host.

A document of many pages is read by all processes of a host, page by page; its bytes are fetched from the store once
and kept in a spool folder under their hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shared.settings import MIB, Settings
from shared.store.protocol import Claim

if TYPE_CHECKING:
    from worker.documents import Document

log = logging.getLogger(__name__)

SPOOL_BYTES = 512 * MIB  # budget of the spool folder; the least recently used leave first
SPOOL_AGE_S = 3600  # a file unused for this long leaves


class BlobGone(Exception):
    """Raised when the store no longer has a document's bytes: its job ended meanwhile, or the store lost them."""


class Shelf:
    """`open` gives a claim's document; the one before is closed."""

    def __init__(self, settings: Settings, fetch: Callable[[str], bytes | None], folder: Path | None = None) -> None:
        self._settings = settings
        self._fetch = fetch
        self._folder = folder
        self._open: tuple[str, Document] | None = None

    def open(self, claim: Claim) -> Document:
        """The claim's document. Raises DocumentError, BlobGone, StoreUnavailable."""
        if self._open is not None and self._open[0] == claim.blob:
            return self._open[1]
        self.close()
        from worker.documents import open_document

        source = self._spooled(claim.blob) if claim.pages_total > 1 else self._bytes(claim.blob)
        document = open_document(source, claim.kind, max_pixels=self._settings.max_pixels, dpi=self._settings.pdf_dpi)
        self._open = (claim.blob, document)
        return document

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            document, self._open = self._open[1], None
            document.close()

    def _bytes(self, sha256: str) -> bytes:
        data = self._fetch(sha256)
        if data is None:
            raise BlobGone(sha256)
        return data

    def _spooled(self, sha256: str) -> Path | bytes:
        try:
            folder = self._folder or spool_folder()
            path = folder / _safe(sha256)
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)
                return path
            data = self._bytes(sha256)
            sweep(folder, room_for=len(data))
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".", delete=False) as file:
                file.write(data)
            os.replace(file.name, path)
        except OSError as error:
            log.warning("the spool folder cannot be used (%s): every page fetches its document", error)
            return self._bytes(sha256)
        return path


def spool_folder() -> Path:
    """The spool folder of this user, made and owned by it alone. Raises OSError where it is not."""
    folder = Path(tempfile.gettempdir()) / f"ocrfleet-spool-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        raise OSError(f"{folder} is open to others")
    return folder


def sweep(folder: Path, room_for: int = 0) -> None:
    """Remove what is old, then what is least recently used, until `room_for` more bytes are within the budget.

    A process that has a removed file open goes on reading it.
    """
    found = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in found) + room_for
    for used, size, path in sorted(found):
        if used > time.time() - SPOOL_AGE_S and total <= SPOOL_BYTES:
            break
        path.unlink(missing_ok=True)
        total -= size


def _safe(sha256: str) -> str:
    """A file name; blob names are hashes, but nothing is taken on trust that becomes a path."""
    return sha256 if sha256.isalnum() else hashlib.sha256(sha256.encode()).hexdigest()
