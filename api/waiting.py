"""Holding an answer until a job changes, without letting those who wait take every thread of the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from shared.store.protocol import JobView, Store

_SLICE_S = 1.0
"""A change between looking and waiting is noticed after so long at the latest."""


class State(NamedTuple):
    """What counts as a change of a job. Its place in the queue and its estimate do not: they move all the time."""

    status: str
    pages_done: int
    pages_failed: int
    lines_done: int

    @classmethod
    def of(cls, view: JobView) -> State:
        """The state of a job as it stands."""
        return cls(view.status.value, view.pages_done, view.pages_failed, view.lines_done)


class Waiters:
    """So many callers of this process may wait at once; one too many is answered as if its time were over."""

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._free = threading.BoundedSemaphore(max(1, most))

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Hold one of the places; False where none is free."""
        held = self._free.acquire(blocking=False)
        try:
            yield held
        finally:
            if held:
                self._free.release()

    def until_changed(self, view: JobView, look: Callable[[], JobView], seconds: float) -> JobView:
        """The job once its state differs from that of `view`, it has ended, or time is over."""
        baseline = State.of(view)
        if view.status.ended or seconds <= 0:
            return view
        with self.place() as held:
            return self._hold(look, view, seconds, lambda now: State.of(now) != baseline) if held else view

    def until_ended(self, look: Callable[[], JobView], seconds: float) -> JobView:
        """The job once it has ended, or time is over. The caller holds a place."""
        return self._hold(look, look(), seconds, lambda view: False)

    def _hold(
        self, look: Callable[[], JobView], view: JobView, seconds: float, enough: Callable[[JobView], bool]
    ) -> JobView:
        deadline = time.monotonic() + seconds
        while not view.status.ended and not enough(view):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._store.wait_for_change(view.run, min(left, _SLICE_S))
            view = look()
        return view
