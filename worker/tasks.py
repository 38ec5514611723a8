"""The task: claim a page, decode it, read it, hand the result in.

Nothing that goes wrong here may take the process down or lose the page: what the document is to blame for fails the
page, what the process is to blame for is tried again, and what the store is to blame for is waited out.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import os
import time
import uuid
import zlib
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from celery.exceptions import Reject, SoftTimeLimitExceeded

from shared.errors import DocumentError, OcrFleetError, RecordsTooNew, StoreUnavailable
from shared.keys import page_key
from shared.packing import packed
from shared.queue import MESSAGE_VERSION
from shared.records import PICTURES, Page, ReadOptions, failed_page, pack_page
from shared.store.protocol import Claim, Message, PageDone
from worker import watchdog
from worker.documents.preview import preview_jpeg
from worker.problems import page_problem, timeout_problem
from worker.shelf import BlobGone
from worker.slot import Slot, Void, Work

log = logging.getLogger(__name__)

STRANGE_PAUSE_S = 2.0  # a message of a newer version goes back after this pause, for a newer worker to take
KILL_MARGIN_S = 5.0  # waiting for the store ends this long before the hard time limit would kill the process
PAUSE_S = (0.1, 3.0)  # first and longest pause between two tries at the store

Answer = TypeVar("Answer")
HandIn = Callable[[], tuple[bool, tuple[Message, ...]]]


def read_page(v: int, run: str, page: int, **_newer: Any) -> str:
    """The body of the Celery task `ocrfleet.read_page`; fields that a newer publisher adds are ignored.

    A message of a newer version is put back: while old and new workers run side by side, a new one takes it. The
    pause keeps old ones from spinning on it; the store's reconciler knows the page in any case.
    """
    from worker.lifecycle import this_slot

    if v > MESSAGE_VERSION:
        log.warning("message version %s is not known here (%s is): left to another worker", v, MESSAGE_VERSION)
        time.sleep(STRANGE_PAUSE_S)
        raise Reject(f"unknown message version {v}", requeue=True)
    try:
        slot = this_slot()
        with slot.turn.page():
            return run_page(slot, run, page)
    except RecordsTooNew as error:
        # Another worker will not misread it; this one ends, and says why it cannot start again.
        watchdog.tell_parent({"pid": os.getpid(), "problem": error.detail})
        raise Reject(str(error), requeue=True) from error
    except StoreUnavailable as error:
        log.error("page %d of run %s left to the reconciler: %s", page, run, error)
        raise Reject(str(error), requeue=True) from error


def run_page(slot: Slot, run: str, number: int) -> str:
    """One message. Returns what became of it: `done`, `failed`, `retry`, `late`, `void` or `nothing`.

    Raises StoreUnavailable when the store stayed away for as long as a page may take.
    """
    started = time.monotonic()
    until = started + slot.settings.hard_limit_s - KILL_MARGIN_S
    token = uuid.uuid4().hex
    worker = slot.worker(str(slot.info.get("fingerprint", "")))
    claim, messages = _patiently(lambda: slot.store.claim(run, number, token, worker), until)
    slot.publish(messages)
    if claim is None:
        return "nothing"
    work = slot.begin(claim)
    try:
        outcome, hand_in = _outcome(slot, work)
        if hand_in is None:
            return outcome
        in_time, messages = _patiently(hand_in, until)
        slot.publish(messages)
        return outcome if in_time else "late"
    finally:
        slot.end()


def _outcome(slot: Slot, work: Work) -> tuple[str, HandIn | None]:
    """Read the page; say what became of it and how to tell the store."""
    claim, store = work.claim, slot.store
    try:
        done = _read(slot, work)
        return "done", lambda: store.finish_page(claim, done)
    except Void:
        return "void", None
    except SoftTimeLimitExceeded:
        seconds = slot.settings.soft_limit_s
        problem = timeout_problem(seconds)
        log.warning("page %d of run %s: stopped after %d s", claim.page, claim.run, seconds)
    except DocumentError as error:
        problem = error.to_json()
    except MemoryError:
        slot.shelf.close()
        gc.collect()
        problem = page_problem("MEMORY", "it needs more memory than a worker has", "所需内存超过单个处理进程的可用内存")
        log.warning("page %d of run %s: out of memory", claim.page, claim.run)
    except StoreUnavailable as error:
        return "retry", _failing(slot, claim, error.to_json(), retry=True)
    except OcrFleetError as error:
        problem = error.to_json()
        log.warning("page %d of run %s: %s", claim.page, claim.run, error)
    except BlobGone:
        log.warning("page %d of run %s: the store no longer has its document", claim.page, claim.run)
        problem = page_problem("BLOB", "the document's bytes are gone from the store", "存储中已没有该文件的内容")
        return "retry", _failing(slot, claim, problem, retry=True)
    except Exception as error:
        log.exception("page %d of run %s, attempt %d", claim.page, claim.run, claim.attempt)
        slot.shelf.close()
        name = type(error).__name__
        problem = page_problem("ERROR", f"an internal error ({name})", f"内部错误（{name}）")
        return "retry", _failing(slot, claim, problem, retry=True)
    return "failed", _failing(slot, claim, problem, retry=False)


def _failing(slot: Slot, claim: Claim, problem: dict[str, Any], *, retry: bool) -> HandIn:
    return lambda: slot.store.fail_page(claim, problem, failed_page(claim.page, problem), retry=retry)


def _patiently(call: Callable[[], Answer], until: float) -> Answer:
    """Call the store, again and again while it does not answer, until a time (monotonic); then raises StoreUnavailable.

    The soft time limit is for reading: a finished page is not thrown away because it fell due meanwhile.
    """
    pause, longest = PAUSE_S
    while True:
        try:
            try:
                return call()
            except StoreUnavailable:
                if time.monotonic() + pause > until:
                    raise
                time.sleep(pause)
                pause = min(longest, pause * 2)
        except SoftTimeLimitExceeded:
            continue


def _read(slot: Slot, work: Work) -> PageDone:
    claim = work.claim
    options = parse_options(claim.options)
    from worker.layer import page_from_layer
    from worker.reading.fold import folded_page

    started = time.perf_counter()
    document = slot.shelf.open(claim)
    source = document.page(claim.page)
    work.check()
    decoded = time.perf_counter()
    timing: dict[str, float | str] = {"decode": (decoded - started) * 1000}
    preview = preview_jpeg(source.image) if _is_kept(options.pictures, claim.kind) else None
    fingerprint = slot.fingerprint(options)
    key = ""
    page = None
    if (options.layout, options.engine) == ("auto", "auto"):
        # Whoever names an engine or a layout wants the picture read.
        page = page_from_layer(source, slot.reader, options, work.progress)
    if page is None:
        key = page_key(_pixels_sha256(source.image, source.width, source.height), options, fingerprint)
        held = slot.store.cached_page(key)
        if held is not None:
            return _copied(held, claim.page, fingerprint, preview, timing, started)
        page = slot.reader.read(source.image, options, work.progress)
    page = folded_page(stretched(page, source.width, source.height), options.fold)
    warnings = (*source.warnings, *(text for text in page.warnings if text not in source.warnings))
    page = replace(page, warnings=warnings, timing_ms={**timing, **page.timing_ms})
    return PageDone(
        result=packed(page, claim.page),
        lines=len(page.lines),
        read_ms=round((time.perf_counter() - started) * 1000),
        fingerprint=fingerprint,
        page_key=key,
        preview=preview,
    )


def parse_options(text: str) -> ReadOptions:
    """The options of a run as the gateway wrote them: JSON, or the form of `ReadOptions.fingerprint`."""
    if text.startswith("{"):
        known = {field.name for field in fields(ReadOptions)}
        return ReadOptions(**{name: str(value) for name, value in json.loads(text).items() if name in known})
    return ReadOptions(*text.split("/")) if text else ReadOptions()


def _copied(
    held: bytes, number: int, fingerprint: str, preview: bytes | None, timing: dict[str, float | str], started: float
) -> PageDone:
    """A result from the pixel cache under this page's own number."""
    result = json.loads(zlib.decompress(held))
    result.update(page=number, timing_ms={name: round(float(ms), 1) for name, ms in timing.items()}, cached=True)
    elapsed_ms = round((time.perf_counter() - started) * 1000)
    return PageDone(pack_page(result), len(result["lines"]), elapsed_ms, fingerprint, "", preview=preview, cached=True)


