"""A worker process's life: lease a core, load the model, warm it, say that it lives; let go at the end.

Everything with threads or native libraries behind it is made here, after the fork. A process whose model does not load
says why, tells its parent, and takes no page: the worker ends with EXIT_NO_MODEL instead of starting it again and again.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.errors import OcrFleetError, RecordsTooNew, StoreUnavailable
from shared.host import usable_cores
from shared.reconciler import start_reconciler
from shared.records import ENGINES, ReadOptions
from shared.settings import Settings, get_settings
from shared.store.open import open_store
from worker import rollover, watchdog
from worker.cores import CoreLease, boot_id, container_id
from worker.heartbeat import Heartbeat
from worker.notes import Note, usable_folder
from worker.shelf import Shelf
from worker.slot import Reader, Slot, full_fingerprint, rss_mib, slot_name

if TYPE_CHECKING:
    from worker.reading.versions import Version

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PARENT_ENDS_S = 3.0  # a process without a model waits so long for its parent to end it

_slot: Slot | None = None
_heartbeat: Heartbeat | None = None
_rollover: rollover.Rollover | None = None
_stop_reconciler: threading.Event | None = None


def this_slot() -> Slot:
    """The slot of this process. Raises RuntimeError in a process that never became ready."""
    if _slot is None:
        raise RuntimeError("this process has no model loaded")
    return _slot


def start_child(**_signal: Any) -> None:
    """Celery's `worker_process_init`: returns when the process is warm, or does not return."""
    global _slot, _heartbeat, _rollover, _stop_reconciler
    die_with_parent()
    settings = get_settings()
    store, publisher = open_store(settings)
    name = slot_name(os.getpid(), os.getppid())
    lease = CoreLease(store, name, settings.core_lease_s, boot_id(), usable_cores())
    info = identity(settings)

    def give_up(reason: str, code: int = watchdog.EXIT_NO_MODEL) -> None:
        log.critical("the worker ends: %s", reason)
        watchdog.tell_parent({"pid": os.getpid(), "problem": reason, "code": code})
        try:
            store.beat_slot(name, {**info, "warm": False, "state": "broken", "problem": reason})
            lease.release()
        except OcrFleetError:
            log.warning("the store could not be told: the reason stands only in this log")
        time.sleep(PARENT_ENDS_S)
        os._exit(code)

    def too_slow() -> None:
        give_up(f"the model did not load within {settings.model_load_s} s", watchdog.EXIT_TOO_SLOW)

    try:
        lease.renew()
    except RecordsTooNew as error:
        give_up(error.detail)
        return
    except StoreUnavailable as error:
        log.warning("no core is leased yet, the store does not answer: %s", error)
    timer = threading.Timer(settings.model_load_s, too_slow)
    timer.daemon = True
    timer.start()
    try:
        found, named, problem = rollover.at_start(store, settings)
        reader, loaded = load_reader(settings, found, problem)
    except (Exception, SystemExit) as error:
        timer.cancel()
        give_up(str(error) or type(error).__name__)
        return
    timer.cancel()
    info.update(loaded, warm=True)
    _slot = Slot(
        name,
        settings,
        store,
        publisher,
        reader,
        Shelf(settings, store.get_blob),
        lease,
        info,
        note=Note(name, usable_folder(settings)),
    )
    _heartbeat = Heartbeat(_slot)
    _heartbeat.beat(force=True)
    _heartbeat.start()
    _rollover = rollover.Rollover(_slot, functools.partial(rollover.provide, store, settings), renewed_reader, named)
    _rollover.start()
    _stop_reconciler = start_reconciler(store, publisher, settings, name)
    watchdog.tell_parent({"pid": os.getpid(), "warm": True})
    log.info(
        "ready: %s on core %s, loaded in %d ms, warmed in %d ms, %d MiB",
        info["engine"], lease.core, info["load_ms"], info["warm_ms"], rss_mib(),
    )  # fmt: skip


