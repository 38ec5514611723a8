"""News of runs, one subscription a process however many wait: a thread listens, waiters sleep on a condition."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import redis

RECONNECT_S = 0.5
"""Pause before a lost subscription is taken up again."""
KEEP = 4096
"""Of so many runs the latest news is remembered; whoever waits for another is woken by its next news."""
SUBSCRIBE_S = 1.0
"""Longest a first waiter holds for the subscription to stand."""


class Listener:
    """Numbers the news of all runs. Starts its thread with the first waiter, anew after a fork."""

    def __init__(self, client: redis.Redis, channel: str) -> None:
        self._client = client
        self._channel = channel
        self._changed = threading.Condition()
        self._latest: dict[str, int] = {}
        self._news = 0
        self._broken_at = 0
        self._pid = 0
        self._listening = threading.Event()

    def news(self) -> int:
        """The number of the latest news; starts to listen if need be."""
        self._start()
        self._listening.wait(SUBSCRIBE_S)
        with self._changed:
            return self._news

    def wait(self, run: str, timeout_s: float, since: int | None) -> bool:
        """Hold until there is news of the run above number `since`, the subscription broke, or the time is over."""
        mark = self.news() if since is None else since
        with self._changed:
            return self._changed.wait_for(lambda: max(self._latest.get(run, 0), self._broken_at) > mark, timeout_s)

    def _start(self) -> None:
        with self._changed:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._listening.clear()
            threading.Thread(target=self._listen, name="events", daemon=True).start()

    def _listen(self) -> None:
        while True:
            with contextlib.suppress(redis.RedisError, OSError, ValueError):
                self._follow()
            self._listening.clear()
            with self._changed:
                # What was said meanwhile is lost: every waiter looks for himself.
                self._news += 1
                self._broken_at = self._news
                self._changed.notify_all()
            time.sleep(RECONNECT_S)

    def _follow(self) -> None:
        channel = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        with channel:
            channel.subscribe(self._channel)
            self._listening.set()
            while True:
                message = channel.get_message(timeout=10.0)
                if message is not None and message["type"] == "message":
                    self._tell(message["data"].decode())

    def _tell(self, run: str) -> None:
        with self._changed:
            self._news += 1
            self._latest.pop(run, None)
            self._latest[run] = self._news
            while len(self._latest) > KEEP:
                del self._latest[next(iter(self._latest))]
            self._changed.notify_all()
