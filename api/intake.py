"""Bytes in -> checked -> accepted. A document that fails a check leaves nothing behind.

The store is asked first and given the bytes only when it says that it lacks them: an answer from the cache, a joined
run and a refusal move no document at all.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import Request

from api import pdfs, pictures
from api.gateway import Gateway
from api.options import Asked, parse, select_pages
from api.receive import Received, receive
from api.wording import because
from shared import errors, ids
from shared.keys import job_key
from shared.settings import Settings
from shared.store.protocol import Accepted, NewJob

KINDS = ("png", "jpeg", "bmp", "tiff", "webp", "gif", "pdf")
MIN_SIDE = 4
"""A picture with a side of fewer pixels holds no character."""
_PUTS = 3
_IDEMPOTENCY_LENGTH = 255


class Document(NamedTuple):
    """A checked document: its kind (one of KINDS) and how many pages it has."""

    kind: str
    pages: int


def check(data: bytes, settings: Settings, asked_pages: str = "") -> tuple[Document, tuple[int, ...]]:
    """The document and the pages to read of it, by content alone.

    Raises UnsupportedType, DocumentError, EncryptedPdf, NoPages, TooManyPixels, TooManyPages or TooSmall.
    """
    kind = pictures.sniff(data)
    if kind is None:
        raise errors.UnsupportedType
    pages = pdfs.count_pages(data) if kind == "pdf" else _check_picture(kind, data, settings)
    chosen = select_pages(asked_pages, pages)
    if len(chosen) > settings.max_pages:
        raise errors.TooManyPages(pages=len(chosen), limit=settings.max_pages)
    return Document(kind, pages), chosen


def _check_picture(kind: str, data: bytes, settings: Settings) -> int:
    # A TIFF may have more pages than are read of it, but the walk through them ends somewhere.
    most = settings.max_pages * 10
    try:
        sizes = pictures.inspect(kind, data, most).sizes
    except pictures.Damaged as damaged:
        raise because(errors.DocumentError, *damaged.args) from None
    except pictures.TooManyFrames:
        raise errors.TooManyPages(pages=f"more than {most}", limit=settings.max_pages) from None
    for width, height in sizes:
        if width * height > settings.max_pixels:
            limit = f"{settings.max_pixels / 1e6:g}"
            raise errors.TooManyPixels(width=width, height=height, limit_mp=limit)
    if all(min(size) < MIN_SIDE for size in sizes):
        raise errors.TooSmall(width=sizes[0][0], height=sizes[0][1])
    return len(sizes)


def take(gateway: Gateway, request: Request, client: str, file_field: str = "file") -> Accepted:
    """Receive a request's document, check it and have it accepted; puts its first pages on the queue.

    Holds the document no longer than that: whoever waits for the text waits without it.
    """
    with gateway.budget.room(request):
        received = receive(request, gateway.settings, gateway.fetch, file_field)
        asked = parse(received.fields)
        idempotency = _checked_key(request.headers.get("Idempotency-Key", ""))
        document, pages = check(received.data, gateway.settings, asked.pages)
        job = _new_job(gateway, client, received, asked, document, pages, idempotency)
        accepted = _accept(gateway, job, received.data)
    gateway.publish(accepted.messages)
    return accepted


def _checked_key(key: str) -> str:
    key = key.strip()
    if len(key) > _IDEMPOTENCY_LENGTH or not key.isprintable():
        raise because(
            errors.RequestError, "Idempotency-Key is too long", "Idempotency-Key 过长", field="Idempotency-Key"
        )
    return key


def _new_job(
    gateway: Gateway,
    client: str,
    received: Received,
    asked: Asked,
    document: Document,
    pages: tuple[int, ...],
    idempotency: str,
) -> NewJob:
    fingerprint = gateway.fingerprint(asked.read.engine)
    return NewJob(
        id=gateway.store.issue_id(),
        run=ids.new_run(),
        client=client,
        blob=received.sha256,
        blob_bytes=len(received.data),
        kind=document.kind,
        name=received.name,
        pages=pages,
        options=asked.read.fingerprint(),
        key=job_key(received.sha256, document.kind, asked.read, pages, fingerprint, gateway.settings.pdf_dpi),
        priority=asked.priority,
        idempotency=idempotency,
    )


def _accept(gateway: Gateway, job: NewJob, data: bytes) -> Accepted:
    for _ in range(_PUTS):
        try:
            return gateway.store.accept(job)
        except errors.BlobMissing:
            gateway.store.put_blob(job.blob, data)
    return gateway.store.accept(job)