def _is_kept(pictures: str, kind: str) -> bool:
    """Whether a page's small picture stays with its text. As usual it does where a browser cannot show the document."""
    if pictures != PICTURES[0]:
        return pictures == "keep"
    return kind.lower().rpartition("/")[2].removeprefix("x-") in ("pdf", "tiff", "tif")


def _pixels_sha256(image: Any, width: int, height: int) -> str:
    """The pixels as the reader sees them, and the size that its boxes will be given in."""
    digest = hashlib.sha256(f"{width}x{height}:{image.shape[1]}x{image.shape[0]}:".encode())
    digest.update(image.data)
    return digest.hexdigest()


def stretched(page: Page, width: int, height: int) -> Page:
    """The page with its boxes in pixels of a page of another size; the same page where the size is the same."""
    if (page.width, page.height) == (width, height) or not page.width or not page.height:
        return replace(page, width=width, height=height)
    across, down = width / page.width, height / page.height

    def box(quad: Any) -> Any:
        return None if quad is None else tuple((x * across, y * down) for x, y in quad)

    lines = tuple(
        replace(line, box=box(line.box), chars=tuple(replace(char, box=box(char.box)) for char in line.chars))
        for line in page.lines
    )
    tables = tuple(
        replace(table, box=box(table.box), cells=tuple(replace(cell, box=box(cell.box)) for cell in table.cells))
        for table in page.tables
    )
    return replace(page, width=width, height=height, lines=lines, tables=tables)
