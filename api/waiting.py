"""Holding an answer until a job changes, without letting those who wait take every thread of the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from shared.store.protocol import JobView, Store

STOPPING = threading.Event()
"""Set when the process is asked to end: those who wait are then answered, as if their time were over."""
_SLICE_S = 2.0
"""So often the store is looked at even without news: what changes by the clock alone makes none."""


Look = Callable[[], JobView]


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

    def until_changed(self, look: Look, seconds: float) -> JobView:
        """The job once its state differs from what it is now, it has ended, or time is over."""
        seen: list[State] = []

        def changed(view: JobView) -> bool:
            seen.append(State.of(view))
            return seen[0] != seen[-1]

        return self.until(look, seconds, changed)

    def until(self, look: Look, seconds: float, enough: Callable[[JobView], bool]) -> JobView:
        """The job once it is enough or has ended, or time is over; at once where no place is free."""
        if seconds <= 0:
            return look()
        with self.place() as held:
            return self.hold(look, seconds if held else 0, enough)

    def hold(self, look: Look, seconds: float, enough: Callable[[JobView], bool]) -> JobView:
        """The same for a caller who has a place already.

        The news are counted before each look, so that no change falls between looking and waiting.
        """
        deadline = time.monotonic() + seconds
        while True:
            mark = self._store.news()
            view = look()
            left = deadline - time.monotonic()
            if view.status.ended or enough(view) or left <= 0 or STOPPING.is_set():
                return view
            self._store.wait_for_change(view.run, min(left, _SLICE_S), mark)


def never(view: JobView) -> bool:
    """For those who wait for the end."""
    return False
