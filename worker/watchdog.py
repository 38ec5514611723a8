"""The parent's watch: it ends the worker when its processes have no model, or when it has gone deaf.

Deaf: pages wait on the broker (or lie reserved here) while every process is idle and none was started for
`deaf_after_s`. A consumer that lost its connection in an unlucky moment does this; a supervisor starts a new one.
The watch runs in a thread of the parent and loads nothing native, for the parent forks; it works behind the gate of
`worker.forks`.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import threading
import time
from collections.abc import Callable
from typing import Any

import celery.worker.state

from worker import forks

log = logging.getLogger(__name__)

EXIT_DEAF = 1
EXIT_NO_MODEL = 78  # EX_CONFIG of sysexits.h: starting again will not help by itself
EXIT_TOO_SLOW = 75  # EX_TEMPFAIL: the machine was too busy to load the model in time; the next try may fare better
MESSAGE_BYTES = 4096  # PIPE_BUF: so much is written to a pipe in one piece, and no message is longer
POLLS = 6  # looks within `deaf_after_s`; work must wait at every one of them

_pipe: tuple[int, int] | None = None
_parent: int | None = None


def open_pipe() -> int:
    """Called in the parent before it forks. Returns the end to read from."""
    global _pipe, _parent
    if _pipe is None or _parent != os.getpid():
        _pipe, _parent = os.pipe(), os.getpid()
        os.set_blocking(_pipe[1], False)
    return _pipe[0]


def parent_pid() -> int | None:
    """The process that opened the pipe."""
    return _parent


def tell_parent(message: dict[str, Any]) -> None:
    """A line from a child to the parent's watch; lost where there is no parent."""
    if _pipe is None:
        return
    if "problem" in message:
        message = {**message, "problem": str(message["problem"])[:500]}
    try:
        os.write(_pipe[1], json.dumps(message).encode() + b"\n")
    except OSError as error:
        log.warning("the parent does not listen: %s", error)


class Activity:
    """What Celery's consumer is doing, as its own state says: requests in work, requests held back, starts in all."""

    def active(self) -> int:
        """Requests that a child works on."""
        return len(celery.worker.state.active_requests)

    def reserved(self) -> int:
        """Requests taken from the broker, those in work included."""
        return len(celery.worker.state.reserved_requests)

    def started(self) -> int:
        """How many requests were ever taken; it grows with every one."""
        return sum(celery.worker.state.total_count.values())


class DeafCheck:
    """Decides on deafness from looks at the broker. No input or output of its own."""

    def __init__(self, deaf_after_s: float, activity: Activity, now: Callable[[], float] = time.monotonic) -> None:
        self._deaf_after_s = deaf_after_s
        self._activity = activity
        self._now = now
        self._since: float | None = None
        self._started = -1

    def look(self, depth: int | None, warm: bool) -> bool:
        """One look. `depth`: messages waiting, None where the broker does not answer. True: the worker is deaf."""
        started = self._activity.started()
        work_waits = bool(depth) or self._activity.reserved() > self._activity.active()
        stuck = warm and depth is not None and work_waits and not self._activity.active() and started == self._started
        self._started = started
        if not stuck:
            self._since = None
            return False
        if self._since is None:
            self._since = self._now()
        return self._now() - self._since >= self._deaf_after_s


def end_worker(code: int, grace_s: float) -> None:
    """Ask Celery for a warm stop with this exit code; insist when `grace_s` is over, at once where nothing is in work."""
    celery.worker.state.should_stop = code

    def insist() -> None:
        until = time.monotonic() + grace_s
        while time.monotonic() < until:
            time.sleep(1.0)
            if not celery.worker.state.active_requests and time.monotonic() > until - grace_s + 15:
                break
        log.critical("the worker did not stop by itself: exit %d", code)
        os._exit(code)

    threading.Thread(target=insist, name="insist", daemon=True).start()


class Watchdog(threading.Thread):
    """Looks at the broker `POLLS` times in `deaf_after_s`; hears what the children say, and when one dies.

    `on_death(pid)` is called at once when a child that was warm is gone; Celery's pool takes seconds to say so.
    `look_around()` is called at the start and at every look.
    """

    def __init__(
        self,
        deaf_after_s: float,
        grace_s: float,
        depths: Callable[[], dict[str, int]],
        on_death: Callable[[int], None],
        look_around: Callable[[], None],
    ) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._period_s = max(0.5, deaf_after_s / POLLS)
        self._grace_s = grace_s
        self._depths = depths
        self._on_death = on_death
        self._look_around = look_around
        self._check = DeafCheck(deaf_after_s, Activity())
        self._pipe = open_pipe()
        self._warm: set[int] = set()

    def run(self) -> None:
        """The thread's loop."""
        threading.Thread(target=self._listen, name="watchdog-pipe", daemon=True).start()
        while True:
            try:
                with forks.put_off():
                    self._look_around()
            except Exception:  # the watch goes on whatever it finds
                log.exception("watchdog")
            time.sleep(self._period_s)
            with forks.put_off():
                depth = self._depth()
            if self._check.look(depth, bool(self._warm)):
                log.critical("deaf: pages wait, nothing runs, nothing was started: exit %d", EXIT_DEAF)
                os._exit(EXIT_DEAF)

    def _depth(self) -> int | None:
        try:
            return sum(self._depths().values())
        except Exception as error:
            log.debug("the broker does not answer the watchdog: %s", error)
            return None

    def _listen(self) -> None:
        heard = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == self._pipe:
                        *lines, heard = (heard + os.read(self._pipe, MESSAGE_BYTES)).split(b"\n")
                        for line in lines:
                            with forks.put_off():
                                self._hear(json.loads(line), selector)
                    else:
                        selector.unregister(key.fd)
                        os.close(key.fd)
                        self._warm.discard(key.data)
                        with forks.put_off():
                            self._on_death(key.data)

    def _hear(self, message: dict[str, Any], selector: selectors.BaseSelector) -> None:
        pid = int(message["pid"])
        if "problem" in message:
            log.critical("process %d has no model: %s", pid, message["problem"])
            end_worker(int(message.get("code", EXIT_NO_MODEL)), self._grace_s)
            return
        self._warm.add(pid)
        try:
            # A file that becomes readable when the process ends, however it does; see pidfd_open(2).
            selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
        except (OSError, AttributeError) as error:
            log.info("this kernel does not tell when a process ends, Celery's pool will: %s", error)
