"""How many bytes of documents a process holds at once: many large uploads together must not end it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Request

from api.problems import TooManyUploads
from shared.settings import MIB, Settings

_LEAST_BYTES = 256 * MIB
_UNKNOWN_BYTES = 4 * MIB
"""Counted for a body that does not say how long it is."""
_RETRY_S = 2


class Budget:
    """Bytes that may be in memory at the same time; four of the largest documents, at least 256 MiB."""

    def __init__(self, settings: Settings) -> None:
        self._lock = threading.Lock()
        self._left = max(4 * settings.max_bytes, _LEAST_BYTES)
        self._most = settings.max_bytes

    @contextmanager
    def room(self, request: Request) -> Iterator[None]:
        """Room for a request's body. Raises TooManyUploads where there is none now."""
        size = min(request.content_length if request.content_length is not None else _UNKNOWN_BYTES, self._most)
        with self._lock:
            if size > self._left:
                raise TooManyUploads(retry_after=_RETRY_S)
            self._left -= size
        try:
            yield
        finally:
            with self._lock:
                self._left += size