def stop_child(**_signal: Any) -> None:
    """Celery's `worker_process_shutdown`: the slot and its core are free at once, not when their time is over."""
    if _stop_reconciler is not None:
        _stop_reconciler.set()
    if _rollover is not None:
        _rollover.stop()
    if _heartbeat is None or _slot is None:
        return
    _heartbeat.stop()
    if _slot.note is not None:
        _slot.note.remove()  # first: it needs no store, and whoever comes next must not take this for a death
    for let_go in (lambda: _slot.store.drop_slot(_slot.name), _slot.lease.release, _slot.shelf.close):
        _quietly(let_go)


def _quietly(let_go: Callable[[], None]) -> None:
    try:
        let_go()
    except OcrFleetError as error:
        log.warning("not given back, its time will run out: %s", error)


def identity(settings: Settings) -> dict[str, Any]:
    """What a slot says of itself that never changes."""
    return {
        "hostname": socket.gethostname(),
        "container": container_id(),
        "boot_id": boot_id(),
        "pid": os.getpid(),
        "engine": settings.engine,
        "started_at": time.time_ns() // 1_000_000,
        "warm": False,
    }


def load_reader(
    settings: Settings, found: Mapping[str, Version] | None = None, problem: str | None = None
) -> tuple[Reader, dict[str, Any]]:
    """The warm reader and what is to be said of it: `load_ms`, `warm_ms`, `fingerprints` by engine, `versions`.

    Native libraries are imported here and nowhere before, on one thread each. Versions that do not load give way to what
    is shipped.
    """
    import cv2

    cv2.setNumThreads(0)
    from worker.reading.page import Reader as PageReader

    def load(versions: Mapping[str, Version]) -> tuple[Reader, dict[str, Any]]:
        started = time.perf_counter()
        reader: Reader = PageReader(
            settings.models_folder,
            settings.engine,
            versions,
            precision=settings.precision,
            words=settings.words == "auto",
        )
        loaded = time.perf_counter()
        reader.warm()
        info = {
            "load_ms": round((loaded - started) * 1000),
            "warm_ms": round((time.perf_counter() - loaded) * 1000),
            "versions": {engine: version.name for engine, version in versions.items()},
            **prints_of(reader, settings.engine),
        }
        return reader, info

    try:
        reader, info = load(found or {})
    except Exception as error:
        if not found:
            raise
        problem = error.detail if isinstance(error, OcrFleetError) else f"{type(error).__name__}: {error}"
        log.warning("the wanted weights do not load, the shipped ones are used: %s", problem)
        reader, info = load({})
    # What is loaded stays: the collector need not look at it again with every page.
    gc.collect()
    gc.freeze()
    return reader, {**info, **({"versions_problem": problem} if problem else {})}


def renewed_reader(old: Reader, found: Mapping[str, Version]) -> tuple[Reader, dict[str, Any]]:
    """A warm reader with other versions, made while the old one may be reading, and what changes of what is said."""
    from worker.reading.page import Reader as PageReader

    assert isinstance(old, PageReader)
    reader: Reader = old.renewed(found)
    assert isinstance(reader, PageReader)
    reader.warm("line")
    return reader, prints_of(reader, get_settings().engine)


def prints_of(reader: Reader, engine: str) -> dict[str, Any]:
    """The fingerprint of a reader's default engine, and those of every engine that it could load, as a slot says them.

    So equal documents are known as equal from the first one on, whatever engine they name.
    """
    prints = {engine: full_fingerprint(reader, ReadOptions(engine=engine))}
    for other in ENGINES:
        with contextlib.suppress(OcrFleetError):  # it is not here: nobody can read with it
            prints.setdefault(other, full_fingerprint(reader, ReadOptions(engine=other)))
    return {"fingerprint": prints[engine], "fingerprints": prints, "engines": sorted(prints)}


def die_with_parent() -> None:
    """The kernel kills this process when its parent dies, however that happens: no orphan holds a core or a page."""
    parent = os.getppid()
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        log.warning("this system cannot end worker processes with their parent")
    if parent == 1 and os.getpid() != 1 and watchdog.parent_pid() not in (None, 1):
        os._exit(1)
