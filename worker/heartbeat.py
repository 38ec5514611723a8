"""The heartbeat of a worker process: it lives, it holds its core, and the page in its hands is still its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from shared.errors import StoreUnavailable
from worker.slot import Slot

log = logging.getLogger(__name__)

COMPLAIN_S = 30.0  # a store that stays away is complained about this often


class Heartbeat(threading.Thread):
    """Beats for one slot until `stop`. A store that does not answer is waited for."""

    def __init__(self, slot: Slot, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._slot = slot
        self._now = now
        self._ended = False
        self._due_slot = self._due_core = self._due_claim = 0.0
        self._complained: float | None = None
        settings = slot.settings
        self._slot_s = settings.heartbeat_s
        self._core_s = settings.core_lease_s / 3
        self._claim_s = min(settings.heartbeat_s, settings.lease_s / 3)

    def run(self) -> None:
        """The thread's loop."""
        while not self._ended:
            self.beat()
            self._slot.wake.wait(min(self._claim_s, self._slot_s) / 2)

    def beat(self, *, force: bool = False) -> None:
        """Whatever is due now; a slot that was woken has progress to report."""
        slot, now = self._slot, self._now()
        woken = slot.wake.is_set() or force
        slot.wake.clear()
        try:
            work = slot.work
            if work is not None and not work.void and (woken or now >= self._due_claim):
                self._due_claim = now + self._claim_s
                if not slot.store.beat(work.claim, *work.lines):
                    work.void = True
            if force or now >= self._due_core:
                # Due until it succeeds: a store that was away may be asked by others for this core at once.
                slot.lease.renew()
                self._due_core = now + self._core_s
            if force or now >= self._due_slot:
                self._due_slot = now + self._slot_s
                slot.store.beat_slot(slot.name, slot.describe())
        except StoreUnavailable as error:
            if self._complained is None or now - self._complained >= COMPLAIN_S:
                log.warning("the store does not answer, the heartbeat goes on: %s", error)
                self._complained = now
        except Exception:  # the thread must outlive any single fault, else a live slot looks dead
            log.exception("heartbeat")
        else:
            if self._complained is not None:
                log.info("the store answers again")
                self._complained = None

    def stop(self) -> None:
        """End the loop and wait a moment for it."""
        self._ended = True
        self._slot.wake.set()
        if self.is_alive():
            self.join(timeout=2.0)
