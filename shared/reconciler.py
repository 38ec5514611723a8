"""The thread that has the job store put right what was lost, and publishes what it returns.

Every process of the fleet runs one; a lock in the store lets one of them work at a time, and the next takes over within
seconds when that one dies.
"""

from __future__ import annotations

import logging
import random
import threading
from typing import Protocol

from kombu.exceptions import OperationalError

from shared import errors
from shared.settings import Settings
from shared.store.protocol import Message, Store

log = logging.getLogger(__name__)
PERIOD_S = 1.0
"""Between two looks; the lock in the store lasts five."""


class Queue(Protocol):
    """What the reconciler needs of `shared.queue.Publisher`."""

    def publish(self, messages: tuple[Message, ...]) -> None:
        """Put messages on the queue."""

    def depths(self) -> dict[str, int]:
        """The length of each queue."""


def start_reconciler(store: Store, queue: Queue, settings: Settings, owner: str) -> threading.Event:
    """Start the thread; setting the event that is returned ends it."""
    stop = threading.Event()

    def look() -> None:
        quiet = False
        while not stop.wait(PERIOD_S * random.uniform(0.8, 1.2)):
            try:
                reconcile_once(store, queue, owner)
                quiet = False
            except (errors.StoreUnavailable, OperationalError, OSError) as error:
                if not quiet:
                    log.warning("reconciler: the store does not answer: %s", error)
                quiet = True
            except Exception:
                # The thread outlives whatever it meets: without it lost pages stay lost.
                log.exception("reconciler")

    threading.Thread(target=look, name="reconciler", daemon=True).start()
    return stop


def reconcile_once(store: Store, queue: Queue, owner: str) -> int:
    """One look; how many messages were published."""
    try:
        depths = queue.depths()
    except Exception as error:
        raise errors.StoreUnavailable from error
    messages = store.reconcile(owner, depths)
    if messages:
        log.info("reconciler: %d pages put on the queue again or next", len(messages))
        queue.publish(messages)
    return len(messages or ())
