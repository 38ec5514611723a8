"""A worker process's pages have their turn one after another; what must not happen within a page waits for the gap."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class Turn:
    """Pages enter `page()`; another thread hands `between` something short to do when no page is in work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Callable[[], None] | None = None

    @contextlib.contextmanager
    def page(self) -> Iterator[None]:
        """Around a page. What waits is done first, so that a busy process does not put it off for ever."""
        with self._lock:
            self._do()
            yield

    def between(self, act: Callable[[], None], meanwhile: Callable[[], None], poll_s: float) -> None:
        """Returns when `act` was done, by whoever came first to the gap. Calls `meanwhile` every `poll_s` seconds."""
        self._waiting = act
        while self._waiting is not None:
            if self._lock.acquire(timeout=poll_s):
                try:
                    self._do()
                finally:
                    self._lock.release()
            else:
                meanwhile()

    def _do(self) -> None:
        if self._waiting is not None:
            self._waiting()
            self._waiting = None
