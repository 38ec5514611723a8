"""What one worker process is and holds: its name, its model, its claim on a core, the page in its hands.

A slot's name is `host-mark:parent pid:pid`. It stands in the attempts of a job, so that the parent can end the
attempt of a child that died.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from shared.records import Page, ReadOptions
from shared.settings import Settings
from shared.store.protocol import Claim, Message, Store
from worker.cores import CoreLease, host_tag
from worker.documents import DOCUMENTS_VERSION
from worker.turn import Turn

if TYPE_CHECKING:
    from worker.notes import Note
    from worker.shelf import Shelf

log = logging.getLogger(__name__)

WAKE_S = 0.5  # progress is reported at most this often, so that a short page costs one report


class Reader(Protocol):
    """What a slot asks of the reading room; `worker.reading.page.Reader` is one."""

    def warm(self) -> str:
        """Load everything, read once, return what was loaded."""

    def fingerprint(self, options: ReadOptions) -> str:
        """The engine and model versions these options would use."""

    def models_used(self, options: ReadOptions) -> Mapping[str, str]:
        """The models these options would use: name to version."""

    def read(self, image: Any, options: ReadOptions, progress: Callable[[int, int], None]) -> Page:
        """Read a BGR page."""


class MessageSink(Protocol):
    """Where messages for the queue go; `shared.queue.Publisher` is one."""

    def publish(self, messages: Iterable[Message]) -> None:
        """Put messages on the queue."""

    def depths(self) -> dict[str, int]:
        """The length of each queue."""


class Void(Exception):
    """Raised inside a page whose claim ended: it was cancelled, or given to another worker."""


class Work:
    """One page in hand: the claim and how far the reading is. Shared by the reading and the heartbeat thread."""

    def __init__(self, claim: Claim, wake: Callable[[], None] | None = None) -> None:
        self.claim = claim
        self.lines = (0, 0)
        self.void = False
        self._wake = wake
        self._woken = time.monotonic()

    def check(self) -> None:
        """Raises Void when the result is no longer wanted."""
        if self.void:
            raise Void

    def progress(self, done: int, total: int) -> None:
        """What the reader calls as lines get done. Raises Void."""
        self.lines = (done, total)
        self.check()
        now = time.monotonic()
        if self._wake is not None and now - self._woken >= WAKE_S:
            self._woken = now
            self._wake()


def slot_name(pid: int | None, parent: int) -> str:
    """The name of a child of `parent`; without a pid, what the names of all of them begin with."""
    return f"{host_tag()}:{parent}:{'' if pid is None else pid}"


@dataclasses.dataclass
class Slot:
    """A worker process that is ready to read."""

    name: str
    settings: Settings
    store: Store
    publisher: MessageSink
    reader: Reader
    shelf: Shelf
    lease: CoreLease
    info: dict[str, Any]
    work: Work | None = None
    note: Note | None = None
    wake: threading.Event = dataclasses.field(default_factory=threading.Event)
    pages: int = 0
    turn: Turn = dataclasses.field(default_factory=Turn)

    def begin(self, claim: Claim) -> Work:
        """A page was claimed: from now on the heartbeat renews its lease."""
        self.lease.hold()
        self.work = Work(claim, self.wake.set)
        if self.note is not None:
            self.note.write(claim.run, claim.page)
        return self.work

    def end(self) -> None:
        """The page is out of this process's hands."""
        self.work = None
        self.pages += 1
        if self.note is not None:
            self.note.write("", 0)

    def fingerprint(self, options: ReadOptions) -> str:
        """What would read with these options, the decoding of documents included; part of every cache key.

        An engine that was added after the start is loaded when first asked for; the fleet hears of it then.
        """
        fingerprint = full_fingerprint(self.reader, options)
        if options.layout == ReadOptions().layout:
            self.info["fingerprints"] = {**self.info.get("fingerprints", {}), options.engine: fingerprint}
        return fingerprint

    def describe(self) -> dict[str, Any]:
        """The slot as the fleet sees it now."""
        return {
            **self.info,
            "core": self.lease.core,
            "pinned": self.lease.core is not None,
            "rss_mib": rss_mib(),
            "state": "idle" if self.work is None else "busy",
            "pages": self.pages,
        }

    def worker(self, models: str) -> dict[str, Any]:
        """What an attempt says about who made it."""
        return {
            "worker": self.name,
            "host": self.info.get("hostname", ""),
            "core": self.lease.core,
            "models": models,
        }

    def publish(self, messages: Iterable[Message]) -> None:
        """Publish, and leave it to the reconciler where the broker does not answer."""
        publish_or_leave(self.publisher, messages)


def full_fingerprint(reader: Reader, options: ReadOptions) -> str:
    """The reader's fingerprint with the versions of the decoding of documents and of folding."""
    from worker.reading import fold  # the parent process imports this module, and nothing of the reading room

    return f"{reader.fingerprint(options)}/documents={DOCUMENTS_VERSION}/fold={fold.version()}"


def publish_or_leave(publisher: MessageSink, messages: Iterable[Message]) -> None:
    """Publish messages; one that cannot be sent now is found and sent again by the reconciler."""
    messages = tuple(messages)
    if not messages:
        return
    try:
        publisher.publish(messages)
    except Exception as error:
        log.warning("%d message(s) left to the reconciler, the broker does not answer: %s", len(messages), error)


def rss_mib() -> int:
    """This process's resident memory, in MiB; 0 where the kernel does not say."""
    from worker.reading.memory import resident_mb  # not above: the parent loads this module, and nothing of reading

    return int(resident_mb() * 1e6 / 2**20)
