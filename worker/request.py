"""What the parent does when a child dies in a page: it ends the attempt in the store at once.

Without it the page would wait for its lease to lapse. The store is spoken to from a thread of its own, so that the
parent's event loop never waits for it.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from typing import Any

from billiard.exceptions import WorkerLostError
from celery.worker import state
from celery.worker.request import Request

from shared.errors import StoreUnavailable
from shared.settings import get_settings
from shared.store.protocol import Store
from worker import forks
from worker.cores import boot_id
from worker.notes import find_lost, usable_folder
from worker.slot import MessageSink, publish_or_leave, slot_name

log = logging.getLogger(__name__)

TRY_FOR_S = 60.0  # a store that stays away longer finds the lapsed lease by itself


class Undertaker:
    """Tells the store of dead children, one after the other, in a thread that starts with the first."""

    def __init__(self) -> None:
        self._losses: queue.SimpleQueue[tuple[str, int, str, str, dict[str, Any] | None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def report(self, run: str, page: int, slot: str, outcome: str, final: dict[str, Any] | None) -> None:
        """Never blocks."""
        self._losses.put((run, page, slot, outcome, final))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="undertaker", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        from shared.store.open import open_store

        with forks.put_off():
            store, publisher = open_store(get_settings())
        while True:
            loss = self._losses.get()
            try:
                bury(store, publisher, *loss)
            except Exception:  # the thread must outlive any single loss
                log.exception("page %d of run %s: its lost attempt will end with its lease", loss[1], loss[0])


def bury(
    store: Store, publisher: MessageSink, run: str, page: int, slot: str, outcome: str, final: dict[str, Any] | None
) -> None:
    """End the attempt of a dead slot (no `run`: it had none), and set its place and core free.

    Doing it twice does no harm. Raises StoreUnavailable when the store stays away for TRY_FOR_S.
    """
    until, pause = time.monotonic() + TRY_FOR_S, 0.1
    while True:
        try:
            with forks.put_off():
                if run:
                    publish_or_leave(publisher, store.lose_page(run, page, slot, outcome, final=final))
                cores = [info.get("core") for info in store.slots() if info.get("slot") == slot]
                store.drop_slot(slot)
                for core in cores:
                    if core is not None:
                        store.release_core(boot_id(), core, slot)
            return
        except StoreUnavailable:
            if time.monotonic() + pause > until:
                raise
            time.sleep(pause)
            pause = min(3.0, pause * 2)


undertaker = Undertaker()


def child_died(pid: int) -> None:
    """The watchdog saw a child of this process end: its page, if it had one, is lost; its place and core are free."""
    slot = slot_name(pid, os.getpid())
    pages = [page_of(request) for request in requests_of(pid)]
    for run, page in [page for page in pages if page is not None] or [("", 0)]:
        undertaker.report(run, page, slot, "lost", None)


def bury_the_lost() -> None:
    """Processes of this host that died with their parents, and what they had in hand."""
    folder = usable_folder(get_settings())
    if folder is not None:
        find_lost(lambda run, page, slot: undertaker.report(run, page, slot, "lost", None), folder)


def requests_of(pid: int) -> list[Request]:
    """What Celery believes a child to be working on."""
    while True:
        try:
            return [request for request in state.active_requests if request.worker_pid == pid]
        except RuntimeError:  # the event loop changed the set meanwhile
            continue


def page_of(request: Request) -> tuple[str, int] | None:
    """The run and page of a request, None for another kind of task."""
    kwargs = request.kwargs or {}
    return (str(kwargs["run"]), int(kwargs["page"])) if "run" in kwargs and "page" in kwargs else None


class PageRequest(Request):  # type: ignore[misc]
    """Celery's request, with an eye on the child that works on it."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """The hard limit: the child is killed, the page fails."""
        super().on_timeout(soft, timeout)
        if not soft:
            from worker.problems import timeout_problem

            self._report("timeout", timeout_problem(timeout))

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """A child that vanished: the page goes to another."""
        error = exc_info.exception
        if isinstance(getattr(error, "exc", error), WorkerLostError | SystemExit):
            self._report("lost", None)
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def _report(self, outcome: str, final: dict[str, Any] | None) -> None:
        page = page_of(self)
        if page is not None and self.worker_pid:
            undertaker.report(*page, slot_name(self.worker_pid, os.getpid()), outcome, final)
