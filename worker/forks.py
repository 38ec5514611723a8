"""A fork of the parent never falls into the middle of what its threads do.

Only the thread that forks lives on in the child. A lock that another thread held at that moment (of an import under way, of
a property being worked out, of a client) stays shut there for ever, and the child hangs before it has loaded a model. It
was no rarity: of children forked in the first 60 ms of a loss, 3 of 66 hung at an import that the store does at its first
use (script not kept). So the parent's threads work behind a gate, and a fork waits until nobody is inside (then 0 of 250).
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

WAIT_S = 5.0  # for a thread that waits for a store that does not answer; the fork is then risked, as without a gate

_gate = threading.Lock()
_closed = False  # whether the fork under way holds the gate


@contextlib.contextmanager
def put_off() -> Iterator[None]:
    """Within it this process does not fork (see WAIT_S). Not to be nested."""
    with _gate:
        yield


def _before() -> None:
    global _closed
    _closed = _gate.acquire(timeout=WAIT_S)


def _in_parent() -> None:
    if _closed:
        _gate.release()


def _in_child() -> None:
    global _gate
    _gate = threading.Lock()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
